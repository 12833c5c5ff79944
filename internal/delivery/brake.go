package delivery

import (
	"context"
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

// tooManyRefused reports whether too many messages of the edition were refused, now that this
// one is.
func (e *Engine) tooManyRefused(r newsletter.DeliveryResult) (newsletter.BrakePull, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.editions[r.EditionID]
	if p == nil {
		return newsletter.BrakePull{}, false
	}
	last := strings.TrimPrefix(codeName(r.Outcome)+" "+newsletter.HideAddresses(r.Reply), "no answer, refused ")
	return e.Brakes.PullRefused(p.brakes, p.tally.Counts[newsletter.Accepted], p.tally.Counts[newsletter.Refused], last)
}

// brakeComplaints pauses the edition if too many readers have reported it as spam.
func (e *Engine) brakeComplaints(ctx context.Context, edition int64) error {
	if e.Brakes.Complaints == 0 {
		return nil
	}
	complaints, err := e.Ledger.Complaints(ctx, edition)
	if err != nil {
		return err
	}
	e.mu.Lock()
	p := e.editions[edition]
	var pull newsletter.BrakePull
	ok := false
	if p != nil {
		pull, ok = e.Brakes.PullComplaints(p.brakes, p.tally.Counts[newsletter.Accepted], complaints)
	}
	e.mu.Unlock()
	if !ok {
		return nil
	}
	return e.pullBrake(ctx, edition, pull)
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
