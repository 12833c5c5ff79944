// Package store keeps everything in one SQLite file.
//
// All writing goes through one goroutine that commits in groups (see write); reading goes
// through a pool of short-lived connections that cannot write. A method that returns nil
// has committed, with synchronous=FULL: what it acknowledged survives a power cut.
//
// The SQL keeps to what PostgreSQL understands as well, so that a second engine stays a
// second engine and not a second store.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"broadsheet/internal/newsletter"

	"github.com/mattn/go-sqlite3"
	"golang.org/x/sys/unix"
)

// busyTimeout is how long a statement waits for another process's transaction.
const busyTimeout = 10 * time.Second

// Store is the database. It is safe for concurrent use.
type Store struct {
	path    string
	reader  *sql.DB
	writer  *writer
	offer   offer
	signUps signUps
	lock    *fileLock // says that the database is open; nil: this user cannot say it
}

// Mode says what Open may do to the database.
type Mode int

// The modes of Open.
const (
	// ExistingOnly opens a database that is at this binary's version, and nothing else.
	ExistingOnly Mode = iota
	// CreateIfMissing makes a new database where there is none; an older one is refused.
	CreateIfMissing
	// CreateOrMigrate makes a new database, or brings an older one up after a backup.
	CreateOrMigrate
)

// ParseURL returns the file that a DATABASE_URL such as "sqlite:broadsheet.db" names.
func ParseURL(databaseURL string) (string, error) {
	path, ok := strings.CutPrefix(databaseURL, "sqlite:")
	if !ok || path == "" {
		return "", newsletter.Invalidf("DATABASE_URL", "%q is not a database of this version; write sqlite:FILE, such as sqlite:broadsheet.db", redact(databaseURL))
	}
	if strings.ContainsAny(path, "?#") {
		return "", newsletter.Invalidf("DATABASE_URL", "a file name cannot have ? or #")
	}
	return filepath.Clean(path), nil
}

// redact keeps a password that stands in a URL out of messages.
func redact(raw string) string {
	if u, err := url.Parse(raw); err == nil {
		return u.Redacted()
	}
	return "the value"
}

// Open opens the database file. What it may do to it, mode says; where that is not enough
// the error is a newsletter.Error that says which command to run.
func Open(ctx context.Context, path string, mode Mode) (*Store, error) {
	lock, err := lockOpen(path)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, path, mode)
	if err != nil {
		return nil, errors.Join(err, closeLock(lock))
	}
	s.lock = lock
	return s, nil
}

// lockOpen says that the database is open, so that none is put in its place meanwhile.
func lockOpen(path string) (*fileLock, error) {
	lock, err := tryLock(path+openLockSuffix, path, unix.LOCK_SH)
	_, missing := os.Stat(path + openLockSuffix)
	switch {
	case err != nil && errors.Is(missing, fs.ErrNotExist): // a folder that is not there, or of a user who can only read: what follows tells
		return nil, nil
	case err != nil:
		return nil, err
	case lock == nil:
		return nil, newsletter.Conflictf("the database %s is being restored just now; try again when that is done", path)
	}
	return lock, nil
}

func open(ctx context.Context, path string, mode Mode) (*Store, error) {
	if err := stablePlans(); err != nil {
		return nil, err
	}
	if err := prepare(ctx, path, mode); err != nil {
		return nil, err
	}
	reader, err := sql.Open("sqlite3", dsn(path, "_query_only=1"))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	reader.SetMaxOpenConns(max(4, 2*runtime.NumCPU()))
	reader.SetMaxIdleConns(max(4, 2*runtime.NumCPU())) // to open one takes longer than most reads
	reader.SetConnMaxIdleTime(time.Minute)
	w, err := startWriter(ctx, path)
	if err != nil {
		return nil, errors.Join(err, reader.Close())
	}
	return &Store{path: path, reader: reader, writer: w}, nil
}

// prepare checks the file's version and creates or migrates it where mode allows.
func prepare(ctx context.Context, path string, mode Mode) error {
	_, err := os.Stat(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return fmt.Errorf("database %s: %w", path, err)
	}
	if missing {
		if mode == ExistingOnly {
			if full, err := filepath.Abs(path); err == nil {
				path = full // a relative one is another file in another folder
			}
			return newsletter.NotFoundf("there is no database at %s; set BROADSHEET_DATABASE_URL, or --env-file, to the right one, or make a new one with \"broadsheet init FEED-URL\" or \"broadsheet newsletter create\"", path)
		}
		_, err := Migrate(ctx, path, nil)
		return err
	}
	have, want, err := Versions(ctx, path)
	switch {
	case err != nil:
		return err
	case have > want:
		return tooNew(path, have, want)
	case have < want && mode == CreateOrMigrate, have == 0 && mode == CreateIfMissing:
		_, err := Migrate(ctx, path, nil)
		return err
	case have < want:
		return newsletter.Conflictf("the database %s is at version %d and this program needs %d; run \"broadsheet migrate\" (it makes a backup first), or start \"broadsheet serve\"", path, have, want)
	}
	return nil
}

func tooNew(path string, have, want int64) error {
	return newsletter.Conflictf("the database %s is at version %d, newer than this program, which knows %d; install the newer broadsheet, or go back to the backup that was made before the upgrade", path, have, want)
}

// dsn returns the data source name with the pragmas that every connection must have. They
// stand here because a PRAGMA by Exec reaches one connection of the pool only.
func dsn(path string, extra ...string) string {
	params := append([]string{
		"_foreign_keys=1",
		"_journal_mode=WAL",
		"_synchronous=FULL",
		"_txlock=immediate",
		"_secure_delete=on",
		"_stmt_cache_size=128",
		fmt.Sprintf("_busy_timeout=%d", busyTimeout.Milliseconds()),
	}, extra...)
	return fileURI(path, params...)
}

// fileURI returns the path as SQLite reads it from a URI: a path may have ? and % in it.
func fileURI(path string, params ...string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + strings.Join(params, "&")
}

// Path returns the database file's name.
func (s *Store) Path() string { return s.path }

// Close waits for the writes under way and closes the file.
func (s *Store) Close() error {
	return errors.Join(s.reader.Close(), s.writer.close(), closeLock(s.lock))
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.reader.QueryRowContext(ctx, `SELECT 1`).Scan(&one); err != nil {
		return fmt.Errorf("database %s: %w", s.path, err)
	}
	return nil
}

// millis returns t as the database stores it.
func millis(t time.Time) int64 { return t.UnixMilli() }

// nullMillis returns t as the database stores it, NULL for the zero time.
func nullMillis(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}

// fromMillis reads a stored time, in UTC.
func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// fromNull reads a stored time that may not have happened.
func fromNull(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return fromMillis(ms.Int64)
}

// isUnique reports whether err is a violated UNIQUE or PRIMARY KEY constraint.
func isUnique(err error) bool {
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && (e.ExtendedCode == sqlite3.ErrConstraintUnique || e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey)
}

// isBusy reports whether err says that another process holds the database.
func isBusy(err error) bool {
	e, ok := errors.AsType[sqlite3.Error](err)
	return ok && (e.Code == sqlite3.ErrBusy || e.Code == sqlite3.ErrLocked)
}

// collect reads all rows by scan, closes them, and returns what it read.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close() // rows.Err has what matters
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
