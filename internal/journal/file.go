package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"broadsheet/internal/ownfile"

	"golang.org/x/sys/unix"
)

// File is a journal by its name. It is opened for each use, so that a disk that comes back,
// or a file that was moved away, needs no restart.
type File struct {
	path string
	// busy is when its lock was last waited for in vain, in Unix nanoseconds.
	busy atomic.Int64
}

// Named returns the journal of that name. Nothing is opened yet.
func Named(path string) *File { return &File{path: path} }

// Path returns the file's name.
func (f *File) Path() string { return f.path }

// Appended is what Append did.
type Appended struct {
	Last int64 // the number of the last entry
	// Before is the number of the last entry that was there; 0: there was none.
	Before int64
	// Dropped is how many bytes of a line that was cut off, by a crash while it was written,
	// were removed first. Nobody was told that what stood in it was done.
	Dropped int64
}

// Append adds the entries and numbers them: on from the last one in the file, or from after
// if that is higher. When it returns without an error they are on disk; otherwise none of them
// counts. Several processes can do it at once.
//
// What is in the file above after was appended and then not committed: a crash, or a full disk,
// came between. An entry of kind Void says so first, unless the database was just restored.
//
// The file is made, for its owner only, if there is none.
func (f *File) Append(entries []Entry, after int64) (a Appended, err error) {
	file, err := f.open()
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, file.Close()) }() // it gives the lock back too
	t, err := readTail(file)
	if err == nil && t.torn > 0 {
		err = file.Truncate(t.end)
	}
	if err != nil {
		return a, f.failed(err)
	}
	a.Last, a.Before, a.Dropped = max(t.last, after), t.last, t.torn
	var lines []byte
	if t.unended {
		lines = append(lines, '\n')
	}
	restored := slices.ContainsFunc(entries, func(e Entry) bool { return e.Kind == Restored })
	if t.last > after && after > 0 && len(entries) > 0 && !restored { // 0: the first entry of a database
		void := Entry{Kind: Void, Database: entries[0].Database, At: entries[0].At, Position: after + 1}
		entries = append([]Entry{void}, entries...)
	}
	for _, e := range entries {
		a.Last++
		e.Version, e.Seq, e.At = Version, a.Last, e.At.UTC()
		line, err := encode(e)
		if err != nil {
			return a, err
		}
		lines = append(lines, line...)
	}
	if _, err = file.Write(lines); err == nil {
		err = file.Sync()
	}
	if err != nil {
		// What may be there of it must not count. If this fails as well: half a line is dropped
		// the next time, and whole ones say again what is done anyway.
		_ = file.Truncate(t.end)
		return a, f.failed(err)
	}
	return a, nil
}

// Make makes the journal if there is none, so that a missing one is a lost one, and returns the
// number of its last entry; 0: it has none.
func (f *File) Make() (last int64, err error) {
	file, err := f.open()
	if err != nil {
		return 0, err
	}
	t, err := readTail(file)
	if err != nil {
		err = f.failed(err)
	}
	return t.last, errors.Join(err, file.Close())
}

// Check reports whether the journal could be written, and changes nothing. One that is not
// there yet is not made: whoever asks may be another user than who writes it.
func (f *File) Check() error {
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_APPEND, 0)
	if err == nil {
		return file.Close()
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = unix.Access(filepath.Dir(f.path), unix.W_OK)
	}
	if err != nil {
		return f.failed(err)
	}
	return nil
}

// The lock is asked for this often, and for so long. Who waited in vain does not wait again for
// a while: every write would take as long.
const (
	lockPoll  = 5 * time.Millisecond
	lockLimit = time.Second
	lockPause = 30 * time.Second
)

// open opens the file, or makes it, and waits for its lock.
func (f *File) open() (*os.File, error) {
	_, err := os.Stat(f.path)
	missing := errors.Is(err, fs.ErrNotExist)
	file, err := ownfile.Open(f.path, "", os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, f.failed(err)
	}
	limit := lockLimit
	if time.Since(time.Unix(0, f.busy.Load())) < lockPause {
		limit = 0
	}
	for asked := time.Now(); ; time.Sleep(lockPoll) { // another program that holds it and was stopped must not stop everybody
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EWOULDBLOCK) || time.Since(asked) > limit {
			break
		}
	}
	if errors.Is(err, unix.EWOULDBLOCK) && limit > 0 {
		f.busy.Store(time.Now().UnixNano())
	}
	if err == nil && missing {
		err = syncFolder(f.path)
	}
	if err != nil {
		return nil, errors.Join(f.failed(err), file.Close())
	}
	return file, nil
}

// failed says in plain words why the journal cannot be used.
func (f *File) failed(err error) error {
	why := err.Error()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		why = "its folder does not exist; make it, or mount its disk"
	case errors.Is(err, fs.ErrPermission):
		why = fmt.Sprintf("this user (%d) may not write it", os.Getuid())
	case errors.Is(err, unix.EWOULDBLOCK):
		why = "another program keeps its lock; is one stopped that should run or end?"
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
		why = "its disk is full; make room"
	}
	return &Error{Path: f.path, Why: why, cause: err}
}

// Error says that the journal could not be written, and why, in plain words.
type Error struct {
	Path, Why string
	cause     error
}

func (e *Error) Error() string {
	return fmt.Sprintf("the journal %s cannot be written: %s", e.Path, e.Why)
}
func (e *Error) Unwrap() error { return e.cause }

// syncFolder makes a new file name durable.
func syncFolder(file string) error {
	folder, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// tail is the end of a journal.
type tail struct {
	last    int64 // the number of the last entry; 0: none
	end     int64 // where the whole lines end
	torn    int64 // how much of a line that was cut off comes after them
	unended bool  // the last line is whole but for its end
}

// readTail looks for the last entry from behind.
func readTail(file *os.File) (tail, error) {
	info, err := file.Stat()
	if err != nil {
		return tail{}, err
	}
	for window := int64(8 << 10); ; window *= 8 {
		from := max(0, info.Size()-window)
		data := make([]byte, info.Size()-from)
		if _, err := file.ReadAt(data, from); err != nil && !errors.Is(err, io.EOF) {
			return tail{}, err
		}
		if t, found := tailOf(data, from); found || from == 0 {
			return t, nil
		}
	}
}

// tailOf reads the end of a file that begins at an offset; found is false if more of it is
// needed.
func tailOf(data []byte, from int64) (t tail, found bool) {
	t.end = from + int64(len(data))
	cut := bytes.LastIndexByte(data, '\n') + 1
	if cut == 0 && from > 0 {
		return t, false
	}
	if rest := data[cut:]; len(rest) > 0 {
		if e, err := decode(rest); err == nil {
			t.last, t.unended = e.Seq, true
			return t, true
		}
		t.torn, t.end = int64(len(rest)), t.end-int64(len(rest))
	}
	for lines := data[:cut]; len(lines) > 0; {
		lines = lines[:len(lines)-1]
		begin := bytes.LastIndexByte(lines, '\n') + 1
		if begin == 0 && from > 0 {
			return t, false
		}
		if e, err := decode(lines[begin:]); err == nil {
			t.last = e.Seq
			return t, true
		}
		lines = lines[:begin]
	}
	return t, false
}
