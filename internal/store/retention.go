package store

import (
	"context"
	"fmt"
	"time"
)

// PruneDeliveries removes the rows of editions that finished before a time and whose totals
// are kept, and then the relays' words that no row has any more. It returns how many rows that
// were. It does so in short transactions, and goes on where an earlier call was cut off.
func (s *Store) PruneDeliveries(ctx context.Context, before, now time.Time) (int, error) {
	rows, err := s.read(ctx).query(`SELECT e.id FROM editions e
		WHERE e.totals_at IS NOT NULL AND e.state IN ('sent', 'cancelled', 'expired') AND COALESCE(e.finished_at, e.expires_at) < $1
		AND (EXISTS (SELECT 1 FROM deliveries d WHERE d.edition_id = e.id) OR EXISTS (SELECT 1 FROM plan_parts p WHERE p.edition_id = e.id)) ORDER BY e.id`, millis(before))
	ids, err := collect(rows, err, scanID)
	if err != nil {
		return 0, fmt.Errorf("editions whose rows are old: %w", err)
	}
	total := 0
	for _, id := range ids {
		n, err := s.pruneEdition(ctx, id, now)
		total += n
		if err != nil {
			return total, fmt.Errorf("remove the rows of edition %d: %w", id, err)
		}
	}
	if total > 0 {
		if err := s.pruneReplies(ctx); err != nil {
			return total, fmt.Errorf("remove replies that no delivery has: %w", err)
		}
	}
	return total, nil
}

func (s *Store) pruneEdition(ctx context.Context, id int64, now time.Time) (int, error) {
	// From here on the totals speak for the edition. Staff may just have opened it again.
	var begun int
	err := s.write(ctx, func(t *tx) (err error) {
		begun, err = t.changed(`UPDATE editions SET pruned_at = COALESCE(pruned_at, $1)
			WHERE id = $2 AND totals_at IS NOT NULL AND state IN ('sent', 'cancelled', 'expired')`, millis(now), id)
		return err
	})
	if err != nil || begun == 0 {
		return 0, err
	}
	total := 0
	for {
		var n int
		err := s.write(ctx, func(t *tx) (err error) {
			if err := t.dropCanary(id); err != nil {
				return err
			}
			n, err = t.changed(`DELETE FROM deliveries WHERE edition_id = $1 AND subscriber_id IN (
				SELECT subscriber_id FROM deliveries WHERE edition_id = $1 ORDER BY subscriber_id LIMIT $2)`, id, moveChunk)
			if err == nil && n < moveChunk {
				_, err = t.exec(`DELETE FROM plan_parts WHERE edition_id = $1`, id)
			}
			return err
		})
		total += n
		if err != nil || n < moveChunk {
			return total, err
		}
	}
}

// pruneReplies removes the relays' words that no delivery has any more: they may name people.
func (s *Store) pruneReplies(ctx context.Context) error {
	for after := int64(0); ; {
		rows, err := s.read(ctx).query(`SELECT r.id FROM replies r
			WHERE r.id > $1 AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.reply_id = r.id) ORDER BY r.id LIMIT $2`, after, replyChunk)
		ids, err := collect(rows, err, scanID)
		if err != nil || len(ids) == 0 {
			return err
		}
		after = ids[len(ids)-1]
		err = s.write(ctx, func(t *tx) error {
			for _, id := range ids { // a sender may have used it again meanwhile
				if _, err := t.exec(`DELETE FROM replies WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE reply_id = $1)`, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// replyChunk is how many replies are removed in one transaction.
const replyChunk = 1000
