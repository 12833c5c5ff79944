package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/journal"
	"broadsheet/internal/newsletter"
)

// What must not be undone by a backup is also appended to the journal, on disk before the
// transaction is committed. So a crash between the two, or a COMMIT that fails, leaves an entry
// for something that was not done. The next one says so (journal.Void), and replaying errs on the
// safe side: who left counts as left, and who came back does not.
//
// If the journal cannot be written, what begins to send mail fails: an edition that the journal
// does not know could be sent twice. Everything else goes on, above all leaving: its entries
// are kept in the database, are appended when the journal can be written again, and until then
// it is an alarm.

// Journal is what the store needs of a journal.
type Journal struct {
	File *journal.File
	// Tell is told of a line that was cut off by a crash and is dropped; nil: nobody is.
	Tell func(message string)
}

// UseJournal has everything that is written from now on appended to the journal as well.
func (s *Store) UseJournal(j Journal) { s.writer.journal.Store(&j) }

// noted is an entry that the transaction leaves in the journal.
type noted struct {
	journal.Entry
	needed bool // without it in the journal the write must fail
}

// note leaves an entry in the journal when the transaction is committed.
func (t *tx) note(e journal.Entry, now time.Time) {
	e.At = now
	t.notes = append(t.notes, noted{Entry: e})
}

// noteNeeded is note for what must not be done unless the journal has it.
func (t *tx) noteNeeded(e journal.Entry, now time.Time) {
	e.At = now
	t.notes = append(t.notes, noted{Entry: e, needed: true})
}

// noteReader is note with the keyed hash of the subscriber's address.
func (t *tx) noteReader(e journal.Entry, now time.Time) error {
	if t.journal != nil {
		var key string
		if err := t.row(`SELECT email_key FROM subscribers WHERE id = $1`, e.Subscriber).Scan(&key); err != nil {
			return err
		}
		hash, err := suppressionHash(t, key)
		if err != nil {
			return err
		}
		e.Address = hex.EncodeToString(hash)
	}
	t.note(e, now)
	return nil
}

// appendNeeded writes the journal if one of the notes must be in it for the job to be done.
func (t *tx) appendNeeded() error {
	if t.journal == nil {
		return nil
	}
	for _, n := range t.notes {
		if n.needed {
			return t.appendNotes()
		}
	}
	return nil
}

// appendRest writes the journal before the transaction is committed. Notes that it does not
// take are kept.
func (t *tx) appendRest() error {
	if len(t.notes) == 0 {
		return nil
	}
	err := t.appendNotes()
	if _, failed := errors.AsType[*journal.Error](err); failed {
		return t.keepNotes(err)
	}
	return err
}

// appendNotes appends what was kept before and the notes. The error is a *journal.Error if the
// file does not take them.
func (t *tx) appendNotes() error {
	var position, before int64
	var failed sql.NullInt64
	if err := t.row(`SELECT position, failed_at, appended FROM journal_state`).Scan(&position, &failed, &before); err != nil {
		return err
	}
	if t.journal == nil {
		// The numbers go on, so that a gap in them tells that there was no journal.
		_, err := t.exec(`UPDATE journal_state SET position = $1`, position+int64(len(t.notes)))
		t.notes = nil
		return err
	}
	entries, upTo, err := t.kept(failed.Valid)
	if err != nil {
		return err
	}
	for _, n := range t.notes {
		entries = append(entries, n.Entry)
	}
	if len(entries) == 0 {
		return nil
	}
	id, err := databaseID(t)
	if err != nil {
		return err
	}
	for i := range entries {
		entries[i].Database = id
	}
	appended, err := t.journal.File.Append(entries, position)
	if err != nil {
		return err
	}
	if appended.Dropped > 0 && t.journal.Tell != nil {
		t.journal.Tell(fmt.Sprintf("the last line of the journal %s was cut off, by a crash while it was written; its %d bytes were dropped, and nothing that was acknowledged is lost",
			t.journal.File.Path(), appended.Dropped))
	}
	t.notes = nil
	if appended.Before < before {
		if err := t.journalLost(appended.Before, before, entries[len(entries)-1].At); err != nil {
			return err
		}
	}
	if _, err := t.exec(`DELETE FROM journal_backlog WHERE id <= $1`, upTo); err != nil {
		return err
	}
	// With more kept than are appended at once, it is not over.
	_, err = t.exec(`UPDATE journal_state SET position = $1, appended = $1, failed_at = (SELECT MIN(at) FROM journal_backlog),
		failure = CASE WHEN EXISTS (SELECT 1 FROM journal_backlog) THEN failure ELSE '' END`, appended.Last)
	return err
}

