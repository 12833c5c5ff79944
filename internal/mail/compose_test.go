package mail

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	netmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	_ "github.com/emersion/go-message/charset" // other charsets, should one ever appear
	gomessage "github.com/emersion/go-message/mail"

	"broadsheet/internal/newsletter"
)

var update = flag.Bool("update", false, "write the golden files")

// digest is a list mail with everything in it.
func digest() Message {
	return Message{
		From:     newsletter.Address{Name: "Example News", Email: "news@example.org"},
		ReplyTo:  newsletter.Address{Name: "Die Redaktion (Köln)", Email: "editors@example.org"},
		Subject:  "Zeitungen prüfen neue Wege: 5 Geschichten, eine Minute – und “Exclusive: the long read” für heute",
		Language: "en-GB",
		Text: "Daily News\r\n\r\n.A line that begins with a dot\r\n..and one with two\r\nÄrger über = und \ttabs \r\n" +
			strings.Repeat("A long line with words in it. ", 20) +
			"\r\nhttps://news.example.org/a?b=c&d=" + strings.Repeat("e", 200) + "\r\n\r\nUnsubscribe: " + newsletter.PlaceUnsubscribe +
			"\r\nor choose: " + newsletter.PlaceManage + " \r\n",
		HTML: "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<title>Daily</title>\n<p>Grüße &amp; more</p>\n.\n" +
			"<a href=\"" + newsletter.PlaceManage + "\">change</a> or <a\nhref=\"" + newsletter.PlaceUnsubscribe + "\">unsubscribe</a>, <a href='" + newsletter.PlaceManage + "'>ändern</a>\n</html>",
		List:       &List{Name: "Daily “News”", ID: "daily-news.news.example.org"},
		FeedbackID: "42:daily-news:digest:broadsheet",
		Headers:    []Header{{"X-Broadsheet-Edition", "42"}},
	}
}

func reader() Personal {
	return Personal{
		To:             newsletter.Address{Name: "Zoë Ångström", Email: "zoe@example.net"},
		MessageID:      "e42.s7@example.org",
		Date:           time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC),
		UnsubscribeURL: "https://news.example.org/unsubscribe/AAECAwQFBgcICQoLDA0ODw?a=1&b=\"2\"",
		ManageURL:      "https://news.example.org/manage/AAECAwQFBgcICQoLDA0ODw",
	}
}

func compose(t testing.TB, m Message) *Variant {
	t.Helper()
	v, err := Compose(m)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCompose_GoldenMessages(t *testing.T) {
	t.Parallel()
	confirmation := Message{
		From:    newsletter.Address{Name: "Example News", Email: "confirm@example.org"},
		Subject: "Please confirm",
		Text:    "Press the button on this page:\nhttps://news.example.org/confirm/x",
		HTML:    "<p><a href=\"https://news.example.org/confirm/x\">Confirm</a></p>",
	}
	plain := confirmation
	plain.HTML = ""
	for name, m := range map[string]Message{"digest": digest(), "confirmation": confirmation, "plain": plain} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := compose(t, m).Append(nil, reader())
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".eml")
			if *update {
				if err := os.WriteFile(file, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("differs from %s; run with -update and look at the change:\n%s", file, got)
			}
		})
	}
}

// scripts are ranges of characters to make names of.
var scripts = []string{
	"abcdefghijklmnopqrstuvwxyz", "ABCXYZ  .,;:", "äöüßéèñçøå", "АБВГДабвгд ", "αβγδεζη",
	"אבגדה", "ابتثجح", "漢字仮名交じり文", "한국어이름", "ไทยภาษา", "देवनागरी", "👩‍👩‍👧🏽🇩🇪❤️", "\"\\,()<>@[]", "=?_",
	"\r\n\t\x00\x7f", "\u202e\u2066\u200f", "\u0301\u0308", "\xff\xfe", "\u00a0\u2003",
}

