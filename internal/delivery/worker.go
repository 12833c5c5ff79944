package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// connection is one worker's connection to the relay and what it knows of it.
type connection struct {
	engine  *Engine
	session mail.Session
	failed  int // to connect, in a row
	sent    int // messages over this session
}

// work hands over rows until there are no more or ctx ends. Whatever it began has its result
// on record when it returns. An error is one that ends the whole run.
func (e *Engine) work(ctx context.Context, rows <-chan newsletter.DeliveryKey) error {
	c := &connection{engine: e}
	defer c.close()
	var last *newsletter.DeliveryResult
	for {
		key, ok, err := e.nextRow(ctx, rows, &last, c)
		if !ok || err != nil {
			return errors.Join(err, e.record(ctx, &last))
		}
		if err := c.open(ctx); err != nil {
			e.drop(key)
			if recordErr := e.record(ctx, &last); recordErr != nil {
				return recordErr
			}
			if ctx.Err() != nil {
				return nil
			}
			return e.relayFailed(ctx, key.EditionID, err)
		}
		d, begun, err := e.step(ctx, &last, &key)
		if err != nil {
			e.drop(key)
			// The two go together or not at all; the result of the last one must not be lost
			// with the intent of this one.
			return errors.Join(err, e.record(ctx, &last))
		}
		if !begun {
			e.drop(key)
			continue
		}
		result, fault, err := c.send(ctx, d)
		last = &result
		if err != nil || fault != nil {
			if recordErr := e.record(ctx, &last); recordErr != nil {
				return recordErr
			}
			if err == nil {
				err = e.relayFailed(ctx, key.EditionID, fault)
			}
			return err
		}
		if e.allRefused(result) {
			if err := e.record(ctx, &last); err != nil {
				return err
			}
			return e.pause(ctx, key.EditionID, fmt.Sprintf("the relay refused the first %d messages, the last one with: %d %s", refusedAtStart, result.Code, result.Reply))
		}
	}
}

// idleClose is how long a connection is kept open with nothing to send.
const idleClose = 5 * time.Second

// nextRow returns the next row. Before it waits for one, the last result is recorded, and an
// idle connection is closed: relays hang up on those.
func (e *Engine) nextRow(ctx context.Context, rows <-chan newsletter.DeliveryKey, last **newsletter.DeliveryResult, c *connection) (newsletter.DeliveryKey, bool, error) {
	select {
	case key, ok := <-rows:
		return key, ok, nil
	default:
	}
	if err := e.record(ctx, last); err != nil {
		return newsletter.DeliveryKey{}, false, err
	}
	idle := time.NewTimer(idleClose)
	defer idle.Stop()
	for {
		select {
		case key, ok := <-rows:
			return key, ok, nil
		case <-idle.C:
			c.close()
		}
	}
}

// step records the last result and the intent for the next row in one transaction.
func (e *Engine) step(ctx context.Context, last **newsletter.DeliveryResult, next *newsletter.DeliveryKey) (newsletter.Delivery, bool, error) {
	d, ok, err := e.Ledger.Step(ctx, *last, next, e.Suppression, e.Now())
	if err != nil {
		return d, false, err
	}
	if *last != nil {
		e.drop((*last).DeliveryKey)
		*last = nil
	}
	return d, ok, nil
}

// recordTries is how often a result is tried to be recorded: it is the one thing that cannot
// be found out again.
const recordTries = 5

// record puts the last result on record, if there is one. If that cannot be done, the
// delivery stays in state sending, and whoever takes the sender role next finds it in doubt.
func (e *Engine) record(ctx context.Context, last **newsletter.DeliveryResult) error {
	if *last == nil {
		return nil
	}
	var err error
	for try := range recordTries {
		if _, _, err = e.step(ctx, last, nil); err == nil {
			return nil
		}
		e.Logger.Error("a result could not be recorded", "edition", (*last).EditionID, "subscriber", (*last).SubscriberID,
			"state", (*last).State.String(), "try", try+1, "error", err)
		if e.sleep(context.WithoutCancel(ctx), time.Second) != nil {
			break
		}
	}
	return err
}

// send hands over one message whose intent is on record.
func (c *connection) send(ctx context.Context, d newsletter.Delivery) (result newsletter.DeliveryResult, fault, fatal error) {
	e := c.engine
	result = newsletter.DeliveryResult{DeliveryKey: newsletter.DeliveryKey{EditionID: d.EditionID, SubscriberID: d.SubscriberID}}
	result.Outcome = newsletter.Outcome{State: newsletter.Waiting, Relay: c.relay()}
	letter, err := e.letter(ctx, d)
	if broken, ok := errors.AsType[*contentError](err); ok {
		return result, broken, nil
	}
	if err != nil {
		return result, nil, err
	}
	message, err := letter.variant.Append(nil, e.personal(letter, d))
	if err != nil {
		// This one reader's values do not fit into a mail; the others must not wait for it.
		result.State, result.Reply = newsletter.Refused, "not composed: "+err.Error()
		return result, nil, nil
	}
	if err := e.pace.wait(ctx, e.Now); err != nil {
		return result, nil, nil //nolint:nilerr // the run is being stopped: the row goes back to waiting
	}
	o := c.session.Send(ctx, letter.from, d.Email, message)
	c.sent++
	result.Outcome = outcomeOf(o, c.relay())
	if result.State == newsletter.Deferred || result.State == newsletter.InDoubt {
		result.NextTry = e.Now().Add(newsletter.RetryAfter(d.Attempts+1, e.Random()))
	}
	switch result.State {
	case newsletter.Accepted:
		e.noteRelay(nil)
		fallthrough
	case newsletter.Refused:
		e.lastOK.Store(e.Now().UnixMilli())
	case newsletter.Waiting, newsletter.Sending, newsletter.Deferred, newsletter.InDoubt, newsletter.Expired, newsletter.Withheld:
		if o.Err != nil {
			e.noteRelay(o.Err)
		}
		if result.State == newsletter.Deferred {
			e.lastOK.Store(e.Now().UnixMilli())
		}
	}
	if result.State != newsletter.Waiting {
		c.failed = 0
	}
	if o.Broken {
		c.close()
	}
	if o.Fault == mail.FaultRelay {
		return result, outcomeError(o), nil
	}
	if o.Fault == mail.FaultConnection && result.State == newsletter.Waiting {
		c.pauseAfter(ctx, !o.Broken || c.sent <= 1)
	}
	return result, nil, nil
}

