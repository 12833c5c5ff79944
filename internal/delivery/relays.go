package delivery

import (
	"context"
	"errors"
	"sync"
	"time"

	"broadsheet/internal/mail"
)

// relays are the relays in the order in which they are used, and how each of them is. Waits
// are measured by the time that has passed, whatever the clock on the wall does.
type relays struct {
	mu    sync.Mutex
	list  []*relay
	freed chan struct{} // closed and made anew when somebody may get a place
	// wanted is where those who wait for a place ask those for theirs who have nothing to send.
	wanted chan struct{}
}

// relay is one relay and how it is.
type relay struct {
	mail.Relay
	pace *pacer

	taken    int       // places given out: connections there are, or that are being opened
	open     int       // connections that there are
	allowed  int       // places there are now: fewer than Connections after it had too many
	grew     time.Time // when allowed last changed
	failures int       // in a row, with no connection open
	retryAt  time.Time // after failures: when it is tried again, by one connection first
	probing  bool      // that one is under way, until it has settled a message
	leaving  int       // connections that were told to leave and have not yet
	calm     time.Time // no connection is opened before: one was just not to be had
	invited  bool      // somebody with a connection to another relay is about to try it
	barren   int       // connections in a row that ended within their first message
	refusal  error     // it will not take mail from us at all, in its words; nil: nothing known
}

// growAfter is how long a relay that had too many connections is left with fewer.
const growAfter = 30 * time.Second

// refusedAgain is how soon a relay that refuses us for good is tried again, at the earliest:
// one that is asked every second with a wrong password locks the account.
const refusedAgain = time.Minute

func newRelays(list mail.Relays) *relays {
	rs := &relays{freed: make(chan struct{}), wanted: make(chan struct{})}
	for _, r := range list {
		r.Connections = max(r.Connections, 1)
		rs.list = append(rs.list, &relay{Relay: r, pace: &pacer{rate: r.Rate}, allowed: r.Connections})
	}
	return rs
}

// reset forgets how the relays were: a new run gives each a new chance.
func (rs *relays) reset() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.list {
		*r = relay{Relay: r.Relay, pace: r.pace, allowed: r.Connections}
	}
}

// connections is how many connections there can be at once.
func (rs *relays) connections() int {
	most := 0
	for _, r := range rs.list {
		most = max(most, r.Connections)
	}
	return most
}

// place returns the relay to use now and takes a place at it, waiting until there is one.
// The error is ctx's, or a relay's refusal if all of them refuse us.
func (rs *relays) place(ctx context.Context) (*relay, error) {
	for {
		r, wait, err := rs.tryPlace(time.Now())
		if r != nil || err != nil {
			return r, err
		}
		rs.mu.Lock()
		freed := rs.freed
		rs.mu.Unlock()
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-freed:
		case rs.wanted <- struct{}{}:
		case <-t.C:
		}
		t.Stop()
		if err != nil {
			return nil, err
		}
	}
}

// placeWait is the longest time until somebody who waits for a place looks again.
const placeWait = 250 * time.Millisecond

// tryPlace returns a relay with a place, nil and how long to wait, or what all of them say.
func (rs *relays) tryPlace(now time.Time) (r *relay, wait time.Duration, err error) {
	if err := rs.refusal(); err != nil {
		return nil, 0, err
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	wait = placeWait
	for _, r := range rs.list {
		r.grow(now)
		switch {
		case !r.usable(now):
			if until := r.retryAt.Sub(now); r.failures > 0 && until > 0 {
				wait = min(wait, until)
			}
		case r.taken >= r.allowed, r.open == 0 && r.taken > 0, now.Before(r.calm):
			// It is well and has no place: it is waited for. The first connection goes alone: a
			// relay that does not know us need not be told by all of them.
			return nil, wait, nil
		default:
			r.probing, r.invited = r.failures > 0, false
			r.taken++
			return r, 0, nil
		}
	}
	return nil, wait, nil
}

// usable reports whether the relay is well, or is to be tried again now by whoever asks.
func (r *relay) usable(now time.Time) bool {
	return r.failures == 0 || !r.probing && !now.Before(r.retryAt)
}

// invite reports whether somebody should leave another relay for this one: it is well and
// has a place, or it is time that somebody, and nobody else, tries it again.
func (r *relay) invite(now time.Time) bool {
	if !r.usable(now) || r.invited || r.taken >= r.allowed {
		return false
	}
	r.invited = r.failures > 0
	return true
}

// grow gives a relay that had too many connections one more, once in a while.
func (r *relay) grow(now time.Time) {
	if r.allowed < r.Connections && now.Sub(r.grew) >= growAfter {
		r.allowed++
		r.grew = now
	}
}

// leave gives the place back.
func (rs *relays) leave(r *relay) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r.taken--
	r.leaving = max(0, r.leaving-1)
	rs.wake()
}

