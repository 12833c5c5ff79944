// Package newsroomtest is a whole newsroom for tests: a database in a temporary folder, a
// feed on a real web server, a real SMTP server, a clock that tests set, and the desk and the
// sender between them.
package newsroomtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/bounce"
	"broadsheet/internal/delivery"
	"broadsheet/internal/desk"
	"broadsheet/internal/digest"
	"broadsheet/internal/feed"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/smtptest"
	"broadsheet/internal/store"
	"broadsheet/templates"
)

// Start is when a newsroom's clock begins: a Friday, 06:00 in London.
var Start = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)

// Clock is a clock that tests set.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the time that was set.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves the clock.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.mu.Unlock()
}

// Newsroom is a newsroom. Its parts can be used one by one.
type Newsroom struct {
	t      testing.TB
	Clock  *Clock
	Store  *store.Store
	SMTP   *smtptest.Server
	Keys   newsletter.KeyRing
	Barred newsletter.SuppressionKey
	Desk   *desk.Desk
	Engine *delivery.Engine
	Feed   *Feed
	Log    *Log
	engine delivery.Options
}

// Options change a newsroom from what is usual.
type Options struct {
	SMTP        smtptest.Options
	Transport   string // relays instead of the SMTP server, with commas
	Connections int    // 0: 4
	Timeouts    mail.Timeouts
	Signers     mail.Signers
	Bounces     string // the domain of return paths; empty: the newsletter's sender
	Path        string // of the database; empty: a new one
	Brakes      newsletter.Brakes
	MaxComposed int // see desk.Press
}

