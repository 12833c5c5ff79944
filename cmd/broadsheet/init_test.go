package main

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/feed"
	"broadsheet/internal/newsletter"
)

func TestPropose(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		feed feed.Feed
		want proposal
	}{
		{"the region of the language", feed.Feed{Title: "Die  Woche", Language: "de-AT", SiteURL: "https://woche.example.com/"},
			proposal{Slug: "die-woche", Name: "Die Woche", Language: "de-AT", Zone: "Europe/Vienna"}},
		{"the country of the address", feed.Feed{Title: "News & Views", Language: "en", SiteURL: "https://www.news.co.uk/"},
			proposal{Slug: "news-views", Name: "News & Views", Language: "en", Zone: "Europe/London"}},
		{"the machine's zone", feed.Feed{Title: "News", SiteURL: "https://news.example.org/"},
			proposal{Slug: "news", Name: "News", Language: "en", Zone: "Europe/Berlin"}},
		{"a title in another script", feed.Feed{Title: "経済新聞", Language: "ja-JP"},
			proposal{Slug: "daily-news", Name: "経済新聞", Language: "ja-JP", Zone: "Asia/Tokyo"}},
		{"no title", feed.Feed{FinalURL: "https://www.example.de/feed"},
			proposal{Slug: "example-de", Name: "example.de", Language: "en", Zone: "Europe/Berlin"}},
		{"nothing at all", feed.Feed{}, proposal{Slug: "daily-news", Language: "en", Zone: "Europe/Berlin"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.want.Daily = "mon-fri 07:00"
			if got := propose(&tt.feed, time.Date(2026, 11, 22, 12, 0, 0, 0, berlin)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestPropose_ZonesAreKnown(t *testing.T) {
	t.Parallel()
	known := 0
	for a := 'a'; a <= 'z'; a++ {
		for b := 'a'; b <= 'z'; b++ {
			zone := zoneOfCountry(string(a) + string(b))
			if zone == "" {
				continue
			}
			known++
			if _, err := time.LoadLocation(zone); err != nil {
				t.Errorf("%c%c: %v", a, b, err)
			}
		}
	}
	if known < 30 {
		t.Errorf("%d countries", known)
	}
}

func TestInit_AsksUntilTheAnswerIsRight(t *testing.T) {
	t.Parallel()
	answers := strings.Join([]string{
		"Not A Slug", "trade-news", // name in addresses
		"",                                                   // title: as proposed
		"english", "en-GB", "Mars/Olympus", "", "nobody", "", // language, zone, sender
		"Example News <news@example.org>", "1 High Street", // sender, postal address
		"ftp://x", "https://www.example.org/privacy", // privacy policy
		"",                          // legal footer: later
		"whenever", "mon-fri 06:30", // daily
		"me@", "me@example.org", // test
	}, "\n") + "\n"
	var stderr bytes.Buffer
	i := &initialisation{app: &app{stderr: &stderr, now: time.Now}, answers: bufio.NewReader(strings.NewReader(answers))}
	err := i.complete(proposal{Slug: "daily", Name: "Trade News", Language: "de", Zone: "Europe/London", Daily: "mon-fri 07:00"})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{i.slug, *i.edit.Name, *i.edit.Language, *i.edit.Zone, *i.edit.From, *i.edit.PostalAddress, *i.edit.PrivacyURL, *i.edit.Daily, i.test}
	want := []string{"trade-news", "Trade News", "en-GB", "Europe/London", "Example News <news@example.org>", "1 High Street", "https://www.example.org/privacy", "mon-fri 06:30", "me@example.org"}
	for n := range want {
		if got[n] != want[n] {
			t.Errorf("answer %d is %q, want %q", n, got[n], want[n])
		}
	}
	if i.edit.LegalFooter != nil {
		t.Errorf("a footer that nobody gave is %q", *i.edit.LegalFooter)
	}
	for _, said := range []string{"Title [Trade News]: ", "cannot name a newsletter", "is not a language tag", "is not a time zone", "An e-mail address has an @"} {
		if !strings.Contains(stderr.String(), said) {
			t.Errorf("it did not say %q:\n%s", said, stderr.String())
		}
	}
}

func TestInit_InputThatEnds_IsAnErrorAboutTheQuestion(t *testing.T) {
	t.Parallel()
	i := &initialisation{app: &app{stderr: &bytes.Buffer{}, now: time.Now}, answers: bufio.NewReader(strings.NewReader("x\n"))}
	err := i.complete(proposal{Name: "N", Language: "en", Zone: "UTC"})
	if newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("error %v", err)
	}
}

func TestInit_GivenFlags_AreNotAsked(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	i := &initialisation{
		app: &app{stderr: &stderr, now: time.Now}, answers: bufio.NewReader(strings.NewReader("")), slug: "n", test: "me@example.org",
		edit: desk.NewsletterEdit{
			Name: new("N"), Language: new("en"), Zone: new("UTC"), From: new("n@example.org"), PostalAddress: new("P"),
			PrivacyURL: new("https://www.example.org/privacy"), LegalFooter: new("L"), Weekly: new("fri 08:00"),
		},
	}
	if err := i.complete(proposal{Daily: "mon-fri 07:00"}); err != nil || i.edit.Daily != nil {
		t.Errorf("%v, daily %v", err, i.edit.Daily)
	}
	if stderr.Len() > 0 {
		t.Errorf("it asked: %s", stderr.String())
	}
}
