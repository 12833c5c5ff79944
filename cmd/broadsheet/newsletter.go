package main

import (
	"context"
	"fmt"
	"strings"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

func newNewsletterCommand(a *app) *cobra.Command {
	return newGroup("newsletter", "Make, show and change newsletters",
		`A newsletter is a titled publication that readers subscribe to. It has a slug, which is
part of addresses and stays for ever, and a sender, a postal address, a language, a time
zone, and cadences: daily, weekly, immediate. The first two have one slot or several, such as
one in the morning and one in the evening; readers choose one of them.`, groupThings,
		newsletterCreate(a), newsletterList(a), newsletterShow(a), newsletterEdit(a), newsletterSkip(a),
		newsletterStatus(a, "pause", "Stop the schedule until it is resumed",
			`Stops the schedule of a newsletter. Readers can still sign up and leave. An edition
that is under way, or frozen for a later time, is finished. What comes in meanwhile is in
the next edition after "resume", as far as it is not older than 30 days.`, (*desk.Desk).PauseNewsletter),
		newsletterStatus(a, "resume", "Let a paused or closed newsletter go on",
			`Lets a newsletter go on that was paused or closed. Slots that passed meanwhile are not
made up: the next one is the first that is due from now on.`, (*desk.Desk).ResumeNewsletter),
		newsletterStatus(a, "close", "End a newsletter",
			`Ends a newsletter: nobody can sign up any more and no edition is made. An edition that
is under way, or frozen for a later time, is finished. Readers, consents and past editions
stay. "resume" opens it again.`, (*desk.Desk).CloseNewsletter),
	)
}

// newsletterFlags adds the flags for what a newsletter has.
func newsletterFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("name", "", "title, as readers see it")
	f.String("description", "", "one sentence for the sign-up page")
	f.String("from", "", "sender: \"Example News <news@example.org>\"")
	f.String("reply-to", "", "where replies go, if not to the sender")
	f.String("postal-address", "", "the publisher's postal address, in the foot of every issue")
	f.String("language", "", "language tag, such as en or de-AT (default en)")
	f.String("zone", "", "time zone of the schedule, such as Europe/London (default UTC)")
	f.StringArray("daily", nil, "when the daily edition is due: \"mon-fri 07:00\"; empty: it is sent by hand; with a name, one more slot that readers can choose: \"evening=mon-fri 18:00\"")
	f.StringArray("weekly", nil, "when the weekly edition is due: \"fri 08:00\"; as --daily")
	f.Int("min-articles", newsletter.DefaultMinArticles, "a reader who is owed fewer waits for more")
	f.Int("max-articles", newsletter.DefaultMaxArticles, "more are left for the next edition")
	f.Int("related", 0, "so many older stories that nobody got stand under an article, as links: 0, 1 or 2 (default 0)")
	f.String("repeats", "", "what a reader had by another cadence or newsletter: never, as-headlines (\"Earlier this week\") or always (default never)")
	f.String("link-params", "", "is added to links to articles: \"utm_source=newsletter\"")
	f.StringArray("origin", nil, "a site whose pages may have the sign-up form as element or frame: https://www.example.org; can be repeated, and replaces those there are; empty: none")
	f.Bool("welcome", false, "who has confirmed gets a mail at once that says when the first edition comes, with the headlines of the latest one")
	f.String("privacy-url", "", "address of the privacy policy")
	f.String("legal-footer", "", "text for the foot of every issue")
	lookFlags(cmd)
	approvalFlags(cmd)
	canaryFlags(cmd)
	archiveFlags(cmd)
	immediateFlags(cmd)
}

