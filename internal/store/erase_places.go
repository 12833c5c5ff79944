package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// place is a row with words from elsewhere that name an address that is to go.
type place struct {
	index int // in addressPlaces
	id    int64
	text  string // as it was found
	clean string
}

// addressPlaces are the columns, those of the person's own rows aside, in which somebody else's
// words may name an address: relays, other systems' reports, errors. Words that have changed
// since they were found are left: they are looked at again (ScrubErased). Long tables are
// narrowed by what an address is written with. own says whether a row is a subscriber's own, so
// that their record has it already; empty: none is.
var addressPlaces = [...]struct{ name, find, set, own string }{
	{
		"reply",
		`SELECT id, text FROM replies WHERE text LIKE '%@%' OR text LIKE '%=%' OR text LIKE '%40%'`,
		`UPDATE replies SET text = CASE WHEN EXISTS (SELECT 1 FROM replies o WHERE o.text = $1) THEN $1 || ' #' || CAST(id AS TEXT) ELSE $1 END WHERE id = $2 AND text = $3`,
		`SELECT COUNT(*) FROM deliveries WHERE subscriber_id = $1 AND edition_id IN (SELECT id FROM editions) AND reply_id = $2`,
	},
	{
		"return",
		`SELECT id, diagnostic FROM returns WHERE diagnostic <> ''`,
		`UPDATE returns SET diagnostic = $1 WHERE id = $2 AND diagnostic = $3`,
		`SELECT COUNT(*) FROM returns WHERE subscriber_id = $1 AND id = $2`,
	},
	{
		"return",
		`SELECT id, address FROM returns WHERE address <> ''`,
		`UPDATE returns SET address = $1 WHERE id = $2 AND address = $3`,
		`SELECT COUNT(*) FROM returns WHERE subscriber_id = $1 AND id = $2`,
	},
	{
		"mail",
		`SELECT id, reply FROM mails WHERE reply <> ''`,
		`UPDATE mails SET reply = $1 WHERE id = $2 AND reply = $3`,
		`SELECT COUNT(*) FROM mails WHERE subscriber_id = $1 AND id = $2`,
	},
	{
		"edition",
		`SELECT id, reason FROM editions WHERE reason <> ''`,
		`UPDATE editions SET reason = $1 WHERE id = $2 AND reason = $3`,
		"",
	},
	{
		"edition",
		`SELECT edition_id, relay FROM edition_pulses WHERE relay <> ''`,
		`UPDATE edition_pulses SET relay = $1 WHERE edition_id = $2 AND relay = $3`,
		"",
	},
	{
		"edition",
		`SELECT edition_id, counts FROM edition_pulses WHERE counts LIKE '%@%'`,
		`UPDATE edition_pulses SET counts = $1 WHERE edition_id = $2 AND counts = $3`,
		"",
	},
	{
		"alarm",
		`SELECT id, text FROM alarms`,
		`UPDATE alarms SET text = $1 WHERE id = $2 AND text = $3`,
		"",
	},
	{
		"approval",
		`SELECT id, reply FROM proof_mails WHERE reply <> ''`,
		`UPDATE proof_mails SET reply = $1 WHERE id = $2 AND reply = $3`,
		"",
	},
	{
		"approval", // the names that people give themselves on the page
		`SELECT edition_id, decided_by FROM edition_approvals WHERE decided_by LIKE '%@%'`,
		`UPDATE edition_approvals SET decided_by = $1 WHERE edition_id = $2 AND decided_by = $3`,
		"",
	},
	{
		"draft",
		`SELECT edition_id, changed_by FROM edition_drafts WHERE changed_by LIKE '%@%'`,
		`UPDATE edition_drafts SET changed_by = $1 WHERE edition_id = $2 AND changed_by = $3`,
		"",
	},
	{
		"desk event",
		`SELECT id, actor FROM desk_events WHERE actor LIKE 'page:%@%'`,
		`UPDATE desk_events SET actor = $1 WHERE id = $2 AND actor = $3`,
		"",
	},
	{
		"desk event",
		`SELECT id, detail FROM desk_events WHERE detail <> ''`,
		`UPDATE desk_events SET detail = $1 WHERE id = $2 AND detail = $3`,
		"",
	},
	{
		"event",
		`SELECT id, note FROM subscription_events WHERE note LIKE '%@%'`,
		`UPDATE subscription_events SET note = $1 WHERE id = $2 AND note = $3`,
		`SELECT COUNT(*) FROM subscription_events WHERE subscriber_id = $1 AND id = $2`,
	},
	{
		"suppression",
		`SELECT id, note FROM suppressions WHERE note LIKE '%@%'`,
		`UPDATE suppressions SET note = $1 WHERE id = $2 AND note = $3`,
		"",
	},
	{
		"suppression event",
		`SELECT id, note FROM suppression_events WHERE note LIKE '%@%'`,
		`UPDATE suppression_events SET note = $1 WHERE id = $2 AND note = $3`,
		"",
	},
	{
		"edition",
		`SELECT edition_id, example FROM edition_totals WHERE example LIKE '%@%' OR example LIKE '%=%' OR example LIKE '%40%'`,
		`UPDATE edition_totals SET example = $1 WHERE edition_id = $2 AND example = $3`,
		"",
	},
}

