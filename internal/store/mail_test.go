package store

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

var mailNow = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// outbox is a store with one newsletter and a key for suppressions.
func outbox(t testing.TB) (*Store, newsletter.Newsletter, newsletter.SuppressionKey) {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), CreateIfMissing)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	_, key, err := s.Keys(t.Context(), mailNow, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.CreateNewsletter(t.Context(), newsletter.Newsletter{
		Slug: "daily", Name: "Daily", From: newsletter.Address{Name: "D", Email: "d@example.org"}, PostalAddress: "x", Language: "en",
		Zone: "UTC", MinArticles: 1, MaxArticles: 12, Status: newsletter.Open,
	}, "test", mailNow)
	if err != nil {
		t.Fatal(err)
	}
	return s, n, key
}

func request(n newsletter.Newsletter, key newsletter.SuppressionKey, email string) newsletter.SignUpRequest {
	return newsletter.SignUpRequest{
		Email: email, EmailKey: email, Suppression: key.Hashes(email), Nonce: make([]byte, 16), Limits: []newsletter.Limit{newsletter.ClientLimit(email)},
		Choices: []newsletter.SignUpChoice{{NewsletterID: n.ID, Cadence: newsletter.Daily}},
	}
}

// dueOne returns the only mail that is due.
func dueOne(t *testing.T, s *Store, now time.Time) newsletter.Mail {
	t.Helper()
	due, err := s.DueMails(t.Context(), now, 10)
	if err != nil || len(due) != 1 {
		t.Fatalf("due %+v, %v", due, err)
	}
	return due[0]
}

func wantQueue(t *testing.T, s *Store, waiting int, oldest time.Time) {
	t.Helper()
	n, at, err := s.MailQueue(t.Context())
	if err != nil || n != waiting || !at.Equal(oldest) {
		t.Errorf("queue %d since %v, %v; want %d since %v", n, at, err, waiting, oldest)
	}
}

func TestMail_GoesThroughItsStates(t *testing.T) {
	t.Parallel()
	s, n, key := outbox(t)
	ctx, now := t.Context(), mailNow
	wantQueue(t, s, 0, time.Time{})
	if err := s.SignUp(ctx, request(n, key, "a@example.org"), now); err != nil {
		t.Fatal(err)
	}
	m := dueOne(t, s, now)
	if m.Kind != newsletter.MailConfirm || m.Email != "a@example.org" || !m.NotBefore.Equal(now) {
		t.Errorf("%+v", m)
	}
	steps := []struct {
		outcome  newsletter.State
		attempts int
		stored   newsletter.State
	}{
		{newsletter.Waiting, 0, newsletter.Waiting},
		{newsletter.Deferred, 1, newsletter.Deferred},
		{newsletter.InDoubt, 2, newsletter.Deferred},
		{newsletter.Accepted, 3, newsletter.Accepted},
	}
	for _, step := range steps {
		m = dueOne(t, s, now)
		begun, err := s.BeginMail(ctx, m.ID, now)
		if err != nil || begun.State != newsletter.Sending || !begun.NotBefore.Equal(mailNow) {
			t.Fatalf("begin: %+v, %v", begun, err)
		}
		wantQueue(t, s, 1, mailNow)
		if _, err := s.BeginMail(ctx, m.ID, now); newsletter.KindOf(err) != newsletter.Conflict {
			t.Errorf("begun twice: %v", err)
		}
		next := now.Add(time.Minute)
		if err := s.FinishMail(ctx, m.ID, newsletter.Outcome{State: step.outcome, Code: 451, Reply: "later"}, next, now); err != nil {
			t.Fatal(err)
		}
		if err := s.FinishMail(ctx, m.ID, newsletter.Outcome{State: newsletter.Accepted}, next, now); newsletter.KindOf(err) != newsletter.Conflict {
			t.Errorf("finished twice: %v", err)
		}
		now = next
		if step.stored == newsletter.Accepted {
			break
		}
		if early, err := s.DueMails(ctx, now.Add(-time.Millisecond), 10); err != nil || len(early) != 0 {
			t.Errorf("due too early: %+v, %v", early, err)
		}
		if m = dueOne(t, s, now); m.State != step.stored || m.Attempts != step.attempts {
			t.Errorf("after %s: %+v", step.outcome, m)
		}
	}
	wantQueue(t, s, 0, time.Time{})
	if err := s.FinishMail(ctx, m.ID, newsletter.Outcome{State: newsletter.Expired}, now, now); err == nil {
		t.Error("an attempt ended as expired")
	}
	if _, err := s.BeginMail(ctx, 99, now); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("no such mail: %v", err)
	}
}

func TestMail_KilledWhileSendingIsSentAgain(t *testing.T) {
	t.Parallel()
	s, n, key := outbox(t)
	ctx := t.Context()
	if err := s.SignUp(ctx, request(n, key, "a@example.org"), mailNow); err != nil {
		t.Fatal(err)
	}
	m := dueOne(t, s, mailNow)
	if _, err := s.BeginMail(ctx, m.ID, mailNow); err != nil {
		t.Fatal(err)
	}
	if count, err := s.RecoverMails(ctx, mailNow); err != nil || count != 1 {
		t.Errorf("recovered %d, %v", count, err)
	}
	if again := dueOne(t, s, mailNow); again.State != newsletter.Deferred || again.ID != m.ID {
		t.Errorf("%+v", again)
	}
}

