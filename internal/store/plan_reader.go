package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// Barred returns the addresses and whole domains that must not be mailed.
func (s *Store) Barred(ctx context.Context, key newsletter.SuppressionKey) (*newsletter.Barred, error) {
	domains := false
	rows, err := s.read(ctx).query(`SELECT hash, domain <> '' FROM suppressions`)
	hashes, err := collect(rows, err, func(rows *sql.Rows) (hash []byte, err error) {
		var domain bool
		err = rows.Scan(&hash, &domain)
		domains = domains || domain
		return hash, err
	})
	if err != nil {
		return nil, fmt.Errorf("suppressions: %w", err)
	}
	return newsletter.NewBarred(key, hashes, domains), nil
}

// PlanReaders appends the next subscriptions that planning wants to see, up to limit, in order of the
// subscribers' ids.
func (s *Store) PlanReaders(ctx context.Context, readers []newsletter.PlanReader, want newsletter.PlanReaders, after int64, limit int) ([]newsletter.PlanReader, error) {
	query := planReadersQuery
	if want.Barred.Empty() {
		query = planReadersWithoutAddress
	}
	rows, err := s.read(ctx).query(query, millis(want.Now), millis(want.Now.Add(-newsletter.MaxLookBack)), millis(want.Early),
		want.NewsletterID, after, string(want.Cadence), slotColumn(want.Slot), limit)
	if err != nil {
		return nil, fmt.Errorf("readers of newsletter %d: %w", want.NewsletterID, err)
	}
	defer rows.Close() // rows.Err has what matters
	var packed sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&packed); err != nil {
			return nil, fmt.Errorf("readers of newsletter %d: %w", want.NewsletterID, err)
		}
		if readers, err = unpackReaders(readers, packed, after, want.Early, want.Barred); err != nil {
			return nil, fmt.Errorf("readers of newsletter %d after %d: %w", want.NewsletterID, after, err)
		}
	}
	return readers, rows.Err()
}

// To read a million rows one by one takes 0.7 s, most of it between the engine and Go. So they
// come as one text a page, a reader a line: id, "p" or "a" for paused or active ("r", since when, and when the
// pause began, for active again), sections, when they joined (nothing for early, "-" for unknown), and
// the address where it is needed.
const (
	planReadersWithoutAddress = `SELECT string_agg(line, '
') FROM (SELECT u.subscriber_id || CASE WHEN u.state = 'paused' AND (u.paused_until IS NULL OR u.paused_until > $1) THEN 'p'
				WHEN u.paused_until <= $1 AND u.paused_until > $2 THEN 'r' || u.paused_until || ',' || COALESCE(u.paused_at, 0) || ',' ELSE 'a' END
			|| u.sections || CASE WHEN COALESCE(u.owed_since, u.joined_at) <= $3 THEN ',,' ELSE ',' || COALESCE(CAST(COALESCE(u.owed_since, u.joined_at) AS TEXT), '-') || ',' END AS line
		FROM subscriptions u
		WHERE u.newsletter_id = $4 AND u.subscriber_id > $5 AND u.state IN ('active', 'paused') AND u.cadence = $6
			AND (CAST($7 AS TEXT) = 'all' OR u.slot = $7 OR CAST($7 AS TEXT) = '' AND NOT EXISTS (
				SELECT 1 FROM schedules h WHERE h.newsletter_id = u.newsletter_id AND h.cadence = u.cadence AND h.slot = u.slot))
		ORDER BY u.subscriber_id LIMIT $8) readers`
	planReadersQuery = `SELECT string_agg(line, '
') FROM (SELECT u.subscriber_id || CASE WHEN u.state = 'paused' AND (u.paused_until IS NULL OR u.paused_until > $1) THEN 'p'
				WHEN u.paused_until <= $1 AND u.paused_until > $2 THEN 'r' || u.paused_until || ',' || COALESCE(u.paused_at, 0) || ',' ELSE 'a' END
			|| u.sections || CASE WHEN COALESCE(u.owed_since, u.joined_at) <= $3 THEN ',,' ELSE ',' || COALESCE(CAST(COALESCE(u.owed_since, u.joined_at) AS TEXT), '-') || ',' END || s.email_key AS line
		FROM subscriptions u JOIN subscribers s ON s.id = u.subscriber_id
		WHERE u.newsletter_id = $4 AND u.subscriber_id > $5 AND u.state IN ('active', 'paused') AND u.cadence = $6
			AND (CAST($7 AS TEXT) = 'all' OR u.slot = $7 OR CAST($7 AS TEXT) = '' AND NOT EXISTS (
				SELECT 1 FROM schedules h WHERE h.newsletter_id = u.newsletter_id AND h.cadence = u.cadence AND h.slot = u.slot))
		ORDER BY u.subscriber_id LIMIT $8) readers`
)

// slotColumn returns a slot as subscriptions have it: nothing for the main one.
func slotColumn(slot string) string {
	if slot == newsletter.MainSlot {
		return ""
	}
	return slot
}

// fromSlotColumn is the reverse of slotColumn.
func fromSlotColumn(slot string) string {
	if slot == "" {
		return newsletter.MainSlot
	}
	return slot
}

var errReaderLine = errors.New("a line of the readers cannot be read")

// unpackReaders appends the readers of a text of planReadersQuery. Their order is relied on
// everywhere, so it is checked here.
func unpackReaders(readers []newsletter.PlanReader, text []byte, after int64, early time.Time, barred *newsletter.Barred) ([]newsletter.PlanReader, error) {
	for len(text) > 0 {
		r := newsletter.PlanReader{JoinedAt: early}
		var sections int64
		var mark byte
		if r.SubscriberID, mark, text = cutNumber(text); mark != 'a' && mark != 'p' && mark != 'r' || r.SubscriberID <= after {
			return nil, errReaderLine
		}
		after, r.Paused = r.SubscriberID, mark == 'p'
		if mark == 'r' {
			var resumed, paused int64
			if resumed, mark, text = cutNumber(text); mark != ',' {
				return nil, errReaderLine
			}
			if paused, mark, text = cutNumber(text); mark != ',' {
				return nil, errReaderLine
			}
			r.PausedAt, r.ResumedAt = fromMillis(paused), fromMillis(resumed)
		}
		if sections, mark, text = cutNumber(text); mark != ',' {
			return nil, errReaderLine
		}
		r.Sections = newsletter.Mask(sections)
		switch {
		case bytes.HasPrefix(text, []byte(",")):
			text = text[1:]
		case bytes.HasPrefix(text, []byte("-,")):
			r.JoinedAt, text = time.Time{}, text[2:]
		default:
			var joined int64
			if joined, mark, text = cutNumber(text); mark != ',' {
				return nil, errReaderLine
			}
			r.JoinedAt = fromMillis(joined)
		}
		var address []byte
		if address, text, _ = bytes.Cut(text, []byte("\n")); len(address) > 0 {
			r.Suppressed = barred.Has(address)
		}
		readers = append(readers, r)
	}
	return readers, nil
}

// cutNumber returns the number at the beginning of the text, the mark behind it, and the rest.
func cutNumber(text []byte) (n int64, mark byte, rest []byte) {
	i, negative := 0, false
	if len(text) > 0 && text[0] == '-' {
		i, negative = 1, true
	}
	for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		n = n*10 + int64(text[i]-'0')
	}
	if negative {
		n = -n
	}
	if i == len(text) {
		return n, 0, nil
	}
	return n, text[i], text[i+1:]
}
