package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"broadsheet/internal/journal"
)

// oldDatabase is what the database that a restore replaces knows and the journal perhaps does
// not. It may be damaged, or gone: then nothing is known.
type oldDatabase struct {
	same     bool            // it is of the same origin as the backup
	position int64           // of the last entry that it has committed
	kept     []journal.Entry // that the journal could not take
	unread   string          // why it could not be read; empty: it was, or there is none
}

// readOld reads the database that is to be replaced, and changes nothing of it but that its log
// may be folded in.
func readOld(ctx context.Context, path, id string) oldDatabase {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return oldDatabase{}
	}
	old, err := tryOld(ctx, path, id)
	if err != nil {
		return oldDatabase{unread: err.Error()}
	}
	return old
}

func tryOld(ctx context.Context, path, id string) (old oldDatabase, err error) {
	db, err := sql.Open("sqlite3", dsn(path, "_query_only=1"))
	if err != nil {
		return old, err
	}
	defer db.Close() // only read
	q := pool{ctx, db}
	have, err := databaseID(q)
	if err != nil || have != id {
		return old, err
	}
	var version int
	if err := q.row(`SELECT COUNT(*) FROM sqlite_master WHERE name = 'journal_state'`).Scan(&version); err != nil || version == 0 {
		return old, err
	}
	if err := q.row(`SELECT position FROM journal_state`).Scan(&old.position); err != nil {
		return old, err
	}
	old.same = true
	old.kept, err = keptIn(q)
	return old, err
}

// keptIn returns the entries that wait in the database for the journal, in their order.
func keptIn(q querier) ([]journal.Entry, error) {
	rows, err := q.query(`SELECT entry FROM journal_backlog ORDER BY id`)
	return collect(rows, err, func(rows *sql.Rows) (e journal.Entry, err error) {
		var text string
		if err := rows.Scan(&text); err != nil {
			return e, err
		}
		if err = json.Unmarshal([]byte(text), &e); err != nil {
			err = fmt.Errorf("an entry that waits for the journal: %w", err)
		}
		return e, err
	})
}

// sameEntry is what tells whether an entry that was kept is in the journal by now.
func sameEntry(e journal.Entry) string {
	slot := ""
	if e.Slot != nil {
		slot = e.Slot.Date + e.Slot.Name
	}
	return fmt.Sprint(e.Kind, e.Subscriber, e.Newsletter, e.Edition, e.Token, e.Address, e.Domain, e.Reason, slot, len(e.Articles), e.At.UnixNano())
}
