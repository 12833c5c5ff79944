package store

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// TestSignUp_TogetherIsAsOneByOne records the same sign-ups in groups and one by one: strangers and
// readers of every state, the same address several times in a group, clients past every limit. All
// that is on record afterwards is the same.
func TestSignUp_TogetherIsAsOneByOne(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		together, one, key := outbox(t)
		apart, _, _ := outbox(t)
		if _, err := together.CreateNewsletter(t.Context(), another(one), "test", mailNow); err != nil {
			t.Fatal(err)
		}
		if _, err := apart.CreateNewsletter(t.Context(), another(one), "test", mailNow); err != nil {
			t.Fatal(err)
		}
		r, now := rand.New(rand.NewPCG(seed, 7)), mailNow
		for range 40 {
			var calls []*signUpCall
			for range 1 + r.IntN(12) {
				calls = append(calls, &signUpCall{ctx: t.Context(), request: randomSignUp(r, key), now: now})
			}
			if err := together.write(t.Context(), func(t *tx) error { return t.signUpAll(calls) }); err != nil {
				t.Fatal(err)
			}
			for _, c := range calls {
				if err := apart.SignUp(t.Context(), c.request, now); fmt.Sprint(errors.Unwrap(err)) != fmt.Sprint(c.err) {
					t.Fatalf("seed %d: alone %v, together %v", seed, err, c.err)
				}
			}
			for _, s := range []*Store{together, apart} { // what happens to readers in between
				happens(t, s, rand.New(rand.NewPCG(seed, uint64(now.UnixMilli()))), key, now)
			}
			now = now.Add(time.Duration(r.IntN(90)) * time.Minute)
		}
		a, b := signedUp(t, together), signedUp(t, apart)
		if i := slices.IndexFunc(a, func(line string) bool { return !slices.Contains(b, line) }); i >= 0 || len(a) != len(b) {
			t.Fatalf("seed %d: %d rows together, %d apart; only together: %v", seed, len(a), len(b), a[max(i, 0)])
		}
		if len(a) < 500 {
			t.Fatalf("seed %d: only %d rows", seed, len(a))
		}
	}
}

func another(n newsletter.Newsletter) newsletter.Newsletter {
	n.ID, n.Slug, n.Name = 0, "weekly", "Weekly"
	return n
}

func randomSignUp(r *rand.Rand, key newsletter.SuppressionKey) newsletter.SignUpRequest {
	email := fmt.Sprintf("r%d@example.org", r.IntN(25))
	choices := []newsletter.SignUpChoice{{NewsletterID: 1, Cadence: newsletter.Daily, Sections: newsletter.Mask(r.IntN(3))}}
	if r.IntN(3) == 0 {
		choices = append(choices, newsletter.SignUpChoice{NewsletterID: 2, Cadence: newsletter.Weekly})
	}
	nonce := make([]byte, 16)
	for i := range nonce {
		nonce[i] = byte(r.Uint32())
	}
	client := fmt.Sprint(r.IntN(3))
	return newsletter.SignUpRequest{
		Email: email, EmailKey: email, Suppression: key.Hashes(email), Nonce: nonce, Choices: choices,
		Origin: newsletter.Origin{Channel: "form", IP: client},
		Limits: []newsletter.Limit{{Bucket: client, Full: 10, Most: 20, Spacing: time.Minute}, {Bucket: newsletter.AllSignUps, Full: 40, Spacing: time.Second, General: true}},
	}
}

