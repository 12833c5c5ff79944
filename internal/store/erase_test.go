package store

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// erasable makes a ledger with one person whose address is in every place that it can be in.
func erasable(t *testing.T, s *Store) newsletter.SuppressionKey {
	t.Helper()
	key := returnedLedger(t, s)
	must(t, s, append(smallEdition(2, "1,2", "sending"),
		`UPDATE subscribers SET email = 'Vera.Needle@example.org', email_key = 'vera.needle@example.org', name = 'Vera Haystack' WHERE id = 3`,
		`INSERT INTO replies (id, text) VALUES (901, '5.7.1 <vera.NEEDLE@example.org> is not wanted'), (902, 'mailbox full'), (903, '5.7.1 <(erased)> is not wanted')`,
		`UPDATE deliveries SET state = 4, code = 550, reply_id = 901 WHERE edition_id = 1 AND subscriber_id = 3`,
		`INSERT INTO edition_totals (edition_id, kind, key, state, n, example) VALUES (1, 'reply', '550', 4, 1, 'no vera.needle@example.org here')`,
		`INSERT INTO signups (id, subscriber_id, nonce, email, name, created_at, expires_at) VALUES (1, 3, X'00', 'VERA.needle@example.org', 'Vera Haystack', 0, 1)`,
		`INSERT INTO signup_newsletters (signup_id, newsletter_id, cadence) VALUES (1, 1, 'daily')`,
		`INSERT INTO mails (id, kind, subscriber_id, signup_id, state, not_before, next_try, expires_at, reply, created_at, updated_at) VALUES (7, 'confirm', 3, 1, 2, 0, 0, 0, 'for vera.needle@example.org', 0, 0)`,
		`INSERT INTO subscription_events (subscriber_id, newsletter_id, kind, at, channel, ip, user_agent, note) VALUES (3, 1, 'confirmed', 0, 'form', '192.0.2.77', 'NeedleBrowser', 'of vera.needle@example.org')`,
		`INSERT INTO subscription_events (subscriber_id, newsletter_id, kind, at, channel, note) VALUES (1, 1, 'changed', 0, 'staff', 'was vera.needle@example.org')`,
		`INSERT INTO returns (edition_id, subscriber_id, mail_id, kind, status, code, reason, diagnostic, address, channel, effect, at)
			VALUES (1, 3, 0, 'soft', '', 0, '', 'vera.needle@example.org is over quota', 'needle.two@example.org', 'pipe', '', 1),
			(1, 2, 0, 'soft', '', 0, '', 'cannot forward', 'Vera.Needle@example.org', 'pipe', '', 1)`,
		`INSERT INTO alarms (kind, subject, text, since, raised_at) VALUES ('x', 'x', 'refused: vera.needle@example.org', 0, 0)`,
		`INSERT INTO desk_events (at, actor, action, detail) VALUES (0, 'cli', 'x', 'vera.needle@example.org')`,
		`INSERT INTO desk_events (at, actor, action, detail) VALUES (0, 'page:vera.needle@example.org', 'x', '')`,
		`INSERT INTO edition_approvals (edition_id, state, deadline, asked_at, decided_by) VALUES (2, 'held', 0, 0, 'page:Vera.Needle@example.org')`,
		`INSERT INTO edition_drafts (edition_id, sheet, items, revision, changed_by, changed_at) VALUES (2, '{}', '{}', 1, 'page:vera.needle@example.org', 0)`,
		`INSERT INTO proof_mails (edition_id, state, not_before, next_try, expires_at, reply, created_at, updated_at) VALUES (2, 3, 0, 0, 0, 'for vera.needle@example.org', 0, 0)`,
	)...)
	must(t, s, `UPDATE editions SET reason = 'the relay says: vera.needle@example.org' WHERE id = 1`)
	row(t, s, 2, 3, newsletter.Waiting)
	inTx(t, s, func(t *tx) error {
		_, err := t.exec(`INSERT INTO suppression_events (hash, kind, reason, note, at) VALUES ($1, 'lifted', 'left', 'vera.needle@example.org wrote', 0)`, key.Hash("vera.needle@example.org"))
		return err
	})
	return key
}

// inFiles reports whether the words are in a file of the database, however they are cased.
func inFiles(t *testing.T, s *Store, words string) bool {
	t.Helper()
	files, err := filepath.Glob(s.Path() + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(bytes.ToLower(content), []byte(words)) {
			return true
		}
	}
	return false
}

