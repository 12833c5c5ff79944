package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// TakeOver settles what an earlier sender left behind. It may only be called by who has just
// taken the sender role: then nobody else is sending, so every delivery in state sending is
// in doubt. Where the edition's policy is to resend, it goes on to deferred at once. It
// returns how many were found.
func (s *Store) TakeOver(ctx context.Context, now time.Time) (int, error) {
	var found int
	err := s.write(ctx, func(t *tx) error {
		doubted, err := t.changed(`UPDATE deliveries SET state = 6, attempts = attempts + 1, doubted_at = $1, updated_at = $1 WHERE state = 2`, millis(now))
		if err != nil {
			return err
		}
		found = doubted
		_, err = t.exec(`UPDATE deliveries SET state = 5, doubts = doubts + 1, next_try = $1
			WHERE state = 6 AND doubts < $2 AND edition_id IN (SELECT id FROM editions WHERE on_doubt = 'resend' AND state NOT IN ('cancelled', 'expired'))`,
			millis(now), newsletter.MaxDoubts)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("take over the sender role: %w", err)
	}
	return found, nil
}

// WaitingDeliveries returns the edition's next deliveries that wait for their first try, after
// the given subscriber, as far as sending needs them.
func (s *Store) WaitingDeliveries(ctx context.Context, editionID, after int64, limit int) ([]newsletter.Delivery, error) {
	rows, err := s.read(ctx).query(`SELECT `+pendingColumns+`
		FROM deliveries d LEFT JOIN subscribers s ON s.id = d.subscriber_id
		WHERE d.edition_id = $1 AND d.subscriber_id > $2 AND d.state = 1 ORDER BY d.subscriber_id LIMIT $3`, editionID, after, limit)
	return collect(rows, err, scanPending)
}

// DueDeliveries returns deferred deliveries of the edition that are due, as far as sending
// needs them. One whose next try is after latest counts as due too: no back-off is that long,
// so the clock was wrong when it was set.
func (s *Store) DueDeliveries(ctx context.Context, editionID int64, now, latest time.Time, limit int) ([]newsletter.Delivery, error) {
	rows, err := s.read(ctx).query(`SELECT `+pendingColumns+`
		FROM deliveries d LEFT JOIN subscribers s ON s.id = d.subscriber_id
		WHERE d.edition_id = $1 AND d.state = 5 AND (d.next_try <= $2 OR d.next_try > $3) ORDER BY d.next_try LIMIT $4`,
		editionID, millis(now), millis(latest), limit)
	return collect(rows, err, scanPending)
}

const pendingColumns = `d.edition_id, d.subscriber_id, COALESCE(s.email, ''), COALESCE(s.email_key, ''), COALESCE(s.name, ''),
	d.variant_id, d.state, d.attempts, d.not_before, d.expires_at`

func scanPending(rows *sql.Rows) (d newsletter.Delivery, err error) {
	var notBefore, expires int64
	err = rows.Scan(&d.EditionID, &d.SubscriberID, &d.Email, &d.EmailKey, &d.Name, &d.VariantID, &d.State, &d.Attempts, &notBefore, &expires)
	d.NotBefore, d.ExpiresAt = fromMillis(notBefore), fromMillis(expires)
	return d, err
}

// NextTry returns when the edition's next deferred delivery is due; zero if there is none.
func (s *Store) NextTry(ctx context.Context, editionID int64) (time.Time, error) {
	var next sql.NullInt64
	err := s.read(ctx).row(`SELECT MIN(next_try) FROM deliveries WHERE edition_id = $1 AND state = 5`, editionID).Scan(&next)
	return fromNull(next), err
}

// expireChunk is how many deliveries one transaction expires: a long one blocks everybody.
const expireChunk = 5000

// ExpireDeliveries gives up those that could not be delivered in time, and returns how many.
func (s *Store) ExpireDeliveries(ctx context.Context, editionID int64, now time.Time) (int, error) {
	total := 0
	for {
		var n int
		err := s.write(ctx, func(t *tx) (err error) {
			n, err = t.changed(`UPDATE deliveries SET state = 7, updated_at = $1 WHERE edition_id = $2 AND subscriber_id IN (
				SELECT subscriber_id FROM deliveries WHERE edition_id = $2 AND state IN (1, 5) AND expires_at <= $1 LIMIT $3)`,
				millis(now), editionID, expireChunk)
			return err
		})
		total += n
		if err != nil || n < expireChunk {
			return total, err
		}
	}
}

// FinishEdition records that nothing of the edition is left to be tried, after checking the
// ledger's identity in the same transaction. done is false if something is left.
func (s *Store) FinishEdition(ctx context.Context, id int64, now time.Time) (done bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		tally, err := tallyOf(t, id)
		if err != nil {
			return err
		}
		if err := tally.Check(); err != nil {
			return fmt.Errorf("edition %d: %w", id, err)
		}
		if done = tally.Done(); !done {
			return nil
		}
		_, err = t.exec(`UPDATE editions SET state = 'sent', finished_at = $1 WHERE id = $2 AND state IN ('frozen', 'sending') AND planned_at IS NOT NULL`, millis(now), id)
		return err
	})
	return done, err
}

// Tally counts the edition's deliveries by state. The caller decides what an imbalance means.
func (s *Store) Tally(ctx context.Context, editionID int64) (newsletter.Tally, error) {
	return tallyOf(s.read(ctx), editionID)
}

// tallyOf counts in one statement, so that the counts and the number planned are of one moment.
func tallyOf(q querier, editionID int64) (newsletter.Tally, error) {
	tally := newsletter.Tally{Counts: map[newsletter.State]int{}, Reasons: map[string]int{}}
	rows, err := q.query(`SELECT e.planned, COALESCE(d.state, 0), COALESCE(d.reason, ''), COUNT(d.state), SUM(CASE WHEN d.doubted_at IS NULL THEN 0 ELSE 1 END)
		FROM editions e LEFT JOIN deliveries d ON d.edition_id = e.id
		WHERE e.id = $1 GROUP BY e.planned, d.state, d.reason`, editionID)
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var state newsletter.State
		var reason string
		var n, doubted int
		err := rows.Scan(&tally.Planned, &state, &reason, &n, &doubted)
		if n > 0 {
			tally.Counts[state] += n
			tally.Doubted += doubted
		}
		if state == newsletter.Withheld {
			tally.Reasons[reason] += n
		}
		return struct{}{}, err
	})
	if err != nil {
		return tally, fmt.Errorf("tally of edition %d: %w", editionID, err)
	}
	return tally, nil
}
