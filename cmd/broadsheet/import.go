package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// openFile opens a file to be read, - for standard input, and returns its size, -1 if that
// is not known.
func (a *app) openFile(name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(a.stdin), -1, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, fmt.Errorf("the file cannot be read: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder; name a CSV file", name)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// countingReader counts the bytes that were read.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// importView is the result of an import in JSON.
type importView struct {
	Newsletter     string         `json:"newsletter,omitempty"` // of subscribers
	Rows           int            `json:"rows"`
	Added          int            `json:"added"`
	Already        int            `json:"already"`
	Rejected       int            `json:"rejected"`
	RejectedLines  []rejectedLine `json:"rejected_lines"`
	IgnoredColumns []string       `json:"ignored_columns"`
}

type rejectedLine struct {
	Line int    `json:"line"`
	Text string `json:"text"`
	Why  string `json:"why"`
}

// importRun imports what it reads, and tells how far it is and which lines it rejects.
type importRun func(in io.Reader, progress func(rows int), reject rejectFunc) (readers.Imported, error)

type rejectFunc = func(line int, text, why string) error

// importFile imports a file by run: it draws the progress, tells the rejected lines and, in the
// end, the counts. words says what was added, with the place of how many were there already.
func (a *app) importFile(file io.Reader, size int64, slug, words string, run importRun) error {
	in := &countingReader{r: file}
	draw, done := a.progress("import")
	var progress func(int)
	begin := ""
	if draw != nil {
		// Lines of a file are not counted before they are read, so the bar goes by bytes.
		progress = func(int) { draw(int(in.n), int(size)) }
		begin = "\r\x1b[K" // a rejected line takes the place of the bar, which is drawn again below
	}
	v := importView{Newsletter: slug, RejectedLines: []rejectedLine{}}
	res, err := run(in, progress, func(line int, text, why string) error {
		if a.json {
			v.RejectedLines = append(v.RejectedLines, rejectedLine{line, text, why})
			return nil
		}
		_, err := fmt.Fprintf(a.stderr, "%sline %d: %s (%s)\n", begin, line, plain(why), plain(text))
		return err
	})
	done()
	if err != nil && res.Rows == 0 {
		return err
	}
	v.Rows, v.Added, v.Already, v.Rejected, v.IgnoredColumns = res.Rows, res.Added, res.Already, res.Rejected, list(res.Ignored)
	if err == nil && a.json {
		return a.printJSON(v)
	}
	if len(res.Ignored) > 0 {
		a.say("Columns that were not used: %s.", strings.Join(res.Ignored, ", "))
	}
	a.say("%s: %d "+words+", %d rejected.", counted(res.Rows, "line", "lines"), res.Added, res.Already, res.Rejected)
	if err != nil && (errors.Is(err, context.Canceled) || newsletter.KindOf(err) == newsletter.Internal) {
		return unfinishedf("the import stopped after %s: %w; the same command goes on", counted(res.Rows, "line", "lines"), err)
	}
	return err
}
