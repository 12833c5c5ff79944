package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

const sourceColumns = `s.id, s.url, s.name, s.kind, s.etag, s.last_modified, s.created_at, s.next_fetch_at,
	s.last_fetch_at, s.last_ok_at, s.last_error, s.failures, s.items, s.broken_items, s.turned_over`

func scanSource(row rowScanner) (newsletter.Source, error) {
	var (
		src           newsletter.Source
		created, next int64
		fetched, ok   sql.NullInt64
	)
	err := row.Scan(&src.ID, &src.URL, &src.Name, &src.Kind, &src.ETag, &src.LastModified, &created, &next,
		&fetched, &ok, &src.LastError, &src.Failures, &src.Items, &src.BrokenItems, &src.TurnedOver)
	src.CreatedAt, src.NextFetchAt = fromMillis(created), fromMillis(next)
	src.LastFetchAt, src.LastOKAt = fromNull(fetched), fromNull(ok)
	return src, err
}

func scanSourceRow(rows *sql.Rows) (newsletter.Source, error) { return scanSource(rows) }

// Sources returns the sources of a newsletter, or with 0 all of them, in order of their ids,
// each with the newsletters that it belongs to.
func (s *Store) Sources(ctx context.Context, newsletterID int64) ([]newsletter.Source, error) {
	q := s.read(ctx)
	rows, err := q.query(`SELECT `+sourceColumns+` FROM sources s
		WHERE CAST($1 AS INTEGER) = 0 OR s.id IN (SELECT source_id FROM newsletter_sources WHERE newsletter_id = $1)
		ORDER BY s.id`, newsletterID)
	list, err := collect(rows, err, scanSourceRow)
	if err != nil {
		return nil, fmt.Errorf("sources: %w", err)
	}
	for i, src := range list {
		if list[i].Newsletters, err = sourceNewsletters(q, src.ID); err != nil {
			return nil, fmt.Errorf("source %d: %w", src.ID, err)
		}
	}
	return list, nil
}

func sourceNewsletters(q querier, sourceID int64) ([]string, error) {
	rows, err := q.query(`SELECT n.slug FROM newsletter_sources ns JOIN newsletters n ON n.id = ns.newsletter_id
		WHERE ns.source_id = $1 ORDER BY n.slug`, sourceID)
	return collect(rows, err, scanText)
}

func scanText(rows *sql.Rows) (string, error) {
	var text string
	err := rows.Scan(&text)
	return text, err
}

// Source returns the source of that id with its newsletters, or a NotFound error.
func (s *Store) Source(ctx context.Context, id int64) (newsletter.Source, error) {
	q := s.read(ctx)
	src, err := sourceByID(q, id)
	if err != nil {
		return src, err
	}
	src.Newsletters, err = sourceNewsletters(q, id)
	return src, err
}

