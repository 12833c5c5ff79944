package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// subscriberRow is one line of a subscriber joined with one subscription, or with none.
type subscriberRow struct {
	newsletter.Subscriber
	sub *newsletter.Subscription
}

// subscriberJoin is how a list s of subscribers is read with all their subscriptions.
const (
	subscriberColumns = `s.id, s.email, s.name, s.time_zone, s.language, s.created_at,
		u.newsletter_id, n.slug, n.name, u.state, u.cadence, u.slot, u.sections, u.joined_at, u.left_at, u.paused_until, u.created_at`
	subscriberJoin = ` s
		LEFT JOIN subscriptions u ON u.subscriber_id = s.id
		LEFT JOIN newsletters n ON n.id = u.newsletter_id
		ORDER BY s.id, n.slug`
)

func scanSubscriberRow(rows *sql.Rows) (subscriberRow, error) {
	var (
		r                       subscriberRow
		created                 int64
		newsletterID            sql.NullInt64
		slug, name              sql.NullString
		state, cadence, slot    sql.NullString
		sections, subCreated    sql.NullInt64
		joined, left, pausedFor sql.NullInt64
	)
	err := rows.Scan(&r.ID, &r.Email, &r.Name, &r.TimeZone, &r.Language, &created,
		&newsletterID, &slug, &name, &state, &cadence, &slot, &sections, &joined, &left, &pausedFor, &subCreated)
	r.CreatedAt = fromMillis(created)
	if newsletterID.Valid {
		r.sub = &newsletter.Subscription{
			SubscriberID: r.ID, NewsletterID: newsletterID.Int64, NewsletterSlug: slug.String, NewsletterName: name.String,
			State: newsletter.SubscriptionState(state.String), Cadence: newsletter.Cadence(cadence.String), Slot: fromSlotColumn(slot.String), Sections: newsletter.Mask(sections.Int64),
			JoinedAt: fromNull(joined), LeftAt: fromNull(left), PausedUntil: fromNull(pausedFor), CreatedAt: fromNull(subCreated),
		}
	}
	return r, err
}

// subscribers folds the rows of a subscriberJoin.
func subscribers(rows *sql.Rows, err error) ([]newsletter.Subscriber, error) {
	lines, err := collect(rows, err, scanSubscriberRow)
	if err != nil {
		return nil, err
	}
	var list []newsletter.Subscriber
	for _, line := range lines {
		if len(list) == 0 || list[len(list)-1].ID != line.ID {
			list = append(list, line.Subscriber)
		}
		if line.sub != nil {
			last := &list[len(list)-1]
			last.Subscriptions = append(last.Subscriptions, *line.sub)
		}
	}
	return list, nil
}

// Subscriber returns the subscriber with all subscriptions, or a NotFound error.
func (s *Store) Subscriber(ctx context.Context, id int64) (newsletter.Subscriber, error) {
	rows, err := s.read(ctx).query(`SELECT `+subscriberColumns+` FROM (
		SELECT id, email, name, time_zone, language, created_at FROM subscribers WHERE id = $1
	)`+subscriberJoin, id)
	list, err := subscribers(rows, err)
	if err != nil {
		return newsletter.Subscriber{}, fmt.Errorf("subscriber %d: %w", id, err)
	}
	if len(list) == 0 {
		return newsletter.Subscriber{}, newsletter.NotFoundf("there is no subscriber %d", id)
	}
	return list[0], nil
}

// SubscriberByKey returns the subscriber with the case-folded address, with all
// subscriptions, or a NotFound error.
func (s *Store) SubscriberByKey(ctx context.Context, emailKey string) (newsletter.Subscriber, error) {
	rows, err := s.read(ctx).query(`SELECT `+subscriberColumns+` FROM (
		SELECT id, email, name, time_zone, language, created_at FROM subscribers WHERE email_key = $1
	)`+subscriberJoin, emailKey)
	list, err := subscribers(rows, err)
	if err != nil {
		return newsletter.Subscriber{}, fmt.Errorf("subscriber by address: %w", err)
	}
	if len(list) == 0 {
		return newsletter.Subscriber{}, newsletter.NotFoundf("there is no subscriber with the address %s", emailKey)
	}
	return list[0], nil
}

// lastRune ends the range of addresses with a prefix: no address has a greater character.
const lastRune = "\U0010FFFF"

