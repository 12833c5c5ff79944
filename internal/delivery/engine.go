package delivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// Ledger is what carrying an edition to its readers needs of the store. Each method has
// committed when it returns.
type Ledger interface {
	CanaryLedger
	RecastStore
	TakeOver(ctx context.Context, now time.Time) (int, error)
	OpenEditions(ctx context.Context) ([]newsletter.Edition, error)
	Edition(ctx context.Context, id int64) (newsletter.Edition, error)
	Variant(ctx context.Context, id int64) ([]byte, error)
	StoredVariant(ctx context.Context, id int64) (newsletter.StoredVariant, error)
	WaitingDeliveries(ctx context.Context, editionID, after int64, limit int) ([]newsletter.Delivery, error)
	DueDeliveries(ctx context.Context, editionID int64, now, latest time.Time, limit int) ([]newsletter.Delivery, error)
	NextTry(ctx context.Context, editionID int64) (time.Time, error)
	BegunOn(ctx context.Context, editionID int64, now time.Time) (int, error)
	Steps(ctx context.Context, steps []newsletter.Step, key newsletter.SuppressionKey, now time.Time) ([]newsletter.StepResult, error)
	ExpireDeliveries(ctx context.Context, editionID int64, now time.Time) (int, error)
	FinishEdition(ctx context.Context, id int64, now time.Time) (bool, error)
	MoveEdition(ctx context.Context, id int64, from []newsletter.EditionState, to newsletter.EditionState, reason, actor string, now time.Time) error
	Tally(ctx context.Context, editionID int64) (newsletter.Tally, error)
	SavePulse(ctx context.Context, p newsletter.Pulse) error
	Pulse(ctx context.Context, editionID int64) (newsletter.Pulse, bool, error)
	CameBack(ctx context.Context, editionID int64) (bounced, complaints int, err error)
	PullBrake(ctx context.Context, id int64, b newsletter.BrakePull, now time.Time) (bool, error)
}

// Options are what an Engine works with.
type Options struct {
	Ledger      Ledger
	Role        Role
	Outbox      Outbox      // of transactional mail; nil: none is sent
	Proofs      Outbox      // of mails that ask staff to approve a draft; nil: none is sent
	Relays      mail.Relays // in the order in which they are used; at least one
	Rate        float64     // messages a second over all relays, 0: no limit
	Brakes      newsletter.Brakes
	BaseURL     string
	Keys        newsletter.KeyRing
	Suppression newsletter.SuppressionKey
	Signers     mail.Signers // none: the relay signs
	// Staff returns the subscribers who are in every canary; nil: nobody.
	Staff func(context.Context) ([]int64, error)
	// Judge says what the relay's refusal of a recipient says of the address; ok is false if that
	// is nothing for good. nil: no refusal says anything of an address.
	Judge        func(newsletter.Outcome) (r newsletter.Return, ok bool)
	BounceDomain string // of the return paths; empty: the newsletter's sender
	Now          func() time.Time
	Random       func() float64 // from 0 to 1, spreads retries
	Logger       *slog.Logger
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
	relays   *relays
	keeper   *keeper // of this run

	mu        sync.Mutex
	lastOK    time.Time                           // when a relay last settled a message
	inFlight  map[newsletter.DeliveryKey]struct{} // handed to a worker, result not yet on record
	letters   map[int64]*letter                   // composed variants
	contents  map[int64]*content                  // of editions
	editions  map[int64]*progress                 // that this run carries
	canaries  map[int64]canary                    // of the editions
	withdrawn map[int64]bool                      // editions of which a copy was found with something withdrawn
	sweeps    map[int64]*sweep                    // how far each edition's rows are handed out
	relayErr  error                               // the last thing that a relay did wrong
	troubles  map[string]time.Time                // of relays, and when each was last seen
	serves    bool                                // this run is a service's: nobody else tells what pauses an edition
}

