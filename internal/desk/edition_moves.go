package desk

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/newsletter"
)

// staffPaused is why an edition is paused if staff give no reason.
const staffPaused = "staff paused it"

// Pause stops the sending of an edition until it is resumed; what is being handed over is
// finished. It is refused with the reason not_open if the edition is not being sent.
func (d *Desk) Pause(ctx context.Context, id int64, reason string) error {
	e, err := d.o.Press.Store.Edition(ctx, id)
	switch {
	case err != nil:
		return err
	case !e.State.Open():
		return newsletter.Refusef("not_open", "edition %d is %s, so there is nothing to pause", id, e.State)
	case reason == "":
		reason = staffPaused
	}
	from := []newsletter.EditionState{newsletter.EditionFrozen, newsletter.EditionSending}
	return d.o.Press.Store.MoveEdition(ctx, id, from, newsletter.EditionPaused, reason, d.o.Actor, d.now())
}

// Resume lets an edition go on that is paused. It is refused with the reason not_paused if
// it is not.
func (d *Desk) Resume(ctx context.Context, id int64) error {
	e, err := d.o.Press.Store.Edition(ctx, id)
	switch {
	case err != nil:
		return err
	case e.State != newsletter.EditionPaused:
		return newsletter.Refusef("not_paused", "edition %d is %s, not paused", id, e.State)
	}
	from := []newsletter.EditionState{newsletter.EditionPaused}
	if err := d.o.Press.Store.MoveEdition(ctx, id, from, newsletter.EditionSending, "", d.o.Actor, d.now()); err != nil {
		return err
	}
	d.o.Press.Engine.Wake()
	return nil
}

// Cancel stops an edition for good and withholds what of it was not sent, so that it is owed
// to its readers again; it returns how many deliveries that were. What is being handed over is
// finished, and what is in doubt stays so. For a cancelled edition it withholds what came back
// since. It is refused with the reason not_open if the edition has ended.
func (d *Desk) Cancel(ctx context.Context, id int64, reason string) (int, error) {
	lock, err := d.o.Press.Store.LockPlanning(ctx)
	if err != nil {
		return 0, fmt.Errorf("wait for planning: %w", err)
	}
	defer lock.Close() // the process's end closes it too
	e, err := d.o.Press.Store.Edition(ctx, id)
	switch {
	case err != nil:
		return 0, err
	case e.State.Open(), e.State == newsletter.EditionPaused, e.State == newsletter.EditionDraft:
		from := []newsletter.EditionState{newsletter.EditionFrozen, newsletter.EditionSending, newsletter.EditionPaused, newsletter.EditionDraft}
		if err := d.o.Press.Store.MoveEdition(ctx, id, from, newsletter.EditionCancelled, reason, d.o.Actor, d.now()); err != nil {
			return 0, err
		}
	case e.State != newsletter.EditionCancelled:
		return 0, newsletter.Refusef("not_open", "edition %d is %s, so there is nothing to cancel", id, e.State)
	}
	return d.o.Press.Store.WithholdCancelled(ctx, id, d.now())
}

// CountRetry returns how many deliveries Retry would try again. It is refused with the reason
// nothing_to_retry if there are none, cancelled if the edition is, and rows_gone if its rows
// are no longer kept.
func (d *Desk) CountRetry(ctx context.Context, f newsletter.RetryFilter) (int, error) {
	if _, err := d.movable(ctx, f.EditionID, true); err != nil {
		return 0, err
	}
	n, err := d.o.Press.Store.CountRetry(ctx, f)
	if err == nil && n == 0 {
		err = newsletter.Refusef("nothing_to_retry", "no such delivery of edition %d was refused or has expired; \"broadsheet edition report %d\" shows what became of it", f.EditionID, f.EditionID)
	}
	return n, err
}

