package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// Unfinished returns the newsletter's oldest edition of the cadence and slot that is not carried
// out yet, also one that is paused, but none that waits for its time; ok is false if there is
// none. An empty cadence or slot is any.
func (d *Desk) Unfinished(ctx context.Context, slug string, c newsletter.Cadence, slot string) (e newsletter.Edition, ok bool, err error) {
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return e, false, err
	}
	list, err := d.o.Press.Store.UnfinishedEditions(ctx, n.ID)
	if err != nil {
		return e, false, err
	}
	for _, e := range list {
		if (c == "" || e.Cadence == c) && (slot == "" || e.Audience() == slot) && !e.Waits(d.now()) {
			return e, true, nil
		}
	}
	return e, false, nil
}

// Waiting returns the newsletter's editions that are frozen to be sent later, unless they are paused.
func (d *Desk) Waiting(ctx context.Context, slug string) ([]newsletter.Edition, error) {
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return nil, err
	}
	list, err := d.o.Press.Store.UnfinishedEditions(ctx, n.ID)
	return slices.DeleteFunc(list, func(e newsletter.Edition) bool {
		return !e.Waits(d.now()) || e.State == newsletter.EditionPaused
	}), err
}

// Carry carries the edition to its readers, or watches another process do it. An edition
// that was paused goes on; one that is sent is left as it is. See delivery.Engine.Carry for
// how it ends.
func (d *Desk) Carry(ctx context.Context, id int64, wait time.Duration, progress func(newsletter.Pulse, bool)) error {
	e, err := d.o.Press.Store.Edition(ctx, id)
	if err != nil {
		return err
	}
	switch e.State {
	case newsletter.EditionSent:
		return nil
	case newsletter.EditionPaused:
		if e.Waits(d.now()) {
			return waiting(e)
		}
		err := d.o.Press.Store.MoveEdition(ctx, id, []newsletter.EditionState{newsletter.EditionPaused}, newsletter.EditionSending, "", d.o.Actor, d.now())
		if err != nil {
			return err
		}
	case newsletter.EditionFrozen, newsletter.EditionSending:
	case newsletter.EditionExpired:
		if e.Reason == newsletter.ReasonNotApproved {
			return newsletter.Refusef("not_open", "edition %d was not approved in time; \"broadsheet send %s\" sends what is owed", id, e.Newsletter)
		}
		return newsletter.Refusef("not_open", "edition %d has expired: nobody got it, and what was in it is owed still; \"broadsheet send %s\" sends that, \"broadsheet edition retry %d\" this", id, e.Newsletter, id)
	case newsletter.EditionSkipped, newsletter.EditionCancelled, newsletter.EditionDraft:
		return newsletter.Refusef("not_open", "edition %d is %s, so there is nothing to send", id, e.State)
	}
	if e.Waits(d.now()) {
		return waiting(e)
	}
	if e.PlannedAt.IsZero() {
		if err := d.finishPlanning(ctx, id, nil); err != nil {
			return err
		}
	}
	if err := d.o.Press.Engine.Carry(ctx, id, wait, progress); err != nil {
		return err
	}
	if err := d.withholdIfCancelled(ctx, id); err != nil {
		return err
	}
	// Whoever asks for the report finds it counted. If that fails, the edition is sent all the
	// same, and its balance is looked at by whoever shows it.
	if _, err := d.Report(ctx, id); err != nil {
		d.o.Logger.Warn("the edition is sent, and its totals are not kept yet", "edition", id, "error", err)
	}
	return nil
}

// waiting is the refusal to send an edition before its time.
func waiting(e newsletter.Edition) error {
	return newsletter.Refusef("waiting", "edition %d waits until %s UTC; \"broadsheet edition cancel %d\" stops it",
		e.ID, e.SendAt.UTC().Format("2006-01-02 15:04"), e.ID)
}

// withholdIfCancelled withholds what came back of an edition that was cancelled while it was
// carried: nobody else would, where no service runs.
func (d *Desk) withholdIfCancelled(ctx context.Context, id int64) error {
	e, err := d.o.Press.Store.Edition(ctx, id)
	if err == nil && e.State == newsletter.EditionCancelled {
		_, err = d.o.Press.Store.WithholdCancelled(ctx, id, d.now())
	}
	return err
}

// SendTest sends what most readers would get to one address. It is not recorded, its links
// to leave and to change belong to nobody, and it goes to that address alone.
func (d *Desk) SendTest(ctx context.Context, draft *Draft, to string) error {
	return d.sendTest(ctx, draft.Newsletter.ID, draft.Newsletter.From, draft.Message, to)
}

// SendTestOf is SendTest of what a preview shows: of an edition that is frozen, the bytes that
// its readers get.
func (d *Desk) SendTestOf(ctx context.Context, p *Preview, to string) error {
	return d.sendTest(ctx, p.Newsletter.ID, p.Snapshot.Newsletter.From.Address(), p.composed, to)
}

func (d *Desk) sendTest(ctx context.Context, newsletterID int64, from newsletter.Address, composed *mail.Variant, to string) error {
	email, _, err := mail.ParseAddress(to)
	if err != nil {
		return err
	}
	now := d.now()
	link := newsletter.Link{NewsletterID: newsletterID}
	p := delivery.Personal(d.o.Press.Keys, d.o.BaseURL, newsletter.Address{Email: email}, link, from.Domain(), now)
	// Each test is a mail of its own: a client that knows the Message-ID would hide it.
	p.MessageID = fmt.Sprintf("test-%d.%s", now.UnixNano(), p.MessageID)
	message, err := composed.Append(nil, p)
	if err != nil {
		return err
	}
	if signer := d.o.Press.Signers.For(from.Domain()); signer != nil {
		if message, err = signer.Sign(message); err != nil {
			return fmt.Errorf("test mail: %w", err)
		}
	}
	session, err := d.o.Press.Transport.Connect(ctx)
	if err != nil {
		return fmt.Errorf("test mail: %w", err)
	}
	o := session.Send(ctx, from.Email, email, message)
	if err := session.Close(); err != nil {
		d.o.Logger.Debug("closing the connection", "error", err)
	}
	if o.State != newsletter.Accepted {
		return errors.Join(fmt.Errorf("test mail to %s: %s: %d %s %s", email, o.State, o.Code, o.Enhanced, o.Reply), o.Err)
	}
	return nil
}
