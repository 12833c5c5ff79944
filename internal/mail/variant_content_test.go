package mail

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// big is a digest of about 22 kB.
func big() Message {
	m := digest()
	m.HTML = strings.Repeat("<p class=\"story\">Grüße and a long line of a story in the digest, as they are.</p>\n", 190) + m.HTML
	return m
}

func TestStuff(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                       "",
		"a":                      "a\r\n",
		"a\r\n":                  "a\r\n",
		"\r\n":                   "\r\n",
		".":                      "..\r\n",
		".\r\n..\r\na.\r\n":      "..\r\n...\r\na.\r\n",
		"a\r\n.b\r\n\r\n.\r\n.c": "a\r\n..b\r\n\r\n..\r\n..c\r\n",
	} {
		got, err := Stuff([]byte("before"), []byte(in))
		if err != nil || string(got) != "before"+want {
			t.Errorf("%q becomes %q (%v), want %q", in, got, err, want)
		}
	}
}

func TestStuff_RefusesOtherLineEnds(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"a\nb\r\n", "\n", "a\rb\r\n", "a\r", "\r\r\n", "a\r\n\n", "a\r\n.\n.\r\n"} {
		if got, err := Stuff([]byte("kept"), []byte(in)); err == nil || string(got) != "kept" {
			t.Errorf("%q becomes %q, %v, want an error and the buffer as it was", in, got, err)
		}
	}
}

// For any reader the content is what the plain and slow way gives, signed and unsigned.
func TestAppendContent_IsAppendSignedAndStuffed(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	signer := testSigner(t, "example.org")
	for round := range 40 {
		m := digest()
		m.Subject = "S " + randomName(r)
		// Dots and runs of spaces wherever a line begins or a value is filled in.
		dots := []string{".", "..", ". ", "  .", "\t", " ", "", strings.Repeat("a", 74) + "."}
		pick := func() string { return dots[r.IntN(len(dots))] }
		m.Text += pick() + randomName(r) + newsletter.PlaceManage + pick() + randomName(r) + "\n" + pick() + newsletter.PlaceUnsubscribe + pick() + newsletter.PlaceManage
		m.HTML += pick() + newsletter.PlaceManage + strings.Repeat(pick(), r.IntN(90)) + " \t\n"
		if round%3 == 0 {
			m.List = nil
		}
		if round%4 == 0 {
			m.HTML = ""
		}
		v := compose(t, m)
		stored, err := v.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if v, err = ParseVariant(stored); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			p := randomReader(r)
			p.UnsubscribeURL, p.ManageURL = strings.ReplaceAll(p.UnsubscribeURL, "e", "."), p.ManageURL+strings.Repeat(".", r.IntN(200))
			if r.IntN(2) == 0 { // links as they are: nothing in them to encode
				p.UnsubscribeURL, p.ManageURL = bare(p.UnsubscribeURL), bare(p.ManageURL)
			}
			plain, err := v.Append(nil, p)
			if err != nil {
				t.Fatal(err)
			}
			sameContent(t, v, p, nil, plain)
			signed, err := signer.Sign(plain)
			if err != nil {
				t.Fatal(err)
			}
			sameContent(t, v, p, signer, signed)
		}
	}
}

func bare(url string) string {
	return strings.NewReplacer("&", "", "<", "", ">", "", `"`, "", "'", "", "=", "").Replace(url)
}

func sameContent(t *testing.T, v *Variant, p Personal, s *Signer, message []byte) {
	t.Helper()
	want, err := Stuff(nil, message)
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.AppendContent([]byte("before"), p, s)
	if err != nil {
		t.Fatal(err)
	}
	if got = bytes.TrimPrefix(got, []byte("before")); !bytes.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		t.Fatalf("differs from octet %d on, at %q, want %q; for %+v\ngot\n%s\nwant\n%s", at, got[at:min(at+60, len(got))], want[at:min(at+60, len(want))], p, got, want)
	}
}

func TestAppendContent_RefusesWhatAppendRefuses(t *testing.T) {
	t.Parallel()
	v, p := compose(t, digest()), reader()
	p.To.Email = "a@b>\r\nBcc: <c@d"
	for _, s := range []*Signer{nil, testSigner(t, "example.org")} {
		if got, err := v.AppendContent([]byte("kept"), p, s); err == nil || string(got) != "kept" {
			t.Errorf("%q, %v, want an error and the buffer as it was", got, err)
		}
	}
}

func TestAppendContent_NeedsNoMemory_WithABufferOfItsOwn(t *testing.T) {
	// Not parallel: AllocsPerRun counts those of everybody.
	v, p := compose(t, big()), reader()
	p.To.Name = "Jane Doe"
	buf, err := v.AppendContent(nil, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { buf, _ = v.AppendContent(buf[:0], p, nil) }); n > 1 { // the words of a name
		t.Errorf("%.0f allocations a message", n)
	}
}

// A variant in which a slot does not stand where slots do could not be stuffed or signed
// piece by piece.
func TestParseVariant_RefusesSlotsInOtherPlaces(t *testing.T) {
	t.Parallel()
	line := segment{slotText, "x " + newsletter.PlaceManage}
	for name, segments := range map[string][]segment{
		"fits":               {{static, "From: a\r\nTo: "}, {kind: slotTo}, {static, "\r\n\r\n"}, line, {static, "\r\n"}},
		"in a line":          {{static, "To: "}, {kind: slotTo}, {static, "\r\n\r\nx"}, line, {static, "\r\n"}},
		"before a line":      {{static, "To: "}, {kind: slotTo}, {static, "\r\n\r\n"}, line, {static, "x\r\n"}},
		"line in the header": {{static, "To: a\r\n"}, line, {static, "\r\n\r\nx\r\n"}},
		"field in the body":  {{static, "To: a\r\n\r\nTo: "}, {kind: slotTo}, {static, "\r\n"}},
		"half a field":       {{static, "To: a "}, {kind: slotTo}, {static, "\r\n\r\nx\r\n"}},
		"no body":            {{static, "To: a\r\n"}},
		"no end":             {{static, "To: a\r\n\r\nx"}},
		"bare LF":            {{static, "To: a\r\n\r\nx\ny\r\n"}},
		"NUL":                {{static, "To: a\r\n\r\nx\x00\r\n"}},
	} {
		v := &Variant{segments: segments}
		stored, err := v.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseVariant(stored); (err == nil) != (name == "fits") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkAppendContent(b *testing.B) {
	v, p := compose(b, big()), reader()
	p.UnsubscribeURL = "https://news.example.org/unsubscribe/" + strings.Repeat("Ab-_", newsletter.LinkTokenLength/4)
	p.ManageURL = "https://news.example.org/manage/" + strings.Repeat("Ab-_", newsletter.LinkTokenLength/4)
	buf, err := v.AppendContent(nil, p, nil)
	if err != nil {
		b.Fatal(err)
	}
	other := bytes.Clone(buf)
	b.Run("memcpy", func(b *testing.B) {
		b.SetBytes(int64(len(buf)))
		for b.Loop() {
			buf = append(buf[:0], other...)
		}
	})
	b.Run("unsigned", func(b *testing.B) {
		b.SetBytes(int64(len(buf)))
		b.ReportAllocs()
		for b.Loop() {
			buf, _ = v.AppendContent(buf[:0], p, nil)
		}
	})
	signer, free := testSigner(b, "example.org"), freeSigner(b, "example.org")
	for _, c := range []struct {
		name   string
		signer *Signer
	}{{"signed", signer}, {"signed without RSA", free}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = v.AppendContent(buf[:0], p, c.signer)
			}
		})
	}
}

var testNow = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
