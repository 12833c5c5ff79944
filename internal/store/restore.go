package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"broadsheet/internal/journal"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/ownfile"

	"golang.org/x/sys/unix"
)

// RestoreOptions say what is restored and how.
type RestoreOptions struct {
	File       string // the backup
	Journal    string // the journal to replay; empty: there is none, and what happened since the backup is not known
	Append     string // the journal that the database goes on with; empty: none
	SkipBroken bool   // go on without damaged lines of the journal
	Now        time.Time
}

// Restored is what a restore did.
type Restored struct {
	Aside          string // where the database is that was there before; empty: there was none
	From, To       int64  // versions of the backup, and now
	Position, Last int64  // the journal from here on was replayed, up to here
	Entries        int
	Missing        int64  // entries that the journal does not have
	Broken         []int  // lines that are damaged
	Torn           bool   // the last line was cut off, and left out
	Uncovered      bool   // the backup is from before there were journals
	OldKnown       bool   // the database that was there could be read: it would know more than the journal
	OldUnread      string // why it could not; empty: it could, or there was none, or it was another one

	Left        int // subscriptions that ended
	LeftUnknown int // … of people whom the backup does not know; they are suppressed
	CameBack    int // who had come back, and has not in the backup: their consent is lost
	Suppressed  int
	Lifted      int
	Erased      int
	Editions    int // lost ones whose slots are taken again
	Skipped     int // slots without an edition
	NotBegun    int // lost ones of which nothing was sent: their slots are free
	Closed      int // editions of the backup that are closed, with
	InDoubt     int // so many deliveries in doubt
	Cancelled   int
	GoOn        int // editions of the backup that go on when the restore is confirmed
	Articles    int // that count as had by everybody
	Withdrawn   int
	Mails       int // transactional mails that are not sent any more
	Revoked     int // API tokens
	Void        int // undos and lifts that do not count, since nobody knows that they were committed
}

// Restore puts a backup in place of the database, brought to this program's version and to
// what the journal says that happened since. The database that was there is kept beside it.
// Nothing is sent from the restored one until ConfirmRestore.
//
// It is a Conflict if any program has the database open. If it fails, or is killed, the
// database is as it was.
func Restore(ctx context.Context, path string, o RestoreOptions) (Restored, error) {
	unlock, err := lockForRestore(ctx, path)
	if err != nil {
		return Restored{}, err
	}
	defer unlock()
	r := &replayer{now: o.Now, replaces: path}
	if r.result.From, err = checkBackup(ctx, path, o.File); err != nil {
		return r.result, err
	}
	folder := path + restoringSuffix
	if err := os.RemoveAll(folder); err != nil {
		return r.result, fmt.Errorf("restore: %w", err)
	}
	if err := ownfile.MkdirAll(folder, path, 0o700); err != nil {
		return r.result, folderError(path, err)
	}
	defer os.RemoveAll(folder) // what is left of it harms nobody
	fresh := filepath.Join(folder, "database")
	if err := copyFile(o.File, fresh, path); err != nil {
		return r.result, fmt.Errorf("copy %s: %w", o.File, err)
	}
	if err := verify(ctx, fresh); err != nil {
		return r.result, fmt.Errorf("%s: %w", o.File, err)
	}
	if err := applyMigrations(ctx, fresh); err != nil {
		return r.result, err
	}
	if err := r.prepare(ctx, fresh, o); err != nil {
		return r.result, err
	}
	if r.result.Aside, err = swap(ctx, path, fresh, o.Now); err != nil {
		return r.result, fmt.Errorf("put the backup in place: %w", err)
	}
	return r.result, nil
}

// lockForRestore makes sure that nobody has the database open, nor opens it.
func lockForRestore(ctx context.Context, path string) (unlock func(), err error) {
	migrating, err := lockFile(ctx, path+".migrate.lock", path)
	if err != nil {
		return nil, err
	}
	open, err := tryLock(path+openLockSuffix, path, unix.LOCK_EX)
	if open != nil {
		return func() { _ = errors.Join(open.Close(), migrating.Close()) }, nil
	}
	if err == nil {
		err = whoHasIt(ctx, path)
	}
	return nil, errors.Join(err, migrating.Close())
}

// whoHasIt says which program has the database open.
func whoHasIt(ctx context.Context, path string) error {
	s := &Store{path: path}
	if runs, err := s.ServiceRuns(ctx); err == nil && runs {
		return newsletter.Conflictf("\"broadsheet serve\" runs on %s; stop it first", path)
	}
	if h, sends, err := s.Sender(); err == nil && sends {
		return newsletter.Conflictf("\"broadsheet %s\" (process %d) sends from %s; stop it first", h.Command, h.PID, path)
	}
	return newsletter.Conflictf("another broadsheet command has %s open; wait until it has ended", path)
}

