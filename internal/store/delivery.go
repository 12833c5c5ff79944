package store

import (
	"context"
	"database/sql"

	"broadsheet/internal/newsletter"
)

// Deliveries returns rows of an edition's ledger in order of their subscribers.
func (s *Store) Deliveries(ctx context.Context, f newsletter.DeliveryFilter) ([]newsletter.Delivery, error) {
	rows, err := s.read(ctx).query(`SELECT d.edition_id, d.subscriber_id, s.email, s.name, COALESCE(d.variant_id, 0), d.state,
			COALESCE(d.reason, ''), d.attempts, d.doubts, d.doubted_at, d.not_before, d.next_try, d.expires_at,
			COALESCE(d.code, 0), COALESCE(d.enhanced, ''), COALESCE(p.text, ''), COALESCE(l.name, ''), d.updated_at
		FROM deliveries d
		JOIN subscribers s ON s.id = d.subscriber_id
		LEFT JOIN replies p ON p.id = d.reply_id
		LEFT JOIN relays l ON l.id = d.relay_id
		WHERE d.edition_id = $1 AND d.subscriber_id > $2
		AND (CAST($3 AS INTEGER) = 0 OR d.state = $3) AND (CAST($4 AS INTEGER) = 0 OR d.doubted_at IS NOT NULL)
		ORDER BY d.subscriber_id LIMIT $5`, f.EditionID, f.After, int(f.State), f.Doubted, f.Limit)
	return collect(rows, err, func(rows *sql.Rows) (d newsletter.Delivery, err error) {
		var notBefore, nextTry, expires, updated int64
		var doubted sql.NullInt64
		err = rows.Scan(&d.EditionID, &d.SubscriberID, &d.Email, &d.Name, &d.VariantID, &d.State, &d.Reason, &d.Attempts, &d.Doubts,
			&doubted, &notBefore, &nextTry, &expires, &d.Code, &d.Enhanced, &d.Reply, &d.Relay, &updated)
		d.DoubtedAt, d.NotBefore, d.NextTry = fromNull(doubted), fromMillis(notBefore), fromMillis(nextTry)
		d.ExpiresAt, d.UpdatedAt = fromMillis(expires), fromMillis(updated)
		return d, err
	})
}
