package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/ownfile"

	"github.com/mattn/go-sqlite3"
)

// backupPages is how many pages are copied before progress is told and cancelling noticed.
const backupPages = 1000

// Backup copies the database to a new file while it is in use, by SQLite's backup API, and
// verifies the copy. The file appears under its name only when it is complete. It is an
// error if the file exists. progress may be nil.
func (s *Store) Backup(ctx context.Context, file string, progress func(done, total int)) error {
	state, err := s.JournalState(ctx) // before the copy: what is lost while it is made, it does not make up for
	if err == nil {
		err = backupFile(ctx, s.path, file, progress)
	}
	if err != nil || state.LostAt.IsZero() {
		return err
	}
	return s.journalMadeUp(ctx, state.LostAt)
}

func backupFile(ctx context.Context, from, to string, progress func(done, total int)) error {
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		return newsletter.Conflictf("%s exists already; give another file name, or remove it first", to)
	}
	part := to + ".part"
	f, err := ownfile.Open(part, from, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return newsletter.NotFoundf("the folder of %s does not exist; make it first", to)
	case err != nil:
		return fmt.Errorf("backup: %w", err)
	}
	defer os.Remove(part) // it is gone when all went well
	if err := copyPages(ctx, from, part, progress); err != nil {
		return errors.Join(fmt.Errorf("backup to %s: %w", to, err), f.Close())
	}
	if err := verify(ctx, part); err != nil {
		return errors.Join(fmt.Errorf("backup to %s: %w", to, err), f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("backup to %s: %w", to, err)
	}
	// A link, unlike a rename, does not replace a file that somebody made meanwhile.
	if err := os.Link(part, to); err != nil {
		if err := os.Rename(part, to); err != nil {
			return fmt.Errorf("backup: %w", err)
		}
	}
	return syncFolder(to)
}

// copyPages copies within one read transaction, so that the copy is of one moment and
// writers, who go on, do not make it start over.
func copyPages(ctx context.Context, from, to string, progress func(done, total int)) error {
	source, err := sql.Open("sqlite3", dsn(from, "_query_only=1"))
	if err != nil {
		return err
	}
	defer source.Close() // only read
	conn, err := source.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() // only read
	// _txlock=immediate does not apply to a BEGIN of our own.
	if _, err := conn.ExecContext(ctx, `BEGIN DEFERRED`); err != nil {
		return err
	}
	var n int
	if err := conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master`).Scan(&n); err != nil {
		return err
	}
	target, err := (&sqlite3.SQLiteDriver{}).Open(fileURI(to))
	if err != nil {
		return err
	}
	defer target.Close() // verified afterwards
	return conn.Raw(func(raw any) error {
		backup, err := target.(*sqlite3.SQLiteConn).Backup("main", raw.(*sqlite3.SQLiteConn), "main")
		if err != nil {
			return err
		}
		for done := false; !done; {
			if err := ctx.Err(); err != nil {
				return errors.Join(err, backup.Finish())
			}
			if done, err = backup.Step(backupPages); err != nil {
				return errors.Join(err, backup.Finish())
			}
			if progress != nil {
				progress(backup.PageCount()-backup.Remaining(), backup.PageCount())
			}
		}
		return backup.Finish()
	})
}

// verify reads the whole copy and checks its structure and references.
func verify(ctx context.Context, file string) error {
	db, err := sql.Open("sqlite3", fileURI(file, "mode=ro", "immutable=1"))
	if err != nil {
		return err
	}
	defer db.Close() // only read
	var result string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&result); err != nil {
		return fmt.Errorf("the copy cannot be read: %w", err)
	}
	if result != "ok" {
		return fmt.Errorf("the copy is damaged, and so perhaps is the database: %s", result)
	}
	var table string
	err = db.QueryRowContext(ctx, `SELECT "table" FROM pragma_foreign_key_check LIMIT 1`).Scan(&table)
	switch {
	case err == nil:
		return fmt.Errorf("a row of %s in the copy, and so in the database, refers to nothing", table)
	case !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("the copy cannot be read: %w", err)
	}
	var versions int
	if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM goose_db_version`).Scan(&versions); err != nil {
		return fmt.Errorf("the copy is not complete: %w", err)
	}
	return nil
}
