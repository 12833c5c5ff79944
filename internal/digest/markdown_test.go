package digest

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"broadsheet/internal/newsletter"
)

func TestMarkdown_HTMLAndText(t *testing.T) {
	for source, want := range map[string][2]string{
		"One *two* **three** & <b> 2 < 3": {},
		"One *two* **three** & 2 < 3 \\*": {`<p dir="auto" style="margin:0">One <em>two</em> <strong>three</strong> &amp; 2 &lt; 3 *</p>`, "> One two three & 2 < 3 *"},
		"a\nb\n\nc":                       {`<p dir="auto" style="margin:0 0 12px">a` + "\n" + `b</p>` + "\n" + `<p dir="auto" style="margin:0">c</p>`, "> a b\n\n> c"},
		"See [our *page*](https://example.org/a&b?c=\"d\") now": {
			`<p dir="auto" style="margin:0">See <a class="hot" href="https://example.org/a&amp;b?c=%22d%22" style="color:#06c;text-decoration:underline">our <em>page</em></a> now</p>`,
			"> See our page now\n> https://example.org/a&b?c=%22d%22"},
		"Intro\n\n* one\n* two\n  1. deep": {
			`<p dir="auto" style="margin:0 0 12px">Intro</p>` + "\n" + `<ul style="margin:0;padding:0 22px">` + "\n" + `<li dir="auto" style="margin:0 0 4px">one</li>` + "\n" +
				`<li dir="auto" style="margin:0 0 4px">two<ol style="margin:0;padding:0 22px">` + "\n" + `<li dir="auto" style="margin:0 0 4px">deep</li>` + "\n</ol>\n</li>\n</ul>",
			"> Intro\n\n> *  one\n> *  two\n>    1. deep"},
		"per&#115;onal&#46;invalid": {`<p dir="auto" style="margin:0"></p>`, "> "},
	} {
		r, err := newRich(source, "#06c")
		if want == [2]string{} {
			if err == nil {
				t.Errorf("%q was read", source)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", source, err)
			continue
		}
		if got := strings.TrimSpace(string(r.HTML)); got != want[0] {
			t.Errorf("%q: HTML\n%s\nwant\n%s", source, got, want[0])
		}
		if got := r.Text("> "); got != want[1] {
			t.Errorf("%q: text\n%s\nwant\n%s", source, got, want[1])
		}
	}
}

func TestMarkdown_WhatCannotBeMailed_IsNamedByLine(t *testing.T) {
	for source, want := range map[string]string{
		"fine\n\n# Heading":                                     "line 3: a heading",
		"fine\n\nHeading\n=====":                                "line 3: a heading",
		"one\ntwo ![x](https://example.org/x.png)":              "line 2: a picture",
		"one\ntwo <b>x</b>":                                     "line 2: HTML",
		"one\n\n<div>\nx\n</div>":                               "line 3: HTML",
		"one\n\n    code":                                       "line 3: code",
		"one\n\n```\ncode\n```":                                 "line",
		"a `b` c":                                               "line 1: code",
		"\n\n> quoted":                                          "line 3: a quotation",
		"one\n\n---\n\ntwo":                                     "a rule",
		"one\n[x](javascript:alert(1))":                         "line 2: the link",
		"one\n[x](/page)":                                       "line 2: the link",
		"<mailto:a@example.org>":                                "line 1: the link",
		"[x](https://personal.invalid/manage)":                  "line 1: the link",
		"[x](https://personal&#46;invalid/manage)":              "line 1: the link",
		"* a\n  * b\n    * c":                                   "line 3: a list",
		"[x]\n\n[x]: javascript:alert(1)":                       "line 1: the link",
		strings.Repeat("fine\n\n", 20) + "[x](ftp://a.example)": "line 41: the link",
	} {
		if err := CheckMarkdown("intro", source); newsletter.KindOf(err) != newsletter.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", source, err, want)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range append(hostile(), "* a\n  1. b\n\n   c", "**a *b** c*", "[a](<https://e.org/ x>)", "a  \nb\\\nc", "[a][b]\n\n[b]: https://e.org 'x'") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 2000 {
			return
		}
		r, err := newRich(cleanText(s), "#06c")
		if err != nil || r == nil {
			return
		}
		doc, err := html.Parse(strings.NewReader(string(r.HTML)))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			if n.Type == html.ElementNode && !strings.Contains(" html head body p ul ol li em strong a br ", " "+n.Data+" ") {
				t.Fatalf("%q made <%s>", s, n.Data)
			}
			for _, a := range n.Attr {
				if a.Key == "href" && !strings.HasPrefix(a.Val, "http") {
					t.Fatalf("%q made a link to %q", s, a.Val)
				}
			}
		}
		everything := string(r.HTML) + r.Text("")
		if strings.Contains(strings.ToLower(everything), "personal.invalid") {
			t.Fatalf("%q made a place", s)
		}
		if strings.ContainsFunc(everything, func(r rune) bool { return unicode.IsControl(r) && r != '\n' || isBidiControl(r) }) {
			t.Fatalf("%q made a control character", s)
		}
	})
}
