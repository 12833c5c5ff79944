package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// WithdrawArticle takes an article back: from one edition, or with the id 0 from everything, so
// that no edition takes it any more. If that was done before, the error is a Conflict. From then
// on nothing is begun that has it; readers who wait get another copy by MoveWithdrawn.
func (s *Store) WithdrawArticle(ctx context.Context, id, editionID int64, actor string, now time.Time) (newsletter.Article, error) {
	var a newsletter.Article
	err := s.write(ctx, func(t *tx) (err error) {
		if a, err = article(t, id); err != nil {
			return err
		}
		if !a.WithdrawnAt.IsZero() {
			return newsletter.Conflictf("article %d was withdrawn on %s already", id, a.WithdrawnAt.Format(time.DateOnly))
		}
		if editionID != 0 {
			return t.withdrawFromOne(id, editionID, actor, now)
		}
		a.WithdrawnAt = now
		if _, err := t.exec(`UPDATE articles SET withdrawn_at = $1 WHERE id = $2`, millis(now), id); err != nil {
			return err
		}
		t.noteWithdrawn(a, now)
		if err := t.withdrawFrom(id, 0, actor, now); err != nil {
			return err
		}
		return t.deskEvent(now, actor, "article withdrawn", 0, 0, fmt.Sprintf("article %d", id))
	})
	if err != nil {
		return a, fmt.Errorf("withdraw article %d: %w", id, err)
	}
	return a, nil
}

func (t *tx) withdrawFromOne(id, editionID int64, actor string, now time.Time) error {
	var state newsletter.EditionState
	switch err := t.row(`SELECT state FROM editions WHERE id = $1`, editionID).Scan(&state); {
	case errors.Is(err, sql.ErrNoRows):
		return newsletter.NotFoundf("there is no edition %d", editionID)
	case err != nil:
		return err
	case state == newsletter.EditionDraft:
		return newsletter.Refusef("draft", "edition %d is a draft: \"broadsheet edition edit %d\" takes an article out of it", editionID, editionID)
	case !state.Open() && state != newsletter.EditionPaused:
		return newsletter.Refusef("ended", "edition %d is %s: nothing of it is still to be sent", editionID, state)
	}
	return t.withdrawFrom(id, editionID, actor, now)
}

// withdrawFrom notes that the editions lost the article, all that have it or one, and marks the
// variants with it. Of one edition it is an error if it does not have it, or lost it before.
func (t *tx) withdrawFrom(id, editionID int64, actor string, now time.Time) error {
	rows, err := t.query(`INSERT INTO edition_withdrawals (edition_id, article_id, at)
		SELECT edition_id, article_id, CAST($1 AS INTEGER) FROM edition_articles
			WHERE article_id = $2 AND (CAST($3 AS INTEGER) = 0 OR edition_id = $3) AND verdict IN ('taken', 'repeat', 'related')
		UNION SELECT e.edition_id, c.article_id, CAST($1 AS INTEGER) FROM corrections c JOIN edition_corrections e ON e.correction_id = c.id
			WHERE c.article_id = $2 AND (CAST($3 AS INTEGER) = 0 OR e.edition_id = $3)
		ON CONFLICT DO NOTHING RETURNING edition_id`, millis(now), id, editionID)
	editions, err := collect(rows, err, scanID)
	if err != nil {
		return err
	}
	for _, e := range editions {
		if err := t.ledgerEvent(e, "article withdrawn", fmt.Sprintf("article %d", id), actor, now); err != nil {
			return err
		}
	}
	if len(editions) == 0 && editionID != 0 {
		var at int64
		switch err := t.row(`SELECT at FROM edition_withdrawals WHERE edition_id = $1 AND article_id = $2`, editionID, id).Scan(&at); {
		case errors.Is(err, sql.ErrNoRows):
			return newsletter.Invalidf("article", "edition %d does not have article %d; \"broadsheet edition show %d\" lists what it has", editionID, id, editionID)
		case err != nil:
			return err
		}
		return newsletter.Conflictf("article %d was withdrawn from edition %d on %s already", id, editionID, fromMillis(at).Format(time.DateOnly))
	}
	if _, err := t.exec(`UPDATE variants SET replaced_by = 0 WHERE replaced_by IS NULL
		AND id IN (SELECT variant_id FROM variant_articles WHERE article_id = $1)
		AND edition_id IN (SELECT edition_id FROM edition_withdrawals WHERE article_id = $1)`, id); err != nil {
		return err
	}
	// As a related story any copy with articles may link to it.
	if _, err := t.exec(`UPDATE variants SET replaced_by = 0 WHERE replaced_by IS NULL
		AND edition_id IN (SELECT w.edition_id FROM edition_withdrawals w JOIN edition_articles a ON a.edition_id = w.edition_id
			AND a.article_id = w.article_id AND a.verdict = 'related' WHERE w.article_id = $1 AND (CAST($2 AS INTEGER) = 0 OR w.edition_id = $2))
		AND id IN (SELECT variant_id FROM variant_articles)`, id, editionID); err != nil {
		return err
	}
	// What a variant only links to, or tells the correction of, its key alone says.
	rows, err = t.query(`SELECT v.id, v.articles FROM variants v JOIN edition_withdrawals w ON w.edition_id = v.edition_id
		WHERE w.article_id = $1 AND v.replaced_by IS NULL AND (v.articles LIKE '% h%' OR v.articles LIKE '% c%')`, id)
	variants, err := collect(rows, err, scanVariantKey)
	for _, v := range variants {
		if err != nil {
			break
		}
		err = t.markWithdrawn(v, map[int64]bool{id: true}, nil)
	}
	return err
}

