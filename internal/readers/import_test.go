package readers_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// imports takes a file and returns the counts and the rejected lines, one to a line.
func (w *world) imports(file string) (readers.Imported, string) {
	w.t.Helper()
	var rejected strings.Builder
	res, err := w.Import(w.t.Context(), strings.NewReader(file), readers.ImportOptions{
		Newsletter: "daily-news", Consent: "shop check-out", Origin: newsletter.Origin{Actor: "eva"},
		Reject: func(line int, text, why string) error {
			fmt.Fprintf(&rejected, "%d %q: %s\n", line, text, why)
			return nil
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if res.Rows != res.Added+res.Already+res.Rejected {
		w.t.Errorf("%+v does not add up", res)
	}
	return res, rejected.String()
}

func TestImport_AddsAndTellsEachRejectedLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.section(w.daily, "AI & Data", "ai-data")
	retail := w.section(w.daily, "Retail", "retail")
	w.join("left@example.org")
	w.leave("left@example.org")
	w.join("active@example.org")
	w.suppress("bounced@example.org", newsletter.SuppressedHardBounce)
	file := "\ufeffPhone;E-Mail;Name;Sections;Time zone\r\n" +
		"1;ada@example.org;Ada;Retail|nothing;\r\n" +
		"2;ada@example.org;Ada;RETAIL;Europe/London\r\n" +
		"\r\n" +
		"3;Ada@Example.org;;;\r\n" +
		"4;left@example.org;;;\r\n" +
		"5;active@example.org;;;\r\n" +
		"6;bounced@example.org;;;\r\n" +
		"7;not an address;;;\r\n" +
		"8;zone@example.org;;;Mars\r\n" +
		"9;\"open@example.org;;;\r\n" +
		"10;\"two@example.org\";\"Two\nLines\";\"AI & Data\";\r\n" +
		"11;bytes\xff@example.org;;;\r\n" +
		"12;short@example.org"
	res, rejected := w.imports(file)
	if res.Rows != 12 || res.Added != 3 || res.Already != 1 || res.Rejected != 8 || strings.Join(res.Ignored, ",") != "Phone" {
		t.Errorf("%+v", res)
	}
	want := `2 "1;ada@example.org;Ada;Retail|nothing;": there is no section "nothing"
5 "3;Ada@Example.org;;;": this address is in the file already, further up
6 "4;left@example.org;;;": this person left, and an import brings nobody back
8 "6;bounced@example.org;;;": this address must not be mailed
9 "7;not an address;;;": An e-mail address has an @ in it, as in name@example.org.
10 "8;zone@example.org;;;Mars": This is not the name of a time zone, such as Europe/London.
11 "9;\"open@example.org;;;": a quotation mark is opened and not closed
14 "11;bytes@example.org;;;": the line is not UTF-8
`
	if rejected != want {
		t.Errorf("rejected\n%s\nwant\n%s", rejected, want)
	}
	ada := w.subscriber("ada@example.org")
	if ada.Name != "Ada" || ada.TimeZone != "Europe/London" || ada.Subscriptions[0].Sections != newsletter.Mask(0).With(retail) {
		t.Errorf("%+v", ada)
	}
	if two := w.subscriber("two@example.org"); two.Name != "Two Lines" {
		t.Errorf("%+v", two)
	}
	_, events, _ := w.Subscriber(t.Context(), "ada@example.org")
	if len(events) != 1 || events[0].Kind != newsletter.EventImported || events[0].Note != "shop check-out" || events[0].Actor != "eva" {
		t.Errorf("%+v", events)
	}
	before := w.count(`SELECT COUNT(*) FROM subscription_events`)
	again, _ := w.imports(file)
	if again.Added != 0 || again.Already != 4 || w.count(`SELECT COUNT(*) FROM subscription_events`) != before {
		t.Errorf("the same file again: %+v", again)
	}
	if sent := w.deliver(); len(sent) != 0 {
		t.Errorf("%d mails were sent", len(sent))
	}
}

func TestImport_RefusesFilesThatItCannotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct{ file, consent, cadence string }{
		"empty":            {"", "x", ""},
		"blank":            {"\n\n", "x", ""},
		"no header":        {"a@example.org,Ada\n", "x", ""},
		"two columns":      {"email,E-Mail\n", "x", ""},
		"UTF-16":           {"\xff\xfee\x00m\x00a\x00i\x00l\x00", "x", ""},
		"no consent":       {"email\na@example.org\n", " ", ""},
		"unknown cadence":  {"email\na@example.org\n", "x", "weekly"},
		"header too long":  {"email," + strings.Repeat("x", 100_000) + "\n", "x", ""},
		"header not ended": {"\"email,name\na@example.org\n", "x", ""},
	} {
		_, err := w.Import(t.Context(), strings.NewReader(c.file), readers.ImportOptions{Newsletter: "daily-news", Consent: c.consent, Cadence: c.cadence})
		if newsletter.KindOf(err) != newsletter.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := w.count(`SELECT COUNT(*) FROM subscribers`); n != 0 {
		t.Errorf("%d subscribers", n)
	}
	_, err := w.Import(t.Context(), strings.NewReader("email\n"), readers.ImportOptions{Newsletter: "nope", Consent: "x"})
	wantKind(t, err, newsletter.NotFound, "")
	w.exec(`UPDATE newsletters SET status = 'closed'`)
	_, err = w.Import(t.Context(), strings.NewReader("email\n"), readers.ImportOptions{Newsletter: "weekly", Consent: "x"})
	wantKind(t, err, newsletter.Conflict, "")
}

func TestImport_OneOpenQuotationMarkCostsOneLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var file strings.Builder
	file.WriteString("email,name\n")
	for i := range 500 {
		name := "Reader"
		if i == 100 {
			name = `"Reader`
		}
		fmt.Fprintf(&file, "r%d@example.org,%s\n", i, name)
	}
	res, rejected := w.imports(file.String())
	if res.Added != 499 || rejected != "102 \"r100@example.org,\\\"Reader\": a quotation mark is opened and not closed\n" {
		t.Errorf("%+v, %s", res, rejected)
	}
}

func TestImport_LongLinesCostThemselves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res, rejected := w.imports("email,name\na@example.org,A\nb@example.org," + strings.Repeat("b", 1<<20) + "\n\"c@example.org\n" + strings.Repeat("c", 40<<10) + "\nd@example.org,D\n")
	if res.Added != 2 || res.Rejected != 3 || strings.Count(rejected, "too long") != 2 || !strings.Contains(rejected, "4 \"") {
		t.Errorf("%+v\n%s", res, rejected)
	}
}

