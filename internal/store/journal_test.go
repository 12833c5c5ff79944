package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/journal"
	"broadsheet/internal/newsletter"
)

var journalTime = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

// journalled returns a store with keys and a journal.
func journalled(t *testing.T) (*Store, *journal.File) {
	t.Helper()
	s := openTest(t)
	if _, _, err := s.Keys(t.Context(), journalTime, bytes.NewReader(bytes.Repeat([]byte{7}, 64))); err != nil {
		t.Fatal(err)
	}
	file := journal.Named(filepath.Join(t.TempDir(), "journal"))
	s.UseJournal(Journal{File: file})
	return s, file
}

func readJournal(t *testing.T, f *journal.File) []journal.Entry {
	t.Helper()
	var list []journal.Entry
	_, err := journal.Read(f.Path(), false, func(e journal.Entry) error {
		list = append(list, e)
		return nil
	})
	if err != nil && !errors.Is(err, journal.ErrNone) {
		t.Fatal(err)
	}
	return list
}

func suppressJob(name string) func(*tx) error {
	return func(t *tx) error {
		return t.suppress([]byte(name), newsletter.SuppressedLeft, "", "test", journalTime)
	}
}

func needed(t *tx) error {
	t.noteNeeded(journal.Entry{Kind: journal.Sending, Edition: 7}, journalTime)
	return nil
}

func position(t *testing.T, s *Store) newsletter.JournalState {
	t.Helper()
	state, err := s.JournalState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func TestJournal_HasWhatIsCommittedAndNothingElse(t *testing.T) {
	t.Parallel()
	s, f := journalled(t)
	no := errors.New("no")
	if err := s.write(t.Context(), suppressJob("a")); err != nil {
		t.Fatal(err)
	}
	if err := s.write(t.Context(), func(t *tx) error { return errors.Join(suppressJob("b")(t), no) }); !errors.Is(err, no) {
		t.Fatal(err)
	}
	err := s.write(t.Context(), func(w *tx) error {
		if err := w.savepoint(func(w *tx) error { return errors.Join(suppressJob("c")(w), no) }); !errors.Is(err, no) {
			t.Errorf("error %v", err)
		}
		return errors.Join(suppressJob("d")(w), needed(w))
	})
	if err != nil {
		t.Fatal(err)
	}
	list := readJournal(t, f)
	if len(list) != 3 || list[0].Address != "61" || list[1].Address != "64" || list[2].Kind != journal.Sending || list[0].Database == "" {
		t.Errorf("%+v", list)
	}
	if state := position(t, s); state.Position != 3 || !state.FailedAt.IsZero() {
		t.Errorf("%+v", state)
	}
}

// Nobody has to wait for a disk to leave. But nothing is sent that the journal does not have.
func TestJournal_ThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	s, _ := journalled(t)
	folder := filepath.Join(t.TempDir(), "gone")
	f := journal.Named(filepath.Join(folder, "journal"))
	s.UseJournal(Journal{File: f})
	if err := s.write(t.Context(), suppressJob("a")); err != nil {
		t.Fatal(err)
	}
	err := s.write(t.Context(), func(t *tx) error { return errors.Join(addRelay("r")(t), needed(t)) })
	if _, ok := errors.AsType[*journal.Error](err); !ok || count(t, s, `SELECT COUNT(*) FROM relays WHERE name = 'r'`) != 0 {
		t.Errorf("error %v", err)
	}
	state := position(t, s)
	if state.Kept != 1 || !state.FailedAt.Equal(journalTime) || !strings.Contains(state.Failure, "folder does not exist") || state.Position != 0 {
		t.Errorf("%+v", state)
	}
	if err := s.FlushJournal(t.Context(), noon); err == nil {
		t.Error("flushing succeeds")
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.FlushJournal(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	if err := s.write(t.Context(), needed); err != nil {
		t.Fatal(err)
	}
	list := readJournal(t, f)
	if len(list) != 2 || list[0].Address != "61" || list[1].Edition != 7 {
		t.Errorf("%+v", list)
	}
	if state := position(t, s); state.Kept != 0 || !state.FailedAt.IsZero() || state.Position != 2 {
		t.Errorf("%+v", state)
	}
}

// Without a journal the numbers go on all the same, so that a gap tells of that time.
func TestJournal_AGapTellsThatThereWasNone(t *testing.T) {
	t.Parallel()
	s, f := journalled(t)
	for i, name := range []string{"a", "b", "c"} {
		if s.writer.journal.Store(nil); i != 1 {
			s.UseJournal(Journal{File: f})
		}
		if err := s.write(t.Context(), suppressJob(name)); err != nil {
			t.Fatal(err)
		}
	}
	if list := readJournal(t, f); len(list) != 2 || list[0].Seq != 1 || list[1].Seq != 3 {
		t.Errorf("%+v", list)
	}
}

// Two processes write one database and one journal; every entry is there once.
func TestJournal_TwoProcesses(t *testing.T) {
	t.Parallel()
	s, f := journalled(t)
	other, err := Open(t.Context(), s.Path(), ExistingOnly)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	other.UseJournal(Journal{File: journal.Named(f.Path())})
	done := make(chan error)
	for i, one := range []*Store{s, other} {
		go func() {
			var err error
			for n := range 50 {
				err = errors.Join(err, one.write(context.Background(), suppressJob(string([]byte{byte(i), byte(n)}))))
			}
			done <- err
		}()
	}
	if err := errors.Join(<-done, <-done); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, e := range readJournal(t, f) {
		if seen[e.Address] = true; e.Seq != int64(i+1) {
			t.Fatalf("entry %d has the number %d", i+1, e.Seq)
		}
	}
	if len(seen) != 100 || position(t, s).Position != 100 {
		t.Errorf("%d entries, %+v", len(seen), position(t, s))
	}
}
