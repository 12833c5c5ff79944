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

// carryMails hands over transactional mail, on a connection of its own so that it does not
// wait behind digests, until ctx ends. Nothing that goes wrong ends it: what could not be
// sent is tried again.
func (e *Engine) carryMails(ctx context.Context) {
	c := &connection{engine: e}
	defer c.close()
	if n, err := e.Outbox.RecoverMails(ctx, e.Now()); err != nil {
		e.Logger.Error("mails of the last sender are not recovered", "error", err)
	} else if n > 0 {
		e.Logger.Warn("mails were being handed over when the last sender ended; they are sent again", "mails", n)
	}
	idleSince := e.Now()
	for ctx.Err() == nil {
		n, err := e.carryDueMails(ctx, c)
		if err != nil && ctx.Err() == nil {
			e.Logger.Error("transactional mail", "error", err)
		}
		if n > 0 && err == nil {
			idleSince = e.Now()
			continue
		}
		if e.Now().Sub(idleSince) > idleClose {
			c.close()
		}
		wait, wake := e.Idle, e.mailWake
		if err != nil && c.failed > 0 {
			// A relay that is asked every second with a wrong password locks the account.
			wait, wake = max(wait, connectAgain(c.failed)), nil
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

func (e *Engine) carryDueMails(ctx context.Context, c *connection) (int, error) {
	if _, err := e.Outbox.ExpireMails(ctx, e.Now()); err != nil {
		return 0, err
	}
	due, err := e.Outbox.DueMails(ctx, e.Now(), mailPage)
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
func (e *Engine) carryMail(ctx context.Context, c *connection, id int64) error {
	m, err := e.Outbox.BeginMail(ctx, id, e.Now())
	if newsletter.KindOf(err) == newsletter.Conflict {
		return nil // it makes no sense any more
	}
	if err != nil {
		return err
	}
	// From here on the result must be recorded even while the program is being stopped.
	ctx = context.WithoutCancel(ctx)
	from, to, message, err := e.Outbox.Compose(ctx, m)
	if err != nil {
		o := newsletter.Outcome{State: newsletter.Deferred, Reply: "not composed: " + err.Error()}
		return errors.Join(err, e.finishMail(ctx, m, o))
	}
	o := c.session.Send(ctx, from, to, message)
	if o.State != newsletter.Waiting {
		c.failed = 0
	}
	if o.Broken {
		c.close()
	}
	if err := e.finishMail(ctx, m, outcomeOf(o, c.relay())); err != nil {
		return err
	}
	if o.Fault == mail.FaultRelay {
		return outcomeError(o)
	}
	return nil
}

func (e *Engine) finishMail(ctx context.Context, m newsletter.Mail, o newsletter.Outcome) error {
	next := e.Now().Add(newsletter.RetryAfter(m.Attempts+1, e.Random()))
	return e.Outbox.FinishMail(ctx, m.ID, o, next, e.Now())
}
