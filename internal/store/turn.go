package store

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// turn lets processes write by turns. SQLite's own lock goes to whoever asks at the right
// moment: a process that commits group after group leaves the others gaps of microseconds, and
// they look for one every 100 ms at most, so a sign-up would wait for seconds while another
// process plans an edition. Who wants to write takes the turn first and keeps it until its
// transaction has begun; who has just committed finds it taken, and waits.
//
// It is a courtesy, not a lock that anything relies on.
type turn struct{ file *os.File }

// The turn is asked for this often, and for so long: one who was stopped while having it must
// not hold up the others.
const (
	turnPoll  = time.Millisecond
	turnLimit = 250 * time.Millisecond
)

// openTurn returns the turn of that file, on the database of that name. Who may not have the
// file, such as a user who can only read the database, has a turn that is always free.
func openTurn(path, database string) *turn {
	file, err := openLockFile(path, database)
	if err != nil {
		return &turn{}
	}
	return &turn{file}
}

// take waits for the turn, but not for ever.
func (t *turn) take() {
	if t.file == nil {
		return
	}
	for asked := time.Now(); ; time.Sleep(turnPoll) {
		err := unix.Flock(int(t.file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) || time.Since(asked) > turnLimit {
			return
		}
	}
}

// give lets others have the turn.
func (t *turn) give() {
	if t.file != nil {
		_ = unix.Flock(int(t.file.Fd()), unix.LOCK_UN)
	}
}

func (t *turn) close() {
	if t.file != nil {
		_ = t.file.Close() // nothing was written to it
	}
}
