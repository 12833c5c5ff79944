package digest

import (
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/words"
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
		"blocks.html":     {"{{define \"note\"}}{{.Nothing}}{{end}}", "your own parts.html or blocks.html has to have {{define \"close\"}}"},
		"blocks.txt":      {"", "your own blocks.txt has to have {{define \"open\"}}"},
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
		for _, language := range words.Languages(sources) {
			list, err := Samples(sources, d, language, "https://letters.example.org")
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range list {
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

func TestMailSamples_EveryLanguage_IsFine(t *testing.T) {
	sources := mailSources(t)
	for _, language := range words.Languages(sources) {
		for _, s := range MailSamples(language, "https://letters.example.org") {
			v, err := s.Render(sources)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range InspectMail(v) {
				t.Errorf("%s %s: %s: %s", s.Name, language, f.Standard, f.Message)
			}
		}
	}
}

// Inspect finds what is broken in a mail that was fine.
func TestInspect_FindsWhatIsBroken(t *testing.T) {
	list, err := Samples(mailSources(t), newsletter.DesignBrief, "en", "https://letters.example.org")
	if err != nil {
		t.Fatal(err)
	}
	good := mustRender(t, list[0].Snapshot)
	for _, tt := range []struct{ part, old, new, want string }{
		{"html", `role="presentation"`, "", "S16: a table for layout"},
		{"html", ` alt="Cranes over the harbour"`, "", "S16: the picture https://pictures.example.org/1.png has no alt"},
		{"html", `lang="en"`, "", "S16: the HTML part has no lang"},
		{"html", `dir="ltr"`, "", "S16: the HTML part has no dir"},
		{"html", `name="color-scheme"`, "", "S16: the HTML part has no <meta name=\"color-scheme\""},
		{"html", `<div style="display:none`, `<div style="color:red`, "S16: the body does not begin"},
		{"html", `<h1`, `<h4`, "S16: the heading"},
		{"html", "More from Ropewalk Bank", "click here", "S16: the text of a link"},
		{"html", "Unsubscribe</a>", "</a>", "S6: the HTML part has no visible link"},
		{"html", "<p ", "<form></form><p ", "S32: a mail cannot have <form>"},
		{"html", `href="https://tea.example.org/"`, `href="tel:1"`, "S32: a link leads to"},
		{"html", "<title>", "<title></title><title>", "S16: the HTML part has no title"},
		{"text", newsletter.PlaceUnsubscribe, "", "S6: the text part has no link"},
		{"text", "https://tea.example.org/", "", "S13: the text part lacks the link https://tea.example.org/"},
		{"html", "</body>", strings.Repeat("<p>x</p>", 15000) + "</body>", "S15: the HTML part has"},
	} {
		v := good
		if tt.part == "html" {
			v.HTML = strings.ReplaceAll(v.HTML, tt.old, tt.new)
		} else {
			v.Text = strings.ReplaceAll(v.Text, tt.old, tt.new)
		}
		var found []string
		for _, f := range Inspect(v) {
			found = append(found, f.Standard+": "+f.Message)
		}
		if !strings.Contains(strings.Join(found, "\n"), tt.want) {
			t.Errorf("without %q it found %q, want %q", tt.old, found, tt.want)
		}
	}
}
