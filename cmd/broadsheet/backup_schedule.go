package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"broadsheet/internal/journal"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"
)

// The times of keeping safe.
const (
	journalEvery = 30 * time.Second // between two tries to append what the journal did not take
	backupEvery  = time.Minute      // between two looks whether a backup is due
	backupPause  = 15 * time.Minute // after one that failed
	backupLate   = 2 * time.Hour    // after which a backup that is due and not there is an alarm
)

// clock is a time of the day.
type clock struct{ hour, minute int }

// checkBackups checks the settings of backups.
func (s *Settings) checkBackups(add func(name, format string, args ...any)) {
	s.BackupTimes = nil
	for _, text := range s.BackupAt {
		at, err := time.Parse("15:04", text)
		if err != nil {
			add("BACKUP_AT", "%q is no time of the day, such as 02:30", text)
			continue
		}
		s.BackupTimes = append(s.BackupTimes, clock{at.Hour(), at.Minute()})
	}
	if len(s.BackupTimes) > 24 {
		add("BACKUP_AT", "has to be at most 24 times of the day")
	}
	if k := s.BackupKeep; len(k) != 2 || k[0] < 1 || k[0] > 3650 || k[1] < 0 || k[1] > 520 {
		add("BACKUP_KEEP", "has to be two numbers, of days (1 to 3650) and of weeks (0 to 520), such as 7,4")
	}
}

// backupDue returns the last time at which a backup was due; zero: none was.
func backupDue(times []clock, now time.Time) time.Time {
	var last time.Time
	for _, c := range times {
		for _, day := range []int{0, -1} {
			at := time.Date(now.Year(), now.Month(), now.Day()+day, c.hour, c.minute, 0, 0, now.Location())
			if !at.After(now) && at.After(last) {
				last = at
			}
		}
	}
	return last
}

// backUp makes a backup if one is due. The folder decides that, so that a restart neither
// makes one too many nor leaves one out.
func (s *service) backUp(ctx context.Context) error {
	if s.settings.BackupDir == "" {
		return nil
	}
	now := s.app.now().Local()
	if now.Before(s.backupAgain) {
		return nil
	}
	keep := store.BackupKeep{Daily: s.settings.BackupKeep[0], Weekly: s.settings.BackupKeep[1]}
	made, err := s.store.BackupInto(ctx, s.settings.BackupDir, backupDue(s.settings.BackupTimes, now), keep, now.Location(), now)
	if made != "" {
		s.log.Info("backup made and verified", "file", made)
	}
	if err != nil { // each try reads all of the database
		s.backupAgain = now.Add(backupPause)
	}
	return err
}

// flushJournal appends what the journal could not take before. That it still cannot is told
// as an alarm.
func (s *service) flushJournal(ctx context.Context) error {
	err := s.store.FlushJournal(ctx, s.app.now())
	if _, failed := errors.AsType[*journal.Error](err); failed {
		return nil
	}
	return err
}

// unsafe tells what stands in the way of getting back what the database has: a journal that
// cannot be written, a backup that is not there; and that it was restored.
func (s *services) unsafe(ctx context.Context) ([]newsletter.Alarm, error) {
	state, err := s.store.JournalState(ctx)
	if err != nil {
		return nil, err
	}
	var list []newsletter.Alarm
	if !state.RestoredAt.IsZero() {
		list = append(list, newsletter.Alarm{
			Kind: newsletter.AlarmRestored, Subject: "database", Since: state.RestoredAt,
			What: fmt.Sprintf("the database was restored from %s, and nothing is sent, neither digests nor confirmations", filepath.Base(state.RestoredFrom)),
			Do:   `"broadsheet restore --confirm" shows what would be sent next, and lets it go on`,
		})
	}
	if !state.LostAt.IsZero() && s.settings.Journal != "" {
		list = append(list, newsletter.Alarm{
			Kind: newsletter.AlarmJournal, Subject: "journal lost", Since: state.LostAt,
			What: fmt.Sprintf("the journal %s lacks what was put into it before: it is another file than it was, or was cut short", s.settings.Journal),
			Do:   `look whether its disk is mounted; then make a backup ("broadsheet backup FILE"): a restore of an older one would bring back who left since`,
		})
	}
	return append(append(list, s.journalAlarm(state)...), s.backupAlarm()...), nil
}

// journalAlarm tells that the journal cannot be written.
func (s *services) journalAlarm(state newsletter.JournalState) []newsletter.Alarm {
	a := newsletter.Alarm{
		Kind: newsletter.AlarmJournal, Subject: "journal", Since: state.FailedAt, What: state.Failure,
		Do: "mend it: until then nothing new is sent, and who leaves is on record in the database only",
	}
	switch {
	case s.settings.Journal == "" && state.Kept > 0:
		a.What = fmt.Sprintf("%d entries wait for the journal, and %sJOURNAL is not set any more", state.Kept, settingPrefix)
		a.Do = "set it again"
	case s.settings.Journal == "":
		return nil
	case state.FailedAt.IsZero():
		err := journal.Named(s.settings.Journal).Check()
		if err == nil {
			return nil
		}
		a.What = err.Error()
	}
	return []newsletter.Alarm{a}
}

// backupAlarm tells that a backup is due and not there.
func (s *services) backupAlarm() []newsletter.Alarm {
	if s.settings.BackupDir == "" {
		return nil
	}
	a := newsletter.Alarm{
		Kind: newsletter.AlarmBackup, Subject: "backup",
		Do: `"broadsheet serve" makes them; if it runs, look at the folder and its disk, and at its log`,
	}
	list, err := store.Backups(s.settings.BackupDir)
	if err != nil {
		a.What = fmt.Sprintf("the folder of the backups cannot be read: %v", err)
		return []newsletter.Alarm{a}
	}
	now := s.app.now()
	due := backupDue(s.settings.BackupTimes, now.Local().Add(-backupLate))
	var alarms []newsletter.Alarm
	switch last, ok := store.LastBackup(list, now); {
	case !ok:
		a.What = "there is no backup in " + s.settings.BackupDir
		alarms = append(alarms, a)
	case last.At.Before(due):
		a.Since, a.What = last.At.Local(), "there is no newer backup in "+s.settings.BackupDir
		alarms = append(alarms, a)
	}
	if len(list) > 0 && list[0].FromFuture(now) {
		alarms = append(alarms, newsletter.Alarm{
			Kind: newsletter.AlarmBackup, Subject: "backup from the future",
			What: fmt.Sprintf("%s is dated later than now: the clock was wrong when it was made, or is wrong now", list[0].Path),
			Do:   "set the clock right; then rename the file by the time at which it was made, or remove it",
		})
	}
	return alarms
}