func editOf(cmd *cobra.Command) desk.NewsletterEdit {
	return desk.NewsletterEdit{
		Name: changedString(cmd, "name"), Description: changedString(cmd, "description"),
		From: changedString(cmd, "from"), ReplyTo: changedString(cmd, "reply-to"),
		PostalAddress: changedString(cmd, "postal-address"), Language: changedString(cmd, "language"),
		Zone: changedString(cmd, "zone"), PrivacyURL: changedString(cmd, "privacy-url"),
		LegalFooter: changedString(cmd, "legal-footer"), LinkParams: changedString(cmd, "link-params"),
		MinArticles: changedInt(cmd, "min-articles"), MaxArticles: changedInt(cmd, "max-articles"), Repeats: changedString(cmd, "repeats"), Related: changedInt(cmd, "related"),
		Immediate: cmd.Flags().Lookup("immediate").Value.String() == "true", ImmediateQuiet: changedString(cmd, "quiet-time"),
		ImmediateHours: changedString(cmd, "immediate-hours"), ImmediateLabels: changedSlice(cmd, "immediate-labels"),
		ImmediateSections: changedSlice(cmd, "immediate-sections"),
		Slots:             append(slotsOf(cmd, newsletter.Daily), slotsOf(cmd, newsletter.Weekly)...),
		SiteURL:           changedString(cmd, "site-url"), Design: changedString(cmd, "design"), BrandColour: changedString(cmd, "brand-colour"),
		LogoURL: changedString(cmd, "logo-url"), Typeface: changedString(cmd, "typeface"),
		Approval: changedString(cmd, "approval"), ApprovalLead: changedString(cmd, "approval-lead"), ApprovalDeadline: changedString(cmd, "approval-deadline"),
		Canary: changedString(cmd, "canary"), CanaryHold: changedString(cmd, "canary-hold"),
		Origins: changedSlice(cmd, "origin"), Welcome: changedBool(cmd, "welcome"),
		Archive: changedString(cmd, "archive"), ArchiveCanonical: changedString(cmd, "archive-canonical"),
	}
}

// slotsOf returns the slots of a cadence that are given.
func slotsOf(cmd *cobra.Command, c newsletter.Cadence) []desk.SlotEdit {
	given := changedSlice(cmd, string(c))
	if given == nil {
		return nil
	}
	var list []desk.SlotEdit
	for _, text := range *given {
		list = append(list, desk.ParseSlotEdit(c, text))
	}
	return list
}

func newsletterCreate(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create SLUG --name … --from … --postal-address …",
		Short: "Make a newsletter",
		Long: `Makes a newsletter, and the database if there is none. Everything that is wrong is told
at once, and nothing is made then.

Without --daily and --weekly it has a daily edition that is sent by hand. A rule counts
from now on: a due time of today that has passed is not made up.`,
		Example: `  broadsheet newsletter create daily-news --name "Daily News" \
    --from "Example News <news@example.org>" --postal-address "1 High Street, London" \
    --zone Europe/London --daily "mon-fri 07:00" --weekly "fri 08:00"`,
		Args: exactArgs("SLUG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			// What is wrong is said before a database is made for nothing.
			check := desk.New(nil, nil, desk.Options{Now: a.now})
			if err := check.CheckNewNewsletter(args[0], editOf(cmd)); err != nil {
				return err
			}
			return a.with(cmd.Context(), store.CreateIfMissing, func(s *services) error {
				n, err := s.desk.NewNewsletter(cmd.Context(), args[0], editOf(cmd))
				if err != nil {
					return err
				}
				a.warnApproval(s, n)
				next, err := s.desk.NextSlots(cmd.Context(), n)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(viewNewsletter(n, next))
				}
				a.say("Made the newsletter %s. %s", n.Slug, nextSlots(n, next))
				a.say("Give it articles: broadsheet source add FEED-URL --newsletter %s", n.Slug)
				return nil
			})
		},
	}
	newsletterFlags(cmd)
	return cmd
}

