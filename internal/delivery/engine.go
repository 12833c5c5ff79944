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
	lastOK   atomic.Int64 // when the relay last settled a message, Unix milliseconds

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
	e.lastOK.Store(e.Now().UnixMilli())
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
