package newsletter

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// WarmUp is how many messages of an edition are begun a day while mailbox providers get to
// know a new relay or sending domain: so many on the first day, and Growth times as many on
// each day that follows. The zero WarmUp is no limit. Days are days of UTC.
type WarmUp struct {
	PerDay int
	Growth float64 // at least 1
}

// maxWarmUpDays bounds how long an edition may take.
const maxWarmUpDays = 60

// ParseWarmUp reads "500/day x1.5", or "500/day" for the same number every day. The empty
// string is no limit.
func ParseWarmUp(s string) (WarmUp, error) {
	fields := strings.Fields(s)
	if len(fields) == 0 {
		return WarmUp{}, nil
	}
	wrong := Invalidf("warm-up", "%q has to be written as \"500/day x1.5\": so many messages on the first day, and how many times as many on each that follows", s)
	number, ok := strings.CutSuffix(fields[0], "/day")
	w := WarmUp{Growth: 1}
	var err error
	if w.PerDay, err = strconv.Atoi(number); !ok || err != nil || w.PerDay < 1 || len(fields) > 2 {
		return WarmUp{}, wrong
	}
	if len(fields) == 2 {
		factor, ok := strings.CutPrefix(fields[1], "x")
		if w.Growth, err = strconv.ParseFloat(factor, 64); !ok || err != nil || !(w.Growth >= 1 && w.Growth <= 10) {
			return WarmUp{}, wrong
		}
	}
	return w, nil
}

// String writes the limit as ParseWarmUp reads it.
func (w WarmUp) String() string {
	if w.PerDay == 0 {
		return ""
	}
	return fmt.Sprintf("%d/day x%s", w.PerDay, strconv.FormatFloat(w.Growth, 'f', -1, 64))
}

// Allowance is how many messages may be begun on a day, the first one being day 0.
func (w WarmUp) Allowance(day int) int {
	if w.PerDay == 0 {
		return math.MaxInt
	}
	return int(min(float64(w.PerDay)*math.Pow(w.Growth, float64(max(day, 0))), math.MaxInt32))
}

// Days is how many days so many messages take, if each goes out at its first try; 0 if that
// is more than an edition may take.
func (w WarmUp) Days(messages int) int {
	for day := range maxWarmUpDays {
		if messages -= min(messages, w.Allowance(day)); messages == 0 {
			return day + 1
		}
	}
	return 0
}

// Day is which day of the warm-up it is for an edition that was started then; 0 if it was
// not.
func (w WarmUp) Day(started, now time.Time) int {
	if started.IsZero() {
		return 0
	}
	return int(startOfDay(now).Sub(startOfDay(started)) / (24 * time.Hour))
}

// NextDay is when the next day begins.
func (w WarmUp) NextDay(now time.Time) time.Time { return startOfDay(now).Add(24 * time.Hour) }

func startOfDay(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
