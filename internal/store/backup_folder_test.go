package store

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestBackupInto_KeepsDaysAndWeeks(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	folder := filepath.Join(t.TempDir(), "backups")
	first := time.Date(2026, 9, 1, 2, 30, 0, 0, time.UTC)
	keep := BackupKeep{Daily: 7, Weekly: 4}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"notes.txt", "broadsheet-mine.db", "broadsheet-20260901T000000Z.db.part"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now := first
	for range 60 {
		now = now.Add(24 * time.Hour)
		made, err := s.BackupInto(t.Context(), folder, now.Add(-time.Minute), keep, time.UTC, now)
		if err != nil || made == "" {
			t.Fatalf("%q, %v", made, err)
		}
	}
	if made, err := s.BackupInto(t.Context(), folder, now, keep, time.UTC, now.Add(time.Hour)); err != nil || made != "" {
		t.Errorf("another one: %q, %v", made, err)
	}
	list, err := Backups(folder)
	if err != nil {
		t.Fatal(err)
	}
	var days []string
	for _, b := range list {
		days = append(days, b.At.Format("0102"))
		if _, err := VerifyBackup(t.Context(), b.Path); err != nil {
			t.Error(err)
		}
	}
	// 31 October is a Saturday; the weeks end on the Sundays 25, 18 and 11.
	if got, want := fmt.Sprint(days), "[1031 1030 1029 1028 1027 1026 1025 1018 1011]"; got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 9+3 { // with the lock, and what is not ours
		t.Errorf("%v, %v", files, err)
	}
}

func TestVerifyBackup_FindsDamage(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	file := filepath.Join(t.TempDir(), "copy.db")
	if err := s.Backup(t.Context(), file, nil); err != nil {
		t.Fatal(err)
	}
	if b, err := VerifyBackup(t.Context(), file); err != nil || b.Version < 10 || b.Bytes == 0 {
		t.Fatalf("%+v, %v", b, err)
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	for page := int64(10); page < 40; page++ {
		if _, err := f.WriteAt([]byte("this is not what was written here"), page*4096); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyBackup(t.Context(), file); err == nil {
		t.Error("a damaged backup is good")
	}
	if _, err := VerifyBackup(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a missing backup is good")
	}
}

// A clock that was years ahead for a minute does not end all backups.
func TestBackupInto_ABackupFromTheFutureIsNotTheLast(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	folder := filepath.Join(t.TempDir(), "backups")
	now := time.Date(2026, 11, 23, 2, 30, 0, 0, time.UTC)
	ahead := now.AddDate(4, 0, 0)
	if made, err := s.BackupInto(t.Context(), folder, ahead, BackupKeep{Daily: 1}, time.UTC, ahead); err != nil || made == "" {
		t.Fatal(made, err)
	}
	for range 3 {
		if made, err := s.BackupInto(t.Context(), folder, now, BackupKeep{Daily: 1}, time.UTC, now); err != nil || made == "" {
			t.Fatal(made, err)
		}
		now = now.AddDate(0, 0, 1)
	}
	list, err := Backups(folder)
	if err != nil || len(list) != 2 || !list[0].FromFuture(now) { // the last day's, and that one
		t.Errorf("%v, %v", list, err)
	}
}

func TestSetAside_FindsThisDatabasesOnly(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "news[1].db")
	for _, name := range []string{"news[1].db", "news[1].db.before-10-x.bak", "news[1].db.before-restore-x.bak", "news1.db.before-10-x.bak"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := SetAside(path); err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
}
