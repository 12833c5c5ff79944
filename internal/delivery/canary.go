package delivery

import (
	"context"
	"time"

	"broadsheet/internal/newsletter"
)

// CanaryLedger keeps how far the canaries of editions are.
type CanaryLedger interface {
	Canary(ctx context.Context, editionID int64) (c newsletter.CanaryRun, ok bool, err error)
	PickCanary(ctx context.Context, editionID int64, has func(subscriberID int64) bool, now time.Time) (size int, err error)
	CanaryDeliveries(ctx context.Context, editionID, after int64, now, latest time.Time, limit int) ([]newsletter.Delivery, error)
	CanaryTally(ctx context.Context, editionID int64) (newsletter.CanaryTally, error)
	CanarySent(ctx context.Context, editionID int64, now time.Time) (bool, error)
	EndCanary(ctx context.Context, editionID int64, stopped string, now time.Time) (bool, error)
}

// canary is what the sender knows of an edition's canary.
type canary struct {
	over  bool // it has none, or it is over: that does not change any more
	until time.Time
	after int64 // the subscriber that was reached
}

// canaryFirst reports whether only the edition's canary is to be sent now, and brings that a step
// further: its readers are picked, each is tried, and then the others wait until its time is over
// or something is wrong with it. What is on record says how far it is, so another process goes on
// from there.
func (e *Engine) canaryFirst(ctx context.Context, edition newsletter.Edition) (bool, error) {
	e.mu.Lock()
	known := e.canaries[edition.ID]
	e.mu.Unlock()
	if known.over {
		return false, nil
	}
	c, ok, err := e.Ledger.Canary(ctx, edition.ID)
	if err != nil {
		return false, err
	}
	first, err := e.canaryStep(ctx, edition, c, ok)
	if err != nil {
		return false, err
	}
	if c, ok, err = e.Ledger.Canary(ctx, edition.ID); err != nil {
		return false, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.canaries[edition.ID] = canary{over: !ok || !c.OverAt.IsZero(), until: c.Until(), after: known.after}
	return first, nil
}

// canaryPage returns the next deliveries of the edition's canary that are to be handed out, and
// whether there may be more.
func (e *Engine) canaryPage(ctx context.Context, edition int64, now time.Time, limit int) (list []newsletter.Delivery, more bool, err error) {
	e.mu.Lock()
	c := e.canaries[edition]
	e.mu.Unlock()
	list, err = e.Ledger.CanaryDeliveries(ctx, edition, c.after, now, now.Add(latestTry), limit)
	if err != nil {
		return nil, false, err
	}
	if more = len(list) == limit || c.after > 0; len(list) == limit {
		c.after = list[len(list)-1].SubscriberID
	} else {
		c.after = 0 // from the beginning: deferred ones may be due
	}
	e.mu.Lock()
	e.canaries[edition] = c
	e.mu.Unlock()
	return list, more, nil
}

func (e *Engine) canaryStep(ctx context.Context, edition newsletter.Edition, c newsletter.CanaryRun, ok bool) (first bool, err error) {
	now := e.Now()
	switch {
	case !ok || !c.OverAt.IsZero():
		return false, nil
	case c.PickedAt.IsZero():
		sample, err := e.canarySample(ctx, c.Share)
		if err != nil {
			return true, err
		}
		size, err := e.Ledger.PickCanary(ctx, edition.ID, sample.Has, now)
		if err != nil || size > 0 {
			return true, err
		}
		e.Logger.Warn("nobody of the canary gets the edition, so everybody gets it at once", "edition", edition.ID)
		_, err = e.Ledger.EndCanary(ctx, edition.ID, "", now)
		return false, err
	case c.SentAt.IsZero():
		if e.busyWith(edition.ID) {
			return true, nil
		}
		sent, err := e.Ledger.CanarySent(ctx, edition.ID, now)
		if !sent || err != nil {
			return true, err
		}
		c.SentAt = now
		e.Logger.Info("the canary is sent; the rest waits", "edition", edition.ID, "readers", c.Size, "until", c.Until())
	}
	return e.judgeCanary(ctx, edition, c)
}

// judgeCanary lets the rest wait, go on, or not: by what has become of the canary so far.
func (e *Engine) judgeCanary(ctx context.Context, edition newsletter.Edition, c newsletter.CanaryRun) (first bool, err error) {
	now := e.Now()
	tally, err := e.Ledger.CanaryTally(ctx, edition.ID)
	if err != nil {
		return true, err
	}
	over := !now.Before(c.Until())
	reason, stop := e.Brakes.JudgeCanary(tally, over)
	switch {
	case stop:
		done, err := e.Ledger.EndCanary(context.WithoutCancel(ctx), edition.ID, reason, now)
		if done && e.serves { // a command tells the error
			e.Logger.Error("edition paused", "edition", edition.ID, "reason", reason)
		}
		return true, err
	case over:
		done, err := e.Ledger.EndCanary(ctx, edition.ID, "", now)
		if done {
			e.Logger.Info("nothing is wrong with the canary; the rest goes on", "edition", edition.ID)
		}
		return false, err
	}
	return true, nil
}

// canarySample returns the sample of that share, with staff.
func (e *Engine) canarySample(ctx context.Context, share float64) (newsletter.CanarySample, error) {
	var staff []int64
	if e.Staff != nil {
		var err error
		if staff, err = e.Staff(ctx); err != nil {
			return newsletter.CanarySample{}, err
		}
	}
	return e.Keys.CanarySample(share, staff...), nil
}

// busyWith reports whether a message of the edition is with a worker.
func (e *Engine) busyWith(edition int64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key := range e.inFlight {
		if key.EditionID == edition {
			return true
		}
	}
	return false
}

// canaryTry is when an edition goes on whose canary is not over; zero if it has none.
func (e *Engine) canaryTry(edition int64) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, ok := e.canaries[edition]
	switch {
	case !ok || c.over:
		return time.Time{}
	case c.until.IsZero():
		return e.Now().Add(e.Idle)
	}
	return c.until
}
