package readers

import (
	"strings"

	"broadsheet/internal/newsletter"
)

// rhythm is a cadence and one of its slots.
type rhythm struct {
	cadence newsletter.Cadence
	slot    string
}

// asked is what somebody asked for: "daily" and "evening", or "daily/evening" and nothing. Both
// may be empty.
type asked struct{ cadence, slot string }

func askedFor(cadence, slot string) asked {
	if name, named, ok := strings.Cut(cadence, "/"); ok && slot == "" {
		return asked{name, named}
	}
	return asked{cadence, slot}
}

// in returns the first of the newsletter's slots that is what was asked for; ok is false if there
// is none.
func (a asked) in(n newsletter.Newsletter) (r rhythm, ok bool) {
	for _, s := range n.Schedules {
		if (a.cadence == "" || a.cadence == string(s.Cadence)) && (a.slot == "" || a.slot == s.Slot) {
			return rhythm{s.Cadence, s.Slot}, true
		}
	}
	return rhythm{}, false
}

// rhythmsOf returns cadence and slot for each newsletter: those asked for where they are offered,
// else the first that are.
func rhythmsOf(wanted []newsletter.Newsletter, cadence, slot string, p *problems) []rhythm {
	a, list := askedFor(cadence, slot), make([]rhythm, len(wanted))
	cadenceOffered, slotOffered := a.cadence == "", a.slot == ""
	for i, n := range wanted {
		list[i] = rhythm{newsletter.Daily, newsletter.MainSlot}
		for _, try := range []asked{a, {cadence: a.cadence}, {}} {
			r, ok := try.in(n)
			if !ok {
				continue
			}
			list[i] = r
			cadenceOffered = cadenceOffered || try.cadence != ""
			slotOffered = slotOffered || try.slot != ""
			break
		}
	}
	switch {
	case !cadenceOffered:
		p.add("cadence", "%s does not come %.20q. Please choose %s.", wanted[0].Name, a.cadence, strings.Join(cadenceNames(wanted[0]), " or "))
	case !slotOffered:
		p.add("slot", "%s has no slot %.30q. Please choose %s.", wanted[0].Name, a.slot, strings.Join(slotNames(wanted[0], list[0].cadence), " or "))
	}
	return list
}

func cadenceNames(n newsletter.Newsletter) []string {
	var list []string
	for _, c := range n.Cadences() {
		list = append(list, string(c))
	}
	return list
}

func slotNames(n newsletter.Newsletter, c newsletter.Cadence) []string {
	var list []string
	for _, s := range n.Slots(c) {
		list = append(list, s.Slot)
	}
	return list
}