// happens sends mails, confirms, suppresses and leaves.
func happens(t *testing.T, s *Store, r *rand.Rand, key newsletter.SuppressionKey, now time.Time) {
	t.Helper()
	due, err := s.DueMails(t.Context(), now, 100)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(due, func(a, b newsletter.Mail) int { return strings.Compare(a.Email, b.Email) })
	for _, m := range due {
		if _, err := s.BeginMail(t.Context(), m.ID, now); newsletter.KindOf(err) == newsletter.Conflict {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		if err := s.FinishMail(t.Context(), m.ID, newsletter.Outcome{State: newsletter.Accepted}, time.Time{}, now); err != nil {
			t.Fatal(err)
		}
		if r.IntN(2) == 0 {
			if _, err := s.ConfirmSignUp(t.Context(), m.SignupID, key.Hashes(m.Email), newsletter.Words{}, newsletter.Origin{}, now); err != nil && newsletter.KindOf(err) == newsletter.Internal {
				t.Fatal(err)
			}
		}
	}
	who := fmt.Sprintf("r%d@example.org", r.IntN(25))
	reason := []newsletter.SuppressionReason{newsletter.SuppressedHardBounce, newsletter.SuppressedComplaint, newsletter.SuppressedLeft}[r.IntN(3)]
	if _, err := s.Suppress(t.Context(), []newsletter.Suppression{{Hash: key.Hash(who), Reason: reason, CreatedAt: now}}, now); err != nil {
		t.Fatal(err)
	}
}

// signedUp returns all that sign-ups leave, by address and not by number, which a group may skip.
func signedUp(t *testing.T, s *Store) []string {
	t.Helper()
	rows, err := s.read(t.Context()).query(`
		SELECT 'subscriber ' || email || updated_at FROM subscribers
		UNION ALL SELECT 'sign-up ' || s.email || hex(u.nonce) || u.created_at || ' ' || u.expires_at || COALESCE(u.confirmed_at, '-')
			|| (SELECT group_concat(c.newsletter_id || c.cadence || c.slot || c.sections) FROM signup_newsletters c WHERE c.signup_id = u.id)
			FROM signups u JOIN subscribers s ON s.id = u.subscriber_id
		UNION ALL SELECT 'subscription ' || s.email || u.newsletter_id || u.state || u.cadence || u.slot || u.sections || u.updated_at
			FROM subscriptions u JOIN subscribers s ON s.id = u.subscriber_id
		UNION ALL SELECT 'event ' || s.email || e.newsletter_id || e.kind || e.at || e.ip FROM subscription_events e JOIN subscribers s ON s.id = e.subscriber_id
		UNION ALL SELECT 'mail ' || s.email || m.kind || m.state || ' ' || m.not_before || ' ' || m.expires_at || ' ' || m.created_at || hex(u.nonce)
			FROM mails m JOIN subscribers s ON s.id = m.subscriber_id JOIN signups u ON u.id = m.signup_id
		UNION ALL SELECT 'count ' || bucket || ' ' || window_at || ' ' || count FROM rate_counters
		ORDER BY 1`)
	list, err := collect(rows, err, func(rows *sql.Rows) (line string, err error) { return line, rows.Scan(&line) })
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestSignUp_ManyAtOnce: all that are told that they are recorded are, whoever records whom; past a
// bound the others are told at once to come back.
func TestSignUp_ManyAtOnce(t *testing.T) {
	t.Parallel()
	s, n, key := outbox(t)
	var all sync.WaitGroup
	for i := range 1000 {
		all.Go(func() {
			if err := s.SignUp(t.Context(), request(n, key, fmt.Sprintf("r%d@example.org", i)), mailNow); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	count := func() (n int) {
		if err := s.read(t.Context()).row(`SELECT COUNT(*) FROM mails`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if got := count(); got != 1000 {
		t.Errorf("%d mails", got)
	}
	// One write takes its time meanwhile.
	hold, began := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.write(t.Context(), func(*tx) error { close(began); <-hold; return nil })
	}()
	<-began
	told := make(chan error, 2*maxWaiting)
	for i := range maxWaiting + 500 {
		go func() { told <- s.SignUp(t.Context(), request(n, key, fmt.Sprintf("x%d@example.org", i)), mailNow) }()
	}
	for range 500 { // before anything is written
		if err := <-told; newsletter.KindOf(err) != newsletter.Busy {
			t.Fatalf("error %v, want busy", err)
		}
	}
	close(hold)
	for range maxWaiting {
		if err := <-told; err != nil {
			t.Fatal(err)
		}
	}
	if got := count(); got != 1000+maxWaiting {
		t.Errorf("%d mails", got)
	}
}

// TestSignUp_OneThatFailsFailsAlone, as one whose newsletter is gone.
func TestSignUp_OneThatFailsFailsAlone(t *testing.T) {
	t.Parallel()
	s, n, key := outbox(t)
	calls := make([]*signUpCall, 5)
	for i := range calls {
		calls[i] = &signUpCall{ctx: t.Context(), request: request(n, key, fmt.Sprintf("r%d@example.org", i)), now: mailNow}
	}
	calls[2].request.Choices = []newsletter.SignUpChoice{{NewsletterID: 99, Cadence: newsletter.Daily}}
	if err := s.write(t.Context(), func(t *tx) error { return t.signUpAll(calls) }); err != nil {
		t.Fatal(err)
	}
	for i, c := range calls {
		if (c.err != nil) != (i == 2) {
			t.Errorf("sign-up %d: %v", i, c.err)
		}
	}
	if due, err := s.DueMails(t.Context(), mailNow, 10); err != nil || len(due) != 4 {
		t.Errorf("%d mails, %v", len(due), err)
	}
}