// repliesPlace is the index of the replies in addressPlaces.
const repliesPlace = 0

// findAddresses returns the rows that name an address that is to go. It reads each table as a
// whole, row by row.
func findAddresses(q querier, gone addressMatch) ([]place, error) {
	var found []place
	for i, p := range addressPlaces {
		list, err := findIn(q, i, p.find, gone)
		if err != nil {
			return nil, err
		}
		found = append(found, list...)
	}
	return found, nil
}

func findIn(q querier, index int, find string, gone addressMatch, args ...any) ([]place, error) {
	rows, err := q.query(find, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // rows.Err has what matters
	var found []place
	for rows.Next() {
		p := place{index: index}
		if err := rows.Scan(&p.id, &p.text); err != nil {
			return nil, err
		}
		if p.clean = withoutAddresses(p.text, gone); p.clean != p.text {
			found = append(found, p)
		}
	}
	return found, rows.Err()
}

// scrub takes the addresses out of the rows, and returns of how many. Words that are not as
// they were found stay.
func (t *tx) scrub(found []place) (total int, err error) {
	for _, p := range found {
		n, err := t.changed(addressPlaces[p.index].set, p.clean, p.id, p.text)
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

// erasedMark begins the names of the marks that say, by the hash of the address, who was erased
// lately: a sender or a watch that was running may have had words with the address in its
// memory, and written them since.
const erasedMark = "erased:"

// keepErasedMarks is for how long it is looked after what comes late.
const keepErasedMarks = 48 * time.Hour

// markErased has it looked again, for two days, for words that name the address.
func (t *tx) markErased(hash []byte, now time.Time) error {
	return t.setMark(erasedMark+hex.EncodeToString(hash), now)
}

// markFold has the database's log folded and emptied; see FoldLog.
func (t *tx) markFold(now time.Time) error { return t.setMark(foldMark, now) }

func (t *tx) setMark(name string, now time.Time) error {
	_, err := t.exec(`INSERT INTO marks (name, at) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET at = excluded.at`, name, millis(now))
	return err
}

// scrubChunk is of how many rows addresses are taken in one transaction.
const scrubChunk = 1000

// ScrubErased takes the addresses of those who were erased in the last two days out of words
// that were written since, and returns of how many rows. It is called after each erasure and
// once an hour.
func (s *Store) ScrubErased(ctx context.Context, now time.Time) (int, error) {
	total, err := s.scrubErased(ctx, now)
	if err != nil {
		return total, fmt.Errorf("look for addresses that were erased: %w", err)
	}
	return total, nil
}

func (s *Store) scrubErased(ctx context.Context, now time.Time) (total int, err error) {
	gone, err := lately(s.read(ctx))
	if err != nil || gone == nil {
		return 0, err
	}
	found, err := findAddresses(s.read(ctx), gone)
	if err != nil {
		return 0, err
	}
	for part := range slices.Chunk(found, scrubChunk) {
		var n int
		err := s.write(ctx, func(t *tx) (err error) {
			if n, err = t.scrub(part); err != nil {
				return err
			}
			return t.markFold(now)
		})
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, s.write(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM marks WHERE name LIKE 'erased:%' AND at < $1`, millis(now.Add(-keepErasedMarks)))
		return err
	})
}

// lately returns what matches the addresses of those who were erased lately; nil if there are
// none.
func lately(q querier) (addressMatch, error) {
	rows, err := q.query(`SELECT name FROM marks WHERE name LIKE 'erased:%'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // rows.Err has what matters
	hashes := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		hash, err := hex.DecodeString(strings.TrimPrefix(name, erasedMark))
		if err != nil {
			return nil, err
		}
		hashes[string(hash)] = true
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || len(hashes) == 0 {
		return nil, err
	}
	key, err := suppressionKey(q)
	if err != nil {
		return nil, err
	}
	hash, goneKeys := key.AddressHasher(), map[string]bool{}
	return func(address string) bool {
		if !hashes[string(hash(address))] {
			return false
		}
		gone, known := goneKeys[address]
		if !known {
			// Who has signed up again is somebody new. If it cannot be told, it is tried in an hour.
			var now int
			err := q.row(`SELECT COUNT(*) FROM subscribers WHERE email_key = $1`, address).Scan(&now)
			gone = err == nil && now == 0
			goneKeys[address] = gone
		}
		return gone
	}, nil
}
