package desk

import (
	"context"
	"fmt"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// SkippedSlot is a slot that SkipDate was asked about.
type SkippedSlot struct {
	Cadence newsletter.Cadence
	Slot    string
	DueAt   time.Time
	// New says that this call skipped it; otherwise it was skipped before.
	New bool
}

// Name names the slot with its cadence.
func (s SkippedSlot) Name() string { return newsletter.SlotName(s.Cadence, s.Slot) }

// SkipDate lets the newsletter's slots of a date pass without an edition, only one of them if it is
// named as newsletter.ParseSlotName reads it: what would have been in them is owed by the next one. It returns the slots that are skipped then. The
// error is Invalid if no slot is due on that date or all have passed, and a Conflict if
// editions have taken them already.
func (d *Desk) SkipDate(ctx context.Context, slug string, date newsletter.Date, only string) ([]SkippedSlot, error) {
	now := d.now()
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return nil, err
	}
	zone, err := n.Location()
	if err != nil {
		return nil, err
	}
	if only, err = checkOnly(n, only); err != nil {
		return nil, err
	}
	taken, err := d.store.SlotsOf(ctx, n.ID, date)
	if err != nil {
		return nil, err
	}
	var skipped []SkippedSlot
	var rules, obstacles []string
	for _, s := range n.Schedules {
		if only != "" && s.Name() != only {
			continue
		}
		if !s.Rule.IsZero() {
			rules = append(rules, fmt.Sprintf("%s %s", s.Name(), s.Rule))
		}
		due, ok := s.On(date, zone)
		if !ok {
			continue
		}
		if e, ok := editionOf(taken, s); ok {
			if e.State == newsletter.EditionSkipped && e.Reason == newsletter.SkippedByStaff {
				skipped = append(skipped, SkippedSlot{Cadence: s.Cadence, Slot: s.Slot, DueAt: due.At})
			} else {
				obstacles = append(obstacles, fmt.Sprintf("edition %d has the %s slot and is %s", e.ID, s.Name(), e.State))
			}
			continue
		}
		if !due.At.After(now) {
			obstacles = append(obstacles, fmt.Sprintf("the %s slot was due at %s", s.Name(), due.At.In(zone).Format("15:04")))
			continue
		}
		key := newsletter.SlotKey{NewsletterID: n.ID, Cadence: s.Cadence, Date: date, Slot: s.Slot}
		isNew, err := d.store.SkipSlot(ctx, key, due.At, newsletter.SkippedByStaff, d.o.Actor, now)
		if err != nil {
			return nil, fmt.Errorf("skip the %s slot of %s on %s: %w", s.Name(), slug, date, err)
		}
		if !isNew { // somebody else took it between the two looks
			obstacles = append(obstacles, fmt.Sprintf("the %s slot was taken just now", s.Name()))
			continue
		}
		skipped = append(skipped, SkippedSlot{Cadence: s.Cadence, Slot: s.Slot, DueAt: due.At, New: true})
	}
	switch {
	case len(skipped) > 0:
		return skipped, nil
	case len(obstacles) > 0:
		return nil, newsletter.Conflictf("nothing of %s can be skipped on %s any more: %s", slug, date, strings.Join(obstacles, "; "))
	case len(rules) == 0:
		return nil, newsletter.Invalidf("date", "%s is only sent by hand; there is nothing to skip", slug)
	}
	return nil, newsletter.Invalidf("date", "%s has no slot on %s %s; its rules are: %s", slug, date.Weekday(), date, strings.Join(rules, "; "))
}

// UnskipDate takes SkipDate back for the slots of the date that are not due yet, and returns
// how many; only one of them if it is named. If there are none the error is a Conflict.
func (d *Desk) UnskipDate(ctx context.Context, slug string, date newsletter.Date, only string) (int, error) {
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return 0, err
	}
	if only, err = checkOnly(n, only); err != nil {
		return 0, err
	}
	key := newsletter.SlotKey{NewsletterID: n.ID, Date: date}
	if only != "" {
		if key.Cadence, key.Slot, err = newsletter.ParseSlotName(only); err != nil {
			return 0, err
		}
	}
	count, err := d.store.UnskipDate(ctx, key, d.o.Actor, d.now())
	if err == nil && count == 0 {
		return 0, newsletter.Conflictf("no slot of %s on %s was skipped by staff and is still to come", slug, date)
	}
	return count, err
}

// checkOnly returns the name of the slot as newsletter.SlotName writes it, or an Invalid error
// unless the newsletter has it. Empty is any.
func checkOnly(n newsletter.Newsletter, only string) (string, error) {
	if only == "" {
		return "", nil
	}
	c, slot, err := newsletter.ParseSlotName(only)
	if err != nil {
		return "", err
	}
	if !n.OffersSlot(c, slot) {
		var names []string
		for _, s := range n.Schedules {
			names = append(names, s.Name())
		}
		return "", newsletter.Invalidf("slot", "%s has no slot %q; it has: %s", n.Slug, only, strings.Join(names, ", "))
	}
	return newsletter.SlotName(c, slot), nil
}

// editionOf returns the edition that has the schedule's slot.
func editionOf(editions []newsletter.Edition, s newsletter.Schedule) (newsletter.Edition, bool) {
	for _, e := range editions {
		if e.Cadence == s.Cadence && e.Slot == s.Slot {
			return e, true
		}
	}
	return newsletter.Edition{}, false
}