// pauseAfter waits before a connection that the relay closed is opened again: not at all if
// it carried messages, longer and longer if it did not.
func (c *connection) pauseAfter(ctx context.Context, fruitless bool) {
	if !fruitless {
		return
	}
	c.failed++
	_ = c.engine.sleep(ctx, connectAgain(c.failed))
}

// relay names the relay in the ledger; the outbox has one name wherever its folder is.
func (c *connection) relay() string {
	if !c.engine.Transport.Real() {
		return newsletter.OutboxRelay
	}
	return c.engine.Transport.String()
}

// open makes sure that there is a session. It tries until ctx ends; the error is ctx's, or
// one that another try does not mend.
func (c *connection) open(ctx context.Context) error {
	for c.session == nil {
		session, err := c.engine.Transport.Connect(ctx)
		if err == nil {
			c.session, c.sent = session, 0
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.engine.noteRelay(err)
		c.failed++
		if refusal, ok := errors.AsType[*mail.ConnectError](err); ok && refusal.Outcome.Fault == mail.FaultRelay {
			return err
		}
		if c.engine.isNews(err) {
			c.engine.Logger.Warn("no connection to the relay; it is tried again and again", "relay", c.relay(), "error", err)
		}
		if err := c.engine.sleep(ctx, connectAgain(c.failed)); err != nil {
			return err
		}
	}
	return nil
}

// connectAgain is how long to wait after so many failures: a relay that refuses connections
// wants fewer of them.
func connectAgain(failed int) time.Duration {
	wait := time.Second
	for range min(failed-1, 5) {
		wait *= 2
	}
	return min(wait, 30*time.Second)
}

func (c *connection) close() {
	if c.session == nil {
		return
	}
	if err := c.session.Close(); err != nil {
		c.engine.Logger.Debug("closing the connection", "error", err)
	}
	c.session = nil
}

// relayFailed pauses the edition: the relay refuses us, not a message, and every further try
// would be refused as well.
func (e *Engine) relayFailed(ctx context.Context, edition int64, cause error) error {
	return e.pause(ctx, edition, cause.Error())
}

// PausedError says that an edition was paused by the sender itself, and why.
type PausedError struct {
	Edition int64
	Reason  string
}

func (p *PausedError) Error() string {
	return fmt.Sprintf("edition %d is paused: %s; once that is mended, \"broadsheet send --edition %d\" goes on with it", p.Edition, p.Reason, p.Edition)
}

func (e *Engine) pause(ctx context.Context, edition int64, reason string) error {
	open := []newsletter.EditionState{newsletter.EditionFrozen, newsletter.EditionSending}
	err := e.Ledger.MoveEdition(context.WithoutCancel(ctx), edition, open, newsletter.EditionPaused, reason, "sender", e.Now())
	if err != nil && newsletter.KindOf(err) != newsletter.Conflict { // another worker was first
		return err
	}
	e.Logger.Error("edition paused", "edition", edition, "reason", reason)
	return &PausedError{Edition: edition, Reason: reason}
}

// refusedAtStart is how many messages of an edition may be refused, with none accepted,
// before the fault must be ours.
const refusedAtStart = 20

// allRefused reports whether the relay has refused everything of the edition so far.
func (e *Engine) allRefused(r newsletter.DeliveryResult) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	o := e.openings[r.EditionID]
	if o == nil {
		o = &opening{}
		e.openings[r.EditionID] = o
	}
	switch {
	case r.State == newsletter.Accepted:
		o.accepted++
	case r.State == newsletter.Refused && r.Code != 0:
		o.refused++
	}
	return o.accepted == 0 && o.refused >= refusedAtStart && r.State == newsletter.Refused
}

func outcomeOf(o mail.Outcome, relay string) newsletter.Outcome {
	reply := o.Reply
	if reply == "" && o.Err != nil {
		reply = o.Err.Error()
	}
	return newsletter.Outcome{State: o.State, Code: o.Code, Enhanced: o.Enhanced, Reply: reply, Relay: relay}
}

// outcomeError returns what the relay said as an error.
func outcomeError(o mail.Outcome) error {
	if o.Code == 0 {
		return fmt.Errorf("%s: %w", o.Phase, o.Err)
	}
	return fmt.Errorf("it answered %d %s %s to %s", o.Code, o.Enhanced, o.Reply, o.Phase)
}