func TestEraseSubscriber_LeavesNoTraceInTheFiles(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	key := erasable(t, s)
	if !inFiles(t, s, "needle") {
		t.Fatal("the test does not see what is in the files")
	}
	gone, err := s.EraseSubscriber(t.Context(), 3, "cli:ada", noon)
	if err != nil {
		t.Fatal(err)
	}
	want := newsletter.Erased{SubscriberID: 3, Subscriptions: 1, Events: 1, SignUps: 1, Mails: 1, Deliveries: 2, Withheld: 1}
	if gone != want {
		t.Errorf("erased %+v, want %+v", gone, want)
	}
	if done, err := s.FoldLog(t.Context()); !done || err != nil {
		t.Errorf("the log is folded: %v, %v", done, err)
	}
	for _, words := range []string{"needle", "haystack", "192.0.2.77"} {
		if inFiles(t, s, words) {
			t.Errorf("%q is in the database's files still", words)
		}
	}
	if got := suppressedFor(t, s, key, "vera.needle@example.org"); got != newsletter.SuppressedErased {
		t.Errorf("the address is suppressed for %q", got)
	}
	if _, err := s.Subscriber(t.Context(), 3); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("there is still somebody: %v", err)
	}
	if _, err := s.EraseSubscriber(t.Context(), 3, "cli:ada", noon); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("erased again: %v", err)
	}
}

func TestEraseSubscriber_LedgerKeepsItsCount(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	erasable(t, s)
	before, err := s.Tally(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.EraseSubscriber(t.Context(), 3, "cli", noon); err != nil {
		t.Fatal(err)
	}
	after, err := s.Tally(t.Context(), 1)
	if err != nil || after.Planned != before.Planned || after.Counts[newsletter.Refused] != 1 {
		t.Errorf("before %+v, after %+v, %v", before, after, err)
	}
	if d := delivery(t, s, 2, 3); d.State != newsletter.Withheld || d.Reason != newsletter.ReasonErased {
		t.Errorf("what was to be sent is %s, %q", d.State, d.Reason)
	}
}

// What is being handed over while its reader is erased is settled without the relay's words.
func TestEraseSubscriber_WhileAMessageIsBeingSent(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	erasable(t, s)
	must(t, s, `UPDATE deliveries SET state = 2 WHERE edition_id = 2 AND subscriber_id = 3`)
	if _, err := s.EraseSubscriber(t.Context(), 3, "cli", noon); err != nil {
		t.Fatal(err)
	}
	refused := newsletter.Outcome{State: newsletter.Refused, Code: 550, Reply: "no vera.needle@example.org here", Relay: "r"}
	inTx(t, s, func(t *tx) error {
		return t.settle(newsletter.DeliveryResult{DeliveryKey: newsletter.DeliveryKey{EditionID: 2, SubscriberID: 3}, Outcome: refused}, noon)
	})
	if d := delivery(t, s, 2, 3); d.State != newsletter.Refused || d.Code != 550 || d.Reply != "" {
		t.Errorf("settled as %s, %d %q", d.State, d.Code, d.Reply)
	}
	if err := s.FinishMail(t.Context(), 7, refused, noon, noon); err != nil {
		t.Errorf("a mail that was being sent: %v", err)
	}
}

// Whoever comes after must not be taken for the person by links and return paths.
func TestEraseSubscriber_NumberIsNeverUsedAgain(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	erasable(t, s)
	if _, err := s.EraseSubscriber(t.Context(), 3, "cli", noon); err != nil {
		t.Fatal(err)
	}
	inTx(t, s, func(x *tx) error {
		id, err := x.insertSubscriber("new@example.org", "new@example.org", "", "", noon)
		if err == nil && id <= 3 {
			t.Errorf("the new subscriber has the number %d", id)
		}
		return err
	})
}

func TestEraseSubscriber_StrongerReasonStays(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	key := erasable(t, s)
	inTx(t, s, func(t *tx) error {
		return t.suppress(key.Hash("vera.needle@example.org"), newsletter.SuppressedComplaint, "wrote from vera.needle@example.org about a divorce", "cli", noon)
	})
	if _, err := s.EraseSubscriber(t.Context(), 3, "cli", noon); err != nil {
		t.Fatal(err)
	}
	if got := suppressedFor(t, s, key, "vera.needle@example.org"); got != newsletter.SuppressedComplaint {
		t.Errorf("the address is suppressed for %q", got)
	}
	if done, err := s.FoldLog(t.Context()); !done || err != nil || inFiles(t, s, "needle") || inFiles(t, s, "divorce") {
		t.Errorf("the note is there still: %v, %v", done, err)
	}
}

// A reader who takes time keeps the log from being folded: that is said, and done later.
func TestFoldLog_IsDoneLater(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	erasable(t, s)
	conn, err := s.reader.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var n int
	if _, err := conn.ExecContext(t.Context(), `BEGIN DEFERRED`); err != nil {
		t.Fatal(err)
	}
	if err := conn.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM subscribers`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EraseSubscriber(t.Context(), 3, "cli", noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if done, err := s.FoldLog(t.Context()); done || err != nil {
		t.Errorf("folded beside a reader: %v, %v", done, err)
	}
	if _, err := conn.ExecContext(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if done, err := s.FoldLog(t.Context()); !done || err != nil || inFiles(t, s, "needle") {
		t.Errorf("folded afterwards: %v, %v", done, err)
	}
}
