package digest

import (
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

func TestCheck_EmbeddedTemplates_AreFine(t *testing.T) {
	if err := Check(mailSources(t)); err != nil {
		t.Error(err)
	}
}

func TestCheck_WhatIsWrong_IsNamedByFileAndLine(t *testing.T) {
	for name, tt := range map[string]struct{ source, want string }{
		"pictures.html":   {"{{template \"open\" .}}\n{{.Nothing}}", "pictures.html:2"},
		"brief.txt":       {"one\n{{range}}", "brief.txt:2"},
		"headlines.html":  {"no places at all", "headlines.html: it has no link"},
		"confirm.txt":     {"\n\n{{.Link.X}}", "confirm.txt:3"},
		"words.nl":        {"weekdays: maandag", "7 weekdays"},
		"words.pl":        {"date: x\nno colon", "words.pl, line 2"},
		"digest.html":     {"old", "call it brief.html"},
		"digest.subject":  {"{{.Lead.Headline}}", "digest.subject:1"}, // an announcement has no lead
		"breif.html":      {"x", "nothing reads it"},
		"blocks.html":     {"{{define \"note\"}}{{.Nothing}}{{end}}", "no such template"},
		"already.subject": {"{{.T.nothing}}", "already.subject:1"},
	} {
		sources := mailSources(t)
		sources[name] = tt.source
		if err := Check(sources); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), name) && name != "words.nl" && name != "blocks.html" {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// Every sample is a mail that meets the standards, in every design and language.
func TestSamples_EveryDesignAndLanguage_IsFine(t *testing.T) {
	sources := mailSources(t)
	for _, d := range newsletter.Designs() {
		for _, language := range Languages(sources) {
			list, err := Samples(sources, d, language, "https://letters.example.org")
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range list {
				if s.heavy() && language != "en" {
					continue
				}
				v, err := Render(s.Snapshot, s.Copy)
				if err != nil {
					t.Errorf("%s %s %s: %v", d, language, s.Name, err)
					continue
				}
				for _, f := range Inspect(v) {
					t.Errorf("%s %s %s: %s: %s", d, language, s.Name, f.Standard, f.Message)
				}
			}
		}
	}
}
