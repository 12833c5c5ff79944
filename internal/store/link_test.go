package store

import (
	"fmt"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// A fresh link is mailed to who is known and may be mailed, at most every 15 minutes, and with all
// other mails at most three times a day.
func TestAskLink_MailsWithinTheLimits(t *testing.T) {
	t.Parallel()
	s, n, key := outbox(t)
	ctx := t.Context()
	if err := s.SignUp(ctx, request(n, key, "a@example.org"), mailNow); err != nil { // the day's first mail
		t.Fatal(err)
	}
	ask := func(address string, at time.Time, limits ...newsletter.Limit) error {
		return s.AskLink(ctx, newsletter.LinkRequest{EmailKey: address, Suppression: key.Hashes(address), Limits: limits}, at)
	}
	links := func() int { return count(t, s, `SELECT COUNT(*) FROM mails WHERE kind = 'link'`) }
	for _, step := range []struct {
		address string
		after   time.Duration
		want    int
	}{
		{"nobody@example.org", 0, 0},
		{"a@example.org", time.Minute, 1}, // within the hour of the confirmation
		{"a@example.org", 15 * time.Minute, 1},
		{"a@example.org", 16 * time.Minute, 2},
		{"a@example.org", 2 * time.Hour, 2}, // three mails
		{"a@example.org", 24 * time.Hour, 3},
	} {
		if err := ask(step.address, mailNow.Add(step.after)); err != nil {
			t.Fatal(err)
		}
		if got := links(); got != step.want {
			t.Errorf("after %v: %d links, want %d", step.after, got, step.want)
		}
	}
	must(t, s, `DELETE FROM mails`)
	must(t, s, fmt.Sprintf(`INSERT INTO suppressions (hash, reason, created_at) VALUES (x'%x', 'complaint', 0)`, key.Hash("a@example.org")))
	if err := ask("a@example.org", mailNow.Add(72*time.Hour)); err != nil || links() != 0 {
		t.Errorf("suppressed: %v, %d links", err, links())
	}
	limit := newsletter.ClientLimit("192.0.2.1")
	for i := range limit.Most + 1 {
		if err := ask("nobody@example.org", mailNow, limit); (newsletter.KindOf(err) == newsletter.RateLimited) != (i == limit.Most) {
			t.Fatalf("request %d of one client: %v", i, err)
		}
	}
}
