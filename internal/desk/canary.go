package desk

import (
	"context"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// CanaryStore reads the canaries of editions.
type CanaryStore interface {
	Canary(ctx context.Context, editionID int64) (newsletter.CanaryRun, bool, error)
	CanaryTally(ctx context.Context, editionID int64) (newsletter.CanaryTally, error)
}

// CanaryStatus is how far an edition's canary is.
type CanaryStatus struct {
	newsletter.CanaryRun
	Tally newsletter.CanaryTally
	Gone  bool // the rows are no longer kept, so nobody can count them
}

// Canary returns how far the edition's canary is; ok is false if it has none.
func (d *Desk) Canary(ctx context.Context, editionID int64) (s CanaryStatus, ok bool, err error) {
	e, err := d.o.Press.Store.Edition(ctx, editionID)
	if err != nil {
		return s, false, err
	}
	s.CanaryRun, ok, err = d.o.Press.Store.Canary(ctx, editionID)
	if err != nil || !ok {
		return s, ok, err
	}
	s.Gone = !e.PrunedAt.IsZero()
	s.Tally, err = d.o.Press.Store.CanaryTally(ctx, editionID)
	return s, true, err
}

// giveCanary notes which canary the draft has: what staff asked for, or the newsletter's. What
// comes immediately does not wait unless they ask.
func (draft *Draft) giveCanary(asked *newsletter.Canary, c newsletter.Cadence) {
	switch {
	case asked != nil:
		draft.Canary, draft.canaryAsked = *asked, true
	case c != newsletter.Immediate:
		draft.Canary = draft.Newsletter.Canary
	}
}

// sampleFor returns who is in the draft's canary, nil if it has none.
func (d *Desk) sampleFor(ctx context.Context, draft *Draft) (func(int64) bool, error) {
	if draft.Canary.Share == 0 {
		return nil, nil //nolint:nilnil // nobody
	}
	var staff []int64
	if d.o.Press.Staff != nil {
		var err error
		if staff, err = d.o.Press.Staff(ctx); err != nil {
			return nil, err
		}
	}
	return d.o.Press.Keys.CanarySample(draft.Canary.Share, staff...).Has, nil
}

// checkCanary refuses a canary that staff asked for and in which nobody is.
func (draft *Draft) checkCanary() error {
	if !draft.canaryAsked || draft.Canary.Share == 0 || draft.Survey.Canary > 0 || draft.Survey.Readers == 0 {
		return nil
	}
	return newsletter.Refusef("canary_empty", "%s of the %d readers who get it is nobody; choose a larger canary, or none", draft.Canary.Word(), draft.Survey.Readers)
}

// applyCanary changes the canary that editions have, notes in c what cannot be, and returns which
// fields changed.
func (e NewsletterEdit) applyCanary(n *newsletter.Newsletter, c *checks) []string {
	var changed []string
	if n.Canary.Hold == 0 {
		n.Canary.Hold = newsletter.DefaultCanaryHold
	}
	if e.Canary != nil {
		share, err := newsletter.ParseCanary(*e.Canary)
		c.take("canary", err)
		if err == nil && share != n.Canary.Share {
			n.Canary.Share = share
			changed = append(changed, "canary")
		}
	}
	if e.CanaryHold != nil {
		hold, err := time.ParseDuration(strings.TrimSpace(*e.CanaryHold))
		if err != nil {
			c.wrong("canary_hold", "%q is not a time; write it as 10m", *e.CanaryHold)
			return changed
		}
		c.take("canary_hold", newsletter.CheckCanaryHold(hold))
		if hold != n.Canary.Hold {
			n.Canary.Hold = hold
			changed = append(changed, "canary_hold")
		}
	}
	return changed
}