// checkBackup makes sure that the file is a whole database that this program can read, and
// returns its version.
func checkBackup(ctx context.Context, path, file string) (int64, error) {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, newsletter.NotFoundf("there is no file %s", file)
	case err != nil:
		return 0, fmt.Errorf("restore: %w", err)
	case info.IsDir():
		return 0, newsletter.Conflictf("%s is a folder; name one of the backups in it (\"broadsheet backup list\")", file)
	}
	if present, err := os.Stat(path); err == nil && os.SameFile(info, present) {
		return 0, newsletter.Conflictf("%s is the database itself; name a backup of it", file)
	}
	if log, err := os.Stat(file + "-wal"); err == nil && log.Size() > 0 {
		return 0, newsletter.Conflictf("beside %s there is its log, so it is a database in use and no backup; make one by \"broadsheet backup FILE\"", file)
	}
	v, err := BackupInfo(ctx, file)
	if err != nil {
		return 0, err
	}
	want, err := neededVersion()
	if err == nil && v.Version > want {
		err = newsletter.Conflictf("the backup %s is at version %d, newer than this program, which knows %d; install the newer broadsheet", file, v.Version, want)
	}
	return v.Version, err
}

// prepare replays the journal in the copy, and marks it as restored.
func (r *replayer) prepare(ctx context.Context, fresh string, o RestoreOptions) error {
	s, err := Open(ctx, fresh, ExistingOnly)
	if err != nil {
		return err
	}
	r.Store = s
	err = r.bringUp(ctx, o)
	return errors.Join(err, s.Close(), fold(ctx, fresh))
}

func (r *replayer) bringUp(ctx context.Context, o RestoreOptions) error {
	state, err := r.JournalState(ctx)
	if err != nil {
		return err
	}
	r.result.To, err = neededVersion()
	if err != nil {
		return err
	}
	r.result.Position, r.result.Last = state.Position, state.Position
	summary, err := r.readJournal(ctx, o, state.Position)
	if err != nil {
		return err
	}
	if replay := &r.replay; o.Journal != "" || r.entries > 0 || r.missing > 0 {
		r.result.Void = replay.void
		r.result.Last, r.result.Entries, r.result.Missing = replay.last, replay.entries, replay.missing
		r.result.Broken, r.result.Torn = summary.Broken, summary.Torn
	}
	if err := r.run(ctx); err != nil {
		return fmt.Errorf("replay the journal: %w", err)
	}
	if o.Append != "" {
		r.UseJournal(Journal{File: journal.Named(o.Append)})
	}
	return r.write(ctx, func(t *tx) error {
		t.note(journal.Entry{Kind: journal.Restored, Position: state.Position}, o.Now)
		if _, err := t.exec(`UPDATE journal_state SET position = $1, restored_at = $2, restored_from = $3, lost_at = NULL`,
			r.result.Last, millis(o.Now), o.File); err != nil {
			return err
		}
		return t.deskEvent(o.Now, restoreActor, "database restored", 0, 0, "from "+o.File)
	})
}

// firstJournal is the first version of a database that numbers what goes into the journal.
const firstJournal = 10

// readJournal reads what happened since the backup, and whether that is all of it.
func (r *replayer) readJournal(ctx context.Context, o RestoreOptions, position int64) (journal.Summary, error) {
	id, err := databaseID(r.read(ctx))
	if err != nil {
		return journal.Summary{}, err
	}
	p := replaying{path: o.Journal, skipBroken: o.SkipBroken, database: id, position: position, old: readOld(ctx, r.replaces, id)}
	if p.kept, err = keptIn(r.read(ctx)); err != nil {
		return journal.Summary{}, err
	}
	replay, summary, err := readReplay(p)
	if err != nil {
		return summary, err
	}
	r.result.Uncovered, r.result.OldUnread, r.result.OldKnown = r.result.From < firstJournal, p.old.unread, p.old.same && p.old.unread == ""
	r.replay, r.complete = *replay, o.Journal != "" && replay.missing == 0 && summary.BrokenLines() == 0 && !r.result.Uncovered
	return summary, r.write(ctx, func(t *tx) error { return t.keepOnly(r.waiting) })
}

// keepOnly has exactly these entries wait for the journal.
func (t *tx) keepOnly(entries []journal.Entry) error {
	if _, err := t.exec(`DELETE FROM journal_backlog`); err != nil {
		return err
	}
	for _, e := range entries {
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO journal_backlog (entry, at) VALUES ($1, $2)`, string(text), millis(e.At)); err != nil {
			return err
		}
	}
	_, err := t.exec(`UPDATE journal_state SET failed_at = (SELECT MIN(at) FROM journal_backlog), failure = 'the database was restored'`)
	return err
}

// ConfirmRestore lets a restored database send. It is a Conflict if it was not restored, or
// that was confirmed already.
func (s *Store) ConfirmRestore(ctx context.Context, actor string, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		if err := t.refuseRestored(); err == nil || newsletter.ReasonOf(err) != "restored" {
			return errors.Join(err, newsletter.Conflictf("the database was not restored, or that was confirmed already: there is nothing to confirm"))
		}
		if _, err := t.exec(`UPDATE journal_state SET restored_at = NULL, restored_from = ''`); err != nil {
			return err
		}
		return t.deskEvent(now, actor, "restore confirmed", 0, 0, "")
	})
}

// copyFile copies a file for its owner only, who is that of the database, or of its folder if
// there is none.
func copyFile(from, to, database string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close() // only read
	target, err := ownfile.Open(to, database, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Sync(), target.Close())
}
