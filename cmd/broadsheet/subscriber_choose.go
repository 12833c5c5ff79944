package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

func subscriberChoose(a *app) *cobra.Command {
	var c readers.Change
	var all bool
	var note string
	cmd := &cobra.Command{
		Use:   "choose EMAIL|NUMBER [--newsletter SLUG] [--cadence daily|weekly|immediate] [--slot NAME] [--section SLUG | --all-sections]",
		Short: "Change how often a reader gets a newsletter, and what of it",
		Long: `Changes what readers choose for themselves on the page that the link in every mail leads
to: how often the newsletter comes, in which slot, and which sections of it. What is not
given stays as it is; --section is given for each section that they are to get. Nothing is
missed by it, and nothing comes again. --newsletter can be left out if they get one only.`,
		Example: `  broadsheet subscriber choose vera@example.org --cadence weekly
  broadsheet subscriber choose vera@example.org --newsletter daily-news --slot evening --note "asked by telephone"
  broadsheet subscriber choose 42 --section harbour --section town
  broadsheet subscriber choose 42 --all-sections`,
		Args: exactArgs("EMAIL|NUMBER"),
	}
	f := cmd.Flags()
	f.StringVarP(&c.Newsletter, "newsletter", "n", "", "slug of the newsletter")
	f.StringVar(&c.Cadence, "cadence", "", "daily, weekly or immediate")
	f.StringVar(&c.Slot, "slot", "", "which slot of the cadence; main is the first")
	f.StringSliceVar(&c.Sections, "section", nil, "slug of a section; may be repeated")
	f.BoolVar(&all, "all-sections", false, "everything, also sections that come later")
	f.StringVar(&note, "note", "", "why, for the history")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c.Keep = len(c.Sections) == 0 && !all
		switch {
		case all && len(c.Sections) > 0:
			return usagef("give --section or --all-sections, not both")
		case c.Keep && c.Cadence == "" && c.Slot == "":
			return usagef("say what is to be different: --cadence, --slot, --section or --all-sections")
		}
		return a.withReaders(cmd.Context(), func(s *services, r *readers.Service) error {
			sub, now, changed, err := r.ChooseFor(cmd.Context(), args[0], c, s.origin(note))
			if err != nil {
				return err
			}
			word := "Changed"
			if !changed {
				word = "Nothing is different for"
			}
			if err := a.sayChanged(cmd.Context(), r, sub, word); err != nil || a.json {
				return err
			}
			a.say("%s", nextWords(now, a.now()))
			return nil
		})
	}
	return cmd
}

// nextWords says what comes next of a subscription, and when.
func nextWords(m readers.ManagedSubscription, now time.Time) string {
	what := "everything"
	if m.Subscription.Sections != 0 {
		var names []string
		for _, section := range m.Sections {
			if m.Subscription.Sections.Has(section) {
				names = append(names, section.Slug)
			}
		}
		what = "only " + strings.Join(names, ", ")
	}
	slug := m.Newsletter.Slug
	zone, err := m.Newsletter.Location()
	if err != nil {
		zone = time.UTC
	}
	switch {
	case m.PausedAt(now) && m.PausedUntil.IsZero():
		return fmt.Sprintf("They are to get %s of %s, and have paused: nothing comes before \"broadsheet subscriber resume\".", what, slug)
	case m.PausedAt(now):
		return fmt.Sprintf("They are to get %s of %s, and have paused until %s.", what, slug, inZone(m.PausedUntil, zone))
	case m.Cadence == newsletter.Immediate:
		return fmt.Sprintf("They get %s of %s as it comes.", what, slug)
	case m.ByHand:
		return fmt.Sprintf("They get %s of %s; the next edition has no fixed time.", what, slug)
	}
	return fmt.Sprintf("They get %s of %s; the next edition is that of %s, if there is news by then.", what, slug, inZone(m.Next.At, zone))
}
