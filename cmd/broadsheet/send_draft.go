package main

import (
	"context"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
)

// sendTime reads --at by the newsletter's clocks; zero: it was not given.
func (s *sending) sendTime(ctx context.Context, sv *services, slug string) (time.Time, error) {
	if s.at == "" {
		return time.Time{}, nil
	}
	return sv.desk.SendTime(ctx, slug, s.at)
}

// sendEdition sends a draft, or goes on with an edition that is frozen.
func (s *sending) sendEdition(ctx context.Context, sv *services, p *press, e newsletter.Edition) error {
	if e.State == newsletter.EditionDraft {
		return s.sendDraft(ctx, sv, p, e)
	}
	switch {
	case s.dryRun:
		return usagef("edition %d is %s: \"broadsheet edition show %d\" shows it; --dry-run is for drafts and for what is owed now", e.ID, e.State, e.ID)
	case s.test != "":
		s.warnFrozen(e)
		return s.testCopy(ctx, sv, p, desk.PreviewOptions{Edition: e.ID})
	case s.at != "":
		return usagef("edition %d is %s, so --at comes too late", e.ID, e.State)
	}
	return s.goOn(ctx, sv, e)
}

func (s *sending) sendDraft(ctx context.Context, sv *services, p *press, e newsletter.Edition) error {
	if s.subject+s.preheader+s.intro+s.about+s.warmUp != "" || s.onDoubtSet {
		return usagef("edition %d is a draft, which has its own; \"broadsheet edition edit %d\" changes its subject and intro", e.ID, e.ID)
	}
	if s.as != "" {
		return s.testCopy(ctx, sv, p, desk.PreviewOptions{Edition: e.ID})
	}
	at, err := s.sendTime(ctx, sv, e.Newsletter)
	if err != nil {
		return err
	}
	draft, err := sv.desk.OpenDraftFor(ctx, e.ID, desk.FreezeOptions{At: at, Extra: s.extra, Canary: s.first})
	if err != nil {
		return err
	}
	return s.sendBuilt(ctx, sv, p, draft)
}

// atWords says when a draft is sent, if that is not at once.
func atWords(d *desk.Draft) string {
	if d.Edition.SendAt.IsZero() {
		return ""
	}
	return " at " + local(d.Edition.SendAt)
}

// sayWaits says of an edition that waits when it goes out, and who sends it then.
func (a *app) sayWaits(ctx context.Context, s *services, e newsletter.Edition) error {
	if a.json {
		_, tally, err := s.desk.Edition(ctx, e.ID)
		if err != nil {
			return err
		}
		return a.printJSON(viewEdition(e, tally))
	}
	a.say("Edition %d of %s is frozen, and waits until %s. \"broadsheet edition cancel %d\" stops it.", e.ID, e.Newsletter, local(e.SendAt), e.ID)
	service, err := s.store.ServiceRuns(ctx)
	if err != nil {
		return err
	}
	if service {
		a.say("broadsheet serve sends it then.")
		return nil
	}
	a.say("Nobody sends it then unless \"broadsheet serve\" runs, or somebody says \"broadsheet send --edition %d\".", e.ID)
	return nil
}
