package desk

import (
	"context"
	"errors"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// RunSlots builds every slot that is due and was not built yet. A slot that is overdue by
// more than grace is recorded as missed; of several that nobody built, only the last one is
// made up. What goes wrong with one newsletter does not hold up the others.
func (d *Desk) RunSlots(ctx context.Context, grace time.Duration) error {
	list, err := d.Newsletters(ctx)
	if err != nil {
		return err
	}
	failures := []error{d.expireApprovals(ctx)}
	for _, n := range list {
		if n.Status == newsletter.Closed {
			continue
		}
		for _, s := range n.Schedules {
			if err := d.runSchedule(ctx, n, s, grace); err != nil {
				failures = append(failures, err)
			}
		}
	}
	return errors.Join(failures...)
}

func (d *Desk) runSchedule(ctx context.Context, n newsletter.Newsletter, s newsletter.Schedule, grace time.Duration) error {
	if s.Cadence == newsletter.Immediate {
		return d.runImmediate(ctx, n, s, grace)
	}
	zone, err := n.Location()
	if err != nil {
		return err
	}
	var ahead error // if the next one cannot be drafted, what is due is built all the same
	if n.Approval.Manual && n.Status == newsletter.Open {
		ahead = d.askAhead(ctx, n, s, zone)
	}
	return errors.Join(ahead, d.runDue(ctx, n, s, zone, grace))
}

// runDue builds the slots of a schedule that are due, or records why they are not.
func (d *Desk) runDue(ctx context.Context, n newsletter.Newsletter, s newsletter.Schedule, zone *time.Location, grace time.Duration) error {
	now := d.now()
	due := s.DueSlots(now, zone)
	if len(due) == 0 {
		return nil
	}
	taken, err := d.store.TakenSlots(ctx, newsletter.SlotKey{NewsletterID: n.ID, Cadence: s.Cadence, Date: due[0].Date, Slot: s.Slot})
	if err != nil {
		return err
	}
	for i, slot := range due {
		key := newsletter.SlotKey{NewsletterID: n.ID, Cadence: s.Cadence, Date: slot.Date, Slot: s.Slot}
		switch {
		case taken[slot.Date]:
			continue
		case n.Status == newsletter.Paused:
			err = d.skip(ctx, n, key, slot, newsletter.SkippedNewsletterPaused)
		case i < len(due)-1 || now.Sub(slot.At) > grace:
			err = d.skipMissed(ctx, n, key, slot)
		case n.Approval.Manual:
			err = d.askForSlot(ctx, n, key, slot)
		default:
			err = d.buildSlot(ctx, n, key, slot, time.Time{})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Desk) skip(ctx context.Context, n newsletter.Newsletter, key newsletter.SlotKey, due newsletter.Due, reason string) error {
	return d.skipAsOf(ctx, n, key, due, reason, d.now())
}

// skipAsOf is skip of a slot for which articles were looked at up to a time.
func (d *Desk) skipAsOf(ctx context.Context, n newsletter.Newsletter, key newsletter.SlotKey, due newsletter.Due, reason string, asOf time.Time) error {
	skipped, err := d.store.SkipSlot(ctx, key, due.At, reason, d.o.Actor, asOf)
	if skipped { // what is wrong about it, the alarm tells
		d.o.Logger.Info("slot skipped", "newsletter", n.Slug, "slot", newsletter.SlotName(key.Cadence, key.Slot), "due", due.At, "reason", reason)
	}
	return err
}

// skipMissed records that the slot was not built in time: because it was held, or because a source
// did not answer, if one has failed since it was due, so that nobody takes it for a day without
// news.
func (d *Desk) skipMissed(ctx context.Context, n newsletter.Newsletter, key newsletter.SlotKey, due newsletter.Due) error {
	sources, err := d.store.Sources(ctx, n.ID)
	if err != nil {
		return err
	}
	held, err := d.store.HeldSlot(ctx, key)
	if err != nil {
		return err
	}
	reason := newsletter.SkippedMissed
	if held != "" {
		return d.skip(ctx, n, key, due, newsletter.SkippedHeld)
	}
	for _, src := range sources {
		if src.Failures > 0 && !src.LastFetchAt.Before(due.At) {
			reason = newsletter.SkippedSourceFailed
		}
	}
	return d.skip(ctx, n, key, due, reason)
}

// whySkipped tells a slot for which nothing was published from one for which something was
// there, but for nobody.
func whySkipped(draft *Draft) string {
	published := false
	for _, a := range draft.Articles {
		switch a.Verdict {
		case newsletter.Taken, newsletter.OverCap, newsletter.NotTheirs, newsletter.NoReaders, newsletter.BelowMinimum,
			newsletter.Repeated, newsletter.NotImmediate, newsletter.IsHeld, newsletter.IsBackDated, newsletter.IsEmbargoed, newsletter.Dropped:
			published = true
		case newsletter.TooOld, newsletter.BeforeJoining, newsletter.HadAlready, newsletter.MissedPaused, newsletter.IsBaseline,
			newsletter.IsWithdrawn, newsletter.BeforeAttached, newsletter.IsRelated:
		}
	}
	switch {
	case !published:
		return newsletter.SkippedNothingNew
	case draft.Survey.Planned() == 0:
		return newsletter.SkippedNoReaders
	}
	return newsletter.SkippedNothingOwed
}

// slotAgain is how long a slot that could not be built is left alone: every try asks all of
// its sources.
const slotAgain = 2 * time.Minute

func (d *Desk) buildSlot(ctx context.Context, n newsletter.Newsletter, key newsletter.SlotKey, due newsletter.Due, last time.Time) error {
	if d.now().Before(d.retryAt(key)) {
		return nil
	}
	draft, err := d.Build(ctx, BuildOptions{Newsletter: n.Slug, Cadence: key.Cadence, Slot: key.ForSlot(), Due: due, name: key.Slot, last: last})
	var edition newsletter.Edition
	if err == nil {
		edition, err = d.Start(ctx, draft, nil)
	}
	switch newsletter.ReasonOf(err) {
	case newsletter.SkippedNothingNew:
		if draft != nil && len(draft.Warnings) > 0 && key.Cadence != newsletter.Immediate {
			// A source did not answer: what it has may come yet, until the grace time is over.
			d.retryLater(key)
			d.o.Logger.Warn("nothing new yet, and not every source answers", "newsletter", n.Slug, "sources", draft.Warnings)
			return nil
		}
		return d.skipAsOf(ctx, n, key, due, whySkipped(draft), draft.Edition.AsOf)
	case "gate", "legal": // nobody is here who could force it
		d.retryLater(key)
		d.o.Logger.Error("the edition is held", "newsletter", n.Slug, "slot", newsletter.SlotName(key.Cadence, key.Slot), "error", err)
		return d.store.HoldSlot(ctx, key, strings.Join(strings.Fields(err.Error()), " "), d.now())
	case "slot_taken": // by staff, or by another process, while this one was building
		return nil
	}
	if err != nil {
		d.retryLater(key)
		return err
	}
	d.o.Logger.Info("edition built", "edition", edition.ID, "newsletter", n.Slug, "slot", newsletter.SlotName(key.Cadence, key.Slot), "due", due.At, "planned", edition.Planned)
	d.o.Press.Engine.Wake()
	return nil
}

// NextSlots returns when each of the newsletter's schedules is due next, in their order: the
// zero Due for one that is sent by hand, and for all if the newsletter does not run. A slot
// that is skipped, or that staff have sent already, is not the next one.
func (d *Desk) NextSlots(ctx context.Context, n newsletter.Newsletter) ([]newsletter.Due, error) {
	list := make([]newsletter.Due, len(n.Schedules))
	if n.Status != newsletter.Open {
		return list, nil
	}
	zone, err := n.Location()
	if err != nil {
		return list, err
	}
	for i, s := range n.Schedules {
		list[i], _, err = s.NextFree(d.now(), zone, func(date newsletter.Date) (bool, error) {
			return d.store.SlotTaken(ctx, newsletter.SlotKey{NewsletterID: n.ID, Cadence: s.Cadence, Date: date, Slot: s.Slot})
		})
		if err != nil {
			return list, err
		}
	}
	return list, nil
}

// retryAt returns when a slot that could not be built is tried again.
func (d *Desk) retryAt(key newsletter.SlotKey) time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.retry[key]
}

func (d *Desk) retryLater(key newsletter.SlotKey) { d.retryAtTime(key, d.now().Add(slotAgain)) }

func (d *Desk) retryAtTime(key newsletter.SlotKey, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for k, at := range d.retry {
		if d.now().Sub(at) > newsletter.GraceTime {
			delete(d.retry, k)
		}
	}
	d.retry[key] = at
}
