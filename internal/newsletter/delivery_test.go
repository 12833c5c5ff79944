package newsletter_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// The table of docs/delivery.md, edge by edge; every other pair is forbidden.
func TestCanMove_TheTableOfTheLedger(t *testing.T) {
	t.Parallel()
	type edge struct{ from, to newsletter.State }
	allowed := []edge{
		{newsletter.Unplanned, newsletter.Waiting},  // planned
		{newsletter.Unplanned, newsletter.Withheld}, // planned
		{newsletter.Waiting, newsletter.Sending},    // the intent is committed
		{newsletter.Deferred, newsletter.Sending},   // the intent is committed
		{newsletter.Sending, newsletter.Accepted},   // 250 to the final dot
		{newsletter.Sending, newsletter.Refused},    // 5xx about this recipient or message
		{newsletter.Sending, newsletter.Deferred},   // 4xx, or the connection ended before the dot
		{newsletter.Sending, newsletter.InDoubt},    // the dot was sent and no reply came
		{newsletter.Sending, newsletter.Waiting},    // not the row's fault
		{newsletter.InDoubt, newsletter.Deferred},   // sent again
		{newsletter.InDoubt, newsletter.Accepted},   // settled
		{newsletter.InDoubt, newsletter.Refused},    // settled
		{newsletter.Waiting, newsletter.Expired},    // its time is over
		{newsletter.Deferred, newsletter.Expired},   // its time is over
		{newsletter.Waiting, newsletter.Withheld},   // cancelled, left, suppressed, withdrawn
		{newsletter.Deferred, newsletter.Withheld},  // cancelled, left, suppressed, withdrawn
		{newsletter.Deferred, newsletter.Accepted},  // it was in doubt, and something came back that shows that it arrived
		{newsletter.Waiting, newsletter.Accepted},   // it was in doubt, and something came back that shows that it arrived
		{newsletter.Deferred, newsletter.Refused},   // it was in doubt, and came back
		{newsletter.Waiting, newsletter.Refused},    // it was in doubt, and came back
		{newsletter.Waiting, newsletter.InDoubt},    // it was in doubt, and is not sent once more
		{newsletter.Deferred, newsletter.InDoubt},   // it was in doubt, and is not sent once more
		{newsletter.Refused, newsletter.Waiting},    // edition retry
		{newsletter.Expired, newsletter.Waiting},    // edition retry
	}
	all := append(newsletter.States(), newsletter.Unplanned)
	if len(all) != 9 {
		t.Fatalf("%d states", len(all))
	}
	found := 0
	for _, from := range all {
		for _, to := range all {
			want := slices.Contains(allowed, edge{from, to})
			if got := newsletter.CanMove(from, to); got != want {
				t.Errorf("CanMove(%s, %s) = %v", from, to, got)
			}
			if want {
				found++
			}
		}
	}
	if found != len(allowed) {
		t.Errorf("%d of %d allowed edges were tried", found, len(allowed))
	}
}

func TestState_NamesReadBack(t *testing.T) {
	t.Parallel()
	if len(newsletter.States()) != 8 {
		t.Fatalf("%d states", len(newsletter.States()))
	}
	for _, s := range newsletter.States() {
		if got, err := newsletter.ParseState(s.String()); got != s || err != nil {
			t.Errorf("%s reads back as %s (%v)", s, got, err)
		}
	}
	if _, err := newsletter.ParseState(newsletter.Unplanned.String()); err == nil {
		t.Error("what is not planned is taken for a state")
	}
}

func TestState_RefusedExpiredAndWithheldReleaseTheirArticles(t *testing.T) {
	t.Parallel()
	releases := map[newsletter.State]bool{newsletter.Refused: true, newsletter.Expired: true, newsletter.Withheld: true}
	for _, s := range newsletter.States() {
		if s.Holds() == releases[s] {
			t.Errorf("%s holds: %v", s, s.Holds())
		}
	}
}

func TestTally_AnImbalanceIsAnError(t *testing.T) {
	t.Parallel()
	tally := newsletter.Tally{Planned: 10, Counts: map[newsletter.State]int{
		newsletter.Accepted: 3, newsletter.Refused: 1, newsletter.Expired: 1, newsletter.InDoubt: 1,
		newsletter.Withheld: 1, newsletter.Waiting: 1, newsletter.Deferred: 1, newsletter.Sending: 1,
	}}
	if err := tally.Check(); err != nil {
		t.Error(err)
	}
	for _, s := range newsletter.States() {
		tally.Counts[s]++
		if _, ok := errors.AsType[*newsletter.ImbalanceError](tally.Check()); !ok {
			t.Errorf("one %s too many is not noticed", s)
		}
		tally.Counts[s]--
	}
}

func TestSettlement_LeadsWhereTheLedgerAllows(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]newsletter.State{
		"arrived": newsletter.Accepted, "not-arrived": newsletter.Refused, "resend": newsletter.Deferred,
	} {
		s, err := newsletter.ParseSettlement(text)
		if err != nil || s.State() != want || !newsletter.CanMove(newsletter.InDoubt, s.State()) {
			t.Errorf("%s leads to %s (%v)", text, s.State(), err)
		}
	}
	if _, err := newsletter.ParseSettlement("maybe"); newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("maybe: %v", err)
	}
}

func TestPulse_IsFreshForAFewSecondsOnly(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
	for age, want := range map[time.Duration]bool{
		0: true, newsletter.PulseAge: true, newsletter.PulseAge + 1: false, -time.Second: true, -time.Hour: false,
	} {
		if got := (newsletter.Pulse{At: now.Add(-age)}).Fresh(now); got != want {
			t.Errorf("a pulse of %s ago is fresh: %v", age, got)
		}
	}
	p := newsletter.Pulse{Rate: 50, Tally: newsletter.Tally{Counts: map[newsletter.State]int{newsletter.Waiting: 90, newsletter.Deferred: 10}}}
	if got := p.ETA(); got != 2*time.Second {
		t.Errorf("100 at 50 a second take %s", got)
	}
	if got := (newsletter.Pulse{Tally: p.Tally}).ETA(); got != 0 {
		t.Errorf("at no rate they take %s", got)
	}
}

func TestReport_RateIsOfTheTimeItTook(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
	tally := newsletter.Tally{Planned: 100, Counts: map[newsletter.State]int{newsletter.Accepted: 100}}
	for _, c := range []struct {
		name     string
		edition  newsletter.Edition
		duration time.Duration
		rate     float64
	}{
		{"finished", newsletter.Edition{StartedAt: start, FinishedAt: start.Add(4 * time.Second)}, 4 * time.Second, 25},
		{"still under way", newsletter.Edition{StartedAt: start}, 10 * time.Second, 10},
		{"not begun", newsletter.Edition{}, 0, 0},
		{"the clock was set back", newsletter.Edition{StartedAt: start, FinishedAt: start.Add(-time.Hour)}, 0, 0},
	} {
		r := newsletter.Report{Edition: c.edition, Tally: tally}
		now := start.Add(10 * time.Second)
		if d, rate := r.Duration(now), r.Rate(now); d != c.duration || rate != c.rate {
			t.Errorf("%s: %s, %g a second", c.name, d, rate)
		}
	}
}
