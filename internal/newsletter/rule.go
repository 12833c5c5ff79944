package newsletter

import (
	"fmt"
	"strings"
	"time"
)

// Rule is a set of weekdays and a time of day: "mon-fri 07:00". The zero Rule is never due.
type Rule struct {
	days    [7]bool // by time.Weekday
	hour    int
	minute  int
	defined bool
}

// Date is a day of the calendar, in no zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads a date written as 2026-11-22.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, Invalidf("date", "%q is not a date; write it as 2026-12-24", s)
	}
	return DateOf(t), nil
}

// DateOf returns the date that t shows in its own zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// String returns the date as 2026-11-22.
func (d Date) String() string {
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// AddDays returns the date n days later, or earlier if n is negative.
func (d Date) AddDays(n int) Date {
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 12, 0, 0, 0, time.UTC))
}

// Before reports whether d is an earlier day than e.
func (d Date) Before(e Date) bool {
	return d.String() < e.String()
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday {
	return time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC).Weekday()
}

var weekdayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseRule reads a rule such as "mon-fri 07:00", "sat,sun 9:30" or "daily 18:00": days by
// their first three letters, as a list of days and ranges, or "daily", and a time of day.
// The empty string is the zero Rule.
func ParseRule(s string) (Rule, error) {
	wrong := func(what string) error {
		return Invalidf("rule", "%q: %s; write days and a time, such as \"mon-fri 07:00\" or \"sat,sun 09:30\"", s, what)
	}
	if len(s) > 100 {
		return Rule{}, Invalidf("rule", "a rule has at most 100 characters")
	}
	words := strings.Fields(strings.ToLower(s))
	switch len(words) {
	case 0:
		return Rule{}, nil
	case 1:
		return Rule{}, wrong("days or time are missing")
	}
	clock := words[len(words)-1]
	hh, mm, ok := strings.Cut(clock, ":")
	hour, hourOK := digits(hh)
	minute, minuteOK := digits(mm)
	if !ok || !hourOK || !minuteOK || len(mm) != 2 || hour > 23 || minute > 59 {
		return Rule{}, wrong(fmt.Sprintf("%q is not a time of day", clock))
	}
	r := Rule{hour: hour, minute: minute, defined: true}
	for part := range strings.SplitSeq(strings.Join(words[:len(words)-1], ""), ",") {
		if err := r.addDays(part); err != "" {
			return Rule{}, wrong(err)
		}
	}
	return r, nil
}

// addDays sets the days of one part of a rule; it returns what is wrong with it, or "".
func (r *Rule) addDays(part string) string {
	if part == "daily" || part == "every" || part == "everyday" {
		part = "mon-sun"
	}
	from, to, isRange := strings.Cut(part, "-")
	first, ok := weekday(from)
	if !ok {
		return fmt.Sprintf("%q is not a day", from)
	}
	last := first
	if isRange {
		if last, ok = weekday(to); !ok {
			return fmt.Sprintf("%q is not a day", to)
		}
	}
	for d := first; ; d = (d + 1) % 7 {
		r.days[d] = true
		if d == last {
			return ""
		}
	}
}

// digits reads a number of one or two digits.
func digits(s string) (int, bool) {
	if len(s) == 0 || len(s) > 2 {
		return 0, false
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

func weekday(s string) (time.Weekday, bool) {
	for i, name := range weekdayNames {
		full := strings.ToLower(time.Weekday(i).String())
		if len(s) >= 3 && strings.HasPrefix(full, s) || s == name {
			return time.Weekday(i), true
		}
	}
	return 0, false
}

// IsZero reports whether the rule is never due.
func (r Rule) IsZero() bool { return !r.defined }

// String returns the rule in its shortest form, which ParseRule reads back: "mon-fri 07:00".
func (r Rule) String() string {
	if !r.defined {
		return ""
	}
	var parts []string
	for i := 1; i <= 7; i++ { // a week begins on Monday here
		if !r.days[i%7] {
			continue
		}
		first := i
		for i < 7 && r.days[(i+1)%7] {
			i++
		}
		switch {
		case first == i:
			parts = append(parts, weekdayNames[first%7])
		case first == i-1:
			parts = append(parts, weekdayNames[first%7], weekdayNames[i%7])
		default:
			parts = append(parts, weekdayNames[first%7]+"-"+weekdayNames[i%7])
		}
	}
	return fmt.Sprintf("%s %02d:%02d", strings.Join(parts, ","), r.hour, r.minute)
}

// Due is one due time of a rule.
type Due struct {
	Date Date
	At   time.Time
}

// Next returns the rule's first due time after the given one, in the zone; ok is false for
// the zero Rule.
func (r Rule) Next(after time.Time, zone *time.Location) (due Due, ok bool) {
	if !r.defined {
		return Due{}, false
	}
	// A transition can move a due time by up to a day, so look from the day before.
	date := DateOf(after.In(zone)).AddDays(-1)
	for range 7 + 3 {
		if r.days[date.Weekday()] {
			if at := Resolve(date, r.hour, r.minute, zone); at.After(after) {
				return Due{date, at}, true
			}
		}
		date = date.AddDays(1)
	}
	return Due{}, false // not reached: one of any seven days matches
}

// Resolve returns the instant at which a clock in the zone shows the date and time. Where
// the clock shows it twice, that is the first time; where it jumps over it, the first
// instant after the jump.
func Resolve(date Date, hour, minute int, zone *time.Location) time.Time {
	wall := time.Date(date.Year, date.Month, date.Day, hour, minute, 0, 0, time.UTC)
	for t := wall.Add(-36 * time.Hour); ; {
		start, end := t.In(zone).ZoneBounds()
		_, offset := t.In(zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		if end.IsZero() || at.Before(end) {
			if at.Before(start) { // the jump at start went over it
				return start.In(zone)
			}
			return at
		}
		t = end
	}
}
