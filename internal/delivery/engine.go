package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// Ledger is what carrying an edition to its readers needs of the store. Each method has
// committed when it returns.
type Ledger interface {
	TakeOver(ctx context.Context, now time.Time) (int, error)
	OpenEditions(ctx context.Context) ([]newsletter.Edition, error)
	Edition(ctx context.Context, id int64) (newsletter.Edition, error)
	EditionSnapshot(ctx context.Context, id int64) (snapshot, templates []byte, err error)
	Variant(ctx context.Context, id int64) ([]byte, error)
	WaitingDeliveries(ctx context.Context, editionID, after int64, limit int) ([]int64, error)
	DueDeliveries(ctx context.Context, editionID int64, now time.Time, limit int) ([]int64, error)
	NextTry(ctx context.Context, editionID int64) (time.Time, error)
	Step(ctx context.Context, last *newsletter.DeliveryResult, next *newsletter.DeliveryKey, key newsletter.SuppressionKey, now time.Time) (newsletter.Delivery, bool, error)
	ExpireDeliveries(ctx context.Context, editionID int64, now time.Time) (int, error)
	FinishEdition(ctx context.Context, id int64, now time.Time) (bool, error)
	MoveEdition(ctx context.Context, id int64, from []newsletter.EditionState, to newsletter.EditionState, reason, actor string, now time.Time) error
	Tally(ctx context.Context, editionID int64) (newsletter.Tally, error)
}

// Options are what an Engine works with.
type Options struct {
	Ledger      Ledger
	Role        Role
	Outbox      Outbox // of transactional mail; nil: none is sent
	Transport   mail.Transport
	Connections int     // at least 1
	Rate        float64 // messages a second, 0: no limit
	BaseURL     string
	Keys        newsletter.KeyRing
	Suppression newsletter.SuppressionKey
	Now         func() time.Time
	Random      func() float64 // from 0 to 1, spreads retries
	Logger      *slog.Logger
	// Idle is how often an engine with nothing to do looks again; zero: a second.
	Idle time.Duration
}

// Engine carries editions to their readers. An engine runs at most once at a time, and only
// while its process has the sender role.
type Engine struct {
	Options
	wake     chan struct{}
	mailWake chan struct{}
	pace     *pacer
	stats    Stats

	mu       sync.Mutex
	inFlight map[newsletter.DeliveryKey]struct{} // handed to a worker, result not yet on record
	letters  map[int64]*letter                   // composed variants
	openings map[int64]*opening                  // how this run of each edition began
	relayErr error                               // the last thing that the relay did wrong
	told     string                              // what was last logged about it
}

// opening counts an edition's first results in a run: if the relay refuses them all, the
// fault is ours.
type opening struct{ refused, accepted int }

// Stats count what an engine did since it was made.
type Stats struct {
	Settled  atomic.Int64 // deliveries with a result
	Accepted atomic.Int64
	lastOK   atomic.Int64 // when the last result came, Unix milliseconds
}

// NewEngine returns an engine that is not running yet.
func NewEngine(o Options) *Engine {
	o.Connections = max(o.Connections, 1)
	if o.Idle == 0 {
		o.Idle = time.Second
	}
	return &Engine{
		Options:  o,
		wake:     make(chan struct{}, 1),
		mailWake: make(chan struct{}, 1),
		pace:     &pacer{rate: o.Rate},
		inFlight: map[newsletter.DeliveryKey]struct{}{},
		letters:  map[int64]*letter{},
		openings: map[int64]*opening{},
	}
}

