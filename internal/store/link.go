package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// AskLink puts a mail with a fresh link into the outbox for whoever has the address. For an address
// that nobody has, that must not be mailed, or that was written to too often, it does the same work
// and sends nothing (S27). The error is RateLimited past the bound of one of r.Limits.
func (s *Store) AskLink(ctx context.Context, r newsletter.LinkRequest, now time.Time) error {
	err := s.write(ctx, func(t *tx) error {
		rates, err := t.readRates(bucketsOf(r.Limits), now)
		if err != nil {
			return err
		}
		delay, err := rates.count(r.Limits)
		if err != nil {
			return err
		}
		if err := t.saveRates(rates); err != nil {
			return err
		}
		stands, err := suppression(t, r.Suppression)
		if err != nil {
			return err
		}
		id, err := findSubscriber(t, r.EmailKey)
		if err != nil {
			return err
		}
		sent, err := t.sentMails(id, now)
		if err != nil {
			return err
		}
		at, ok := newsletter.LinkMail(now, delay, sent)
		return t.queueMailAbout(newsletter.MailLink, id, 0, ok && id != 0 && stands.Reason == "", at, now)
	})
	if err != nil {
		return fmt.Errorf("ask for a link: %w", err)
	}
	return nil
}

// sentMails returns the transactional mails of the last day to a subscriber, and those to come, the
// newest first. Those that were withheld do not count, nor does a welcome.
func (t *tx) sentMails(subscriberID int64, now time.Time) ([]newsletter.SentMail, error) {
	rows, err := t.query(`
		SELECT kind, not_before FROM mails
		WHERE subscriber_id = $1 AND created_at > $2 AND not_before > $3 AND state <> 8 AND kind <> 'welcome'
		ORDER BY not_before DESC LIMIT $4`,
		subscriberID, millis(now.Add(-72*time.Hour)), millis(now.Add(-24*time.Hour)), newsletter.MailsPerDay)
	return collect(rows, err, func(rows *sql.Rows) (newsletter.SentMail, error) {
		var m newsletter.SentMail
		var ms int64
		err := rows.Scan(&m.Kind, &ms)
		m.At = fromMillis(ms)
		return m, err
	})
}
