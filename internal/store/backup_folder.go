package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/ownfile"

	"golang.org/x/sys/unix"
)

// BackupFile is one of the backups that the schedule makes.
type BackupFile struct {
	Path  string
	At    time.Time // UTC
	Bytes int64
}

// Backups in a folder are called by their time. What is called otherwise is not ours.
const (
	backupPrefix = "broadsheet-"
	backupSuffix = ".db"
	backupTime   = "20060102T150405Z"
)

// Backups returns the backups in a folder, the newest first. A folder that is not there has
// none.
func Backups(folder string) ([]BackupFile, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("backups: %w", err)
	}
	var list []BackupFile
	for _, e := range entries {
		at, ok := backupAt(e.Name(), backupSuffix)
		if !ok || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // somebody has just removed it
		}
		list = append(list, BackupFile{filepath.Join(folder, e.Name()), at, info.Size()})
	}
	slices.SortFunc(list, func(a, b BackupFile) int { return b.At.Compare(a.At) })
	return list, nil
}

// clockSkew is how far ahead of now a backup may be dated.
const clockSkew = time.Hour

// FromFuture reports whether the backup is dated later than now: the clock was wrong when it
// was made, or is wrong now. It says nothing about when the next one is due.
func (b BackupFile) FromFuture(now time.Time) bool { return b.At.After(now.Add(clockSkew)) }

// LastBackup returns the newest of the backups that is not from the future; ok is false if
// there is none.
func LastBackup(list []BackupFile, now time.Time) (last BackupFile, ok bool) {
	for _, b := range list { // the newest first
		if !b.FromFuture(now) {
			return b, true
		}
	}
	return last, false
}

func backupAt(name, suffix string) (time.Time, bool) {
	text, ok := strings.CutPrefix(name, backupPrefix)
	if ok {
		text, ok = strings.CutSuffix(text, suffix)
	}
	at, err := time.Parse(backupTime, text)
	return at, ok && err == nil
}

// BackupKeep is how many backups are kept beside those of the last day.
type BackupKeep struct {
	Daily  int // the last one of each of so many days
	Weekly int // the last one of each of so many weeks
}

// BackupInto makes a backup in the folder, verified, if the last one is older than since, and
// then removes those that are not to be kept. made is empty if there is one already; another
// process may just have made it. The folder is made if there is none.
func (s *Store) BackupInto(ctx context.Context, folder string, since time.Time, keep BackupKeep, zone *time.Location, now time.Time) (made string, err error) {
	if err := ownfile.MkdirAll(folder, s.path, 0o700); err != nil {
		return "", backupFolderError(folder, err)
	}
	lock, err := tryLock(filepath.Join(folder, ".backup.lock"), "", unix.LOCK_EX)
	if err != nil {
		return "", backupFolderError(folder, err)
	}
	if lock == nil {
		return "", nil // another process is at it
	}
	defer lock.Close() // the process's end closes it too
	list, err := Backups(folder)
	if last, ok := LastBackup(list, now); err != nil || ok && !last.At.Before(since) {
		return "", err
	}
	removeParts(folder)
	made = filepath.Join(folder, backupPrefix+now.UTC().Format(backupTime)+backupSuffix)
	if err := s.Backup(ctx, made, nil); err != nil {
		return "", err
	}
	if list, err = Backups(folder); err != nil {
		return made, err
	}
	for _, old := range outdated(list, keep, zone, now) {
		err = errors.Join(err, os.Remove(old.Path))
	}
	if err != nil {
		err = fmt.Errorf("remove old backups: %w", err)
	}
	return made, err
}

func backupFolderError(folder string, err error) error {
	if errors.Is(err, fs.ErrPermission) || newsletter.KindOf(err) == newsletter.Conflict {
		return newsletter.Conflictf("this user (%d) may not write in the folder of the backups, %s", os.Getuid(), folder)
	}
	return fmt.Errorf("the folder of the backups, %s: %w", folder, err)
}

// removeParts removes what a backup left that was killed. The caller has the folder's lock.
func removeParts(folder string) {
	parts, _ := filepath.Glob(filepath.Join(folder, backupPrefix+"*"+backupSuffix+".part"))
	for _, p := range parts {
		if _, ours := backupAt(filepath.Base(p), backupSuffix+".part"); ours {
			_ = os.Remove(p) // the next time, otherwise
		}
	}
}

// outdated returns the backups that are not to be kept: neither of the last day, nor the last
// one of a day or a week that counts. The list has the newest first; that one always stays.
func outdated(list []BackupFile, keep BackupKeep, zone *time.Location, now time.Time) []BackupFile {
	var remove []BackupFile
	days, weeks := map[string]bool{}, map[string]bool{}
	list = slices.DeleteFunc(slices.Clone(list), func(b BackupFile) bool { return b.FromFuture(now) }) // staff decide about those
	for i, b := range list {
		at := b.At.In(zone)
		year, number := at.ISOWeek()
		day, week := at.Format(time.DateOnly), fmt.Sprint(year, "/", number)
		kept := i == 0 || now.Sub(b.At) < 24*time.Hour
		if !days[day] && len(days) < keep.Daily {
			days[day], kept = true, true
		}
		if !weeks[week] && len(weeks) < keep.Weekly {
			weeks[week], kept = true, true
		}
		if !kept {
			remove = append(remove, b)
		}
	}
	return remove
}
