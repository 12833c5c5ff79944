package delivery_test

import (
	"context"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// A whole domain that is suppressed before an edition is planned is withheld by the plan; one
// that is suppressed while the edition is sent, by the last look. Everybody else gets it.
func TestSend_NobodyAtASuppressedDomainIsMailed(t *testing.T) {
	t.Parallel()
	r, n, _ := newsroom(t, newsroomtest.Options{Connections: 2}, 6)
	for _, email := range []string{"a@early.example.org", "b@early.example.org", "c@late.example.org", "d@late.example.org", "e@other.example.org"} {
		r.Reader(n, email, newsletter.Daily, 0)
	}
	suppress := func(domain string) {
		t.Helper()
		_, err := r.Store.Suppress(t.Context(), []newsletter.Suppression{{Hash: r.Barred.DomainHash(domain), Domain: domain, Reason: newsletter.SuppressedStaff}}, r.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
	}
	suppress("early.example.org")
	e := r.Begin("daily-news")
	if _, tally := r.Tally(e.ID); tally.Reasons[newsletter.ReasonSuppressed] != 2 || tally.WaitingCount() != 9 {
		t.Errorf("planned: %+v", tally)
	}
	suppress("late.example.org")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := r.NewEngine().Carry(ctx, e.ID, time.Second, nil); err != nil {
		t.Fatal(err)
	}
	if _, tally := r.Tally(e.ID); tally.Reasons[newsletter.ReasonSuppressed] != 4 || tally.Counts[newsletter.Accepted] != 7 {
		t.Errorf("sent: %+v", tally)
	}
	got := r.Received()
	for _, email := range []string{"a@early.example.org", "b@early.example.org", "c@late.example.org", "d@late.example.org"} {
		if got[email] != 0 {
			t.Errorf("%s got it", email)
		}
	}
	if got["e@other.example.org"] != 1 || got["r1@example.org"] != 1 {
		t.Errorf("others: %v", got)
	}
}
