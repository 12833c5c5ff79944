package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// worker hands over messages over one connection, one after the other, each with its intent
// on record before its final dot, and its result with the intent of the next:
//
//	worker   … content and dot n, envelope n+1 → reply n → 354 n+1 ──► content and dot n+1 …
//	ledger                                             └ result n, intent n+1 ┘
//
// So while the ledger commits, the next envelope is being agreed to and the message after it
// is made ready; and the final dot is sent only after the commit that holds its intent is
// known to have succeeded.
type worker struct {
	engine *Engine
	rows   <-chan pending
	conn   *connection
	last   *newsletter.DeliveryResult // not on record yet
	answer chan newsletter.StepResult
	barred func(emailKey string) newsletter.SuppressionHashes // what a suppression is kept under

	// What each message needs anew, made once: the message in flight and the next one, and the
	// last result.
	parcels [2]parcel
	turn    int
	result  newsletter.DeliveryResult
}

func (e *Engine) newWorker(rows <-chan pending) *worker {
	return &worker{
		engine: e, rows: rows, conn: &connection{engine: e}, answer: make(chan newsletter.StepResult, 1),
		barred: e.Suppression.Hasher(),
	}
}

// pending is a row of the ledger to be sent, and when its reader's address was read.
type pending struct {
	newsletter.Delivery
	readAt time.Time
}

func (p pending) key() newsletter.DeliveryKey {
	return newsletter.DeliveryKey{EditionID: p.EditionID, SubscriberID: p.SubscriberID}
}

// parcel is a message ready to be handed over.
type parcel struct {
	pending
	intent   newsletter.Intent
	envelope mail.Envelope
	content  []byte
	refusal  error // it cannot be composed for this reader
}

// work hands over rows until there are no more or ctx ends. Whatever it began has its result
// on record when it returns. An error is one that ends the whole run.
func (w *worker) work(ctx context.Context) (err error) {
	e := w.engine
	defer w.conn.leave()
	defer func() { err = errors.Join(err, w.record(ctx)) }()
	var next *parcel
	for {
		if next == nil {
			if next, err = w.next(ctx); next == nil || err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			e.giveBack(next.key())
			return nil
		}
		this := next
		if w.conn.session == nil { // to connect may take long, and a result must not wait for that
			if err := w.record(ctx); err != nil {
				e.giveBack(this.key())
				return err
			}
		}
		if err := w.conn.ready(ctx); err != nil {
			e.giveBack(this.key())
			if ctx.Err() != nil {
				return nil
			}
			return errors.Join(w.record(ctx), e.pause(ctx, this.EditionID, err.Error()))
		}
		if next, err = w.hand(ctx, this); err != nil {
			if next != nil {
				e.giveBack(next.key())
			}
			return err
		}
	}
}

// hand hands over one message, and returns the one that follows if that is prepared.
func (w *worker) hand(ctx context.Context, this *parcel) (next *parcel, err error) {
	e := w.engine
	e.keeper.busy.Add(1)
	defer e.keeper.busy.Add(-1)
	e.keeper.submit(newsletter.Step{Last: w.last, Next: &this.intent}, w.answer)
	var o mail.Outcome
	open, last := false, w.conn.isLast()
	if last { // whatever comes of it: who is to try another relay must not stay
		defer w.conn.leave()
	}
	if this.refusal == nil {
		o, open = w.conn.session.Open(this.envelope)
	} else {
		o = mail.Outcome{State: newsletter.Refused, Fault: mail.FaultMessage, Err: this.refusal}
	}
	if open && !last { // what follows is made ready while the ledger commits
		next = w.nextAtOnce(ctx)
	}
	answer := <-w.answer
	if answer.Err != nil {
		w.conn.close() // without content nothing was sent
		e.giveBack(this.key())
		return next, answer.Err
	}
	w.recorded()
	if !answer.Begun {
		if open || o.Broken {
			w.conn.close() // DATA has no other way back
		}
		e.notBegun(this.key(), answer)
		return next, nil
	}
	if open {
		var ahead *mail.Envelope
		if next != nil && next.refusal == nil {
			ahead = &next.envelope
		}
		o = w.conn.session.Finish(this.content, ahead)
	}
	return next, w.finished(ctx, this, o)
}

