package web

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed/atom"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/readers"
	"broadsheet/templates"
)

// archiveSite is the handler on a newsroom, so that what it shows was really sent.
func archiveSite(t *testing.T) (*site, *newsroomtest.Newsroom, newsletter.Newsletter) {
	t.Helper()
	r := newsroomtest.New(t, newsroomtest.Options{})
	r.Feed.Publish("Harbour opens a second gate", newsroomtest.Start.Add(-2*time.Hour))
	r.Feed.Publish("Ferry fares & tolls frozen", newsroomtest.Start.Add(-time.Hour))
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 3)
	mails, err := templates.Mail(embedded(t))
	if err != nil {
		t.Fatal(err)
	}
	known := readers.New(r.Store, readers.Options{BaseURL: testBase, Now: r.Clock.Now, Templates: mails})
	return newFakeSite(t, known, func(o *Options) { o.Archive = &desk.Archive{Store: r.Store} }), r, n
}

// fetch returns the answer to a request, and its body.
func (s *site) fetch(method, path string, header ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.server.URL+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if closed := answer.Body.Close(); err == nil {
		err = closed
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return answer, string(body)
}

func (s *site) wantStatus(method, path string, want int, header ...string) (*http.Response, string) {
	s.t.Helper()
	answer, body := s.fetch(method, path, header...)
	if answer.StatusCode != want {
		s.t.Errorf("%s %s gives %d, want %d", method, path, answer.StatusCode, want)
	}
	return answer, body
}

func TestArchive_AnEditionIsThereOnceItWasSent(t *testing.T) {
	t.Parallel()
	s, r, _ := archiveSite(t)
	_, body := s.wantStatus("GET", "/archive/daily-news", 200)
	if !strings.Contains(body, "No edition has been sent yet") {
		t.Error("the empty archive does not say so")
	}
	e := r.Begin("daily-news")
	s.wantStatus("GET", "/archive/daily-news/1", 404)
	if e.ID != 1 {
		t.Fatal(e.ID)
	}
	if _, body := s.wantStatus("GET", "/archive/daily-news", 200); strings.Contains(body, "/archive/daily-news/1") {
		t.Error("an edition that is not sent is listed")
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	if e, _ = r.Tally(e.ID); e.State != newsletter.EditionSent {
		t.Fatalf("it is %s", e.State)
	}
	answer, body := s.wantStatus("GET", "/archive/daily-news/1", 200)
	for _, want := range []string{
		"Harbour opens a second gate", "Ferry fares &amp; tolls frozen",
		`<link rel="canonical" href="` + testBase + `/archive/daily-news/1">`, `href="/n/daily-news"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, personal := range []string{newsletter.PlaceManage, newsletter.PlaceUnsubscribe, "/manage/", "/unsubscribe/", "example.org\"@", " style=", "<script"} {
		if strings.Contains(body, personal) {
			t.Errorf("the page has %q", personal)
		}
	}
	if p := answer.Header.Get("Content-Security-Policy"); p != archivePolicy {
		t.Errorf("policy %q", p)
	}
	if _, body = s.wantStatus("GET", "/archive/daily-news", 200); !strings.Contains(body, "2 stories") || !strings.Contains(body, `"/archive/daily-news/1"`) {
		t.Error("the edition is not listed with the number of its stories")
	}
	for _, wrong := range []string{"/archive/daily-news/01", "/archive/daily-news/x", "/archive/daily-news/2", "/archive/daily-news/-1", "/archive/no-such", "/archive/no-such/1", "/archive/daily-news?before=x"} {
		s.wantStatus("GET", wrong, 404)
	}
	s.wantStatus("POST", "/archive/daily-news/1", 405)

	// While staff retry some of it, it stays.
	r.Exec(`UPDATE editions SET state = 'sending', finished_at = NULL WHERE id = 1`)
	s.wantStatus("GET", "/archive/daily-news/1", 200)
	r.Exec(`UPDATE editions SET state = 'cancelled' WHERE id = 1`)
	s.wantStatus("GET", "/archive/daily-news/1", 404)
}

func TestArchive_WhatWasWithdrawnLeavesATombstone(t *testing.T) {
	t.Parallel()
	s, r, _ := archiveSite(t)
	if e, _ := r.Send("daily-news"); e.State != newsletter.EditionSent {
		t.Fatal(e.State)
	}
	before, _ := s.wantStatus("GET", "/archive/daily-news/1", 200)
	_, feed := s.wantStatus("GET", "/archive/daily-news/feed.atom", 200)
	id := readFeed(t, feed).Entries[0].ID
	r.Clock.Add(30 * time.Hour)
	articles, err := r.Store.Articles(t.Context(), newsletter.ArticleFilter{Limit: 10})
	if err != nil || len(articles) != 2 {
		t.Fatal(err, len(articles))
	}
	for i, a := range articles {
		if _, err := r.Desk.Withdraw(t.Context(), a.ID, 0); err != nil {
			t.Fatal(err)
		}
		after, body := s.wantStatus("GET", "/archive/daily-news/1", 200, "If-None-Match", before.Header.Get("ETag"))
		_, list := s.fetch("GET", "/archive/daily-news")
		_, feed := s.fetch("GET", "/archive/daily-news/feed.atom")
		word, _, _ := strings.Cut(a.Headline, " ")
		if strings.Contains(body+list+feed, word) || strings.Contains(body+list+feed, a.URL) {
			t.Errorf("what was withdrawn is still shown: %s", word)
		}
		if n := strings.Count(body, "This story was withdrawn on 21 November 2026, 12:00."); n != i+1 {
			t.Errorf("%d tombstones, want %d", n, i+1)
		}
		if after.Header.Get("Last-Modified") == before.Header.Get("Last-Modified") {
			t.Error("Last-Modified is that of the edition as it was")
		}
		got := readFeed(t, feed)
		if e := got.Entries[0]; e.ID != id || !e.UpdatedParsed.Equal(r.Clock.Now()) {
			t.Errorf("entry %s of %s, want %s of %s", e.ID, e.Updated, id, r.Clock.Now())
		}
	}
}

func TestArchive_IsKeptAndAskedForAgain(t *testing.T) {
	t.Parallel()
	s, r, _ := archiveSite(t)
	r.Send("daily-news")
	for _, path := range []string{"/archive/daily-news", "/archive/daily-news/1", "/archive/daily-news/feed.atom"} {
		answer, body := s.wantStatus("GET", path, 200)
		tag, modified := answer.Header.Get("ETag"), answer.Header.Get("Last-Modified")
		if tag == "" || modified == "" || answer.Header.Get("Cache-Control") != "public, max-age=300" {
			t.Errorf("%s: %v", path, answer.Header)
		}
		s.wantStatus("GET", path, 304, "If-None-Match", tag)
		s.wantStatus("GET", path, 304, "If-Modified-Since", modified)
		s.wantStatus("GET", path, 200, "If-None-Match", `"other"`)
		s.wantStatus("GET", path, 200, "Range", "bytes=0-3")
		head, nothing := s.wantStatus("HEAD", path, 200)
		if nothing != "" || head.ContentLength != int64(len(body)) || head.Header.Get("ETag") != tag {
			t.Errorf("HEAD %s: %d bytes, Content-Length %d of %d", path, len(nothing), head.ContentLength, len(body))
		}
	}
}

func TestArchive_PagesAndFeedAreBounded(t *testing.T) {
	t.Parallel()
	s, r, n := archiveSite(t)
	r.Send("daily-news")
	r.Exec(`WITH RECURSIVE c (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM c WHERE i < 45)
		INSERT INTO editions (id, newsletter_id, cadence, local_date, slot, state, due_at, as_of, hash, created_at, finished_at, expires_at, archived_at)
		SELECT i, newsletter_id, cadence, local_date, 'extra-' || i, 'sent', due_at, as_of, hash, created_at, finished_at, expires_at, archived_at FROM c, editions WHERE id = 1`)
	r.Exec(`INSERT INTO edition_snapshots SELECT e.id, s.snapshot, s.templates_hash FROM edition_snapshots s, editions e WHERE e.id > 1`)
	path, seen := "/archive/"+n.Slug, 0
	for path != "" {
		_, body := s.wantStatus("GET", path, 200)
		seen += strings.Count(body, "<h2 ")
		_, rest, _ := strings.Cut(body, `<a href="/archive/daily-news?before=`)
		before, _, ok := strings.Cut(rest, `"`)
		if path = ""; ok {
			path = "/archive/daily-news?before=" + before
		}
	}
	if seen != 45 {
		t.Errorf("the pages have %d editions, want 45", seen)
	}
	answer, body := s.wantStatus("GET", "/archive/daily-news/feed.atom", 200)
	if got := readFeed(t, body); len(got.Entries) != archiveFeedSize || !strings.HasSuffix(got.Entries[0].Links[0].Href, "/archive/daily-news/45") {
		t.Errorf("the feed has %d entries", len(got.Entries))
	}
	if got := answer.Header.Get("Content-Type"); got != "application/atom+xml; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
}

// readFeed reads the feed with somebody else's reader, and looks for what RFC 4287 demands.
func readFeed(t *testing.T, source string) *atom.Feed {
	t.Helper()
	f, err := (&atom.Parser{}).Parse(strings.NewReader(source))
	if err != nil {
		t.Fatalf("%v in\n%s", err, source)
	}
	if f.ID == "" || f.Title == "" || f.UpdatedParsed == nil || len(f.Authors) != 1 || len(f.Links) != 2 || f.Links[0].Rel != "self" {
		t.Errorf("the feed lacks something:\n%s", source)
	}
	ids := map[string]bool{}
	for _, e := range f.Entries {
		if !strings.HasPrefix(e.ID, "tag:") || ids[e.ID] || e.Title == "" || e.UpdatedParsed == nil || e.PublishedParsed == nil || len(e.Links) != 1 {
			t.Errorf("an entry lacks something: %+v", e)
		}
		ids[e.ID] = true
	}
	return f
}

func TestTagOf(t *testing.T) {
	t.Parallel()
	day, err := newsletter.ParseDate("2026-11-20")
	if err != nil {
		t.Fatal(err)
	}
	for base, want := range map[string]string{
		"https://letters.example.org":           "tag:letters.example.org,2026-11-20:archive/a/1",
		"http://letters.example.org:8080/paper": "tag:letters.example.org,2026-11-20:paper/archive/a/1",
	} {
		if got := tagOf(base, day, "archive/a/1"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
