package store

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

const day = 24 * time.Hour

func hours(n int) time.Duration { return time.Duration(n) * time.Hour }

func TestPruneSignUps_RemovesWhoNeverConfirmed(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	smallLedger(t, s)
	old, recent := millis(noon.Add(-31*day)), millis(noon.Add(-29*day))
	inTx(t, s, func(t *tx) error {
		for _, p := range []struct {
			id      int64
			state   string
			expires int64
		}{{11, "pending", old}, {12, "pending", recent}, {13, "active", old}, {14, "left", old}} {
			email := "p" + string(rune('a'+p.id-11)) + "@example.org"
			if _, err := t.exec(`INSERT INTO subscribers (id, email, email_key, created_at, updated_at) VALUES ($1, $2, $2, 0, 0)`, p.id, email); err != nil {
				return err
			}
			if _, err := t.exec(`INSERT INTO subscriptions (newsletter_id, subscriber_id, state, cadence, created_at, updated_at) VALUES (1, $1, $2, 'daily', 0, 0)`, p.id, p.state); err != nil {
				return err
			}
			if _, err := t.exec(`INSERT INTO subscription_events (subscriber_id, newsletter_id, kind, at, channel) VALUES ($1, 1, 'requested', 0, 'form')`, p.id); err != nil {
				return err
			}
			if _, err := t.exec(`INSERT INTO signups (id, subscriber_id, nonce, email, created_at, expires_at) VALUES ($1, $1, X'00', $2, 0, $3)`, p.id, email, p.expires); err != nil {
				return err
			}
			if _, err := t.exec(`INSERT INTO mails (id, kind, subscriber_id, signup_id, state, not_before, next_try, expires_at, created_at, updated_at) VALUES ($1, 'confirm', $1, $1, 3, 0, 0, 0, 0, 0)`, p.id); err != nil {
				return err
			}
		}
		return nil
	})
	must(t, s, `INSERT INTO desk_events (at, actor, action, detail) VALUES (0, 'cli', 'x', 'PA@example.org asked')`)
	signUps, people, err := s.PruneSignUps(t.Context(), noon.Add(-30*day), noon)
	if signUps != 3 || people != 1 || err != nil {
		t.Errorf("%d sign-ups and %d people are gone, %v; want 3 and 1", signUps, people, err)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM subscribers WHERE id IN (12, 13, 14)`); n != 3 {
		t.Errorf("%d of 3 are there still", n)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM subscribers WHERE id = 11`) + count(t, s, `SELECT COUNT(*) FROM subscription_events WHERE subscriber_id = 11`); n != 0 {
		t.Error("who never confirmed is there still")
	}
	if n, err := s.ScrubErased(t.Context(), noon); n != 1 || err != nil {
		t.Errorf("what others wrote of the address: %d rows, %v", n, err)
	}
	if done, err := s.FoldLog(t.Context()); !done || err != nil || inFiles(t, s, "pa@example.org") {
		t.Errorf("the address is in the files still: %v, %v", done, err)
	}
	inTx(t, s, func(x *tx) error {
		must := int64(14)
		id, err := x.insertSubscriber("next@example.org", "next@example.org", "", "", noon)
		if id <= must {
			t.Errorf("the next subscriber has the number %d", id)
		}
		return err
	})
	if signUps, people, err := s.PruneSignUps(t.Context(), noon.Add(-30*day), noon); signUps+people != 0 || err != nil {
		t.Errorf("the second time %d and %d are gone, %v", signUps, people, err)
	}
}

func TestForgetClients_KeepsTheRest(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	smallLedger(t, s)
	inTx(t, s, func(t *tx) error {
		for _, at := range []int64{millis(noon.Add(-401 * day)), millis(noon.Add(-399 * day))} {
			if _, err := t.exec(`INSERT INTO subscription_events (subscriber_id, newsletter_id, kind, at, channel, page, ip, user_agent) VALUES (1, 1, 'confirmed', $1, 'form', 'https://www.example.org/a', '192.0.2.7', 'Browser')`, at); err != nil {
				return err
			}
		}
		return nil
	})
	if n, err := s.ForgetClients(t.Context(), noon.Add(-400*day)); n != 1 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
	events, err := s.Events(t.Context(), 1)
	if err != nil || len(events) != 2 {
		t.Fatal(events, err)
	}
	if e := events[0]; e.IP != "" || e.UserAgent != "" || e.Page == "" {
		t.Errorf("the old one is %+v", e)
	}
	if e := events[1]; e.IP != "192.0.2.7" || e.UserAgent != "Browser" {
		t.Errorf("the recent one is %+v", e)
	}
}

