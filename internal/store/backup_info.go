package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"broadsheet/internal/newsletter"
)

// Backup is what a backup says of itself.
type Backup struct {
	Bytes    int64
	Version  int64
	Position int64 // the number of the last entry of the journal that is in it
}

// BackupInfo reads a backup's version and position. It changes nothing, and does not check
// the backup; VerifyBackup does.
func BackupInfo(ctx context.Context, file string) (Backup, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Backup{}, newsletter.NotFoundf("there is no file %s", file)
	}
	if err != nil {
		return Backup{}, err
	}
	b := Backup{Bytes: info.Size()}
	db, err := sql.Open("sqlite3", fileURI(file, "mode=ro", "immutable=1"))
	if err != nil {
		return b, err
	}
	defer db.Close() // only read
	var tables, state int
	err = db.QueryRowContext(ctx, `SELECT COUNT(*) FILTER (WHERE name = 'goose_db_version'), COUNT(*) FILTER (WHERE name = 'journal_state')
		FROM sqlite_master`).Scan(&tables, &state)
	switch {
	case err != nil:
		return b, newsletter.Conflictf("%s cannot be read as a database (%v)", file, err)
	case tables == 0:
		return b, newsletter.Conflictf("%s is no backup of a Broadsheet database", file)
	}
	err = db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied = 1`).Scan(&b.Version)
	if err == nil && state > 0 { // before there were journals, there was nothing in them
		err = db.QueryRowContext(ctx, `SELECT position FROM journal_state`).Scan(&b.Position)
	}
	if err != nil {
		return b, fmt.Errorf("%s: %w", file, err)
	}
	return b, nil
}

// VerifyBackup reads the whole backup and checks its structure and references.
func VerifyBackup(ctx context.Context, file string) (Backup, error) {
	b, err := BackupInfo(ctx, file)
	if err != nil {
		return b, err
	}
	if err := verify(ctx, file); err != nil {
		return b, newsletter.Conflictf("the backup %s is no good: %v", file, err)
	}
	return b, nil
}