func newsletterEdit(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "edit SLUG",
		Short: "Change a newsletter",
		Long: `Changes what is given and nothing else; an empty value removes what can be left out.
Everything that is wrong is told at once, and nothing is changed then.

A rule or a zone that changes counts from now on. An edition that is frozen keeps what
it was frozen with. A cadence can be dropped when no reader has it; with an empty rule
it stays and is only sent by hand.

A cadence has a main slot, and others that are named: "evening=mon-fri 18:00" adds or changes
the slot evening. Readers have the main slot unless they choose another one. A slot can be
dropped (--drop daily/evening): its readers have the main one then. Where there are readers
it asks, and needs --yes without a terminal.

With --immediate readers can choose to get each story as it comes. Those that come within
--quiet-time are one edition. With --immediate-labels or --immediate-sections only such stories go
out like this; the others their readers do not get, unless they choose another cadence.`,
		Example: `  broadsheet newsletter edit daily-news --daily "mon-sat 06:30" --max-articles 8
  broadsheet newsletter edit daily-news --weekly "fri 08:00"
  broadsheet newsletter edit daily-news --daily "evening=mon-fri 18:00"
  broadsheet newsletter edit daily-news --drop daily/evening
  broadsheet newsletter edit daily-news --immediate --quiet-time 15m --immediate-labels Exclusive
  broadsheet newsletter edit daily-news --drop weekly
  broadsheet newsletter edit daily-news --approval manual --approval-lead 90m
  broadsheet newsletter edit daily-news --archive noindex
  broadsheet newsletter edit daily-news --design pictures --brand-colour "#0b5a9c" --typeface sans`,
		Args: exactArgs("SLUG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			edit := editOf(cmd)
			drop, err := cmd.Flags().GetStringSlice("drop")
			if err != nil {
				return err
			}
			if edit.Drop = drop; cmd.Flags().NFlag() == 0 {
				return usagef("say what to change, for example --name")
			}
			yes, err := cmd.Flags().GetBool("yes")
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
				moved, goOn, err := a.askDrop(cmd.Context(), s, args[0], drop, yes)
				if err != nil || !goOn {
					return err
				}
				before, err := s.desk.Newsletter(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				n, err := s.desk.EditNewsletter(cmd.Context(), args[0], edit)
				if err != nil {
					return err
				}
				a.warnApproval(s, n)
				if err := a.warnLeftOut(cmd.Context(), s, before, n); err != nil {
					return err
				}
				next, err := s.desk.NextSlots(cmd.Context(), n)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(viewNewsletter(n, next))
				}
				a.say("%s is changed. %s", n.Slug, nextSlots(n, next))
				if moved > 0 {
					a.say("%s the main slot now.", counted(moved, "reader has", "readers have"))
				}
				return nil
			})
		},
	}
	newsletterFlags(cmd)
	cmd.Flags().StringSlice("drop", nil, "a cadence not to offer any more, daily, weekly or immediate, or a slot: daily/evening")
	cmd.Flags().BoolP("yes", "y", false, "do not ask")
	return cmd
}

