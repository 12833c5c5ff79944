package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/ownfile"

	"golang.org/x/sys/unix"
)

// fileLock is an OS lock on a file beside the database. The kernel releases it when the
// process ends, however it ends, so there is no lease to wait for and no clock to trust.
type fileLock struct{ file *os.File }

// folderError explains why a file cannot be made beside the database.
func folderError(path string, err error) error {
	folder := filepath.Dir(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return newsletter.NotFoundf("the folder %s does not exist; make it, or set BROADSHEET_DATABASE_URL to a file elsewhere", folder)
	case errors.Is(err, fs.ErrPermission):
		return newsletter.Conflictf("this user (%d) may not write in the folder %s; run the command as the user of the service", os.Getuid(), folder)
	}
	return fmt.Errorf("write in %s: %w", folder, err)
}

// lockPoll is how often a lock that another process holds is tried again.
const lockPoll = 50 * time.Millisecond

// tryLock takes the lock if it is free, and returns nil if it is not. It is a lock on the
// database of that name, or on all of a folder if that is empty.
func tryLock(path, database string, how int) (*fileLock, error) {
	f, err := openLockFile(path, database)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil, f.Close()
	case err != nil:
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return &fileLock{f}, nil
}

// openLockFile opens the file, or makes it. To lock it, to read it is enough: a lock that is
// not taken because another user made the file protects nobody.
func openLockFile(path, database string) (*os.File, error) {
	f, err := ownfile.Open(path, database, os.O_CREATE|os.O_RDWR, 0o644) //nolint:gosec // it holds no secret
	if errors.Is(err, fs.ErrPermission) {
		var reading error
		if f, reading = os.Open(path); reading == nil {
			return f, nil
		}
		if errors.Is(reading, fs.ErrPermission) {
			return nil, newsletter.Conflictf("this user (%d) may not open the lock %s, which another user made; remove it while no broadsheet command runs, or run the command as the user of the service", os.Getuid(), path)
		}
	}
	if err != nil {
		return nil, folderError(path, err)
	}
	return f, nil
}

// lockFile waits for the lock on the database until ctx ends.
func lockFile(ctx context.Context, path, database string) (*fileLock, error) {
	return waitLock(ctx, path, database, unix.LOCK_EX)
}

func waitLock(ctx context.Context, path, database string, how int) (*fileLock, error) {
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		lock, err := tryLock(path, database, how)
		if lock != nil || err != nil {
			return lock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// Close gives the lock back.
func (l *fileLock) Close() error { return l.file.Close() }

// sign writes into the lock file who holds it, if this user may.
func (l *fileLock) sign(h newsletter.SenderHolder) error {
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	err = l.file.Truncate(0)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, fs.ErrPermission) {
		return nil // another user made the file: it is locked all the same, and nobody can read by whom
	}
	if err != nil {
		return err
	}
	_, err = l.file.WriteAt(data, 0)
	return err
}

// TakeSender takes the sender role if nobody has it, and returns nil if somebody has, or if
// nothing is to be sent because the database was restored and that is not confirmed. Closing
// gives it back; so does the end of the process.
func (s *Store) TakeSender(command string, now time.Time) (io.Closer, error) {
	state, err := s.JournalState(context.Background())
	if err != nil || !state.RestoredAt.IsZero() {
		return nil, err
	}
	lock, err := tryLock(s.senderPath(), s.path, unix.LOCK_EX)
	if lock == nil || err != nil {
		return nil, err
	}
	if err := lock.sign(newsletter.SenderHolder{PID: os.Getpid(), Command: command, Since: now.UTC()}); err != nil {
		return nil, errors.Join(fmt.Errorf("sender role: %w", err), lock.Close())
	}
	return lock, nil
}

// Sender returns who holds the sender role now; ok is false if nobody does.
func (s *Store) Sender() (h newsletter.SenderHolder, ok bool, err error) {
	lock, err := tryLock(s.senderPath(), s.path, unix.LOCK_SH)
	if err != nil {
		return h, false, err
	}
	if lock != nil {
		return h, false, lock.Close()
	}
	data, err := os.ReadFile(s.senderPath())
	if err != nil {
		return h, false, fmt.Errorf("sender role: %w", err)
	}
	// Half a signature is a holder that is just taking the role.
	_ = json.Unmarshal(data, &h)
	return h, true, nil
}

// AnnounceService says that a service runs, until the lock is closed: it has precedence as
// the sender, see ServiceRuns. Several services can be announced at once.
func (s *Store) AnnounceService(ctx context.Context) (io.Closer, error) {
	return waitLock(ctx, s.servicePath(), s.path, unix.LOCK_SH)
}

// ServiceRuns reports whether a service is announced on this database.
func (s *Store) ServiceRuns(ctx context.Context) (bool, error) {
	// Somebody else who asks holds the lock for an instant; only a service keeps it.
	asking, cancel := context.WithTimeout(ctx, 3*lockPoll)
	defer cancel()
	lock, err := waitLock(asking, s.servicePath(), s.path, unix.LOCK_EX)
	switch {
	case ctx.Err() != nil:
		return false, errors.Join(ctx.Err(), closeLock(lock))
	case errors.Is(err, context.DeadlineExceeded):
		return true, nil
	case err != nil:
		return false, err
	}
	return false, lock.Close()
}

func closeLock(l *fileLock) error {
	if l == nil {
		return nil
	}
	return l.Close()
}

// LockPlanning waits until nobody else plans, and keeps others from planning: two editions
// planned together could give one article to one reader twice.
func (s *Store) LockPlanning(ctx context.Context) (io.Closer, error) {
	return lockFile(ctx, s.path+".planning.lock", s.path)
}

func (s *Store) senderPath() string  { return s.path + ".sender.lock" }
func (s *Store) servicePath() string { return s.path + ".service.lock" }

// syncFolder makes a new file name durable.
func syncFolder(file string) error {
	folder, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
