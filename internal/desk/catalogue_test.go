package desk_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/feed"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"
)

// publisher answers for feeds.
type publisher struct {
	mu    sync.Mutex
	feeds map[string]func(feed.Request) (*feed.Feed, error)
	asked []feed.Request
}

func (p *publisher) Fetch(_ context.Context, req feed.Request) (*feed.Feed, error) {
	p.mu.Lock()
	p.asked = append(p.asked, req)
	answer := p.feeds[req.URL]
	p.mu.Unlock()
	if answer == nil {
		return nil, &feed.Error{Kind: feed.KindStatus, Host: "news.example.org", Status: 404}
	}
	return answer(req)
}

func (p *publisher) publish(url string, items ...newsletter.Item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.feeds[url] = func(feed.Request) (*feed.Feed, error) {
		return &feed.Feed{Title: "Example News", Items: items, ETag: "v1"}, nil
	}
}

func (p *publisher) fail(url string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.feeds[url] = func(feed.Request) (*feed.Feed, error) { return nil, err }
}

// office is a desk on a real database, a publisher, and a clock that stands.
type office struct {
	*testing.T
	*desk.Desk
	store     *store.Store
	publisher *publisher
	now       time.Time
}

const feedURL = "https://news.example.org/feed"

func newOffice(t *testing.T) *office {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), store.CreateIfMissing)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	o := &office{T: t, store: s, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
		publisher: &publisher{feeds: map[string]func(feed.Request) (*feed.Feed, error){}}}
	o.Desk = desk.New(s, o.publisher, desk.Options{Now: func() time.Time { return o.now }, Actor: "test"})
	return o
}

func (o *office) item(guid string) newsletter.Item {
	return newsletter.Item{GUID: guid, URL: "https://news.example.org/" + guid, Headline: guid, Published: o.now.Add(-time.Hour)}
}

// dailyNews makes a newsletter that is due on weekdays at 07:00 and on Fridays at 08:00.
func (o *office) dailyNews() newsletter.Newsletter {
	o.Helper()
	n, err := o.NewNewsletter(o.Context(), "daily-news", desk.NewsletterEdit{
		Name: new("Daily News"), From: new("Example News <news@example.org>"), PostalAddress: new("1 High Street"),
		Zone: new("Europe/London"), Daily: new("mon-fri 07:00"), Weekly: new("fri 08:00"),
	})
	if err != nil {
		o.Fatal(err)
	}
	return n
}

func wantKind(t *testing.T, err error, kind newsletter.Kind) {
	t.Helper()
	if err == nil || newsletter.KindOf(err) != kind {
		t.Errorf("error %v (%v), want %v", err, newsletter.KindOf(err), kind)
	}
}

func fieldsOf(err error) []string {
	e, _ := errors.AsType[*newsletter.Error](err)
	if e == nil {
		return nil
	}
	var names []string
	for _, f := range e.Fields {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names
}

func TestNewNewsletter_TellsEverythingThatIsWrongAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	_, err := o.NewNewsletter(t.Context(), "Daily News", desk.NewsletterEdit{
		Name: new(strings.Repeat("x", 101)), Description: new("two\nlines"), From: new("not an address"), ReplyTo: new("a@@b"),
		Language: new("english"), Zone: new("Local"), PrivacyURL: new("http://example.org"), LegalFooter: new("a\x07b"),
		LinkParams: new("#x"), MinArticles: new(5), MaxArticles: new(3), Daily: new("soon"), Weekly: new("fri 25:00"),
	})
	wantKind(t, err, newsletter.Invalid)
	want := []string{"daily", "description", "from", "language", "legal_footer", "link_params", "max_articles", "name",
		"postal_address", "privacy_url", "reply_to", "slug", "weekly", "zone"}
	if got := fieldsOf(err); !slices.Equal(got, want) {
		t.Errorf("wrong: %v, want %v", got, want)
	}
	if all, err := o.Newsletters(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("made %v, %v", all, err)
	}
}

func TestNewNewsletter_Values(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		edit  desk.NewsletterEdit
		wrong string
	}{
		{"language with region", desk.NewsletterEdit{Language: new("de-AT")}, ""},
		{"language with script", desk.NewsletterEdit{Language: new("zh-Hant-TW")}, ""},
		{"language with underscore", desk.NewsletterEdit{Language: new("en_GB")}, "language"},
		{"privacy policy on this machine", desk.NewsletterEdit{PrivacyURL: new("http://localhost:8080/privacy")}, ""},
		{"privacy policy with script", desk.NewsletterEdit{PrivacyURL: new("javascript:alert(1)")}, "privacy_url"},
		{"privacy policy with password", desk.NewsletterEdit{PrivacyURL: new("https://a:b@example.org")}, "privacy_url"},
		{"link params with question mark", desk.NewsletterEdit{LinkParams: new("?utm_source=n&utm_medium=email")}, ""},
		{"link params with markup", desk.NewsletterEdit{LinkParams: new(`a="><b>`)}, "link_params"},
		{"postal address with lines", desk.NewsletterEdit{PostalAddress: new("1 High Street\r\nLondon")}, ""},
		{"place in the footer", desk.NewsletterEdit{LegalFooter: new("https://personal.invalid/unsubscribe")}, "legal_footer"},
		{"zone that reaches out", desk.NewsletterEdit{Zone: new("../../etc/passwd")}, "zone"},
		{"dropped cadence that is none", desk.NewsletterEdit{Drop: []string{"hourly"}}, "drop"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := tt.edit
			e.Name, e.From = new("N"), new("n@example.org")
			if e.PostalAddress == nil {
				e.PostalAddress = new("P")
			}
			got := strings.Join(fieldsOf(desk.New(nil, nil, desk.Options{}).CheckNewNewsletter("n", e)), " ")
			if got != tt.wrong {
				t.Errorf("wrong: %q, want %q", got, tt.wrong)
			}
		})
	}
}