func newsletterList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Show all newsletters",
		Long:    `Shows all newsletters in order of their slugs, with the next time that each is due.`,
		Example: `  broadsheet newsletter list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
				all, err := s.desk.Newsletters(cmd.Context())
				if err != nil {
					return err
				}
				views, rows := []newsletterView{}, [][]string{}
				for _, n := range all {
					next, err := s.desk.NextSlots(cmd.Context(), n)
					if err != nil {
						return err
					}
					views = append(views, viewNewsletter(n, next))
					rows = append(rows, []string{n.Slug, n.Name, string(n.Status), rulesOf(n), nextDue(n, next)})
				}
				if a.json {
					return a.printJSON(views)
				}
				if len(all) == 0 {
					a.say("There is no newsletter yet. Make one: broadsheet newsletter create SLUG …")
					return nil
				}
				a.printTable([]string{"NEWSLETTER", "NAME", "STATUS", "DUE", "NEXT"}, rows)
				return nil
			})
		},
	}
}

func newsletterShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "show SLUG",
		Short:   "Show all of a newsletter",
		Long:    `Shows a newsletter with its schedule, readers by state, sections and sources.`,
		Example: `  broadsheet newsletter show daily-news`,
		Args:    exactArgs("SLUG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
				return a.showNewsletter(cmd.Context(), s, args[0])
			})
		},
	}
}

func (a *app) showNewsletter(ctx context.Context, s *services, slug string) error {
	n, err := s.desk.Newsletter(ctx, slug)
	if err != nil {
		return err
	}
	readers, err := s.desk.Readers(ctx, n.ID)
	if err != nil {
		return err
	}
	sections, err := s.desk.Sections(ctx, slug)
	if err != nil {
		return err
	}
	sources, err := s.desk.Sources(ctx, slug)
	if err != nil {
		return err
	}
	next, err := s.desk.NextSlots(ctx, n)
	if err != nil {
		return err
	}
	v := newsletterDetail{newsletterView: viewNewsletter(n, next), Readers: map[string]int{}, Immediate: viewImmediate(n, sections), Sections: viewSections(sections), Sources: viewSources(sources)}
	for _, state := range []newsletter.SubscriptionState{newsletter.Pending, newsletter.Active, newsletter.PausedSub, newsletter.Left} {
		v.Readers[string(state)] = readers[state]
	}
	if a.json {
		return a.printJSON(v)
	}
	fields := [][2]string{
		{"newsletter", n.Slug}, {"name", n.Name}, {"description", n.Description}, {"status", string(n.Status)},
		{"from", n.From.String()}, {"reply to", v.ReplyTo}, {"postal address", n.PostalAddress},
		{"language", n.Language}, {"zone", n.Zone}, {"due", rulesOf(n)}, {"next", nextDue(n, next)},
		{"articles", fmt.Sprintf("%d to %d", n.MinArticles, n.MaxArticles)}, {"repeats", string(n.Repeats)}, {"related", fmt.Sprint(n.Related)}, {"link params", n.LinkParams}, {"welcome", welcomeOf(n)},
		{"immediate", immediateOf(n, sections)}, {"approval", approvalOf(n)}, {"canary", n.Canary.String()}, {"archive", archiveOf(n)}, {"privacy", n.PrivacyURL}, {"legal footer", n.LegalFooter}, {"look", lookOf(n)}, {"site", n.SiteURL},
		{"readers", fmt.Sprintf("%d active, %d paused, %d to confirm, %d left", readers[newsletter.Active], readers[newsletter.PausedSub], readers[newsletter.Pending], readers[newsletter.Left])},
		{"sign-up page", s.settings.BaseURL + "/n/" + n.Slug}, {"its form", s.settings.BaseURL + "/n/" + n.Slug + "/form"},
		{"on the sites", strings.Join(n.Origins, ", ")},
	}
	for i, sec := range sections {
		fields = append(fields, [2]string{first(i, "sections"), sec.Name + sectionMatches(sec)})
	}
	for i, src := range sources {
		fields = append(fields, [2]string{first(i, "sources"), fmt.Sprintf("%d  %s  %s", src.ID, src.Name, safeURL(src.URL))})
	}
	a.printFields(fields)
	return nil
}

// first returns the name for the first of several lines, and a blank for the others.
func first(i int, name string) string {
	if i == 0 {
		return name
	}
	return ""
}

func newsletterStatus(a *app, verb, short, long string, change func(*desk.Desk, context.Context, string) (newsletter.Newsletter, error)) *cobra.Command {
	return &cobra.Command{
		Use:     verb + " SLUG",
		Short:   short,
		Long:    long + "\n\nIt can be repeated.",
		Example: "  broadsheet newsletter " + verb + " daily-news",
		Args:    exactArgs("SLUG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withPress(cmd.Context(), func(s *services) error {
				n, err := change(s.desk, cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if n.Status != newsletter.Open {
					if err := a.warnWaiting(cmd.Context(), s, n.Slug); err != nil {
						return err
					}
				}
				next, err := s.desk.NextSlots(cmd.Context(), n)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(viewNewsletter(n, next))
				}
				a.say("%s", strings.TrimSpace(fmt.Sprintf("%s is %s. %s", n.Slug, n.Status, nextSlots(n, next))))
				return nil
			})
		},
	}
}

// warnLeftOut names the editions that do not come since the newsletter was changed.
func (a *app) warnLeftOut(ctx context.Context, s *services, before, n newsletter.Newsletter) error {
	list, err := s.desk.LeftOut(ctx, before, n)
	for _, l := range list {
		a.warn("the %s edition of %s is left out, since its new time, %s, has passed; \"broadsheet send %s --cadence %s --slot %s\" makes it",
			l.Schedule.Name(), l.Due.Date, local(l.Due.At), n.Slug, l.Schedule.Cadence, l.Schedule.Slot)
	}
	return err
}

// warnWaiting names the editions that go out although their newsletter does not run any more.
func (a *app) warnWaiting(ctx context.Context, s *services, slug string) error {
	list, err := s.desk.Waiting(ctx, slug)
	for _, e := range list {
		a.warn("edition %d is frozen, and is sent at %s all the same; \"broadsheet edition cancel %d\" stops it", e.ID, local(e.SendAt), e.ID)
	}
	return err
}

// rulesOf returns when the newsletter is due, in a few words.
func rulesOf(n newsletter.Newsletter) string {
	var parts []string
	for _, s := range n.Schedules {
		parts = append(parts, s.Name()+" "+ruleOf(n, s))
	}
	return strings.Join(parts, ", ")
}

// nextSlots says when the newsletter is due next, in its own zone; nothing if it does not
// run.
func nextSlots(n newsletter.Newsletter, next []newsletter.Due) string {
	if n.Status != newsletter.Open {
		return ""
	}
	if due := nextDue(n, next); due != "" {
		return "Next: " + due + "."
	}
	if n.Offers(newsletter.Immediate) {
		return "Stories go out as they come."
	}
	return "Nothing is scheduled: send it by hand."
}

// nextDue returns when each cadence is due next; empty if nothing is scheduled.
func nextDue(n newsletter.Newsletter, next []newsletter.Due) string {
	zone, err := n.Location()
	if err != nil {
		return ""
	}
	var parts []string
	for i, s := range n.Schedules {
		if !next[i].At.IsZero() {
			parts = append(parts, s.Name()+" "+inZone(next[i].At, zone))
		}
	}
	return strings.Join(parts, ", ")
}
