package newsletter

import (
	"fmt"
	"strings"
	"time"
)

// ImmediateRule says what readers of the cadence immediate get, and when: each new article, or only
// some, in editions of which there is at most one within the quiet time.
type ImmediateRule struct {
	Quiet    time.Duration // from the first article to the edition that has it
	Hours    Hours         // at other times they wait
	Labels   []string      // only articles with one of them …
	Sections Mask          // … or in one of these; both empty: all articles
}

// The limits of what can be set.
const (
	DefaultQuiet = 10 * time.Minute
	MinQuiet     = time.Minute
	MaxQuiet     = 24 * time.Hour
	MaxLabels    = 20
)

// Wants reports whether the article is for readers of the cadence immediate. What is not, they
// are owed all the same once they choose another cadence.
func (i ImmediateRule) Wants(c Candidate) bool {
	if len(i.Labels) == 0 && i.Sections == 0 {
		return true
	}
	for _, label := range i.Labels {
		if strings.EqualFold(label, c.Label) {
			return true
		}
	}
	return i.Sections&c.Sections != 0
}

// Due returns when an edition is due whose first article is owed since then: when the quiet time
// is over, and within the hours.
func (i ImmediateRule) Due(since time.Time, zone *time.Location) Due {
	at := i.Hours.Next(since.Add(i.Quiet), zone)
	return Due{DateOf(at.In(zone)), at}
}

// Hours are a part of every day, in minutes from midnight; it may go over midnight. The zero Hours
// are the whole day.
type Hours struct{ From, Until int }

// ParseHours reads "06:00-22:00"; empty is the whole day.
func ParseHours(s string) (Hours, error) {
	if s = strings.TrimSpace(s); s == "" {
		return Hours{}, nil
	}
	from, until, ok := strings.Cut(s, "-")
	a, okFrom := minuteOfDay(strings.TrimSpace(from))
	b, okUntil := minuteOfDay(strings.TrimSpace(until))
	if !ok || !okFrom || !okUntil || a == b {
		return Hours{}, Invalidf("hours", "%q is no part of a day; write it as 06:00-22:00", s)
	}
	return Hours{a, b}, nil
}

// minuteOfDay reads 06:00.
func minuteOfDay(s string) (int, bool) {
	hh, mm, ok := strings.Cut(s, ":")
	hour, okHour := digits(hh)
	minute, okMinute := digits(mm)
	return hour*60 + minute, ok && okHour && okMinute && len(mm) == 2 && hour < 24 && minute < 60
}

// String returns the hours as ParseHours reads them.
func (h Hours) String() string {
	if h == (Hours{}) {
		return ""
	}
	return fmt.Sprintf("%02d:%02d-%02d:%02d", h.From/60, h.From%60, h.Until/60, h.Until%60)
}

// Next returns the time if it is within the hours, else when they begin next.
func (h Hours) Next(at time.Time, zone *time.Location) time.Time {
	local := at.In(zone)
	minute, date := local.Hour()*60+local.Minute(), DateOf(local)
	within := h.From <= minute && minute < h.Until
	if h.From > h.Until { // over midnight
		within = minute >= h.From || minute < h.Until
	}
	if h == (Hours{}) || within {
		return at
	}
	if minute >= h.From {
		date = date.AddDays(1)
	}
	begin := Resolve(date, h.From/60, h.From%60, zone)
	if begin.Before(at) { // the clock was turned back
		return at
	}
	return begin
}
