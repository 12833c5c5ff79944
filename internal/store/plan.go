package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// PastEditions returns the editions of all newsletters that were frozen since then, and older
// ones that have one of the articles; oldest first. Those that were skipped are none.
func (s *Store) PastEditions(ctx context.Context, since time.Time, articles []int64) ([]newsletter.PastEdition, error) {
	q := s.read(ctx)
	rows, err := q.query(`SELECT id, newsletter_id, cadence, as_of FROM editions
		WHERE as_of >= $1 AND state NOT IN ('skipped', 'draft')`, millis(since))
	list, err := collect(rows, err, scanPastEdition)
	for _, article := range articles {
		if err != nil {
			return nil, err
		}
		rows, err = q.query(`SELECT e.id, e.newsletter_id, e.cadence, e.as_of FROM blocks b JOIN editions e ON e.id = b.edition_id
			WHERE b.article_id = $1 AND e.as_of < $2 AND e.state NOT IN ('skipped', 'draft')`, article, millis(since))
		var older []newsletter.PastEdition
		older, err = collect(rows, err, scanPastEdition)
		list = append(list, older...)
	}
	slices.SortFunc(list, func(a, b newsletter.PastEdition) int {
		return cmp.Or(a.AsOf.Compare(b.AsOf), cmp.Compare(a.ID, b.ID))
	})
	return slices.Compact(list), err
}

func scanPastEdition(rows *sql.Rows) (e newsletter.PastEdition, err error) {
	var asOf int64
	err = rows.Scan(&e.ID, &e.NewsletterID, &e.Cadence, &asOf)
	e.AsOf = fromMillis(asOf)
	return e, err
}

// VariantArticles returns the articles of every variant of the editions.
func (s *Store) VariantArticles(ctx context.Context, editions []newsletter.PastEdition) (map[int64][]int64, error) {
	articles := map[int64][]int64{}
	for _, e := range editions {
		rows, err := s.read(ctx).query(`SELECT va.variant_id, va.article_id FROM variants v
			JOIN variant_articles va ON va.variant_id = v.id WHERE v.edition_id = $1`, e.ID)
		_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
			var variant, article int64
			err := rows.Scan(&variant, &article)
			articles[variant] = append(articles[variant], article)
			return struct{}{}, err
		})
		if err != nil {
			return nil, fmt.Errorf("articles of edition %d: %w", e.ID, err)
		}
	}
	return articles, nil
}

// PlanReaders returns the next subscriptions of the newsletter's cadence that are active or
// paused, in order of the subscribers' ids.
func (s *Store) PlanReaders(ctx context.Context, newsletterID int64, c newsletter.Cadence, after int64, limit int, key newsletter.SuppressionKey, now time.Time) ([]newsletter.PlanReader, error) {
	q := s.read(ctx)
	var suppressions int
	if err := q.row(`SELECT COUNT(*) FROM (SELECT 1 FROM suppressions LIMIT 1) any_of_them`).Scan(&suppressions); err != nil {
		return nil, err
	}
	keys := map[int64]string{}
	rows, err := q.query(`SELECT u.subscriber_id, u.sections, u.joined_at, u.state, u.paused_until, s.email_key
		FROM subscriptions u JOIN subscribers s ON s.id = u.subscriber_id
		WHERE u.newsletter_id = $1 AND u.subscriber_id > $2 AND u.state IN ('active', 'paused') AND u.cadence = $3
		ORDER BY u.subscriber_id LIMIT $4`, newsletterID, after, string(c), limit)
	readers, err := collect(rows, err, func(rows *sql.Rows) (r newsletter.PlanReader, err error) {
		var joined, paused sql.NullInt64
		var state, emailKey string
		err = rows.Scan(&r.SubscriberID, &r.Sections, &joined, &state, &paused, &emailKey)
		r.JoinedAt = fromNull(joined)
		r.Paused = isPaused(state, paused, now)
		if suppressions > 0 {
			keys[r.SubscriberID] = emailKey
		}
		return r, err
	})
	if err != nil || suppressions == 0 {
		return readers, err
	}
	for i := range readers {
		reason, err := suppression(q, key.Hash(keys[readers[i].SubscriberID]))
		if err != nil {
			return nil, err
		}
		readers[i].Suppressed = reason != ""
	}
	return readers, nil
}

