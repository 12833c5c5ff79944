package bounce

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// endless is what comes of a piece that is said again and again, up to so many octets.
func endless(piece string, size int64) io.Reader {
	return io.LimitReader(&again{piece: piece}, size)
}

type again struct {
	piece string
	at    int
}

func (a *again) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		c := copy(p[n:], a.piece[a.at:])
		n, a.at = n+c, (a.at+c)%len(a.piece)
	}
	return n, nil
}

// Strangers send what they like. Whatever it is, it takes about a second at most and memory
// for the part that is looked at.
func TestRead_IsBounded(t *testing.T) {
	const large = 50 << 20
	const report = "From: MAILER-DAEMON@mx.example.net\nSubject: failure notice\n"
	nested := func(times int) io.Reader {
		var b strings.Builder
		for i := range times {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
		}
		return strings.NewReader(report + b.String())
	}
	for name, message := range map[string]io.Reader{
		"a body of 50 MB":        io.MultiReader(strings.NewReader(report+"\n"), endless("550 5.1.1 <maud@reader.example> user unknown\n", large)),
		"a line of 50 MB":        io.MultiReader(strings.NewReader(report+"\n"), endless("a@b.example ", large)),
		"an endless header":      io.MultiReader(strings.NewReader(report), endless("X-A: b\n", large)),
		"an endless field":       io.MultiReader(strings.NewReader(report+"X-A: b\n"), endless(" and more\n", large)),
		"an endless name":        io.MultiReader(strings.NewReader(report), endless("x", large)),
		"100,000 levels":         nested(100_000),
		"nested messages":        io.MultiReader(strings.NewReader(report), endless("Content-Type: message/rfc822\n\n", large)),
		"10,000 parts":           io.MultiReader(strings.NewReader(report+"Content-Type: multipart/mixed; boundary=b\n\n"), endless("--b\n\n<maud@reader.example>:\n550 user unknown\n", 10_000*40)),
		"endless parts":          io.MultiReader(strings.NewReader(report+"Content-Type: multipart/mixed; boundary=b\n\n"), endless("--b\n\nx\n", large)),
		"endless recipients":     io.MultiReader(strings.NewReader(report+"Content-Type: message/delivery-status\n\n"), endless("Final-Recipient: rfc822; maud@reader.example\nAction: failed\nStatus: 5.1.1\n\n", large)),
		"many addresses":         io.MultiReader(strings.NewReader(report+"\n"), &numbered{format: "<reader%d@reader.example>:\n550 user unknown\n", left: large}),
		"endless signs":          io.MultiReader(strings.NewReader(report+"Content-Type: text/html\n\n"), endless("<style <p <!-- &amp;", large)),
		"endless base64":         io.MultiReader(strings.NewReader(report+"Content-Transfer-Encoding: base64\n\n"), endless("PHN0eWxl\n", large)),
		"endless boundary lines": io.MultiReader(strings.NewReader(report+"Content-Type: multipart/mixed; boundary=z\n\n"), endless("--aaaa--\n", large)),
		"an endless object":      io.MultiReader(strings.NewReader(report+"\n"), endless(`{"bounce":`, large)),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			got, err := Read(message)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
			t.Logf("%v, %d MB in all, %d recipients, %s", took.Round(time.Millisecond), allocated, len(got.Recipients), got.Kind)
			if len(got.Recipients) > maxRecipients || len(got.ReturnPaths) > maxReturnPaths {
				t.Errorf("%d recipients, %d return paths", len(got.Recipients), len(got.ReturnPaths))
			}
			if took > time.Minute || allocated > 300 {
				t.Errorf("it took %v and %d MB", took, allocated)
			}
		})
	}
}

// numbered says a piece again and again, each time with another number.
type numbered struct {
	format string
	n      int
	rest   []byte
	left   int
}

func (r *numbered) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	if len(r.rest) == 0 {
		r.n++
		r.rest = fmt.Appendf(nil, r.format, r.n)
	}
	n := copy(p, r.rest)
	r.rest, r.left = r.rest[n:], r.left-n
	return n, nil
}

// FuzzRead holds that no message breaks the reader, and that its report keeps its bounds.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		report, err := Read(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if len(report.Recipients) > maxRecipients || len(report.ReturnPaths) > maxReturnPaths {
			t.Fatalf("%d recipients, %d return paths", len(report.Recipients), len(report.ReturnPaths))
		}
		if report.Kind != worst(report.Recipients) {
			t.Fatalf("%s is not the worst of %v", report.Kind, report.Recipients)
		}
		for _, r := range report.Recipients {
			if r.Reason == "" || len(r.Address) > maxAddress || len(r.Diagnostic) > maxDiagnostic || len(r.Status) > 9 || r.Code < 0 || r.Code > 599 {
				t.Fatalf("out of bounds: %+v", r)
			}
			if r.Kind == newsletter.ReturnHard && (r.Status != "" && r.Status[0] != '5' || r.Code != 0 && r.Code < 500) {
				t.Fatalf("hard by a code that is for the time being: %+v", r)
			}
		}
	})
}
