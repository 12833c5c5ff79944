package newsletter

import (
	"strings"
	"time"
)

// MaxAhead is how far ahead an edition can be frozen: what is in it gets old.
const MaxAhead = 14 * 24 * time.Hour

// ParseAt reads when something is to be sent: "07:00" of today, or "2026-11-25T07:00", by the
// clocks of the zone. It has to lie ahead.
func ParseAt(text string, now time.Time, zone *time.Location) (time.Time, error) {
	date, clock := DateOf(now.In(zone)), strings.TrimSpace(text)
	if day, rest, ok := strings.Cut(strings.Replace(clock, " ", "T", 1), "T"); ok {
		var err error
		if date, err = ParseDate(day); err != nil {
			return time.Time{}, Invalidf("at", "%q is not a date; write it as 2026-11-25T07:00", day)
		}
		clock = rest
	}
	hh, mm, ok := strings.Cut(clock, ":")
	hour, hourOK := digits(hh)
	minute, minuteOK := digits(mm)
	if !ok || !hourOK || !minuteOK || len(mm) != 2 || hour > 23 || minute > 59 {
		return time.Time{}, Invalidf("at", "%q is not a time; write it as 07:00, or with a date as 2026-11-25T07:00", text)
	}
	at := Resolve(date, hour, minute, zone)
	switch {
	case !at.After(now):
		return time.Time{}, Invalidf("at", "%s of %s is past (it is %s in %s); for tomorrow say %sT%02d:%02d",
			clock, date, now.In(zone).Format("15:04"), zone, DateOf(now.In(zone)).AddDays(1), hour, minute)
	case at.Sub(now) > MaxAhead:
		return time.Time{}, Invalidf("at", "%s is too far ahead; an edition can be frozen at most 14 days before", text)
	}
	return at.UTC(), nil
}
