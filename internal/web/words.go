package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// cadenceWord is a cadence as readers read it.
func cadenceWord(c newsletter.Cadence) string {
	switch c {
	case newsletter.Daily:
		return "Daily"
	case newsletter.Weekly:
		return "Weekly"
	case newsletter.Immediate:
		return "As it happens"
	}
	return string(c)
}

// whenWords says in words when a newsletter comes at a cadence: "Monday to Friday at 07:00,
// London time", or "… at 07:00 or Monday to Friday at 18:00, London time" where readers can choose.
// It is empty if there is no fixed time.
func whenWords(n newsletter.Newsletter, c newsletter.Cadence) string {
	if c == newsletter.Immediate {
		return immediateWords(n)
	}
	var parts []string
	for _, s := range n.Slots(c) {
		if !s.Rule.IsZero() {
			parts = append(parts, ruleWords(s.Rule))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, " or ") + ", " + zoneWords(n.Zone)
}

// immediateWords says what readers get who want each story as it comes.
func immediateWords(n newsletter.Newsletter) string {
	if !n.Offers(newsletter.Immediate) {
		return ""
	}
	words, rule := "When there is news", n.Immediate
	if len(rule.Labels) > 0 || rule.Sections != 0 {
		words = "When there is important news"
	}
	if rule.Hours != (newsletter.Hours{}) {
		from, until, _ := strings.Cut(rule.Hours.String(), "-")
		words += " between " + from + " and " + until + ", " + zoneWords(n.Zone)
	}
	return words + ", at most one mail in " + quietWords(rule.Quiet)
}

// quietWords says "10 minutes", "1 hour".
func quietWords(d time.Duration) string {
	if d%time.Hour == 0 {
		return count(int(d/time.Hour), "hour", "hours")
	}
	return count(int(d/time.Minute), "minute", "minutes")
}

// slotWords is whenWords of one slot.
func slotWords(n newsletter.Newsletter, c newsletter.Cadence, slot string) string {
	slot = n.SlotOf(c, slot)
	n.Schedules = slices.DeleteFunc(slices.Clone(n.Schedules), func(s newsletter.Schedule) bool { return s.Slot != slot })
	return whenWords(n, c)
}

// ruleWords says a rule in words, from its short form "mon-fri 07:00".
func ruleWords(r newsletter.Rule) string {
	days, clock, ok := strings.Cut(r.String(), " ")
	if !ok {
		return r.String()
	}
	switch days {
	case "mon-sun":
		return "Every day at " + clock
	case "sat,sun":
		return "Saturdays and Sundays at " + clock
	}
	var parts []string
	for part := range strings.SplitSeq(days, ",") {
		if first, last, ok := strings.Cut(part, "-"); ok {
			parts = append(parts, dayWord(first)+" to "+dayWord(last))
			continue
		}
		parts = append(parts, dayWord(part)+"s")
	}
	return joinWords(parts) + " at " + clock
}

// dayWord returns the weekday that a rule writes with three letters.
func dayWord(short string) string {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(d.String()[:3], short) {
			return d.String()
		}
	}
	return short
}

// zoneWords names a time zone by its city: "London time".
func zoneWords(zone string) string {
	city := zone[strings.LastIndexByte(zone, '/')+1:]
	switch city {
	case "", "UTC", "GMT", "Zulu", "Universal":
		return "UTC"
	}
	return strings.ReplaceAll(city, "_", " ") + " time"
}

// dueWords says when something comes, in the newsletter's zone: "tomorrow, Tuesday
// 24 November, at 07:00 London time".
func dueWords(at time.Time, zone string, now time.Time) string {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc, zone = time.UTC, "UTC"
	}
	at, today := at.In(loc), newsletter.DateOf(now.In(loc))
	date := newsletter.DateOf(at)
	words := at.Format("Monday 2 January")
	if date.Year != today.Year {
		words += at.Format(" 2006")
	}
	clock := at.Format("15:04") + " " + zoneWords(zone)
	switch date {
	case today:
		return "today at " + clock
	case today.AddDays(1):
		return "tomorrow, " + words + ", at " + clock
	}
	return "on " + words + " at " + clock
}

// joinWords joins as one says it: "a, b and c".
func joinWords(list []string) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// sectionWords names the chosen sections, "Everything" if there was no choice.
func sectionWords(list []newsletter.Section) string {
	if len(list) == 0 {
		return "Everything"
	}
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = s.Name
	}
	return joinWords(names)
}

// count says a number of things: "1 mail", "2 mails".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