// finished takes the outcome of a message and keeps it until it is recorded.
func (w *worker) finished(ctx context.Context, this *parcel, o mail.Outcome) error {
	e := w.engine
	w.result = newsletter.DeliveryResult{DeliveryKey: this.key(), Outcome: outcomeOf(o, w.conn.name)}
	result := &w.result
	if result.State == newsletter.Deferred || result.State == newsletter.InDoubt {
		result.NextTry = e.Now().Add(newsletter.RetryAfter(this.Attempts+1, e.Random()))
	}
	if o.Phase == mail.PhaseRcpt && result.State == newsletter.Refused && e.Judge != nil {
		if r, ok := e.Judge(result.Outcome); ok {
			result.Return = &r
		}
	}
	w.last = result
	e.noteResult(*result, o)
	e.tellMessage(w.conn.name, o)
	barren := w.conn.note(o)
	switch {
	case o.Fault == mail.FaultRelay:
		w.conn.failed(&refusedError{&saidError{o}})
		if refusal := e.relays.refusal(); refusal != nil { // there is no other relay to try
			return errors.Join(w.record(ctx), e.pause(ctx, this.EditionID, refusal.Error()))
		}
	case barren:
		w.conn.failed(&saidError{o}) // it takes connections and then no mail
	case o.Broken:
		w.conn.close()
	}
	if result.State == newsletter.Refused && e.allRefused(result.EditionID) {
		if err := w.record(ctx); err != nil {
			return err
		}
		return e.pause(ctx, this.EditionID, fmt.Sprintf("the first %d messages were refused (\"broadsheet edition retry %d\" sends them again), the last one with: %s",
			refusedAtStart, this.EditionID, strings.TrimPrefix(fmt.Sprintf("%d %s", result.Code, newsletter.HideAddresses(result.Reply)), "0 ")))
	}
	if result.State == newsletter.Refused {
		if pull, ok := e.tooManyRefused(this.EditionID); ok {
			return errors.Join(w.record(ctx), e.pullBrake(ctx, this.EditionID, pull))
		}
	}
	return nil
}

// idleClose is how long a connection is kept open with nothing to send.
const idleClose = 5 * time.Second

// next waits for the next row and makes its message ready; nil if there are no more, or ctx
// has ended.
func (w *worker) next(ctx context.Context) (*parcel, error) {
	for ctx.Err() == nil {
		row, ok, err := w.nextRow(ctx)
		if !ok || err != nil {
			return nil, err
		}
		if !w.engine.isStopped(row) {
			return w.prepareInTime(ctx, row)
		}
	}
	return nil, nil
}

// nextRow waits for the next row. Before it waits, the last result is recorded, and an idle
// connection is closed: relays hang up on those.
func (w *worker) nextRow(ctx context.Context) (row pending, ok bool, err error) {
	select {
	case row, ok = <-w.rows:
		return row, ok, nil
	default:
	}
	if err := w.record(ctx); err != nil {
		return row, false, err
	}
	idle := time.NewTimer(idleClose)
	defer idle.Stop()
	for {
		select {
		case row, ok = <-w.rows:
			return row, ok, nil
		case <-idle.C:
			w.conn.leave()
		case <-w.wanted(): // somebody has a message and no place
			w.conn.leave()
		}
	}
}

// wanted returns where others ask for the worker's place; nil if it has none.
func (w *worker) wanted() <-chan struct{} {
	if w.conn.relay == nil {
		return nil
	}
	return w.engine.relays.wanted
}

// nextAtOnce makes the next row ready if there is one. A row whose message cannot be made
// ready comes again, and is looked at then.
func (w *worker) nextAtOnce(ctx context.Context) *parcel {
	if ctx.Err() != nil || !w.engine.pace.free() || !w.conn.relay.pace.free() {
		return nil // where a rate holds it back there is no hurry
	}
	select {
	case row, ok := <-w.rows:
		if !ok || w.engine.isStopped(row) {
			return nil
		}
		p, err := w.prepare(ctx, row)
		if err != nil {
			w.engine.giveBack(row.key())
		}
		return p
	default:
		return nil
	}
}

// prepareInTime makes the row's message ready when there is a relay for it and the rates
// allow one more; nil if ctx has ended.
func (w *worker) prepareInTime(ctx context.Context, row pending) (p *parcel, err error) {
	e := w.engine
	if w.conn.relay == nil || !e.pace.free() || !w.conn.relay.pace.free() { // a result must not wait for a place or a rate
		if err := w.record(ctx); err != nil {
			e.giveBack(row.key())
			return nil, err
		}
	}
	if err = w.conn.take(ctx); err == nil {
		err = e.pace.wait(ctx)
	}
	if err == nil {
		err = w.conn.relay.pace.wait(ctx)
	}
	switch {
	case ctx.Err() != nil:
		e.giveBack(row.key())
		return nil, nil
	case err != nil: // all relays refuse us
		e.giveBack(row.key())
		return nil, errors.Join(w.record(ctx), e.pause(ctx, row.EditionID, err.Error()))
	}
	if p, err = w.prepare(ctx, row); err == nil {
		return p, nil
	}
	e.giveBack(row.key())
	if ctx.Err() != nil {
		return nil, nil //nolint:nilerr // the run is being stopped, and with it the reading
	}
	if broken, ok := errors.AsType[*contentError](err); ok {
		err = errors.Join(w.record(ctx), e.pause(ctx, row.EditionID, broken.Error()))
	}
	return nil, err
}

