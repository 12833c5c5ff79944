package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
	"broadsheet/internal/store"
)

func TestBackupDue_GoesByTheTimesOfTheDay(t *testing.T) {
	t.Parallel()
	day := func(d, hour, minute int) time.Time { return time.Date(2026, 11, d, hour, minute, 0, 0, time.UTC) }
	times := []clock{{2, 30}, {14, 0}}
	for _, tt := range []struct{ now, want time.Time }{
		{day(22, 2, 29), day(21, 14, 0)},
		{day(22, 2, 30), day(22, 2, 30)},
		{day(22, 13, 59), day(22, 2, 30)},
		{day(22, 23, 59), day(22, 14, 0)},
	} {
		if got := backupDue(times, tt.now); !got.Equal(tt.want) {
			t.Errorf("at %s the last one was due at %s, want %s", tt.now, got, tt.want)
		}
	}
}

// A service makes what is due at its start, once.
func TestServe_MakesBackups(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "backups")
	journal := filepath.Join(t.TempDir(), "journal")
	p := newProgram(t, "BACKUP_DIR="+folder, "JOURNAL="+journal, anyPort)
	p.listOf(3)
	if out, code := p.try("status"); code != exitFailed || !strings.Contains(out, "there is no backup in "+folder) {
		t.Errorf("exit %d\n%s", code, out)
	}
	for range 2 {
		service, printed, _ := p.serve()
		newsroomtest.Until(t.Context(), t, "a backup is made", func() bool {
			list, err := store.Backups(folder)
			return err == nil && len(list) == 1
		})
		newsroomtest.Until(t.Context(), t, "the journal is made", func() bool {
			info, err := os.Stat(journal)
			return err == nil && info.Mode().Perm() == 0o600
		})
		if err := service.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if err := service.Wait(); err != nil {
			t.Errorf("serve ends with %v\n%s", err, printed)
		}
	}
	list, err := store.Backups(folder)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	if out := p.run("backup", "list"); !strings.Contains(out, filepath.Base(list[0].Path)) || !strings.Contains(out, "journal up to 0") {
		t.Errorf("it lists\n%s", out)
	}
	if out, _ := p.try("status"); strings.Contains(out, "backup") {
		t.Errorf("the status is\n%s", out)
	}
	p.run("restore", list[0].Path, "--yes")
}

// Leaving goes on while the journal cannot be written; sending does not begin; staff are told.
func TestJournal_WhoseDiskIsGone(t *testing.T) {
	t.Parallel()
	relay := relayFor(t, smtptest.Options{Pipelining: true})
	folder := filepath.Join(t.TempDir(), "disk")
	p := newProgram(t, "SMTP_URL="+relay.URL(), "JOURNAL="+filepath.Join(folder, "journal"))
	list := p.listOf(3)
	p.run("subscriber", "remove", list[0], "--newsletter", "daily-news")
	if out, code := p.try("send", "daily-news", "--yes"); code != exitFailed || !strings.Contains(out, "its folder does not exist; make it, or mount its disk") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if out, code := p.try("status"); code != exitFailed || !strings.Contains(out, "cannot be written: its folder does not exist") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	p.run("send", "daily-news", "--yes")
	if took := tookEach(relay); len(took) != 2 || took[list[0]] != 0 {
		t.Errorf("the relay took %v", took)
	}
	raw, err := os.ReadFile(filepath.Join(folder, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		_, kind, _ := strings.Cut(line, `"kind":"`)
		kind, _, _ = strings.Cut(kind, `"`)
		kinds = append(kinds, kind)
	}
	if want := []string{"left", "frozen", "articles", "sending"}; !slices.Equal(kinds, want) {
		t.Errorf("the journal has %v, want %v", kinds, want)
	}
}

// The journal's disk is looked at as the database's is. That of /proc has no room at all.
func TestJournal_WhoseDiskIsFull(t *testing.T) {
	t.Parallel()
	p := newProgram(t, "JOURNAL=/proc/broadsheet.journal")
	p.run("newsletter", "create", "daily-news", "--name", "Daily News", "--from", "news@example.org", "--postal-address", "1 High Street")
	for _, command := range []string{"status", "doctor"} {
		if out, code := p.try(command); code != exitFailed || !strings.Contains(out, "only 0 MiB are free on the disk of the journal") {
			t.Errorf("%s: exit %d\n%s", command, code, out)
		}
	}
	p = newProgram(t, "JOURNAL=/dev/shm/none/broadsheet.journal")
	p.run("newsletter", "create", "daily-news", "--name", "Daily News", "--from", "news@example.org", "--postal-address", "1 High Street")
	if out, _ := p.try("status"); strings.Contains(out, "on the disk of the journal") {
		t.Errorf("of a folder that is missing it says\n%s", out)
	}
}

func TestAlarmKinds_OfKeepingSafeAreErrors(t *testing.T) {
	t.Parallel()
	for _, kind := range []newsletter.AlarmKind{newsletter.AlarmJournal, newsletter.AlarmBackup, newsletter.AlarmRestored} {
		if kind.Severity() != newsletter.SeverityError || !slices.Contains(newsletter.AlarmKinds(), kind) {
			t.Errorf("%s is %s", kind, kind.Severity())
		}
	}
}
