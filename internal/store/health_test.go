package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestQuickCheck_FindsDamage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "b.db")
	s, err := Open(t.Context(), path, CreateIfMissing)
	if err != nil {
		t.Fatal(err)
	}
	if problem, err := QuickCheck(t.Context(), path); problem != "" || err != nil {
		t.Errorf("in use: %q, %v", problem, err)
	}
	if at, err := s.LastEvent(t.Context()); err != nil || !at.IsZero() {
		t.Errorf("the newest event is of %v, %v", at, err)
	}
	if size, err := s.LogSize(); err != nil || size < 0 {
		t.Errorf("log of %d, %v", size, err)
	}
	when := time.Now().Truncate(time.Millisecond)
	err = s.write(t.Context(), func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO desk_events (at, actor, action) VALUES ($1, 'cli:ada', 'test')`, millis(when))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if at, err := s.LastEvent(t.Context()); err != nil || !at.Equal(when) {
		t.Errorf("the newest event is of %v, %v", at, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := QuickCheck(gone, path); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	for page := int64(4); page < 12; page++ {
		if _, err := f.WriteAt(make([]byte, 2000), page*4096+1000); err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte{0x0d, 0xff, 0xff, 0xff, 0xff}, page*4096); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if problem, err := QuickCheck(t.Context(), path); problem == "" && err == nil {
		t.Error("damage is not found")
	}
}
