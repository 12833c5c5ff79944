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

// EditionVariants returns an edition's variants, the one with the most rows first.
func (s *Store) EditionVariants(ctx context.Context, editionID int64) ([]newsletter.StoredVariant, error) {
	rows, err := s.read(ctx).query(`SELECT v.id, v.articles, v.subject, v.preheader, v.hash, COALESCE(c.n, 0) AS readers
		FROM variants v LEFT JOIN (SELECT variant_id, COUNT(*) AS n FROM deliveries
			WHERE edition_id = $1 AND variant_id IS NOT NULL GROUP BY variant_id) c ON c.variant_id = v.id
		WHERE v.edition_id = $1 ORDER BY readers DESC, v.id`, editionID)
	list, err := collect(rows, err, func(rows *sql.Rows) (v newsletter.StoredVariant, err error) {
		var key string
		if err := rows.Scan(&v.ID, &key, &v.Subject, &v.Preheader, &v.Hash, &v.Readers); err != nil {
			return v, err
		}
		v.EditionID = editionID
		v.Copy, err = newsletter.ParseCopy(key)
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("variants of edition %d: %w", editionID, err)
	}
	return list, nil
}

// StoredVariant returns a variant on record, without the number of its readers.
func (s *Store) StoredVariant(ctx context.Context, id int64) (v newsletter.StoredVariant, err error) {
	var key string
	err = s.read(ctx).row(`SELECT v.id, v.edition_id, v.articles, v.subject, v.preheader, v.hash FROM variants v WHERE v.id = $1`, id).
		Scan(&v.ID, &v.EditionID, &key, &v.Subject, &v.Preheader, &v.Hash)
	if err == nil {
		v.Copy, err = newsletter.ParseCopy(key)
	}
	if err != nil {
		return v, fmt.Errorf("variant %d: %w", id, err)
	}
	return v, nil
}

// ArticleStates counts an edition's deliveries that have the article by their state.
func (s *Store) ArticleStates(ctx context.Context, editionID, articleID int64) (map[newsletter.State]int, error) {
	rows, err := s.read(ctx).query(`SELECT d.state, COUNT(*) FROM deliveries d
		WHERE d.edition_id = $1 AND d.variant_id IN (SELECT va.variant_id FROM variant_articles va WHERE va.article_id = $2)
		GROUP BY d.state`, editionID, articleID)
	if err != nil {
		return nil, fmt.Errorf("readers of article %d in edition %d: %w", articleID, editionID, err)
	}
	defer rows.Close() // rows.Err has what matters
	counts := map[newsletter.State]int{}
	for rows.Next() {
		var state newsletter.State
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, err
		}
		counts[state] = n
	}
	return counts, rows.Err()
}

// Holdings returns which deliveries have articles for the subscriber, whatever became of them, the
// newest edition first.
func (s *Store) Holdings(ctx context.Context, subscriberID int64, articles []int64) ([]newsletter.Holding, error) {
	var all []newsletter.Holding
	const chunk = 256
	for part := range slices.Chunk(articles, chunk) {
		args, ids := appendList([]any{subscriberID}, part, func(id int64) any { return id })
		rows, err := s.read(ctx).query(`SELECT va.article_id, d.edition_id, n.slug, d.state, COALESCE(d.reason, ''), e.as_of
			FROM variant_articles va JOIN variants v ON v.id = va.variant_id
			JOIN deliveries d ON d.edition_id = v.edition_id AND d.subscriber_id = $1 AND d.variant_id = v.id
			JOIN editions e ON e.id = d.edition_id JOIN newsletters n ON n.id = e.newsletter_id
			WHERE va.article_id IN `+ids, args...)
		list, err := collect(rows, err, func(rows *sql.Rows) (h newsletter.Holding, err error) {
			var asOf int64
			err = rows.Scan(&h.ArticleID, &h.EditionID, &h.Newsletter, &h.State, &h.Reason, &asOf)
			h.AsOf = fromMillis(asOf)
			return h, err
		})
		if err != nil {
			return nil, fmt.Errorf("what subscriber %d had: %w", subscriberID, err)
		}
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b newsletter.Holding) int {
		return cmp.Or(cmp.Compare(b.EditionID, a.EditionID), cmp.Compare(a.ArticleID, b.ArticleID))
	})
	return all, nil
}

// ArticleOrigins returns the sources that gave an article, the one it was first seen in first.
func (s *Store) ArticleOrigins(ctx context.Context, articleID int64) ([]newsletter.ArticleOrigin, error) {
	rows, err := s.read(ctx).query(`SELECT s.name, s.url, x.guid FROM article_sources x JOIN sources s ON s.id = x.source_id
		JOIN articles a ON a.id = x.article_id
		WHERE x.article_id = $1 ORDER BY CASE WHEN x.source_id = a.source_id THEN 0 ELSE 1 END, x.source_id`, articleID)
	list, err := collect(rows, err, func(rows *sql.Rows) (o newsletter.ArticleOrigin, err error) {
		err = rows.Scan(&o.Source, &o.URL, &o.GUID)
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("sources of article %d: %w", articleID, err)
	}
	return list, nil
}

// ReaderDomains counts those of PlanReaders who have not paused by the domains of their addresses,
// the largest first.
func (s *Store) ReaderDomains(ctx context.Context, newsletterID int64, c newsletter.Cadence, slot string, limit int, now time.Time) ([]newsletter.DomainReaders, error) {
	rows, err := s.read(ctx).query(`SELECT s.domain, COUNT(*) AS readers FROM subscriptions u JOIN subscribers s ON s.id = u.subscriber_id
		WHERE u.newsletter_id = $1 AND u.cadence = $2 AND (u.state = 'active' OR u.state = 'paused' AND u.paused_until <= $3)
			AND (CAST($4 AS TEXT) = 'all' OR u.slot = $4 OR CAST($4 AS TEXT) = '' AND NOT EXISTS (
				SELECT 1 FROM schedules h WHERE h.newsletter_id = u.newsletter_id AND h.cadence = u.cadence AND h.slot = u.slot))
		GROUP BY s.domain ORDER BY readers DESC, s.domain LIMIT $5`, newsletterID, string(c), millis(now), slotColumn(slot), limit)
	list, err := collect(rows, err, func(rows *sql.Rows) (d newsletter.DomainReaders, err error) {
		err = rows.Scan(&d.Domain, &d.Readers)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("domains of newsletter %d: %w", newsletterID, err)
	}
	return list, nil
}