func TestMail_ExpiresWhenItCannotBeDelivered(t *testing.T) {
	t.Parallel()
	s, n, key := outbox(t)
	ctx := t.Context()
	if err := s.SignUp(ctx, request(n, key, "a@example.org"), mailNow); err != nil {
		t.Fatal(err)
	}
	late := mailNow.Add(newsletter.MailLife)
	if due, err := s.DueMails(ctx, late, 10); err != nil || len(due) != 0 {
		t.Errorf("due %+v, %v", due, err)
	}
	if count, err := s.ExpireMails(ctx, late.Add(-time.Millisecond)); err != nil || count != 0 {
		t.Errorf("expired %d, %v", count, err)
	}
	if count, err := s.ExpireMails(ctx, late); err != nil || count != 1 {
		t.Errorf("expired %d, %v", count, err)
	}
	wantQueue(t, s, 0, time.Time{})
}

func TestMail_ThatMakesNoSenseAnyMoreIsWithheld(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, s *Store, m newsletter.Mail, hash []byte){
		"confirmed": func(t *testing.T, s *Store, m newsletter.Mail, hash []byte) {
			if done, err := s.ConfirmSignUp(t.Context(), m.SignupID, newsletter.SuppressionHashes{Address: hash}, newsletter.Words{}, newsletter.Origin{}, mailNow); err != nil || !done {
				t.Fatal(done, err)
			}
		},
		"left": func(t *testing.T, s *Store, m newsletter.Mail, _ []byte) {
			if err := s.RemoveSubscriptions(t.Context(), m.SubscriberID, 0, newsletter.Origin{}, mailNow); err != nil {
				t.Fatal(err)
			}
		},
		"bounced while it waited": func(t *testing.T, s *Store, _ newsletter.Mail, hash []byte) {
			suppressAt(t, s, hash, mailNow.Add(time.Second))
		},
		"came back itself": func(t *testing.T, s *Store, m newsletter.Mail, hash []byte) {
			suppressAt(t, s, hash, mailNow.Add(-time.Hour))
			must(t, s, fmt.Sprintf(`INSERT INTO returns (edition_id, subscriber_id, mail_id, kind, status, code, reason, diagnostic, address, channel, effect, at)
				VALUES (0, %d, %d, 'hard', '', 0, '', '', '', 'pipe', '', 1)`, m.SubscriberID, m.ID))
		},
		"suppressed": func(t *testing.T, s *Store, _ newsletter.Mail, hash []byte) {
			err := s.write(t.Context(), func(t *tx) error {
				_, err := t.exec(`INSERT INTO suppressions (hash, reason, created_at) VALUES ($1, 'complaint', 0)`, hash)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, n, key := outbox(t)
			ctx := t.Context()
			if err := s.SignUp(ctx, request(n, key, "a@example.org"), mailNow); err != nil {
				t.Fatal(err)
			}
			m := dueOne(t, s, mailNow)
			spoil(t, s, m, key.Hash("a@example.org"))
			if _, err := s.BeginMail(ctx, m.ID, mailNow); newsletter.KindOf(err) != newsletter.Conflict {
				t.Fatalf("error %v", err)
			}
			wantQueue(t, s, 0, time.Time{})
			// Nothing was sent, so nothing counts towards the cooldown.
			err := s.write(ctx, func(t *tx) error {
				sent, err := t.lastMails(m.SubscriberID, mailNow)
				if len(sent) != 0 {
					return fmt.Errorf("sent %v", sent)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestKeys_AreMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	type made struct {
		ring newsletter.KeyRing
		supp newsletter.SuppressionKey
	}
	var (
		mu   sync.Mutex
		seen []made
		wg   sync.WaitGroup
	)
	if _, err := Migrate(t.Context(), path, nil); err != nil {
		t.Fatal(err)
	}
	for range 8 { // each as a process of its own would
		wg.Go(func() {
			s, err := Open(t.Context(), path, ExistingOnly)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			for range 2 {
				ring, supp, err := s.Keys(t.Context(), mailNow, rand.Reader)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				seen = append(seen, made{ring, supp})
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, m := range seen {
		if len(m.ring) != 1 || len(m.ring[0].Secret) != keySize || !bytes.Equal(m.ring[0].Secret, seen[0].ring[0].Secret) ||
			!bytes.Equal(m.supp, seen[0].supp) || bytes.Equal(m.supp, m.ring[0].Secret) {
			t.Errorf("keys differ, or are none: %+v", m)
		}
	}
	if len(seen) != 16 {
		t.Errorf("%d answers", len(seen))
	}
}

// suppressAt has a hard bounce suppress the address at that time.
func suppressAt(t *testing.T, s *Store, hash []byte, at time.Time) {
	t.Helper()
	err := s.write(t.Context(), func(t *tx) error {
		return t.suppress(hash, newsletter.SuppressedHardBounce, "", "", at)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Who signs up after the address was suppressed is answered, also if that sign-up joined a mail
// that was waiting already (S26).
func TestMail_OfAFreshSignUpGoesToASuppressedAddress(t *testing.T) {
	t.Parallel()
	s, n, key := outbox(t)
	hash := key.Hash("a@example.org")
	r := request(n, key, "a@example.org")
	suppressAt(t, s, hash, mailNow.Add(-time.Hour))
	if err := s.SignUp(t.Context(), r, mailNow); err != nil {
		t.Fatal(err)
	}
	m := dueOne(t, s, mailNow)
	must(t, s, fmt.Sprintf(`UPDATE suppressions SET created_at = %d`, millis(mailNow.Add(time.Minute))))
	r.Nonce = []byte("another nonce 16")
	if err := s.SignUp(t.Context(), r, mailNow.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.BeginMail(t.Context(), m.ID, mailNow.Add(3*time.Minute)); err != nil {
		t.Error(err)
	}
}
