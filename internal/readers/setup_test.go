package readers_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"net/mail"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
	"broadsheet/internal/store"
	"broadsheet/templates"
)

// world is a service on a real database, with a clock that tests turn.
type world struct {
	*readers.Service
	t     testing.TB
	store *store.Store
	path  string
	keys  newsletter.KeyRing
	supp  newsletter.SuppressionKey
	daily newsletter.Newsletter
	week  newsletter.Newsletter

	mu  sync.Mutex
	now time.Time
}

// Monday, 10 in the morning in London.
var monday = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func newWorld(t testing.TB) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, path: filepath.Join(t.TempDir(), "test.db"), now: monday}
	var err error
	if w.store, err = store.Open(ctx, w.path, store.CreateIfMissing); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	if w.keys, w.supp, err = w.store.Keys(ctx, w.now, bytes.NewReader(bytes.Repeat([]byte{7}, 64))); err != nil {
		t.Fatal(err)
	}
	w.daily = w.newsletter("daily-news", "Daily News", "news@example.org", newsletter.Daily, "mon-fri 07:00")
	w.week = w.newsletter("weekly", "The Week", "confirm@example.org", newsletter.Weekly, "fri 08:00")
	w.Service = readers.New(w.store, readers.Options{
		BaseURL: "https://letters.example.org/", Keys: w.keys, Suppression: w.supp,
		Templates: mailTemplates(t), Now: w.clock,
	})
	return w
}

