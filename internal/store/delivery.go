package store

import (
	"context"
	"database/sql"

	"broadsheet/internal/newsletter"
)

// deliveryPage is how many rows are read at once: a reader that takes its time holds up
// nobody between two pages.
const deliveryPage = 1000

// EachDelivery calls f with the rows of an edition's ledger that the filter chooses, in order
// of their subscribers, until there are no more or f fails. However many there are, it has
// one page of them in memory; rows that move meanwhile are seen before or after.
func (s *Store) EachDelivery(ctx context.Context, f newsletter.DeliveryFilter, each func(newsletter.Delivery) error) error {
	for left := f.Limit; ; {
		page := f
		page.Limit = deliveryPage
		if f.Limit > 0 {
			page.Limit = min(deliveryPage, left)
		}
		list, err := s.deliveries(ctx, page)
		if err != nil {
			return err
		}
		for _, d := range list {
			if err := each(d); err != nil {
				return err
			}
		}
		left -= len(list)
		if len(list) < page.Limit || f.Limit > 0 && left == 0 {
			return nil
		}
		f.After = list[len(list)-1].SubscriberID
	}
}

func (s *Store) deliveries(ctx context.Context, f newsletter.DeliveryFilter) ([]newsletter.Delivery, error) {
	rows, err := s.read(ctx).query(`SELECT d.edition_id, d.subscriber_id, COALESCE(s.email, ''), COALESCE(s.name, ''), COALESCE(d.variant_id, 0), d.state,
			COALESCE(d.reason, ''), d.attempts, d.doubts, d.doubted_at, d.not_before, d.next_try, d.expires_at,
			COALESCE(d.code, 0), COALESCE(d.enhanced, ''), COALESCE(p.text, ''), COALESCE(l.name, ''), COALESCE(d.returned, 0), d.updated_at
		FROM deliveries d
		LEFT JOIN subscribers s ON s.id = d.subscriber_id
		LEFT JOIN replies p ON p.id = d.reply_id
		LEFT JOIN relays l ON l.id = d.relay_id
		WHERE d.edition_id = $1 AND d.subscriber_id > $2 AND (CAST($3 AS INTEGER) = 0 OR d.subscriber_id = $3)
		AND (CAST($4 AS INTEGER) = 0 OR d.state = $4) AND (CAST($5 AS INTEGER) = 0 OR d.doubted_at IS NOT NULL)
		AND (CAST($6 AS TEXT) = '' OR s.domain = $6) AND (CAST($7 AS INTEGER) = 0 OR d.code = $7)
		AND (CAST($8 AS INTEGER) = 0 OR d.returned = $8)
		AND (CAST($9 AS INTEGER) = 0 OR EXISTS (SELECT 1 FROM variant_articles va WHERE va.variant_id = d.variant_id AND va.article_id = $9))
		ORDER BY d.subscriber_id LIMIT $10`,
		f.EditionID, f.After, f.SubscriberID, int(f.State), f.Doubted, f.Domain, f.Code, int(f.Returned), f.ArticleID, f.Limit)
	return collect(rows, err, func(rows *sql.Rows) (d newsletter.Delivery, err error) {
		var notBefore, nextTry, expires, updated int64
		var doubted sql.NullInt64
		err = rows.Scan(&d.EditionID, &d.SubscriberID, &d.Email, &d.Name, &d.VariantID, &d.State, &d.Reason, &d.Attempts, &d.Doubts,
			&doubted, &notBefore, &nextTry, &expires, &d.Code, &d.Enhanced, &d.Reply, &d.Relay, &d.Returned, &updated)
		d.DoubtedAt, d.NotBefore, d.NextTry = fromNull(doubted), fromMillis(notBefore), fromMillis(nextTry)
		d.ExpiresAt, d.UpdatedAt = fromMillis(expires), fromMillis(updated)
		return d, err
	})
}

// Deliveries returns the rows that EachDelivery goes through.
func (s *Store) Deliveries(ctx context.Context, f newsletter.DeliveryFilter) ([]newsletter.Delivery, error) {
	var list []newsletter.Delivery
	err := s.EachDelivery(ctx, f, func(d newsletter.Delivery) error {
		list = append(list, d)
		return nil
	})
	return list, err
}
