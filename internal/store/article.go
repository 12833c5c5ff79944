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

const articleColumns = `a.id, a.source_id, a.guid, a.url, a.headline, a.summary, a.author, a.image_url, a.image_alt,
	a.label, a.published_at, a.revised_at, a.first_seen, a.owed_from, a.hold, a.baseline, a.withdrawn_at, a.updated_at`

// articleFields returns where to scan articleColumns to; done fills in the times.
func articleFields(a *newsletter.Article) (dest []any, done func()) {
	var published, revised, owedFrom, withdrawn sql.NullInt64
	var firstSeen, updated int64
	dest = []any{&a.ID, &a.SourceID, &a.GUID, &a.URL, &a.Headline, &a.Summary, &a.Author, &a.Image.URL, &a.Image.Alt,
		&a.Label, &published, &revised, &firstSeen, &owedFrom, &a.Hold, &a.Baseline, &withdrawn, &updated}
	return dest, func() {
		a.Published, a.Updated, a.OwedFrom, a.WithdrawnAt = fromNull(published), fromNull(revised), fromNull(owedFrom), fromNull(withdrawn)
		a.FirstSeen, a.UpdatedAt = fromMillis(firstSeen), fromMillis(updated)
	}
}

func scanArticle(row rowScanner) (newsletter.Article, error) {
	var a newsletter.Article
	dest, done := articleFields(&a)
	err := row.Scan(dest...)
	done()
	return a, err
}

// Articles returns the articles that the filter chooses, the newest first, with their
// categories.
func (s *Store) Articles(ctx context.Context, f newsletter.ArticleFilter) ([]newsletter.Article, error) {
	q := s.read(ctx)
	var newsletterID int64
	if f.Newsletter != "" {
		n, err := newsletterBySlug(q, f.Newsletter)
		if err != nil {
			return nil, err
		}
		newsletterID = n.ID
	}
	var since int64
	if !f.Since.IsZero() {
		since = millis(f.Since)
	}
	rows, err := q.query(`SELECT `+articleColumns+` FROM articles a
		WHERE (CAST($1 AS INTEGER) = 0 OR EXISTS (
				SELECT 1 FROM article_sources s JOIN newsletter_sources ns ON ns.source_id = s.source_id
				WHERE s.article_id = a.id AND ns.newsletter_id = $1))
			AND (CAST($2 AS INTEGER) = 0 OR a.hold <> '')
			AND a.first_seen >= $3
			AND (CAST($4 AS INTEGER) = 0 OR a.id < $4)
		ORDER BY a.id DESC LIMIT $5`, newsletterID, flag(f.Held), since, f.After, f.Limit)
	list, err := collect(rows, err, func(rows *sql.Rows) (newsletter.Article, error) { return scanArticle(rows) })
	if err != nil {
		return nil, fmt.Errorf("articles: %w", err)
	}
	for i := range list {
		if list[i].Categories, err = categories(q, list[i].ID); err != nil {
			return nil, fmt.Errorf("article %d: %w", list[i].ID, err)
		}
	}
	return list, nil
}

// Article returns everything that is known about an article, or a NotFound error.
func (s *Store) Article(ctx context.Context, id int64) (newsletter.ArticleDetail, error) {
	q := s.read(ctx)
	var d newsletter.ArticleDetail
	var err error
	if d.Article, err = article(q, id); err != nil {
		return d, err
	}
	rows, err := q.query(`SELECT s.source_id, src.name, s.guid, s.seen_at FROM article_sources s
		JOIN sources src ON src.id = s.source_id WHERE s.article_id = $1 ORDER BY s.seen_at, s.source_id`, id)
	d.Sources, err = collect(rows, err, func(rows *sql.Rows) (src newsletter.ArticleSource, err error) {
		var seen int64
		err = rows.Scan(&src.SourceID, &src.Name, &src.GUID, &seen)
		src.SeenAt = fromMillis(seen)
		return src, err
	})
	if err != nil {
		return d, fmt.Errorf("sources of article %d: %w", id, err)
	}
	rows, err = q.query(`SELECT DISTINCT n.slug FROM article_sources s
		JOIN newsletter_sources ns ON ns.source_id = s.source_id
		JOIN newsletters n ON n.id = ns.newsletter_id WHERE s.article_id = $1 ORDER BY n.slug`, id)
	if d.Newsletters, err = collect(rows, err, scanText); err != nil {
		return d, fmt.Errorf("newsletters of article %d: %w", id, err)
	}
	rows, err = q.query(`SELECT replaced_at, item FROM article_revisions WHERE article_id = $1 ORDER BY replaced_at DESC, hash`, id)
	d.Revisions, err = collect(rows, err, scanRevision)
	if err != nil {
		return d, fmt.Errorf("revisions of article %d: %w", id, err)
	}
	return d, nil
}

