package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// Events returns what happened to a subscriber's subscriptions, oldest first.
func (s *Store) Events(ctx context.Context, subscriberID int64) ([]newsletter.Event, error) {
	rows, err := s.read(ctx).query(`
		SELECT e.id, e.subscriber_id, e.newsletter_id, n.slug, e.kind, e.at, e.channel, e.page, e.placement, e.ip,
		       e.user_agent, e.actor, e.note, COALESCE(w.words, ''), COALESCE(w.version, ''), COALESCE(e.edition_id, 0)
		FROM subscription_events e
		JOIN newsletters n ON n.id = e.newsletter_id
		LEFT JOIN consent_words w ON w.id = e.words_id
		WHERE e.subscriber_id = $1
		ORDER BY e.id`, subscriberID)
	events, err := collect(rows, err, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("events of subscriber %d: %w", subscriberID, err)
	}
	return events, nil
}

func scanEvent(rows *sql.Rows) (newsletter.Event, error) {
	var (
		e  newsletter.Event
		at int64
	)
	err := rows.Scan(&e.ID, &e.SubscriberID, &e.NewsletterID, &e.Newsletter, &e.Kind, &at, &e.Channel, &e.Page, &e.Placement, &e.IP,
		&e.UserAgent, &e.Actor, &e.Note, &e.Words, &e.WordsVersion, &e.EditionID)
	e.At = fromMillis(at)
	return e, err
}

// subscriptionEvent appends to a subscription's history. wordsID and editionID are 0 where
// there is none.
func (t *tx) subscriptionEvent(subscriberID, newsletterID int64, kind newsletter.EventKind, o newsletter.Origin, wordsID, editionID int64, now time.Time) error {
	_, err := t.exec(`
		INSERT INTO subscription_events (subscriber_id, newsletter_id, kind, at, channel, page, placement, ip, user_agent, actor, note, words_id, edition_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		subscriberID, newsletterID, string(kind), millis(now), o.Channel, o.Page, o.Placement, o.IP, o.UserAgent, o.Actor, o.Note,
		nullID(wordsID), nullID(editionID))
	return err
}

// wordsID returns the id of words of consent, each version of which is kept once; 0 for no
// words.
func (t *tx) wordsID(w newsletter.Words) (int64, error) {
	if w.Text == "" {
		return 0, nil
	}
	var id int64
	err := t.row(`SELECT id FROM consent_words WHERE language = $1 AND version = $2 AND words = $3`,
		w.Language, w.Version, w.Text).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return t.insert(`INSERT INTO consent_words (language, version, words) VALUES ($1, $2, $3) RETURNING id`,
			w.Language, w.Version, w.Text)
	}
	return id, err
}
