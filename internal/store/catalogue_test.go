package store

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// catalogue is a database with a newsletter and a source, and a clock.
type catalogue struct {
	*testing.T
	*Store
	now        time.Time
	newsletter newsletter.Newsletter
	source     int64
}

func newCatalogue(t *testing.T) *catalogue {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), CreateIfMissing)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &catalogue{T: t, Store: s, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	c.newsletter = c.addNewsletter("daily-news")
	c.source = c.addSource("https://news.example.org/feed", c.newsletter.ID)
	return c
}

func (c *catalogue) addNewsletter(slug string) newsletter.Newsletter {
	c.Helper()
	rule, err := newsletter.ParseRule("mon-fri 07:00")
	if err != nil {
		c.Fatal(err)
	}
	n, err := c.CreateNewsletter(c.Context(), newsletter.Newsletter{
		Slug: slug, Name: "Daily News", From: newsletter.Address{Name: "News", Email: slug + "@example.org"},
		PostalAddress: "1 High Street", Language: "en", Zone: "Europe/London", MinArticles: 1, MaxArticles: 12,
		Status:    newsletter.Open,
		Schedules: []newsletter.Schedule{{Cadence: newsletter.Daily, Slot: newsletter.MainSlot, Rule: rule, SetAt: c.now}},
	}, "test", c.now)
	if err != nil {
		c.Fatal(err)
	}
	return n
}

func (c *catalogue) addSource(url string, newsletterID int64) int64 {
	c.Helper()
	id, _, err := c.AttachSource(c.Context(), newsletter.Source{URL: url, Name: url}, newsletterID, "test", c.now)
	if err != nil {
		c.Fatal(err)
	}
	return id
}

// fetch takes in items from a source a minute later than before.
func (c *catalogue) fetch(source int64, items ...newsletter.Item) newsletter.Intake {
	c.Helper()
	c.now = c.now.Add(time.Minute)
	in, err := c.SaveFetch(c.Context(), source, items, newsletter.FetchMeta{Started: c.now}, c.now)
	if err != nil {
		c.Fatal(err)
	}
	if in.Items() != len(items) {
		c.Errorf("%d items became %+v: each has to be counted once", len(items), in)
	}
	return in
}

// story returns an item that was published an hour ago.
func (c *catalogue) story(guid string, change ...func(*newsletter.Item)) newsletter.Item {
	i := newsletter.Item{
		GUID: guid, URL: "https://news.example.org/" + guid, Headline: "Headline " + guid, Summary: "Summary",
		Categories: []string{"Trade", "Retail"}, Published: c.now.Add(-time.Hour),
	}
	for _, f := range change {
		f(&i)
	}
	return i
}

func (c *catalogue) articles() []newsletter.Article {
	c.Helper()
	list, err := c.Articles(c.Context(), newsletter.ArticleFilter{Limit: newsletter.MaxPage})
	if err != nil {
		c.Fatal(err)
	}
	return list
}

// only returns the one article that there is, with all that is known about it.
func (c *catalogue) only() newsletter.ArticleDetail {
	c.Helper()
	all := c.articles()
	if len(all) != 1 {
		c.Fatalf("%d articles, want 1", len(all))
	}
	d, err := c.Article(c.Context(), all[0].ID)
	if err != nil {
		c.Fatal(err)
	}
	return d
}

func (c *catalogue) events() []string {
	c.Helper()
	rows, err := c.read(c.Context()).query(`SELECT actor || ' ' || action || ' ' || detail FROM desk_events ORDER BY id`)
	list, err := collect(rows, err, scanText)
	if err != nil {
		c.Fatal(err)
	}
	return list
}

func headline(text string) func(*newsletter.Item) {
	return func(i *newsletter.Item) { i.Headline = text }
}

func at(url string) func(*newsletter.Item) {
	return func(i *newsletter.Item) { i.URL = url }
}

func published(when time.Time) func(*newsletter.Item) {
	return func(i *newsletter.Item) { i.Published = when }
}

func wantIntake(t *testing.T, got, want newsletter.Intake) {
	t.Helper()
	if got != want {
		t.Errorf("intake %s, want %s", showIntake(got), showIntake(want))
	}
}

func showIntake(i newsletter.Intake) string { return fmt.Sprintf("%+v", i) }
