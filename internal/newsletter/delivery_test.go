package newsletter_test

import (
	"testing"

	"broadsheet/internal/newsletter"
)

func TestCanMove_TheTableOfTheLedger(t *testing.T) {
	t.Parallel()
	type edge struct{ from, to newsletter.State }
	allowed := map[edge]bool{}
	for from, to := range map[newsletter.State][]newsletter.State{
		newsletter.Waiting:  {newsletter.Sending, newsletter.Expired, newsletter.Withheld},
		newsletter.Deferred: {newsletter.Sending, newsletter.Expired, newsletter.Withheld},
		newsletter.Sending:  {newsletter.Accepted, newsletter.Refused, newsletter.Deferred, newsletter.InDoubt, newsletter.Waiting},
		newsletter.InDoubt:  {newsletter.Deferred, newsletter.Accepted, newsletter.Refused},
		newsletter.Refused:  {newsletter.Waiting},
		newsletter.Expired:  {newsletter.Waiting},
	} {
		for _, s := range to {
			allowed[edge{from, s}] = true
		}
	}
	for _, from := range newsletter.States() {
		for _, to := range newsletter.States() {
			if got := newsletter.CanMove(from, to); got != allowed[edge{from, to}] {
				t.Errorf("CanMove(%s, %s) = %v", from, to, got)
			}
		}
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
		if tally.Check() == nil {
			t.Errorf("one %s too many is not noticed", s)
		}
		tally.Counts[s]--
	}
}
