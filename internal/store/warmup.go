package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// BegunOn returns how many messages of an edition with a warm-up were begun on now's day.
func (s *Store) BegunOn(ctx context.Context, editionID int64, now time.Time) (int, error) {
	var begun int
	err := s.read(ctx).row(`SELECT begun FROM warm_up_days WHERE edition_id = $1 AND day = $2`, editionID, warmUpDay(now)).Scan(&begun)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("warm-up of edition %d: %w", editionID, err)
	}
	return begun, nil
}

// countWarmUp counts messages that are begun, if the edition has a warm-up.
func (t *tx) countWarmUp(edition int64, warmUp string, n int, now time.Time) error {
	if warmUp == "" {
		return nil
	}
	_, err := t.exec(`INSERT INTO warm_up_days (edition_id, day, begun) VALUES ($1, $2, $3)
		ON CONFLICT (edition_id, day) DO UPDATE SET begun = warm_up_days.begun + excluded.begun`, edition, warmUpDay(now), n)
	return err
}

// uncountWarmUp takes back that a message was begun: it was not the row's fault that it went
// nowhere.
func (t *tx) uncountWarmUp(edition int64, now time.Time) error {
	_, err := t.exec(`UPDATE warm_up_days SET begun = begun - 1 WHERE edition_id = $1 AND day = $2 AND begun > 0`, edition, warmUpDay(now))
	return err
}

func warmUpDay(now time.Time) int64 { return millis(now.UTC().Truncate(24 * time.Hour)) }