// isPaused reports whether a subscription is paused now; a pause until a time ends by itself.
func isPaused(state string, until sql.NullInt64, now time.Time) bool {
	return state == string(newsletter.PausedSub) && (!until.Valid || fromNull(until).After(now))
}

// Holdings returns the edition's deliveries to subscribers from first to last that keep
// their articles from being owed again. With real set, deliveries to the outbox do not.
func (s *Store) Holdings(ctx context.Context, editionID, first, last int64, real bool) ([]newsletter.Holding, error) {
	rows, err := s.read(ctx).query(`SELECT d.subscriber_id, d.variant_id FROM deliveries d
		WHERE d.edition_id = $1 AND d.subscriber_id BETWEEN $2 AND $3 AND d.state IN (1, 2, 3, 5, 6)
		AND (CAST($4 AS INTEGER) = 0 OR d.relay_id IS NULL OR d.relay_id NOT IN (SELECT id FROM relays WHERE name = $5))
		ORDER BY d.subscriber_id`, editionID, first, last, real, newsletter.OutboxRelay)
	return collect(rows, err, func(rows *sql.Rows) (h newsletter.Holding, err error) {
		err = rows.Scan(&h.SubscriberID, &h.VariantID)
		return h, err
	})
}

// SaveVariant records a variant and returns its id; one that is there already stays.
func (s *Store) SaveVariant(ctx context.Context, editionID int64, v newsletter.NewVariant) (int64, error) {
	var id int64
	err := s.write(ctx, func(t *tx) error {
		articles := joinIDs(v.Articles)
		if _, err := t.exec(`INSERT INTO variants (edition_id, articles, subject, preheader, message, hash)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (edition_id, articles) DO NOTHING`,
			editionID, articles, v.Subject, v.Preheader, v.Message, v.Hash); err != nil {
			return err
		}
		if err := t.row(`SELECT id FROM variants WHERE edition_id = $1 AND articles = $2`, editionID, articles).Scan(&id); err != nil {
			return err
		}
		for _, article := range v.Articles {
			if _, err := t.exec(`INSERT INTO variant_articles (variant_id, article_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, id, article); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("variant of edition %d: %w", editionID, err)
	}
	return id, nil
}

// Variant returns the variant's composed message.
func (s *Store) Variant(ctx context.Context, id int64) (message []byte, err error) {
	err = s.read(ctx).row(`SELECT message FROM variants WHERE id = $1`, id).Scan(&message)
	if err != nil {
		return nil, fmt.Errorf("variant %d: %w", id, err)
	}
	return message, nil
}

// PlannedTo returns the subscriber that the edition's planning has reached.
func (s *Store) PlannedTo(ctx context.Context, editionID int64) (int64, error) {
	var to int64
	err := s.read(ctx).row(`SELECT planned_to FROM editions WHERE id = $1`, editionID).Scan(&to)
	return to, err
}

// SavePlan appends rows to the ledger of an edition that is being planned. The rows stand in
// order of their subscribers, after those saved before; done says that they are the last.
func (s *Store) SavePlan(ctx context.Context, e newsletter.Edition, rows []newsletter.PlannedDelivery, done bool, now time.Time) error {
	err := s.write(ctx, func(t *tx) error {
		to := int64(0)
		for _, r := range rows {
			state, reason := newsletter.Waiting, sql.NullString{}
			if r.Reason != "" {
				state, reason = newsletter.Withheld, sql.NullString{String: r.Reason, Valid: true}
			}
			if _, err := t.exec(`INSERT INTO deliveries (edition_id, subscriber_id, variant_id, state, reason, not_before, next_try, expires_at, updated_at)
				VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)`,
				e.ID, r.SubscriberID, sql.NullInt64{Int64: r.VariantID, Valid: r.VariantID != 0}, int(state), reason,
				millis(now), millis(e.ExpiresAt), millis(now)); err != nil {
				return err
			}
			to = r.SubscriberID
		}
		var doneAt sql.NullInt64
		if done {
			doneAt = nullMillis(now)
		}
		_, err := t.exec(`UPDATE editions SET planned = planned + $1, planned_to = CASE WHEN planned_to < $2 THEN $2 ELSE planned_to END, planned_at = $3 WHERE id = $4`,
			len(rows), to, doneAt, e.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("plan of edition %d: %w", e.ID, err)
	}
	return nil
}