func TestPruneMails_LeavesWhatIsToBeSent(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	smallLedger(t, s)
	must(t, s, `INSERT INTO mails (id, kind, subscriber_id, state, not_before, next_try, expires_at, created_at, updated_at)
		VALUES (1, 'already', 1, 5, 0, 0, 0, 0, 0), (2, 'already', 1, 2, 0, 0, 0, 0, 0), (3, 'already', 1, 3, 0, 0, 0, 0, 0), (4, 'confirm', 1, 3, 0, 0, 0, 0, 0)`)
	if n, err := s.PruneMails(t.Context(), noon); n != 1 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM mails`); n != 3 {
		t.Errorf("%d are left", n)
	}
	inTx(t, s, func(x *tx) error {
		if err := x.queueMail("already", 1, 0, true, noon, noon); err == nil {
			return nil
		}
		_, err := x.exec(`INSERT INTO mails (id, kind, subscriber_id, state, not_before, next_try, expires_at, created_at, updated_at) VALUES (` + nextMail + `, 'already', 1, 1, 0, 0, 0, 0, 0)`)
		return err
	})
	if n := count(t, s, `SELECT MAX(id) FROM mails`); n <= 4 {
		t.Errorf("the next mail has the number %d", n)
	}
}

// What runs every hour, in everybody's way, must not read all that is kept.
func TestRetention_FindsByIndex(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	for query, index := range map[string]string{
		oldMails: "mails_finished",
		oldLeft:  "subscriptions_left",
		`SELECT 1 FROM deliveries WHERE reply_id = $1 LIMIT $2`:                                                    "deliveries_by_reply",
		`SELECT id FROM signups WHERE confirmed_at IS NULL AND expires_at < $1 ORDER BY expires_at LIMIT $2`:       "signups_unconfirmed",
		`SELECT id FROM subscription_events WHERE at < $1 AND (ip <> '' OR user_agent <> '') ORDER BY at LIMIT $2`: "subscription_events_with_client",
	} {
		rows, err := s.read(t.Context()).query(`EXPLAIN QUERY PLAN `+query, 1, 5)
		plan, err := collect(rows, err, func(rows *sql.Rows) (words string, err error) {
			var a, b, c int
			return words, rows.Scan(&a, &b, &c, &words)
		})
		if err != nil || !strings.Contains(strings.Join(plan, "\n"), index) {
			t.Errorf("%s\nis answered by %q, %v", query, plan, err)
		}
	}
}

// The relays' words go with the last row that has them.
func TestPruneDeliveries_TakesTheRepliesAlong(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	smallLedger(t, s)
	for i := int64(1); i <= 3; i++ {
		row(t, s, 1, i, newsletter.Refused)
	}
	must(t, s, append(smallEdition(2, "1", "sending"),
		`INSERT INTO replies (id, text) VALUES (901, 'no needle@example.org'), (902, 'mailbox full'), (903, 'put off, and then accepted')`,
		`UPDATE deliveries SET reply_id = 901 WHERE subscriber_id = 1`, `UPDATE deliveries SET reply_id = 902 WHERE subscriber_id > 1`,
		`UPDATE editions SET state = 'sent', totals_at = 1, finished_at = 1 WHERE id = 1`)...)
	row(t, s, 2, 1, newsletter.Refused)
	must(t, s, `UPDATE deliveries SET reply_id = 902 WHERE edition_id = 2`)
	if n, err := s.PruneDeliveries(t.Context(), noon, noon); n != 3 || err != nil {
		t.Errorf("%d rows are gone, %v", n, err)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM replies WHERE id IN (901, 902, 903)`); n != 1 || count(t, s, `SELECT COUNT(*) FROM replies WHERE id = 902`) != 1 {
		t.Errorf("%d replies are left", n)
	}
}