func scanVariantKey(rows *sql.Rows) (v newsletter.StoredVariant, err error) {
	var key string
	if err = rows.Scan(&v.ID, &key); err == nil {
		v.Copy, err = newsletter.ParseCopy(key)
	}
	return v, err
}

// relatedOf returns the related stories of the edition.
func (t *tx) relatedOf(editionID int64) ([]int64, error) {
	rows, err := t.query(`SELECT article_id FROM edition_articles WHERE edition_id = $1 AND verdict = 'related'`, editionID)
	return collect(rows, err, scanID)
}

// markWithdrawn marks the variant as one to be replaced if it has one of the articles, or may link
// to one of those that are related.
func (t *tx) markWithdrawn(v newsletter.StoredVariant, withdrawn map[int64]bool, related []int64) error {
	links := len(v.Articles) > 0 && slices.ContainsFunc(related, func(id int64) bool { return withdrawn[id] && !slices.Contains(v.Gone, id) })
	if !links && !v.Has(withdrawn) {
		return nil
	}
	_, err := t.exec(`UPDATE variants SET replaced_by = 0 WHERE id = $1 AND replaced_by IS NULL`, v.ID)
	return err
}

// EditionsWithout returns the editions that lost the article and are not closed.
func (s *Store) EditionsWithout(ctx context.Context, articleID int64) ([]newsletter.Edition, error) {
	rows, err := s.read(ctx).query(`SELECT `+editionColumns+`
		FROM edition_withdrawals w JOIN editions e ON e.id = w.edition_id JOIN newsletters n ON n.id = e.newsletter_id
		WHERE w.article_id = $1 AND e.state IN ('frozen', 'sending', 'paused') ORDER BY e.id`, articleID)
	return collect(rows, err, scanEditionRow)
}

// ReadersWith returns how many messages with the article were accepted, or may have arrived, by
// edition.
func (s *Store) ReadersWith(ctx context.Context, articleID int64) (map[int64]int, error) {
	type had struct {
		edition int64
		n       int
	}
	rows, err := s.read(ctx).query(`SELECT d.edition_id, COUNT(*) FROM blocks b JOIN deliveries d ON d.edition_id = b.edition_id
		WHERE b.article_id = $1 AND d.state IN (2, 3, 6)
		AND EXISTS (SELECT 1 FROM variant_articles va WHERE va.variant_id = d.variant_id AND va.article_id = b.article_id)
		GROUP BY d.edition_id`, articleID)
	list, err := collect(rows, err, func(rows *sql.Rows) (h had, err error) {
		err = rows.Scan(&h.edition, &h.n)
		return h, err
	})
	counts := make(map[int64]int, len(list))
	for _, h := range list {
		counts[h.edition] = h.n
	}
	return counts, err
}

// WithdrawnIn returns when those of the edition's articles were withdrawn that were.
func (s *Store) WithdrawnIn(ctx context.Context, editionID int64) (map[int64]time.Time, error) {
	list, err := withdrawnIn(s.read(ctx), editionID)
	if err != nil {
		return nil, fmt.Errorf("what was withdrawn from edition %d: %w", editionID, err)
	}
	return list, nil
}

func withdrawnIn(q querier, editionID int64) (map[int64]time.Time, error) {
	type withdrawn struct{ id, at int64 }
	rows, err := q.query(`SELECT article_id, at FROM edition_withdrawals WHERE edition_id = $1`, editionID)
	list, err := collect(rows, err, func(rows *sql.Rows) (w withdrawn, err error) {
		err = rows.Scan(&w.id, &w.at)
		return w, err
	})
	at := make(map[int64]time.Time, len(list))
	for _, w := range list {
		at[w.id] = fromMillis(w.at)
	}
	return at, err
}

