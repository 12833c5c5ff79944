package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"
)

// QuickCheck reads the whole database and checks its structure, without what compares indexes
// with their tables. It changes nothing, and works at any version. It returns what is wrong,
// "" if nothing is; the error is that of ctx if it ended before the check did.
func QuickCheck(ctx context.Context, path string) (problem string, err error) {
	db, err := sql.Open("sqlite3", fileURI(path, "mode=ro", "_query_only=1", fmt.Sprintf("_busy_timeout=%d", busyTimeout.Milliseconds())))
	if err != nil {
		return "", fmt.Errorf("open %s: %w", path, err)
	}
	defer db.Close() // only read
	var result string
	err = db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&result)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", openError(path, err)
	case result != "ok":
		return result, nil
	}
	return "", nil
}

// LogSize returns the octets of the write-ahead log beside the database, 0 if there is none.
func (s *Store) LogSize() (int64, error) {
	info, err := os.Stat(s.path + "-wal")
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("log of the database: %w", err)
	}
	return info.Size(), nil
}

// LastEvent returns when the newest thing on record happened, by the clock of who recorded it;
// zero if nothing has.
func (s *Store) LastEvent(ctx context.Context) (time.Time, error) {
	var ms sql.NullInt64
	err := s.read(ctx).row(`
		SELECT MAX(at) FROM (
			SELECT at FROM desk_events WHERE id = (SELECT MAX(id) FROM desk_events)
			UNION ALL
			SELECT at FROM subscription_events WHERE id = (SELECT MAX(id) FROM subscription_events)) AS newest`).Scan(&ms)
	if err != nil {
		return time.Time{}, fmt.Errorf("newest event: %w", err)
	}
	return fromNull(ms), nil
}
