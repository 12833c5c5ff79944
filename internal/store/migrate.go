package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"broadsheet/internal/ownfile"
	"broadsheet/migrations"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

// Migration is what Migrate did.
type Migration struct {
	From, To int64
	Backup   string // the file of the backup made before; empty for a new database
}

// Versions returns the version that the database is at, 0 if it is empty, and the one that
// this program needs.
func Versions(ctx context.Context, path string) (have, want int64, err error) {
	// A file that is not ours must stay as it is, so no journal mode is set here.
	db, err := sql.Open("sqlite3", fileURI(path, "_query_only=1", fmt.Sprintf("_busy_timeout=%d", busyTimeout.Milliseconds())))
	if err != nil {
		return 0, 0, fmt.Errorf("open %s: %w", path, err)
	}
	defer db.Close() // only read
	want, err = neededVersion()
	if err != nil {
		return 0, 0, err
	}
	var tables int
	err = db.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master WHERE name = 'goose_db_version'`).Scan(&tables)
	if err != nil {
		return 0, 0, openError(path, err)
	}
	if tables == 0 {
		err = db.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master`).Scan(&tables)
		if err == nil && tables > 0 {
			err = fmt.Errorf("%s is a SQLite database, but not Broadsheet's; set BROADSHEET_DATABASE_URL to another file", path)
		}
		return 0, want, err
	}
	err = db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied = 1`).Scan(&have)
	return have, want, err
}

// openError explains the errors that opening a wrong file gives.
func openError(path string, err error) error {
	if e, ok := errors.AsType[sqlite3.Error](err); ok {
		switch e.Code {
		case sqlite3.ErrNotADB:
			return fmt.Errorf("%s is not a SQLite database; set BROADSHEET_DATABASE_URL to the right file", path)
		case sqlite3.ErrCantOpen:
			return fmt.Errorf("%s cannot be opened; does its folder exist, and may this user write there? (%w)", path, err)
		}
	}
	return fmt.Errorf("database %s: %w", path, err)
}

func neededVersion() (int64, error) {
	files, err := fs.ReadDir(migrations.SQLite, "sqlite")
	if err != nil {
		return 0, err
	}
	var version int64
	for _, f := range files {
		v, err := goose.NumericComponent(f.Name())
		if err != nil {
			return 0, err
		}
		version = max(version, v)
	}
	return version, nil
}

// Migrate brings the database to this program's version, or makes a new one. It holds a
// lock, so that two processes that start together do not both do it; an existing database
// is backed up first, beside itself. progress may be nil.
func Migrate(ctx context.Context, path string, progress func(done, total int)) (Migration, error) {
	lock, err := lockFile(ctx, path+".migrate.lock", path)
	if err != nil {
		return Migration{}, err
	}
	defer lock.Close() // the process's end releases it too
	_, err = os.Stat(path)
	isNew := errors.Is(err, fs.ErrNotExist)
	if isNew {
		// Only its owner may read what readers entrusted to us.
		f, err := ownfile.Open(path, "", os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return Migration{}, fmt.Errorf("create the database: %w", err)
		}
		if err := f.Close(); err != nil {
			return Migration{}, fmt.Errorf("create the database: %w", err)
		}
	}
	have, want, err := Versions(ctx, path)
	if err != nil {
		return Migration{}, err
	}
	m := Migration{From: have, To: want}
	switch {
	case have > want:
		return m, tooNew(path, have, want)
	case have == want:
		return m, nil
	case have > 0:
		m.Backup = fmt.Sprintf("%s.before-%d-%s.bak", path, want, time.Now().UTC().Format("20060102T150405.000"))
		if err := backupFile(ctx, path, m.Backup, progress); err != nil {
			return m, fmt.Errorf("backup before migrating: %w", err)
		}
	}
	return m, applyMigrations(ctx, path)
}

func applyMigrations(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite3", dsn(path))
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer db.Close() // the migrations are committed
	db.SetMaxOpenConns(1)
	steps, err := fs.Sub(migrations.SQLite, "sqlite")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, steps, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrate %s: %w", path, err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate %s: %w", path, err)
	}
	return nil
}