func scanRevision(rows *sql.Rows) (r newsletter.Revision, err error) {
	var replaced int64
	var item string
	if err := rows.Scan(&replaced, &item); err != nil {
		return r, err
	}
	r.ReplacedAt = fromMillis(replaced)
	r.Item, err = decodeItem(item)
	return r, err
}

// article returns an article with its categories, or a NotFound error.
func article(q querier, id int64) (newsletter.Article, error) {
	a, err := scanArticle(q.row(`SELECT `+articleColumns+` FROM articles a WHERE a.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return a, newsletter.NotFoundf("there is no article %d; \"broadsheet article list\" shows those there are", id)
	}
	if err != nil {
		return a, fmt.Errorf("article %d: %w", id, err)
	}
	a.Categories, err = categories(q, id)
	return a, err
}

func categories(q querier, articleID int64) ([]string, error) {
	rows, err := q.query(`SELECT category FROM article_categories WHERE article_id = $1 ORDER BY position, category`, articleID)
	return collect(rows, err, scanText)
}

// ChangeArticle lets change decide anew whether the article is held and from when it is owed,
// and saves that. If change returns an error nothing is saved.
func (s *Store) ChangeArticle(ctx context.Context, id int64, action, actor string, now time.Time, change func(newsletter.Article) (newsletter.Article, error)) (newsletter.Article, error) {
	var a newsletter.Article
	err := s.write(ctx, func(t *tx) (err error) {
		if a, err = article(t, id); err != nil {
			return err
		}
		if a, err = change(a); err != nil {
			return err
		}
		_, err = t.exec(`UPDATE articles SET hold = $1, owed_from = $2, baseline = $3 WHERE id = $4`,
			string(a.Hold), nullMillis(a.OwedFrom), flag(a.Baseline), id)
		if err != nil {
			return err
		}
		return t.deskEvent(now, actor, action, 0, 0, fmt.Sprintf("article %d", id))
	})
	if err != nil {
		return a, fmt.Errorf("change article %d: %w", id, err)
	}
	return a, nil
}

// flag returns b as the database stores it.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// storedItem is how a revision keeps an item. Its keys are stored: they never change.
type storedItem struct {
	GUID       string   `json:"guid"`
	URL        string   `json:"url"`
	Headline   string   `json:"headline"`
	Summary    string   `json:"summary,omitempty"`
	Author     string   `json:"author,omitempty"`
	ImageURL   string   `json:"image_url,omitempty"`
	ImageAlt   string   `json:"image_alt,omitempty"`
	Label      string   `json:"label,omitempty"`
	Categories []string `json:"categories,omitempty"`
	Published  int64    `json:"published,omitempty"` // Unix milliseconds
	Updated    int64    `json:"updated,omitempty"`
}

func encodeItem(i newsletter.Item) (string, error) {
	data, err := json.Marshal(storedItem{
		GUID: i.GUID, URL: i.URL, Headline: i.Headline, Summary: i.Summary, Author: i.Author,
		ImageURL: i.Image.URL, ImageAlt: i.Image.Alt, Label: i.Label, Categories: i.Categories,
		Published: storedMillis(i.Published), Updated: storedMillis(i.Updated),
	})
	return string(data), err
}

func storedMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return millis(t)
}

func decodeItem(text string) (newsletter.Item, error) {
	var s storedItem
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return newsletter.Item{}, fmt.Errorf("stored item: %w", err)
	}
	return newsletter.Item{
		GUID: s.GUID, URL: s.URL, Headline: s.Headline, Summary: s.Summary, Author: s.Author,
		Image: newsletter.Image{URL: s.ImageURL, Alt: s.ImageAlt}, Label: s.Label, Categories: s.Categories,
		Published: fromNull(sql.NullInt64{Int64: s.Published, Valid: s.Published != 0}),
		Updated:   fromNull(sql.NullInt64{Int64: s.Updated, Valid: s.Updated != 0}),
	}, nil
}
