package store

import (
	"iter"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// noon is when tests of the ledger happen.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// must runs statements in one transaction, past all rules.
func must(t testing.TB, s *Store, statements ...string) {
	t.Helper()
	err := s.write(t.Context(), func(t *tx) error {
		for _, statement := range statements {
			if _, err := t.exec(statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// bigEdition makes edition 1, which is sent, with so many rows: of each hundred 95 are
// accepted, 2 refused, 1 expired, 1 withheld and 1 is in doubt. Half of the readers are at
// one domain, the others at a hundred.
func bigEdition(t testing.TB, s *Store, rows int) {
	t.Helper()
	n := sprint(rows)
	must(t, s,
		`INSERT INTO newsletters (id, slug, name, from_name, from_email, postal_address, language, zone, min_articles, max_articles, status, created_at, updated_at)
			VALUES (1, 'daily-news', 'Daily News', '', 'news@example.org', 'x', 'en', 'UTC', 1, 12, 'open', 0, 0)`,
		`INSERT INTO editions (id, newsletter_id, cadence, local_date, slot, state, due_at, as_of, planned, planned_at, created_at, started_at, finished_at, expires_at)
			VALUES (1, 1, 'daily', '2026-11-20', 'main', 'sent', 0, 0, `+n+`, 0, 0, 1700000000000, 1700000050000, 0)`,
		`INSERT INTO relays (id, name) VALUES (1, 'smtp.example.net:587'), (2, 'smtp2.example.net:587')`,
		`INSERT INTO replies (id, text) VALUES (1, 'no such user'), (2, 'mailbox full')`,
		`WITH RECURSIVE i (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < `+n+`)
			INSERT INTO subscribers (id, email, email_key, created_at, updated_at)
			SELECT i, a, a, 0, 0 FROM (SELECT i, 'reader' || i || '@' || CASE WHEN i % 2 = 0 THEN 'mail.example' ELSE 'd' || (i % 199 % 100) || '.example' END AS a FROM i)`,
		`WITH RECURSIVE i (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < `+n+`)
			INSERT INTO deliveries (edition_id, subscriber_id, variant_id, state, reason, attempts, doubts, doubted_at, not_before, next_try, expires_at,
				code, enhanced, reply_id, relay_id, updated_at)
			SELECT 1, i, 1, CASE i % 100 WHEN 1 THEN 4 WHEN 2 THEN 4 WHEN 3 THEN 7 WHEN 4 THEN 8 WHEN 5 THEN 6 ELSE 3 END,
				CASE i % 100 WHEN 4 THEN 'left' END, CASE i % 100 WHEN 4 THEN 0 ELSE 1 END, CASE i % 100 WHEN 6 THEN 1 ELSE 0 END,
				CASE i % 100 WHEN 5 THEN 1700000040000 WHEN 6 THEN 1700000040000 END, 1700000000000, 1700000000000 + i, 1700086400000,
				CASE i % 100 WHEN 1 THEN 550 WHEN 2 THEN 552 WHEN 3 THEN 451 WHEN 4 THEN NULL WHEN 5 THEN 0 ELSE 250 END,
				CASE i % 100 WHEN 1 THEN '5.1.1' WHEN 2 THEN '5.2.2' WHEN 3 THEN '4.7.1' WHEN 4 THEN NULL WHEN 5 THEN '' ELSE '2.0.0' END,
				CASE i % 100 WHEN 1 THEN 1 WHEN 2 THEN 2 END, CASE i % 100 WHEN 4 THEN NULL ELSE 1 + i % 2 END, 1700000000000 + i
			FROM i`)
}

// tallyIs fails unless the edition's ledger balances and has just these counts.
func tallyIs(t *testing.T, s *Store, edition int64, want map[newsletter.State]int) newsletter.Tally {
	t.Helper()
	tally, err := s.Balance(t.Context(), edition)
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range newsletter.States() {
		if tally.Counts[state] != want[state] {
			t.Errorf("edition %d has %d %s, want %d", edition, tally.Counts[state], state, want[state])
		}
	}
	return tally
}

// splitStatements yields the statements of a text with semicolons.
func splitStatements(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for statement := range strings.SplitSeq(text, ";") {
			if strings.TrimSpace(statement) != "" && !yield(statement) {
				return
			}
		}
	}
}
