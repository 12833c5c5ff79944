package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

func openTest(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "broadsheet.db"), CreateIfMissing)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func count(t *testing.T, s *Store, query string) int {
	t.Helper()
	var n int
	if err := s.read(t.Context()).row(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func addRelay(name string) func(*tx) error {
	return func(t *tx) error {
		_, err := t.exec(`INSERT INTO relays (name) VALUES ($1)`, name)
		return err
	}
}

func TestWriter_OneBadRowDoesNotFailItsGroup(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	const writers = 300
	var wg sync.WaitGroup
	results := make([]error, writers)
	for i := range writers {
		wg.Go(func() {
			name := fmt.Sprint(i)
			if i%3 == 0 {
				name = "the same" // all but one of these fail
			}
			results[i] = s.write(t.Context(), addRelay(name))
		})
	}
	wg.Wait()
	failed := 0
	for _, err := range results {
		if err != nil {
			failed++
			if !isUnique(err) {
				t.Errorf("a write fails with %v", err)
			}
		}
	}
	if got := count(t, s, `SELECT COUNT(*) FROM relays WHERE id > 0`); got != writers-failed || failed != writers/3-1 {
		t.Errorf("%d rows, %d failed", got, failed)
	}
}

func TestWriter_AFailedWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	for name, f := range map[string]func(*tx) error{
		"error": func(t *tx) error { return errors.Join(addRelay("a")(t), errors.New("no")) },
		"panic": func(t *tx) error {
			_ = addRelay("b")(t)
			panic("oh")
		},
		"bad SQL": func(t *tx) error {
			_ = addRelay("c")(t)
			_, err := t.exec(`INSERT INTO nowhere VALUES (1)`)
			return err
		},
	} {
		if err := s.write(t.Context(), f); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := s.write(t.Context(), addRelay("d")); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s, `SELECT COUNT(*) FROM relays WHERE id > 0`); got != 1 {
		t.Errorf("%d rows are there", got)
	}
}

// A write that is cancelled before its turn is not done; one that has begun is done, and
// cancelling it harms nobody in its group.
func TestWriter_Cancelling(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.write(ctx, func(t *tx) error {
		cancel()
		return addRelay("begun")(t)
	})
	if err != nil {
		t.Errorf("a write that was cancelled after its beginning: %v", err)
	}
	if err := s.write(ctx, addRelay("not begun")); !errors.Is(err, context.Canceled) {
		t.Errorf("a write that was cancelled before: %v", err)
	}
	if got := count(t, s, `SELECT COUNT(*) FROM relays WHERE id > 0`); got != 1 {
		t.Errorf("%d rows are there", got)
	}
}

func TestWriter_AfterCloseSaysSo(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "x.db"), CreateIfMissing)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.write(t.Context(), addRelay("late")); !errors.Is(err, errClosed) {
		t.Errorf("it says %v", err)
	}
}

// Another process that holds the database makes a write wait, not fail.
func TestWriter_WaitsForAnotherProcess(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	other, err := sql.Open("sqlite3", dsn(s.path))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	hold, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.write(t.Context(), addRelay("patient")) }()
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(100 * time.Millisecond): // it cannot be seen to wait otherwise
	}
	if err := hold.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestConnections_HaveThePragmas(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	for pragma, want := range map[string]string{"foreign_keys": "1", "journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "busy_timeout": "10000"} {
		var read, written string
		if err := s.read(t.Context()).row(`PRAGMA ` + pragma).Scan(&read); err != nil {
			t.Fatal(err)
		}
		err := s.write(t.Context(), func(t *tx) error { return t.row(`PRAGMA ` + pragma).Scan(&written) })
		if err != nil || read != want || written != want {
			t.Errorf("%s is %s for reading and %s for writing, want %s (%v)", pragma, read, written, want, err)
		}
	}
	if _, err := s.reader.ExecContext(t.Context(), `DELETE FROM relays`); err == nil {
		t.Error("a reader can write")
	}
}