// WithdrawnVariants returns the edition's variants that have something withdrawn, that readers
// still wait for, and that have no successor yet.
func (s *Store) WithdrawnVariants(ctx context.Context, editionID int64) ([]newsletter.StoredVariant, error) {
	q := s.read(ctx)
	var marked int // nearly always none, and to look through the rows takes long
	err := q.row(`SELECT COUNT(*) FROM variants WHERE edition_id = $1 AND replaced_by = 0`, editionID).Scan(&marked)
	if err == nil && marked == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("variants of edition %d with what was withdrawn: %w", editionID, err)
	}
	rows, err := q.query(`SELECT v.id, v.articles FROM variants v WHERE v.edition_id = $1 AND v.replaced_by = 0
		AND v.id IN (SELECT variant_id FROM deliveries WHERE edition_id = $1 AND state IN (1, 5)) ORDER BY v.id`, editionID)
	list, err := collect(rows, err, scanVariantKey)
	if err != nil {
		return nil, fmt.Errorf("variants of edition %d with what was withdrawn: %w", editionID, err)
	}
	return list, nil
}

// ReplaceVariants records which variants take the place of others; the id 0 says that nothing is
// left of one.
func (s *Store) ReplaceVariants(ctx context.Context, by map[int64]int64) error {
	err := s.write(ctx, func(t *tx) error {
		for variant, successor := range by {
			if successor == 0 {
				successor = variant
			}
			if _, err := t.exec(`UPDATE variants SET replaced_by = $1 WHERE id = $2`, successor, variant); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("replace variants: %w", err)
	}
	return nil
}

// MoveWithdrawn gives what of an edition is still to be tried the variants that replaced others,
// and withholds that of which nothing is left. What of that may have arrived, and was to be sent
// once more, is in doubt again and not counted.
func (s *Store) MoveWithdrawn(ctx context.Context, editionID int64, actor string, now time.Time) (newsletter.Recast, error) {
	var total newsletter.Recast
	var marked int
	err := s.read(ctx).row(`SELECT COUNT(*) FROM variants WHERE edition_id = $1 AND replaced_by > 0`, editionID).Scan(&marked)
	if err == nil && marked > 0 {
		pick := rowPick{editionID: editionID, states: [2]newsletter.State{newsletter.Waiting, newsletter.Deferred}}
		err = s.each(ctx, pick, func(t *tx, first, last int64) error {
			r, err := t.moveWithdrawn(editionID, first, last, now)
			if err != nil || r == (newsletter.Recast{}) {
				return err
			}
			total.Recopied, total.Withheld = total.Recopied+r.Recopied, total.Withheld+r.Withheld
			return t.ledgerEvent(editionID, "copies replaced", fmt.Sprintf("%d get a copy without what was withdrawn, of %d nothing is left", r.Recopied, r.Withheld), actor, now)
		})
	}
	if err != nil {
		return total, fmt.Errorf("readers of edition %d who wait for what was withdrawn: %w", editionID, err)
	}
	return total, nil
}

func (t *tx) moveWithdrawn(editionID, first, last int64, now time.Time) (r newsletter.Recast, err error) {
	for { // what replaced another may have been replaced itself
		n, err := t.changed(`UPDATE deliveries SET variant_id = (SELECT v.replaced_by FROM variants v WHERE v.id = deliveries.variant_id), updated_at = $1
			WHERE edition_id = $2 AND subscriber_id BETWEEN $3 AND $4 AND state IN (1, 5)
			AND variant_id IN (SELECT v.id FROM variants v WHERE v.edition_id = $2 AND v.replaced_by > 0 AND v.replaced_by <> v.id)`,
			millis(now), editionID, first, last)
		if err != nil {
			return r, err
		}
		if n == 0 {
			break
		}
		r.Recopied = max(r.Recopied, n)
	}
	if r.Recopied > 0 { // the plan gave them more; from now on the rows speak for it
		if _, err := t.exec(`DELETE FROM plan_parts WHERE edition_id = $1 AND starts_after < $2 AND last >= $3`, editionID, last, first); err != nil {
			return r, err
		}
	}
	if _, err := t.exec(`UPDATE deliveries SET state = 6, updated_at = $1
		WHERE edition_id = $2 AND subscriber_id BETWEEN $3 AND $4 AND state IN (1, 5) AND doubts > 0
		AND variant_id IN (SELECT v.id FROM variants v WHERE v.edition_id = $2 AND v.replaced_by = v.id)`,
		millis(now), editionID, first, last); err != nil {
		return r, err
	}
	r.Withheld, err = t.changed(`UPDATE deliveries SET state = 8, reason = $1, updated_at = $2
		WHERE edition_id = $3 AND subscriber_id BETWEEN $4 AND $5 AND state IN (1, 5)
		AND variant_id IN (SELECT v.id FROM variants v WHERE v.edition_id = $3 AND v.replaced_by = v.id)`,
		newsletter.ReasonWithdrawn, millis(now), editionID, first, last)
	return r, err
}
