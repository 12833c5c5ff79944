package store

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// Two stores on one file are as two processes are. However fast the one commits, the other
// gets its turn: without turns it got one or two in the time of hundreds.
func TestWriter_TwoProcessesWriteByTurns(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "broadsheet.db")
	var stores [2]*Store
	for i := range stores {
		s, err := Open(t.Context(), path, CreateIfMissing)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		stores[i] = s
	}
	busy, polite := stores[0], stores[1]
	stop, stopped := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				stopped <- n
				return
			default:
			}
			if err := busy.write(t.Context(), func(x *tx) error {
				for end := time.Now().Add(10 * time.Millisecond); time.Now().Before(end); {
					if _, err := x.exec(`INSERT INTO replies (text) VALUES ($1)`, fmt.Sprint(time.Now().UnixNano())); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
	}()
	for i := range 15 {
		if err := polite.write(t.Context(), addRelay(fmt.Sprint(i))); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	if n := <-stopped; n > 45 { // about 14 by turns, hundreds without
		t.Errorf("15 writes had to wait for %d of another process", n)
	}
}

// Who was stopped while it had the turn holds nobody up for good.
func TestTurn_IsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "turn.lock")
	stopped, other := openTurn(path, ""), openTurn(path, "")
	defer stopped.close()
	defer other.close()
	stopped.take()
	other.take()
	stopped.give()
	other.give()
	unable := openTurn(filepath.Join(path, "no folder"), "")
	unable.take()
	unable.give()
	unable.close()
}
