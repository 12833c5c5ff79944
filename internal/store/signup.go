package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"broadsheet/internal/newsletter"
)

// The limits of signing up in groups.
const (
	// maxSignUps are recorded in one go; other writes come in between.
	maxSignUps = 256
	// maxWaiting is how many may wait: half a second's worth. Who comes then is told at once to come
	// back, which is better than to wait and be told nothing.
	maxWaiting = 4096
	busyRetry  = 5 // seconds
)

// signUps are those that wait to be recorded. Whoever finds nobody at it records all that wait, in
// one transaction, and then hands that on: so hundreds share a few statements and one commit.
type signUps struct {
	mu      sync.Mutex
	waiting []*signUpCall
	busy    bool // somebody records
}

// signUpCall is one that waits.
type signUpCall struct {
	ctx     context.Context
	request newsletter.SignUpRequest
	now     time.Time
	err     error
	told    chan bool // true: it is your turn to record; false: it is done
}

// SignUp records a request to subscribe and puts the mail that answers it into the outbox,
// in one transaction. Pending subscriptions are made; those that are active, paused or left
// stay as they are. It does the same work whether the address is known or not (S27).
// The error is RateLimited past the bound of one of r.Limits, and Busy if too many wait; then
// nothing is recorded.
func (s *Store) SignUp(ctx context.Context, r newsletter.SignUpRequest, now time.Time) error {
	c := &signUpCall{ctx: ctx, request: r, now: now, told: make(chan bool, 1)}
	mine, err := s.signUps.join(c)
	// Once it waits its fate is not known before it is told, so wait for it even if ctx ends.
	if err == nil && (mine || <-c.told) {
		s.recordSignUps()
	}
	if err == nil {
		err = c.err
	}
	if err != nil {
		return fmt.Errorf("sign up: %w", err)
	}
	return nil
}

// join has a call wait; mine is true if nobody records, so that the caller has to.
func (q *signUps) join(c *signUpCall) (mine bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= maxWaiting {
		return false, &newsletter.Error{
			Kind: newsletter.Busy, Reason: "busy", RetryAfter: busyRetry,
			Message: "Very many people sign up at this moment. Please try again in a few seconds.",
		}
	}
	q.waiting = append(q.waiting, c)
	mine, q.busy = !q.busy, true
	return mine, nil
}

// take takes those that have waited longest.
func (q *signUps) take() []*signUpCall {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), maxSignUps)
	batch := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	return batch
}

// handOn makes the next one that waits record, if there is one.
func (q *signUps) handOn() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy = len(q.waiting) > 0; q.busy {
		q.waiting[0].told <- true
	}
}

// recordSignUps records those that wait, the caller's among them, and tells the others.
func (s *Store) recordSignUps() {
	var batch []*signUpCall
	err := s.write(context.Background(), func(t *tx) error {
		batch = s.signUps.take() // as late as can be: until now others came
		return t.signUpAll(batch)
	})
	if batch == nil { // the database is closed
		batch = s.signUps.take()
	}
	s.signUps.handOn()
	for _, c := range batch {
		if err != nil {
			c.err = err
		}
		select {
		case c.told <- false:
		default: // this is the caller's own, who was told that it is their turn
		}
	}
}

// signUpAll records the calls, and leaves in each what is wrong with it. One that cannot be recorded
// does not fail the others. An error is one of the whole transaction.
func (t *tx) signUpAll(calls []*signUpCall) error {
	calls = slices.DeleteFunc(slices.Clone(calls), func(c *signUpCall) bool {
		c.err = c.ctx.Err()
		return c.err != nil
	})
	if len(calls) == 0 {
		return nil
	}
	err := t.savepoint(func(t *tx) error { return t.signUpTogether(calls) })
	if _, broken := errors.AsType[*brokenTxError](err); err == nil || broken {
		return err
	}
	for _, c := range calls { // each by itself finds out whose fault it is
		err := t.savepoint(func(t *tx) error { return t.signUpTogether([]*signUpCall{c}) })
		if broken, ok := errors.AsType[*brokenTxError](err); ok {
			return broken
		}
		if err != nil {
			c.err = err
		}
	}
	return nil
}

// signUpTogether records the calls by a few statements for all of them.
func (t *tx) signUpTogether(calls []*signUpCall) error {
	now := calls[len(calls)-1].now
	var limits []newsletter.Limit
	for _, c := range calls {
		c.err = nil
		limits = append(limits, c.request.Limits...)
	}
	r, err := t.readRates(bucketsOf(limits), now)
	if err != nil {
		return err
	}
	var list []*signUpWork
	for _, c := range calls {
		w := &signUpWork{SignUpRequest: c.request}
		if w.delay, c.err = r.count(c.request.Limits); c.err == nil {
			list = append(list, w)
		}
	}
	if err := t.signUpList(list, now); err != nil {
		return err
	}
	return t.saveRates(r)
}
