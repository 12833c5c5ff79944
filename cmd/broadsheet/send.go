package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/desk"
	"broadsheet/internal/digest"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

// sending is one run of the send command.
type sending struct {
	*app
	edition    int64
	cadence    string
	slot       string
	dryRun     bool
	test       string
	as         string // whose copy the test is
	yes        bool
	extra      bool
	force      bool
	checkLinks bool
	subject    string
	preheader  string
	about      string
	intro      string
	onDoubt    string
	onDoubtSet bool
	warmUp     string
	at         string
	canary     string
	hold       time.Duration
	first      *newsletter.Canary // as canary and hold say; nil: as the newsletter has it
	waitSet    bool
	wait       time.Duration
}

func newSendCommand(a *app) *cobra.Command {
	s := &sending{app: a}
	cmd := &cobra.Command{
		Use:     "send NEWSLETTER | send --edition ID",
		GroupID: groupWork,
		Short:   "Send what is new to each reader",
		Long: `Goes on with an edition of the newsletter that is not finished. If there is none, it
asks the sources, builds what is owed to each reader now, shows it, asks, sends it, and
prints the ledger: what became of every single message.

With the number of a draft ("broadsheet edition draft") it shows that, asks, freezes it and
sends it. With --at the edition is frozen now and sent later, by the newsletter's clocks:
"broadsheet serve" does it then. It has the slot of that day.

An edition takes the slot of its day, so that the schedule does not send another one; if
that slot is taken already, or with --extra, it is an extra edition. No reader ever gets
the same article twice.

With --canary a stable sample of the readers gets it first, with BROADSHEET_STAFF_EMAIL if
that address reads the newsletter; the rest waits --hold, and goes on unless too many of
the sample were refused, bounced or complained, or somebody says "broadsheet edition pause".

It can be stopped at any time, by Ctrl-C or worse: the same command goes on. With an
edition that is paused it goes on only if somebody says so: at the terminal, by --edition,
or by "broadsheet edition resume". While
"broadsheet serve" runs on the same database, serve does the sending and this command
watches. It returns when nothing is due within --wait.

Without a terminal it needs --yes. Exit codes: 0 done (refused rows are reported, not an
error), 1 failed, 2 wrong usage, 3 refused by a rule (nothing_new: no reader is owed
anything), 4 unfinished.`,
		Example: `  broadsheet send daily-news
  broadsheet send daily-news --dry-run
  broadsheet send daily-news --test me@example.org
  broadsheet send --edition 42 --test me@example.org --as vera@example.org
  broadsheet send daily-news --subject "Ports special" --intro "All you need for the week." --yes
  broadsheet send daily-news --warm-up "500/day x1.5"
  broadsheet send daily-news --canary 1% --hold 10m
  broadsheet send --edition 42
  broadsheet send --edition 42 --at 07:00`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			slug := ""
			if len(args) > 0 {
				slug = args[0]
			}
			s.onDoubtSet, s.waitSet = cmd.Flags().Changed("on-doubt"), cmd.Flags().Changed("wait")
			var err error
			if s.first, err = s.readCanary(cmd.Flags().Changed("canary"), cmd.Flags().Changed("hold")); err != nil {
				return err
			}
			return s.run(cmd.Context(), slug)
		},
	}
	f := cmd.Flags()
	f.Int64Var(&s.edition, "edition", 0, "send, or go on with, exactly this edition")
	f.StringVar(&s.cadence, "cadence", "", "daily, weekly or immediate, where the newsletter has several")
	f.StringVar(&s.slot, "slot", "", "whose edition, where the cadence has several slots; all: an extra edition for all of them")
	f.BoolVar(&s.dryRun, "dry-run", false, "show everything and send nothing")
	f.StringVar(&s.test, "test", "", "send one copy to this address and nothing else")
	f.StringVar(&s.as, "as", "", "with --test: the copy that the reader with this address gets")
	f.BoolVarP(&s.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&s.extra, "extra", false, "leave the slot of the day to the schedule")
	f.BoolVar(&s.force, "force", false, "send it although a gate fails; what and by whom is recorded")
	f.BoolVar(&s.checkLinks, "check-links", false, "ask each address that the mail links to once, and warn of those that fail")
	f.StringVar(&s.subject, "subject", "", "subject in your own words; who does not get the first story gets the template's")
	f.StringVar(&s.preheader, "preheader", "", "what mail programs show after the subject; who does not get the first story gets the template's")
	f.StringVar(&s.about, "about", "", aboutHelp)
	f.StringVar(&s.intro, "intro", "", "words before the first story, in Markdown: paragraphs, emphasis, links and lists")
	f.StringVar(&s.onDoubt, "on-doubt", string(newsletter.DoubtResend), "what to do when nobody can know whether a message arrived: resend or hold")
	f.StringVar(&s.at, "at", "", "send it later: 07:00 of today, or 2026-11-25T07:00, by the newsletter's clocks")
	f.StringVar(&s.warmUp, "warm-up", "", "for a new relay or domain: so many on the first day and more on each that follows, \"500/day x1.5\"")
	f.StringVar(&s.canary, "canary", "", "first to this share of the readers, such as 1%, and to the rest if nothing is wrong; none: all at once")
	f.DurationVar(&s.hold, "hold", newsletter.DefaultCanaryHold, "with --canary: how long the rest waits")
	f.DurationVar(&s.wait, "wait", 2*time.Minute, "how long to wait for the next try")
	return cmd
}

