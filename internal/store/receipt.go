package store

import (
	"context"
	"database/sql"
	"fmt"

	"broadsheet/internal/newsletter"
)

// SentTo returns the editions that were sent to a person, or are to be, the newest first, without
// what was withheld; before is the id that they come after in that order, 0 for the newest.
func (s *Store) SentTo(ctx context.Context, subscriberID, before int64, limit int) ([]newsletter.SentEdition, error) {
	rows, err := s.read(ctx).query(`SELECT d.edition_id, n.slug, n.name, n.language, n.zone, e.local_date, COALESCE(v.subject, e.subject), d.state,
			d.updated_at, COALESCE(d.returned, 0), COALESCE(v.view_key, '')
		FROM deliveries d
		JOIN editions e ON e.id = d.edition_id
		JOIN newsletters n ON n.id = e.newsletter_id
		LEFT JOIN variants v ON v.id = d.variant_id
		WHERE d.subscriber_id = $1 AND d.state <> 8 AND d.edition_id IN (SELECT id FROM editions WHERE CAST($2 AS INTEGER) = 0 OR id < $2)
		ORDER BY d.edition_id DESC LIMIT $3`, subscriberID, before, limit)
	list, err := collect(rows, err, func(rows *sql.Rows) (e newsletter.SentEdition, err error) {
		var at int64
		err = rows.Scan(&e.EditionID, &e.Newsletter, &e.Name, &e.Language, &e.Zone, &e.Date, &e.Subject, &e.State, &at, &e.Returned, &e.Key)
		e.At = fromMillis(at)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("editions sent to subscriber %d: %w", subscriberID, err)
	}
	return list, nil
}