func TestNewNewsletter_WithoutSchedule_IsSentByHand(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	n, err := o.CreateNewsletter(t.Context(), newsletter.Newsletter{
		Slug: "n", Name: "N", From: newsletter.Address{Email: "n@example.org"}, PostalAddress: "P",
	})
	if err != nil {
		t.Fatal(err)
	}
	if !n.Offers(newsletter.Daily) || len(n.Schedules) != 1 || !n.Schedules[0].Rule.IsZero() || n.Language != "en" || n.Zone != "UTC" || n.MaxArticles != 12 {
		t.Errorf("newsletter %+v", n)
	}
}

func TestEditNewsletter_ChangedRule_CountsFromNowOn(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	made := o.dailyNews()
	o.now = o.now.Add(24 * time.Hour)
	setAt := func(e desk.NewsletterEdit) (daily, weekly time.Time) {
		n, err := o.EditNewsletter(t.Context(), "daily-news", e)
		if err != nil {
			t.Fatal(err)
		}
		return n.Schedules[0].SetAt, n.Schedules[1].SetAt
	}
	before := made.Schedules[0].SetAt
	if d, w := setAt(desk.NewsletterEdit{Name: new("Other"), Daily: new("mon-fri 7:00")}); !d.Equal(before) || !w.Equal(before) {
		t.Error("a rule that is the same counts anew")
	}
	if d, w := setAt(desk.NewsletterEdit{Daily: new("mon-fri 06:00")}); !d.Equal(o.now) || !w.Equal(before) {
		t.Error("the changed rule, and only that, has to count from now on")
	}
	o.now = o.now.Add(time.Hour)
	if d, w := setAt(desk.NewsletterEdit{Zone: new("America/New_York")}); !d.Equal(o.now) || !w.Equal(o.now) {
		t.Error("in another zone a rule has other due times, some of them in the past")
	}
	o.now = o.now.Add(time.Hour)
	n, err := o.EditNewsletter(t.Context(), "daily-news", desk.NewsletterEdit{Drop: []string{"weekly"}})
	if err != nil || n.Offers(newsletter.Weekly) || n.Name != "Other" {
		t.Errorf("%+v, %v", n, err)
	}
	_, err = o.EditNewsletter(t.Context(), "daily-news", desk.NewsletterEdit{Drop: []string{"daily"}})
	wantKind(t, err, newsletter.Invalid) // it would have none
	_, err = o.EditNewsletter(t.Context(), "nobody", desk.NewsletterEdit{Name: new("x")})
	wantKind(t, err, newsletter.NotFound)
}

