package digest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/words"
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
	sources["words.nl"] = "# Nederlands\nmore_news: Meer nieuws\ndate: {weekday} {day} {month} {year}\nmonths: januari,februari,maart,april,mei,juni,juli,augustus,september,oktober,november,december\nby: Door {author}"
	sources["words.nl-BE"] = "more_news: Nog meer"
	for _, tt := range []struct{ language, date, more string }{
		{"en", "Thursday 1 January 2026", "More news"},
		{"en-US", "Thursday, January 1, 2026", "More news"},
		{"", "Thursday 1 January 2026", "More news"},
		{"pl", "Thursday 1 January 2026", "More news"},
		{"nl", "Thursday 1 januari 2026", "Meer nieuws"},
		{"nl-BE", "Thursday 1 januari 2026", "Nog meer"},
		{"de", "Donnerstag, 1. Januar 2026", "Weitere Meldungen"},
		{"de-AT", "Donnerstag, 1. Jänner 2026", "Weitere Meldungen"},
		{"fr", "Jeudi 1er janvier 2026", "Autres informations"},
		{"es", "Jueves, 1 de enero de 2026", "Más noticias"},
		{"cy", "Dydd Iau 1 Ionawr 2026", "Rhagor o newyddion"},
	} {
		p, err := words.In(sources, "mail template", tt.language)
		if err != nil {
			t.Fatal(err)
		}
		date, err := p.Date(newsletter.Date{Year: 2026, Month: 1, Day: 1})
		if err != nil || date != tt.date || p["more_news"] != tt.more {
			t.Errorf("%q: %q, %q (%v)", tt.language, date, p["more_news"], err)
		}
	}
}

// Each language that we offer has every word of its own, with the same things put in.
func TestPhrases_NoLanguageLacksAWord(t *testing.T) {
	sources := mailSources(t)
	read := func(language string) words.Phrases {
		p, err := words.Read(sources["words."+language], language)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	names := func(text string) string {
		var list []string
		for _, part := range strings.Split(text, "{")[1:] {
			name, _, _ := strings.Cut(part, "}")
			list = append(list, name)
		}
		slices.Sort(list)
		return strings.Join(list, " ")
	}
	english := read("en")
	for _, language := range []string{"de", "fr", "es", "cy"} {
		own := read(language)
		for key, text := range english {
			if own[key] == "" {
				t.Errorf("words.%s lacks %s", language, key)
			}
			if names(own[key]) != names(text) {
				t.Errorf("words.%s: %s is %q, and in English %q", language, key, own[key], text)
			}
		}
		for key := range own {
			form := strings.LastIndexByte(key, '_')
			if english[key] == "" && key != "first_day" && english[key[:max(form, 0)]+"_other"] == "" {
				t.Errorf("words.%s has %s, which nothing says", language, key)
			}
		}
	}
	for key, text := range map[string]string{"de": "Anzeige", "fr": "Publicité", "es": "Publicidad", "cy": "Hysbyseb", "en": "Advertisement"} {
		if got := read(key)["advertisement"]; got != text {
			t.Errorf("in %s advertising is called %q", key, got)
		}
	}
}

func TestPhrases_Count_HasThePluralOfItsLanguage(t *testing.T) {
	for _, tt := range []struct {
		language string
		n        int
		want     string
	}{
		{"en", 1, "And one more story on our site"}, {"en-GB", 2, "And 2 more stories on our site"}, {"", 1, "And one more story on our site"},
		{"de", 1, "Und eine weitere Meldung auf unserer Website"}, {"fr", 1, "Et un autre article sur notre site"}, {"fr", 2, "Et 2 autres articles sur notre site"},
		{"es", 1, "Y un artículo más en nuestro sitio"}, {"es", 1000000, "Y 1000000 artículos más en nuestro sitio"},
		{"cy", 1, "Ac un stori arall ar ein gwefan"}, {"cy", 2, "A dwy stori arall ar ein gwefan"}, {"cy", 3, "A thair stori arall ar ein gwefan"},
		{"cy", 4, "A 4 stori arall ar ein gwefan"}, {"cy", 6, "A chwe stori arall ar ein gwefan"}, {"nonsense-", 1, "And 1 more stories on our site"}, {"pl", 1, "I 1 więcej"},
	} {
		sources := mailSources(t)
		sources["words.pl"] = "more_on_site_other: I {n} więcej" // and none for one
		p, err := words.In(sources, "mail template", tt.language)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Count(tt.language, "more_on_site", tt.n); got != tt.want {
			t.Errorf("%s, %d: %q, want %q", tt.language, tt.n, got, tt.want)
		}
	}
}

func TestDirection(t *testing.T) {
	for language, want := range map[string]string{
		"": "ltr", "en": "ltr", "ar": "rtl", "he-IL": "rtl", "fa": "rtl", "ur-PK": "rtl", "az-Arab": "rtl", "ar-Latn": "ltr", "AR": "rtl", "arn": "ltr",
	} {
		if got := words.Direction(language); got != want {
			t.Errorf("direction(%q) = %s, want %s", language, got, want)
		}
	}
}

// TestArchive_Tombstone_IsInTheNewslettersLanguageAndZone: at 23:30 in London it is the next day in Berlin.
func TestArchive_Tombstone_IsInTheNewslettersLanguageAndZone(t *testing.T) {
	for language, want := range map[string]string{
		"en": "This story was withdrawn on 1 December 2026, 00:30.", "en-US": "This story was withdrawn on December 1, 2026, 00:30.",
		"de": "Diese Meldung wurde am 1. Dezember 2026 um 00:30 Uhr zurückgezogen.", "fr": "Cet article a été retiré le 1er décembre 2026 à 00:30.",
		"es": "Este artículo fue retirado el 1 de diciembre de 2026 a las 00:30.", "cy": "Tynnwyd y stori hon yn ôl ar 1 Rhagfyr 2026 am 00:30.",
	} {
		s := sampleSnapshot(t, 2, func(n *newsletter.Newsletter, _ []newsletter.Candidate, _ *Words) {
			n.Language, n.Zone = language, "Europe/Berlin"
		})
		r, err := NewRenderer(s)
		if err != nil {
			t.Fatal(err)
		}
		a, err := r.Archive(map[int64]time.Time{s.Articles()[1]: time.Date(2026, 11, 30, 23, 30, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(a.Blocks, func(b ArchivedBlock) bool { return b.Kind == KindWithdrawn && b.Word == want }) {
			t.Errorf("%s: %+v", language, a.Blocks)
		}
	}
}
