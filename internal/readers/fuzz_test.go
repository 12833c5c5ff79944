package readers

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"
)

// FuzzCSV holds the reader of records to its promises: it ends, it keeps to its limits,
// lines are numbered upwards and within the file, and what is valid CSV with short records
// is read as encoding/csv reads it.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"email,name\na@example.org,Ada\n", "email;name\r\n\"a@example.org\";\"A \"\"B\"\"\nC\"\r\n",
		"\ufeffemail\n\"open\nb@example.org\n", "a\tb\n\n\n\"\"\n", "\"a\"b,\n", "\"", "email\n" + strings.Repeat("x", 300),
		strings.Repeat("\"x\n", 70), "\x00\xff,\"\n\r",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newRecordReader(bytes.NewReader(data))
		fields := newFieldReader(separator(string(data[:min(len(data), 100)])))
		r.fields = fields
		lines := bytes.Count(data, []byte("\n")) + 1
		last := 0
		var got [][]string
		clean := true
		for {
			rec, err := r.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if rec.line <= last || rec.line > lines || len(rec.text) > maxRecord {
				t.Fatalf("line %d after %d of %d, %d bytes", rec.line, last, lines, len(rec.text))
			}
			last = rec.line
			row, err := fields.fields(rec.text)
			clean = clean && err == nil && rec.bad == ""
			got = append(got, row)
		}
		c := csv.NewReader(bytes.NewReader(data))
		c.Comma, c.FieldsPerRecord = fields.comma, -1
		want, err := c.ReadAll()
		if err != nil || !clean || bytes.ContainsAny(data, "\r") || bytes.Contains(data, []byte("\"\n\n")) {
			return
		}
		if len(want) != countFilled(want) || len(got) != len(want) { // lines of white space only are left out here
			return
		}
		for i := range want {
			if strings.Join(got[i], "\x1f") != strings.Join(want[i], "\x1f") {
				t.Fatalf("record %d is %q, want %q", i, got[i], want[i])
			}
		}
	})
}

func countFilled(rows [][]string) int {
	n := 0
	for _, row := range rows {
		if strings.TrimSpace(strings.Join(row, "x")) != "" {
			n++
		}
	}
	return n
}

func TestMasked_ShowsTheOwnerEnough(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"vera@example.org": "v…@example.org", "élan@example.org": "é…@example.org", `"a@b"@example.org`: `"…@example.org`, "nonsense": "…", "@x": "…",
	} {
		if got := masked(in); got != want {
			t.Errorf("masked(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestLimitsOf(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.0.2.7": "client:192.0.2.7 network:192.0.2.0/24", "::ffff:192.0.2.7": "client:192.0.2.7 network:192.0.2.0/24",
		"2001:db8:1:2:3::4": "client:2001:db8:1:2::/64 network:2001:db8:1::/48", "fe80::1%eth0": "client:fe80::/64 network:fe80::/48",
		"": "client:unknown network:unknown", "nonsense": "client:unknown network:unknown",
	} {
		if got := limitsOf(in); got[0].Bucket+" "+got[1].Bucket != want {
			t.Errorf("limitsOf(%q) = %v, want %q", in, got, want)
		}
	}
}

func TestOneLine_LeavesNothingInvisible(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" a\r\n\tb ": "a b", "evil\u202egpj.exe": "evilgpj.exe", "\u0000x\u007f": "x", "نام\u200cها": "نام\u200cها", "Zoë 🙂": "Zoë 🙂", "a\xffb": "ab",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("oneLine(%q) = %q, want %q", in, got, want)
		}
	}
}
