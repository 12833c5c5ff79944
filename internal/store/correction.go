package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

const correctionColumns = `c.id, c.article_id, a.headline, a.url, c.note, c.changed_at, c.made_by, c.made_at`

func scanCorrection(rows *sql.Rows) (c newsletter.Correction, err error) {
	var changed, made int64
	err = rows.Scan(&c.ID, &c.ArticleID, &c.Headline, &c.URL, &c.Note, &changed, &c.MadeBy, &made)
	c.ChangedAt, c.MadeAt = fromMillis(changed), fromMillis(made)
	return c, err
}

// Of several corrections of an article the latest is the one that is told. What needs no
// correction is none.
const latestCorrection = ` c.note <> '' AND a.withdrawn_at IS NULL
	AND NOT EXISTS (SELECT 1 FROM corrections l WHERE l.article_id = c.article_id AND l.note <> '' AND l.id > c.id)`

// Corrections returns the latest correction of each article that was made since then, the
// oldest first. Articles that were withdrawn have none.
func (s *Store) Corrections(ctx context.Context, since time.Time) ([]newsletter.Correction, error) {
	return corrections(s.read(ctx), since)
}

func corrections(q querier, since time.Time) ([]newsletter.Correction, error) {
	rows, err := q.query(`SELECT `+correctionColumns+` FROM corrections c JOIN articles a ON a.id = c.article_id
		WHERE c.made_at >= $1 AND`+latestCorrection+` ORDER BY c.id`, millis(since))
	list, err := collect(rows, err, scanCorrection)
	if err != nil {
		return nil, fmt.Errorf("corrections: %w", err)
	}
	return list, nil
}

// EditionCorrections returns the corrections that a frozen edition tells of.
func (s *Store) EditionCorrections(ctx context.Context, editionID int64) ([]newsletter.Correction, error) {
	rows, err := s.read(ctx).query(`SELECT `+correctionColumns+` FROM edition_corrections ec
		JOIN corrections c ON c.id = ec.correction_id JOIN articles a ON a.id = c.article_id
		WHERE ec.edition_id = $1 ORDER BY c.id`, editionID)
	list, err := collect(rows, err, scanCorrection)
	if err != nil {
		return nil, fmt.Errorf("corrections of edition %d: %w", editionID, err)
	}
	return list, nil
}

// CorrectionsIn returns the corrections of articles that the edition has as they were before.
func (s *Store) CorrectionsIn(ctx context.Context, editionID int64) ([]newsletter.Correction, error) {
	rows, err := s.read(ctx).query(`SELECT `+correctionColumns+` FROM blocks b JOIN editions e ON e.id = b.edition_id
		JOIN corrections c ON c.article_id = b.article_id JOIN articles a ON a.id = c.article_id
		WHERE b.edition_id = $1 AND e.as_of < c.changed_at AND`+latestCorrection+` ORDER BY c.id`, editionID)
	list, err := collect(rows, err, scanCorrection)
	if err != nil {
		return nil, fmt.Errorf("corrections for edition %d: %w", editionID, err)
	}
	return list, nil
}

// VariantCorrections returns the ids of the corrections that each variant of the edition tells.
func (s *Store) VariantCorrections(ctx context.Context, editionID int64) (map[int64][]int64, error) {
	told := map[int64][]int64{}
	rows, err := s.read(ctx).query(`SELECT vc.variant_id, vc.correction_id FROM variants v
		JOIN variant_corrections vc ON vc.variant_id = v.id WHERE v.edition_id = $1 ORDER BY vc.correction_id`, editionID)
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var variant, correction int64
		err := rows.Scan(&variant, &correction)
		told[variant] = append(told[variant], correction)
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("corrections told by edition %d: %w", editionID, err)
	}
	return told, nil
}

// Unsettled returns the subscribers from first to last whose delivery of the edition is still
// to be tried, or is being handed over, in order.
func (s *Store) Unsettled(ctx context.Context, editionID, first, last int64) ([]int64, error) {
	rows, err := s.read(ctx).query(`SELECT subscriber_id FROM deliveries
		WHERE edition_id = $1 AND subscriber_id BETWEEN $2 AND $3 AND state IN (1, 2, 5) ORDER BY subscriber_id`, editionID, first, last)
	list, err := collect(rows, err, scanID)
	if err != nil {
		return nil, fmt.Errorf("what edition %d has still to do: %w", editionID, err)
	}
	return list, nil
}

// saveVariantCorrections records what the variant tells its readers.
func (t *tx) saveVariantCorrections(editionID, variantID int64, articles []int64) error {
	for _, article := range articles {
		if _, err := t.exec(`INSERT INTO variant_corrections (variant_id, correction_id)
			SELECT $1, c.id FROM edition_corrections ec JOIN corrections c ON c.id = ec.correction_id
			WHERE ec.edition_id = $2 AND c.article_id = $3 ON CONFLICT DO NOTHING`, variantID, editionID, article); err != nil {
			return err
		}
	}
	return nil
}

