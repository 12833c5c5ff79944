package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

func TestNewsletter_IsReadBackAsItWasMade(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	rule, err := newsletter.ParseRule("fri 08:00")
	if err != nil {
		t.Fatal(err)
	}
	want := newsletter.Newsletter{
		Slug: "weekly", Name: "Weekly — Woche", Description: "D", From: newsletter.Address{Name: "F", Email: "f@example.org"},
		ReplyTo: newsletter.Address{Name: "R", Email: "r@example.org"}, PostalAddress: "P\nQ", Language: "de-AT", Zone: "Europe/Vienna",
		PrivacyURL: "https://example.org/p", LegalFooter: "L", LinkParams: "a=b", SiteURL: "https://example.org/", Design: newsletter.DesignPictures,
		BrandColour: "#0b5a9c", LogoURL: "https://example.org/l.png", Typeface: newsletter.Sans, MinArticles: 2, MaxArticles: 9, Repeats: newsletter.RepeatAsHeadlines, Status: newsletter.Open, Approval: newsletter.DefaultApproval(), Archive: newsletter.ArchiveRule{Mode: newsletter.ArchiveNoIndex, Canonical: "https://example.org/{edition}"},
		Canary: newsletter.Canary{Hold: newsletter.DefaultCanaryHold}, Immediate: newsletter.ImmediateRule{Quiet: newsletter.DefaultQuiet},
		Schedules: []newsletter.Schedule{
			{Cadence: newsletter.Daily, Slot: newsletter.MainSlot, SetAt: c.now},
			{Cadence: newsletter.Weekly, Slot: newsletter.MainSlot, Rule: rule, SetAt: c.now},
		},
	}
	made, err := c.CreateNewsletter(t.Context(), want, "cli:ada", c.now)
	if err != nil {
		t.Fatal(err)
	}
	want.ID, want.CreatedAt = made.ID, c.now
	for name, read := range map[string]func() (newsletter.Newsletter, error){
		"slug": func() (newsletter.Newsletter, error) { return c.Newsletter(t.Context(), "weekly") },
		"id":   func() (newsletter.Newsletter, error) { return c.NewsletterByID(t.Context(), made.ID) },
		"list": func() (newsletter.Newsletter, error) {
			all, err := c.Newsletters(t.Context())
			return all[len(all)-1], err
		},
	} {
		got, err := read()
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("by %s:\n%v, want\n%v", name, got, want)
		}
	}
	if got := c.events(); got[len(got)-1] != "cli:ada newsletter created weekly" {
		t.Errorf("events %q", got)
	}
	_, err = c.CreateNewsletter(t.Context(), want, "test", c.now)
	if newsletter.KindOf(err) != newsletter.Conflict {
		t.Errorf("the same slug again: %v", err)
	}
	if _, err := c.Newsletter(t.Context(), "nobody"); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("an unknown one: %v", err)
	}
}

func TestChangeNewsletter_SavesAllOrNothing(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	change := func(detail string, err error) func(*newsletter.Newsletter) (string, error) {
		return func(n *newsletter.Newsletter) (string, error) {
			n.Name, n.Status = "Changed", newsletter.Paused
			return detail, err
		}
	}
	events := len(c.events())
	for _, f := range []func(*newsletter.Newsletter) (string, error){change("", nil), change("name", errors.New("no"))} {
		_, _ = c.ChangeNewsletter(t.Context(), "daily-news", "newsletter changed", "test", c.now, f)
		if n, _ := c.Newsletter(t.Context(), "daily-news"); n.Name != "Daily News" || len(c.events()) != events {
			t.Errorf("it was saved: %+v", n)
		}
	}
	if _, err := c.ChangeNewsletter(t.Context(), "daily-news", "newsletter changed", "test", c.now, change("name", nil)); err != nil {
		t.Fatal(err)
	}
	if n, _ := c.Newsletter(t.Context(), "daily-news"); n.Name != "Changed" || n.Status != newsletter.Paused || len(c.events()) != events+1 {
		t.Errorf("it was not saved: %+v", n)
	}
}

