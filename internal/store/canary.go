package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// canaryRule returns the canary that the newsletter's editions have.
func canaryRule(q querier, newsletterID int64) (newsletter.Canary, error) {
	var word string
	var hold int64
	if err := q.row(`SELECT canary, canary_hold FROM newsletters WHERE id = $1`, newsletterID).Scan(&word, &hold); err != nil {
		return newsletter.Canary{}, err
	}
	share, err := newsletter.ParseCanary(word)
	return newsletter.Canary{Share: share, Hold: time.Duration(hold) * time.Millisecond}, err
}

func (t *tx) saveCanaryRule(newsletterID int64, c newsletter.Canary) error {
	word := ""
	if c.Share > 0 {
		word = c.Word()
	}
	if c.Hold == 0 {
		c.Hold = newsletter.DefaultCanaryHold
	}
	_, err := t.exec(`UPDATE newsletters SET canary = $1, canary_hold = $2 WHERE id = $3`, word, c.Hold.Milliseconds(), newsletterID)
	return err
}

// giveCanary gives an edition that is being frozen its canary, if it has one.
func (t *tx) giveCanary(editionID int64, c newsletter.Canary) error {
	if c.Share == 0 {
		return nil
	}
	_, err := t.exec(`INSERT INTO edition_canaries (edition_id, share, hold) VALUES ($1, $2, $3)`, editionID, millionths(c.Share), c.Hold.Milliseconds())
	return err
}

// Canary returns how far the edition's canary is; ok is false if it has none.
func (s *Store) Canary(ctx context.Context, editionID int64) (c newsletter.CanaryRun, ok bool, err error) {
	return canaryRun(s.read(ctx), editionID)
}

func canaryRun(q querier, editionID int64) (c newsletter.CanaryRun, ok bool, err error) {
	var share, picked, sent, over sql.NullInt64
	var hold int64
	err = q.row(`SELECT share, hold, picked_at, size, sent_at, over_at, stopped FROM edition_canaries WHERE edition_id = $1`, editionID).
		Scan(&share, &hold, &picked, &c.Size, &sent, &over, &c.Stopped)
	if errors.Is(err, sql.ErrNoRows) {
		return c, false, nil
	}
	if err != nil {
		return c, false, fmt.Errorf("canary of edition %d: %w", editionID, err)
	}
	c.Share, c.Hold = fromMillionths(share), time.Duration(hold)*time.Millisecond
	c.PickedAt, c.SentAt, c.OverAt = fromNull(picked), fromNull(sent), fromNull(over)
	return c, true, nil
}

