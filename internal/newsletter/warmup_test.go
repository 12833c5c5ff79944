package newsletter

import (
	"testing"
	"time"
)

func TestParseWarmUp(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]WarmUp{
		"": {}, "500/day x1.5": {500, 1.5}, "500/day": {500, 1}, " 20/day  x2 ": {20, 2}, "1/day x10": {1, 10},
	} {
		got, err := ParseWarmUp(text)
		if err != nil || got != want {
			t.Errorf("%q gives %+v (%v), want %+v", text, got, err, want)
		}
		if again, err := ParseWarmUp(got.String()); err != nil || again != got {
			t.Errorf("%q is written as %q, which gives %+v (%v)", text, got, again, err)
		}
	}
	for _, text := range []string{"500", "0/day", "-1/day", "500/day 1.5", "500/day x0.5", "500/day xNaN", "500/day x11", "500/day x2 x3", "x2", "500/week x2", "9999999999999999999/day"} {
		if w, err := ParseWarmUp(text); KindOf(err) != Invalid {
			t.Errorf("%q gives %+v (%v), want an Invalid error", text, w, err)
		}
	}
}

func TestWarmUp_GrowsByTheDay(t *testing.T) {
	t.Parallel()
	w := WarmUp{500, 1.5}
	for day, want := range []int{500, 750, 1125, 1687} {
		if got := w.Allowance(day); got != want {
			t.Errorf("day %d allows %d, want %d", day, got, want)
		}
	}
	for messages, want := range map[int]int{1: 1, 500: 1, 501: 2, 1250: 2, 1251: 3, 4062: 4} {
		if got := w.Days(messages); got != want {
			t.Errorf("%d messages take %d days, want %d", messages, got, want)
		}
	}
	if got := (WarmUp{1, 1}).Days(1000); got != 0 {
		t.Errorf("too long a warm-up takes %d days, want 0", got)
	}
	if got := w.Allowance(10_000); got < 1<<30 {
		t.Errorf("after years it allows %d", got)
	}
	if got := (WarmUp{}).Days(1 << 40); got != 1 {
		t.Errorf("without a limit it takes %d days", got)
	}
}

// Days are those of UTC, whatever zone the clock is in and whatever its clocks do.
func TestWarmUp_DaysAreThoseOfUTC(t *testing.T) {
	t.Parallel()
	w := WarmUp{10, 2}
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	started := time.Date(2026, 10, 31, 19, 30, 0, 0, zone) // 23:30 UTC, the night when clocks are set back
	for _, c := range []struct {
		at   time.Time
		want int
	}{
		{started, 0},
		{started.Add(29 * time.Minute), 0},
		{started.Add(30 * time.Minute), 1},
		{time.Date(2026, 11, 1, 18, 59, 0, 0, zone), 1}, // 23:59 UTC
		{time.Date(2026, 11, 1, 19, 0, 0, 0, zone), 2},
	} {
		if got := w.Day(started, c.at); got != c.want {
			t.Errorf("at %s it is day %d, want %d", c.at, got, c.want)
		}
	}
	if got, want := w.NextDay(started), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("the next day begins at %s, want %s", got, want)
	}
	if w.Day(time.Time{}, started) != 0 {
		t.Error("an edition that was not started is not at its first day")
	}
}
