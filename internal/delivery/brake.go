package delivery

import (
	"context"
	"errors"
	"strings"

	"broadsheet/internal/newsletter"
)

// noteBrakes takes note of the limits that the edition was let go on with.
func (e *Engine) noteBrakes(edition newsletter.Edition) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.editions[edition.ID]; p != nil {
		p.brakes = edition.Brakes
	}
}

// tooManyRefused reports whether too many messages of the edition have been refused, in this
// run too: what was refused before it did not stop it then, or staff let it go on.
func (e *Engine) tooManyRefused(edition int64) (newsletter.BrakePull, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.editions[edition]
	if p == nil || p.refused == 0 {
		return newsletter.BrakePull{}, false
	}
	return e.Brakes.PullRefused(p.brakes, p.tally.Counts[newsletter.Accepted], p.tally.Counts[newsletter.Refused], p.refusal)
}

// refusalOf is what the relay said to a message, for who reads why an edition is paused.
func refusalOf(o newsletter.Outcome) string {
	return strings.TrimPrefix(codeName(o)+" "+newsletter.HideAddresses(o.Reply), "no answer, refused ")
}

// tooMuchBack reports whether too much of the edition came back as not delivered, or too many
// readers have reported it as spam.
func (e *Engine) tooMuchBack(ctx context.Context, edition int64) (newsletter.BrakePull, bool, error) {
	if e.Brakes == (newsletter.Brakes{}) {
		return newsletter.BrakePull{}, false, nil
	}
	bounced, complaints, err := e.Ledger.CameBack(ctx, edition)
	if err != nil {
		return newsletter.BrakePull{}, false, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.editions[edition]
	if p == nil {
		return newsletter.BrakePull{}, false, nil
	}
	accepted, refused := p.tally.Counts[newsletter.Accepted], p.tally.Counts[newsletter.Refused]
	if bounced > 0 {
		if pull, ok := e.Brakes.PullReturned(p.brakes, accepted, refused, bounced); ok {
			return pull, true, nil
		}
	}
	pull, ok := e.Brakes.PullComplaints(p.brakes, accepted, complaints)
	return pull, ok, nil
}

// checkBrakes pauses the edition if too much of it was refused, by the first of its messages
// too, too much came back, or too many readers have reported it as spam.
func (e *Engine) checkBrakes(ctx context.Context, edition int64) error {
	pull, ok := e.tooManyRefused(edition)
	if !ok {
		var err error
		if pull, ok, err = e.tooMuchBack(ctx, edition); err != nil || !ok {
			return err
		}
	}
	err := e.pullBrake(ctx, edition, pull)
	if errors.As(err, new(*PausedError)) {
		return nil // whoever carries it finds it paused
	}
	return err
}

// pullBrake pauses the edition and returns a *PausedError. It returns nil if the edition is
// paused already, or was let go on at this share.
func (e *Engine) pullBrake(ctx context.Context, edition int64, pull newsletter.BrakePull) error {
	pulled, err := e.Ledger.PullBrake(context.WithoutCancel(ctx), edition, pull, e.Now())
	if err != nil || !pulled {
		return err
	}
	if e.serves { // a command tells the error
		e.Logger.Error("edition paused", "edition", edition, "reason", pull.Reason)
	}
	return &PausedError{Edition: edition, Reason: pull.Reason}
}
