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
func (e *Engine) feed(ctx context.Context, sc scope, rows chan<- pending) error {
	clock := e.newClock()
	defer clock.look() // it may have been set since the last round
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		clock.look()
		editions, err := e.plannedEditions(ctx, sc)
		if err != nil {
			return err
		}
		handed, sweeping := 0, false
		for _, edition := range editions {
			n, more, err := e.feedPage(ctx, sc, edition, rows)
			if err != nil {
				return err
			}
			handed += n
			sweeping = sweeping || more
		}
		if handed > 0 || sweeping {
			continue
		}
		if done, err := e.rest(ctx, sc, editions); done || err != nil {
			return err
		}
	}
}

// plannedEditions returns the open editions of the scope that are planned to the end.
func (e *Engine) plannedEditions(ctx context.Context, sc scope) ([]newsletter.Edition, error) {
	list, err := e.Ledger.OpenEditions(ctx)
	if err != nil {
		return nil, fmt.Errorf("open editions: %w", err)
	}
	var planned []newsletter.Edition
	for _, edition := range list {
		if edition.PlannedAt.IsZero() || sc.edition != 0 && sc.edition != edition.ID {
			continue
		}
		if err := e.follow(ctx, edition.ID); err != nil {
			return nil, err
		}
		e.noteBrakes(edition)
		planned = append(planned, edition)
	}
	e.keepOnly(planned)
	return planned, nil
}

// sweep is how far the rows of an edition that wait for their first try are handed out. To
// look for more of them goes through all rows, so it is not done when there can be none.
type sweep struct {
	after int64     // the subscriber that was reached
	ended time.Time // when there were no more; zero: it is under way
	again bool      // a row has gone back to waiting since it began
}

// sweepEvery is how often an edition is looked through for rows that somebody else has put
// back to waiting.
const sweepEvery = 15 * time.Second

// pageSize is how many rows are read at a time.
const pageSize = 500

// latestTry is the longest that a next try can lie ahead; see newsletter.RetryAfter.
const latestTry = 6 * time.Hour

// feedPage hands out deliveries of the edition that are due again, and the next page of
// those that wait. It returns how many it handed out, and whether there are more.
func (e *Engine) feedPage(ctx context.Context, sc scope, edition newsletter.Edition, rows chan<- pending) (handed int, more bool, err error) {
	now := e.Now()
	if !edition.ExpiresAt.After(now) {
		n, err := e.Ledger.ExpireDeliveries(ctx, edition.ID, now)
		if n > 0 {
			e.Logger.Error("deliveries expired: their time was over", "edition", edition.ID, "deliveries", n)
			e.markStale(edition.ID)
		}
		return 0, false, err
	}
	if err := e.recast(ctx, edition.ID); err != nil {
		return 0, false, err
	}
	limit, err := e.pageLimit(ctx, edition, now)
	if limit == 0 || err != nil {
		return 0, false, err
	}
	if first, err := e.canaryFirst(ctx, edition); first || err != nil {
		if err != nil {
			return 0, false, err
		}
		list, more, err := e.canaryPage(ctx, edition.ID, now, limit)
		if err == nil {
			handed, err = e.hand(ctx, sc, list, now, rows)
		}
		return handed, more, err
	}
	list, err := e.Ledger.DueDeliveries(ctx, edition.ID, now, now.Add(latestTry), limit)
	if err != nil {
		return 0, false, fmt.Errorf("edition %d: %w", edition.ID, err)
	}
	limit -= len(list)
	if after, ok := e.sweepFrom(edition.ID); ok && limit > 0 {
		page, err := e.Ledger.WaitingDeliveries(ctx, edition.ID, after, limit)
		if err != nil {
			return 0, false, fmt.Errorf("edition %d: %w", edition.ID, err)
		}
		more = e.swept(edition.ID, page, limit)
		list = append(list, page...)
	}
	handed, err = e.hand(ctx, sc, list, now, rows)
	return handed, more, err
}

// recast gives readers another copy if theirs was found to have something withdrawn. Who withdrew
// it does so too, unless that was cut off.
func (e *Engine) recast(ctx context.Context, edition int64) error {
	e.mu.Lock()
	asked := e.withdrawn[edition]
	delete(e.withdrawn, edition)
	e.mu.Unlock()
	if !asked {
		return nil
	}
	_, err := Recast(ctx, e.Ledger, edition, 0, "sender", e.Now)
	e.markStale(edition)
	if broken, ok := errors.AsType[*contentError](err); ok {
		return e.pause(ctx, edition, broken.Error())
	}
	return err
}

