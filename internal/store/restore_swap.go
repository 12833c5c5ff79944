package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// openLockSuffix is the lock that everybody shares who has the database open.
const openLockSuffix = ".open.lock"

// restoringSuffix is the folder in which a restore works.
const restoringSuffix = ".restoring"

// fold moves what is in the log into the file, and removes the log, so that the file alone is
// the database. Nobody else may have it open.
func fold(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite3", fileURI(path, fmt.Sprintf("_busy_timeout=%d", busyTimeout.Milliseconds()), "_synchronous=FULL"))
	if err != nil {
		return err
	}
	defer db.Close() // nothing is written after this
	db.SetMaxOpenConns(1)
	var mode string
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode = DELETE`).Scan(&mode); err != nil {
		return fmt.Errorf("close %s: %w", path, err)
	}
	if mode != "delete" {
		return fmt.Errorf("close %s: its log stays open (%s)", path, mode)
	}
	return nil
}

// swap puts the fresh file in place of the database, and returns under which name the old one
// stays. There is a database under its name at every instant: otherwise a service that starts
// just then would make an empty one.
func swap(ctx context.Context, path, fresh string, now time.Time) (aside string, err error) {
	if err := syncFile(fresh); err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err == nil {
		aside = path + ".before-restore-" + now.UTC().Format("20060102T150405.000") + ".bak"
		// One that is damaged may not let itself be closed; then its log goes aside with it.
		_ = fold(ctx, path)
		if err := os.Link(path, aside); err != nil {
			return "", err
		}
		for _, suffix := range []string{"-wal", "-shm"} {
			if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return aside, err
			}
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := os.Rename(fresh, path); err != nil {
		return aside, err
	}
	return aside, syncFolder(path)
}

// SetAside returns the databases beside this one that a restore or an upgrade has left there.
// Nothing removes them: who was erased since is still in them.
func SetAside(path string) ([]string, error) { return filepath.Glob(globQuote(path) + ".before-*.bak") }

// globQuote returns a name as a pattern that matches it alone.
func globQuote(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

// RemoveLeftovers removes what a restore that was killed left behind: a whole list of readers.
// None runs now, since it would have the lock that an open database shares.
func (s *Store) RemoveLeftovers() error { return os.RemoveAll(s.path + restoringSuffix) }

func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