// Wake tells an engine that waits that there may be something to do.
func (e *Engine) Wake() {
	for _, c := range []chan struct{}{e.wake, e.mailWake} {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// scope is which editions a run carries out and when it ends.
type scope struct {
	edition int64         // only this one; 0: all that are open, until stopped
	wait    time.Duration // for one edition: how long to wait for the next try or for a relay that does not answer
	yield   func(context.Context) (bool, error)
}

// errYield says that somebody else takes over.
var errYield = errors.New("another process takes over the sending")

// run carries editions out until the scope ends, ctx is cancelled or something fails that
// another try does not mend. The caller has the sender role. It returns when every message
// that was begun has its result on record.
func (e *Engine) run(ctx context.Context, sc scope) error {
	doubted, err := e.Ledger.TakeOver(ctx, e.Now())
	if err != nil {
		return err
	}
	// What an earlier run could not put on record has just been found in doubt.
	e.mu.Lock()
	clear(e.inFlight)
	clear(e.openings)
	e.mu.Unlock()
	if doubted > 0 {
		e.Logger.Warn("messages were being handed over when the last sender ended; they are in doubt", "deliveries", doubted)
	}
	e.stats.lastOK.Store(e.Now().UnixMilli())
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var mails sync.WaitGroup
	if e.Outbox != nil {
		mails.Go(func() { e.carryMails(ctx) })
	}
	rows := make(chan newsletter.DeliveryKey)
	failures := make(chan error, e.Connections)
	var workers sync.WaitGroup
	for range e.Connections {
		workers.Go(func() {
			if err := e.work(ctx, rows); err != nil {
				failures <- err
				stop(err)
			}
		})
	}
	if err = e.feed(ctx, sc, rows); err != nil {
		stop(err) // nobody goes on trying to connect; what is in flight is finished
	}
	close(rows)
	workers.Wait()
	stop(nil)
	mails.Wait()
	select {
	case failure := <-failures: // the first one says why the others stopped
		return failure
	default:
		return err
	}
}

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
	silent := e.Now().Sub(time.UnixMilli(e.stats.lastOK.Load()))
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
			return true, err
		}
		if finished {
			e.logFinished(ctx, edition)
			e.forget()
		}
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

func (e *Engine) logFinished(ctx context.Context, edition newsletter.Edition) {
	tally, err := e.Ledger.Tally(ctx, edition.ID)
	if err != nil {
		e.Logger.Error("edition sent, but it cannot be counted", "edition", edition.ID, "error", err)
		return
	}
	e.Logger.Info("edition sent", "edition", edition.ID, "newsletter", edition.Newsletter, "planned", tally.Planned,
		"accepted", tally.Counts[newsletter.Accepted], "refused", tally.Counts[newsletter.Refused],
		"expired", tally.Counts[newsletter.Expired], "in_doubt", tally.Counts[newsletter.InDoubt],
		"withheld", tally.Counts[newsletter.Withheld])
}

// sleep waits, or until somebody wakes the engine; the error is the reason to stop.
func (e *Engine) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-e.wake:
	case <-t.C:
	}
	return nil
}

// take notes that a worker gets the row; false if one has it already.
func (e *Engine) take(key newsletter.DeliveryKey) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, there := e.inFlight[key]; there {
		return false
	}
	e.inFlight[key] = struct{}{}
	return true
}

// drop notes that the row's state is on record, or that it was not begun.
func (e *Engine) drop(key newsletter.DeliveryKey) {
	e.mu.Lock()
	delete(e.inFlight, key)
	e.mu.Unlock()
}

func (e *Engine) busy() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.inFlight) > 0
}

// UnfinishedError says that an edition is not carried out yet, and when it goes on.
type UnfinishedError struct {
	Edition int64
	Waiting int
	NextTry time.Time // zero: not known
	Relay   error     // what the relay did wrong last; nil: nothing
}

func (u *UnfinishedError) Error() string {
	s := fmt.Sprintf("edition %d is not finished: %d deliveries wait", u.Edition, u.Waiting)
	if !u.NextTry.IsZero() {
		s += ", the next try is at " + u.NextTry.UTC().Format("15:04:05 UTC")
	}
	if u.Relay != nil {
		s += "; the relay: " + u.Relay.Error()
	}
	return s
}

func (e *Engine) unfinished(ctx context.Context, edition int64, next time.Time) error {
	u := &UnfinishedError{Edition: edition, NextTry: next}
	tally, err := e.Ledger.Tally(ctx, edition)
	if err != nil {
		return err
	}
	u.Waiting = tally.WaitingCount()
	e.mu.Lock()
	u.Relay = e.relayErr
	e.mu.Unlock()
	return u
}

func (e *Engine) noteRelay(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.relayErr = err; err == nil {
		e.told = ""
	}
}

// isNews reports whether the relay's trouble was not told yet: every connection has it.
func (e *Engine) isNews(err error) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	news := e.told != err.Error()
	e.told = err.Error()
	return news
}
