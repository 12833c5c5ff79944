package newsletter

import (
	"regexp"
	"strings"
)

// MainSlot is the first slot of every cadence. Readers have it unless they chose another one.
const MainSlot = "main"

// AllSlots stands for all slots of a cadence: an edition for it goes to all readers of the cadence.
const AllSlots = "all"

// MaxSlots is how many slots a cadence can have.
const MaxSlots = 12

var slotPattern = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// CheckSlot returns an Invalid error unless s can name a slot beside the main one: a letter, then
// letters, digits and single hyphens, at most 30, and not a word that means something else.
func CheckSlot(s string) error {
	if len(s) > 30 || !slotPattern.MatchString(s) {
		return Invalidf("slot", "%q cannot name a slot; use lower-case letters, digits and hyphens, such as evening", s)
	}
	first, _, _ := strings.Cut(s, "-")
	switch first {
	case MainSlot, AllSlots, "extra", "draft", "restored":
		return Invalidf("slot", "%q cannot name a slot: the word has a meaning already; choose another, such as evening", s)
	}
	return nil
}

// SlotName names a slot with its cadence: "daily" for the main one, and "daily/evening".
func SlotName(c Cadence, slot string) string {
	if slot == "" || slot == MainSlot {
		return string(c)
	}
	return string(c) + "/" + slot
}

// ParseSlotName reads what SlotName writes.
func ParseSlotName(s string) (c Cadence, slot string, err error) {
	name, slot, named := strings.Cut(s, "/")
	if c, err = ParseCadence(name); err != nil {
		return "", "", err
	}
	if !named || slot == MainSlot {
		return c, MainSlot, nil
	}
	return c, slot, CheckSlot(slot)
}

// Name names the schedule's slot with its cadence.
func (s Schedule) Name() string { return SlotName(s.Cadence, s.Slot) }

// Slots returns the schedules of a cadence, the main one first.
func (n Newsletter) Slots(c Cadence) []Schedule {
	var list []Schedule
	for _, s := range n.Schedules {
		if s.Cadence == c {
			list = append(list, s)
		}
	}
	return list
}

// OffersSlot reports whether readers can choose the slot.
func (n Newsletter) OffersSlot(c Cadence, slot string) bool {
	for _, s := range n.Schedules {
		if s.Cadence == c && s.Slot == slot {
			return true
		}
	}
	return false
}

// SlotOf returns the slot that a reader has who chose one: itself if the newsletter offers it,
// else the main one.
func (n Newsletter) SlotOf(c Cadence, chosen string) string {
	if n.OffersSlot(c, chosen) {
		return chosen
	}
	return MainSlot
}

// Audience returns whose edition it is: the slot that its readers have, or AllSlots.
func (e Edition) Audience() string {
	if e.ForSlot == "" {
		return MainSlot
	}
	return e.ForSlot
}

// Name names the edition's readers: "daily", "daily/evening", "daily/all".
func (e Edition) Name() string { return SlotName(e.Cadence, e.ForSlot) }
