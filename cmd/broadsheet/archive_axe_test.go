package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/digest"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/readers"
	"broadsheet/internal/web"
	"broadsheet/templates"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// everythingArchived has an edition with one of each thing that can be in it.
type everythingArchived struct{ archive *desk.Archive }

func (e everythingArchived) Editions(ctx context.Context, id, before int64, limit int) ([]desk.ArchivedEdition, bool, error) {
	list, _, err := e.archive.Editions(ctx, id, before, limit)
	return list, true, err
}

func (e everythingArchived) Copy(ctx context.Context, newsletterID int64, key string) (desk.ArchivedEdition, bool, error) {
	return e.archive.Copy(ctx, newsletterID, key)
}

func (e everythingArchived) Edition(ctx context.Context, newsletterID, id int64) (desk.ArchivedEdition, error) {
	shown, err := e.archive.Edition(ctx, newsletterID, id)
	if err != nil {
		return shown, err
	}
	picture := "/favicon.ico"
	long := strings.Repeat("Donaudampfschifffahrtsgesellschaft", 3)
	story := shown.Blocks[0]
	story.Image, story.Alt, story.Label, story.Section, story.Summary, story.Byline = picture, "A gate", "Exclusive", "Harbour", "The lender will retire its branches over two years, it told its staff.", "By Ana Novak"
	second := story
	story.Lead, second.Lead, second.Section, second.Alt = true, false, "", ""
	third := second
	third.Image, third.Headline = "", long
	shown.Intro = append(shown.Intro, `<p dir="auto">Good morning. There is <a href="https://example.org/more">more</a> of it.</p>`)
	shown.Blocks = []digest.ArchivedBlock{
		{Kind: digest.KindNote, Headline: "To our readers", Body: "<p>We have moved.</p>"}, story,
		{Kind: digest.KindSponsor, Headline: "Tea for everybody", URL: "https://example.org/tea", Word: "Advertisement", PaidBy: "Paid for by Leaf Ltd", Body: "<p>Good tea.</p>"},
		{Kind: digest.KindHeading, Headline: "Town"}, second, third,
		{Kind: digest.KindWithdrawn, Word: "This story was withdrawn on 21 November 2026, 09:00."},
		{Kind: digest.KindNote, URL: "https://example.org/x", LinkText: "example.org", Body: "<ul><li>One</li><li>Two</li></ul>"},
		{Kind: digest.KindHeading, Headline: "Corrections"},
		{Kind: digest.KindCorrection, Headline: "Fares", URL: "https://example.org/fares", Body: "<p>It was Monday.</p>"},
	}
	return shown, nil
}

// axe-core finds nothing on the pages of the archive, light and dark, and they fit on a phone.
func TestArchive_AxeFindsNothingAndPhonesScrollOneWay(t *testing.T) {
	t.Parallel()
	axe := axeSource(t)
	r := newsroomtest.New(t, newsroomtest.Options{})
	r.Feed.Publish("Harbour opens a second gate", newsroomtest.Start.Add(-time.Hour))
	r.Readers(r.Newsletter("daily-news", nil), 1, 1)
	r.Send("daily-news")
	fsys, err := templates.FS("")
	if err != nil {
		t.Fatal(err)
	}
	handler, err := web.New(web.Options{
		Readers: readers.New(r.Store, readers.Options{BaseURL: "http://127.0.0.1", Now: r.Clock.Now}),
		Archive: everythingArchived{&desk.Archive{Store: r.Store}}, BaseURL: "http://127.0.0.1", Templates: fsys,
		Logger: slog.New(slog.DiscardHandler), Now: r.Clock.Now, Health: func(context.Context) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	defer server.Close()
	b := newBrowser(t)
	for _, scheme := range []string{"light", "dark"} {
		prefers := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
		do(b, "prefer "+scheme, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, prefers)
			return err
		}))
		for _, width := range []int64{1000, 360} {
			do(b, "resize", chromedp.EmulateViewport(width, 800))
			for name, path := range map[string]string{"list": "/archive/daily-news", "edition": "/archive/daily-news/1"} {
				b.open(server.URL + path)
				for _, f := range b.axe(axe) {
					t.Errorf("%s, %s, %d: %s: %s: %s\n%s", name, scheme, width, f.ID, f.Help, f.Nodes[0].HTML, f.Nodes[0].Summary)
				}
				if wide := do(b, "measure", chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); wide > width {
					t.Errorf("%s is %d pixels wide where there are %d", name, wide, width)
				}
				if dir := os.Getenv("ARCHIVE_PICTURES"); dir != "" { // for people to look at
					file := filepath.Join(dir, fmt.Sprintf("%s-%s-%d.png", name, scheme, width))
					if err := os.WriteFile(file, do(b, "picture", chromedp.FullScreenshot(100)), 0o600); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
}