// New returns a newsroom with an empty database and an empty feed.
func New(t testing.TB, o Options) *Newsroom {
	t.Helper()
	r := &Newsroom{t: t, Clock: &Clock{now: Start}, Feed: NewFeed(t), Log: NewLog(t)}
	var err error
	if r.SMTP, err = smtptest.Start(o.SMTP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.SMTP.Close() })
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "broadsheet.db")
	}
	if r.Store, err = store.Open(t.Context(), o.Path, store.CreateIfMissing); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Store.Close(); err != nil {
			t.Error(err)
		}
	})
	if r.Keys, r.Barred, err = r.Store.Keys(t.Context(), r.Clock.Now(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	r.open(o)
	return r
}

func (r *Newsroom) open(o Options) {
	r.t.Helper()
	if o.Transport == "" {
		o.Transport = r.SMTP.URL()
	}
	if o.Connections == 0 {
		o.Connections = 4
	}
	relays, err := mail.ParseRelays(o.Transport, mail.Limits{Connections: o.Connections}, mail.Options{Timeouts: o.Timeouts, RootCAs: r.SMTP.CertPool()})
	if err != nil {
		r.t.Fatal(err)
	}
	fsys, err := templates.FS("")
	if err != nil {
		r.t.Fatal(err)
	}
	sources, err := templates.Mail(fsys)
	if err != nil {
		r.t.Fatal(err)
	}
	logger := slog.New(r.Log)
	r.engine = delivery.Options{
		Ledger: r.Store, Role: r.Store, Relays: relays,
		Signers: o.Signers, BounceDomain: o.Bounces, Brakes: o.Brakes, Judge: bounce.Refusal,
		BaseURL: "https://news.example.org", Keys: r.Keys, Suppression: r.Barred,
		Now: r.Clock.Now, Random: func() float64 { return 0 }, Logger: logger, Idle: 10 * time.Millisecond,
	}
	r.Engine = r.NewEngine()
	fetcher := feed.NewClient(feed.Options{AllowPrivate: true, Now: r.Clock.Now})
	r.Desk = desk.New(r.Store, fetcher, desk.Options{
		Now: r.Clock.Now, Actor: "test", BaseURL: "https://news.example.org", Logger: logger,
		Press: desk.Press{
			Store: r.Store, Engine: r.Engine, Transport: relays, Templates: digest.Templates(sources), Signers: o.Signers,
			Keys: r.Keys, Suppression: r.Barred, MaxComposed: o.MaxComposed,
		},
	})
}

// Newsletter makes a newsletter that takes the newsroom's feed, daily at 07:00 London time.
func (r *Newsroom) Newsletter(slug string, change func(*newsletter.Newsletter)) newsletter.Newsletter {
	r.t.Helper()
	rule, err := newsletter.ParseRule("mon-fri 07:00")
	if err != nil {
		r.t.Fatal(err)
	}
	n := newsletter.Newsletter{
		Slug: slug, Name: "Daily News", From: newsletter.Address{Name: "Example News", Email: "news@example.org"},
		PrivacyURL: "https://www.example.org/privacy", LegalFooter: "Registered in England.",
		PostalAddress: "1 Example Street, London", Language: "en", Zone: "Europe/London",
		MinArticles: 1, MaxArticles: 12, Status: newsletter.Open,
		Schedules: []newsletter.Schedule{{Cadence: newsletter.Daily, Slot: newsletter.MainSlot, Rule: rule}},
	}
	if change != nil {
		change(&n)
	}
	if n, err = r.Desk.CreateNewsletter(r.t.Context(), n); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.Desk.AddSource(r.t.Context(), r.Feed.URL, slug, "Feed"); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// Readers subscribes readers r1@example.org … rN@example.org, confirmed now, and returns
// their addresses.
func (r *Newsroom) Readers(n newsletter.Newsletter, from, to int) []string {
	r.t.Helper()
	var list []string
	for i := from; i <= to; i++ {
		list = append(list, fmt.Sprintf("r%d@example.org", i))
		r.Reader(n, list[len(list)-1], newsletter.Daily, 0)
	}
	return list
}

// Reader subscribes one reader, confirmed now, and returns the subscriber's id.
func (r *Newsroom) Reader(n newsletter.Newsletter, email string, c newsletter.Cadence, sections newsletter.Mask) int64 {
	r.t.Helper()
	return r.subscribe(email, newsletter.SignUpChoice{NewsletterID: n.ID, Cadence: c, Sections: sections})
}

// SlotReader subscribes one reader to a slot of the daily edition, confirmed now.
func (r *Newsroom) SlotReader(n newsletter.Newsletter, email, slot string) int64 {
	r.t.Helper()
	return r.subscribe(email, newsletter.SignUpChoice{NewsletterID: n.ID, Cadence: newsletter.Daily, Slot: slot})
}

func (r *Newsroom) subscribe(email string, choice newsletter.SignUpChoice) int64 {
	r.t.Helper()
	id, err := r.Store.AddSubscriptions(r.t.Context(), newsletter.Addition{
		Email: email, EmailKey: email, Suppression: r.Barred.Hashes(email),
		Choices: []newsletter.SignUpChoice{choice},
		Origin:  newsletter.Origin{Channel: "staff", Actor: "test", Note: "test"},
	}, r.Clock.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// NewEngine returns another engine, as another process on the same database has one.
func (r *Newsroom) NewEngine() *delivery.Engine { return delivery.NewEngine(r.engine) }

// Build builds an edition by hand.
func (r *Newsroom) Build(slug string) (*desk.Draft, error) {
	return r.Desk.Build(r.t.Context(), desk.BuildOptions{Newsletter: slug})
}

// Exec runs a statement on the database, past all rules.
func (r *Newsroom) Exec(statement string, args ...any) {
	r.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+r.Store.Path()+"?_busy_timeout=5000")
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close() // the statement is committed
	if _, err := db.ExecContext(r.t.Context(), statement, args...); err != nil {
		r.t.Fatal(err)
	}
}

// Begin builds and starts an edition by hand.
func (r *Newsroom) Begin(slug string) newsletter.Edition {
	r.t.Helper()
	draft, err := r.Build(slug)
	if err != nil {
		r.t.Fatal(err)
	}
	e, err := r.Desk.Start(r.t.Context(), draft, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

// Send builds, starts and carries an edition by hand, and returns its tally.
func (r *Newsroom) Send(slug string) (newsletter.Edition, newsletter.Tally) {
	r.t.Helper()
	e := r.Begin(slug)
	if err := r.Desk.Carry(r.t.Context(), e.ID, time.Minute, nil); err != nil {
		r.t.Fatal(err)
	}
	return r.Tally(e.ID)
}

// Tally returns an edition and its balanced tally.
func (r *Newsroom) Tally(id int64) (newsletter.Edition, newsletter.Tally) {
	r.t.Helper()
	e, tally, err := r.Desk.Edition(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	return e, tally
}

// Received counts the messages that the SMTP server took, by recipient.
func (r *Newsroom) Received() map[string]int {
	got := map[string]int{}
	for _, m := range r.SMTP.Messages() {
		got[m.To]++
	}
	return got
}

// testWriter writes the log to the test's.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(string(p))
	return len(p), nil
}

// Feed is an RSS feed on a web server. It is safe for concurrent use.
type Feed struct {
	URL   string
	mu    sync.Mutex
	items []FeedItem
	down  bool
}

// FeedItem is an item of the feed.
type FeedItem struct {
	Title       string   `xml:"title"`
	Link        string   `xml:"link"`
	GUID        string   `xml:"guid"`
	PubDate     string   `xml:"pubDate,omitempty"`
	Description string   `xml:"description"`
	Category    []string `xml:"category"`
}

// NewFeed starts an empty feed.
func NewFeed(t testing.TB) *Feed {
	f := &Feed{}
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(server.Close)
	f.URL = server.URL + "/feed.xml"
	return f
}

// Publish adds an item; what is missing in it is made up from the title.
func (f *Feed) Publish(title string, at time.Time, categories ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	link := "https://www.example.org/" + fmt.Sprintf("%x", title)
	f.items = append([]FeedItem{{
		Title: title, Link: link, GUID: link, PubDate: at.Format(time.RFC1123Z),
		Description: "What happened, in one sentence: " + title + ".", Category: categories,
	}}, f.items...)
}

// SetDown makes the feed answer 503, or well again.
func (f *Feed) SetDown(down bool) {
	f.mu.Lock()
	f.down = down
	f.mu.Unlock()
}

func (f *Feed) serve(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	type channel struct {
		Title string     `xml:"title"`
		Link  string     `xml:"link"`
		Items []FeedItem `xml:"item"`
	}
	document := struct {
		XMLName xml.Name `xml:"rss"`
		Version string   `xml:"version,attr"`
		Channel channel  `xml:"channel"`
	}{Version: "2.0", Channel: channel{Title: "Example", Link: "https://www.example.org/", Items: f.items}}
	w.Header().Set("Content-Type", "application/rss+xml")
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(document)
}

// Until waits until the condition holds, and fails the test if the context ends first.
func Until(ctx context.Context, t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("it did not come to this: %s", what)
		case <-tick.C:
		}
	}
}

// Proofs returns the outbox of mails that ask staff to approve a draft.
func (r *Newsroom) Proofs() store.ProofMails { return store.ProofMails{Store: r.Store} }