func sourceByID(q querier, id int64) (newsletter.Source, error) {
	src, err := scanSource(q.row(`SELECT `+sourceColumns+` FROM sources s WHERE s.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return src, newsletter.NotFoundf("there is no source %d; \"broadsheet source list\" shows those there are", id)
	}
	return src, err
}

// SourceByURL returns the source of that address with its newsletters, or a NotFound error.
func (s *Store) SourceByURL(ctx context.Context, url string) (newsletter.Source, error) {
	q := s.read(ctx)
	src, err := scanSource(q.row(`SELECT `+sourceColumns+` FROM sources s WHERE s.url = $1`, url))
	if errors.Is(err, sql.ErrNoRows) {
		return src, newsletter.NotFoundf("there is no source %s; \"broadsheet source list\" shows those there are", redact(url))
	}
	if err != nil {
		return src, fmt.Errorf("source %s: %w", redact(url), err)
	}
	src.Newsletters, err = sourceNewsletters(q, src.ID)
	return src, err
}

// DueSources returns the feeds to be fetched now: those whose time has come and that a
// newsletter which is not closed takes articles from, the most overdue first.
func (s *Store) DueSources(ctx context.Context, now time.Time) ([]newsletter.Source, error) {
	rows, err := s.read(ctx).query(`SELECT `+sourceColumns+` FROM sources s
		WHERE s.kind = 'feed' AND s.next_fetch_at <= $1 AND EXISTS (
			SELECT 1 FROM newsletter_sources ns JOIN newsletters n ON n.id = ns.newsletter_id
			WHERE ns.source_id = s.id AND n.status <> 'closed')
		ORDER BY s.next_fetch_at, s.id`, millis(now))
	list, err := collect(rows, err, scanSourceRow)
	if err != nil {
		return nil, fmt.Errorf("due sources: %w", err)
	}
	return list, nil
}

// AttachSource makes the feed at src.URL a source of the newsletter; a feed that is not known
// yet is added, with src.Name. attached is false if it was the newsletter's already. An
// address that is known keeps its name unless src.Name is not empty.
func (s *Store) AttachSource(ctx context.Context, src newsletter.Source, newsletterID int64, actor string, now time.Time) (id int64, attached bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		err := t.row(`INSERT INTO sources (url, name, kind, created_at, next_fetch_at) VALUES ($1, $2, 'feed', $3, $3)
			ON CONFLICT (url) DO UPDATE SET name = CASE WHEN excluded.name = '' THEN sources.name ELSE excluded.name END
			RETURNING id`, src.URL, src.Name, millis(now)).Scan(&id)
		if err != nil {
			return err
		}
		n, err := t.changed(`INSERT INTO newsletter_sources (newsletter_id, source_id, attached_at) VALUES ($1, $2, $3)
			ON CONFLICT (newsletter_id, source_id) DO NOTHING`, newsletterID, id, millis(now))
		if attached = n > 0; err != nil || !attached {
			return err
		}
		return t.deskEvent(now, actor, "source added", newsletterID, 0, fmt.Sprintf("source %d", id))
	})
	if err != nil {
		return 0, false, fmt.Errorf("add source to newsletter %d: %w", newsletterID, err)
	}
	return id, attached, nil
}

// DetachSource takes the source from the newsletter. The source and its articles stay. If it
// is not the newsletter's, the error is NotFound.
func (s *Store) DetachSource(ctx context.Context, sourceID, newsletterID int64, actor string, now time.Time) error {
	err := s.write(ctx, func(t *tx) error {
		n, err := t.changed(`DELETE FROM newsletter_sources WHERE newsletter_id = $1 AND source_id = $2`, newsletterID, sourceID)
		if err != nil {
			return err
		}
		if n == 0 {
			return newsletter.NotFoundf("source %d is none of this newsletter's; \"broadsheet source list\" shows which it has", sourceID)
		}
		return t.deskEvent(now, actor, "source removed", newsletterID, 0, fmt.Sprintf("source %d", sourceID))
	})
	if err != nil {
		return fmt.Errorf("remove source %d from newsletter %d: %w", sourceID, newsletterID, err)
	}
	return nil
}

// maxLastError is how many characters of an error are kept with a source.
const maxLastError = 500

// FailFetch records that a fetch which began at started did not bring anything usable, and
// why. Only the source's failure fields change. It is asked again after the back-off, or
// after what it asked for itself if that is longer. The failure of a fetch that began before
// the last one that was recorded says nothing about the source as it is now.
func (s *Store) FailFetch(ctx context.Context, sourceID int64, why string, started time.Time, retryAfter time.Duration, now time.Time) error {
	if r := []rune(why); len(r) > maxLastError {
		why = string(r[:maxLastError-1]) + "…"
	}
	err := s.write(ctx, func(t *tx) error {
		src, err := sourceByID(t, sourceID)
		if err != nil || startedBefore(started, src) {
			return err
		}
		next := newsletter.NextFetch(now, src.Failures+1)
		if asked := now.Add(retryAfter); asked.After(next) {
			next = asked
		}
		_, err = t.exec(`UPDATE sources SET last_fetch_at = $1, last_error = $2, failures = failures + 1, next_fetch_at = $3 WHERE id = $4`,
			millis(started), why, millis(next), sourceID)
		return err
	})
	if err != nil {
		return fmt.Errorf("record the failed fetch of source %d: %w", sourceID, err)
	}
	return nil
}

// startedBefore reports whether a fetch that began then is older than the source's last one.
func startedBefore(started time.Time, src newsletter.Source) bool {
	return !src.LastFetchAt.IsZero() && millis(started) < millis(src.LastFetchAt)
}
