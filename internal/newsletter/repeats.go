package newsletter

import "time"

// Repeats says what becomes of an article that a reader had by another cadence, slot or newsletter:
// without it a weekly review would be empty for who reads the dailies.
type Repeats string

// The ways to repeat. Nothing is repeated by the editions that it came in, or that are like
// them, and nothing is older than the edition before or LookBack.
const (
	RepeatNever       Repeats = "never"
	RepeatAsHeadlines Repeats = "as-headlines" // as links, "Earlier this week"
	RepeatAlways      Repeats = "always"       // in full: the only way to get an article twice
)

// MaxHeadlines is how many links a copy has at the most to what the reader had before.
const MaxHeadlines = 10

// MaxMore is the most that Copy.More says; it stands for so many and for more. Readers with
// longer and longer lists would have variants of their own.
const MaxMore = 10

// ParseRepeats returns the way of that name; empty: never.
func ParseRepeats(s string) (Repeats, error) {
	switch r := Repeats(s); r {
	case "":
		return RepeatNever, nil
	case RepeatNever, RepeatAsHeadlines, RepeatAlways:
		return r, nil
	}
	return "", Invalidf("repeats", "%q is not a way to repeat; use never, as-headlines or always", s)
}

// From returns after when articles have to come to be told of again by an edition that is frozen at a time,
// when the one like it before was frozen at another (zero: there was none); zero: none is.
func (r Repeats) From(asOf, before time.Time) time.Time {
	if r != RepeatAsHeadlines && r != RepeatAlways {
		return time.Time{}
	}
	if from := asOf.Add(-LookBack); before.Before(from) {
		return from
	}
	return before
}
