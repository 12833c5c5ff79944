package delivery

import (
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// joinClasses puts times of joining into classes that no decision tells apart: between two
// of the times that one is compared with, all are alike.
type joinClasses struct {
	freezes []time.Time // of the cadence's earlier editions, in order
	borders []int64     // Unix milliseconds, in order, each once: a class ends at each of them
	// The last class that was asked for: from its first time to its last one.
	first, last int64
	latest      int
}

// neverJoined is the class of an unknown time of joining.
const neverJoined = -1

func newJoinClasses(freezes []time.Time, candidates []newsletter.Candidate) joinClasses {
	c := joinClasses{freezes: freezes, first: 1}
	for _, f := range freezes {
		c.borders = append(c.borders, f.UnixMilli())
	}
	// Who got nothing yet is owed what came since they joined.
	for _, candidate := range candidates {
		c.borders = append(c.borders, candidate.OwedFrom.UnixMilli())
	}
	slices.Sort(c.borders)
	c.borders = slices.Compact(c.borders)
	return c
}

// early returns a time that no decision tells from any before it.
func (c *joinClasses) early() time.Time {
	if len(c.borders) == 0 {
		return time.UnixMilli(0)
	}
	return time.UnixMilli(c.borders[0])
}

// class returns the number of the time's class: how many borders come before it.
func (c *joinClasses) class(joined time.Time) int {
	if joined.IsZero() {
		return neverJoined
	}
	at := joined.UnixMilli()
	if c.first <= at && at <= c.last {
		return c.latest
	}
	c.latest, _ = slices.BinarySearch(c.borders, at)
	c.first, c.last = -1<<63, 1<<63-1
	if c.latest > 0 {
		c.first = c.borders[c.latest-1] + 1
	}
	if c.latest < len(c.borders) {
		c.last = c.borders[c.latest]
	}
	return c.latest
}

// freezeBefore returns the freeze of the last edition of the cadence before the reader joined,
// zero if there was none within the time that matters.
func (c *joinClasses) freezeBefore(joined time.Time) time.Time {
	i, _ := slices.BinarySearchFunc(c.freezes, joined, time.Time.Compare)
	if i == 0 {
		return time.Time{}
	}
	return c.freezes[i-1]
}
