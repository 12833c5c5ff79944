package digest

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"broadsheet/internal/newsletter"
)

// hostile are texts that a stranger's feed may hold.
func hostile() []string {
	return []string{
		`<script>alert(1)</script>`,
		`"><img src=x onerror=alert(1)>`,
		`</title></head><body onload=alert(1)>`,
		`</style><style>*{display:none}`,
		`{{.Unsubscribe}} {{template "head" .}} {newsletter} {author}`,
		"first\r\nBcc: all@example.org\r\n\r\nbody",
		"one\u2028two\u2029three\x85four\x00\x1b[31m",
		newsletter.PlaceUnsubscribe,
		"HTTPS://PERSONAL.INVALID/manage personal.perso\x00nal.invalidinvalid",
		"personal\x01.invalid per\u202esonal.invalid",
		`<!--[if mso]>` + newsletter.PlaceManage + `<![endif]-->`,
		"\xff\xfe broken \xc3 UTF-8",
		"--\n-- \nFrom somebody",
		"\u202eright to left override",
		strings.Repeat("x", 5000),
		strings.Repeat("👩‍👩‍👧‍👦", 400),
	}
}

func TestRender_HostileText_StaysText(t *testing.T) {
	want := mustRender(t, sampleSnapshot(t, 2))
	elements := func(v Variant) (n int) {
		for range parseHTML(t, v.HTML).Descendants() {
			n++
		}
		return n
	}
	for _, text := range hostile() {
		s := sampleSnapshot(t, 2, func(n *newsletter.Newsletter, c []newsletter.Candidate, w *Words) {
			short := cut(text, 100)
			n.Name, n.From.Name, n.LegalFooter = "News "+short, "From "+short, "Legal "+short
			w.Subject = cut(text, 190)
			for i := range c {
				c[i].Headline, c[i].Summary, c[i].Author, c[i].Label = "H "+text, "S "+text, "A "+text, "L "+text
				c[i].Image.Alt = text
			}
		})
		v := mustRender(t, s)
		checkPersonalLines(t, v)
		doc := checkAccessible(t, v.HTML, "en", "ltr", textOf(all(parseHTML(t, v.HTML), "title")[0]))
		for n := range doc.Descendants() {
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") {
					t.Errorf("%q made the attribute %s", text, a.Key)
				}
			}
		}
		if got := len(all(doc, "style")); got != 2 {
			t.Errorf("%q made %d style sheets", text, got)
		}
		// A legal footer of several lines has more paragraphs; nothing else may grow.
		if !strings.ContainsAny(text, "\r\n") && elements(v) > elements(want)+30 {
			t.Errorf("%q made %d nodes of %d", text, elements(v), elements(want))
		}
		for _, part := range []string{v.Subject, v.Preheader} {
			if strings.ContainsFunc(part, unicode.IsControl) {
				t.Errorf("%q: a header has a control character: %q", text, part)
			}
		}
		for _, part := range []string{v.Subject, v.Preheader, v.HTML, v.Text} {
			if !utf8.ValidString(part) {
				t.Errorf("%q made invalid UTF-8", text)
			}
			if strings.ContainsRune(part, '\u202e') {
				t.Errorf("%q: the direction of what follows is changed", text)
			}
		}
		if strings.Count(strings.ToLower(v.HTML+v.Text), "personal.invalid") != 4 {
			t.Errorf("%q made a place", text)
		}
	}
}

func TestNew_OnlyWebLinks(t *testing.T) {
	for _, link := range []string{
		"javascript:alert(1)", "data:text/html,x", "//example.org/x", "/x", "", "mailto:a@example.org", "https://",
		"https://user:pass@example.org/", "https://personal.invalid/x", "https://PERSONAL.invalid", "ftp://example.org/x",
		"https://example.org/?u=https://personal.invalid/manage", "https://[::1", "https://example.org/" + strings.Repeat("x", 2000),
	} {
		if got, ok := cleanURL(link); ok {
			t.Errorf("%q can be mailed as %q", link, got)
		}
	}
	for link, want := range map[string]string{
		" https://example.org/a b?c=\"d\" ": "https://example.org/a%20b?c=%22d%22",
		"https://example.org/größe#x":       "https://example.org/gr%C3%B6%C3%9Fe#x",
		"https://example.org/a%20b?x=%C3":   "https://example.org/a%20b?x=%C3",
		"https://example.org/a\r\nBcc: x":   "https://example.org/a%0D%0ABcc:%20x",
	} {
		if got, ok := cleanURL(link); !ok || got != want {
			t.Errorf("cleanURL(%q) = %q, %v; want %q", link, got, ok, want)
		}
	}
}

func TestNew_ImageWithBadLink_IsLeftOut(t *testing.T) {
	v := mustRender(t, sampleSnapshot(t, 1, func(_ *newsletter.Newsletter, c []newsletter.Candidate, _ *Words) {
		c[0].Image.URL = "javascript:alert(1)"
	}))
	if strings.Contains(v.HTML, "<img") {
		t.Error("the image was taken")
	}
}

func TestRenderConfirm_SaysNothingBeyondItsData(t *testing.T) {
	data := sampleConfirm()
	data.Address = `"<b>x</b>"@example.org`
	_, source, text, err := RenderConfirm(mailSources(t), data)
	if err != nil {
		t.Fatal(err)
	}
	if len(all(parseHTML(t, source), "b")) != 0 {
		t.Error("the address became markup")
	}
	if !strings.Contains(text, data.Address) {
		t.Error("the address is missing")
	}
	data.ConfirmURL = "javascript:alert(1)"
	if _, _, _, err := RenderConfirm(mailSources(t), data); newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("a link that is no web address gave %v", err)
	}
	data = sampleConfirm()
	data.Wanted = nil
	if _, _, _, err := RenderConfirm(mailSources(t), data); newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("a mail about nothing gave %v", err)
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range hostile() {
		f.Add(s, 20)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		c := clean(s)
		if !utf8.ValidString(c) || strings.ContainsFunc(c, unicode.IsControl) || strings.TrimSpace(c) != c {
			t.Errorf("clean(%q) = %q", s, c)
		}
		if clean(c) != c {
			t.Errorf("clean(%q) = %q, cleaned again %q", s, c, clean(c))
		}
		if strings.Contains(strings.ToLower(c), "personal.invalid") {
			t.Errorf("clean(%q) = %q has a place", s, c)
		}
		n = max(0, n%2000)
		if short := cut(c, n); utf8.RuneCountInString(short) > n && short != c {
			t.Errorf("cut(%q, %d) = %q", c, n, short)
		}
		if wrapped := wrap("", "", c); strings.Join(strings.Fields(wrapped), "") != strings.Join(strings.Fields(c), "") {
			t.Errorf("wrap(%q) = %q", c, wrapped)
		}
	})
}

func FuzzCleanURL(f *testing.F) {
	f.Add("https://example.org/a?b=c#d", "utm_source=x&b=y")
	f.Add("https://example.org#x", "a&=b")
	f.Fuzz(func(t *testing.T, raw, params string) {
		link, ok := cleanURL(raw)
		if !ok {
			return
		}
		if strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '<' }) {
			t.Errorf("cleanURL(%q) = %q", raw, link)
		}
		if !validParams(params) {
			return
		}
		if with := addParams(link, params); addParams(with, params) != with {
			t.Errorf("addParams(%q, %q) twice is %q", link, params, addParams(with, params))
		}
	})
}
