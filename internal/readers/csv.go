package readers

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// The limits of a record of a CSV file, line breaks within quotation marks included.
const (
	maxRecord      = 32 << 10 // bytes
	maxRecordLines = 64
	readBuffer     = 64 << 10 // of the reader; more than maxRecord
)

// record is one record of a file: its first line, counted from 1, and its text.
type record struct {
	line int
	text string
	bad  string // what is wrong with it, if it cannot be taken apart
}

// recordReader cuts a CSV file into records within fixed memory. encoding/csv would read a
// quotation mark that is never closed to the end of the file, and lose all lines after it;
// here such a mark costs its own line.
type recordReader struct {
	r     *bufio.Reader
	line  int      // the last line that was read
	ahead []record // lines that were read and not used
	end   error
	// fields, once it is known, tells two lines that belong together from two that only
	// happen to have an odd number of quotation marks each.
	fields *fieldReader
}

func newRecordReader(r io.Reader) *recordReader {
	return &recordReader{r: bufio.NewReaderSize(r, readBuffer)}
}

// next returns the next record that is not empty, or io.EOF.
func (r *recordReader) next() (record, error) {
	for {
		first, err := r.nextLine()
		if err != nil || first.bad != "" {
			return first, err
		}
		if strings.TrimSpace(first.text) == "" {
			continue
		}
		if strings.Count(first.text, `"`)%2 == 0 {
			return first, nil
		}
		return r.join(first)
	}
}

// join adds lines to a record until its quotation marks are closed.
func (r *recordReader) join(first record) (record, error) {
	whole, used := first.text, []record(nil)
	for len(used) < maxRecordLines {
		line, err := r.nextLine()
		if err != nil && !errors.Is(err, io.EOF) {
			return record{}, err
		}
		if err != nil {
			break
		}
		used = append(used, line)
		if line.bad != "" || len(whole)+1+len(line.text) > maxRecord {
			break
		}
		whole += "\n" + line.text
		if strings.Count(line.text, `"`)%2 == 1 {
			if r.fields != nil {
				if _, err := r.fields.fields(whole); err != nil {
					break
				}
			}
			return record{line: first.line, text: whole}, nil
		}
	}
	r.ahead = append(used, r.ahead...)
	first.bad = "a quotation mark is opened and not closed"
	return first, nil
}

// nextLine returns the next line without its end.
func (r *recordReader) nextLine() (record, error) {
	if len(r.ahead) > 0 {
		line := r.ahead[0]
		r.ahead = r.ahead[1:]
		return line, nil
	}
	if r.end != nil {
		return record{}, r.end
	}
	text, err := r.r.ReadSlice('\n')
	line := record{line: r.line + 1, text: strings.TrimRight(string(text), "\r\n")}
	if len(line.text) > maxRecord || errors.Is(err, bufio.ErrBufferFull) {
		line.text, line.bad = line.text[:200], "the line is too long"
	}
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.r.ReadSlice('\n')
	}
	r.line++
	if err != nil {
		r.end = err
		if !errors.Is(err, io.EOF) || line.text == "" {
			return record{}, err
		}
	}
	return line, nil
}

// fieldReader takes records apart. It keeps its buffer from one to the next.
type fieldReader struct {
	comma rune
	buf   *bufio.Reader
}

func newFieldReader(comma rune) *fieldReader {
	return &fieldReader{comma: comma, buf: bufio.NewReaderSize(nil, 4096)}
}

// fields returns a record's fields.
func (f *fieldReader) fields(text string) ([]string, error) {
	if !strings.Contains(text, `"`) {
		return strings.Split(text, string(f.comma)), nil
	}
	f.buf.Reset(strings.NewReader(text))
	r := csv.NewReader(f.buf)
	r.Comma, r.FieldsPerRecord = f.comma, -1
	fields, err := r.Read()
	if err != nil {
		return nil, errors.New("the quotation marks are not right")
	}
	return fields, nil
}

// separator returns the character that separates the columns of a header: the most frequent
// of comma, semicolon and tab.
func separator(header string) rune {
	best, most := ',', 0
	for _, c := range []rune{',', ';', '\t'} {
		if n := strings.Count(header, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}
