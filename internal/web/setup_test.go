package web

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
	"broadsheet/internal/store"
	"broadsheet/templates"
)

const testBase = "https://letters.example.org"

// site is the whole handler on the real service and a real database, over real HTTP.
type site struct {
	t       testing.TB
	server  *httptest.Server
	client  *http.Client
	readers *readers.Service
	store   *store.Store
	keys    newsletter.KeyRing
	daily   newsletter.Newsletter
	week    newsletter.Newsletter
	log     *syncBuffer
	options Options // of the handler

	mu  sync.Mutex
	now time.Time
}

// syncBuffer is a log that can be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newSite(t testing.TB, change ...func(*Options)) *site {
	t.Helper()
	s := &site{t: t, now: now(), log: &syncBuffer{}}
	var err error
	if s.store, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), store.CreateIfMissing); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
	var suppression newsletter.SuppressionKey
	if s.keys, suppression, err = s.store.Keys(t.Context(), s.now, bytes.NewReader(bytes.Repeat([]byte{7}, 64))); err != nil {
		t.Fatal(err)
	}
	s.daily, s.week = s.create(dailyNews()), s.create(weekend())
	for _, section := range topics() {
		section.NewsletterID = s.daily.ID
		if _, err := s.store.AddSection(t.Context(), section, "test", s.now); err != nil {
			t.Fatal(err)
		}
	}
	mails, err := templates.Mail(embedded(t))
	if err != nil {
		t.Fatal(err)
	}
	s.readers = readers.New(s.store, readers.Options{
		BaseURL: testBase, Keys: s.keys, Suppression: suppression, Templates: mails, Now: s.clock,
	})
	o := Options{
		Readers: s.readers, BaseURL: testBase, Templates: embedded(t), Now: s.clock, Version: "v1.2.3",
		Logger: slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Health: func(ctx context.Context) error { return s.store.Ping(ctx) },
	}
	for _, f := range change {
		f(&o)
	}
	s.serve(o)
	return s
}

// newFakeSite is the handler on a fake.
func newFakeSite(t testing.TB, f Readers, change ...func(*Options)) *site {
	t.Helper()
	s := &site{t: t, now: now(), log: &syncBuffer{}}
	o := Options{
		Readers: f, BaseURL: testBase, Templates: embedded(t), Now: s.clock,
		Logger: slog.New(slog.NewJSONHandler(s.log, nil)), Health: func(context.Context) error { return nil },
	}
	for _, f := range change {
		f(&o)
	}
	s.serve(o)
	return s
}

func (s *site) serve(o Options) {
	s.t.Helper()
	s.options = o
	handler, err := New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.server = httptest.NewUnstartedServer(nil)
	s.server.Config = DefaultLimits().Server("", handler)
	s.server.Start()
	s.t.Cleanup(s.server.Close)
	s.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func embedded(t testing.TB) fs.FS {
	t.Helper()
	f, err := templates.FS("")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (s *site) create(n newsletter.Newsletter) newsletter.Newsletter {
	s.t.Helper()
	n.MinArticles, n.MaxArticles = 1, 12
	for i := range n.Schedules {
		n.Schedules[i].SetAt = s.now
	}
	if n.PrivacyURL == "" {
		n.PrivacyURL = "https://news.example.org/privacy"
	}
	n.LegalFooter = "Registered in England."
	n, err := s.store.CreateNewsletter(s.t.Context(), n, "test", s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) wait(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	t    testing.TB
	body string
}

func (s *site) do(method, path, contentType, body string, header ...string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.server.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Add(header[i], header[i+1])
	}
	response, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{response, s.t, string(read)}
}

func (s *site) get(path string, header ...string) answer {
	s.t.Helper()
	return s.do(http.MethodGet, path, "", "", header...)
}

// post sends a form.
func (s *site) post(path string, values url.Values, header ...string) answer {
	s.t.Helper()
	return s.do(http.MethodPost, path, "application/x-www-form-urlencoded", values.Encode(), header...)
}

// json sends JSON with a token, which may be empty.
func (s *site) json(method, path, token, body string) answer {
	s.t.Helper()
	if token == "" {
		return s.do(method, path, "application/json", body)
	}
	return s.do(method, path, "application/json", body, "Authorization", "Bearer "+token)
}

func (a answer) want(status int) answer {
	a.t.Helper()
	if a.StatusCode != status {
		a.t.Fatalf("%s %s: status %d, want %d\n%s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.body)
	}
	return a
}

// has checks that the text of the page, white space aside, has all of these.
func (a answer) has(words ...string) answer {
	a.t.Helper()
	text := textOf(a.page())
	for _, w := range words {
		if !strings.Contains(text, w) {
			a.t.Errorf("%s: no %q in\n%s", a.Request.URL.Path, w, text)
		}
	}
	return a
}

func (a answer) lacks(words ...string) answer {
	a.t.Helper()
	for _, w := range words {
		if strings.Contains(a.body, w) {
			a.t.Errorf("%s: %q is in\n%s", a.Request.URL.Path, w, a.body)
		}
	}
	return a
}

func (a answer) page() *html.Node {
	a.t.Helper()
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		a.t.Fatal(err)
	}
	return doc
}

// signUp posts the form and returns the token of the confirmation mail.
func (s *site) signUp(email string, newsletters ...string) string {
	s.t.Helper()
	s.post("/subscribe", url.Values{"email": {email}, "newsletter": newsletters}).want(http.StatusSeeOther)
	return s.confirmToken()
}

// confirmToken returns the token of the last sign-up, as its mail has it.
func (s *site) confirmToken() string {
	s.t.Helper()
	var token string
	for id := int64(1); ; id++ {
		su, err := s.store.FindSignUp(s.t.Context(), id)
		if newsletter.KindOf(err) == newsletter.NotFound {
			break
		}
		if err != nil {
			s.t.Fatal(err)
		}
		token = s.keys.Confirmation(su.ID, su.Nonce)
	}
	if token == "" {
		s.t.Fatal("nobody signed up")
	}
	return token
}

// join signs somebody up and confirms.
func (s *site) join(email string, newsletters ...string) newsletter.Subscriber {
	s.t.Helper()
	s.post("/confirm/"+s.signUp(email, newsletters...), nil).want(http.StatusOK)
	return s.subscriber(email)
}

func (s *site) subscriber(email string) newsletter.Subscriber {
	s.t.Helper()
	sub, _, err := s.readers.Subscriber(s.t.Context(), email)
	if err != nil {
		s.t.Fatal(err)
	}
	return sub
}

// history returns what happened, oldest first, as "requested/form confirmed/link".
func (s *site) history(email string) string {
	s.t.Helper()
	_, events, err := s.readers.Subscriber(s.t.Context(), email)
	if err != nil {
		s.t.Fatal(err)
	}
	var words []string
	for _, e := range events {
		words = append(words, string(e.Kind)+"/"+e.Channel)
	}
	return strings.Join(words, " ")
}

// link returns the token of a digest's link for a purpose.
func (s *site) link(p newsletter.Purpose, sub newsletter.Subscriber, n newsletter.Newsletter) string {
	return s.keys.Sign(p, newsletter.Link{SubscriberID: sub.ID, NewsletterID: n.ID, EditionID: 1})
}

func (s *site) token(scopes string) string {
	s.t.Helper()
	secret, _, err := s.readers.CreateToken(s.t.Context(), "test", scopes)
	if err != nil {
		s.t.Fatal(err)
	}
	return secret
}

func prefixes(list ...string) []netip.Prefix {
	var p []netip.Prefix
	for _, s := range list {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func healthyDatabase(context.Context) error { return nil }
