package desk

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// ImmediateStore knows what immediate editions there were, and for whom.
type ImmediateStore interface {
	LastImmediate(ctx context.Context, newsletterID int64) (id int64, asOf time.Time, err error)
	ImmediateReaders(ctx context.Context, newsletterID int64, now time.Time) (since time.Time, ok bool, err error)
}

// immediateSlot is the slot of an immediate edition that is due, or will be.
type immediateSlot struct {
	key  newsletter.SlotKey
	due  newsletter.Due
	last time.Time // what came up to then, the edition before looked at
}

// runImmediate builds the newsletter's immediate edition if one is due. While the newsletter is
// paused there is none, and nothing is recorded: what came is in the next one after it.
func (d *Desk) runImmediate(ctx context.Context, n newsletter.Newsletter, s newsletter.Schedule, grace time.Duration) error {
	if n.Status != newsletter.Open {
		return nil
	}
	slot, ok, err := d.immediateSlot(ctx, n, s)
	if err != nil || !ok || slot.due.At.After(d.now()) {
		return err
	}
	if d.now().Sub(slot.due.At) > grace {
		return d.skipMissed(ctx, n, slot.key, slot.due)
	}
	return d.buildSlot(ctx, n, slot.key, slot.due, slot.last)
}

// immediateSlot returns when an edition is due for what came in since the last one; ok is false if
// nothing came that immediate readers are to get, or there are none. It is found in the database
// alone, so that it does not matter who asks.
func (d *Desk) immediateSlot(ctx context.Context, n newsletter.Newsletter, s newsletter.Schedule) (slot immediateSlot, ok bool, err error) {
	zone, err := n.Location()
	if err != nil {
		return slot, false, err
	}
	readers, ok, err := d.store.ImmediateReaders(ctx, n.ID, d.now())
	if err != nil || !ok {
		return slot, false, err
	}
	id, last, err := d.store.LastImmediate(ctx, n.ID)
	if err != nil {
		return slot, false, err
	}
	slot.last = last
	first, ok, err := d.firstImmediate(ctx, n, id, last, latest(readers, s.SetAt))
	if err != nil || !ok {
		return slot, false, err
	}
	slot.due = n.Immediate.Due(latest(first, last), zone)
	slot.key = newsletter.SlotKey{NewsletterID: n.ID, Cadence: newsletter.Immediate, Date: slot.due.Date}
	slot.key.Slot, err = d.immediateName(ctx, n.ID, slot.due, zone)
	return slot, err == nil, err
}

// atTheSameTime is how long an article that a source gave may take to be on record.
const atTheSameTime = time.Minute

// firstImmediate returns since when the first article is owed that came after a time, that the last
// edition did not look at, and that immediate readers are to get; what the last one had no place
// left for is owed anew since then. What is long past counts no more: nobody was there to send it,
// and it goes with what comes next.
func (d *Desk) firstImmediate(ctx context.Context, n newsletter.Newsletter, id int64, last, after time.Time) (first time.Time, ok bool, err error) {
	now := d.now()
	oldest := now.Add(-newsletter.GraceTime - n.Immediate.Quiet - 24*time.Hour)
	after = latest(after, oldest)
	if !last.IsZero() { // what came just before it, it may have missed
		after = latest(after, last.Add(-atTheSameTime))
	}
	from, seen, left := after, map[int64]bool{}, map[int64]bool{}
	if id != 0 {
		verdicts, err := d.o.Press.Store.EditionVerdicts(ctx, id)
		if err != nil {
			return first, false, err
		}
		for _, v := range verdicts {
			seen[v.ArticleID] = true
			if v.Verdict == newsletter.OverCap && last.After(oldest) {
				left[v.ArticleID], from = true, now.Add(-newsletter.LookBack)
			}
		}
	}
	candidates, err := d.o.Press.Store.Candidates(ctx, n.ID, from)
	if err != nil {
		return first, false, err
	}
	for _, c := range candidates {
		if newsletter.Eligible(c, now) != newsletter.Taken || !n.Immediate.Wants(c) {
			continue
		}
		if left[c.ID] {
			return last, true, nil
		}
		if !c.OwedFrom.After(after) {
			continue
		}
		if seen[c.ID] && !c.OwedFrom.After(last) {
			continue
		}
		if first.IsZero() || c.OwedFrom.Before(first) {
			first = c.OwedFrom
		}
	}
	return first, !first.IsZero(), nil
}

// immediateName names the slot that is due at a time: the time of the day. Where the clock shows
// that twice, or the zone was changed, another edition may have the name: then it has a number.
func (d *Desk) immediateName(ctx context.Context, newsletterID int64, due newsletter.Due, zone *time.Location) (string, error) {
	list, err := d.store.SlotsOf(ctx, newsletterID, due.Date)
	if err != nil {
		return "", err
	}
	clock := due.At.In(zone).Format("15:04")
	name := clock
	for i := 2; ; i++ {
		other, ok := editionOf(list, newsletter.Schedule{Cadence: newsletter.Immediate, Slot: name})
		if !ok || other.DueAt.Equal(due.At) {
			return name, nil
		}
		name = fmt.Sprintf("%s-%d", clock, i)
	}
}

// stillFirst refuses an immediate edition of the schedule if there was another one since it was
// begun: a Conflict with the reason slot_taken. The caller holds the planning lock.
func (d *Desk) stillFirst(ctx context.Context, draft *Draft) error {
	if draft.manual || draft.Edition.Cadence != newsletter.Immediate {
		return nil
	}
	_, last, err := d.store.LastImmediate(ctx, draft.Newsletter.ID)
	if err == nil && !last.Equal(draft.last) {
		err = &newsletter.Error{Kind: newsletter.Conflict, Reason: "slot_taken",
			Message: "another immediate edition was made meanwhile"}
	}
	return err
}

func latest(list ...time.Time) time.Time {
	var last time.Time
	for _, t := range list {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// markNotImmediate says of the articles that immediate readers are not to get that they are none.
func (draft *Draft) markNotImmediate() {
	for i, a := range draft.Articles {
		if newsletter.Eligible(a.Candidate, draft.Edition.AsOf) == newsletter.Taken && !draft.Newsletter.Immediate.Wants(a.Candidate) {
			draft.Articles[i].Verdict = newsletter.NotImmediate
		}
	}
}