// Subscribers returns up to limit subscribers with an id greater than after, by id, each
// with all subscriptions.
func (s *Store) Subscribers(ctx context.Context, f newsletter.SubscriberFilter, after int64, limit int) ([]newsletter.Subscriber, error) {
	var (
		rows *sql.Rows
		err  error
	)
	// Two statements, so that a prefix finds its few by the index of addresses.
	if f.EmailPrefix != "" {
		rows, err = s.read(ctx).query(`SELECT `+subscriberColumns+` FROM (
			SELECT id, email, name, time_zone, language, created_at FROM subscribers
			WHERE email_key >= $1 AND email_key < $2 AND +id > $3 AND ($4 = 0 AND $5 = '' OR EXISTS (
				SELECT 1 FROM subscriptions c
				WHERE c.subscriber_id = subscribers.id AND ($4 = 0 OR c.newsletter_id = $4) AND ($5 = '' OR c.state = $5)))
			ORDER BY id LIMIT $6
		)`+subscriberJoin, f.EmailPrefix, f.EmailPrefix+lastRune, after, f.NewsletterID, string(f.State), limit)
	} else {
		rows, err = s.read(ctx).query(`SELECT `+subscriberColumns+` FROM (
			SELECT id, email, name, time_zone, language, created_at FROM subscribers
			WHERE id > $1 AND ($2 = 0 AND $3 = '' OR EXISTS (
				SELECT 1 FROM subscriptions c
				WHERE c.subscriber_id = subscribers.id AND ($2 = 0 OR c.newsletter_id = $2) AND ($3 = '' OR c.state = $3)))
			ORDER BY id LIMIT $4
		)`+subscriberJoin, after, f.NewsletterID, string(f.State), limit)
	}
	list, err := subscribers(rows, err)
	if err != nil {
		return nil, fmt.Errorf("subscribers: %w", err)
	}
	return list, nil
}

// UpdateSubscriber reads a subscriber, without subscriptions, lets change decide, and writes
// name and time zone, all in one transaction: what others change meanwhile is not lost. The
// note that change returns says what is different and goes into the history of each
// subscription; if it is empty nothing is written. It returns the subscriber as it is then.
// The error is that of change, or NotFound.
func (s *Store) UpdateSubscriber(ctx context.Context, id int64, origin newsletter.Origin, now time.Time, change func(*newsletter.Subscriber) (note string, err error)) (newsletter.Subscriber, error) {
	err := s.write(ctx, func(t *tx) error { return t.updateSubscriber(id, origin, now, change) })
	if err != nil {
		return newsletter.Subscriber{}, fmt.Errorf("update subscriber %d: %w", id, err)
	}
	return s.Subscriber(ctx, id)
}

func (t *tx) updateSubscriber(id int64, origin newsletter.Origin, now time.Time, change func(*newsletter.Subscriber) (note string, err error)) error {
	sub := newsletter.Subscriber{ID: id}
	var created int64
	err := t.row(`SELECT email, name, time_zone, language, created_at FROM subscribers WHERE id = $1`, id).
		Scan(&sub.Email, &sub.Name, &sub.TimeZone, &sub.Language, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return newsletter.NotFoundf("there is no subscriber %d", id)
	}
	if err != nil {
		return err
	}
	sub.CreatedAt = fromMillis(created)
	if origin.Note, err = change(&sub); err != nil || origin.Note == "" {
		return err
	}
	if _, err := t.exec(`UPDATE subscribers SET name = $1, time_zone = $2, language = $3, updated_at = $4 WHERE id = $5`,
		sub.Name, sub.TimeZone, sub.Language, millis(now), id); err != nil {
		return err
	}
	subs, err := subscriptionsOf(t, id)
	if err != nil {
		return err
	}
	for _, u := range subs {
		if err := t.subscriptionEvent(id, u.NewsletterID, newsletter.EventChanged, origin, 0, 0, now); err != nil {
			return err
		}
	}
	return nil
}

// findSubscriber returns the id of the subscriber with the case-folded address; 0: none.
func findSubscriber(q querier, emailKey string) (int64, error) {
	var id int64
	err := q.row(`SELECT id FROM subscribers WHERE email_key = $1`, emailKey).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// insertSubscriber adds an address that is not there yet.
func (t *tx) insertSubscriber(email, emailKey, name, zone string, now time.Time) (int64, error) {
	return t.insert(`
		INSERT INTO subscribers (id, email, email_key, name, time_zone, created_at, updated_at)
		VALUES (`+nextSubscriber+`, $1, $2, $3, $4, $5, $5) RETURNING id`,
		email, emailKey, name, zone, millis(now))
}
