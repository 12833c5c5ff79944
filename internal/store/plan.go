package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// editionBefore is the condition that an edition e counts as the one before another, or before a
// reader joined: it was to give news, and somebody got it or may get it yet. While it is planned
// that is taken for granted; then its rows say it, of which nearly always the first one does, and
// once it has ended its totals.
const editionBefore = `e.state NOT IN ('skipped', 'draft')
	AND EXISTS (SELECT 1 FROM edition_articles n WHERE n.edition_id = e.id AND n.verdict IN ('taken', 'repeat'))
	AND (e.planned_at IS NULL AND e.state IN ('frozen', 'sending', 'paused')
		OR EXISTS (SELECT 1 FROM edition_totals o WHERE o.edition_id = e.id AND o.kind = 'state' AND o.key = '' AND o.state IN (1, 2, 3, 5, 6))
		OR e.totals_at IS NULL AND EXISTS (SELECT 1 FROM deliveries d WHERE d.edition_id = e.id AND d.state IN (1, 2, 3, 5, 6)))`

// PastEditions returns the editions of all newsletters that were frozen since then, and older
// ones that have one of the articles; oldest first. Those that were skipped are none.
func (s *Store) PastEditions(ctx context.Context, since time.Time, articles []int64) ([]newsletter.PastEdition, error) {
	q := s.read(ctx)
	rows, err := q.query(`SELECT e.id, e.newsletter_id, e.cadence, e.for_slot, e.as_of, `+editionBefore+`
		FROM editions e WHERE e.as_of >= $1 AND e.state NOT IN ('skipped', 'draft')`, millis(since))
	list, err := collect(rows, err, scanPastEdition)
	for _, article := range articles {
		if err != nil {
			return nil, err
		}
		rows, err = q.query(`SELECT e.id, e.newsletter_id, e.cadence, e.for_slot, e.as_of, TRUE FROM blocks b JOIN editions e ON e.id = b.edition_id
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
	err = rows.Scan(&e.ID, &e.NewsletterID, &e.Cadence, &e.ForSlot, &asOf, &e.News)
	e.AsOf = fromMillis(asOf)
	return e, err
}

// FreezeBefore returns when the last edition for the readers of a slot was frozen before a time, of
// those that count as one before; the zero time if there was none.
func (s *Store) FreezeBefore(ctx context.Context, newsletterID int64, c newsletter.Cadence, slot string, before time.Time) (time.Time, error) {
	var at int64
	err := s.read(ctx).row(`SELECT e.as_of FROM editions e WHERE e.as_of < $1 AND e.newsletter_id = $2 AND e.cadence = $3
		AND (e.for_slot = $4 OR e.for_slot = 'all' OR CAST($4 AS TEXT) = 'all') AND `+editionBefore+`
		ORDER BY e.as_of DESC LIMIT 1`, millis(before), newsletterID, string(c), fromSlotColumn(slot)).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return fromMillis(at), err
}

// VariantArticles returns the articles of every variant of the edition.
func (s *Store) VariantArticles(ctx context.Context, editionID int64) (map[int64][]int64, error) {
	articles := map[int64][]int64{}
	rows, err := s.read(ctx).query(`SELECT va.variant_id, va.article_id FROM variants v
		JOIN variant_articles va ON va.variant_id = v.id WHERE v.edition_id = $1`, editionID)
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var variant, article int64
		err := rows.Scan(&variant, &article)
		articles[variant] = append(articles[variant], article)
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("articles of edition %d: %w", editionID, err)
	}
	return articles, nil
}

// isPaused reports whether a subscription is paused now; a pause until a time ends by itself.
func isPaused(state string, until sql.NullInt64, now time.Time) bool {
	return state == string(newsletter.PausedSub) && (!until.Valid || fromNull(until).After(now))
}

// SaveVariants records variants and returns their ids in the same order; those that are there
// already stay.
func (s *Store) SaveVariants(ctx context.Context, editionID int64, variants []newsletter.NewVariant) ([]int64, error) {
	ids := make([]int64, len(variants))
	err := s.write(ctx, func(t *tx) error {
		lost, err := withdrawnIn(t, editionID) // while it was planned
		if err != nil {
			return err
		}
		related, err := t.relatedOf(editionID)
		if err != nil {
			return err
		}
		withdrawn := make(map[int64]bool, len(lost))
		for article := range lost {
			withdrawn[article] = true
		}
		for i, v := range variants {
			if ids[i], err = t.saveVariant(editionID, v); err != nil {
				return err
			}
			if err := t.markWithdrawn(newsletter.StoredVariant{ID: ids[i], Copy: v.Copy}, withdrawn, related); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("variants of edition %d: %w", editionID, err)
	}
	return ids, nil
}

func (t *tx) saveVariant(editionID int64, v newsletter.NewVariant) (int64, error) {
	key := v.Key()
	if v.Message == nil { // NULL would say the same, and the column does not take it
		v.Message = []byte{}
	}
	if _, err := t.exec(`INSERT INTO variants (edition_id, articles, subject, preheader, message, hash, view_key)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (edition_id, articles) DO NOTHING`,
		editionID, key, v.Subject, v.Preheader, v.Message, v.Hash, sql.NullString{String: v.ViewKey, Valid: v.ViewKey != ""}); err != nil {
		return 0, err
	}
	var id int64
	if err := t.row(`SELECT id FROM variants WHERE edition_id = $1 AND articles = $2`, editionID, key).Scan(&id); err != nil {
		return 0, err
	}
	for _, article := range v.Articles {
		if _, err := t.exec(`INSERT INTO variant_articles (variant_id, article_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, id, article); err != nil {
			return 0, err
		}
	}
	return id, t.saveVariantCorrections(editionID, id, v.Corrections)
}

// ComposedVariants returns how many variants of the edition are stored with their messages.
func (s *Store) ComposedVariants(ctx context.Context, editionID int64) (n int, err error) {
	if err = s.read(ctx).row(`SELECT COUNT(*) FROM variants WHERE edition_id = $1 AND hash <> ''`, editionID).Scan(&n); err != nil {
		return 0, fmt.Errorf("variants of edition %d: %w", editionID, err)
	}
	return n, nil
}

// Variant returns the variant's composed message; nothing for a rare one, which is composed when
// it is needed.
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
// order of their subscribers, after those saved before; done says that they are the last. At
// most 10,000 at once, so that nobody else waits long to write.
func (s *Store) SavePlan(ctx context.Context, e newsletter.Edition, rows []newsletter.PlannedDelivery, done bool, now time.Time) error {
	err := s.write(ctx, func(t *tx) error {
		var after int64
		if err := t.row(`SELECT planned_to FROM editions WHERE id = $1`, e.ID).Scan(&after); err != nil {
			return err
		}
		last := after
		if len(rows) > 0 {
			last = rows[len(rows)-1].SubscriberID
			if err := t.insertPlanned(e, rows, now); err != nil {
				return err
			}
			if err := t.savePlanPart(e.ID, after, rows); err != nil {
				return err
			}
		}
		var doneAt sql.NullInt64
		if done {
			doneAt = nullMillis(now)
		}
		_, err := t.exec(`UPDATE editions SET planned = planned + $1, planned_to = $2, planned_at = $3 WHERE id = $4`,
			len(rows), last, doneAt, e.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("plan of edition %d: %w", e.ID, err)
	}
	return nil
}

func (t *tx) savePlanPart(editionID, after int64, rows []newsletter.PlannedDelivery) error {
	var runs []newsletter.PlanRun
	previous := after
	for _, r := range rows {
		if r.SubscriberID <= previous {
			return fmt.Errorf("subscriber %d comes after %d", r.SubscriberID, previous)
		}
		if previous = r.SubscriberID; r.VariantID != 0 {
			runs = addToRuns(runs, r.SubscriberID, r.VariantID)
		}
	}
	_, err := t.exec(`INSERT INTO plan_parts (edition_id, starts_after, last, runs) VALUES ($1, $2, $3, $4)
		ON CONFLICT (edition_id, last) DO UPDATE SET starts_after = excluded.starts_after, runs = excluded.runs`,
		editionID, after, previous, packRuns(runs, after))
	return err
}
