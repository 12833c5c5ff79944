package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func editionDraft(a *app) *cobra.Command {
	var o desk.DraftOptions
	var cadence, body, about string
	cmd := &cobra.Command{
		Use:   "draft NEWSLETTER",
		Short: "Make an edition that can be changed before it is sent",
		Long: `Asks the sources, takes what is owed to readers now, and records it as a draft. A draft
takes no slot and is sent to nobody: "edition edit" changes it, "edition refresh" takes in
what came later, "send --edition ID" shows it, asks and sends it.

--body is a note of yours before the first story, in Markdown: paragraphs, emphasis, links
and lists; "-" reads it from standard input. With --no-articles the edition is a plain
announcement: it needs --subject and --body, and goes to every reader of the cadence.

--from begins with the sheet of an edition that was cancelled, or has expired: its words,
stories, notes and sponsors, in their order.`,
		Example: `  broadsheet edition draft daily-news
  broadsheet edition draft daily-news --cadence weekly --subject "Ports special" --body note.md
  broadsheet edition draft daily-news --no-articles --subject "We are moving" --body note.md
  broadsheet edition draft daily-news --from 41`,
		Args: exactArgs("NEWSLETTER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			o.Build.Newsletter = args[0]
			for _, own := range []string{"cadence", "slot", "subject", "preheader", "about", "intro", "body", "no-articles"} {
				if o.From != 0 && cmd.Flags().Changed(own) {
					return usagef("--from takes the whole sheet of edition %d; leave out --%s, and change the draft with \"broadsheet edition edit\"", o.From, own)
				}
			}
			if cadence != "" {
				if o.Build.Cadence, err = newsletter.ParseCadence(cadence); err != nil {
					return err
				}
			}
			if o.Build.Words.About, err = newsletter.ParseAbout(about); err != nil {
				return err
			}
			if o.Note, err = a.readText("body", body); err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				draft, err := s.desk.CreateDraft(cmd.Context(), o)
				if err != nil {
					return err
				}
				return a.printDraft(cmd.Context(), s, draft)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&cadence, "cadence", "", "daily, weekly or immediate, where the newsletter has several")
	f.StringVar(&o.Build.Slot, "slot", "", "whose edition, where the cadence has several slots; all: an extra one for all of them")
	f.StringVar(&o.Build.Words.Subject, "subject", "", "subject in your own words; who does not get the first story gets the template's")
	f.StringVar(&o.Build.Words.Preheader, "preheader", "", "what mail programs show after the subject")
	f.StringVar(&about, "about", "", aboutHelp)
	f.StringVar(&o.Build.Words.Intro, "intro", "", "words before the first story, in Markdown")
	f.StringVar(&body, "body", "", "a file with a note in Markdown; - reads standard input")
	f.Int64Var(&o.From, "from", 0, "begin with the sheet of this edition")
	f.BoolVar(&o.Announcement, "no-articles", false, "an announcement to every reader of the cadence")
	return cmd
}

// aboutHelp says what --about is for.
const aboutHelp = "numbers of the articles that your subject and preheader speak of, 12,13 (default: the first); none: every reader gets them"

// maxTextFile is how long a file with words for an edition can be, in bytes.
const maxTextFile = 200_000

// readText returns what a file says, or standard input for "-"; no name is no text.
func (a *app) readText(flag, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	from := a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", newsletter.Invalidf(flag, "%s cannot be read: %v", name, err)
		}
		defer f.Close() // it is only read
		from = f
	}
	data, err := io.ReadAll(io.LimitReader(from, maxTextFile+1))
	switch {
	case err != nil:
		return "", newsletter.Invalidf(flag, "%s cannot be read: %v", name, err)
	case len(data) > maxTextFile:
		return "", newsletter.Invalidf(flag, "%s is longer than %d kB", name, maxTextFile/1000)
	case strings.TrimSpace(string(data)) == "":
		return "", newsletter.Invalidf(flag, "%s is empty", name)
	}
	text := strings.TrimPrefix(string(data), "\ufeff") // editors of Windows begin a file with it
	return strings.ReplaceAll(text, "\r\n", "\n"), nil
}

// printDraft says what a draft is, and what to do with it.
func (a *app) printDraft(ctx context.Context, s *services, d *desk.Draft) error {
	for _, w := range d.Warnings {
		a.warn("%s", w)
	}
	e, tally, err := s.desk.Edition(ctx, d.Edition.ID)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(struct {
			editionView
			Draft draftView `json:"draft"`
		}{viewEdition(e, tally), viewDraft(d)})
	}
	a.say("Edition %d of %s is a draft: %q, with %s, for %s.", e.ID, e.Newsletter, d.Edition.Subject,
		counted(d.Edition.Articles, "article", "articles"), counted(d.Survey.Readers, "reader", "readers"))
	a.say("\"broadsheet edition edit %d\" changes it, \"broadsheet send --edition %d --dry-run\" shows it, \"broadsheet send --edition %d\" sends it.", e.ID, e.ID, e.ID)
	return nil
}

