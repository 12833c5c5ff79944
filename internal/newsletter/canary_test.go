package newsletter

import (
	"math"
	"testing"
)

func TestCanarySample_IsStableSpreadAndNested(t *testing.T) {
	t.Parallel()
	ring := KeyRing{{ID: 1, Secret: []byte("0123456789abcdef0123456789abcdef")}}
	other := KeyRing{{ID: 1, Secret: []byte("another secret of thirty-two byt")}}
	small, large, elsewhere := ring.CanarySample(0.01), ring.CanarySample(0.05), other.CanarySample(0.01)
	const readers = 200_000
	in, both := 0, 0
	for _, from := range []int64{0, readers / 2} { // neither the oldest nor the newest
		half := 0
		for id := from + 1; id <= from+readers/2; id++ {
			if !small.Has(id) {
				continue
			}
			half++
			if !large.Has(id) {
				t.Fatalf("%d is in the sample of 1%% and not in that of 5%%", id)
			}
			if elsewhere.Has(id) {
				both++
			}
		}
		if share := float64(half) / (readers / 2); math.Abs(share-0.01) > 0.0015 {
			t.Errorf("from %d on it has a share of %g", from, share)
		}
		in += half
	}
	if again := ring.CanarySample(0.01); again.Has(4711) != small.Has(4711) {
		t.Error("it changes")
	}
	if both > in/20 {
		t.Errorf("with another key %d of %d are the same", both, in)
	}
	if s := ring.CanarySample(0, 7); !s.Has(7) || s.Has(8) {
		t.Error("staff are not in it, or others are")
	}
}

func TestParseCanary(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"1%": 0.01, " 0.5 % ": 0.005, "20%": 0.2, "none": 0, "": 0} {
		if got, err := ParseCanary(text); got != want || err != nil {
			t.Errorf("%q: %g (%v)", text, got, err)
		}
	}
	for _, text := range []string{"1", "0%", "21%", "-1%", "NaN%", "%", "x%", "0.001%"} {
		if _, err := ParseCanary(text); KindOf(err) != Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
	if got := (Canary{Share: 0.005}).Word(); got != "0.5%" {
		t.Errorf("it is %q", got)
	}
}

func TestJudgeCanary(t *testing.T) {
	t.Parallel()
	b := Brakes{Refused: 0.05, Complaints: 0.003}
	tally := func(accepted, refused, bounced, complained int) CanaryTally {
		return CanaryTally{Counts: map[State]int{Accepted: accepted, Refused: refused}, Bounced: bounced, Complained: complained}
	}
	for _, c := range []struct {
		name string
		t    CanaryTally
		over bool
		stop bool
	}{
		{"all well", tally(100, 0, 0, 0), true, false},
		{"two are refused", tally(10, 2, 0, 0), true, false},
		{"three of thirty", tally(27, 3, 0, 0), false, true},
		{"three of a hundred", tally(97, 3, 0, 0), true, false},
		{"three of thirty, before it was resumed", CanaryTally{Counts: tally(27, 3, 0, 0).Counts, Forgiven: 3}, true, false},
		{"three more after it", CanaryTally{Counts: tally(27, 6, 0, 0).Counts, Forgiven: 3}, false, true},
		{"bounces count", tally(20, 1, 2, 0), false, true},
		{"one complaint", tally(100, 0, 0, 1), true, false},
		{"two complaints", tally(100, 0, 0, 2), false, true},
		{"two of a thousand", tally(1000, 0, 0, 2), true, false},
		{"nothing yet", tally(0, 0, 0, 0), false, false},
		{"nothing at the end", tally(0, 0, 0, 0), true, true},
		{"one, refused", tally(0, 1, 0, 0), true, true},
	} {
		if reason, stop := b.JudgeCanary(c.t, c.over); stop != c.stop || stop != (reason != "") {
			t.Errorf("%s: %v, %q", c.name, stop, reason)
		}
	}
	if _, stop := (Brakes{}).JudgeCanary(tally(10, 90, 0, 50), true); stop {
		t.Error("limits that are off stop it")
	}
}