// subscribe adds readers directly: this is about what a newsletter owes to those it has.
func (c *catalogue) subscribe(state newsletter.SubscriptionState, cadence newsletter.Cadence, sections newsletter.Mask, count int) {
	c.Helper()
	err := c.write(c.Context(), func(t *tx) error {
		for range count {
			id, err := t.insert(`INSERT INTO subscribers (email, email_key, created_at, updated_at)
				SELECT 'r' || COUNT(*), 'r' || COUNT(*), $1, $1 FROM subscribers RETURNING id`, millis(c.now))
			if err != nil {
				return err
			}
			_, err = t.exec(`INSERT INTO subscriptions (newsletter_id, subscriber_id, state, cadence, sections, created_at, updated_at)
				VALUES ($1, $2, $3, $4, $5, $6, $6)`, c.newsletter.ID, id, string(state), string(cadence), int64(sections), millis(c.now))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		c.Fatal(err)
	}
}

func TestChangeNewsletter_CadenceWithReaders_IsNotDropped(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	c.subscribe(newsletter.Active, newsletter.Daily, 0, 2)
	c.subscribe(newsletter.Pending, newsletter.Daily, 0, 1)
	c.subscribe(newsletter.Left, newsletter.Daily, 0, 4)
	toWeekly := func(n *newsletter.Newsletter) (string, error) {
		n.Schedules = []newsletter.Schedule{{Cadence: newsletter.Weekly, Slot: newsletter.MainSlot, SetAt: c.now}}
		return "daily dropped", nil
	}
	_, err := c.ChangeNewsletter(t.Context(), "daily-news", "newsletter changed", "test", c.now, toWeekly)
	if newsletter.KindOf(err) != newsletter.Conflict || !strings.Contains(err.Error(), "3 readers") {
		t.Errorf("error %v, want a conflict that names 3 readers", err)
	}
	counts, err := c.ReaderCounts(t.Context(), c.newsletter.ID)
	if err != nil || counts[newsletter.Active] != 2 || counts[newsletter.Left] != 4 || counts[newsletter.PausedSub] != 0 {
		t.Errorf("%v, %v", counts, err)
	}
}

func TestUnskipDate_FreesOnlyWhatStaffSkippedAndIsStillToCome(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	date := newsletter.Date{Year: 2026, Month: time.December, Day: 25}
	due := time.Date(2026, 12, 25, 7, 0, 0, 0, time.UTC)
	skip := func(cadence newsletter.Cadence, reason string, due time.Time) {
		key := newsletter.SlotKey{NewsletterID: c.newsletter.ID, Cadence: cadence, Date: date, Slot: newsletter.MainSlot}
		if ok, err := c.SkipSlot(t.Context(), key, due, reason, "test", c.now); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	skip(newsletter.Daily, newsletter.SkippedByStaff, due)
	skip(newsletter.Weekly, newsletter.SkippedMissed, due)
	slots, err := c.SlotsOf(t.Context(), c.newsletter.ID, date)
	if err != nil || len(slots) != 2 {
		t.Fatalf("%v, %v", slots, err)
	}
	if n, err := c.UnskipDate(t.Context(), newsletter.SlotKey{NewsletterID: c.newsletter.ID, Date: date}, "test", due); n != 0 || err != nil {
		t.Errorf("after its time: %d, %v", n, err)
	}
	if n, err := c.UnskipDate(t.Context(), newsletter.SlotKey{NewsletterID: c.newsletter.ID, Date: date}, "test", c.now); n != 1 || err != nil {
		t.Errorf("before its time: %d, %v", n, err)
	}
	if slots, _ = c.SlotsOf(t.Context(), c.newsletter.ID, date); len(slots) != 1 || slots[0].Cadence != newsletter.Weekly {
		t.Errorf("left: %v", slots)
	}
}

func TestSections_NeverShareABit(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	add := func(slug string) newsletter.Section {
		t.Helper()
		s, err := c.AddSection(t.Context(), newsletter.Section{NewsletterID: c.newsletter.ID, Slug: slug, Name: slug, Match: []string{}}, "test", c.now)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first, second := add("a"), add("b")
	if err := c.RemoveSection(t.Context(), c.newsletter.ID, "b", "test", c.now); err != nil {
		t.Fatal(err)
	}
	third := add("c")
	if first.Bit == third.Bit || second.Bit == third.Bit {
		t.Errorf("bits %d, %d, %d", first.Bit, second.Bit, third.Bit)
	}
	if again := add("b"); again.Bit != second.Bit || again.ID != second.ID {
		t.Errorf("added again as %+v, was %+v", again, second)
	}
	if _, err := c.AddSection(t.Context(), newsletter.Section{NewsletterID: c.newsletter.ID, Slug: "b", Name: "B"}, "test", c.now); newsletter.KindOf(err) != newsletter.Conflict {
		t.Errorf("the same slug: %v", err)
	}
	for i := 3; i < newsletter.MaxSections; i++ {
		add(fmt.Sprint("s", i))
	}
	if _, err := c.AddSection(t.Context(), newsletter.Section{NewsletterID: c.newsletter.ID, Slug: "more", Name: "More"}, "test", c.now); newsletter.KindOf(err) != newsletter.Conflict {
		t.Errorf("one too many: %v", err)
	}
}

func TestRemoveSection_ThatReadersChose_IsRefused(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	s, err := c.AddSection(t.Context(), newsletter.Section{NewsletterID: c.newsletter.ID, Slug: "ai", Name: "AI", Match: []string{"AI & Data"}}, "test", c.now)
	if err != nil {
		t.Fatal(err)
	}
	c.subscribe(newsletter.Left, newsletter.Daily, newsletter.Mask(0).With(s), 1)
	if err := c.RemoveSection(t.Context(), c.newsletter.ID, "ai", "test", c.now); newsletter.KindOf(err) != newsletter.Conflict {
		t.Errorf("removed: %v", err)
	}
	got, err := c.Sections(t.Context(), c.newsletter.ID)
	if err != nil || len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(s) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestCandidates_HaveEverythingThatAReasonIsGivenFor(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	ai, err := c.AddSection(t.Context(), newsletter.Section{NewsletterID: c.newsletter.ID, Slug: "ai", Name: "AI", Match: []string{"ai & data"}}, "test", c.now)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := c.addSource("https://other.example.org/feed", c.addNewsletter("other").ID)
	attached := c.now
	c.fetch(c.source, c.story("before", published(c.now.Add(-90*24*time.Hour))))
	c.fetch(elsewhere, c.story("foreign"))
	c.now = c.now.Add(10 * 24 * time.Hour)
	since := c.now
	c.fetch(c.source, c.story("ai", func(i *newsletter.Item) { i.Categories = []string{"AI & Data", "Trade"} }),
		c.story("embargo", published(c.now.Add(48*time.Hour))), c.story("dated", published(c.now.Add(-60*24*time.Hour))), c.story("held"))
	all := c.articles()
	byGUID := map[string]int64{}
	for _, a := range all {
		byGUID[a.GUID] = a.ID
	}
	if _, err := c.ChangeArticle(t.Context(), byGUID["held"], "article held", "test", c.now, newsletter.HoldBack); err != nil {
		t.Fatal(err)
	}
	got := map[string]newsletter.Candidate{}
	list, err := c.Candidates(t.Context(), c.newsletter.ID, since)
	if err != nil {
		t.Fatal(err)
	}
	for _, cand := range list {
		got[cand.GUID] = cand
		if !cand.Attached.Equal(attached) {
			t.Errorf("%s attached %v, want %v", cand.GUID, cand.Attached, attached)
		}
	}
	for guid, want := range map[string]newsletter.Verdict{
		"ai": newsletter.Taken, "embargo": newsletter.IsEmbargoed, "dated": newsletter.IsBackDated, "held": newsletter.IsHeld,
	} {
		if v := newsletter.Eligible(got[guid], c.now); v != want {
			t.Errorf("%s: %s, want %s", guid, v, want)
		}
	}
	if len(got) != 4 {
		t.Errorf("%d candidates: %v", len(got), got)
	}
	if a := got["ai"]; !a.Sections.Has(ai) || !slices.Equal(a.Categories, []string{"AI & Data", "Trade"}) {
		t.Errorf("sections %b, categories %v", a.Sections, a.Categories)
	}
	if got["embargo"].Sections != 0 {
		t.Error("an article in no section has one")
	}
	// What was known from before and is released now is a candidate again, though it was
	// first seen long ago.
	release := func(a newsletter.Article) (newsletter.Article, error) { return newsletter.LetGo(a, c.now) }
	if _, err := c.ChangeArticle(t.Context(), byGUID["before"], "article released", "test", c.now, release); err != nil {
		t.Fatal(err)
	}
	if list, _ = c.Candidates(t.Context(), c.newsletter.ID, since); len(list) != 5 {
		t.Errorf("%d candidates after the release, want 5", len(list))
	}
	// Without its source an article is none of the newsletter's.
	if err := c.DetachSource(t.Context(), c.source, c.newsletter.ID, "test", c.now); err != nil {
		t.Fatal(err)
	}
	if list, _ = c.Candidates(t.Context(), c.newsletter.ID, since); len(list) != 0 {
		t.Errorf("%d candidates without a source", len(list))
	}
}

func TestArticles_Filter(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	other := c.addSource("https://other.example.org/feed", c.addNewsletter("other").ID)
	c.fetch(c.source, c.story("b"), c.story("a"))
	c.fetch(other, c.story("c"))
	since := c.now
	c.fetch(c.source, c.story("d", published(c.now.Add(-60*24*time.Hour))))
	for _, tt := range []struct {
		name string
		f    newsletter.ArticleFilter
		want string
	}{
		{"all", newsletter.ArticleFilter{Limit: 10}, "dcba"},
		{"newsletter", newsletter.ArticleFilter{Newsletter: "daily-news", Limit: 10}, "dba"},
		{"held", newsletter.ArticleFilter{Held: true, Limit: 10}, "d"},
		{"since", newsletter.ArticleFilter{Since: since, Limit: 10}, "dc"},
		{"page", newsletter.ArticleFilter{Limit: 2}, "dc"},
		{"next page", newsletter.ArticleFilter{Limit: 2, After: 3}, "ba"},
	} {
		list, err := c.Articles(t.Context(), tt.f)
		var got string
		for _, a := range list {
			got += a.GUID
			if len(a.Categories) != 2 {
				t.Errorf("%s: categories %v", tt.name, a.Categories)
			}
		}
		if err != nil || got != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	if _, err := c.Articles(t.Context(), newsletter.ArticleFilter{Newsletter: "nobody", Limit: 1}); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("unknown newsletter: %v", err)
	}
	if _, err := c.Article(t.Context(), 99); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("unknown article: %v", err)
	}
}

func TestDueSources_LeavesOutThoseThatNobodyReads(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	closed := c.addNewsletter("closed")
	c.addSource("https://closed.example.org/feed", closed.ID)
	_, err := c.ChangeNewsletter(t.Context(), "closed", "newsletter closed", "test", c.now, func(n *newsletter.Newsletter) (string, error) {
		n.Status = newsletter.Closed
		return "closed", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	orphan := c.addSource("https://orphan.example.org/feed", c.newsletter.ID)
	if err := c.DetachSource(t.Context(), orphan, c.newsletter.ID, "test", c.now); err != nil {
		t.Fatal(err)
	}
	due := func(now time.Time) []int64 {
		list, err := c.DueSources(t.Context(), now)
		if err != nil {
			t.Fatal(err)
		}
		ids := []int64{}
		for _, s := range list {
			ids = append(ids, s.ID)
		}
		return ids
	}
	if got := due(c.now); !slices.Equal(got, []int64{c.source}) {
		t.Errorf("due: %v", got)
	}
	c.fetch(c.source)
	if got := due(c.now.Add(newsletter.FetchInterval - time.Second)); len(got) != 0 {
		t.Errorf("before the interval has passed: %v", got)
	}
	if got := due(c.now.Add(newsletter.FetchInterval)); !slices.Equal(got, []int64{c.source}) {
		t.Errorf("after the interval: %v", got)
	}
}

func TestAttachSource_Again_IsOneSource(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	other := c.addNewsletter("other")
	src := newsletter.Source{URL: "https://news.example.org/feed"}
	for i, want := range []bool{true, false} {
		id, attached, err := c.AttachSource(t.Context(), src, other.ID, "test", c.now)
		if err != nil || id != c.source || attached != want {
			t.Errorf("call %d: source %d, attached %v, %v", i, id, attached, err)
		}
	}
	got, err := c.SourceByURL(t.Context(), src.URL)
	if err != nil || !slices.Equal(got.Newsletters, []string{"daily-news", "other"}) || got.Name == "" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.DetachSource(t.Context(), c.source, 999, "test", c.now); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("detached from a newsletter that does not have it: %v", err)
	}
}