// prepare composes the row's message. What cannot be composed for this one reader is a
// parcel too: the others must not wait for it.
func (w *worker) prepare(ctx context.Context, row pending) (*parcel, error) {
	e := w.engine
	l, err := e.letter(ctx, row.Delivery)
	if err != nil {
		return nil, err
	}
	w.turn = 1 - w.turn // the other one may be in flight
	p := &w.parcels[w.turn]
	*p = parcel{pending: row, content: p.content[:0]}
	p.intent = newsletter.Intent{DeliveryKey: row.key(), VariantID: row.VariantID, Email: row.Email, Barred: w.barred(row.EmailKey), ReadAt: row.readAt}
	p.content, p.refusal = l.variant.AppendContent(p.content, e.personal(l, row.Delivery), l.signer)
	p.content = slices.Grow(p.content, mail.FinishSpace)
	if p.refusal != nil {
		p.refusal = fmt.Errorf("not composed: %w", p.refusal)
	}
	p.envelope = mail.Envelope{From: e.returnPath(l, row.Delivery), To: row.Email, Size: len(p.content)}
	return p, nil
}

// recorded notes that the last result is on record.
func (w *worker) recorded() {
	if w.last == nil {
		return
	}
	if w.last.State == newsletter.Waiting {
		w.engine.giveBack(w.last.DeliveryKey)
	} else {
		w.engine.drop(w.last.DeliveryKey)
	}
	w.last = nil
}

// recordTries is how often a result is tried to be recorded: it is the one thing that cannot
// be found out again.
const recordTries = 5

// record puts the last result on record, if there is one. If that cannot be done, the
// delivery stays in state sending, and whoever takes the sender role next finds it in doubt.
func (w *worker) record(ctx context.Context) error {
	e := w.engine
	var err error
	for try := 0; w.last != nil && try < recordTries; try++ {
		e.keeper.submit(newsletter.Step{Last: w.last}, w.answer)
		if err = (<-w.answer).Err; err == nil {
			w.recorded()
			return nil
		}
		if e.isNews("", "ledger", mail.Outcome{}) { // it meets every connection and every try
			e.Logger.Error("results cannot be recorded now; nothing more is sent, and what stays unrecorded will be in doubt",
				"edition", w.last.EditionID, "error", err)
		}
		if e.sleep(context.WithoutCancel(ctx), time.Second) != nil {
			break
		}
	}
	return err
}

// PausedError says that an edition was paused by the sender itself, and why.
type PausedError struct {
	Edition int64
	Reason  string
}

func (p *PausedError) Error() string {
	return fmt.Sprintf("edition %d is paused: %s; once that is mended, \"broadsheet send --edition %d\" goes on with it", p.Edition, p.Reason, p.Edition)
}

// pause pauses the edition for staff, and returns a *PausedError that says why.
func (e *Engine) pause(ctx context.Context, edition int64, reason string) error {
	open := []newsletter.EditionState{newsletter.EditionFrozen, newsletter.EditionSending}
	err := e.Ledger.MoveEdition(context.WithoutCancel(ctx), edition, open, newsletter.EditionPaused, reason, "sender", e.Now())
	first := err == nil
	if !first && newsletter.KindOf(err) != newsletter.Conflict {
		return err
	}
	if first && e.serves { // a command tells the error
		e.Logger.Error("edition paused", "edition", edition, "reason", reason)
	}
	return &PausedError{Edition: edition, Reason: reason}
}

// refusedAtStart is how many messages of an edition may be refused, with none accepted,
// before the fault must be ours.
const refusedAtStart = 20

// allRefused reports whether the relay has refused everything of the edition so far.
func (e *Engine) allRefused(edition int64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.editions[edition]
	return p != nil && p.refused >= refusedAtStart && p.tally.Counts[newsletter.Accepted] == 0
}

func outcomeOf(o mail.Outcome, relay string) newsletter.Outcome {
	reply := o.Reply
	if reply == "" && o.Err != nil {
		reply = o.Err.Error()
	}
	return newsletter.Outcome{State: o.State, Code: o.Code, Enhanced: o.Enhanced, Reply: reply, Relay: relay}
}
