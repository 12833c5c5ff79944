package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

func sections(q querier, newsletterID int64) ([]newsletter.Section, error) {
	rows, err := q.query(`SELECT id, newsletter_id, bit, slug, name, categories, position FROM sections
		WHERE newsletter_id = $1 AND removed_at IS NULL ORDER BY position, id`, newsletterID)
	return collect(rows, err, func(rows *sql.Rows) (newsletter.Section, error) { return scanSection(rows) })
}

func scanSection(row rowScanner) (newsletter.Section, error) {
	var sec newsletter.Section
	var categories string
	if err := row.Scan(&sec.ID, &sec.NewsletterID, &sec.Bit, &sec.Slug, &sec.Name, &categories, &sec.Position); err != nil {
		return sec, err
	}
	if err := json.Unmarshal([]byte(categories), &sec.Match); err != nil {
		return sec, fmt.Errorf("section %d: stored categories: %w", sec.ID, err)
	}
	return sec, nil
}

// AddSection adds a section at the end and gives it a bit that no section of the newsletter
// ever had. A slug that was removed can be added again and gets its old bit. If the slug is
// taken, or all bits are, the error is a Conflict.
func (s *Store) AddSection(ctx context.Context, sec newsletter.Section, actor string, now time.Time) (newsletter.Section, error) {
	err := s.write(ctx, func(t *tx) error {
		categories, err := json.Marshal(sec.Match)
		if err != nil {
			return err
		}
		err = t.row(`SELECT COALESCE(MAX(bit), -1) + 1, COALESCE(MAX(position), 0) + 1 FROM sections WHERE newsletter_id = $1`,
			sec.NewsletterID).Scan(&sec.Bit, &sec.Position)
		if err != nil {
			return err
		}
		err = t.row(`UPDATE sections SET name = $1, categories = $2, position = $3, removed_at = NULL
			WHERE newsletter_id = $4 AND slug = $5 AND removed_at IS NOT NULL RETURNING id, bit`,
			sec.Name, string(categories), sec.Position, sec.NewsletterID, sec.Slug).Scan(&sec.ID, &sec.Bit)
		if errors.Is(err, sql.ErrNoRows) {
			err = t.insertSection(&sec, string(categories), now)
		}
		if err != nil {
			return err
		}
		return t.deskEvent(now, actor, "section added", sec.NewsletterID, 0, sec.Slug)
	})
	if isUnique(err) {
		return sec, newsletter.Conflictf("there is a section %q already; change what it matches with \"broadsheet section edit\"", sec.Slug)
	}
	if err != nil {
		return sec, fmt.Errorf("add section %s: %w", sec.Slug, err)
	}
	return sec, nil
}

func (t *tx) insertSection(sec *newsletter.Section, categories string, now time.Time) error {
	if sec.Bit >= newsletter.MaxSections {
		return newsletter.Conflictf("a newsletter can have %d sections, removed ones included; edit one that is there", newsletter.MaxSections)
	}
	var err error
	sec.ID, err = t.insert(`INSERT INTO sections (newsletter_id, bit, slug, name, categories, position, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
		sec.NewsletterID, sec.Bit, sec.Slug, sec.Name, categories, sec.Position, millis(now))
	return err
}

// ChangeSection lets change alter the name, the categories and the position of a section,
// and saves them. If there is no such section the error is NotFound.
func (s *Store) ChangeSection(ctx context.Context, newsletterID int64, slug, actor string, now time.Time, change func(*newsletter.Section) error) (newsletter.Section, error) {
	var sec newsletter.Section
	err := s.write(ctx, func(t *tx) (err error) {
		if sec, err = t.section(newsletterID, slug); err != nil {
			return err
		}
		if err := change(&sec); err != nil {
			return err
		}
		categories, err := json.Marshal(sec.Match)
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE sections SET name = $1, categories = $2, position = $3 WHERE id = $4`,
			sec.Name, string(categories), sec.Position, sec.ID)
		if err != nil {
			return err
		}
		return t.deskEvent(now, actor, "section changed", newsletterID, 0, slug)
	})
	if err != nil {
		return sec, fmt.Errorf("change section %s: %w", slug, err)
	}
	return sec, nil
}

func (t *tx) section(newsletterID int64, slug string) (newsletter.Section, error) {
	sec, err := scanSection(t.row(`SELECT id, newsletter_id, bit, slug, name, categories, position FROM sections
		WHERE newsletter_id = $1 AND slug = $2 AND removed_at IS NULL`, newsletterID, slug))
	if errors.Is(err, sql.ErrNoRows) {
		return sec, newsletter.NotFoundf("there is no section %q; \"broadsheet section list\" shows those there are", slug)
	}
	return sec, err
}

// RemoveSection takes a section off the newsletter. If readers chose it, also some who wait
// to confirm or have left, the error is a Conflict with their number: their choice would
// turn into another one.
func (s *Store) RemoveSection(ctx context.Context, newsletterID int64, slug, actor string, now time.Time) error {
	err := s.write(ctx, func(t *tx) error {
		sec, err := t.section(newsletterID, slug)
		if err != nil {
			return err
		}
		var chosen int
		err = t.row(`SELECT (SELECT COUNT(*) FROM subscriptions WHERE newsletter_id = $1 AND sections & $2 <> 0)
			+ (SELECT COUNT(*) FROM signup_newsletters WHERE newsletter_id = $1 AND sections & $2 <> 0)`,
			newsletterID, int64(newsletter.Mask(0).With(sec))).Scan(&chosen)
		if err != nil {
			return err
		}
		if chosen > 0 {
			return newsletter.Conflictf("section %q was chosen by readers (%d times), so it cannot be removed; rename it or change what it matches with \"broadsheet section edit\"", slug, chosen)
		}
		if _, err := t.exec(`UPDATE sections SET removed_at = $1 WHERE id = $2`, millis(now), sec.ID); err != nil {
			return err
		}
		return t.deskEvent(now, actor, "section removed", newsletterID, 0, slug)
	})
	if err != nil {
		return fmt.Errorf("remove section %s: %w", slug, err)
	}
	return nil
}

// Categories returns the feed categories of the newsletter's articles first seen since then,
// with how many articles have them and when the last one was first seen. Differently spelt
// ones are different.
func (s *Store) Categories(ctx context.Context, newsletterID int64, since time.Time) ([]newsletter.UnmappedCategory, error) {
	rows, err := s.read(ctx).query(`SELECT c.category, COUNT(*), MAX(a.first_seen)
		FROM articles a JOIN article_categories c ON c.article_id = a.id
		WHERE a.first_seen >= $1 AND EXISTS (
			SELECT 1 FROM article_sources s JOIN newsletter_sources ns ON ns.source_id = s.source_id
			WHERE s.article_id = a.id AND ns.newsletter_id = $2)
		GROUP BY c.category ORDER BY 2 DESC, 1`, millis(since), newsletterID)
	list, err := collect(rows, err, func(rows *sql.Rows) (c newsletter.UnmappedCategory, err error) {
		var seen int64
		err = rows.Scan(&c.Name, &c.Articles, &seen)
		c.LastSeen = fromMillis(seen)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("categories of newsletter %d: %w", newsletterID, err)
	}
	return list, nil
}
