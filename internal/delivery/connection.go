package delivery

import (
	"context"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// connection is one connection to a relay at a time, and the place that it takes there.
type connection struct {
	engine  *Engine
	relay   *relay // nil: no place
	name    string // of the relay of this session, or the last one, in the ledger
	session mail.Session
	opened  time.Time
	sent    int  // messages over this session
	settled bool // one of them was answered
}

// take makes sure that there is a place at a relay.
func (c *connection) take(ctx context.Context) (err error) {
	if c.relay == nil {
		c.relay, err = c.engine.relays.place(ctx)
	}
	return err
}

// ready makes sure that there is a session. It tries one relay after the other until ctx
// ends; the error is ctx's, or one that another try does not mend: all relays refuse us.
func (c *connection) ready(ctx context.Context) error {
	e := c.engine
	for c.session == nil {
		if err := c.take(ctx); err != nil {
			return err
		}
		session, err := c.relay.Connect(ctx)
		if err == nil {
			c.session, c.sent, c.settled, c.opened, c.name = session, 0, false, time.Now(), relayName(c.relay)
			e.relays.opened(c.relay)
			return nil
		}
		if ctx.Err() != nil {
			c.leave()
			return context.Cause(ctx)
		}
		c.failed(err)
	}
	return nil
}

// failed gives the place up because the relay took no connection, or no mail.
func (c *connection) failed(cause error) {
	e := c.engine
	e.noteRelay(cause)
	c.close()
	e.tellRelay(c.relay, cause, e.relays.failed(c.relay, cause))
	c.leave()
}

// relayName names the relay in the ledger; the outbox has one name wherever its folder is.
func relayName(r *relay) string {
	if !r.Real() {
		return newsletter.OutboxRelay
	}
	return r.String()
}

// note takes note of a message's outcome: a relay that settles one is well. barren says that
// it takes connections and then no mail.
func (c *connection) note(o mail.Outcome) (barren bool) {
	c.sent++
	switch {
	case o.Fault != mail.FaultConnection:
		if !c.settled && o.Code != 0 {
			c.settled = true
			c.engine.relays.well(c.relay)
		}
	case o.State == newsletter.Waiting:
		return !c.settled || !o.Broken
	case !c.settled: // one by one they may be chance
		return c.engine.relays.isBarren(c.relay)
	}
	return false
}

// isLast reports whether the next message is to be the session's last. It is asked once for
// each message: whoever is told to try a relay that had failed has to do so.
func (c *connection) isLast() bool {
	r := c.relay
	return r.Messages > 0 && c.sent+1 >= r.Messages || r.Age > 0 && time.Since(c.opened) > r.Age || c.engine.relays.shouldLeave(r)
}

// close ends the session and keeps the place.
func (c *connection) close() {
	if c.session == nil {
		return
	}
	if err := c.session.Close(); err != nil {
		c.engine.Logger.Debug("closing the connection", "error", err)
	}
	c.session = nil
	c.engine.relays.closed(c.relay)
}

// leave ends the session and gives the place back.
func (c *connection) leave() {
	c.close()
	if c.relay != nil {
		c.engine.relays.leave(c.relay)
		c.relay = nil
	}
}
