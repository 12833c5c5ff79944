package digest

import (
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

func TestAddParams_LeavesTheRestAlone(t *testing.T) {
	const params = "utm_source=newsletter&utm_medium=email"
	for link, want := range map[string]string{
		"https://example.org/a":                        "https://example.org/a?utm_source=newsletter&utm_medium=email",
		"https://example.org/a?":                       "https://example.org/a?utm_source=newsletter&utm_medium=email",
		"https://example.org/a?id=1&x=%C3%A4+b":        "https://example.org/a?id=1&x=%C3%A4+b&utm_source=newsletter&utm_medium=email",
		"https://example.org/a?id=1&":                  "https://example.org/a?id=1&utm_source=newsletter&utm_medium=email",
		"https://example.org/a#part":                   "https://example.org/a?utm_source=newsletter&utm_medium=email#part",
		"https://example.org/a?id=1#part?x":            "https://example.org/a?id=1&utm_source=newsletter&utm_medium=email#part?x",
		"https://example.org/a?utm_source=app":         "https://example.org/a?utm_source=app&utm_medium=email",
		"https://example.org/a%2Fb;v=1?a=1;b=2":        "https://example.org/a%2Fb;v=1?a=1;b=2&utm_source=newsletter&utm_medium=email",
		"https://example.org":                          "https://example.org?utm_source=newsletter&utm_medium=email",
		"https://example.org/?utm_medium=a&utm_source": "https://example.org/?utm_medium=a&utm_source",
	} {
		if got := addParams(link, params); got != want {
			t.Errorf("addParams(%q) = %q, want %q", link, got, want)
		}
	}
	if got := addParams("https://example.org/a#b", ""); got != "https://example.org/a#b" {
		t.Errorf("without parameters it is %q", got)
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		s    string
		n    int
		want string
	}{
		{"short", 10, "short"},
		{"exactly ten", 11, "exactly ten"},
		{"one two three four", 14, "one two three…"},
		{"one two, three four", 12, "one two…"},
		{strings.Repeat("x", 30), 10, "xxxxxxxxx…"},
		{"e\u0301e\u0301e\u0301", 4, "e\u0301…"},
		{"🇬🇧🇩🇪🇫🇷", 4, ""}, // nowhere can a row of flags be parted safely
		{"anything", 0, ""},
	} {
		if got := cut(tt.s, tt.n); got != tt.want {
			t.Errorf("cut(%q, %d) = %q, want %q", tt.s, tt.n, got, tt.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "1. "},
		{strings.Repeat("word ", 15), "1. " + strings.TrimSpace(strings.Repeat("word ", 14)) + "\n   word"},
		{"see https://example.org/" + strings.Repeat("x", 80) + " there", "1. see\n   https://example.org/" + strings.Repeat("x", 80) + "\n   there"},
		{strings.Repeat("漢", 36), "1. " + strings.Repeat("漢", 34) + "\n   漢漢"},
	} {
		if got := wrap("1. ", "   ", tt.text); got != tt.want {
			t.Errorf("wrap(%q) =\n%s\nwant\n%s", tt.text, got, tt.want)
		}
	}
}

func TestPhrases_OwnLanguageThenBaseThenEnglish(t *testing.T) {
	sources := mailSources(t)
	sources["words.de"] = "# Deutsch\nmore_news: Weitere Meldungen\ndate: {weekday}, {day}. {month} {year}\nmonths: Januar,Februar,März,April,Mai,Juni,Juli,August,September,Oktober,November,Dezember\nby: Von {author}"
	sources["words.de-AT"] = "months: Jänner,Februar,März,April,Mai,Juni,Juli,August,September,Oktober,November,Dezember"
	for _, tt := range []struct{ language, date, more string }{
		{"en", "Thursday 1 January 2026", "More news"},
		{"en-US", "Thursday, January 1, 2026", "More news"},
		{"", "Thursday 1 January 2026", "More news"},
		{"fr", "Thursday 1 January 2026", "More news"},
		{"de", "Thursday, 1. Januar 2026", "Weitere Meldungen"},
		{"de-AT", "Thursday, 1. Jänner 2026", "Weitere Meldungen"},
	} {
		p, err := phrasesFor(sources, tt.language)
		if err != nil {
			t.Fatal(err)
		}
		date, err := p.date(newsletter.Date{Year: 2026, Month: 1, Day: 1})
		if err != nil || date != tt.date || p["more_news"] != tt.more {
			t.Errorf("%q: %q, %q (%v)", tt.language, date, p["more_news"], err)
		}
	}
}

func TestDirection(t *testing.T) {
	for language, want := range map[string]string{
		"": "ltr", "en": "ltr", "ar": "rtl", "he-IL": "rtl", "fa": "rtl", "ur-PK": "rtl", "az-Arab": "rtl", "ar-Latn": "ltr", "AR": "rtl", "arn": "ltr",
	} {
		if got := direction(language); got != want {
			t.Errorf("direction(%q) = %s, want %s", language, got, want)
		}
	}
}