// wake lets those who wait for a place look again. The caller holds the lock.
func (rs *relays) wake() {
	close(rs.freed)
	rs.freed = make(chan struct{})
}

// opened notes that the relay took a connection. If it had failed, it is well when it has
// settled a message.
func (rs *relays) opened(r *relay) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r.open++
	rs.wake()
}

// well notes that the relay settled a message.
func (rs *relays) well(r *relay) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r.recover()
	rs.wake()
}

// recover makes a relay that had failed one that is well, with all its places.
func (r *relay) recover() {
	if r.failures > 0 {
		r.allowed = r.Connections
	}
	r.failures, r.barren, r.probing, r.refusal = 0, 0, false, nil
}

// mostBarren is how many connections in a row may end within their first message.
const mostBarren = 10

// isBarren notes that a connection ended within its first message, and reports whether too
// many in a row have.
func (rs *relays) isBarren(r *relay) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r.barren++
	return r.barren >= mostBarren
}

// isUsable reports whether the relay is well, or is to be tried again.
func (rs *relays) isUsable(r *relay) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return r.failures == 0 || !time.Now().Before(r.retryAt)
}

// closed notes that a connection is no more.
func (rs *relays) closed(r *relay) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r.open--; r.open == 0 {
		r.probing = false
	}
}

// failed notes that the relay took no connection, or no mail over one. While others are open
// it has too many of them. It reports whether the relay is given up for now.
func (rs *relays) failed(r *relay, cause error) (down bool) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return r.fail(cause, r.taken-1)
}

// fail gives the relay up for now. If connections are open and it answered, it has too many
// and is left with so many; if it did not answer, the next one waits a little.
func (r *relay) fail(cause error, left int) (down bool) {
	now := time.Now()
	refuses := isRefusal(cause)
	switch {
	case r.open > 0 && !refuses && answered(cause):
		r.allowed, r.grew, r.probing = max(1, left), now, false
		return false
	case r.open > 0 && !refuses:
		r.calm, r.probing = now.Add(connectAgain(1)), false
		return false
	case r.failures > 0 && now.Before(r.retryAt) && !refuses:
		return true // it failed together with others, and counts once
	}
	wait := connectAgain(r.failures + 1)
	if r.refusal = nil; refuses {
		r.refusal, wait = cause, max(wait, refusedAgain)
	}
	r.failures++
	r.retryAt, r.probing = now.Add(wait), false
	return true
}

// refusal returns what a relay said if all of them refuse our mail; nil if one does not.
func (rs *relays) refusal() error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.list {
		if r.refusal == nil {
			return nil
		}
	}
	return rs.list[0].refusal
}

// shouldLeave reports whether a connection to the relay is to be given up after its message:
// the relay has too many, or one that comes before it may be well again.
func (rs *relays) shouldLeave(r *relay) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r.taken-r.leaving > r.allowed {
		r.leaving++
		return true
	}
	now := time.Now()
	for _, before := range rs.list {
		if before == r {
			return false
		}
		if before.invite(now) {
			return true
		}
	}
	return false
}

// inUse returns how many connections there are.
func (rs *relays) inUse() int {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	open := 0
	for _, r := range rs.list {
		open += r.open
	}
	return open
}

// isRefusal reports whether a relay said, or showed, that it will take no mail from us at all.
func isRefusal(err error) bool {
	refusal, ok := errors.AsType[*mail.ConnectError](err)
	return ok && refusal.Outcome.Fault == mail.FaultRelay || errors.As(err, new(*refusedError))
}

// answered reports whether a relay said something, and was not just out of reach.
func answered(err error) bool {
	if said, ok := errors.AsType[*saidError](err); ok {
		return said.outcome.Code != 0
	}
	refusal, ok := errors.AsType[*mail.ConnectError](err)
	return ok && refusal.Outcome.Code != 0
}

// refusedError is a relay's refusal of our mail over an open connection.
type refusedError struct{ cause error }

func (e *refusedError) Error() string { return e.cause.Error() }
func (e *refusedError) Unwrap() error { return e.cause }

// connectAgain is how long to wait after so many failures: a relay that refuses connections
// wants fewer of them.
func connectAgain(failed int) time.Duration {
	wait := time.Second
	for range min(failed-1, 5) {
		wait *= 2
	}
	return min(wait, 30*time.Second)
}
