package store

import (
	"database/sql"
	"strings"
)

// erasedWords stand where an address stood that was erased.
const erasedWords = "(erased)"

// place is a row with words from elsewhere, in which an address may stand.
type place struct {
	id   int64
	text string
}

func scanPlace(rows *sql.Rows) (p place, err error) {
	err = rows.Scan(&p.id, &p.text)
	return p, err
}

// addressPlaces are the columns, those of the person's own rows aside, in which somebody else's
// words may name an address: relays, other systems' reports, errors. Each is found by the
// address in lower case and as it is written, and set to words without it.
var addressPlaces = [...]struct{ find, set string }{
	{
		`SELECT id, text FROM replies WHERE replace(lower(text), $1, '') <> lower(text) OR replace(text, $2, '') <> text`,
		`UPDATE replies SET text = CASE WHEN EXISTS (SELECT 1 FROM replies o WHERE o.text = $1) THEN $1 || ' #' || CAST(id AS TEXT) ELSE $1 END WHERE id = $2`,
	},
	{
		`SELECT id, diagnostic FROM returns WHERE replace(lower(diagnostic), $1, '') <> lower(diagnostic) OR replace(diagnostic, $2, '') <> diagnostic`,
		`UPDATE returns SET diagnostic = $1 WHERE id = $2`,
	},
	{
		`SELECT id, address FROM returns WHERE lower(address) = $1 OR address = $2`,
		`UPDATE returns SET address = $1 WHERE id = $2`,
	},
	{
		`SELECT id, reason FROM editions WHERE replace(lower(reason), $1, '') <> lower(reason) OR replace(reason, $2, '') <> reason`,
		`UPDATE editions SET reason = $1 WHERE id = $2`,
	},
	{
		`SELECT edition_id, relay FROM edition_pulses WHERE replace(lower(relay), $1, '') <> lower(relay) OR replace(relay, $2, '') <> relay`,
		`UPDATE edition_pulses SET relay = $1 WHERE edition_id = $2`,
	},
	{
		`SELECT edition_id, counts FROM edition_pulses WHERE replace(lower(counts), $1, '') <> lower(counts) OR replace(counts, $2, '') <> counts`,
		`UPDATE edition_pulses SET counts = $1 WHERE edition_id = $2`,
	},
	{
		`SELECT id, text FROM alarms WHERE replace(lower(text), $1, '') <> lower(text) OR replace(text, $2, '') <> text`,
		`UPDATE alarms SET text = $1 WHERE id = $2`,
	},
	{
		`SELECT id, detail FROM desk_events WHERE replace(lower(detail), $1, '') <> lower(detail) OR replace(detail, $2, '') <> detail`,
		`UPDATE desk_events SET detail = $1 WHERE id = $2`,
	},
	{
		`SELECT id, note FROM subscription_events WHERE replace(lower(note), $1, '') <> lower(note) OR replace(note, $2, '') <> note`,
		`UPDATE subscription_events SET note = $1 WHERE id = $2`,
	},
	{
		`SELECT id, note FROM suppressions WHERE replace(lower(note), $1, '') <> lower(note) OR replace(note, $2, '') <> note`,
		`UPDATE suppressions SET note = $1 WHERE id = $2`,
	},
	{
		`SELECT id, note FROM suppression_events WHERE replace(lower(note), $1, '') <> lower(note) OR replace(note, $2, '') <> note`,
		`UPDATE suppression_events SET note = $1 WHERE id = $2`,
	},
	{
		`SELECT edition_id, example FROM edition_totals WHERE replace(lower(example), $1, '') <> lower(example) OR replace(example, $2, '') <> example`,
		`UPDATE edition_totals SET example = $1 WHERE edition_id = $2 AND example = $3`,
	},
}

// repliesPlace is the index of the replies in addressPlaces, totalsPlace that of the totals.
const (
	repliesPlace = 0
	totalsPlace  = len(addressPlaces) - 1
)

// findAddress returns the rows that name the address, by the index of addressPlaces. It reads
// each table as a whole.
func findAddress(q querier, email string) (map[int][]place, error) {
	found := map[int][]place{}
	for i, p := range addressPlaces {
		rows, err := q.query(p.find, strings.ToLower(email), email)
		list, err := collect(rows, err, scanPlace)
		if err != nil {
			return nil, err
		}
		if len(list) > 0 {
			found[i] = list
		}
	}
	return found, nil
}

// scrub takes the address out of the rows.
func (t *tx) scrub(found map[int][]place, email string) error {
	for i, list := range found {
		for _, p := range list {
			text := withoutAddress(p.text, email)
			if text == p.text {
				continue
			}
			args := []any{text, p.id}
			if i == totalsPlace {
				args = append(args, p.text)
			}
			if _, err := t.exec(addressPlaces[i].set, args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// withoutAddress takes an address out of words, however it is cased.
func withoutAddress(text, email string) string {
	text = strings.ReplaceAll(text, email, erasedWords)
	lower, key := strings.ToLower(text), strings.ToLower(email)
	if len(lower) != len(text) || !strings.Contains(lower, key) { // of other lengths the places differ
		return strings.ReplaceAll(text, key, erasedWords)
	}
	var b strings.Builder
	for {
		i := strings.Index(lower, key)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i] + erasedWords)
		text, lower = text[i+len(key):], lower[i+len(key):]
	}
}
