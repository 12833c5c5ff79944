package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// schedules returns when the newsletter's slots are due: daily, weekly, immediate, each with its
// main slot first.
func schedules(q querier, newsletterID int64) ([]newsletter.Schedule, error) {
	rows, err := q.query(`SELECT cadence, slot, rule, set_at FROM schedules WHERE newsletter_id = $1
		ORDER BY CASE cadence WHEN 'immediate' THEN 1 ELSE 0 END, cadence, CASE slot WHEN 'main' THEN 0 ELSE 1 END, slot`, newsletterID)
	return collect(rows, err, func(rows *sql.Rows) (newsletter.Schedule, error) {
		var sch newsletter.Schedule
		var rule string
		var setAt int64
		if err := rows.Scan(&sch.Cadence, &sch.Slot, &rule, &setAt); err != nil {
			return sch, err
		}
		sch.SetAt = fromMillis(setAt)
		var err error
		if sch.Rule, err = newsletter.ParseRule(rule); err != nil {
			return sch, fmt.Errorf("stored rule of newsletter %d: %w", newsletterID, err)
		}
		return sch, nil
	})
}

// saveSchedules makes the newsletter's schedules these and no others.
func (t *tx) saveSchedules(newsletterID int64, list []newsletter.Schedule) error {
	if _, err := t.exec(`DELETE FROM schedules WHERE newsletter_id = $1`, newsletterID); err != nil {
		return err
	}
	for _, sch := range list {
		_, err := t.exec(`INSERT INTO schedules (newsletter_id, cadence, slot, rule, set_at) VALUES ($1, $2, $3, $4, $5)`,
			newsletterID, string(sch.Cadence), sch.Slot, sch.Rule.String(), millis(sch.SetAt))
		if err != nil {
			return fmt.Errorf("schedule %s: %w", sch.Name(), err)
		}
	}
	return nil
}

// TakenSlots returns the dates, from that of the key on, on which its slot has an edition, be it one
// that was skipped.
func (s *Store) TakenSlots(ctx context.Context, from newsletter.SlotKey) (map[newsletter.Date]bool, error) {
	taken := map[newsletter.Date]bool{}
	rows, err := s.read(ctx).query(`SELECT local_date FROM editions
		WHERE newsletter_id = $1 AND cadence = $2 AND local_date >= $3 AND slot = $4`,
		from.NewsletterID, string(from.Cadence), from.Date.String(), from.Slot)
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var text string
		if err := rows.Scan(&text); err != nil {
			return struct{}{}, err
		}
		date, err := newsletter.ParseDate(text)
		taken[date] = true
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("slots of newsletter %d since %s: %w", from.NewsletterID, from.Date, err)
	}
	return taken, nil
}

// SlotsOf returns the newsletter's editions of a date, those that were skipped included.
func (s *Store) SlotsOf(ctx context.Context, newsletterID int64, date newsletter.Date) ([]newsletter.Edition, error) {
	rows, err := s.read(ctx).query(`SELECT `+editionColumns+`
		FROM editions e JOIN newsletters n ON n.id = e.newsletter_id
		WHERE e.newsletter_id = $1 AND e.local_date = $2 ORDER BY e.id`, newsletterID, date.String())
	list, err := collect(rows, err, scanEditionRow)
	if err != nil {
		return nil, fmt.Errorf("slots of newsletter %d on %s: %w", newsletterID, date, err)
	}
	return list, nil
}

// UnskipDate frees the slots of the key's date that staff skipped and that are not due yet, only
// one of them if the key names it, and returns how many.
func (s *Store) UnskipDate(ctx context.Context, key newsletter.SlotKey, actor string, now time.Time) (int, error) {
	var n int
	err := s.write(ctx, func(t *tx) (err error) {
		n, err = t.changed(`DELETE FROM editions WHERE newsletter_id = $1 AND local_date = $2
			AND (CAST($3 AS TEXT) = '' OR cadence = $3 AND slot = $4)
			AND state = 'skipped' AND reason = 'staff' AND due_at > $5`,
			key.NewsletterID, key.Date.String(), string(key.Cadence), key.Slot, millis(now))
		if err != nil || n == 0 {
			return err
		}
		t.noteUnskipped(key, now)
		return t.deskEvent(now, actor, "skip undone", key.NewsletterID, 0, strings.TrimSuffix(key.Date.String()+", "+string(key.Cadence)+" "+key.Slot, ",  "))
	})
	if err != nil {
		return 0, fmt.Errorf("undo the skip of newsletter %d on %s: %w", key.NewsletterID, key.Date, err)
	}
	return n, nil
}
