package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// SlotEdit sets the rule of one slot of a cadence, which is added if it is new.
type SlotEdit struct {
	Cadence newsletter.Cadence
	Slot    string
	Rule    string // as typed; empty: sent by hand only
}

// ParseSlotEdit reads a rule with the name of its slot, "evening=mon-fri 18:00"; without a name
// it is that of the main slot.
func ParseSlotEdit(c newsletter.Cadence, text string) SlotEdit {
	name, rule, named := strings.Cut(text, "=")
	if !named {
		return SlotEdit{Cadence: c, Slot: newsletter.MainSlot, Rule: text}
	}
	return SlotEdit{Cadence: c, Slot: strings.TrimSpace(name), Rule: rule}
}

// slots returns what the edit says of slots, those of Daily and Weekly included.
func (e NewsletterEdit) slots() []SlotEdit {
	var list []SlotEdit
	if e.Daily != nil {
		list = append(list, SlotEdit{newsletter.Daily, newsletter.MainSlot, *e.Daily})
	}
	if e.Weekly != nil {
		list = append(list, SlotEdit{newsletter.Weekly, newsletter.MainSlot, *e.Weekly})
	}
	if e.Immediate {
		list = append(list, SlotEdit{Cadence: newsletter.Immediate, Slot: newsletter.MainSlot})
	}
	return append(list, e.Slots...)
}

// applySchedules changes the schedules of n, which was another one before, to a new list, and returns
// which slots changed.
func (e NewsletterEdit) applySchedules(n *newsletter.Newsletter, before newsletter.Newsletter, now time.Time, c *checks) []string {
	var changed []string
	list := slices.Clone(n.Schedules)
	given := map[string]bool{}
	for _, m := range e.slots() {
		field, name := string(m.Cadence), newsletter.SlotName(m.Cadence, m.Slot)
		if given[name] {
			c.wrong(field, "the slot %q is given twice", m.Slot)
			continue
		}
		given[name] = true
		if m.Slot != newsletter.MainSlot {
			if err := newsletter.CheckSlot(m.Slot); err != nil {
				c.take(field, err)
				continue
			}
		}
		rule, err := newsletter.ParseRule(m.Rule)
		c.take(field, err)
		if err != nil {
			continue
		}
		next := newsletter.Schedule{Cadence: m.Cadence, Slot: m.Slot, Rule: rule, SetAt: now}
		at := indexOf(list, m.Cadence, m.Slot)
		switch {
		case at < 0:
			list = append(list, next)
		case list[at].Rule == rule:
			continue
		default:
			list[at] = next
		}
		changed = append(changed, name)
	}
	list, dropped := e.drop(list, c)
	if before.Zone != n.Zone {
		for i := range list {
			list[i].SetAt = now
		}
	}
	n.Schedules = list
	keepDue(before, n, now)
	return append(changed, dropped...)
}

// keepDue lets the schedules that were changed now have the slot that was due under them before as
// well, at the same time, and may not have been built yet: nobody meant to take that away.
func keepDue(before newsletter.Newsletter, n *newsletter.Newsletter, now time.Time) {
	was, err := before.Location()
	zone, wrong := n.Location()
	if err != nil || wrong != nil { // it is said elsewhere
		return
	}
	for i, s := range n.Schedules {
		at := indexOf(before.Schedules, s.Cadence, s.Slot)
		if at < 0 || !s.SetAt.Equal(now) {
			continue
		}
		old := before.Schedules[at]
		s.SetAt = now.Add(-newsletter.GraceTime)
		for _, due := range s.DueSlots(now, zone) {
			if before, ok := old.On(due.Date, was); ok && before.At.Equal(due.At) && due.At.After(old.SetAt) {
				n.Schedules[i].SetAt = due.At.Add(-time.Millisecond)
				break
			}
		}
	}
}

// LeftOut is a slot that does not come, since the newsletter was changed after its new time.
type LeftOut struct {
	Schedule newsletter.Schedule
	Due      newsletter.Due
}

// LeftOut returns the slots that were still to come before a newsletter was changed, on days that it
// has slots still, and that do not come any more: by its new rules and zone their time has passed.
func (d *Desk) LeftOut(ctx context.Context, before, n newsletter.Newsletter) ([]LeftOut, error) {
	zone, err := n.Location()
	if err != nil {
		return nil, err
	}
	old, err := d.NextSlots(ctx, before)
	if err != nil {
		return nil, err
	}
	next, err := d.NextSlots(ctx, n)
	if err != nil {
		return nil, err
	}
	var list []LeftOut
	for i, s := range n.Schedules {
		at := indexOf(before.Schedules, s.Cadence, s.Slot)
		if at < 0 || old[at].At.IsZero() {
			continue
		}
		date := old[at].Date
		if due, ok := s.On(date, zone); ok && !due.At.After(d.now()) && next[i].Date != date {
			list = append(list, LeftOut{s, due})
		}
	}
	return list, nil
}