func (s *sending) run(ctx context.Context, slug string) error {
	switch {
	case slug == "" && s.edition == 0:
		return usagef("say which newsletter: broadsheet send NEWSLETTER")
	case slug != "" && s.edition != 0:
		return usagef("give a newsletter or --edition, not both")
	case s.dryRun && s.test != "":
		return usagef("give --dry-run or --test, not both")
	case s.as != "" && s.test == "":
		return usagef("--as says whose copy --test sends; \"broadsheet preview --as %s\" shows it", s.as)
	case s.slot != "" && s.edition != 0:
		return usagef("edition %d is of one slot already; leave --slot out", s.edition)
	case s.wait < 0:
		return newsletter.Invalidf("wait", "cannot be less than 0")
	}
	if s.test != "" {
		if _, _, err := mail.ParseAddress(s.test); err != nil {
			return newsletter.Invalidf("test", "%s", fieldMessage(err))
		}
	}
	doubt, err := newsletter.ParseOnDoubt(s.onDoubt)
	if err != nil {
		return err
	}
	warmUp, err := newsletter.ParseWarmUp(s.warmUp)
	if err != nil {
		return err
	}
	about, err := newsletter.ParseAbout(s.about)
	if err != nil {
		return err
	}
	var cadence newsletter.Cadence
	if s.cadence != "" {
		if cadence, err = newsletter.ParseCadence(s.cadence); err != nil {
			return err
		}
	}
	sends := !s.dryRun && s.test == ""
	if sends && !s.yes && !s.interactive() {
		return usagef("nobody is here to ask whether to send; say --yes, or look first with --dry-run")
	}
	return s.with(ctx, store.ExistingOnly, func(sv *services) error {
		p, err := sv.openPress()
		if err != nil {
			return err
		}
		if !s.dryRun {
			if err := sv.refuseRestored(ctx); err != nil {
				return err
			}
		}
		if sends {
			if err := sv.refuseSending(ctx, p); err != nil {
				return err
			}
			if s.edition == 0 { // a build is refused anyway, but after it was shown
				if err := sv.refuseUnnamed(ctx, slug); err != nil {
					return err
				}
			}
		}
		if s.edition != 0 {
			e, _, err := sv.desk.Edition(ctx, s.edition)
			if err == nil && sends {
				err = sv.refuseUnnamed(ctx, e.Newsletter)
			}
			if err != nil {
				return err
			}
			return s.sendEdition(ctx, sv, p, e)
		}
		e, ok, err := sv.desk.Unfinished(ctx, slug, cadence, s.slot)
		switch {
		case err != nil:
			return err
		case ok && sends && s.at != "":
			return newsletter.Refusef("unfinished", "edition %d of %s is not finished; go on with it first (\"broadsheet send %s\"), or end it (\"broadsheet edition cancel %d\")", e.ID, e.Newsletter, e.Newsletter, e.ID)
		case ok && sends:
			return s.goOnUnlessPaused(ctx, sv, e)
		case ok && s.dryRun:
			if err := s.warnUnfinished(ctx, sv, e); err != nil {
				return err
			}
		}
		at, err := s.sendTime(ctx, sv, slug)
		if err != nil {
			return err
		}
		o := desk.BuildOptions{
			At: at, Canary: s.first,
			Newsletter: slug, Cadence: cadence, Slot: s.slot, Extra: s.extra, OnDoubt: doubt, WarmUp: warmUp, Sample: s.test != "",
			Words: digest.Words{Subject: s.subject, Preheader: s.preheader, Intro: s.intro, About: about},
		}
		if s.as != "" {
			return s.testCopy(ctx, sv, p, desk.PreviewOptions{Build: o})
		}
		return s.sendNew(ctx, sv, p, o)
	})
}

