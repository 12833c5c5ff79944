package store

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"broadsheet/internal/newsletter"

	"golang.org/x/sys/unix"
)

// asNobody runs f with the rights to files of a user who is not root. Where the test is not
// run by root, that is who runs it.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setfsuid(0); err != nil {
			t.Error(err)
		}
	}()
	f()
}

// A lock that somebody else made and that cannot be opened is an error: whoever goes on
// without it could have the database replaced under them.
func TestOpen_DoesNotGoOnWithoutALock(t *testing.T) {
	s := openTest(t)
	lock := s.path + openLockSuffix
	if err := errors.Join(s.lock.Close(), os.Chmod(filepath.Dir(filepath.Dir(lock)), 0o755), os.Chmod(lock, 0)); err != nil {
		t.Fatal(err)
	}
	s.lock = nil
	asNobody(t, func() {
		if l, err := lockOpen(s.path); l != nil || newsletter.KindOf(err) != newsletter.Conflict || !strings.Contains(err.Error(), lock) {
			t.Errorf("%v, %v; want an error that names the lock", l, err)
		}
	})
	if err := os.Chmod(lock, 0o444); err != nil { // to read it is enough
		t.Fatal(err)
	}
	asNobody(t, func() {
		l, err := lockOpen(s.path)
		if l == nil || err != nil {
			t.Fatal(l, err)
		}
		if other, err := tryLock(lock, s.path, unix.LOCK_EX); other != nil || err != nil {
			t.Errorf("it can be taken by two: %v, %v", other, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	// Who may only read the folder, where no lock is, reads.
	if l, err := lockOpen(filepath.Join(t.TempDir(), "no folder", "db")); l != nil || err != nil {
		t.Errorf("%v, %v", l, err)
	}
}