// showSheet shows what staff decided about a draft.
func (a *app) showSheet(ctx context.Context, s *services, id int64) error {
	r, err := s.desk.Sheet(ctx, id)
	if err != nil {
		return err
	}
	a.printFields([][2]string{
		{"Changed", fmt.Sprintf("%s by %s (revision %d)", local(r.ChangedAt), r.ChangedBy, r.Revision)},
		{"Own subject", r.Sheet.Subject}, {"Preheader", r.Sheet.Preheader}, {"About", aboutWords(r.Sheet)}, {"Intro", cut(r.Sheet.Intro, 70)},
	})
	var rows [][]string
	for _, b := range r.Sheet.Blocks {
		switch b.Kind {
		case newsletter.SheetArticle:
			headline := b.Headline
			if headline == "" {
				headline = r.Items[b.Article].Headline
			}
			rows = append(rows, []string{b.Kind, fmt.Sprint(b.Article), cut(headline, 70)})
		default:
			rows = append(rows, []string{b.Kind, b.ID, cut(strings.TrimSpace(b.Sponsor+" "+b.Text), 70)})
		}
	}
	fmt.Fprintln(a.stdout)
	a.printTable([]string{"BLOCK", "ID", "TEXT"}, rows)
	return nil
}

// aboutWords says which readers get the sheet's own subject and preheader; empty: there is none, or
// nothing is said about it.
func aboutWords(s newsletter.Sheet) string {
	switch {
	case s.About == nil || s.Subject+s.Preheader == "":
		return ""
	case len(s.About) == 0:
		return "no story: everybody gets them"
	}
	return fmt.Sprintf("articles %v: who gets all of these", s.About)
}

func editionFreeze(a *app) *cobra.Command {
	var at string
	var extra, yes, force bool
	cmd := &cobra.Command{
		Use:   "freeze ID",
		Short: "Fix a draft, so that it is sent as it is now",
		Long: `Fixes everything of a draft and gives it its slot: that of its day, so that the schedule
sends no second one, or an extra one if that is taken or with --extra. Every reader who is
owed something gets a row in the ledger, and "broadsheet serve" sends it at once.

With --at it is sent later, by the newsletter's clocks, as it is now; what comes later is
for the next edition. "broadsheet edition cancel" stops it until then. What another edition
gives a reader meanwhile, this one does not give again.

It asks on a terminal and needs --yes without one.`,
		Example: `  broadsheet edition freeze 42
  broadsheet edition freeze 42 --at 07:00
  broadsheet edition freeze 42 --at 2026-11-25T07:00 --yes`,
		Args: exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionID(args[0])
			if err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				return a.freeze(cmd.Context(), s, id, freezing{at, extra, yes, force})
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&at, "at", "", "when it is sent: 07:00 of today, or 2026-11-25T07:00, by the newsletter's clocks")
	f.BoolVar(&extra, "extra", false, "leave the slot of the day to the schedule")
	f.BoolVarP(&yes, "yes", "y", false, "do not ask")
	f.BoolVar(&force, "force", false, "even if a gate fails; it is on record")
	return cmd
}

// freezing is what the flags of the command say.
type freezing struct {
	at                string
	extra, yes, force bool
}

func (a *app) freeze(ctx context.Context, s *services, id int64, f freezing) error {
	if err := s.refuseRestored(ctx); err != nil {
		return err
	}
	if err := s.refuseSending(ctx, s.press); err != nil {
		return err
	}
	e, _, err := s.desk.Edition(ctx, id)
	if err != nil {
		return err
	}
	o := desk.FreezeOptions{Extra: f.extra}
	if f.at != "" {
		if o.At, err = s.desk.SendTime(ctx, e.Newsletter, f.at); err != nil {
			return err
		}
	}
	draft, err := s.desk.OpenDraftFor(ctx, id, o)
	if err != nil {
		return err
	}
	for _, w := range draft.Warnings {
		a.warn("%s", w)
	}
	draft.Force = f.force
	when := atWords(draft)
	if when == "" {
		when = " at once"
	}
	question := fmt.Sprintf("Freeze edition %d of %s, %q, for %s? It is sent%s.", id, e.Newsletter, draft.Edition.Subject,
		counted(draft.Survey.Readers, "reader", "readers"), when)
	goOn, err := a.ask(ctx, f.yes, question, fmt.Sprintf("freeze edition %d", id))
	if err != nil {
		return err
	}
	if !goOn {
		a.say("Nothing was changed.")
		return nil
	}
	if e, err = s.desk.Start(ctx, draft, nil); err != nil {
		return err
	}
	if e.Waits(a.now()) {
		return a.sayWaits(ctx, s, e)
	}
	if err := a.printMoved(ctx, s, id); err != nil {
		return err
	}
	a.sayWhoSends(ctx, s, id)
	return nil
}