func mailTemplates(t testing.TB) digest.Templates {
	t.Helper()
	fsys, err := templates.FS("")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := templates.Mail(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// wait turns the clock on.
func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) newsletter(slug, name, from string, cadence newsletter.Cadence, rule string) newsletter.Newsletter {
	w.t.Helper()
	r, err := newsletter.ParseRule(rule)
	if err != nil {
		w.t.Fatal(err)
	}
	n, err := w.store.CreateNewsletter(w.t.Context(), newsletter.Newsletter{
		Slug: slug, Name: name, From: newsletter.Address{Name: "Example News", Email: from},
		PostalAddress: "1 Example Street, London", Language: "en", Zone: "Europe/London",
		PrivacyURL: "https://example.org/privacy", LegalFooter: "Registered in England.", MinArticles: 1, MaxArticles: 12, Status: newsletter.Open,
		Schedules: []newsletter.Schedule{{Cadence: cadence, Slot: newsletter.MainSlot, Rule: r, SetAt: w.now}},
	}, "test", w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) section(n newsletter.Newsletter, name, slug string) newsletter.Section {
	w.t.Helper()
	s, err := w.store.AddSection(w.t.Context(), newsletter.Section{NewsletterID: n.ID, Name: name, Slug: slug}, "test", w.now)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// exec changes the database behind the store's back.
func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	db := w.db()
	defer db.Close()
	if _, err := db.Exec(query, args...); err != nil {
		w.t.Fatal(err)
	}
	// Whoever changes what is offered leaves an event: by it others know that it has changed.
	if _, err := db.Exec(`INSERT INTO desk_events (at, actor, action) VALUES (0, 'test', 'changed by hand')`); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) db() *sql.DB {
	w.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+w.path+"?_busy_timeout=5000&_txlock=immediate")
	if err != nil {
		w.t.Fatal(err)
	}
	return db
}

// count returns the number that a query gives.
func (w *world) count(query string, args ...any) int {
	w.t.Helper()
	db := w.db()
	defer db.Close()
	var n int
	if err := db.QueryRow(query, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// suppress enters an address, lower-case, into the list of those not to be mailed.
func (w *world) suppress(email string, reason newsletter.SuppressionReason) {
	w.t.Helper()
	w.exec(`INSERT INTO suppressions (hash, reason, created_at) VALUES ($1, $2, 0)`, w.supp.Hash(email), string(reason))
}

func (w *world) signUp(email string, newsletters ...string) readers.SignedUp {
	w.t.Helper()
	if len(newsletters) == 0 {
		newsletters = []string{"daily-news"}
	}
	s, err := w.SignUp(w.t.Context(), readers.SignUp{Email: email, Newsletters: newsletters, Origin: from("192.0.2.1")})
	if err != nil {
		w.t.Fatalf("sign up %s: %v", email, err)
	}
	return s
}

func from(ip string) newsletter.Origin {
	return newsletter.Origin{Channel: "form", Page: "https://example.org/article", Placement: "column", IP: ip, UserAgent: "Test/1"}
}

// message is a mail that came out of the outbox.
type message struct {
	newsletter.Mail
	from string
	data []byte
}

// deliver sends all mail that is due and returns it, as the sender would.
func (w *world) deliver() []message {
	w.t.Helper()
	ctx := w.t.Context()
	due, err := w.store.DueMails(ctx, w.clock(), 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var sent []message
	for _, m := range due {
		m, err := w.store.BeginMail(ctx, m.ID, w.clock())
		if newsletter.KindOf(err) == newsletter.Conflict {
			continue
		}
		if err != nil {
			w.t.Fatal(err)
		}
		from, to, data, err := w.Compose(ctx, m)
		if err != nil {
			w.t.Fatal(err)
		}
		if to != m.Email {
			w.t.Errorf("composed for %s, want %s", to, m.Email)
		}
		if err := w.store.FinishMail(ctx, m.ID, newsletter.Outcome{State: newsletter.Accepted, Code: 250}, time.Time{}, w.clock()); err != nil {
			w.t.Fatal(err)
		}
		sent = append(sent, message{m, from, data})
	}
	return sent
}

var tokenInLink = regexp.MustCompile(`https://letters\.example\.org/(confirm|manage)/([A-Za-z0-9_-]+)`)

// token returns the token in a mail's link.
func (w *world) token(m message) string {
	w.t.Helper()
	match := tokenInLink.FindStringSubmatch(w.text(m))
	if match == nil {
		w.t.Fatalf("no link in\n%s", w.text(m))
	}
	return match[2]
}

// text returns the body of a mail with its soft line breaks taken back.
func (w *world) text(m message) string {
	w.t.Helper()
	parsed, err := mail.ReadMessage(bytes.NewReader(m.data))
	if err != nil {
		w.t.Fatal(err)
	}
	body, err := io.ReadAll(parsed.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(string(body))
}

// join signs somebody up and confirms it.
func (w *world) join(email string, newsletters ...string) newsletter.Subscriber {
	w.t.Helper()
	w.signUp(email, newsletters...)
	for _, m := range w.deliver() {
		if _, err := w.Confirm(w.t.Context(), w.token(m), "en", newsletter.Origin{Channel: "link", IP: "192.0.2.1"}); err != nil {
			w.t.Fatal(err)
		}
	}
	return w.subscriber(email)
}

func (w *world) subscriber(email string) newsletter.Subscriber {
	w.t.Helper()
	sub, _, err := w.Subscriber(w.t.Context(), email)
	if err != nil {
		w.t.Fatal(err)
	}
	return sub
}

// states returns a subscriber's subscriptions as "daily-news:active weekly:left".
func (w *world) states(email string) string {
	w.t.Helper()
	var words []string
	for _, u := range w.subscriber(email).Subscriptions {
		words = append(words, fmt.Sprintf("%s:%s", u.NewsletterSlug, u.State))
	}
	return strings.Join(words, " ")
}

// history returns the kinds of a subscriber's events, oldest first.
func (w *world) history(email string) string {
	w.t.Helper()
	_, events, err := w.Subscriber(w.t.Context(), email)
	if err != nil {
		w.t.Fatal(err)
	}
	var words []string
	for _, e := range events {
		words = append(words, string(e.Kind))
	}
	return strings.Join(words, " ")
}

// unsubscribeToken is the token of a link in an edition.
func (w *world) unsubscribeToken(sub newsletter.Subscriber, n newsletter.Newsletter, edition int64) string {
	return w.keys.Sign(newsletter.PurposeUnsubscribe, newsletter.Link{SubscriberID: sub.ID, NewsletterID: n.ID, EditionID: edition})
}

func wantKind(t testing.TB, err error, kind newsletter.Kind, reason string) {
	t.Helper()
	if newsletter.KindOf(err) != kind || newsletter.ReasonOf(err) != reason {
		t.Fatalf("error = %v (%s, %q), want %s, %q", err, newsletter.KindOf(err), newsletter.ReasonOf(err), kind, reason)
	}
}
