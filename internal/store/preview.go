package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// SavePreview keeps what staff looked at, in the place of what they looked at before.
func (s *Store) SavePreview(ctx context.Context, p newsletter.SeenPreview) error {
	err := s.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO previews (newsletter_id, cadence, edition_id, at, hash, subject, snapshot)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (newsletter_id, cadence, edition_id) DO UPDATE SET
				at = excluded.at, hash = excluded.hash, subject = excluded.subject, snapshot = excluded.snapshot`,
			p.NewsletterID, p.Of, p.EditionID, millis(p.At), p.Hash, p.Subject, string(p.Snapshot))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep a preview of newsletter %d: %w", p.NewsletterID, err)
	}
	return nil
}

// LastPreview returns what staff looked at last; ok is false if they have not looked yet.
func (s *Store) LastPreview(ctx context.Context, newsletterID int64, of string, editionID int64) (p newsletter.SeenPreview, ok bool, err error) {
	p = newsletter.SeenPreview{NewsletterID: newsletterID, Of: of, EditionID: editionID}
	var at int64
	err = s.read(ctx).row(`SELECT at, hash, subject, snapshot FROM previews WHERE newsletter_id = $1 AND cadence = $2 AND edition_id = $3`,
		newsletterID, of, editionID).Scan(&at, &p.Hash, &p.Subject, &p.Snapshot)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	p.At = fromMillis(at)
	return p, err == nil, err
}

// HoldSlot notes why the schedule holds a slot, until it is built or given up. Notes of slots that
// nobody asks for any more are removed.
func (s *Store) HoldSlot(ctx context.Context, key newsletter.SlotKey, why string, now time.Time) error {
	err := s.write(ctx, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM held_slots WHERE at < $1`, millis(now.Add(-newsletter.MaxLookBack))); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO held_slots (newsletter_id, cadence, local_date, slot, at, why) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (newsletter_id, cadence, local_date, slot) DO UPDATE SET why = excluded.why`,
			key.NewsletterID, string(key.Cadence), key.Date.String(), key.Slot, millis(now), why)
		return err
	})
	if err != nil {
		return fmt.Errorf("hold a slot of newsletter %d: %w", key.NewsletterID, err)
	}
	return nil
}

// HeldSlot returns why the schedule held the slot when it tried it last; empty: it did not.
func (s *Store) HeldSlot(ctx context.Context, key newsletter.SlotKey) (why string, err error) {
	return heldSlot(s.read(ctx), key)
}

func heldSlot(q querier, key newsletter.SlotKey) (why string, err error) {
	err = q.row(`SELECT why FROM held_slots WHERE newsletter_id = $1 AND cadence = $2 AND local_date = $3 AND slot = $4`,
		key.NewsletterID, string(key.Cadence), key.Date.String(), key.Slot).Scan(&why)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return why, err
}