func TestStatus_PauseResumeClose(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.dailyNews()
	do := func(f func(context.Context, string) (newsletter.Newsletter, error), want newsletter.Status) newsletter.Newsletter {
		t.Helper()
		for range 2 { // it can be repeated
			if n, err := f(t.Context(), "daily-news"); err != nil || n.Status != want {
				t.Errorf("%s, %v; want %s", n.Status, err, want)
			}
		}
		n, err := o.Newsletter(t.Context(), "daily-news")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	do(o.PauseNewsletter, newsletter.Paused)
	o.now = o.now.Add(72 * time.Hour)
	if n := do(o.ResumeNewsletter, newsletter.Open); !n.Schedules[0].SetAt.Equal(o.now) {
		t.Error("slots that passed in the pause would be made up")
	}
	do(o.CloseNewsletter, newsletter.Closed)
	_, err := o.PauseNewsletter(t.Context(), "daily-news")
	wantKind(t, err, newsletter.Conflict)
	do(o.ResumeNewsletter, newsletter.Open)
}

func TestSkipDate(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	n := o.dailyNews()
	friday := newsletter.Date{Year: 2026, Month: time.November, Day: 27}
	skipped, err := o.SkipDate(t.Context(), "daily-news", friday, "")
	if err != nil || len(skipped) != 2 || !skipped[0].New || !skipped[0].DueAt.Equal(time.Date(2026, 11, 27, 7, 0, 0, 0, time.UTC)) {
		t.Fatalf("%+v, %v", skipped, err)
	}
	if again, err := o.SkipDate(t.Context(), "daily-news", friday, ""); err != nil || len(again) != 2 || again[0].New {
		t.Errorf("again: %+v, %v", again, err)
	}
	_, err = o.SkipDate(t.Context(), "daily-news", friday.AddDays(1), "")
	wantKind(t, err, newsletter.Invalid) // a Saturday
	_, err = o.SkipDate(t.Context(), "daily-news", friday.AddDays(-7), "")
	wantKind(t, err, newsletter.Conflict) // the past
	if count, err := o.UnskipDate(t.Context(), "daily-news", friday, ""); err != nil || count != 2 {
		t.Errorf("undone %d, %v", count, err)
	}
	_, err = o.UnskipDate(t.Context(), "daily-news", friday, "")
	wantKind(t, err, newsletter.Conflict)
	// A slot that passed for another reason is not the staff's to skip or to give back.
	key := newsletter.SlotKey{NewsletterID: n.ID, Cadence: newsletter.Daily, Date: friday, Slot: newsletter.MainSlot}
	if _, err := o.store.SkipSlot(t.Context(), key, skipped[0].DueAt, newsletter.SkippedMissed, "schedule", o.now); err != nil {
		t.Fatal(err)
	}
	if got, err := o.SkipDate(t.Context(), "daily-news", friday, ""); err != nil || len(got) != 1 || got[0].Cadence != newsletter.Weekly {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSections_UnmappedCategories(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.dailyNews()
	a, b, c := o.item("a"), o.item("b"), o.item("c")
	a.Categories, b.Categories, c.Categories = []string{"AI & Data", "Retail"}, []string{"retail", "Law"}, []string{"Artificial Intelligence"}
	o.publisher.publish(feedURL, a, b, c)
	if _, err := o.AddSource(t.Context(), feedURL, "daily-news", ""); err != nil {
		t.Fatal(err)
	}
	s, err := o.AddSection(t.Context(), "daily-news", "AI", []string{"ai & data", " Artificial  intelligence ", "AI & Data", ""})
	if err != nil || s.Slug != "ai" || !slices.Equal(s.Match, []string{"ai & data", "Artificial intelligence"}) {
		t.Fatalf("%+v, %v", s, err)
	}
	got, err := o.UnmappedCategories(t.Context(), "daily-news")
	if err != nil || len(got) != 2 || got[0].Articles != 2 || !strings.EqualFold(got[0].Name, "retail") || got[1].Name != "Law" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := o.EditSection(t.Context(), "daily-news", "ai", desk.SectionEdit{Match: &[]string{"Law", "Retail"}, Name: new("Business")}); err != nil {
		t.Fatal(err)
	}
	if got, _ = o.UnmappedCategories(t.Context(), "daily-news"); len(got) != 2 || got[0].Name != "AI & Data" {
		t.Errorf("%+v", got)
	}
	_, err = o.EditSection(t.Context(), "daily-news", "nobody", desk.SectionEdit{})
	wantKind(t, err, newsletter.NotFound)
	_, err = o.AddSection(t.Context(), "daily-news", " ", nil)
	wantKind(t, err, newsletter.Invalid)
	if s, err := o.AddSection(t.Context(), "daily-news", "経済", nil); err != nil || s.Slug == "" {
		t.Errorf("a name in another script: %+v, %v", s, err)
	}
}

func TestSlugify(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"AI & Data": "ai-data", "Économie": "economie", "  The Reader’s Digest!  ": "the-readers-digest", "2026": "2026",
		"経済": "", "": "", "a--b": "a-b", strings.Repeat("word ", 20): "word-word-word-word-word-word-word-word-word-word-word-word",
	} {
		if got := desk.Slugify(name); got != want {
			t.Errorf("Slugify(%q) = %q, want %q", name, got, want)
		}
	}
}

// S7
func TestNewsletter_IsNotFromWhereConfirmationsAreFrom(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	d := desk.New(o.store, o.publisher, desk.Options{ConfirmFrom: "hello@example.org"})
	edit := func(from string) desk.NewsletterEdit {
		name, postal := "Daily", "1 High Street"
		return desk.NewsletterEdit{Name: &name, From: &from, PostalAddress: &postal}
	}
	if got := strings.Join(fieldsOf(d.CheckNewNewsletter("daily", edit("Hello@Example.org"))), " "); got != "from" {
		t.Errorf("checked: %q", got)
	}
	if _, err := d.NewNewsletter(t.Context(), "daily", edit("Hello@Example.org")); strings.Join(fieldsOf(err), " ") != "from" {
		t.Errorf("made: %v", err)
	}
	if _, err := d.NewNewsletter(t.Context(), "daily", edit("news@example.org")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.EditNewsletter(t.Context(), "daily", edit("News <hello@example.org>")); strings.Join(fieldsOf(err), " ") != "from" {
		t.Errorf("edited: %v", err)
	}
}