func randomName(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(6) {
		runes := []rune(scripts[r.IntN(len(scripts))])
		for range r.IntN(40) {
			b.WriteRune(runes[r.IntN(len(runes))])
		}
		if r.IntN(2) == 0 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func randomURL(r *rand.Rand, path string) string {
	const chars = "abcXYZ019-_.~?&=%'\"+/#"
	var b strings.Builder
	for range r.IntN(200) {
		b.WriteByte(chars[r.IntN(len(chars))])
	}
	return "https://news.example.org/" + path + "/" + b.String()
}

func randomReader(r *rand.Rand) Personal {
	locals := []string{"a", "jane.doe+tag", "\"quo\\\"ted,\"", "jürgen", strings.Repeat("l", 64), "o'brien"}
	domains := []string{"example.org", "xn--bcher-kva.example", strings.Repeat("d.", 90) + "example"}
	return Personal{
		To:             newsletter.Address{Name: randomName(r), Email: locals[r.IntN(len(locals))] + "@" + domains[r.IntN(len(domains))]},
		MessageID:      fmt.Sprintf("%x.%s@example.org", r.Uint64(), strings.Repeat("m", r.IntN(150))),
		Date:           time.Unix(r.Int64N(4e9), 0),
		UnsubscribeURL: randomURL(r, "unsubscribe"),
		ManageURL:      randomURL(r, "manage"),
	}
}

// The property on which everything rests: for any reader, filling the slots gives what
// go-mail gives for the whole message, and parsers of others read from it what was meant.
func TestAppend_IsWhatGoMailComposes_ForRandomReaders(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		m := digest()
		m.From.Name, m.List.Name = strings.ToValidUTF8(randomName(r), ""), randomName(r)
		if len(m.From.Name) > maxSenderName {
			m.From.Name = ""
		}
		m.Subject = "S " + randomName(r)
		m.Text += randomName(r) + newsletter.PlaceManage + randomName(r) + "\n" + newsletter.PlaceUnsubscribe
		m.HTML += html.EscapeString(randomName(r)) + "\t" + newsletter.PlaceManage + " \t\n"
		if round%3 == 0 {
			m.List = nil
		}
		v := compose(t, m)
		stored, err := v.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseVariant(stored)
		if err != nil {
			t.Fatal(err)
		}
		if again.Hash() != v.Hash() || again.Size() != v.Size() || again.HTMLSize() != v.HTMLSize() || again.needs != v.needs {
			t.Errorf("a stored variant came back as another: %+v, was %+v", again.needs, v.needs)
		}
		for range 25 {
			p := randomReader(r)
			want, err := ComposeOne(m, p)
			if err != nil {
				t.Fatal(err)
			}
			got, err := again.Append([]byte("before"), p)
			if err != nil {
				t.Fatal(err)
			}
			if got = got[len("before"):]; !bytes.Equal(got, want) {
				t.Fatalf("for %+v\ngot\n%s\nwant\n%s", p, got, want)
			}
			checkForm(t, got)
			checkMeaning(t, got, m, p)
		}
	}
}

// checkForm checks what holds for any message: line ends, line lengths, fields once.
func checkForm(t *testing.T, data []byte) {
	t.Helper()
	if !bytes.HasSuffix(data, []byte("\r\n")) {
		t.Error("the message does not end in CRLF")
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(data), "\r\n"), "\r\n") {
		if strings.ContainsAny(line, "\r\n") {
			t.Errorf("a bare CR or LF in %q", line)
		}
		if len(line) > maxLine || len(line) > wantLine && strings.Contains(line, " =?") {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
	}
	header, _, _ := strings.Cut(string(data), "\r\n\r\n")
	seen := map[string]int{}
	for line := range strings.SplitSeq(header, "\r\n") {
		if name, _, ok := strings.Cut(line, ":"); ok && line[0] != ' ' {
			seen[name]++
		}
		if strings.TrimSpace(line) == "" {
			t.Errorf("an empty line within the header: %q", header)
		}
	}
	for _, name := range []string{"From", "To", "Date", "Message-ID", "Subject", "MIME-Version", "Auto-Submitted"} {
		if seen[name] != 1 {
			t.Errorf("%s stands %d times in %q", name, seen[name], header)
		}
	}
	for name, n := range seen {
		if n != 1 || name == "User-Agent" || name == "X-Mailer" {
			t.Errorf("%s stands %d times", name, n)
		}
	}
}

// checkMeaning parses the message by net/mail and go-message.
func checkMeaning(t *testing.T, data []byte, m Message, p Personal) {
	t.Helper()
	std, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	to, err := netmail.ParseAddress(std.Header.Get("To"))
	if err != nil {
		t.Fatalf("%v in %q", err, std.Header.Get("To"))
	}
	wantTo, err := netmail.ParseAddress(p.To.Email)
	if err != nil {
		t.Fatal(err)
	}
	if to.Name != cleanName(p.To.Name) || to.Address != wantTo.Address {
		t.Errorf("To is %q <%s>, want %q <%s>, from %q", to.Name, to.Address, cleanName(p.To.Name), p.To.Email, std.Header.Get("To"))
	}
	if id := std.Header.Get("Message-Id"); id != "<"+p.MessageID+">" {
		t.Errorf("Message-ID is %q", id)
	}
	if date, err := std.Header.Date(); err != nil || !date.Equal(p.Date) {
		t.Errorf("Date is %v (%v), want %v", date, err, p.Date)
	}
	if m.List != nil {
		if got := std.Header.Get("List-Unsubscribe"); got != "<"+p.UnsubscribeURL+">" {
			t.Errorf("List-Unsubscribe is %q", got)
		}
		if got := std.Header.Get("List-Id"); !strings.HasSuffix(got, "<"+m.List.ID+">") {
			t.Errorf("List-Id is %q", got)
		}
	}
	reader, err := gomessage.CreateReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if subject, err := reader.Header.Subject(); err != nil || subject != cleanName(m.Subject) {
		t.Errorf("Subject is %q (%v), want %q", subject, err, cleanName(m.Subject))
	}
	if from, err := reader.Header.AddressList("From"); err != nil || len(from) != 1 || from[0].Name != cleanName(m.From.Name) {
		t.Errorf("From is %v (%v), want %q", from, err, m.From.Name)
	}
	var parts []string
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(part.Body)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part.Header.Get("Content-Type")+"\n"+strings.ReplaceAll(string(body), "\r\n", "\n"))
	}
	want := []string{
		"text/plain; charset=UTF-8\n" + fillPlaces(unixLines(m.Text), p.UnsubscribeURL, p.ManageURL),
		"text/html; charset=UTF-8\n" + fillPlaces(unixLines(m.HTML), html.EscapeString(p.UnsubscribeURL), html.EscapeString(p.ManageURL)),
	}
	if len(parts) != 2 || parts[0] != want[0] || parts[1] != want[1] {
		t.Errorf("the parts are\n%q\nwant\n%q", parts, want)
	}
}

