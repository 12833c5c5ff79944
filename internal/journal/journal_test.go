package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func left(subscriber int64) Entry {
	return Entry{At: noon, Database: "d1", Kind: Left, Subscriber: subscriber, Newsletter: 1, Address: strings.Repeat("ab", 32)}
}

// entries returns what the journal has.
func entries(t *testing.T, path string, skip bool) ([]Entry, Summary) {
	t.Helper()
	var list []Entry
	s, err := Read(path, skip, func(e Entry) error {
		list = append(list, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, s
}

// What was appended and never committed is told apart by the next entry, but not by that of a
// database which has just come back from before it.
func TestAppend_SaysWhatWasNotCommitted(t *testing.T) {
	t.Parallel()
	f := newJournal(t, 3)
	if a, err := f.Append([]Entry{left(4)}, 1); err != nil || a.Last != 5 {
		t.Fatalf("%+v, %v", a, err)
	}
	list, _ := entries(t, f.Path(), false)
	if e := list[3]; e.Kind != Void || e.Position != 2 || e.Seq != 4 || e.Database != list[4].Database || list[4].Kind != Left {
		t.Errorf("%+v", list[3:])
	}
	if a, err := f.Append([]Entry{{Kind: Restored, Database: "d1", At: noon}}, 2); err != nil || a.Last != 6 {
		t.Errorf("%+v, %v", a, err)
	}
}

func newJournal(t *testing.T, n int) *File {
	t.Helper()
	f := Named(filepath.Join(t.TempDir(), "journal"))
	for i := range n {
		if _, err := f.Append([]Entry{left(int64(i + 1))}, 0); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func TestAppend_NumbersAndKeeps(t *testing.T) {
	t.Parallel()
	f := newJournal(t, 0)
	a, err := f.Append([]Entry{left(1), left(2)}, 40)
	if err != nil || a.Last != 42 {
		t.Fatalf("%+v, %v", a, err)
	}
	if a, err = f.Append([]Entry{left(3)}, 42); err != nil || a.Last != 43 {
		t.Fatalf("%+v, %v", a, err)
	}
	list, s := entries(t, f.Path(), false)
	if len(list) != 3 || list[0].Seq != 41 || list[2].Seq != 43 || list[2].Subscriber != 3 || !list[2].At.Equal(noon) || s.Last != 43 {
		t.Errorf("%+v, %+v", list, s)
	}
	info, err := os.Stat(f.Path())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A crash can leave any part of the last line. Reading goes without it, and appending goes on
// as if it had never been begun.
func TestAppend_AfterTheLastLineWasCutOffAnywhere(t *testing.T) {
	t.Parallel()
	f := newJournal(t, 3)
	whole, err := os.ReadFile(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for cut := last; cut < len(whole); cut++ {
		if err := os.WriteFile(f.Path(), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		unended := cut == len(whole)-1 // all of it is there but its end
		list, s := entries(t, f.Path(), false)
		if want := map[bool]int{true: 3, false: 2}[unended]; len(list) != want || s.Torn != (cut > last && !unended) {
			t.Fatalf("cut at %d: %d entries, %+v", cut, len(list), s)
		}
		a, err := f.Append([]Entry{left(9)}, 0)
		if err != nil || a.Last != int64(len(list)+1) || (a.Dropped > 0) != s.Torn {
			t.Fatalf("cut at %d: %+v, %v", cut, a, err)
		}
		if again, s := entries(t, f.Path(), false); len(again) != len(list)+1 || again[len(list)].Subscriber != 9 || s.Torn {
			t.Fatalf("cut at %d, appended: %+v, %+v", cut, again, s)
		}
	}
}

func TestRead_ADamagedLineInTheMiddleIsNamed(t *testing.T) {
	t.Parallel()
	f := newJournal(t, 4)
	data, err := os.ReadFile(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(data, []byte{'\n'})
	lines[1] = bytes.Replace(lines[1], []byte(`"subscriber":2`), []byte(`"subscriber":3`), 1)
	lines[2] = append(bytes.Repeat([]byte{'x'}, 3*MaxLine), '\n')
	if err := os.WriteFile(f.Path(), bytes.Join(lines, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Read(f.Path(), false, func(Entry) error { return nil })
	if broken, ok := errors.AsType[*BrokenError](err); !ok || broken.Line != 2 {
		t.Errorf("error %v", err)
	}
	list, s := entries(t, f.Path(), true)
	if len(list) != 2 || list[1].Subscriber != 4 || fmt.Sprint(s.Broken) != "[2 3]" || s.BrokenLines() != 2 {
		t.Errorf("%+v, %+v", list, s)
	}
	if a, err := f.Append([]Entry{left(5)}, 0); err != nil || a.Last != 5 || a.Dropped != 0 {
		t.Errorf("%+v, %v", a, err)
	}
}

// What comes after a long line that was cut off is found all the same.
func TestAppend_LongLines(t *testing.T) {
	t.Parallel()
	f := newJournal(t, 1)
	long := Entry{At: noon, Kind: Articles, Edition: 7}
	for i := range ArticlesPerEntry {
		long.Articles = append(long.Articles, Article{URL: fmt.Sprint("https://news.example.org/", i, strings.Repeat("x", 4000)), GUID: strings.Repeat("g", 4000)})
	}
	if a, err := f.Append([]Entry{long}, 0); err != nil || a.Last != 2 {
		t.Fatalf("%+v, %v", a, err)
	}
	info, err := os.Stat(f.Path())
	if err == nil {
		err = os.Truncate(f.Path(), info.Size()-100)
	}
	if err != nil {
		t.Fatal(err)
	}
	if a, err := f.Append([]Entry{left(2)}, 0); err != nil || a.Last != 2 || a.Dropped < 400_000 {
		t.Errorf("%+v, %v", a, err)
	}
	long.Articles[0].URL = strings.Repeat("x", MaxLine)
	if _, err := f.Append([]Entry{long}, 0); err == nil {
		t.Error("a line that is too long is taken")
	}
	if list, _ := entries(t, f.Path(), false); len(list) != 2 {
		t.Errorf("%d entries", len(list))
	}
}

func TestAppend_ManyAtOnceGetDifferentNumbers(t *testing.T) {
	t.Parallel()
	f := newJournal(t, 0)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 25 {
				if _, err := Named(f.Path()).Append([]Entry{left(1), left(2)}, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	list, _ := entries(t, f.Path(), false)
	for i, e := range list {
		if e.Seq != int64(i+1) {
			t.Fatalf("entry %d has the number %d", i+1, e.Seq)
		}
	}
	if len(list) != 400 {
		t.Errorf("%d entries", len(list))
	}
}

func TestAppend_WhatIsWrongIsSaidPlainly(t *testing.T) {
	t.Parallel()
	f := Named(filepath.Join(t.TempDir(), "gone", "journal"))
	_, err := f.Append([]Entry{left(1)}, 0)
	if _, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), "folder does not exist") {
		t.Errorf("error %v", err)
	}
	if _, err := Read(f.Path(), false, nil); !errors.Is(err, ErrNone) {
		t.Errorf("error %v", err)
	}
	newer := newJournal(t, 0)
	line, err := encode(Entry{Version: Version + 1, Seq: 1})
	if err == nil {
		err = os.WriteFile(newer.Path(), line, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read(newer.Path(), true, nil); err == nil || !strings.Contains(err.Error(), "newer broadsheet") {
		t.Errorf("error %v", err)
	}
}

func FuzzRead(f *testing.F) {
	line, err := encode(left(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add(append(line[:len(line):len(line)], line[:20]...))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		s, err := read(bytes.NewReader(data), true, func(Entry) error { n++; return nil })
		if err == nil && s.Entries != n {
			t.Errorf("%d entries, %+v", n, s)
		}
		if tail, _ := tailOf(data, 0); tail.end+tail.torn != int64(len(data)) {
			t.Errorf("%+v of %d bytes", tail, len(data))
		}
	})
}

// A program that was stopped while it held the lock must not stop everybody who leaves.
func TestAppend_WhileSomebodyKeepsTheLock(t *testing.T) {
	t.Parallel()
	f := newJournal(t, 1)
	holder, err := os.Open(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(holder.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	f.busy.Store(time.Now().UnixNano()) // somebody has just waited in vain
	if _, err := f.Append([]Entry{left(2)}, 1); err == nil || !strings.Contains(err.Error(), "keeps its lock") {
		t.Errorf("%v", err)
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	if a, err := f.Append([]Entry{left(2)}, 1); err != nil || a.Last != 2 {
		t.Errorf("%+v, %v", a, err)
	}
}