// pageLimit is how many deliveries of the edition may be handed out now: a page, or what its
// warm-up leaves of the day.
func (e *Engine) pageLimit(ctx context.Context, edition newsletter.Edition, now time.Time) (int, error) {
	if edition.WarmUp.PerDay == 0 {
		return pageSize, nil
	}
	begun, err := e.Ledger.BegunOn(ctx, edition.ID, now)
	if err != nil {
		return 0, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for key := range e.inFlight { // some of them are counted already: then a few fewer go out at first
		if key.EditionID == edition.ID {
			begun++
		}
	}
	return max(0, min(pageSize, edition.WarmUp.Allowance(edition.WarmUp.Day(edition.StartedAt, now))-begun)), nil
}

// sweepFrom returns where the edition's next page begins; ok is false if there is no need to
// look.
func (e *Engine) sweepFrom(edition int64) (after int64, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.sweeps[edition]
	if s == nil {
		s = &sweep{}
		e.sweeps[edition] = s
	}
	if !s.ended.IsZero() {
		if !s.again && time.Since(s.ended) < sweepEvery {
			return 0, false
		}
		if p := e.editions[edition]; p != nil && !s.again {
			p.stale = true
		}
		*s = sweep{}
	}
	return s.after, true
}

// swept notes the page that was read, and reports whether there are more.
func (e *Engine) swept(edition int64, page []newsletter.Delivery, limit int) (more bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.sweeps[edition]
	if len(page) < limit {
		s.ended = time.Now()
		return false
	}
	s.after = page[len(page)-1].SubscriberID
	return true
}

// sweepAgain says that a row has gone back to waiting. The caller holds the lock.
func (e *Engine) sweepAgain(edition int64) {
	if s := e.sweeps[edition]; s != nil {
		s.again = true
	}
}

// hand gives the rows to the workers, those that are not with one already, and returns how
// many it gave.
func (e *Engine) hand(ctx context.Context, sc scope, list []newsletter.Delivery, readAt time.Time, rows chan<- pending) (int, error) {
	tick := time.NewTicker(e.Idle)
	defer tick.Stop()
	handed := 0
	for _, d := range list {
		row := pending{Delivery: d, readAt: readAt}
		if !e.take(row.key()) {
			continue
		}
		for given := false; !given; {
			select {
			case rows <- row:
				given = true
				handed++
			case <-ctx.Done():
				e.drop(row.key())
				return handed, context.Cause(ctx)
			case <-tick.C:
				if err := e.checkOn(ctx, sc); err != nil {
					e.drop(row.key())
					return handed, err
				}
			}
		}
	}
	return handed, e.checkYield(ctx, sc)
}

// silentTime is how long a service tries an edition without any acceptance before it pauses
// it for staff.
const silentTime = 30 * time.Minute

// leastSilence is how long a relay may take over a message however little time is given for
// the next try.
const leastSilence = 30 * time.Second

// checkOn ends a run in which nothing moves any more, or that somebody else takes over.
func (e *Engine) checkOn(ctx context.Context, sc scope) error {
	if err := e.checkYield(ctx, sc); err != nil {
		return err
	}
	e.mu.Lock()
	silent := e.Now().Sub(e.lastOK)
	trouble := e.relayErr
	e.mu.Unlock()
	switch {
	case sc.edition != 0 && silent > max(sc.wait, leastSilence):
		return e.unfinished(ctx, sc.edition, time.Time{})
	case silent > silentTime:
		return e.pauseAll(ctx, sc, trouble)
	}
	return nil
}

// pauseAll pauses what is under way because no relay takes anything.
func (e *Engine) pauseAll(ctx context.Context, sc scope, trouble error) error {
	editions, err := e.plannedEditions(ctx, sc)
	if err != nil {
		return err
	}
	reason := fmt.Sprintf("no relay has taken a message for %s", silentTime)
	if trouble != nil {
		reason += ": " + trouble.Error()
	}
	var pauses []error
	for _, edition := range editions {
		pauses = append(pauses, e.pause(ctx, edition.ID, reason))
	}
	return errors.Join(pauses...)
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

// nextTry is when the edition goes on; zero if nothing of it is left to be tried, as far as
// can be told without a look at all rows.
func (e *Engine) nextTry(ctx context.Context, edition newsletter.Edition) (time.Time, error) {
	now := e.Now()
	if at := e.canaryTry(edition.ID); !at.IsZero() {
		return at, nil
	}
	limit, err := e.pageLimit(ctx, edition, now)
	if err != nil {
		return time.Time{}, err
	}
	if pulse, _ := e.Pulse(edition.ID); limit == 0 && pulse.Tally.WaitingCount() > 0 {
		e.markStale(edition.ID)
		return edition.WarmUp.NextDay(now), nil
	}
	return e.Ledger.NextTry(ctx, edition.ID)
}

// finishDone finishes the editions of which nothing is left to be tried, and returns when the
// first of the others goes on; zero if that is not known.
func (e *Engine) finishDone(ctx context.Context, editions []newsletter.Edition) (next time.Time, err error) {
	var failures []error // an edition that does not balance does not hold up the others
	for _, edition := range editions {
		try, err := e.nextTry(ctx, edition)
		if err != nil {
			return next, err
		}
		if !try.IsZero() { // to finish it would count a million rows for nothing
			if next.IsZero() || try.Before(next) {
				next = try
			}
			continue
		}
		finished, err := e.Ledger.FinishEdition(ctx, edition.ID, e.Now())
		if errors.As(err, new(*newsletter.ImbalanceError)) {
			err = e.pause(ctx, edition.ID, err.Error())
		}
		if err != nil {
			failures = append(failures, err)
		}
		if finished {
			e.logFinished(ctx, edition)
			e.forget(edition.ID)
		}
	}
	return next, errors.Join(failures...)
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
	next, err := e.finishDone(ctx, editions)
	if err != nil {
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
