package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// welcomeAgain is how long somebody who comes back is not welcomed once more.
const welcomeAgain = 24 * time.Hour

// queueWelcome puts a mail of welcome into the outbox for who has just confirmed, if the newsletter
// wants that and they had none lately.
func (t *tx) queueWelcome(subscriberID, newsletterID int64, now time.Time) error {
	var wanted bool
	err := t.row(`SELECT welcome = 1 AND NOT EXISTS (SELECT 1 FROM mails
			WHERE subscriber_id = $1 AND created_at > $2 AND kind = 'welcome' AND about_id = $3 AND state <> 8)
		FROM newsletters WHERE id = $3`, subscriberID, millis(now.Add(-welcomeAgain)), newsletterID).Scan(&wanted)
	if err != nil || !wanted {
		return err
	}
	return t.queueMailAbout(newsletter.MailWelcome, subscriberID, newsletterID, true, now, now)
}

// welcomePointless returns why a mail of welcome should not be sent any more, "" if it should: who left
// or paused before it went does not want it.
func (t *tx) welcomePointless(m newsletter.Mail, now time.Time) (string, error) {
	var status newsletter.Status
	if err := t.row(`SELECT status FROM newsletters WHERE id = $1`, m.AboutID).Scan(&status); err != nil {
		return "", err
	}
	u, ok, err := subscriptionTo(t, m.AboutID, m.SubscriberID)
	switch {
	case err != nil:
		return "", err
	case status == newsletter.Closed:
		return "closed", nil
	case !ok || u.State == newsletter.Left:
		return "left", nil
	case u.State != newsletter.Active && (u.PausedUntil.IsZero() || u.PausedUntil.After(now)):
		return "paused", nil
	}
	return "", nil
}

// LastEdition returns the last edition for the readers of a slot that was sent, of those frozen between
// two times, or a NotFound error.
func (s *Store) LastEdition(ctx context.Context, newsletterID int64, c newsletter.Cadence, slot string, since, before time.Time) (newsletter.ArchivedEdition, error) {
	e, err := scanArchived(s.read(ctx).row(`SELECT `+editionColumns+archived+` AND e.newsletter_id = $1 AND e.cadence = $2
		AND (e.for_slot = $3 OR e.for_slot = 'all') AND e.as_of > $4 AND e.as_of < $5 ORDER BY e.as_of DESC, e.id DESC LIMIT 1`,
		newsletterID, string(c), fromSlotColumn(slot), millis(since), millis(before)))
	if errors.Is(err, sql.ErrNoRows) {
		return e, newsletter.NotFoundf("no edition was sent to these readers")
	}
	if err != nil {
		return e, fmt.Errorf("last edition of newsletter %d: %w", newsletterID, err)
	}
	return e, nil
}
