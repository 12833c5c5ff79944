package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// feed hands rows of the ledger to the workers, a page of each edition in turn, so that a
// large edition does not keep the others waiting.
func (e *Engine) feed(ctx context.Context, sc scope, rows chan<- newsletter.DeliveryKey) error {
	reached := map[int64]int64{} // the subscriber that the sweep through an edition has reached
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		editions, err := e.editions(ctx, sc)
		if err != nil {
			return err
		}
		handed, sweeping := 0, false
		for _, edition := range editions {
			n, next, err := e.feedPage(ctx, sc, edition, reached[edition.ID], rows)
			if err != nil {
				return err
			}
			handed += n
			reached[edition.ID] = next
			sweeping = sweeping || next > 0
		}
		if handed > 0 || sweeping {
			continue
		}
		if done, err := e.rest(ctx, sc, editions); done || err != nil {
			return err
		}
	}
}

// editions returns the open editions of the scope that are planned to the end.
func (e *Engine) editions(ctx context.Context, sc scope) ([]newsletter.Edition, error) {
	list, err := e.Ledger.OpenEditions(ctx)
	if err != nil {
		return nil, fmt.Errorf("open editions: %w", err)
	}
	var planned []newsletter.Edition
	for _, edition := range list {
		if !edition.PlannedAt.IsZero() && (sc.edition == 0 || sc.edition == edition.ID) {
			planned = append(planned, edition)
		}
	}
	return planned, nil
}

// pageSize is how many rows are read at a time.
const pageSize = 500

// feedPage hands out the next page of the edition's deliveries that are waiting, after the
// given subscriber, and at the end of them those that are due again. It returns how many it
// handed out, and where the next page begins, 0 for the beginning.
func (e *Engine) feedPage(ctx context.Context, sc scope, edition newsletter.Edition, after int64, rows chan<- newsletter.DeliveryKey) (handed int, next int64, err error) {
	now := e.Now()
	if !edition.ExpiresAt.After(now) {
		n, err := e.Ledger.ExpireDeliveries(ctx, edition.ID, now)
		if n > 0 {
			e.Logger.Error("deliveries expired: their time was over", "edition", edition.ID, "deliveries", n)
		}
		return 0, 0, err
	}
	list, err := e.Ledger.WaitingDeliveries(ctx, edition.ID, after, pageSize)
	if err != nil {
		return 0, 0, fmt.Errorf("edition %d: %w", edition.ID, err)
	}
	if len(list) == pageSize {
		next = list[len(list)-1]
	} else {
		due, err := e.Ledger.DueDeliveries(ctx, edition.ID, now, pageSize)
		if err != nil {
			return 0, 0, fmt.Errorf("edition %d: %w", edition.ID, err)
		}
		list = append(list, due...)
	}
	handed, err = e.hand(ctx, sc, edition.ID, list, rows)
	return handed, next, err
}

// hand gives the rows to the workers, those that are not with one already, and returns how
// many it gave.
func (e *Engine) hand(ctx context.Context, sc scope, edition int64, subscribers []int64, rows chan<- newsletter.DeliveryKey) (int, error) {
	tick := time.NewTicker(e.Idle)
	defer tick.Stop()
	handed := 0
	for _, id := range subscribers {
		key := newsletter.DeliveryKey{EditionID: edition, SubscriberID: id}
		if !e.take(key) {
			continue
		}
		for given := false; !given; {
			select {
			case rows <- key:
				given = true
				handed++
			case <-ctx.Done():
				e.drop(key)
				return handed, context.Cause(ctx)
			case <-tick.C:
				if err := e.checkOn(ctx, sc); err != nil {
					e.drop(key)
					return handed, err
				}
			}
		}
	}
	return handed, e.checkYield(ctx, sc)
}

// checkOn ends a run in which nothing moves any more, or that somebody else takes over.
func (e *Engine) checkOn(ctx context.Context, sc scope) error {
	if err := e.checkYield(ctx, sc); err != nil {
		return err
	}
	silent := e.Now().Sub(time.UnixMilli(e.lastOK.Load()))
	if sc.edition != 0 && silent > sc.wait {
		return e.unfinished(ctx, sc.edition, time.Time{})
	}
	return nil
}

func (e *Engine) checkYield(ctx context.Context, sc scope) error {
	if sc.yield == nil {
		return nil
	}
	yield, err := sc.yield(ctx)
	if err == nil && yield {
		err = errYield
	}
	return err
}

// rest is for when nothing is due: it finishes what is done, and waits for what is next.
// done says that the scope has ended.
func (e *Engine) rest(ctx context.Context, sc scope, editions []newsletter.Edition) (done bool, err error) {
	// A look at the ledger goes through all rows of an edition, so while messages are in
	// flight it is not done more often than needed.
	if e.busy() {
		for until := time.Now().Add(e.Idle); e.busy() && time.Now().Before(until); {
			if err := e.checkOn(ctx, sc); err != nil {
				return true, err
			}
			if err := e.sleep(ctx, e.Idle/20); err != nil {
				return true, err
			}
		}
		return false, nil // what was in flight may be waiting again
	}
	if err := e.checkYield(ctx, sc); err != nil {
		return true, err
	}
	var next time.Time
	var failures []error // an edition that does not balance does not hold up the others
	for _, edition := range editions {
		try, err := e.Ledger.NextTry(ctx, edition.ID)
		if err != nil {
			return true, err
		}
		if !try.IsZero() { // to finish it would count a million rows for nothing
			if next.IsZero() || try.Before(next) {
				next = try
			}
			continue
		}
		finished, err := e.Ledger.FinishEdition(ctx, edition.ID, e.Now())
		if err != nil {
			failures = append(failures, err)
		}
		if finished {
			e.logFinished(ctx, edition)
			e.forget()
		}
	}
	if err := errors.Join(failures...); err != nil {
		return true, err
	}
	if sc.edition != 0 {
		edition, err := e.Ledger.Edition(ctx, sc.edition)
		switch {
		case err != nil:
			return true, err
		case edition.State == newsletter.EditionPaused:
			return true, &PausedError{Edition: edition.ID, Reason: edition.Reason}
		case !edition.State.Open():
			return true, nil
		case !next.IsZero() && next.Sub(e.Now()) > sc.wait:
			return true, e.unfinished(ctx, sc.edition, next)
		}
	}
	wait := e.Idle
	if until := next.Sub(e.Now()); !next.IsZero() && until < wait {
		wait = max(until, time.Millisecond)
	}
	return false, e.sleep(ctx, wait)
}
