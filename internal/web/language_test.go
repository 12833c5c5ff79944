package web

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"broadsheet/internal/words"
	"broadsheet/templates"
)

// Each language that the pages are in has every word of its own, with the same things put in.
func TestWords_NoLanguageLacksAWord(t *testing.T) {
	sources, err := templates.Words(embedded(t), "web")
	if err != nil {
		t.Fatal(err)
	}
	put := func(text string) string {
		var list []string
		for _, part := range strings.Split(text, "{")[1:] {
			name, _, _ := strings.Cut(part, "}")
			list = append(list, name)
		}
		slices.Sort(list)
		return strings.Join(list, " ")
	}
	read := func(tag string) words.Phrases {
		p, err := words.Read(sources[words.Prefix+tag], tag)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	english := read("en")
	if got := words.Languages(sources); !slices.Equal(got, []string{"en", "cy", "de", "es", "fr"}) {
		t.Errorf("the pages are in %v", got)
	}
	for _, tag := range []string{"de", "fr", "es", "cy"} {
		own := read(tag)
		for key, text := range english {
			if own[key] == "" {
				t.Errorf("words.%s lacks %s", tag, key)
			}
			if put(own[key]) != put(text) {
				t.Errorf("words.%s: %s is %q, and in English %q", tag, key, own[key], text)
			}
		}
		for key := range own {
			form := strings.LastIndexByte(key, '_')
			if english[key] == "" && english[key[:max(form, 0)]+"_other"] == "" {
				t.Errorf("words.%s has %s, which nothing says", tag, key)
			}
		}
	}
}

// TestPages_AreInTheLanguageThatTheReaderPrefers: what the address asks for, what the browser
// prefers, what the newsletter is in, in this order.
func TestPages_AreInTheLanguageThatTheReaderPrefers(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct{ path, accept, lang, title string }{
		{"/check-inbox", "", "en", "Check your inbox"},
		{"/check-inbox", "de", "de", "Bitte sehen Sie in Ihr Postfach"},
		{"/check-inbox", "de-AT,de;q=0.9,en;q=0.8", "de-AT", "Bitte sehen Sie in Ihr Postfach"},
		{"/check-inbox", "de-CH, fr;q=0.7", "de", "Bitte sehen Sie in Ihr Postfach"},
		{"/check-inbox", "en-GB,en;q=0.9", "en", "Check your inbox"},
		{"/check-inbox", "en-US", "en-US", "Check your inbox"},
		{"/check-inbox", "pl,fr;q=0.5", "fr", "Consultez votre boîte de réception"},
		{"/check-inbox", "es-MX", "es", "Mire su bandeja de entrada"},
		{"/check-inbox", "cy-GB", "cy", "Edrychwch yn eich blwch derbyn"},
		{"/check-inbox", "ja", "en", "Check your inbox"},
		{"/check-inbox", "*", "en", "Check your inbox"},
		{"/check-inbox", ";;;,q=1,<script>", "en", "Check your inbox"},
		{"/check-inbox", strings.Repeat("de,", 100), "en", "Check your inbox"},
		{"/check-inbox?lang=fr", "de", "fr", "Consultez votre boîte de réception"},
		{"/check-inbox?lang=%00tag", "de", "de", "Bitte sehen Sie in Ihr Postfach"},
	} {
		a := s.get(tt.path, "Accept-Language", tt.accept)
		html := a.one("html")
		if got, _ := attr(html, "lang"); got != tt.lang {
			t.Errorf("%s for %q: lang=%q, want %q", tt.path, tt.accept, got, tt.lang)
		}
		if got := a.Header.Get("Content-Language"); got != tt.lang {
			t.Errorf("%s for %q: Content-Language %q", tt.path, tt.accept, got)
		}
		if !strings.Contains(a.body, "<h1>"+tt.title+"</h1>") {
			t.Errorf("%s for %q is not called %q", tt.path, tt.accept, tt.title)
		}
		if !strings.Contains(strings.Join(a.Header.Values("Vary"), ","), "Accept-Language") {
			t.Errorf("%s for %q: Vary is %q", tt.path, tt.accept, a.Header.Values("Vary"))
		}
	}
}

// TestWords_TemplatesSayWhatThereIs: a word that a page lacks is a 500 for its reader, and one that
// no page says is work for nobody.
func TestWords_TemplatesSayWhatThereIs(t *testing.T) {
	fsys := embedded(t)
	sources, err := templates.Words(fsys, "web")
	if err != nil {
		t.Fatal(err)
	}
	own, err := words.Read(sources["words.en"], "words.en")
	if err != nil {
		t.Fatal(err)
	}
	all := spoken(t).texts["en"]
	said := map[string]bool{}
	pages, err := fs.Glob(fsys, "web/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	uses := regexp.MustCompile(`(?:\.T|\$t)\.(?:(Count|Say|Text) "([a-z_0-9]+)"|([a-z_0-9]+))`)
	for _, page := range pages {
		source, err := fs.ReadFile(fsys, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, use := range uses.FindAllStringSubmatch(string(source), -1) {
			key := use[2] + use[3]
			said[key] = true
			if use[1] == "Count" {
				said[key+"_one"], said[key+"_other"] = true, true
				key += "_other"
			}
			if all[key] == "" {
				t.Errorf("%s says %q, which words.en lacks", page, key)
			}
		}
	}
	for _, file := range []string{"words.go", "language.go", "manage.go", "errors.go", "embed.go", "receipt.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, use := range regexp.MustCompile(`"([a-z_0-9]+)"`).FindAllStringSubmatch(string(source), -1) {
			said[use[1]], said[use[1]+"_hours"], said[use[1]+"_one"], said[use[1]+"_other"] = true, true, true, true
		}
	}
	for key := range own {
		if !said[key] && !strings.HasPrefix(key, "fail_") && !strings.HasPrefix(key, "done_") && !strings.HasPrefix(key, "joined_") && !strings.HasPrefix(key, "receipt_") && !strings.HasPrefix(key, "problem_") && key != "language_name" {
			t.Errorf("words.en has %s, which no page says", key)
		}
	}
}
