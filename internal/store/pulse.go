package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"broadsheet/internal/newsletter"
)

// storedCounts is how a pulse keeps what it counted. Its keys are stored: they never change.
type storedCounts struct {
	Planned int            `json:"planned"`
	States  map[string]int `json:"states"`
	Reasons map[string]int `json:"reasons,omitempty"`
	Doubted int            `json:"doubted,omitempty"`
	Codes   map[string]int `json:"codes,omitempty"`
}

// SavePulse keeps the edition's latest pulse, for whoever watches it.
func (s *Store) SavePulse(ctx context.Context, p newsletter.Pulse) error {
	counts := storedCounts{
		Planned: p.Tally.Planned, States: map[string]int{}, Reasons: p.Tally.Reasons, Doubted: p.Tally.Doubted, Codes: p.Codes,
	}
	for state, n := range p.Tally.Counts {
		counts.States[state.String()] = n
	}
	data, err := json.Marshal(counts)
	if err != nil {
		return fmt.Errorf("pulse of edition %d: %w", p.EditionID, err)
	}
	err = s.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO edition_pulses (edition_id, at, connections, rate, counts, relay, next_try)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (edition_id) DO UPDATE SET at = excluded.at, connections = excluded.connections, rate = excluded.rate,
				counts = excluded.counts, relay = excluded.relay, next_try = excluded.next_try`,
			p.EditionID, millis(p.At), p.Connections, p.Rate, string(data), p.Relay, nullMillis(p.NextTry))
		return err
	})
	if err != nil {
		return fmt.Errorf("pulse of edition %d: %w", p.EditionID, err)
	}
	return nil
}

// Pulse returns the edition's latest pulse, however old; ok is false if there never was one.
func (s *Store) Pulse(ctx context.Context, editionID int64) (p newsletter.Pulse, ok bool, err error) {
	var at int64
	var next sql.NullInt64
	var data string
	p.EditionID = editionID
	err = s.read(ctx).row(`SELECT at, connections, rate, counts, relay, next_try FROM edition_pulses WHERE edition_id = $1`, editionID).
		Scan(&at, &p.Connections, &p.Rate, &data, &p.Relay, &next)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	var counts storedCounts
	if err == nil {
		err = json.Unmarshal([]byte(data), &counts)
	}
	p.At, p.NextTry, p.Codes = fromMillis(at), fromNull(next), counts.Codes
	p.Tally = newsletter.Tally{Planned: counts.Planned, Counts: map[newsletter.State]int{}, Reasons: counts.Reasons, Doubted: counts.Doubted}
	for name, n := range counts.States {
		if err == nil {
			var state newsletter.State
			state, err = newsletter.ParseState(name)
			p.Tally.Counts[state] = n
		}
	}
	if err != nil {
		return p, false, fmt.Errorf("pulse of edition %d: %w", editionID, err)
	}
	return p, true, nil
}