// goOnUnlessPaused goes on with an edition, but with one that is paused only if whoever is at
// the terminal says so: who paused it had a reason, and --yes was not said of that.
func (s *sending) goOnUnlessPaused(ctx context.Context, sv *services, e newsletter.Edition) error {
	if e.State == newsletter.EditionPaused {
		if s.yes || !s.interactive() {
			return newsletter.Refusef("paused", `edition %d of %s is paused: %s; "broadsheet edition resume %d" or "broadsheet send --edition %d" goes on with it, "broadsheet edition cancel %d" ends it`,
				e.ID, e.Newsletter, e.Reason, e.ID, e.ID, e.ID)
		}
		s.say("Edition %d of %s (%s, %s) is paused: %s", e.ID, e.Newsletter, e.Name(), e.Date, e.Reason)
		goOn, err := s.confirm(ctx, "Go on with it?")
		if err == nil && !goOn {
			s.say("Nothing was sent.")
		}
		if !goOn || err != nil {
			return err
		}
	}
	s.say("Going on with edition %d of %s (%s, %s).", e.ID, e.Newsletter, e.Name(), e.Date)
	return s.goOn(ctx, sv, e)
}

// warnUnfinished says that an edition comes before what a dry run shows.
func (s *sending) warnUnfinished(ctx context.Context, sv *services, e newsletter.Edition) error {
	e, tally, err := sv.desk.Edition(ctx, e.ID)
	if err != nil {
		return err
	}
	how := "is not finished"
	if e.State == newsletter.EditionPaused {
		how = "is paused: " + e.Reason
	}
	s.warn(`edition %d %s; %s for it, and what it holds for them is theirs already. "broadsheet send %s" goes on with that one first`,
		e.ID, how, counted(tally.WaitingCount(), "reader waits", "readers wait"), e.Newsletter)
	return nil
}

// goOn carries on with an edition that has begun, and warns of what cannot be changed any more.
func (s *sending) goOn(ctx context.Context, sv *services, e newsletter.Edition) error {
	s.warnFrozen(e)
	return s.carry(ctx, sv, e.ID)
}

// warnFrozen warns of flags that do not change an edition that is frozen.
func (s *sending) warnFrozen(e newsletter.Edition) {
	if s.subject+s.preheader+s.intro+s.about != "" {
		s.warn("edition %d is frozen, so --subject, --preheader, --about and --intro do not change it", e.ID)
	}
	if s.warmUp != "" && s.warmUp != e.WarmUp.String() {
		s.warn("edition %d has begun, so --warm-up does not change it", e.ID)
	}
	if s.first != nil {
		s.warn("edition %d is frozen, so --canary does not change it", e.ID)
	}
	if s.onDoubtSet && s.onDoubt != string(e.OnDoubt) {
		s.warn("edition %d has begun with --on-doubt %s, which does not change", e.ID, e.OnDoubt)
	}
}

// sendNew builds an edition, shows it, asks, and sends it, as far as the flags say.
func (s *sending) sendNew(ctx context.Context, sv *services, p *press, o desk.BuildOptions) error {
	if err := s.warnApprovals(ctx, sv, o.Newsletter); err != nil {
		return err
	}
	s.note("Asking the sources …")
	draft, err := sv.desk.Build(ctx, o)
	if s.dryRun && newsletter.ReasonOf(err) == newsletter.SkippedNothingNew {
		if draft.Survey.Planned() > 0 {
			return s.showNothing(draft, err)
		}
		o.Sample = true // without readers, show what one would get
		draft, err = sv.desk.Build(ctx, o)
	}
	if newsletter.ReasonOf(err) == newsletter.SkippedNothingNew && !s.dryRun {
		return newsletter.Refusef(newsletter.SkippedNothingNew, "%s; --dry-run shows each article", err)
	}
	if err != nil {
		return err
	}
	return s.sendBuilt(ctx, sv, p, draft)
}

