package web

import (
	"strings"
	"testing"
	"time"

	"broadsheet/internal/desk"
)

func TestArchive_IsAsTheNewsletterWantsIt(t *testing.T) {
	t.Parallel()
	s, r, _ := archiveSite(t)
	e := r.Begin("daily-news")
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	set := func(mode, canonical string) {
		t.Helper()
		if _, err := r.Desk.EditNewsletter(t.Context(), "daily-news", desk.NewsletterEdit{Archive: &mode, ArchiveCanonical: &canonical}); err != nil {
			t.Fatal(err)
		}
	}
	const list, edition, feed, signUp, robots = "/archive/daily-news", "/archive/daily-news/1", "/archive/daily-news/feed.atom", "/n/daily-news", `<meta name="robots" content="noindex">`
	for _, page := range []string{list, edition, feed} {
		if answer, body := s.wantStatus("GET", page, 200); answer.Header.Get("X-Robots-Tag") != "" || strings.Contains(body, robots) {
			t.Errorf("%s is not for search engines from the start", page)
		}
	}

	set("noindex", "https://www.example.org/news/{edition}?from=archive")
	for _, page := range []string{list, edition, feed} {
		answer, body := s.wantStatus("GET", page, 200)
		if got := answer.Header.Get("X-Robots-Tag"); got != "noindex" {
			t.Errorf("%s: X-Robots-Tag %q", page, got)
		}
		if page != feed && !strings.Contains(body, robots) {
			t.Errorf("%s does not say noindex", page)
		}
	}
	if _, body := s.fetch("GET", edition); !strings.Contains(body, `<link rel="canonical" href="https://www.example.org/news/1?from=archive">`) {
		t.Error("the edition is not at home where it was said")
	}
	if _, body := s.fetch("GET", list); !strings.Contains(body, `<link rel="canonical" href="`+testBase+list+`">`) {
		t.Error("the list does not name itself")
	}

	set("off", "")
	for _, page := range []string{list, edition, feed} {
		if _, body := s.wantStatus("GET", page, 404); strings.Contains(body, "Harbour") {
			t.Errorf("%s shows what is hidden", page)
		}
	}
	if _, body := s.wantStatus("GET", signUp, 200); strings.Contains(body, list) {
		t.Error("the sign-up page leads to an archive that is not there")
	}

	set("index", "")
	if answer, body := s.wantStatus("GET", edition, 200); answer.Header.Get("X-Robots-Tag") != "" || !strings.Contains(body, "Harbour") {
		t.Error("it does not come back")
	}
	if _, body := s.wantStatus("GET", signUp, 200); !strings.Contains(body, list) {
		t.Error("the sign-up page does not lead to the archive")
	}
}
