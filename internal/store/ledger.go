package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// TakeOver settles what an earlier sender left behind. It may only be called by who has just
// taken the sender role: then nobody else is sending, so every delivery in state sending is
// in doubt, unless something of it has come back already. Where the edition's policy is to
// resend, it goes on to deferred at once, as far as its edition is not closed and its time not
// over. It returns how many were found.
func (s *Store) TakeOver(ctx context.Context, now time.Time) (int, error) {
	var found int
	err := s.write(ctx, func(t *tx) error {
		if _, err := t.settleProved(now); err != nil {
			return err
		}
		doubted, err := t.changed(`UPDATE deliveries SET state = 6, attempts = attempts + 1, doubted_at = $1, updated_at = $1 WHERE state = 2`, millis(now))
		if err != nil {
			return err
		}
		found = doubted
		_, err = t.exec(`UPDATE deliveries SET state = 5, doubts = doubts + 1, next_try = $1
			WHERE state = 6 AND doubts < $2 AND expires_at > $1 AND COALESCE(code, 0) < 500
			AND edition_id IN (SELECT id FROM editions WHERE on_doubt = 'resend' AND state IN ('frozen', 'sending', 'paused'))`,
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

// ExpireDeliveries gives up those that could not be delivered in time, and returns how many.
// What may have arrived, and was to be sent once more, is in doubt again and not counted.
func (s *Store) ExpireDeliveries(ctx context.Context, editionID int64, now time.Time) (int, error) {
	total := 0
	pick := rowPick{editionID: editionID, states: [2]newsletter.State{newsletter.Waiting, newsletter.Deferred}, expired: millis(now)}
	err := s.each(ctx, pick, func(t *tx, first, last int64) error {
		_, err := t.exec(`UPDATE deliveries SET state = 6, updated_at = $1
			WHERE edition_id = $2 AND subscriber_id BETWEEN $3 AND $4 AND state IN (1, 5) AND doubts > 0 AND expires_at <= $1`,
			millis(now), editionID, first, last)
		if err != nil {
			return err
		}
		n, err := t.changed(`UPDATE deliveries SET state = 7, updated_at = $1
			WHERE edition_id = $2 AND subscriber_id BETWEEN $3 AND $4 AND state IN (1, 5) AND expires_at <= $1`,
			millis(now), editionID, first, last)
		total += n
		return err
	})
	if err != nil {
		return total, fmt.Errorf("expire deliveries of edition %d: %w", editionID, err)
	}
	return total, nil
}

// FinishEdition records that nothing of the edition is left to be tried, after checking the
// ledger's identity. done is false if something is left, in flight too. Anybody may call it.
// It is sent then; or expired, if nobody got it because its time was over. The archive has it
// only if somebody may have got it.
//
// To count a million rows takes a while, in which nobody else could write; so they are counted
// before, and the edition is finished only if its rows have not moved since. Before that the
// addresses that were refused as bad for good are suppressed; see judgeRefusals.
func (s *Store) FinishEdition(ctx context.Context, id int64, now time.Time) (done bool, err error) {
	e, err := s.Edition(ctx, id)
	if err != nil {
		return false, err
	}
	tally, err := s.Tally(ctx, id)
	if err != nil {
		return false, err
	}
	if err := tally.Check(); err != nil {
		return false, fmt.Errorf("edition %d: %w", id, err)
	}
	if !tally.Done() {
		return false, nil
	}
	if !e.State.Open() {
		return false, nil
	}
	if err := s.judgeRefusals(ctx, id); err != nil {
		return false, fmt.Errorf("edition %d: %w", id, err)
	}
	state, archived := newsletter.EditionSent, nullMillis(now)
	if tally.Counts[newsletter.Accepted]+tally.Counts[newsletter.InDoubt] == 0 {
		archived = sql.NullInt64{}
		if tally.Counts[newsletter.Expired] > 0 {
			state = newsletter.EditionExpired
		}
	}
	err = s.write(ctx, func(t *tx) error {
		n, err := t.changed(`UPDATE editions SET state = $1, finished_at = $2, archived_at = COALESCE(archived_at, $3)
			WHERE id = $4 AND state IN ('frozen', 'sending') AND planned_at IS NOT NULL AND moves = $5`,
			string(state), millis(now), archived, id, e.Moves)
		done = n == 1
		return err
	})
	return done, err
}

// Tally counts the edition's deliveries by state. The caller decides what an imbalance means.
func (s *Store) Tally(ctx context.Context, editionID int64) (newsletter.Tally, error) {
	return tallyOf(s.read(ctx), editionID)
}

// tallyOf counts in one pass, without sorting: the counts and the number planned are of one
// moment.
func tallyOf(q querier, editionID int64) (newsletter.Tally, error) {
	tally := newsletter.Tally{Counts: map[newsletter.State]int{}, Reasons: map[string]int{}}
	var n [newsletter.Withheld + 1]int
	err := q.row(`SELECT e.planned, d.n1, d.n2, d.n3, d.n4, d.n5, d.n6, d.n7, d.n8, d.doubted
		FROM editions e JOIN (SELECT COUNT(*) FILTER (WHERE state = 1) AS n1, COUNT(*) FILTER (WHERE state = 2) AS n2,
			COUNT(*) FILTER (WHERE state = 3) AS n3, COUNT(*) FILTER (WHERE state = 4) AS n4, COUNT(*) FILTER (WHERE state = 5) AS n5,
			COUNT(*) FILTER (WHERE state = 6) AS n6, COUNT(*) FILTER (WHERE state = 7) AS n7, COUNT(*) FILTER (WHERE state = 8) AS n8,
			COUNT(doubted_at) AS doubted
			FROM deliveries WHERE edition_id = $1) d ON e.id = $1`, editionID).
		Scan(&tally.Planned, &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8], &tally.Doubted)
	if errors.Is(err, sql.ErrNoRows) {
		return tally, nil
	}
	for state, count := range n {
		if count > 0 {
			tally.Counts[newsletter.State(state)] = count
		}
	}
	if err == nil && tally.Counts[newsletter.Withheld] > 0 {
		err = withheldReasons(q, editionID, tally.Reasons)
	}
	if err != nil {
		return tally, fmt.Errorf("tally of edition %d: %w", editionID, err)
	}
	return tally, nil
}

// withheldReasons counts why deliveries are withheld.
func withheldReasons(q querier, editionID int64, reasons map[string]int) error {
	rows, err := q.query(`SELECT COALESCE(reason, ''), COUNT(*) FROM deliveries WHERE edition_id = $1 AND state = 8 GROUP BY reason`, editionID)
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var reason string
		var n int
		err := rows.Scan(&reason, &n)
		reasons[reason] = n
		return struct{}{}, err
	})
	return err
}