// drop takes away what is not to be offered any more: a cadence with all of its slots, or one
// slot beside the main one.
func (e NewsletterEdit) drop(list []newsletter.Schedule, c *checks) (left []newsletter.Schedule, dropped []string) {
	for _, name := range e.Drop {
		cadence, slot, err := newsletter.ParseSlotName(name)
		c.take("drop", err)
		if err != nil {
			continue
		}
		if indexOf(list, cadence, slot) < 0 {
			c.wrong("drop", "the newsletter has no %s edition", name)
			continue
		}
		list = slices.DeleteFunc(list, func(s newsletter.Schedule) bool {
			return s.Cadence == cadence && (slot == newsletter.MainSlot || s.Slot == slot)
		})
		dropped = append(dropped, name)
	}
	return list, dropped
}

// DroppedReaders returns how many readers would have another slot if these were dropped, as
// NewsletterEdit.Drop names them.
func (d *Desk) DroppedReaders(ctx context.Context, slug string, drop []string) (int, error) {
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return 0, err
	}
	all := 0
	for _, name := range drop {
		c, slot, err := newsletter.ParseSlotName(name)
		if err != nil || slot == newsletter.MainSlot {
			continue // EditNewsletter says what is wrong with it
		}
		readers, err := d.store.SlotReaders(ctx, n.ID, c, slot)
		if err != nil {
			return 0, err
		}
		all += readers
	}
	return all, nil
}

// leaveSlots gives the main slot to all who have one that the edit names and that the newsletter
// does not offer.
func (d *Desk) leaveSlots(ctx context.Context, slug string, e NewsletterEdit) error {
	names := slices.Clone(e.Drop)
	for _, s := range e.Slots {
		names = append(names, newsletter.SlotName(s.Cadence, s.Slot))
	}
	for _, name := range names {
		c, slot, err := newsletter.ParseSlotName(name)
		if err != nil || slot == newsletter.MainSlot {
			continue // what is wrong with it is said with all else
		}
		n, err := d.Newsletter(ctx, slug)
		if err != nil {
			return err
		}
		for moved := 1; moved > 0; {
			if moved, err = d.store.LeaveSlot(ctx, n.ID, c, slot, d.o.Actor, d.now()); err != nil {
				return err
			}
		}
	}
	return nil
}

func indexOf(list []newsletter.Schedule, c newsletter.Cadence, slot string) int {
	return slices.IndexFunc(list, func(s newsletter.Schedule) bool { return s.Cadence == c && s.Slot == slot })
}

func (c *checks) schedules(list []newsletter.Schedule) {
	counts := map[newsletter.Cadence]int{}
	for i, s := range list {
		field := string(s.Cadence)
		if _, err := newsletter.ParseCadence(field); err != nil {
			c.take("cadence", err)
			continue
		}
		if s.Slot != newsletter.MainSlot {
			c.take(field, newsletter.CheckSlot(s.Slot))
		}
		if indexOf(list, s.Cadence, s.Slot) != i {
			c.wrong(field, "the slot %q is given twice", s.Slot)
		}
		if s.Cadence == newsletter.Immediate && (s.Slot != newsletter.MainSlot || !s.Rule.IsZero()) {
			c.wrong(field, "has no slots: it goes out as stories come")
		}
		if counts[s.Cadence]++; counts[s.Cadence] > newsletter.MaxSlots {
			c.wrong(field, "has more than %d slots", newsletter.MaxSlots)
		}
	}
	for cadence := range counts {
		if indexOf(list, cadence, newsletter.MainSlot) < 0 {
			c.wrong(string(cadence), "the first slot has no name: give --%s \"mon-fri 07:00\", and then --%s \"evening=mon-fri 18:00\"", cadence, cadence)
		}
	}
	if len(list) == 0 {
		c.wrong("daily", "a newsletter needs a cadence: give it --daily or --weekly")
	}
}

// chooseSlot returns the slot that is meant: the one that is asked for, or the only one there is.
func chooseSlot(n newsletter.Newsletter, c newsletter.Cadence, slot string) (string, error) {
	list := n.Slots(c)
	switch {
	case len(list) == 1 && (slot == "" || slot == newsletter.AllSlots):
		return list[0].Slot, nil
	case slot == newsletter.AllSlots || n.OffersSlot(c, slot):
		return slot, nil
	case slot == "":
		return "", newsletter.Invalidf("slot", "%s has several %s slots; say which by --slot: %s, or all for the readers of all of them", n.Slug, c, joinSlots(list))
	}
	return "", newsletter.Invalidf("slot", "%s has no %s slot %q; it has: %s", n.Slug, c, slot, joinSlots(list))
}

// joinSlots names slots with their rules: "main (mon-fri 07:00), evening (mon-fri 18:00)".
func joinSlots(list []newsletter.Schedule) string {
	words := make([]string, len(list))
	for i, s := range list {
		if words[i] = s.Slot; !s.Rule.IsZero() {
			words[i] = fmt.Sprintf("%s (%s)", s.Slot, s.Rule)
		}
	}
	return strings.Join(words, ", ")
}
