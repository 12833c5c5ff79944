package newsletter

import "time"

// JournalState is how the database stands to its journal.
type JournalState struct {
	Position int64     // the number of the last entry whose change is in the database
	FailedAt time.Time // since when the journal cannot be written; zero: it can
	Failure  string    // why
	Kept     int       // entries that wait to be appended
	Appended int64     // the number of the last entry that this database has put into the file
	LostAt   time.Time // since when the file is known to lack some of those; zero: it has them, or a backup was made since
	// RestoredAt is when the database was put in place of another one. Nothing is sent until
	// staff have confirmed that; then, and if it was not restored, it is zero.
	RestoredAt   time.Time
	RestoredFrom string // the backup's file
}

// Restored returns why nothing is sent, a refusal with the reason restored, or nil.
func (s JournalState) Restored() error {
	if s.RestoredAt.IsZero() {
		return nil
	}
	return Refusef("restored", "the database was restored from %s, and nothing is sent until you have looked: \"broadsheet restore --confirm\" shows what would be sent next, and asks", s.RestoredFrom)
}
