package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// Candidates returns the articles of the newsletter's sources that were first seen or became
// owed since then, the newest first, with their categories and sections. Those that cannot
// be in an edition (held, under embargo, known from before, withdrawn) are among them, so
// that a reason can be given for each. Attached is when the first of its sources that are
// the newsletter's now became one.
func (s *Store) Candidates(ctx context.Context, newsletterID int64, since time.Time) ([]newsletter.Candidate, error) {
	q := s.read(ctx)
	all, err := sections(q, newsletterID)
	if err != nil {
		return nil, fmt.Errorf("sections of newsletter %d: %w", newsletterID, err)
	}
	byArticle, err := candidateCategories(q, newsletterID, since)
	if err != nil {
		return nil, fmt.Errorf("categories of the candidates of newsletter %d: %w", newsletterID, err)
	}
	rows, err := q.query(`SELECT `+articleColumns+`, MIN(ns.attached_at)
		FROM articles a
		JOIN article_sources s ON s.article_id = a.id
		JOIN newsletter_sources ns ON ns.source_id = s.source_id
		WHERE a.id IN (SELECT id FROM articles WHERE first_seen >= $1 UNION SELECT id FROM articles WHERE owed_from >= $1)
			AND ns.newsletter_id = $2
		GROUP BY a.id ORDER BY a.id DESC`, millis(since), newsletterID)
	list, err := collect(rows, err, func(rows *sql.Rows) (c newsletter.Candidate, err error) {
		var attached int64
		dest, done := articleFields(&c.Article)
		err = rows.Scan(append(dest, &attached)...)
		done()
		c.Attached = fromMillis(attached)
		c.Categories = byArticle[c.ID]
		c.Sections = newsletter.SectionsOf(all, c.Categories)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("candidates of newsletter %d: %w", newsletterID, err)
	}
	return list, nil
}

func candidateCategories(q querier, newsletterID int64, since time.Time) (map[int64][]string, error) {
	rows, err := q.query(`SELECT c.article_id, c.category FROM article_categories c
		WHERE c.article_id IN (SELECT id FROM articles WHERE first_seen >= $1 UNION SELECT id FROM articles WHERE owed_from >= $1)
			AND EXISTS (SELECT 1 FROM article_sources s JOIN newsletter_sources ns ON ns.source_id = s.source_id
				WHERE s.article_id = c.article_id AND ns.newsletter_id = $2)
		ORDER BY c.article_id, c.position, c.category`, millis(since), newsletterID)
	type pair struct {
		id       int64
		category string
	}
	list, err := collect(rows, err, func(rows *sql.Rows) (p pair, err error) {
		err = rows.Scan(&p.id, &p.category)
		return p, err
	})
	if err != nil {
		return nil, err
	}
	byArticle := map[int64][]string{}
	for _, p := range list {
		byArticle[p.id] = append(byArticle[p.id], p.category)
	}
	return byArticle, nil
}
