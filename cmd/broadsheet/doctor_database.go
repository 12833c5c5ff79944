package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/doctor"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"
)

// The limits of what the doctor finds well in the database.
const (
	integrityTime = 20 * time.Second // for reading all of it
	largeLog      = 256 << 20        // octets of a write-ahead log that somebody keeps from being emptied
	clockAhead    = time.Minute      // how far what is on record may be in the future
	slotsShown    = 5
)

// withDatabase makes a check that needs the database. Where it cannot be opened, the check of
// its version says so, and the others nothing.
func (x *examination) withDatabase(f func(*services) ([]doctor.Finding, error)) []doctor.Finding {
	s, err := x.open()
	if err != nil {
		return nil
	}
	found, err := f(s)
	if err != nil {
		found = append(found, doctor.CannotTell("mend what is named, and run it again", "%s", describe(nil, err)))
	}
	return found
}

func (x *examination) lookAtDatabase(ctx context.Context) []doctor.Finding {
	path := x.settings.DatabasePath
	if _, err := x.open(); err != nil {
		return []doctor.Finding{doctor.Fail("what is said here; until then nothing that needs the database was looked at", "%s", describe(nil, err))}
	}
	have, _, err := store.Versions(ctx, path)
	if err != nil {
		return []doctor.Finding{doctor.Fail("look at the file and its disk", "%s", describe(nil, err))}
	}
	list := []doctor.Finding{doctor.Good("%s is at version %d, which this program needs", path, have)}
	return append(list, x.withDatabase(func(s *services) ([]doctor.Finding, error) {
		size, err := s.store.LogSize()
		if err == nil && size > largeLog {
			return []doctor.Finding{doctor.Warn("look for another program that reads the database for long; it is emptied when that ends",
				"the log of the database has %d MiB", size/bytesPerMiB).About("log")}, nil
		}
		return nil, err
	})...)
}

func (x *examination) lookAtIntegrity(ctx context.Context) []doctor.Finding {
	if _, err := x.open(); err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, integrityTime)
	defer cancel()
	problem, err := store.QuickCheck(ctx, x.settings.DatabasePath)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return []doctor.Finding{doctor.CannotTell("\"broadsheet backup FILE\" checks all of it, in the time that it takes", "the database could not be read within %s", integrityTime)}
	case err != nil:
		return []doctor.Finding{doctor.Fail("look at the disk", "the database cannot be read: %v", err)}
	case problem != "":
		return []doctor.Finding{doctor.Fail("stop the service, keep the file, and go back to a backup: \"broadsheet restore FILE\"", "the database is damaged: %s", problem)}
	}
	return []doctor.Finding{doctor.Good("its structure is sound")}
}

func (x *examination) lookAtBackups(ctx context.Context) []doctor.Finding {
	return x.withDatabase(func(s *services) ([]doctor.Finding, error) {
		alarms, err := s.unsafe(ctx)
		if err != nil {
			return nil, err
		}
		list := fromAlarms(alarms)
		if slices.ContainsFunc(alarms, func(a newsletter.Alarm) bool { return a.Kind == newsletter.AlarmBackup }) {
			return list, nil
		}
		if x.settings.BackupDir == "" {
			return append(list, doctor.Warn("set "+settingPrefix+"BACKUP_DIR to a folder, best on another disk", "\"broadsheet serve\" makes no backups")), nil
		}
		files, err := store.Backups(x.settings.BackupDir)
		if err != nil || len(files) == 0 { // none: that is an alarm
			return list, err
		}
		return append(list, doctor.Good("the last of %d is of %s", len(files), local(files[0].At))), nil
	})
}

// lookAtSetAside names the databases of before, in which people are who were erased since.
func (x *examination) lookAtSetAside(context.Context) []doctor.Finding {
	old, err := store.SetAside(x.settings.DatabasePath)
	if err != nil || len(old) == 0 {
		return nil
	}
	return []doctor.Finding{doctor.Warn("remove those that you do not need any more: nothing else does, and whoever was erased since is in them",
		"%s from before a restore or an upgrade: %s", counted(len(old), "database is left", "databases are left"), strings.Join(old, ", "))}
}

func (x *examination) lookAtDisk(context.Context) []doctor.Finding {
	return x.withDatabase(func(s *services) ([]doctor.Finding, error) {
		low, err := s.lowDisks()
		if err != nil || len(low) > 0 {
			return fromAlarms(low), err
		}
		size, free, err := s.store.Disk()
		list := []doctor.Finding{doctor.Good("%d MiB are free, and the database has %.1f", free/bytesPerMiB, float64(size)/bytesPerMiB)}
		if folder := filepath.Dir(x.settings.Journal); x.settings.Journal != "" && err == nil && !store.SameDisk(folder, filepath.Dir(x.settings.DatabasePath)) {
			if free, err := store.Free(folder); err == nil { // a missing folder is told with the journal
				list = append(list, doctor.Good("%d MiB are free for the journal", free/bytesPerMiB).About("journal"))
			}
		}
		return list, err
	})
}