// NewEngine returns an engine that is not running yet.
func NewEngine(o Options) *Engine {
	if o.Idle == 0 {
		o.Idle = time.Second
	}
	o.Keys = o.Keys.Prepared()
	return &Engine{
		Options:   o,
		wake:      make(chan struct{}, 1),
		mailWake:  make(chan struct{}, 1),
		pace:      &pacer{rate: o.Rate},
		relays:    newRelays(o.Relays),
		inFlight:  map[newsletter.DeliveryKey]struct{}{},
		letters:   map[int64]*letter{},
		contents:  map[int64]*content{},
		editions:  map[int64]*progress{},
		withdrawn: map[int64]bool{},
		sweeps:    map[int64]*sweep{},
		canaries:  map[int64]canary{},
		troubles:  map[string]time.Time{},
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

// begin takes over from whoever sent before, and forgets what an earlier run knew.
func (e *Engine) begin(ctx context.Context, sc scope) error {
	doubted, err := e.Ledger.TakeOver(ctx, e.Now())
	if err != nil {
		return err
	}
	if doubted > 0 {
		e.Logger.Warn("messages were being handed over when the last sender ended; they are in doubt", "deliveries", doubted)
	}
	e.relays.reset()
	e.keeper = newKeeper(e.Ledger, e.Suppression, e.Now)
	e.mu.Lock()
	defer e.mu.Unlock()
	// What an earlier run could not put on record has just been found in doubt.
	clear(e.inFlight)
	clear(e.editions)
	clear(e.sweeps)
	clear(e.canaries)
	e.serves = sc.edition == 0
	e.lastOK = e.Now()
	return nil
}

// run carries editions out until the scope ends, ctx is cancelled or something fails that
// another try does not mend. The caller has the sender role. It returns when every message
// that was begun has its result on record.
func (e *Engine) run(ctx context.Context, sc scope) error {
	if err := e.begin(ctx, sc); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var others, workers, kept sync.WaitGroup
	kept.Go(func() { e.keeper.keep(ctx) })
	others.Go(func() { e.beat(ctx) })
	if e.Outbox != nil {
		others.Go(func() { e.carryMails(ctx, e.Outbox, e.mailWake) })
	}
	if e.Proofs != nil { // they take long to compose, and nobody's confirmation waits for that
		others.Go(func() { e.carryMails(ctx, e.Proofs, nil) })
	}
	connections := e.relays.connections()
	rows := make(chan pending, 4*connections)
	failures := make(chan error, connections)
	for range connections {
		w := e.newWorker(rows)
		workers.Go(func() {
			if err := w.work(ctx); err != nil {
				failures <- err
				stop(err)
			}
		})
	}
	err := e.feed(ctx, sc, rows)
	close(rows)
	stop(err) // nobody goes on trying to connect; what is in flight is finished
	workers.Wait()
	for row := range rows {
		e.drop(row.key())
	}
	close(e.keeper.queue)
	kept.Wait()
	others.Wait()
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
	if len(e.inFlight) == 0 {
		e.lastOK = e.Now() // there was nothing that a relay could have taken
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

// giveBack notes that the row waits as before, on record, so that it is handed out again.
func (e *Engine) giveBack(key newsletter.DeliveryKey) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.inFlight, key)
	e.sweepAgain(key.EditionID)
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
	Canary  bool      // it waits to see how its canary does
	WarmUp  string    // what bounds the edition's day, if that is what it waits for
	Relay   error     // what the relay did wrong last; nil: nothing
}

func (u *UnfinishedError) Error() string {
	s := fmt.Sprintf("edition %d is not finished: %d deliveries wait", u.Edition, u.Waiting)
	switch {
	case u.Canary:
		s += fmt.Sprintf("; the canary is sent, and the rest goes on at %s, if nothing is wrong with it", u.NextTry.UTC().Format("15:04:05 UTC on 2 January"))
	case u.WarmUp != "":
		s += fmt.Sprintf("; the warm-up's share of today is sent (%s), it goes on at %s", u.WarmUp, u.NextTry.UTC().Format("15:04 UTC on 2 January"))
	case !u.NextTry.IsZero():
		s += ", the next try is at " + u.NextTry.UTC().Format("15:04:05 UTC on 2 January")
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
	of, err := e.Ledger.Edition(ctx, edition)
	if err != nil {
		return err
	}
	if of.WarmUp.PerDay > 0 && next.Equal(of.WarmUp.NextDay(e.Now())) {
		u.WarmUp = of.WarmUp.String()
	}
	u.Canary = !next.IsZero() && next.Equal(e.canaryTry(edition))
	e.mu.Lock()
	u.Relay = e.relayErr
	e.mu.Unlock()
	return u
}

func (e *Engine) noteRelay(err error) {
	e.mu.Lock()
	e.relayErr = err
	e.mu.Unlock()
}
