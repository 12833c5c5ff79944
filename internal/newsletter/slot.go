package newsletter

import "time"

// missedBack is how far back slots that nobody built are recorded as missed.
const missedBack = 31 * 24 * time.Hour

// DueSlots returns the schedule's due times up to now, the oldest first: after the rule was
// set, and not more than a month back. Those that have an edition are among them.
func (s Schedule) DueSlots(now time.Time, zone *time.Location) []Due {
	since := now.Add(-missedBack)
	if s.SetAt.After(since) {
		since = s.SetAt
	}
	var list []Due
	for due, ok := s.Rule.Next(since, zone); ok && !due.At.After(now); due, ok = s.Rule.Next(due.At, zone) {
		list = append(list, due)
	}
	return list
}

// On returns the schedule's due time on the date, if it has one then.
func (s Schedule) On(date Date, zone *time.Location) (Due, bool) {
	if s.Rule.IsZero() || !s.Rule.days[date.Weekday()] {
		return Due{}, false
	}
	return Due{date, Resolve(date, s.Rule.hour, s.Rule.minute, zone)}, true
}