// journalLost has on record that the file lacks what this database put into it: it was moved
// away, or its disk is not mounted.
func (t *tx) journalLost(last, want int64, now time.Time) error {
	if t.journal != nil && t.journal.Tell != nil {
		t.journal.Tell(fmt.Sprintf("the journal %s ends with entry %d, and entry %d was put into it before: it is another file, or was cut short; make a backup, since a restore of an older one would lack what is gone",
			t.journal.File.Path(), last, want))
	}
	_, err := t.exec(`UPDATE journal_state SET lost_at = COALESCE(lost_at, $1), appended = $2`, millis(now), last)
	return err
}

// journalMadeUp has on record that a backup was made after the journal was lost: with it, the
// journal is enough again.
func (s *Store) journalMadeUp(ctx context.Context, lost time.Time) error {
	return s.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE journal_state SET lost_at = NULL WHERE lost_at = $1`, millis(lost))
		return err
	})
}

// keptAtOnce is how many kept entries are appended in one transaction.
const keptAtOnce = 10_000

// kept returns entries that the journal did not take before, and the last one's row.
func (t *tx) kept(failed bool) (entries []journal.Entry, upTo int64, err error) {
	if !failed {
		return nil, 0, nil
	}
	rows, err := t.query(`SELECT id, entry FROM journal_backlog ORDER BY id LIMIT $1`, keptAtOnce)
	entries, err = collect(rows, err, func(rows *sql.Rows) (e journal.Entry, err error) {
		var text string
		if err := rows.Scan(&upTo, &text); err != nil {
			return e, err
		}
		err = json.Unmarshal([]byte(text), &e)
		return e, err
	})
	return entries, upTo, err
}

// keepNotes keeps the notes in the database, because the journal does not take them.
func (t *tx) keepNotes(why error) error {
	var at int64
	for _, n := range t.notes {
		text, err := json.Marshal(n.Entry)
		if err != nil {
			return err
		}
		at = millis(n.At)
		if _, err := t.exec(`INSERT INTO journal_backlog (entry, at) VALUES ($1, $2)`, string(text), at); err != nil {
			return err
		}
	}
	t.notes = nil
	_, err := t.exec(`UPDATE journal_state SET failed_at = COALESCE(failed_at, $1), failure = $2`, at, why.Error())
	return err
}

// FlushJournal appends what the journal could not take before. The error is a *journal.Error
// if it still cannot. A journal that is not there is made; if it was there before, that is on
// record as lost.
func (s *Store) FlushJournal(ctx context.Context, now time.Time) error {
	j := s.writer.journal.Load()
	if j == nil {
		return nil
	}
	for {
		state, err := s.JournalState(ctx)
		if err != nil {
			return err
		}
		if state.FailedAt.IsZero() {
			last, err := j.File.Make()
			if err == nil && last < state.Appended {
				err = s.write(ctx, func(t *tx) error { return t.journalLost(last, state.Appended, now) })
			}
			return err
		}
		if err := s.write(ctx, (*tx).appendNotes); err != nil {
			return err
		}
	}
}

// JournalState returns how the database stands to its journal.
func (s *Store) JournalState(ctx context.Context) (newsletter.JournalState, error) {
	var js newsletter.JournalState
	var failed, restored, lost sql.NullInt64
	err := s.read(ctx).row(`SELECT appended, lost_at, position, failed_at, failure, restored_at, restored_from,
			(SELECT COUNT(*) FROM journal_backlog) FROM journal_state`).
		Scan(&js.Appended, &lost, &js.Position, &failed, &js.Failure, &restored, &js.RestoredFrom, &js.Kept)
	js.FailedAt, js.RestoredAt, js.LostAt = fromNull(failed), fromNull(restored), fromNull(lost)
	if err != nil {
		return js, fmt.Errorf("journal state: %w", err)
	}
	return js, nil
}

// JournalID returns what the journal calls this database.
func (s *Store) JournalID(ctx context.Context) (string, error) { return databaseID(s.read(ctx)) }

// databaseID names the database in the journal. It comes from the permanent key, so that all
// backups have it, and a hash in the journal fits exactly the databases of that id.
func databaseID(q querier) (string, error) {
	var secret []byte
	err := q.row(`SELECT secret FROM keys WHERE purpose = $1 ORDER BY id LIMIT 1`, keySuppression).Scan(&secret)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errors.New("the database has no key for suppressions yet")
	}
	if err != nil {
		return "", err
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("journal\x00"))
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// refuseRestored fails if the database was restored and staff have not confirmed that.
func (t *tx) refuseRestored() error {
	var restored sql.NullInt64
	var js newsletter.JournalState
	if err := t.row(`SELECT restored_at, restored_from FROM journal_state`).Scan(&restored, &js.RestoredFrom); err != nil {
		return err
	}
	js.RestoredAt = fromNull(restored)
	return js.Restored()
}

// NewJournal returns the journal of that name. tell is told of a line that was cut off by a
// crash and is dropped; it may be nil.
func NewJournal(path string, tell func(message string)) Journal {
	return Journal{File: journal.Named(path), Tell: tell}
}