// PickCanary chooses the readers of an edition's canary among those who are to get it, and returns
// how many they are. It goes on where an earlier call was cut off, and changes nothing once they
// are chosen. The edition has to be planned.
func (s *Store) PickCanary(ctx context.Context, editionID int64, has func(subscriberID int64) bool, now time.Time) (size int, err error) {
	for after := int64(0); ; {
		rows, err := s.read(ctx).query(`SELECT subscriber_id FROM deliveries
			WHERE edition_id = $1 AND subscriber_id > $2 AND state = 1 ORDER BY subscriber_id LIMIT $3`, editionID, after, moveChunk)
		ids, err := collect(rows, err, scanID)
		if err != nil {
			return 0, fmt.Errorf("pick the canary of edition %d: %w", editionID, err)
		}
		if len(ids) == 0 {
			break
		}
		if err := s.addCanary(ctx, editionID, ids, has); err != nil {
			return 0, err
		}
		after = ids[len(ids)-1]
	}
	err = s.write(ctx, func(t *tx) error {
		c, ok, err := canaryRun(t, editionID)
		size = c.Size
		if err != nil || !ok || !c.PickedAt.IsZero() {
			return err
		}
		if err := t.row(`SELECT COUNT(*) FROM canary_readers WHERE edition_id = $1`, editionID).Scan(&size); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE edition_canaries SET picked_at = $1, size = $2 WHERE edition_id = $3`, millis(now), size, editionID); err != nil {
			return err
		}
		return t.ledgerEvent(editionID, "canary begun", fmt.Sprintf("%s of the readers, %d", c.Word(), size), "sender", now)
	})
	if err != nil {
		return 0, fmt.Errorf("pick the canary of edition %d: %w", editionID, err)
	}
	return size, nil
}

// addCanary adds those of the readers that are in the sample, while they are being chosen.
func (s *Store) addCanary(ctx context.Context, editionID int64, ids []int64, has func(int64) bool) error {
	var chosen []int64
	for _, id := range ids {
		if has(id) {
			chosen = append(chosen, id)
		}
	}
	if len(chosen) == 0 {
		return nil
	}
	err := s.write(ctx, func(t *tx) error {
		for _, id := range chosen {
			if _, err := t.exec(`INSERT INTO canary_readers (edition_id, subscriber_id)
				SELECT edition_id, $1 FROM edition_canaries WHERE edition_id = $2 AND picked_at IS NULL ON CONFLICT DO NOTHING`, id, editionID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("pick the canary of edition %d: %w", editionID, err)
	}
	return nil
}

// CanaryDeliveries returns deliveries of the edition's canary, of subscribers after one, that wait
// or are deferred and due, as far as sending needs them; see DueDeliveries for latest.
func (s *Store) CanaryDeliveries(ctx context.Context, editionID, after int64, now, latest time.Time, limit int) ([]newsletter.Delivery, error) {
	rows, err := s.read(ctx).query(`SELECT `+pendingColumns+`
		FROM canary_readers c CROSS JOIN deliveries d ON d.edition_id = c.edition_id AND d.subscriber_id = c.subscriber_id
		LEFT JOIN subscribers s ON s.id = d.subscriber_id
		WHERE c.edition_id = $1 AND c.subscriber_id > $2 AND (d.state = 1 OR d.state = 5 AND (d.next_try <= $3 OR d.next_try > $4))
		ORDER BY c.subscriber_id LIMIT $5`, editionID, after, millis(now), millis(latest), limit)
	list, err := collect(rows, err, scanPending)
	if err != nil {
		return nil, fmt.Errorf("canary of edition %d: %w", editionID, err)
	}
	return list, nil
}

// CanaryTally counts what became of the edition's canary.
func (s *Store) CanaryTally(ctx context.Context, editionID int64) (newsletter.CanaryTally, error) {
	t, err := canaryTally(s.read(ctx), editionID)
	if err != nil {
		return t, fmt.Errorf("canary of edition %d: %w", editionID, err)
	}
	return t, nil
}

func canaryTally(q querier, editionID int64) (newsletter.CanaryTally, error) {
	t := newsletter.CanaryTally{Counts: map[newsletter.State]int{}}
	rows, err := q.query(`SELECT d.state, COALESCE(d.returned, 0), COUNT(*), COUNT(*) FILTER (WHERE d.state = 4 AND d.updated_at <
			(SELECT MAX(x.at) FROM desk_events x WHERE x.edition_id = $1 AND x.action = 'edition sending'))
		FROM canary_readers c CROSS JOIN deliveries d ON d.edition_id = c.edition_id AND d.subscriber_id = c.subscriber_id
		WHERE c.edition_id = $1 GROUP BY 1, 2`, editionID)
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var state newsletter.State
		var returned newsletter.Returned
		var n, forgiven int
		err := rows.Scan(&state, &returned, &n, &forgiven)
		t.Counts[state] += n
		t.Forgiven += forgiven
		switch returned {
		case newsletter.Bounced:
			t.Bounced += n
		case newsletter.Complained:
			t.Complained += n
		}
		return struct{}{}, err
	})
	return t, err
}

// CanarySent records that each of the canary was tried, if that is so, and from when on the
// others wait. A delivery that is to be tried again does not hold it up.
func (s *Store) CanarySent(ctx context.Context, editionID int64, now time.Time) (sent bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		sent = false
		tally, err := canaryTally(t, editionID)
		if err != nil || tally.Counts[newsletter.Waiting]+tally.Counts[newsletter.Sending] > 0 {
			return err
		}
		n, err := t.changed(`UPDATE edition_canaries SET sent_at = $1 WHERE edition_id = $2 AND picked_at IS NOT NULL AND sent_at IS NULL`, millis(now), editionID)
		if err != nil || n == 0 {
			return err
		}
		sent = true
		return t.ledgerEvent(editionID, "canary sent", canaryWords(tally), "sender", now)
	})
	if err != nil {
		return false, fmt.Errorf("canary of edition %d: %w", editionID, err)
	}
	return sent, nil
}

func canaryWords(t newsletter.CanaryTally) string {
	return fmt.Sprintf("accepted %d, refused %d, put off %d, in doubt %d, bounced %d, complained %d",
		t.Counts[newsletter.Accepted], t.Counts[newsletter.Refused], t.Counts[newsletter.Deferred], t.Counts[newsletter.InDoubt], t.Bounced, t.Complained)
}

// EndCanary lets the rest of the edition go on; with a reason it pauses the edition instead, and
// the rest goes on when staff resume it. done is false if it was over already, or the edition is
// not open.
func (s *Store) EndCanary(ctx context.Context, editionID int64, stopped string, now time.Time) (done bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		done = false
		n, err := t.changed(`UPDATE edition_canaries SET over_at = $1, stopped = $2 WHERE edition_id = $3 AND over_at IS NULL
			AND EXISTS (SELECT 1 FROM editions e WHERE e.id = edition_canaries.edition_id AND e.state IN ('frozen', 'sending'))`,
			millis(now), stopped, editionID)
		if err != nil || n == 0 {
			return err
		}
		done = true
		tally, err := canaryTally(t, editionID)
		if err != nil {
			return err
		}
		if stopped == "" {
			return t.ledgerEvent(editionID, "canary passed", canaryWords(tally), "sender", now)
		}
		if _, err := t.exec(`UPDATE editions SET state = 'paused', reason = $1 WHERE id = $2`, stopped, editionID); err != nil {
			return err
		}
		return t.ledgerEvent(editionID, "edition "+string(newsletter.EditionPaused), stopped+"; "+canaryWords(tally), "sender", now)
	})
	if err != nil {
		return false, fmt.Errorf("canary of edition %d: %w", editionID, err)
	}
	return done, nil
}

// dropCanary forgets who was in the canary, of the rows that are removed next.
func (t *tx) dropCanary(editionID int64) error {
	_, err := t.exec(`DELETE FROM canary_readers WHERE edition_id = $1 AND subscriber_id IN (
		SELECT subscriber_id FROM canary_readers WHERE edition_id = $1 ORDER BY subscriber_id LIMIT $2)`, editionID, moveChunk)
	return err
}