// CorrectArticle records what staff say about an article, and returns the record. decide is
// given the article and the freezes of the editions with it, the oldest first, and says what to
// record; if it returns an error nothing is. A correction is refused while there are
// newsletter.MaxCorrections to be told.
func (s *Store) CorrectArticle(ctx context.Context, id int64, actor string, now time.Time, decide func(newsletter.Article, []time.Time) (newsletter.Correction, error)) (newsletter.Correction, error) {
	var c newsletter.Correction
	err := s.write(ctx, func(t *tx) error {
		a, err := article(t, id)
		if err != nil {
			return err
		}
		editions, err := sentWith(t, id)
		if err != nil {
			return err
		}
		var freezes []time.Time
		for _, e := range editions {
			freezes = append(freezes, e.AsOf)
		}
		if c, err = decide(a, freezes); err != nil {
			return err
		}
		if err := t.roomToCorrect(c, now); err != nil {
			return err
		}
		c.ArticleID, c.Headline, c.URL, c.MadeBy, c.MadeAt = id, a.Headline, a.URL, actor, now
		c.ID, err = t.insert(`INSERT INTO corrections (article_id, note, changed_at, made_by, made_at)
			VALUES ($1, $2, $3, $4, $5) RETURNING id`, id, c.Note, millis(c.ChangedAt), actor, millis(now))
		if err != nil {
			return err
		}
		return t.noteCorrection(c, editions, now)
	})
	if err != nil {
		return c, fmt.Errorf("correct article %d: %w", id, err)
	}
	return c, nil
}

func (t *tx) roomToCorrect(c newsletter.Correction, now time.Time) error {
	if c.Note == "" {
		return nil
	}
	open, err := corrections(t, now.Add(-newsletter.MaxLookBack))
	if err == nil && len(open) >= newsletter.MaxCorrections {
		return newsletter.Conflictf("%d corrections of the last %d days are being told already; more would crowd out the news. Put it into a note of the next edition",
			len(open), int(newsletter.MaxLookBack.Hours()/24))
	}
	return err
}

// noteCorrection puts it into the record of each edition that has the original.
func (t *tx) noteCorrection(c newsletter.Correction, editions []newsletter.PastEdition, now time.Time) error {
	action := "article corrected"
	if c.Note == "" {
		action = "change dismissed"
	}
	for _, e := range editions {
		if !e.AsOf.Before(c.ChangedAt) {
			continue
		}
		if err := t.deskEvent(now, c.MadeBy, action, e.NewsletterID, e.ID, fmt.Sprintf("article %d", c.ArticleID)); err != nil {
			return err
		}
	}
	return nil
}

// sentWith returns the editions that were frozen with the article, the oldest first.
func sentWith(q querier, articleID int64) ([]newsletter.PastEdition, error) {
	rows, err := q.query(`SELECT e.id, e.newsletter_id, e.cadence, e.for_slot, e.as_of, TRUE FROM blocks b JOIN editions e ON e.id = b.edition_id
		WHERE b.article_id = $1 AND e.state NOT IN ('skipped', 'draft') ORDER BY e.as_of, e.id`, articleID)
	return collect(rows, err, scanPastEdition)
}

// Changes returns articles whose text came in after an edition was frozen with them, and about
// which staff have said nothing since, the newest first.
func (s *Store) Changes(ctx context.Context, f newsletter.ChangeFilter) ([]newsletter.Change, error) {
	q := s.read(ctx)
	var newsletterID int64
	if f.Newsletter != "" {
		n, err := newsletterBySlug(q, f.Newsletter)
		if err != nil {
			return nil, err
		}
		newsletterID = n.ID
	}
	rows, err := q.query(`SELECT `+articleColumns+` FROM articles a
		WHERE a.withdrawn_at IS NULL AND (CAST($1 AS INTEGER) = 0 OR a.id < $1)
			AND EXISTS (SELECT 1 FROM article_revisions r WHERE r.article_id = a.id)
			AND EXISTS (SELECT 1 FROM blocks b JOIN editions e ON e.id = b.edition_id
				WHERE b.article_id = a.id AND e.as_of < a.updated_at AND e.state NOT IN ('skipped', 'draft')
				AND (CAST($2 AS INTEGER) = 0 OR e.newsletter_id = $2))
			AND NOT EXISTS (SELECT 1 FROM corrections c WHERE c.article_id = a.id AND c.changed_at >= a.updated_at)
		ORDER BY a.id DESC LIMIT $3`, f.After, newsletterID, f.Limit)
	articles, err := collect(rows, err, func(rows *sql.Rows) (newsletter.Article, error) { return scanArticle(rows) })
	if err != nil {
		return nil, fmt.Errorf("changed articles: %w", err)
	}
	list := make([]newsletter.Change, len(articles))
	for i, a := range articles {
		if list[i], err = s.change(ctx, a); err != nil {
			return nil, fmt.Errorf("changes of article %d: %w", a.ID, err)
		}
	}
	return list, nil
}

// change says what was sent of an article that has changed.
func (s *Store) change(ctx context.Context, a newsletter.Article) (newsletter.Change, error) {
	c := newsletter.Change{Article: a, Sent: a.Item}
	q := s.read(ctx)
	editions, err := sentWith(q, a.ID)
	if err != nil {
		return c, err
	}
	for _, e := range editions {
		if e.AsOf.Before(a.UpdatedAt) {
			c.Editions = append(c.Editions, e.ID)
		}
	}
	c.FirstAt = editions[0].AsOf
	rows, err := q.query(`SELECT replaced_at, item FROM article_revisions WHERE article_id = $1 AND replaced_at > $2
		ORDER BY replaced_at, hash LIMIT 1`, a.ID, millis(c.FirstAt))
	earlier, err := collect(rows, err, scanRevision)
	if err != nil {
		return c, err
	}
	if len(earlier) > 0 {
		c.Sent = earlier[0].Item
	}
	readers, err := s.ReadersWith(ctx, a.ID)
	for _, n := range readers {
		c.Readers += n
	}
	return c, err
}
