package desk

import (
	"context"
	"time"

	"broadsheet/internal/newsletter"
)

// HandledStore finds the editions of slots.
type HandledStore interface {
	SlotEditions(ctx context.Context, since time.Time) ([]newsletter.Edition, error)
}

// handledBack is how far back slots are looked at: a week between two, and a day to carry one
// out.
const handledBack = 8 * 24 * time.Hour

// LastHandled returns when the last slot was handled: its edition was carried out, or there
// was nothing to send. A slot that was missed, or refused or expired for everybody, is not
// handled. Zero: none was in the last days.
func (d *Desk) LastHandled(ctx context.Context, store HandledStore) (time.Time, error) {
	list, err := store.SlotEditions(ctx, d.now().Add(-handledBack))
	if err != nil {
		return time.Time{}, err
	}
	var last time.Time
	for _, e := range list {
		var at time.Time
		switch {
		case e.State == newsletter.EditionSent:
			at = e.FinishedAt
		case e.State == newsletter.EditionSkipped && !e.Failed():
			if at = e.AsOf; e.DueAt.After(at) { // staff skipped it ahead
				at = e.DueAt
			}
		}
		if !at.After(last) || at.After(d.now()) {
			continue
		}
		if e.State == newsletter.EditionSent {
			tally, err := d.lateTally(ctx, EditionStatus{Edition: e})
			if err != nil {
				return time.Time{}, err
			}
			if tally.Counts[newsletter.Accepted] == 0 && tally.Counts[newsletter.Refused]+tally.Counts[newsletter.Expired] > 0 {
				continue
			}
		}
		last = at
	}
	return last, nil
}
