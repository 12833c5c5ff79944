package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"broadsheet/internal/newsletter"
)

// archived are the editions that were sent once, those that staff retry now included. What a
// restore knows by its name only has no content, and is not among them; what was cancelled since
// is not either.
const archived = `, e.archived_at FROM editions e JOIN newsletters n ON n.id = e.newsletter_id
	WHERE e.archived_at IS NOT NULL AND e.state <> 'cancelled'
	AND EXISTS (SELECT 1 FROM edition_snapshots s WHERE s.edition_id = e.id)`

// withArchived scans what stands after an edition's columns too.
type withArchived struct {
	row rowScanner
	at  *int64
}

func (w withArchived) Scan(to ...any) error { return w.row.Scan(append(to, w.at)...) }

func scanArchived(row rowScanner) (newsletter.ArchivedEdition, error) {
	var at int64
	e, err := scanEdition(withArchived{row, &at})
	return newsletter.ArchivedEdition{Edition: e, ArchivedAt: fromMillis(at)}, err
}

// ArchivedEditions returns the newsletter's editions that were sent, the newest first; before
// is the id that they come after in that order, 0 for the newest.
func (s *Store) ArchivedEditions(ctx context.Context, newsletterID, before int64, limit int) ([]newsletter.ArchivedEdition, error) {
	rows, err := s.read(ctx).query(`SELECT `+editionColumns+archived+` AND e.newsletter_id = $1
		AND (CAST($2 AS INTEGER) = 0 OR e.id < $2) ORDER BY e.id DESC LIMIT $3`,
		newsletterID, before, limit)
	return collect(rows, err, func(rows *sql.Rows) (newsletter.ArchivedEdition, error) { return scanArchived(rows) })
}

// ArchivedEdition returns the edition if it is the newsletter's and was sent, else a NotFound error.
func (s *Store) ArchivedEdition(ctx context.Context, newsletterID, id int64) (newsletter.ArchivedEdition, error) {
	e, err := scanArchived(s.read(ctx).row(`SELECT `+editionColumns+archived+` AND e.newsletter_id = $1 AND e.id = $2`, newsletterID, id))
	if errors.Is(err, sql.ErrNoRows) {
		return e, newsletter.NotFoundf("there is no such edition in the archive")
	}
	if err != nil {
		return e, fmt.Errorf("edition %d of the archive: %w", id, err)
	}
	return e, nil
}

// VariantSeen returns the newsletter's variant with that key in the link to itself, of the newest
// edition that has one, or a NotFound error.
func (s *Store) VariantSeen(ctx context.Context, newsletterID int64, key string) (newsletter.SeenVariant, error) {
	var v newsletter.SeenVariant
	var edition int64
	var copied string
	err := s.read(ctx).row(`SELECT v.edition_id, v.articles, e.archived_at IS NOT NULL AND e.state <> 'cancelled' FROM variants v JOIN editions e ON e.id = v.edition_id
		WHERE v.view_key = $1 AND e.newsletter_id = $2 ORDER BY v.id DESC LIMIT 1`, key, newsletterID).Scan(&edition, &copied, &v.Archived)
	if errors.Is(err, sql.ErrNoRows) {
		return v, newsletter.NotFoundf("there is no such mail")
	}
	if err == nil {
		v.Copy, err = newsletter.ParseCopy(copied)
	}
	if err == nil {
		v.Edition, err = s.Edition(ctx, edition)
	}
	if err != nil {
		return v, fmt.Errorf("the mail in a browser: %w", err)
	}
	return v, nil
}
