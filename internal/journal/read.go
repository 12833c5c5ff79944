package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// Summary is what Read came across.
type Summary struct {
	Entries int
	Last    int64 // the number of the last entry
	Torn    bool  // the last line was cut off, by a crash while it was written; it was left out
	Broken  []int // the numbers of other lines that are damaged, the first hundred of them
	broken  int
}

// BrokenLines is how many lines are damaged.
func (s Summary) BrokenLines() int { return s.broken }

// maxBroken is how many damaged lines are named.
const maxBroken = 100

// ErrNone says that there is no such journal.
var ErrNone = errors.New("there is no such journal")

// Read calls each with the entries of the journal in their order, until it fails. A last line
// that was cut off is left out. Any other damaged line is an error that names it, unless
// skipBroken says to go on without it.
func Read(path string, skipBroken bool, each func(Entry) error) (Summary, error) {
	file, err := os.Open(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Summary{}, fmt.Errorf("%s: %w", path, ErrNone)
	case err != nil:
		return Summary{}, fmt.Errorf("read the journal: %w", err)
	}
	s, err := read(file, skipBroken, each)
	if err != nil {
		err = fmt.Errorf("journal %s: %w", path, err)
	}
	return s, errors.Join(err, file.Close())
}

// BrokenError names a line of a journal that is damaged.
type BrokenError struct{ Line int }

func (e *BrokenError) Error() string {
	return fmt.Sprintf("line %d is damaged, and what stood in it is lost", e.Line)
}

func read(r io.Reader, skipBroken bool, each func(Entry) error) (Summary, error) {
	var s Summary
	in := bufio.NewReaderSize(r, MaxLine)
	for n := 1; ; n++ {
		line, whole, err := nextLine(in)
		ended := err == nil
		switch {
		case !ended && !errors.Is(err, io.EOF):
			return s, err
		case !ended && len(line) == 0:
			return s, nil
		}
		e, err := decode(line)
		switch {
		case err == nil && whole:
			s.Entries, s.Last = s.Entries+1, max(s.Last, e.Seq)
			if err := each(e); err != nil {
				return s, fmt.Errorf("line %d: %w", n, err)
			}
		case err != nil && !errors.Is(err, errBroken):
			return s, fmt.Errorf("line %d: %w", n, err)
		case !ended:
			s.Torn = true
		case !skipBroken:
			return s, &BrokenError{n}
		default:
			s.broken++
			if len(s.Broken) < maxBroken {
				s.Broken = append(s.Broken, n)
			}
		}
	}
}

// nextLine returns the next line without its end. One that is too long is passed over, and
// whole is false. The error is io.EOF if the file ends without ending the line.
func nextLine(in *bufio.Reader) (line []byte, whole bool, err error) {
	line, err = in.ReadSlice('\n')
	whole = !errors.Is(err, bufio.ErrBufferFull)
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = in.ReadSlice('\n')
	}
	return bytes.TrimSuffix(line, []byte{'\n'}), whole, err
}