func TestCompose_SameMessage_SameBytes(t *testing.T) {
	t.Parallel()
	first := compose(t, digest())
	for range 20 {
		if again := compose(t, digest()); again.Hash() != first.Hash() {
			t.Fatal("two compositions of one message differ")
		}
	}
	other := digest()
	other.Headers[0].Value = "43"
	if compose(t, other).Hash() == first.Hash() {
		t.Error("two messages have the same hash")
	}
}

func TestHTMLSize_IsThePartAsSent(t *testing.T) {
	t.Parallel()
	m := digest()
	p := reader()
	p.UnsubscribeURL, p.ManageURL = newsletter.PlaceUnsubscribe, newsletter.PlaceManage
	v := compose(t, m)
	data, err := v.Append(nil, p)
	if err != nil {
		t.Fatal(err)
	}
	part := regexp.MustCompile(`(?s)text/html; charset=UTF-8\r\n\r\n(.*)\r\n--part-[0-9a-f]+--\r\n$`).FindSubmatch(data)
	if part == nil || v.HTMLSize() != len(part[1]) {
		t.Errorf("HTMLSize is %d", v.HTMLSize())
	}
	if d := len(data) - v.Size(); d < 0 || d > 300 {
		t.Errorf("Size is %d of %d", v.Size(), len(data))
	}
}

