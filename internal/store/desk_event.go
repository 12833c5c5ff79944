package store

import (
	"database/sql"
	"time"
)

// deskEvent appends to the record of what staff and the schedule did. An id of 0 is none.
func (t *tx) deskEvent(now time.Time, actor, action string, newsletterID, editionID int64, detail string) error {
	_, err := t.exec(`INSERT INTO desk_events (at, actor, action, newsletter_id, edition_id, detail) VALUES ($1, $2, $3, $4, $5, $6)`,
		millis(now), actor, action, nullID(newsletterID), nullID(editionID), detail)
	return err
}

// nullID returns an id as the database stores it, NULL for 0.
func nullID(id int64) sql.NullInt64 { return sql.NullInt64{Int64: id, Valid: id != 0} }
