package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"broadsheet/internal/newsletter"
)

// PullBrake pauses the edition, if it is open and was not let go on at such a share before,
// and notes from which share on the brake is pulled again. pulled is false if nothing was done.
func (s *Store) PullBrake(ctx context.Context, id int64, b newsletter.BrakePull, now time.Time) (pulled bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err := t.raiseBrake(id, b)
		if err != nil || n == 0 {
			return err
		}
		pulled = true
		var newsletterID int64
		if err := t.row(`SELECT newsletter_id FROM editions WHERE id = $1`, id).Scan(&newsletterID); err != nil {
			return err
		}
		return t.deskEvent(now, "sender", "edition "+string(newsletter.EditionPaused), newsletterID, id, b.Reason)
	})
	if err != nil {
		return false, fmt.Errorf("pause edition %d: %w", id, err)
	}
	return pulled, nil
}

func (t *tx) raiseBrake(id int64, b newsletter.BrakePull) (int, error) {
	if b.Kind == newsletter.BrakeComplaints {
		return t.changed(`UPDATE editions SET state = 'paused', reason = $1, brake_complaints = $2
			WHERE id = $3 AND state IN ('frozen', 'sending') AND COALESCE(brake_complaints, 0) < $4`, b.Reason, millionths(b.Next), id, millionths(b.Share))
	}
	return t.changed(`UPDATE editions SET state = 'paused', reason = $1, brake_refused = $2
		WHERE id = $3 AND state IN ('frozen', 'sending') AND COALESCE(brake_refused, 0) < $4`, b.Reason, millionths(b.Next), id, millionths(b.Share))
}

// Shares are kept as whole millionths.
func millionths(share float64) int64 { return int64(math.Round(share * 1e6)) }

func fromMillionths(n sql.NullInt64) float64 { return float64(n.Int64) / 1e6 }