// Retry lets deliveries that were refused or have expired be tried again, for the time that
// editions of their cadence have, and opens the edition. Whoever got one of the articles by
// another edition meanwhile does not get it twice, unless the edition repeats in full. It is refused as CountRetry is.
func (d *Desk) Retry(ctx context.Context, f newsletter.RetryFilter) (newsletter.Retried, error) {
	lock, err := d.o.Press.Store.LockPlanning(ctx)
	if err != nil {
		return newsletter.Retried{}, fmt.Errorf("wait for planning: %w", err)
	}
	defer lock.Close() // the process's end closes it too
	e, err := d.movable(ctx, f.EditionID, true)
	if err != nil {
		return newsletter.Retried{}, err
	}
	if _, err := d.CountRetry(ctx, f); err != nil {
		return newsletter.Retried{}, err
	}
	snapshot, err := delivery.LoadSnapshot(ctx, d.o.Press.Store, e.ID)
	if err != nil {
		return newsletter.Retried{}, err
	}
	if f.Repeats = snapshot.Newsletter.Repeats; e.Cadence == newsletter.Immediate {
		f.Repeats = newsletter.RepeatNever // as it was planned
	}
	now := d.now()
	r, err := d.o.Press.Store.RetryDeliveries(ctx, f, d.o.Press.Transport.Real(), untilAgain(e, now), d.o.Actor, now)
	if err == nil {
		var recast newsletter.Recast
		recast, err = d.recast(ctx, e.ID)
		r.Withdrawn = recast.Withheld
		r.Waiting -= recast.Withheld
	}
	if err == nil && r.Waiting == 0 {
		_, err = d.o.Press.Store.FinishEdition(ctx, e.ID, now) // it was opened for nothing
	}
	d.o.Press.Engine.Wake()
	return r, err
}

// CountDoubts returns how many deliveries Resolve would settle. It is refused with the reason
// nothing_in_doubt if there are none, and rows_gone if the edition's rows are no longer kept.
func (d *Desk) CountDoubts(ctx context.Context, f newsletter.ResolveFilter) (int, error) {
	if _, err := d.movable(ctx, f.EditionID, false); err != nil {
		return 0, err
	}
	n, err := d.o.Press.Store.CountDoubts(ctx, f)
	if err == nil && n == 0 {
		err = newsletter.Refusef("nothing_in_doubt", "no such delivery of edition %d is in doubt", f.EditionID)
	}
	return n, err
}

// Resolve settles deliveries in doubt by what staff know, and returns how many. To send them
// once more is refused with the reason cancelled if the edition is; otherwise it is refused
// as CountDoubts is.
func (d *Desk) Resolve(ctx context.Context, f newsletter.ResolveFilter, as newsletter.Settlement) (int, error) {
	e, err := d.movable(ctx, f.EditionID, as == newsletter.Resend)
	if err != nil {
		return 0, err
	}
	if _, err := d.CountDoubts(ctx, f); err != nil {
		return 0, err
	}
	now := d.now()
	n, err := d.o.Press.Store.ResolveDoubts(ctx, f, as, untilAgain(e, now), d.o.Actor, now)
	d.o.Press.Engine.Wake()
	return n, err
}

// untilAgain is how long something of the edition is tried again: as long as an edition of
// its cadence has, or until its own time is over if that is later.
func untilAgain(e newsletter.Edition, now time.Time) time.Time {
	until := now.Add(e.Cadence.DeliveryTime())
	if e.ExpiresAt.After(until) {
		return e.ExpiresAt
	}
	return until
}

// movable returns the edition if its rows are there and, for sending, it is not cancelled.
func (d *Desk) movable(ctx context.Context, id int64, sending bool) (newsletter.Edition, error) {
	e, err := d.o.Press.Store.Edition(ctx, id)
	switch {
	case err != nil:
		return e, err
	case !e.PrunedAt.IsZero():
		return e, newsletter.RowsGone(id)
	case sending && e.State == newsletter.EditionCancelled:
		return e, newsletter.Cancelled(id)
	}
	return e, nil
}
