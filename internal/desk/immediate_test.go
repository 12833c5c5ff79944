package desk_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// atOnce makes a newsletter that comes daily and immediately, with a reader of each.
func atOnce(t *testing.T, edit desk.NewsletterEdit) (r *newsroomtest.Newsroom, n newsletter.Newsletter, reader int64) {
	t.Helper()
	r = newsroomtest.New(t, newsroomtest.Options{})
	r.Newsletter("daily-news", nil)
	if _, err := r.Desk.AddSection(t.Context(), "daily-news", "Politics", []string{"politics"}); err != nil {
		t.Fatal(err)
	}
	edit.Immediate = true
	n, err := r.Desk.EditNewsletter(t.Context(), "daily-news", edit)
	if err != nil {
		t.Fatal(err)
	}
	r.Reader(n, "daily@example.org", newsletter.Daily, 0)
	reader = r.Reader(n, "now@example.org", newsletter.Immediate, 0)
	tick(t, r, at(20, 7, 0)) // the day's slot passes
	return r, n, reader
}

// news publishes a story, and the schedule finds it.
func news(t *testing.T, r *newsroomtest.Newsroom, title string, at time.Time, categories ...string) {
	t.Helper()
	r.Clock.Add(at.Sub(r.Clock.Now()))
	r.Feed.Publish(title, at, categories...)
	if _, err := r.Desk.FetchAll(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestImmediate_StoriesOfTheQuietTimeAreOneEdition(t *testing.T) {
	t.Parallel()
	r, n, _ := atOnce(t, desk.NewsletterEdit{})
	news(t, r, "Harbour opens", at(20, 12, 0))
	tick(t, r, at(20, 12, 1))
	tick(t, r, at(20, 12, 9))
	same(t, got(t, r))
	news(t, r, "Bridge closes", at(20, 12, 10).Add(30*time.Second)) // just before it, and in it
	tick(t, r, at(20, 12, 11))
	tick(t, r, at(20, 12, 30)) // nothing came
	news(t, r, "Market falls", at(20, 12, 40))
	tick(t, r, at(20, 12, 50))
	same(t, got(t, r), "20 12:10 now++", "20 12:50 now+")
	e, _ := r.Tally(2)
	if e.Cadence != newsletter.Immediate || !e.DueAt.Equal(at(20, 12, 10)) || e.ExpiresAt.Sub(e.DueAt) > 13*time.Hour {
		t.Errorf("%+v", e)
	}
	tick(t, r, at(23, 7, 0))
	same(t, got(t, r), "20 12:10 now++", "20 12:50 now+", "23 main daily+++")
	same(t, slots(t, r, n.Slug)[:3], "2026-11-20 main skipped nothing_new", "2026-11-20 12:10 frozen ", "2026-11-20 12:50 frozen ")
}

// What one edition has no place for comes by the next one, without waiting for another story.
func TestImmediate_WhatIsOverTheCapComesNext(t *testing.T) {
	t.Parallel()
	two := 2
	r, n, _ := atOnce(t, desk.NewsletterEdit{MaxArticles: &two})
	for _, title := range []string{"Harbour opens", "Bridge closes", "Market falls", "Ferries stop", "Snow comes"} {
		news(t, r, title, at(20, 12, 0))
	}
	for minute := 10; minute < 50; minute += 5 {
		tick(t, r, at(20, 12, minute))
	}
	same(t, got(t, r), "20 12:10 now++", "20 12:20 now++", "20 12:30 now+")
	tick(t, r, at(20, 18, 0))
	same(t, slots(t, r, n.Slug)[1:], "2026-11-20 12:10 frozen ", "2026-11-20 12:20 frozen ", "2026-11-20 12:30 frozen ")
}

// Two processes that tick build an edition once, however far each of them has got.
func TestImmediate_IsBuiltOnceWhateverTicks(t *testing.T) {
	t.Parallel()
	r, n, _ := atOnce(t, desk.NewsletterEdit{})
	news(t, r, "Harbour opens", at(20, 12, 0))
	r.Clock.Add(10 * time.Minute)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := r.Desk.RunSlots(context.Background(), newsletter.GraceTime); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var list []string
	for _, line := range slots(t, r, n.Slug) {
		if strings.Contains(line, "12:10") {
			list = append(list, line)
		}
	}
	same(t, list, "2026-11-20 12:10 frozen ")
}

// What a source gave while an edition was being built is the next one's, not lost until another
// story comes.
func TestImmediate_WhatComesWhileAnEditionIsBuiltIsInTheNext(t *testing.T) {
	t.Parallel()
	r, n, _ := atOnce(t, desk.NewsletterEdit{})
	news(t, r, "Harbour opens", at(20, 12, 0))
	tick(t, r, at(20, 12, 10))
	r.Feed.Publish("Bridge closes", at(20, 12, 9))
	if _, err := r.Desk.FetchAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	// It was first seen just before the edition looked, and was on record just after.
	r.Exec(`UPDATE articles SET first_seen = $1, owed_from = $1 WHERE headline = 'Bridge closes'`, at(20, 12, 10).Add(-time.Second).UnixMilli())
	tick(t, r, at(20, 12, 19)) // not within the quiet time
	tick(t, r, at(20, 12, 20))
	tick(t, r, at(20, 12, 45))
	same(t, got(t, r), "20 12:10 now+", "20 12:20 now+")
	same(t, slots(t, r, n.Slug)[1:], "2026-11-20 12:10 frozen ", "2026-11-20 12:20 frozen ")
}

func TestImmediate_OtherStoriesAreOwedByAnotherCadence(t *testing.T) {
	t.Parallel()
	r, n, reader := atOnce(t, desk.NewsletterEdit{ImmediateSections: &[]string{"politics"}})
	news(t, r, "Cup final", at(20, 12, 0), "sport")
	tick(t, r, at(20, 12, 30))
	same(t, got(t, r))
	news(t, r, "Vote today", at(20, 13, 0), "politics")
	tick(t, r, at(20, 13, 10))
	same(t, got(t, r), "20 13:10 now+")
	w, err := r.Desk.WhyEdition(t.Context(), 2)
	if err != nil || w.List[1].Verdict != newsletter.NotImmediate {
		t.Errorf("%+v, %v", w.List, err)
	}
	link := newsletter.Link{SubscriberID: reader, NewsletterID: n.ID}
	err = r.Store.ChangeSubscription(t.Context(), link, n.ID, newsletter.Origin{Channel: "link"}, r.Clock.Now(),
		func(newsletter.Subscription) (newsletter.SignUpChoice, string, error) {
			return newsletter.SignUpChoice{NewsletterID: n.ID, Cadence: newsletter.Daily}, "daily", nil
		})
	if err != nil {
		t.Fatal(err)
	}
	tick(t, r, at(23, 7, 0))
	same(t, got(t, r), "20 13:10 now+", "23 main daily++ now+")
}

func TestImmediate_WithoutReadersOrPausedThereIsNothingOnRecord(t *testing.T) {
	t.Parallel()
	r, n, reader := atOnce(t, desk.NewsletterEdit{})
	r.Exec(`UPDATE subscriptions SET cadence = 'daily' WHERE subscriber_id = $1`, reader)
	news(t, r, "Harbour opens", at(20, 12, 0))
	tick(t, r, at(20, 12, 10))
	r.Exec(`UPDATE subscriptions SET cadence = 'immediate', updated_at = $1 WHERE subscriber_id = $2`, at(20, 12, 20).UnixMilli(), reader)
	tick(t, r, at(20, 12, 30)) // what came before they chose it makes no edition
	if _, err := r.Desk.PauseNewsletter(t.Context(), n.Slug); err != nil {
		t.Fatal(err)
	}
	news(t, r, "Bridge closes", at(20, 13, 0))
	tick(t, r, at(20, 13, 30))
	if _, err := r.Desk.ResumeNewsletter(t.Context(), n.Slug); err != nil {
		t.Fatal(err)
	}
	tick(t, r, at(20, 14, 0))
	same(t, slots(t, r, n.Slug), "2026-11-20 main skipped nothing_new")
	news(t, r, "Market falls", at(20, 15, 0))
	tick(t, r, at(20, 15, 10))
	same(t, got(t, r), "20 15:10 now+++") // nothing is lost
}

func TestImmediate_IsLateAndMissedLikeOthers(t *testing.T) {
	t.Parallel()
	r, n, _ := atOnce(t, desk.NewsletterEdit{})
	news(t, r, "Harbour opens", at(20, 12, 0))
	r.Clock.Add(30 * time.Minute)
	s, err := r.Desk.Status(t.Context(), r.Store)
	if err != nil || len(s.Problems) != 1 || !strings.Contains(s.Problems[0].Text(), "the immediate edition of daily-news is due and not built, since Fri 20 Nov 12:10") {
		t.Errorf("%v, %v", s.Problems, err)
	}
	tick(t, r, at(20, 19, 0)) // nobody was there for more than the grace time
	same(t, slots(t, r, n.Slug), "2026-11-20 main skipped nothing_new", "2026-11-20 12:10 skipped missed")
	news(t, r, "Bridge closes", at(20, 20, 0))
	tick(t, r, at(20, 20, 10))
	same(t, got(t, r), "20 20:10 now++")
}

func TestImmediate_WhatCannotBeIsSaid(t *testing.T) {
	t.Parallel()
	r, n, _ := atOnce(t, desk.NewsletterEdit{})
	for want, edit := range map[string]desk.NewsletterEdit{
		"quiet-time":         {ImmediateQuiet: new("5s")},
		"immediate_hours":    {ImmediateHours: new("6-22")},
		"immediate_sections": {ImmediateSections: &[]string{"sport"}},
		"immediate_labels":   {ImmediateLabels: &[]string{strings.Repeat("x", 61)}},
		"immediate":          {Approval: new("manual")},
	} {
		_, err := r.Desk.EditNewsletter(t.Context(), n.Slug, edit)
		if fields := fieldsOf(err); len(fields) != 1 || fields[0] != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	_, err := r.Desk.EditNewsletter(t.Context(), n.Slug, desk.NewsletterEdit{Drop: []string{"immediate"}})
	if newsletter.KindOf(err) != newsletter.Conflict || !strings.Contains(err.Error(), "they have to choose another one first") {
		t.Errorf("dropped with a reader: %v", err)
	}
}
