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

// maxTaken is how many slots in a row can be taken, by holidays that staff skip, before the
// next one is no longer foretold.
const maxTaken = 60

// NextFree returns the schedule's next due time after the given one whose slot is not taken,
// neither by an edition nor by a skip; ok is false if nothing is due, or nobody can tell.
func (s Schedule) NextFree(after time.Time, zone *time.Location, taken func(Date) (bool, error)) (due Due, ok bool, err error) {
	if s.SetAt.After(after) {
		after = s.SetAt
	}
	for range maxTaken {
		due, ok := s.Rule.Next(after, zone)
		if !ok {
			return Due{}, false, nil
		}
		gone, err := taken(due.Date)
		if err != nil || !gone {
			return due, err == nil, err
		}
		after = due.At
	}
	return Due{}, false, nil
}

// On returns the schedule's due time on the date, if it has one then.
func (s Schedule) On(date Date, zone *time.Location) (Due, bool) {
	if s.Rule.IsZero() || !s.Rule.days[date.Weekday()] {
		return Due{}, false
	}
	return Due{date, Resolve(date, s.Rule.hour, s.Rule.minute, zone)}, true
}

// More reasons why a slot was skipped. Nothing was published, and nothing was sent, are told
// apart: after these something was there to be sent, or nobody can know.
const (
	SkippedNoReaders    = "no_readers"    // articles came, and nobody subscribes to the cadence
	SkippedNothingOwed  = "nothing_owed"  // articles came, and they are held, too few, or in sections that nobody chose
	SkippedHeld         = "held"          // a gate or the law held it until it was too late; the record says what
	SkippedSourceFailed = "source_failed" // nothing came within the grace time, and a source did not answer
)

// Failed reports whether the edition's slot passed although something was to be sent, or
// may have been.
func (e Edition) Failed() bool {
	return e.State == EditionSkipped && (e.Reason == SkippedMissed || e.Reason == SkippedHeld || e.Reason == SkippedSourceFailed) || e.Reason == ReasonNotApproved
}

// Outcome says in words what became of the edition.
func (e Edition) Outcome() string {
	switch {
	case e.Reason == ReasonNotApproved:
		return "not approved in time: nothing was sent"
	case e.State == EditionExpired:
		return "expired: nobody got it in time"
	case e.State != EditionSkipped:
		return string(e.State)
	}
	switch e.Reason {
	case SkippedNothingNew:
		return "nothing was published"
	case SkippedNoReaders:
		return "no readers"
	case SkippedNothingOwed:
		return "nothing for anybody in what was published"
	case SkippedHeld:
		return "held until it was too late: nothing was sent"
	case SkippedMissed:
		return "missed: nothing was sent"
	case SkippedSourceFailed:
		return "a source did not answer: nothing was sent"
	case SkippedByStaff:
		return "skipped by staff"
	case SkippedNewsletterPaused:
		return "the newsletter was paused"
	}
	return "skipped: " + e.Reason
}
