package web

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

var viewLink = regexp.MustCompile(`/archive/daily-news/copy/[A-Za-z0-9_-]{22}`)

// Each mail links to itself in a browser: what that reader's copy has and nobody's name, as soon as
// it is planned, and for nobody who does not have the mail.
func TestArchive_AMailInABrowser(t *testing.T) {
	t.Parallel()
	s, r, n := archiveSite(t)
	if _, err := r.Store.AddSection(t.Context(), newsletter.Section{NewsletterID: n.ID, Slug: "sea", Name: "Sea"}, "test", r.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	r.Feed.Publish("A story of the sea", newsroomtest.Start.Add(-time.Minute), "sea")
	r.Reader(n, "sailor@example.org", newsletter.Daily, 1)
	e := r.Begin("daily-news")
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	links := map[string]string{}
	for _, m := range r.SMTP.Messages() {
		found := viewLink.FindString(strings.ReplaceAll(string(m.Data), "=\r\n", ""))
		if found == "" {
			t.Fatalf("the mail to %s has no link to itself", m.To)
		}
		links[m.To] = found
	}
	if links["r1@example.org"] != links["r2@example.org"] || links["r1@example.org"] == links["sailor@example.org"] {
		t.Fatalf("readers with the same copy have the same link, others have not: %v", links)
	}
	answer, body := s.wantStatus("GET", links["sailor@example.org"], 200)
	if !strings.Contains(body, "A story of the sea") || strings.Contains(body, "Harbour opens a second gate") || strings.Contains(body, "sailor") ||
		answer.Header.Get("X-Robots-Tag") != "noindex" || !strings.Contains(body, `<link rel="canonical" href="`+testBase+`/archive/daily-news/1">`) {
		t.Errorf("%v\n%s", answer.Header, body)
	}
	s.wantStatus("HEAD", links["r1@example.org"], 200)
	s.wantStatus("GET", "/archive/daily-news/copy/"+strings.Repeat("A", 22), 404)
	s.wantStatus("GET", "/archive/daily-news/copy/", 404)
	s.wantStatus("GET", "/archive/daily-news/copy/"+strings.Repeat("x", 5000), 404)
	withdrawn, err := r.Store.EditionVerdicts(t.Context(), e.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range withdrawn {
		if _, err := r.Desk.Withdraw(t.Context(), v.ArticleID, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, body := s.wantStatus("GET", links["sailor@example.org"], 200); strings.Contains(body, "A story of the sea") || !strings.Contains(body, "This story was withdrawn") {
		t.Error(body)
	}
}