func TestImport_CountsWhatIsCommittedWhenItEndsEarly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var file bytes.Buffer
	file.WriteString("email\n")
	for i := range 5000 {
		fmt.Fprintf(&file, "r%d@example.org\n", i)
	}
	broken := io.MultiReader(bytes.NewReader(file.Bytes()[:file.Len()-5000]), errReader{})
	var told []int
	res, err := w.Import(t.Context(), broken, readers.ImportOptions{
		Newsletter: "daily-news", Consent: "x", Progress: func(done int) { told = append(told, done) },
	})
	if !errors.Is(err, errBroken) || res.Added != 4000 || fmt.Sprint(told) != "[2000 4000]" {
		t.Errorf("%+v, %v, told %v", res, err, told)
	}
	if n := w.count(`SELECT COUNT(*) FROM subscriptions WHERE state = 'active'`); n != res.Added {
		t.Errorf("%d are active, %d were counted", n, res.Added)
	}
	res, _ = w.imports(file.String())
	if res.Already != 4000 || res.Added != 1000 {
		t.Errorf("going on: %+v", res)
	}
	stop := errors.New("stop")
	_, err = w.Import(t.Context(), strings.NewReader("email\nbad\n"), readers.ImportOptions{
		Newsletter: "daily-news", Consent: "x", Reject: func(int, string, string) error { return stop },
	})
	if !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
}

var errBroken = errors.New("the disk is gone")

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errBroken }
