package newsletter

import (
	"time"
)

// Candidate is an article of a newsletter as an edition considers it.
type Candidate struct {
	Article
	Sections Mask      // of the newsletter, that the article belongs to
	Attached time.Time // when the article's source became one of the newsletter's
	Form     Form      // how a frozen edition has it
	Rank     int       // its place in the order of choosing, from 1, see Arrange
}

// Form is how an edition has an article. What was frozen as less than in full is not given to
// anybody, whatever became of their other deliveries since.
type Form string

// The forms. Before the freeze, all are InFull.
const (
	InFull     Form = ""
	AsHeadline Form = "headline" // nobody gets more than a link
	Counted    Form = "counted"  // some are owed it, and nobody gets it yet
)

// Verdict says why an article is in an edition or in a reader's copy, or is not.
type Verdict string

// The verdicts about an article.
const (
	Taken          Verdict = "taken"
	OverCap        Verdict = "over_cap"      // owed, but the copy is full: owed to the next edition too, if it is not TooOld then
	NotTheirs      Verdict = "not_chosen"    // in none of the sections that the reader chose
	TooOld         Verdict = "too_old"       // first seen before the look-back
	BeforeJoining  Verdict = "before_joined" // before the edition before the reader joined
	HadAlready     Verdict = "had"           // a delivery holds it for the reader
	IsBaseline     Verdict = "baseline"
	IsBackDated    Verdict = "back_dated"
	IsHeld         Verdict = "held"
	IsEmbargoed    Verdict = "embargo"
	IsWithdrawn    Verdict = "withdrawn"
	NoReaders      Verdict = "no_readers"
	BelowMinimum   Verdict = "below_minimum"   // owed, but too few are: the next edition has it
	Dropped        Verdict = "dropped"         // not in the sheet of this edition: the next one has it
	NotImmediate   Verdict = "not_immediate"   // no story for readers of the cadence immediate; by another cadence it is owed
	BeforeAttached Verdict = "before_attached" // known long before its source was the newsletter's
	Repeated       Verdict = "repeat"          // had by another cadence or newsletter, and told of again, see Repeats
	IsRelated      Verdict = "related"         // a link under another article, see MayBeRelated
	MissedPaused   Verdict = "missed_paused"   // came before the end of a pause, and was not among the best of what was missed
)

// Reader is what decides which articles are owed to one subscriber of a newsletter.
type Reader struct {
	Sections Mask
	// JoinedAfter is the freeze of the last edition before the reader joined; zero: none.
	JoinedAfter time.Time
	// LastGot is the freeze of the last edition that the reader got; zero: none yet.
	LastGot time.Time
	// JoinedAt is when the reader joined. Who got nothing yet is owed what came since.
	JoinedAt time.Time
	// Had reports whether a delivery that Holds has the article for the reader, in any
	// newsletter.
	Had func(articleID int64) bool
	// RepeatsFrom is after when articles have to come to be told of again that the reader had by other
	// editions than those for which HadHere is true; zero: none is.
	RepeatsFrom time.Time
	HadHere     func(articleID int64) bool
	// ResumedAt is when the reader's pause ended, which began at PausedAt; zero: there was none.
	// CaughtUp reports whether they got an edition since: what came in the pause, and was not among
	// the best of it, is not owed any more. What was left for later before the pause still is.
	ResumedAt, PausedAt time.Time
	CaughtUp            bool
}

// Eligible decides whether an article can be in an edition at all, whoever reads it; the
// verdict is Taken if it can.
func Eligible(c Candidate, now time.Time) Verdict {
	switch {
	case !c.WithdrawnAt.IsZero():
		return IsWithdrawn
	case c.Hold == HeldBackDate:
		return IsBackDated
	case c.Hold != "":
		return IsHeld
	case c.Baseline || c.OwedFrom.IsZero():
		return IsBaseline
	case c.OwedFrom.After(now):
		return IsEmbargoed
	case c.OwedFrom.Before(now.Add(-MaxLookBack)):
		return TooOld
	case c.OwedFrom.Before(c.Attached.Add(-BaselineAge)):
		return BeforeAttached
	}
	return Taken
}

// Owed decides whether an article is part of the reader's next digest; the verdict is Taken
// if it is. Every edition is chosen by this function.
func Owed(c Candidate, r Reader, now time.Time) Verdict {
	if v := Eligible(c, now); v != Taken {
		return v
	}
	switch {
	case !r.Sections.Wants(c.Sections):
		return NotTheirs
	case c.OwedFrom.Before(r.LookBackFrom(now)):
		return TooOld
	case !r.JoinedAfter.IsZero() && !c.OwedFrom.After(r.JoinedAfter):
		return BeforeJoining
	case r.Had != nil && r.Had(c.ID):
		if !r.RepeatsFrom.IsZero() && c.OwedFrom.After(r.RepeatsFrom) && !r.HadHere(c.ID) {
			return Repeated
		}
		return HadAlready
	case r.CaughtUp && c.OwedFrom.After(r.PausedAt) && c.OwedFrom.Before(r.ResumedAt):
		return MissedPaused
	}
	return Taken
}

// LookBackFrom returns the time before which nothing is owed to the reader: seven days before
// the last edition that they got, so that the next one still has what was left of it, but never
// more than thirty days ago. For who got none yet it is seven days ago, or when they joined if
// that is longer ago: the edition before, or the very time.
func (r Reader) LookBackFrom(now time.Time) time.Time {
	from := now.Add(-LookBack)
	last := r.JoinedAfter
	if last.IsZero() {
		last = r.JoinedAt
	}
	switch {
	case !r.LastGot.IsZero():
		from = WholeDaysBefore(now, r.LastGot).Add(-LookBack)
	case !last.IsZero() && last.Before(from):
		from = last
	}
	if limit := now.Add(-MaxLookBack); from.Before(limit) {
		return limit
	}
	return from
}

// WholeDaysBefore returns the last time up to t that is so many times 24 hours before now. What it
// does not tell apart, planning need not tell apart either.
func WholeDaysBefore(now, t time.Time) time.Time {
	const day = 24 * time.Hour
	return now.Add(-(now.Sub(t) + day - 1) / day * day)
}
