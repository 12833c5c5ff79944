package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// moveChunk is how many rows of a ledger one transaction changes: a long one makes everybody
// wait who wants to write.
const moveChunk = 5000

// moveSpan is how far apart by number the first and the last subscriber of such a transaction
// are at most: it goes through the rows in between too, and those may not be picked.
const moveSpan = 20_000

// MoveEdition changes the edition's state if it is in one of the given ones; otherwise it is
// a Conflict with the reason not_open.
func (s *Store) MoveEdition(ctx context.Context, id int64, from []newsletter.EditionState, to newsletter.EditionState, reason, actor string, now time.Time) error {
	err := s.write(ctx, func(t *tx) error {
		var state newsletter.EditionState
		var newsletterID int64
		if err := t.row(`SELECT state, newsletter_id FROM editions WHERE id = $1`, id).Scan(&state, &newsletterID); err != nil {
			return err
		}
		if !slices.Contains(from, state) {
			return &newsletter.Error{Kind: newsletter.Conflict, Reason: "not_open",
				Message: fmt.Sprintf("edition %d is %s, so it cannot become %s", id, state, to)}
		}
		var started, finished sql.NullInt64
		switch to {
		case newsletter.EditionSending:
			started = nullMillis(now)
		case newsletter.EditionCancelled:
			finished = nullMillis(now)
		default:
		}
		if _, err := t.exec(`UPDATE editions SET state = $1, reason = $2, started_at = COALESCE(started_at, $3), finished_at = COALESCE($4, finished_at) WHERE id = $5`,
			string(to), reason, started, finished, id); err != nil {
			return err
		}
		t.noteMoved(id, to, now)
		return t.deskEvent(now, actor, "edition "+string(to), newsletterID, id, reason)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return noEdition(id)
	}
	return err
}

// rowPick chooses rows of one edition's ledger that are to be moved.
type rowPick struct {
	editionID    int64
	states       [2]newsletter.State
	subscriberID int64 // 0: any
	code         int   // 0: any
	expired      int64 // Unix ms; 0: any; else those whose time is over by then
}

// each lets f change the picked rows, from one subscriber to another, in transactions of at
// most moveChunk of them, over at most moveSpan subscribers. f has to look again at what it
// changes: rows move meanwhile.
func (s *Store) each(ctx context.Context, p rowPick, f func(t *tx, first, last int64) error) error {
	for after := int64(0); ; {
		rows, err := s.read(ctx).query(`SELECT subscriber_id FROM deliveries
			WHERE edition_id = $1 AND subscriber_id > $2 AND state IN ($3, $4)
			AND (CAST($5 AS INTEGER) = 0 OR subscriber_id = $5) AND (CAST($6 AS INTEGER) = 0 OR code = $6)
			AND (CAST($7 AS INTEGER) = 0 OR expires_at <= $7)
			ORDER BY subscriber_id LIMIT $8`,
			p.editionID, after, int(p.states[0]), int(p.states[1]), p.subscriberID, p.code, p.expired, moveChunk)
		ids, err := collect(rows, err, scanID)
		if err != nil || len(ids) == 0 {
			return err
		}
		after = ids[len(ids)-1]
		for rest := ids; len(rest) > 0; {
			n, _ := slices.BinarySearch(rest, rest[0]+moveSpan)
			part := rest[:n]
			rest = rest[n:]
			if err := s.write(ctx, func(t *tx) error { return f(t, part[0], part[n-1]) }); err != nil {
				return err
			}
		}
		if len(ids) < moveChunk {
			return nil
		}
	}
}

func scanID(rows *sql.Rows) (id int64, err error) {
	err = rows.Scan(&id)
	return id, err
}

// WithholdCancelled withholds what of a cancelled edition is still to be tried, and returns
// how many deliveries that were. What is being handed over is not among it; it may come back
// as waiting or deferred, so this is called until nothing is left. What may have arrived, and
// was to be sent once more, is in doubt again and not counted: nobody gets it twice.
func (s *Store) WithholdCancelled(ctx context.Context, editionID int64, now time.Time) (int, error) {
	total := 0
	pick := rowPick{editionID: editionID, states: [2]newsletter.State{newsletter.Waiting, newsletter.Deferred}}
	err := s.each(ctx, pick, func(t *tx, first, last int64) error {
		_, err := t.exec(`UPDATE deliveries SET state = 6, updated_at = $1
			WHERE edition_id = $2 AND subscriber_id BETWEEN $3 AND $4 AND state IN (1, 5) AND doubts > 0
			AND EXISTS (SELECT 1 FROM editions e WHERE e.id = deliveries.edition_id AND e.state = 'cancelled')`,
			millis(now), editionID, first, last)
		if err != nil {
			return err
		}
		n, err := t.changed(`UPDATE deliveries SET state = 8, reason = $1, updated_at = $2
			WHERE edition_id = $3 AND subscriber_id BETWEEN $4 AND $5 AND state IN (1, 5)
			AND EXISTS (SELECT 1 FROM editions e WHERE e.id = deliveries.edition_id AND e.state = 'cancelled')`,
			newsletter.ReasonCancelled, millis(now), editionID, first, last)
		total += n
		return err
	})
	if err != nil {
		return total, fmt.Errorf("withhold the rest of edition %d: %w", editionID, err)
	}
	return total, nil
}

// reopen makes an edition one that is carried out, until a time, because something of its
// ledger is to be tried again, and forgets its totals. It is refused with the reason cancelled
// or rows_gone where that cannot be.
func (t *tx) reopen(id int64, expires, now time.Time) error {
	n, err := t.changed(`UPDATE editions SET state = CASE WHEN state IN ('sent', 'expired') THEN 'sending' ELSE state END, finished_at = NULL,
			expires_at = CASE WHEN expires_at < $1 THEN $1 ELSE expires_at END WHERE id = $2 AND state <> 'cancelled'`, millis(expires), id)
	if err == nil && n == 0 {
		err = newsletter.Cancelled(id)
	}
	if err != nil {
		return err
	}
	t.noteSending(id, now)
	return t.dropTotals(id)
}

// ledgerEvent records what staff did to a part of the edition's ledger.
func (t *tx) ledgerEvent(id int64, action, detail, actor string, now time.Time) error {
	var newsletterID int64
	if err := t.row(`SELECT newsletter_id FROM editions WHERE id = $1`, id).Scan(&newsletterID); err != nil {
		return err
	}
	return t.deskEvent(now, actor, action, newsletterID, id, detail)
}

// LastMoved returns when the edition was last paused; zero if it never was.
func (s *Store) LastMoved(ctx context.Context, editionID int64) (time.Time, error) {
	var at sql.NullInt64
	if err := s.read(ctx).row(`SELECT MAX(at) FROM desk_events WHERE edition_id = $1 AND action = 'edition paused'`, editionID).Scan(&at); err != nil {
		return time.Time{}, fmt.Errorf("when edition %d was paused: %w", editionID, err)
	}
	return fromNull(at), nil
}
