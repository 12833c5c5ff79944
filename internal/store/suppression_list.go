package store

import (
	"context"
	"database/sql"
	"fmt"

	"broadsheet/internal/newsletter"
)

// Suppressions returns up to limit suppressions with a number greater than after, by number;
// only those with a reason, if one is named.
func (s *Store) Suppressions(ctx context.Context, reason newsletter.SuppressionReason, after int64, limit int) ([]newsletter.Suppression, error) {
	query, args := `SELECT `+suppressionColumns+` FROM suppressions WHERE id > $1 ORDER BY id LIMIT $2`, []any{after, limit}
	if reason != "" {
		query = `SELECT ` + suppressionColumns + ` FROM suppressions WHERE reason = $1 AND id > $2 ORDER BY id LIMIT $3`
		args = []any{string(reason), after, limit}
	}
	rows, err := s.read(ctx).query(query, args...)
	list, err := collect(rows, err, func(rows *sql.Rows) (newsletter.Suppression, error) { return scanSuppression(rows) })
	if err != nil {
		return nil, fmt.Errorf("suppressions: %w", err)
	}
	return list, nil
}

// SuppressionCounts returns how many suppressions there are, by reason.
func (s *Store) SuppressionCounts(ctx context.Context) (map[newsletter.SuppressionReason]int, error) {
	rows, err := s.read(ctx).query(`SELECT reason, COUNT(*) FROM suppressions GROUP BY reason`)
	if err != nil {
		return nil, fmt.Errorf("suppressions: %w", err)
	}
	defer rows.Close() // rows.Err has what matters
	counts := map[newsletter.SuppressionReason]int{}
	for rows.Next() {
		var reason newsletter.SuppressionReason
		var n int
		if err := rows.Scan(&reason, &n); err != nil {
			return nil, fmt.Errorf("suppressions: %w", err)
		}
		counts[reason] = n
	}
	return counts, rows.Err()
}

// SuppressionByID returns the suppression with this number, or a NotFound error.
func (s *Store) SuppressionByID(ctx context.Context, id int64) (newsletter.Suppression, error) {
	rows, err := s.read(ctx).query(`SELECT `+suppressionColumns+` FROM suppressions WHERE id = $1`, id)
	list, err := collect(rows, err, func(rows *sql.Rows) (newsletter.Suppression, error) { return scanSuppression(rows) })
	if err == nil && len(list) == 0 {
		err = newsletter.NotFoundf("there is no suppression %d", id)
	}
	if err != nil {
		return newsletter.Suppression{}, fmt.Errorf("suppression %d: %w", id, err)
	}
	return list[0], nil
}

// SuppressionBy returns what stands under just this hash; without a reason if nothing does.
func (s *Store) SuppressionBy(ctx context.Context, hash []byte) (newsletter.Suppression, error) {
	found, err := suppressionOf(s.read(ctx), hash)
	if err != nil {
		return newsletter.Suppression{}, fmt.Errorf("suppression: %w", err)
	}
	return found, nil
}

// SuppressionEvents returns what happened to the suppressions kept under a hash, the oldest
// first.
func (s *Store) SuppressionEvents(ctx context.Context, hash []byte) ([]newsletter.SuppressionEvent, error) {
	rows, err := s.read(ctx).query(`SELECT id, kind, reason, path, note, actor, at FROM suppression_events WHERE hash = $1 ORDER BY id`, hash)
	events, err := collect(rows, err, func(rows *sql.Rows) (e newsletter.SuppressionEvent, err error) {
		var at int64
		err = rows.Scan(&e.ID, &e.Kind, &e.Reason, &e.Path, &e.Note, &e.Actor, &at)
		e.At = fromMillis(at)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("history of a suppression: %w", err)
	}
	return events, nil
}

// hashPage is how many subscribers are read and hashed at once.
const hashPage = 10_000

// NameSuppressions sets Email of those suppressions whose address is a subscriber's. Nothing
// leads from a hash to an address, so it goes through the subscribers, about a second for a
// million of them, until all are found.
func (s *Store) NameSuppressions(ctx context.Context, key newsletter.SuppressionKey, list []newsletter.Suppression) error {
	wanted := map[string]*newsletter.Suppression{}
	for i := range list {
		if list[i].Domain == "" {
			wanted[string(list[i].Hash)] = &list[i]
		}
	}
	hash := key.AddressHasher()
	for after := int64(0); len(wanted) > 0; {
		page, err := s.addressPage(ctx, after)
		if err != nil {
			return fmt.Errorf("addresses of suppressions: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		for _, p := range page {
			h := hash(p.key)
			if found, ok := wanted[string(h)]; ok {
				found.Email = p.email
				delete(wanted, string(h))
			}
		}
		after = page[len(page)-1].id
	}
	return nil
}

type addressRow struct {
	id         int64
	email, key string
}

func (s *Store) addressPage(ctx context.Context, after int64) ([]addressRow, error) {
	rows, err := s.read(ctx).query(`SELECT id, email, email_key FROM subscribers WHERE id > $1 ORDER BY id LIMIT $2`, after, hashPage)
	return collect(rows, err, func(rows *sql.Rows) (r addressRow, err error) {
		return r, rows.Scan(&r.id, &r.email, &r.key)
	})
}