func TestCompose_RefusesWhatCouldBreakTheHeader(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Message){
		"no subject":       func(m *Message) { m.Subject = " \r\n" },
		"no text":          func(m *Message) { m.Text = "\n" },
		"from":             func(m *Message) { m.From.Email = "a@b\r\nBcc: c@d" },
		"from empty":       func(m *Message) { m.From.Email = "" },
		"from name":        func(m *Message) { m.From.Name = strings.Repeat("n", 301) },
		"reply-to":         func(m *Message) { m.ReplyTo.Email = "nobody" },
		"language":         func(m *Message) { m.Language = "en\r\nX: y" },
		"list id":          func(m *Message) { m.List.ID = "daily>\r\nX: y" },
		"list id one word": func(m *Message) { m.List.ID = "daily" },
		"feedback":         func(m *Message) { m.FeedbackID = "a\nb" },
		"header value":     func(m *Message) { m.Headers = []Header{{"X-A", "b\r\nBcc: c"}} },
		"header name":      func(m *Message) { m.Headers = []Header{{"X-A: b\r\nBcc", "c"}} },
		"header long":      func(m *Message) { m.Headers = []Header{{"X-A", strings.Repeat("b", 1000)}} },
		"header ours":      func(m *Message) { m.Headers = []Header{{"sUbject", "c"}} },
	} {
		m := digest()
		change(&m)
		_, err := Compose(m)
		if newsletter.KindOf(err) != newsletter.Invalid {
			t.Errorf("%s: %v, want an Invalid error", name, err)
		}
	}
}

func TestAppend_RefusesWhatCouldBreakTheMessage(t *testing.T) {
	t.Parallel()
	v := compose(t, digest())
	for name, change := range map[string]func(*Personal){
		"to":               func(p *Personal) { p.To.Email = "a@b>\r\nBcc: <c@d" },
		"no to":            func(p *Personal) { p.To.Email = "" },
		"id":               func(p *Personal) { p.MessageID = "a@b>\r\nX: <y" },
		"no id":            func(p *Personal) { p.MessageID = "" },
		"no date":          func(p *Personal) { p.Date = time.Time{} },
		"no unsubscribe":   func(p *Personal) { p.UnsubscribeURL = "" },
		"unsubscribe":      func(p *Personal) { p.UnsubscribeURL = "https://a/\r\nX: y" },
		"unsubscribe kind": func(p *Personal) { p.UnsubscribeURL = "javascript:alert(1)" },
		"no manage":        func(p *Personal) { p.ManageURL = "" },
		"manage long":      func(p *Personal) { p.ManageURL = "https://a/" + strings.Repeat("b", 1000) },
	} {
		p := reader()
		change(&p)
		got, err := v.Append([]byte("kept"), p)
		if err == nil || string(got) != "kept" {
			t.Errorf("%s: %q, %v, want an error and the buffer as it was", name, got, err)
		}
	}
}

func TestParseVariant_RefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	stored, _ := compose(t, digest()).MarshalBinary()
	for _, bad := range [][]byte{
		nil, []byte("BSV1"), []byte("BSV2"), stored[:len(stored)-1], stored[:20],
		append(bytes.Clone(stored), 9, 0), append(bytes.Clone(stored), 1), append(bytes.Clone(stored), 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
	} {
		if _, err := ParseVariant(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	m := digest()
	m.HTML = strings.Repeat("<p class=\"story\">Grüße and a long line of a story in the digest, as they are.</p>\n", 240) + m.HTML
	v, p := compose(b, m), reader()
	buf, err := v.Append(nil, p)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = v.Append(buf[:0], p)
	}
}

func BenchmarkComposeOne(b *testing.B) {
	m := digest()
	m.HTML = strings.Repeat("<p class=\"story\">Grüße and a long line of a story in the digest, as they are.</p>\n", 240) + m.HTML
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ComposeOne(m, reader()); err != nil {
			b.Fatal(err)
		}
	}
}
