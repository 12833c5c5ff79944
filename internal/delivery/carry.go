package delivery

import (
	"context"
	"errors"
	"io"
	"time"

	"broadsheet/internal/newsletter"
)

// Role is how processes agree on who sends: one at a time, and a service before a command.
type Role interface {
	// TakeSender takes the sender role if nobody has it, and returns nil if somebody has.
	TakeSender(command string, now time.Time) (io.Closer, error)
	// ServiceRuns reports whether a service is announced, which has precedence.
	ServiceRuns(ctx context.Context) (bool, error)
}

// yieldEvery is how often a command that sends looks whether a service has started.
const yieldEvery = 500 * time.Millisecond

// Carry carries the edition to its readers, or watches another process do it, until nothing
// of it is left to be tried. It tells progress now and then how it goes, at once and at the end.
//
// The error is an *UnfinishedError if nothing is due or nothing moves within wait, a
// *PausedError if the edition had to be paused, and ctx's error if that ended; whatever was
// begun is on record then, and the same call goes on.
func (e *Engine) Carry(ctx context.Context, edition int64, wait time.Duration, progress func(newsletter.Pulse, bool)) error {
	report := func(watching, exactly bool) (newsletter.Pulse, error) {
		pulse, err := e.look(ctx, edition, watching, exactly)
		if err == nil && progress != nil {
			progress(pulse, watching)
		}
		return pulse, err
	}
	for {
		service, err := e.Role.ServiceRuns(ctx)
		if err != nil {
			return err
		}
		var role io.Closer
		if !service {
			if role, err = e.Role.TakeSender("send", e.Now()); err != nil {
				return err
			}
		}
		if role == nil {
			again, err := e.watch(ctx, edition, wait, report)
			if err != nil || !again {
				return err
			}
			continue
		}
		err = e.carryAs(ctx, scope{edition: edition, wait: wait, yield: e.yieldToService()}, role, report)
		if !errors.Is(err, errYield) {
			return err
		}
	}
}

// look returns how the edition does. To count the ledger takes a while, so unless it must be
// exact, what the sender counts is taken.
func (e *Engine) look(ctx context.Context, edition int64, watching, exactly bool) (newsletter.Pulse, error) {
	if !exactly {
		if pulse, ok := e.Pulse(edition); ok && !watching {
			return pulse, nil
		}
		pulse, ok, err := e.Ledger.Pulse(ctx, edition)
		if ok && err == nil && pulse.Fresh(e.Now()) {
			return pulse, nil
		}
	}
	tally, err := e.Ledger.Tally(ctx, edition)
	return newsletter.Pulse{EditionID: edition, At: e.Now(), Tally: tally}, err
}

// carryAs runs the engine in the role, gives it back, and tells progress meanwhile.
func (e *Engine) carryAs(ctx context.Context, sc scope, role io.Closer, report func(watching, exactly bool) (newsletter.Pulse, error)) error {
	told, stop := context.WithCancel(ctx)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		tick := time.NewTicker(e.Idle)
		defer tick.Stop()
		for {
			// What goes wrong here goes wrong in the engine too, which says so.
			_, _ = report(false, false)
			select {
			case <-told.Done():
				return
			case <-tick.C:
			}
		}
	}()
	err := e.run(ctx, sc)
	stop()
	<-finished
	if closeErr := role.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		_, err = report(false, true)
	}
	return err
}

// yieldToService returns a function that reports, at most every so often, whether a service
// has started.
func (e *Engine) yieldToService() func(context.Context) (bool, error) {
	var asked time.Time
	return func(ctx context.Context) (bool, error) {
		if now := e.Now(); now.Sub(asked) >= yieldEvery {
			asked = now
			return e.Role.ServiceRuns(ctx)
		}
		return false, nil
	}
}

// watch follows the edition while another process sends. again says that nobody sends any
// more and the caller should try to.
func (e *Engine) watch(ctx context.Context, edition int64, wait time.Duration, report func(watching, exactly bool) (newsletter.Pulse, error)) (again bool, err error) {
	moved := e.Now()
	left := -1
	for {
		pulse, err := report(true, false)
		if err != nil {
			return false, err
		}
		current, err := e.Ledger.Edition(ctx, edition)
		if err != nil {
			return false, err
		}
		switch {
		case current.State == newsletter.EditionPaused:
			return false, &PausedError{Edition: edition, Reason: current.Reason}
		case !current.State.Open():
			return false, nil
		}
		if n := pulse.Tally.WaitingCount(); n != left {
			left, moved = n, e.Now()
		}
		if e.Now().Sub(moved) > wait {
			next, err := e.Ledger.NextTry(ctx, edition)
			if err != nil {
				return false, err
			}
			return false, &UnfinishedError{Edition: edition, Waiting: left, NextTry: next}
		}
		if err := e.sleep(ctx, e.Idle); err != nil {
			return false, err
		}
		service, err := e.Role.ServiceRuns(ctx)
		if err != nil {
			return false, err
		}
		if service {
			continue
		}
		// Nobody serves: whoever had the role may have ended.
		role, err := e.Role.TakeSender("send", e.Now())
		if err != nil {
			return false, err
		}
		if role != nil {
			return true, role.Close()
		}
	}
}

// Serve carries every open edition and all transactional mail, whenever there is some, until
// ctx ends. It waits for the sender role if another process has it.
func (e *Engine) Serve(ctx context.Context) error {
	for ctx.Err() == nil {
		role, err := e.Role.TakeSender("serve", e.Now())
		if err != nil {
			return err
		}
		if role == nil {
			if err := e.sleep(ctx, e.Idle/10); err != nil {
				return nil //nolint:nilerr // stopped while waiting: nothing was begun
			}
			continue
		}
		err = e.run(ctx, scope{})
		if closeErr := role.Close(); closeErr != nil {
			e.Logger.Error("giving back the sender role", "error", closeErr)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, new(*PausedError)):
			// The others go on; this one waits for staff.
		case err != nil:
			e.Logger.Error("the sender failed and starts again", "error", err)
		}
		if err := e.sleep(ctx, serveAgain); err != nil {
			return nil //nolint:nilerr // stopped while waiting: nothing was begun
		}
	}
	return nil
}

// serveAgain is how long a service waits after its sender failed.
const serveAgain = 2 * time.Second
