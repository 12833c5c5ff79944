package store

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// CountDoubts returns how many deliveries in doubt the filter chooses.
func (s *Store) CountDoubts(ctx context.Context, f newsletter.ResolveFilter) (n int, err error) {
	err = s.read(ctx).row(`SELECT COUNT(*) FROM deliveries WHERE edition_id = $1 AND state = 6
		AND (CAST($2 AS INTEGER) = 0 OR subscriber_id = $2)`, f.EditionID, f.SubscriberID).Scan(&n)
	return n, err
}

// ResolveDoubts settles deliveries in doubt by what staff know, and returns how many. Those to
// be sent once more are deferred, until a time, and their edition is opened again; that is
// refused with the reason cancelled or rows_gone where nothing can be tried again.
func (s *Store) ResolveDoubts(ctx context.Context, f newsletter.ResolveFilter, as newsletter.Settlement, expires time.Time, actor string, now time.Time) (int, error) {
	if to := as.State(); !newsletter.CanMove(newsletter.InDoubt, to) {
		return 0, fmt.Errorf("a delivery in doubt cannot be settled as %s", as)
	}
	total := 0
	pick := rowPick{editionID: f.EditionID, subscriberID: f.SubscriberID, states: [2]newsletter.State{newsletter.InDoubt, newsletter.InDoubt}}
	err := s.each(ctx, pick, func(t *tx, first, last int64) error {
		n, err := t.resolve(f, first, last, as, expires, now)
		if err != nil {
			return err
		}
		total += n
		detail := fmt.Sprintf("%d as %s", n, as)
		if f.SubscriberID != 0 {
			detail += fmt.Sprintf(", subscriber %d", f.SubscriberID)
		}
		return t.ledgerEvent(f.EditionID, "doubts resolved", detail, actor, now)
	})
	if err != nil {
		return total, fmt.Errorf("resolve doubts of edition %d: %w", f.EditionID, err)
	}
	return total, nil
}

func (t *tx) resolve(f newsletter.ResolveFilter, first, last int64, as newsletter.Settlement, expires, now time.Time) (int, error) {
	if as == newsletter.Resend {
		if err := t.reopen(f.EditionID, expires, now); err != nil {
			return 0, err
		}
		return t.changed(`UPDATE deliveries SET state = 5, doubts = doubts + 1, next_try = $1,
				expires_at = CASE WHEN expires_at < $2 THEN $2 ELSE expires_at END, updated_at = $1
			WHERE edition_id = $3 AND subscriber_id BETWEEN $4 AND $5 AND state = 6 AND (CAST($6 AS INTEGER) = 0 OR subscriber_id = $6)`,
			millis(now), millis(expires), f.EditionID, first, last, f.SubscriberID)
	}
	if err := t.dropTotals(f.EditionID); err != nil {
		return 0, err
	}
	words := "staff say that it " + map[newsletter.Settlement]string{newsletter.Arrived: "arrived", newsletter.NotArrived: "did not arrive"}[as]
	reply, err := t.intern(`SELECT id FROM replies WHERE text = $1`, `INSERT INTO replies (text) VALUES ($1) RETURNING id`, words)
	if err != nil {
		return 0, err
	}
	return t.changed(`UPDATE deliveries SET state = $1, code = NULL, enhanced = NULL, reply_id = $2, updated_at = $3
		WHERE edition_id = $4 AND subscriber_id BETWEEN $5 AND $6 AND state = 6 AND (CAST($7 AS INTEGER) = 0 OR subscriber_id = $7)`,
		int(as.State()), reply, millis(now), f.EditionID, first, last, f.SubscriberID)
}