func TestMigrate_BacksUpRefusesNewerAndSaysWhatToDo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "broadsheet.db")
	if _, err := Open(t.Context(), path, ExistingOnly); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("no database: %v", err)
	}
	var wg sync.WaitGroup
	for range 4 { // processes that start together
		wg.Go(func() {
			s, err := Open(t.Context(), path, CreateOrMigrate)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	set := func(statement string) {
		t.Helper()
		db, err := sql.Open("sqlite3", dsn(path))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	set(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
	for _, mode := range []Mode{ExistingOnly, CreateIfMissing, CreateOrMigrate} {
		if _, err := Open(t.Context(), path, mode); err == nil || !strings.Contains(err.Error(), "newer than this program") {
			t.Errorf("a newer database: %v", err)
		}
	}
	// An older one: as if the last step were still to come, of which nothing is there.
	set(`DELETE FROM goose_db_version WHERE version_id = 99`)
	want, err := neededVersion()
	if err != nil {
		t.Fatal(err)
	}
	set(fmt.Sprintf(`UPDATE goose_db_version SET version_id = %d WHERE version_id = %d`, want-1, want))
	if _, err := Open(t.Context(), path, ExistingOnly); want > 1 && newsletter.KindOf(err) != newsletter.Conflict {
		t.Errorf("an older database: %v", err)
	}
}

func TestBackup_IsOfOneMomentWhileOthersWrite(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				pair := func(t *tx) error { // both or none
					return errors.Join(addRelay(fmt.Sprintf("a%d-%d", w, i))(t), addRelay(fmt.Sprintf("b%d-%d", w, i))(t))
				}
				if err := s.write(t.Context(), pair); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 3 {
		file := filepath.Join(t.TempDir(), "copy.db")
		if err := s.Backup(t.Context(), file, nil); err != nil {
			t.Fatal(err)
		}
		copied, err := Open(t.Context(), file, ExistingOnly)
		if err != nil {
			t.Fatal(err)
		}
		a, b := count(t, copied, `SELECT COUNT(*) FROM relays WHERE name LIKE 'a%'`), count(t, copied, `SELECT COUNT(*) FROM relays WHERE name LIKE 'b%'`)
		if a != b {
			t.Errorf("copy %d has %d and %d rows", i, a, b)
		}
		if err := copied.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Backup(t.Context(), file, nil); newsletter.KindOf(err) != newsletter.Conflict {
			t.Errorf("over an existing file: %v", err)
		}
	}
	stop()
	wg.Wait()
}

func TestRoles_OneSenderAndServicesAreSeen(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	now := time.Now()
	first, err := s.TakeSender("send", now)
	if err != nil || first == nil {
		t.Fatal(first, err)
	}
	if second, err := s.TakeSender("serve", now); err != nil || second != nil {
		t.Errorf("two have the sender role (%v)", err)
	}
	if h, ok, err := s.Sender(); err != nil || !ok || h.Command != "send" {
		t.Errorf("the sender is %+v, %v (%v)", h, ok, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Sender(); err != nil || ok {
		t.Errorf("somebody has the role still (%v)", err)
	}
	if runs, err := s.ServiceRuns(t.Context()); err != nil || runs {
		t.Errorf("a service runs (%v)", err)
	}
	one, err := s.AnnounceService(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.AnnounceService(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	if runs, err := s.ServiceRuns(t.Context()); err != nil || !runs {
		t.Errorf("the second service is not seen (%v)", err)
	}
	if err := two.Close(); err != nil {
		t.Fatal(err)
	}
}

// Many who only ask do not take each other for a service.
func TestRoles_AskingIsNotServing(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if runs, err := s.ServiceRuns(t.Context()); err != nil || runs {
					t.Errorf("a service runs (%v)", err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkWrite_32Writers(b *testing.B) {
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "b.db"), CreateIfMissing)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			err := s.write(b.Context(), func(t *tx) error {
				_, err := t.exec(`INSERT INTO rate_counters (bucket, window_at, count) VALUES ('b', 1, 1)
					ON CONFLICT (bucket, window_at) DO UPDATE SET count = rate_counters.count + 1`)
				return err
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
}

// Whoever closes the database does not make others wait, whatever is being read.
func TestClose_DoesNotStopOtherWriters(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	reading, err := s.reader.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	if _, err := reading.ExecContext(t.Context(), `BEGIN DEFERRED`); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reading.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM relays WHERE id > 0`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if err := s.write(t.Context(), addRelay("a")); err != nil {
		t.Fatal(err)
	}
	other, err := Open(t.Context(), s.path, ExistingOnly)
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- other.Close() }()
	if err := s.write(t.Context(), addRelay("b")); err != nil {
		t.Error(err)
	}
	select {
	case err := <-closed: // while the reader still reads
		if err != nil {
			t.Error(err)
		}
	case <-time.After(busyTimeout / 2):
		t.Error("closing waits for a reader")
	}
	if _, err := reading.ExecContext(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
}

func TestBackup_ToANameThatLooksLikeAnAddress(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	for _, name := range []string{"x?y.db", "a%20b.db", "c#d.db", "e f.db"} {
		folder := t.TempDir()
		file := filepath.Join(folder, name)
		if err := s.Backup(t.Context(), file, nil); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := verify(t.Context(), file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || len(left) != 1 {
			t.Errorf("%s leaves %v (%v)", name, left, err)
		}
	}
}

func TestOpen_LeavesADatabaseOfSomebodyElseAsItIs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite3", fileURI(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE mine (x)`); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, CreateOrMigrate); err == nil || !strings.Contains(err.Error(), "not Broadsheet's") {
		t.Errorf("it says %v", err)
	}
	var mode string
	if err := db.QueryRowContext(t.Context(), `PRAGMA journal_mode`).Scan(&mode); err != nil || mode != "delete" {
		t.Errorf("its journal mode is %s now (%v)", mode, err)
	}
}
