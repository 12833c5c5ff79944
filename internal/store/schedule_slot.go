package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// slotChunk is how many readers are moved in one transaction; each has an event as well.
const slotChunk = 5000

// SlotReaders returns how many readers chose the slot: active, paused, or about to confirm.
func (s *Store) SlotReaders(ctx context.Context, newsletterID int64, c newsletter.Cadence, slot string) (int, error) {
	var n int
	err := s.read(ctx).row(`SELECT COUNT(*) FROM subscriptions WHERE newsletter_id = $1 AND cadence = $2 AND slot = $3 AND state <> 'left'`,
		newsletterID, string(c), slotColumn(slot)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("readers of slot %s: %w", newsletter.SlotName(c, slot), err)
	}
	return n, nil
}

// LeaveSlot gives the main slot to some of those who chose a slot that the newsletter does not
// offer, each with an entry in their history, and returns how many: 0 when all have it, or the
// slot is offered. Until then they are planned with the main slot all the same.
func (s *Store) LeaveSlot(ctx context.Context, newsletterID int64, c newsletter.Cadence, slot, actor string, now time.Time) (int, error) {
	moved := 0
	err := s.write(ctx, func(t *tx) error {
		var offered int
		var last sql.NullInt64
		err := t.row(`SELECT COUNT(*) FROM schedules WHERE newsletter_id = $1 AND cadence = $2 AND slot = $3`,
			newsletterID, string(c), slot).Scan(&offered)
		if err != nil || offered > 0 || slotColumn(slot) == "" {
			return err
		}
		if err := t.row(`SELECT MAX(subscriber_id) FROM (SELECT subscriber_id FROM subscriptions
			WHERE newsletter_id = $1 AND cadence = $2 AND slot = $3 ORDER BY subscriber_id LIMIT $4) some`,
			newsletterID, string(c), slot, slotChunk).Scan(&last); err != nil || !last.Valid {
			return err
		}
		if err := t.keepOwed(newsletterID, c, slot, 1, last.Int64); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO subscription_events (subscriber_id, newsletter_id, kind, at, channel, actor, note)
			SELECT subscriber_id, newsletter_id, 'changed', $1, 'staff', $2, $3 FROM subscriptions
			WHERE newsletter_id = $4 AND cadence = $5 AND slot = $6 AND subscriber_id <= $7 AND state <> 'left'`,
			millis(now), actor, "slot: main, was "+slot+", which is not offered any more",
			newsletterID, string(c), slot, last.Int64); err != nil {
			return err
		}
		moved, err = t.changed(`UPDATE subscriptions SET slot = '', updated_at = $1
			WHERE newsletter_id = $2 AND cadence = $3 AND slot = $4 AND subscriber_id <= $5`,
			millis(now), newsletterID, string(c), slot, last.Int64)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("readers of slot %s: %w", newsletter.SlotName(c, slot), err)
	}
	return moved, nil
}

// keepOwed is called before readers of a slot, from one subscriber to another, get another cadence
// or slot: what was owed to them since the last edition before they joined stays owed, although
// the editions of the new slot may have come later.
func (t *tx) keepOwed(newsletterID int64, c newsletter.Cadence, slot string, from, to int64) error {
	query := strings.Replace(keepOwedQuery, "{edition before}", editionBefore, 1)
	_, err := t.exec(query, newsletterID, string(c), fromSlotColumn(slot), newsletter.LookBack.Milliseconds(), slot, from, to)
	return err
}

const keepOwedQuery = `WITH before AS MATERIALIZED (SELECT e.as_of FROM editions e
		WHERE e.newsletter_id = $1 AND e.cadence = $2 AND e.for_slot IN ($3, 'all') AND {edition before})
	UPDATE subscriptions SET owed_since = COALESCE((SELECT MAX(before.as_of) + 1 FROM before
		WHERE before.as_of < COALESCE(subscriptions.owed_since, subscriptions.joined_at)), owed_since, joined_at - $4)
	WHERE newsletter_id = $1 AND cadence = $2 AND slot = $5 AND subscriber_id BETWEEN $6 AND $7`