// sendBuilt shows an edition that is built, asks, and sends it, as far as the flags say.
func (s *sending) sendBuilt(ctx context.Context, sv *services, p *press, draft *desk.Draft) error {
	for _, w := range draft.Warnings {
		s.warn("%s", w)
	}
	if s.test != "" {
		if err := sv.desk.SendTest(ctx, draft, s.test); err != nil {
			return err
		}
		return s.sayTested(p, draft.Newsletter.Slug, draft.Edition.ID, draft.Sample.Subject)
	}
	seen, err := s.outlook(ctx, sv, draft)
	if err != nil {
		return err
	}
	if s.dryRun && s.json {
		return s.printJSON(seen.view(draft))
	}
	if !s.json && !s.quiet {
		s.showDraft(draft, p, sv, s.dryRun)
		s.showOutlook(seen)
		s.showCanary(draft)
	}
	if fails := newsletter.Fails(seen.findings); len(fails) > 0 && !s.force && !s.dryRun {
		return newsletter.GateRefusal(fails)
	}
	if s.dryRun {
		if err := sv.desk.NotePreview(ctx, draft); err != nil {
			s.warn("the next preview cannot say what is different from this one: %v", err)
		}
		if draft.Survey.Readers == 0 {
			s.say("\nNobody would get it: there are no readers yet. They sign up at %s/n/%s,\nor: broadsheet subscriber import FILE.csv --newsletter %s --consent …",
				sv.settings.BaseURL, draft.Newsletter.Slug, draft.Newsletter.Slug)
		}
		return nil
	}
	if !s.yes {
		yes, err := s.confirm(ctx, fmt.Sprintf("Send to %s%s?", counted(draft.Survey.Readers, "reader", "readers"), atWords(draft)))
		if err != nil {
			return err
		}
		if !yes {
			s.say("Nothing was sent.")
			return nil
		}
	}
	draft.Force = s.force
	draw, drawn := s.progress("planning")
	e, err := sv.desk.Start(ctx, draft, func(rows int) {
		if draw != nil {
			draw(rows, draft.Survey.Planned())
		}
	})
	drawn()
	if err != nil && ctx.Err() != nil {
		return unfinishedf("stopped before anything was sent; the same command goes on")
	}
	if err != nil {
		return err
	}
	if e.Waits(s.now()) {
		return s.sayWaits(ctx, sv, e)
	}
	return s.carry(ctx, sv, e.ID)
}

// showNothing says for each article why it is not sent, and returns the refusal.
func (s *sending) showNothing(d *desk.Draft, refusal error) error {
	if !s.json {
		s.showLeft(d)
		return refusal
	}
	s.answered = true
	return errors.Join(refusal, s.printJSON(struct {
		Error    string             `json:"error"`
		Reason   string             `json:"reason"`
		Withheld map[string]int     `json:"withheld"`
		Articles []draftArticleView `json:"articles"`
	}{refusal.Error(), newsletter.ReasonOf(refusal), d.Survey.Withheld, viewArticles(d)}))
}

// carry carries an edition out, shows how it goes, and prints the ledger however it ends.
func (s *sending) carry(ctx context.Context, sv *services, id int64) error {
	show := s.newProgress(s.stderr)
	wait, err := s.waitFor(ctx, sv, id)
	if err == nil {
		err = sv.desk.Carry(ctx, id, wait, show.tell)
	}
	show.end()
	if kind := newsletter.KindOf(err); kind == newsletter.NotFound || kind == newsletter.Forbidden {
		return err
	}
	// The ledger is printed even if the command was interrupted.
	printErr := s.printLedger(context.WithoutCancel(ctx), sv, id)
	if printErr != nil {
		return errors.Join(err, printErr)
	}
	return s.explain(ctx, sv, id, err)
}

// explain says how it goes on with an edition that is not finished.
func (s *sending) explain(ctx context.Context, sv *services, id int64, err error) error {
	again := fmt.Sprintf("the same command, or broadsheet send --edition %d, goes on with it", id)
	if service, asked := sv.store.ServiceRuns(context.WithoutCancel(ctx)); asked == nil && service {
		again = "broadsheet serve goes on with it"
	}
	if unfinished, ok := errors.AsType[*delivery.UnfinishedError](err); ok {
		if unfinished.Relay != nil {
			again += fmt.Sprintf("; %sSMTP_URL says which relay is used", settingPrefix)
		}
		return unfinishedf("%w; %s", unfinished, again)
	}
	if err != nil && ctx.Err() != nil {
		return unfinishedf("stopped; %s", again)
	}
	return err
}