// lookAtClock finds a clock that was put back: what is on record is then in the future.
func (x *examination) lookAtClock(ctx context.Context) []doctor.Finding {
	return x.withDatabase(func(s *services) ([]doctor.Finding, error) {
		last, err := s.store.LastEvent(ctx)
		if err != nil {
			return nil, err
		}
		if ahead := last.Sub(x.now()); ahead > clockAhead {
			return []doctor.Finding{doctor.Fail("let the machine's clock be set by NTP; until it is right, slots are built at wrong times",
				"something is on record %s from now: the clock was ahead then, or it is behind now", ahead.Round(time.Second))}, nil
		}
		return []doctor.Finding{doctor.Good("it is %s, and nothing is on record after that", local(x.now()))}, nil
	})
}

// lookAtSlots shows when each newsletter is due, in its own time.
func (x *examination) lookAtSlots(ctx context.Context) []doctor.Finding {
	return x.withDatabase(func(s *services) ([]doctor.Finding, error) {
		newsletters, err := s.desk.Newsletters(ctx)
		if err != nil {
			return nil, err
		}
		var list []doctor.Finding
		for _, n := range newsletters {
			found, err := s.slotsOf(ctx, n, x.now())
			if err != nil {
				return list, err
			}
			list = append(list, found...)
		}
		if len(list) == 0 {
			list = append(list, doctor.Warn("broadsheet init FEED-URL", "there is no newsletter"))
		}
		return list, nil
	})
}

func (s *services) slotsOf(ctx context.Context, n newsletter.Newsletter, now time.Time) ([]doctor.Finding, error) {
	zone, err := n.Location()
	if err != nil {
		return []doctor.Finding{doctor.Fail("broadsheet newsletter edit "+n.Slug+" --zone ZONE", "%s", fieldMessage(err)).About(n.Slug)}, nil
	}
	if n.Status != newsletter.Open {
		return []doctor.Finding{doctor.Good("nothing is due: it is %s", n.Status).About(n.Slug)}, nil
	}
	var list []doctor.Finding
	for _, schedule := range n.Schedules {
		times, after := []string{}, now
		for range slotsShown {
			due, ok, err := schedule.NextFree(after, zone, func(date newsletter.Date) (bool, error) {
				return s.store.SlotTaken(ctx, newsletter.SlotKey{NewsletterID: n.ID, Cadence: schedule.Cadence, Date: date, Slot: schedule.Slot})
			})
			if err != nil {
				return list, err
			}
			if !ok {
				break
			}
			times, after = append(times, due.At.In(zone).Format("Mon 2 Jan 15:04")), due.At
		}
		if schedule.Cadence == newsletter.Immediate {
			list = append(list, doctor.Good("immediate: %s", ruleOf(n, schedule)).About(n.Slug))
			continue
		}
		if len(times) == 0 {
			list = append(list, doctor.Good("%s: it is sent by hand", schedule.Name()).About(n.Slug))
			continue
		}
		list = append(list, doctor.Good("%s: %s (%s)", schedule.Name(), strings.Join(times, ", "), n.Zone).About(n.Slug))
	}
	if len(list) == 0 {
		list = append(list, doctor.Good("it is sent by hand").About(n.Slug))
	}
	return list, nil
}

// lookAtSources tells how reading each source went last.
func (x *examination) lookAtSources(ctx context.Context) []doctor.Finding {
	return x.withDatabase(func(s *services) ([]doctor.Finding, error) {
		sources, err := s.desk.Sources(ctx, "")
		if err != nil {
			return nil, err
		}
		var list []doctor.Finding
		fine := 0
		for _, src := range sources {
			switch {
			case src.Failures > 0:
				list = append(list, doctor.Warn("look at it with \"broadsheet source list\", and at the address with a browser",
					"%s failed %s: %s", src.Name, counted(src.Failures, "time", "times"), cut(src.LastError, 200)))
			case src.LastOKAt.IsZero():
				list = append(list, doctor.Warn("run \"broadsheet serve\"; it reads the sources", "%s was never read", src.Name))
			default:
				fine++
			}
		}
		if fine > 0 {
			list = append(list, doctor.Good("%s read well", counted(fine, "source was", "sources were")))
		}
		if len(list) == 0 {
			list = append(list, doctor.Warn("broadsheet source add FEED-URL --newsletter SLUG", "there is no source, so nothing is ever new"))
		}
		return list, nil
	})
}

// lookAtAlarms tells what is late or failing, as "broadsheet status" does.
func (x *examination) lookAtAlarms(ctx context.Context) []doctor.Finding {
	return x.withDatabase(func(s *services) ([]doctor.Finding, error) {
		if s.press == nil { // the templates say why
			return nil, nil
		}
		status, err := s.desk.QuickStatus(ctx, s.store)
		if err != nil {
			return nil, err
		}
		rest := slices.DeleteFunc(status.Problems, func(a newsletter.Alarm) bool { return a.Kind == newsletter.AlarmSourceFailing })
		if len(rest) == 0 {
			return []doctor.Finding{doctor.Good("nothing is late or failing")}, nil
		}
		return fromAlarms(rest), nil
	})
}

// fromAlarms tells alarms as findings.
func fromAlarms(alarms []newsletter.Alarm) []doctor.Finding {
	var list []doctor.Finding
	for _, a := range alarms {
		f := doctor.Fail(a.Do, "%s", a.What)
		if a.Kind.Severity() == newsletter.SeverityWarning {
			f.State = doctor.Warning
		}
		if !a.Since.IsZero() {
			f.What += fmt.Sprintf(", since %s", local(a.Since))
		}
		list = append(list, f)
	}
	return list
}
