package delivery

import (
	"context"
	"errors"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// MailQueue is the outbox of transactional mail in the database.
type MailQueue interface {
	RecoverMails(ctx context.Context, now time.Time) (int, error)
	DueMails(ctx context.Context, now time.Time, limit int) ([]newsletter.Mail, error)
	BeginMail(ctx context.Context, id int64, now time.Time) (newsletter.Mail, error)
	// FinishMail records the outcome; a mail in doubt is counted as such and tried again.
	FinishMail(ctx context.Context, id int64, o newsletter.Outcome, nextTry, now time.Time) error
	ExpireMails(ctx context.Context, now time.Time) (int, error)
}

// MailComposer composes a transactional mail when it is handed over.
type MailComposer interface {
	Compose(ctx context.Context, m newsletter.Mail) (from, to string, message []byte, err error)
}

// Outbox is what sending transactional mail needs.
type Outbox interface {
	MailQueue
	MailComposer
}

// mailPage is how many transactional mails are read at a time.
const mailPage = 50

// carryMails hands over the mail of an outbox, on a connection of its own so that it does not
// wait behind digests, until ctx ends. Nothing that goes wrong ends it: what could not be
// sent is tried again. alarm, which may be nil, says that there may be something to do.
func (e *Engine) carryMails(ctx context.Context, outbox Outbox, alarm <-chan struct{}) {
	c := &mailConnection{engine: e, outbox: outbox, unsettled: true}
	defer c.close()
	idleSince := e.Now()
	for ctx.Err() == nil {
		n, err := e.carryDueMails(ctx, c)
		if err != nil && ctx.Err() == nil && e.isNews("", "mails", mail.Outcome{}) {
			e.Logger.Error("transactional mail is not sent now; it is tried again and again", "error", err)
		}
		if n > 0 && err == nil {
			idleSince = e.Now()
			continue
		}
		if e.Now().Sub(idleSince) > idleClose {
			c.close()
		}
		wait, wake := e.Idle, alarm
		if err != nil && c.failures > 0 {
			// A relay that is asked every second with a wrong password locks the account.
			wait, wake = max(wait, connectAgain(c.failures)), nil
		}
		// Not e.sleep: a wake-up belongs to whoever waits for it first.
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-t.C:
		}
		t.Stop()
	}
}

func (e *Engine) carryDueMails(ctx context.Context, c *mailConnection) (int, error) {
	if c.unsettled { // left by the last sender, or by this one when a result could not be recorded
		n, err := c.outbox.RecoverMails(ctx, e.Now())
		if err != nil {
			return 0, err
		}
		c.unsettled = false
		if n > 0 {
			e.Logger.Warn("mails were being handed over and have no result; they are sent again", "mails", n)
		}
	}
	if _, err := c.outbox.ExpireMails(ctx, e.Now()); err != nil {
		return 0, err
	}
	due, err := c.outbox.DueMails(ctx, e.Now(), mailPage)
	if err != nil {
		return 0, err
	}
	for _, m := range due {
		if err := c.open(ctx); err != nil {
			return 0, err
		}
		if err := e.carryMail(ctx, c, m.ID); err != nil {
			return 0, err
		}
		if ctx.Err() != nil {
			return 0, nil
		}
	}
	return len(due), nil
}

// carryMail hands over one mail: intent, message, result, each on record before the next.
func (e *Engine) carryMail(ctx context.Context, c *mailConnection, id int64) error {
	m, err := c.outbox.BeginMail(ctx, id, e.Now())
	if newsletter.KindOf(err) == newsletter.Conflict {
		return nil // it makes no sense any more
	}
	if err != nil {
		return err
	}
	// From here on the result must be recorded even while the program is being stopped.
	ctx = context.WithoutCancel(ctx)
	from, to, message, err := c.outbox.Compose(ctx, m)
	if err != nil {
		o := newsletter.Outcome{State: newsletter.Deferred, Reply: "not composed: " + err.Error()}
		return errors.Join(err, e.finishMail(ctx, c, m, o))
	}
	if signer := e.Signers.For(newsletter.Address{Email: from}.Domain()); signer != nil {
		if message, err = signer.Sign(message); err != nil {
			o := newsletter.Outcome{State: newsletter.Deferred, Reply: "not signed: " + err.Error()}
			return errors.Join(err, e.finishMail(ctx, c, m, o))
		}
	}
	if e.BounceDomain != "" && m.SubscriberID != 0 { // what is reported is told apart by readers
		from = e.Keys.BounceMailAddress(m.ID, e.BounceDomain)
	}
	o := c.session.Send(ctx, from, to, message)
	if o.State != newsletter.Waiting {
		c.failures = 0
	}
	if o.State != newsletter.Waiting && o.Code != 0 {
		e.relays.well(c.relay)
	}
	if o.Broken {
		c.close()
	}
	if err := e.finishMail(ctx, c, m, outcomeOf(o, relayName(c.relay))); err != nil {
		return err
	}
	if o.Fault == mail.FaultRelay {
		c.refused(time.Now())
		return &saidError{o}
	}
	return nil
}

// finishMail records what became of a mail. If that cannot be done now, it is sent once more:
// better twice than never.
func (e *Engine) finishMail(ctx context.Context, c *mailConnection, m newsletter.Mail, o newsletter.Outcome) error {
	next := e.Now().Add(newsletter.RetryAfter(m.Attempts+1, e.Random()))
	err := c.outbox.FinishMail(ctx, m.ID, o, next, e.Now())
	for try := 1; err != nil && try < recordTries && e.sleep(ctx, time.Second) == nil; try++ {
		err = c.outbox.FinishMail(ctx, m.ID, o, next, e.Now())
	}
	c.unsettled = c.unsettled || err != nil
	return err
}

// mailConnection is the connection of transactional mail: it waits for no place at a relay,
// so that a confirmation does not wait behind a million digests.
type mailConnection struct {
	engine   *Engine
	outbox   Outbox
	relay    *relay
	session  mail.Session
	failures int // to get a mail to a relay, in a row
	// refusedUntil is how long a relay is passed over that takes connections from us and not
	// this mail: what it says of the sender of confirmations need not hold for digests.
	refusedUntil map[*relay]time.Time
	unsettled    bool // a mail may have been begun and have no result
}

// open makes sure that there is a session with one of the relays; each is asked once.
func (c *mailConnection) open(ctx context.Context) error {
	if c.session != nil {
		return nil
	}
	rs := c.engine.relays
	var failures []error
	for _, r := range rs.list {
		if (!rs.isUsable(r) || time.Now().Before(c.refusedUntil[r])) && len(rs.list) > 1 {
			continue
		}
		session, err := r.Connect(ctx)
		if err == nil {
			c.session, c.relay = session, r
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		failures = append(failures, err)
		rs.failed(r, err)
	}
	c.failures++
	if len(failures) == 0 {
		return errNoRelay
	}
	return errors.Join(failures...)
}

// refused notes that the relay does not take this mail from us, and leaves it for another.
func (c *mailConnection) refused(now time.Time) {
	if c.refusedUntil == nil {
		c.refusedUntil = map[*relay]time.Time{}
	}
	c.refusedUntil[c.relay] = now.Add(refusedAgain)
	c.failures++
	c.close()
}

var errNoRelay = errors.New("no relay takes mail now")

func (c *mailConnection) close() {
	if c.session == nil {
		return
	}
	if err := c.session.Close(); err != nil {
		c.engine.Logger.Debug("closing the connection", "error", err)
	}
	c.session = nil
}
