package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// S34
func TestHeaders_EveryAnswerHasThem(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sub := s.join("anna@example.org", "daily-news")
	leave := "/unsubscribe/" + s.link(newsletter.PurposeUnsubscribe, sub, s.daily)
	for _, a := range []answer{
		s.get("/").want(200), s.get("/n/daily-news").want(200), s.get(leave).want(200), s.get("/nothing").want(404),
		s.get("/subscribe").want(405), s.post("/subscribe", url.Values{}).want(422), s.get("/robots.txt").want(200),
		s.json("POST", "/api/v1/subscribe", "", "{").want(400), s.get("/healthz").want(200),
		s.post("/subscribe", url.Values{"email": {"b@example.org"}, "newsletter": {"weekend"}}).want(303),
	} {
		csp := a.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; ") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: Content-Security-Policy: %q", a.Request.URL.Path, csp)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Strict-Transport-Security": "max-age=31536000",
			"Set-Cookie": "", "Server": "", "X-Powered-By": "",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s: %q, want %q", a.Request.URL.Path, name, got, want)
			}
		}
	}
}

func TestHeaders_TokenPagesAreKeptAndIndexedNowhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.signUp("ben@example.org", "weekend")
	sub := s.join("anna@example.org", "daily-news")
	leave := "/unsubscribe/" + s.link(newsletter.PurposeUnsubscribe, sub, s.daily)
	for _, a := range []answer{
		s.get("/confirm/" + token), s.post("/confirm/"+token, nil), s.get(leave), s.post(leave, nil), s.post(leave+"/undo", nil),
		s.get("/manage/" + s.link(newsletter.PurposeManage, sub, s.daily)), s.get("/confirm/x"),
		s.post("/subscribe", url.Values{"email": {"x"}}), s.json("GET", "/api/v1/subscribers", s.token("all"), ""),
	} {
		if a.Header.Get("Cache-Control") != "no-store" || !strings.Contains(a.Header.Get("X-Robots-Tag"), "noindex") {
			t.Errorf("%s: %q, %q", a.Request.URL.Path, a.Header.Get("Cache-Control"), a.Header.Get("X-Robots-Tag"))
		}
	}
	if a := s.get("/"); a.Header.Get("X-Robots-Tag") != "" {
		t.Error("the first page is not to be indexed")
	}
}

func TestHeaders_NoHSTSWithoutTLS(t *testing.T) {
	t.Parallel()
	s := newFakeSite(t, &fake{}, func(o *Options) { o.BaseURL = "http://localhost:8080" })
	if h := s.get("/").want(200).Header.Get("Strict-Transport-Security"); h != "" {
		t.Errorf("Strict-Transport-Security: %q", h)
	}
}

// Whatever Host a request names, our links do not follow it.
func TestLinks_IgnoreTheHost(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.get("/n/daily-news", "Host", "evil.example", "X-Forwarded-Host", "evil.example").want(200).lacks("evil.example")
	a := s.post("/subscribe", url.Values{"email": {"a@example.org"}, "newsletter": {"weekend"}, "return": {"//evil.example/"}}, "Host", "evil.example").want(303)
	if strings.Contains(a.Header.Get("Location"), "evil") {
		t.Errorf("leads to %s", a.Header.Get("Location"))
	}
}

func TestBasePath_IsOnLinksAndOffRequests(t *testing.T) {
	t.Parallel()
	f := &fake{newsletters: []newsletter.Newsletter{dailyNews(), weekend()}}
	s := newFakeSite(t, f, func(o *Options) { o.BaseURL = "https://example.org/letters/" })
	for _, path := range []string{"/letters/", "/"} {
		page := s.get(path).want(200)
		if to := value(page.one("form"), "action"); to != "/letters/subscribe" {
			t.Errorf("%s: the form posts to %q", path, to)
		}
		s.get(value(page.one("link[rel=stylesheet]"), "href")).want(200)
	}
	if to := s.post("/letters/subscribe", url.Values{"newsletter": {"weekend"}}).want(303).Header.Get("Location"); to != "/letters/check-inbox?newsletter=weekend" {
		t.Errorf("leads to %q", to)
	}
	s.get("/lettersandmore").want(404)
}

// S30
func TestClient_IsTheSocketUnlessAProxyIsTrusted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		trusted []string
		header  []string
		want    string
	}{
		{"nobody is trusted", nil, []string{"X-Forwarded-For", "192.0.2.1", "X-Real-IP", "192.0.2.2", "Forwarded", "for=192.0.2.3"}, "127.0.0.1"},
		{"private networks are not trusted by themselves", []string{"192.0.2.0/24"}, []string{"X-Forwarded-For", "198.51.100.1"}, "127.0.0.1"},
		{"a trusted proxy tells", []string{"127.0.0.0/8"}, []string{"X-Forwarded-For", "198.51.100.1"}, "198.51.100.1"},
		{"what the client made up is left of it", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For", "203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{"several lines", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For", "203.0.113.9", "X-Forwarded-For", "198.51.100.1"}, "198.51.100.1"},
		{"a chain of trusted ones", []string{"127.0.0.1/32", "10.0.0.0/8"}, []string{"X-Forwarded-For", "198.51.100.1, 10.1.2.3"}, "198.51.100.1"},
		{"an IPv6 client", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For", "2001:db8::7"}, "2001:db8::7"},
		{"with a port", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For", "203.0.113.9:1234"}, "203.0.113.9"},
		{"a chain with ports", []string{"127.0.0.1/32", "10.0.0.0/8"}, []string{"X-Forwarded-For", "203.0.113.9:1234, 10.1.2.3:443"}, "203.0.113.9"},
		{"an IPv6 client with a port", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For", "[2001:db8::7]:1234"}, "2001:db8::7"},
		{"an IPv6 client in brackets", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For", "[2001:db8::7]"}, "2001:db8::7"},
		{"an IPv4 client written as IPv6", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For", "::ffff:203.0.113.9"}, "203.0.113.9"},
		{"trusted ones only", []string{"127.0.0.1/32", "10.0.0.0/8"}, []string{"X-Forwarded-For", "10.0.0.7, 10.1.2.3"}, "10.0.0.7"},
		{"nonsense", []string{"127.0.0.1/32"}, []string{"X-Forwarded-For", "unknown"}, "127.0.0.1"},
		{"no header", []string{"127.0.0.1/32"}, nil, "127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &fake{leaving: readers.Leaving{Newsletter: dailyNews(), State: newsletter.Left}}
			s := newFakeSite(t, f, func(o *Options) { o.TrustedProxies = prefixes(tt.trusted...) })
			s.do("POST", "/unsubscribe/x", "", "", tt.header...).want(200)
			if got := strings.Join(f.seen, ""); got != "leave link "+tt.want {
				t.Errorf("seen %q, want %s", got, tt.want)
			}
		})
	}
}

func TestLog_HoldsNoTokenAndNoAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const secret, email = "s3cr3t-t0ken", "anna@example.org"
	token := s.signUp(email, "daily-news")
	s.post("/confirm/"+token, nil).want(200)
	leave := s.link(newsletter.PurposeUnsubscribe, s.subscriber(email), s.daily)
	s.post("/unsubscribe/"+leave, nil).want(200)
	s.get("/manage/" + secret).want(404)
	s.get("/nothing/" + secret + "?email=" + email).want(404)
	s.do("DELETE", "/confirm/"+secret, "", "").want(405)
	s.do("S3CR3T-T0KEN", "/", "", "")
	s.get("/api/v1/subscribers?email="+email, "Authorization", "Bearer "+secret).want(401)
	s.post("/subscribe", url.Values{"email": {email + "@"}, "newsletter": {"daily-news"}}).want(422)
	s.get("/check-inbox", "User-Agent", secret, "Referer", "https://x/"+secret).want(200)
	log := s.log.String()
	for _, word := range []string{token, leave, secret, "S3CR3T", "anna", "127.0.0.1"} {
		if strings.Contains(log, word) {
			t.Errorf("the log holds %q:\n%s", word, log)
		}
	}
	for _, route := range []string{"/confirm/:token", "/unsubscribe/:token", "/subscribe"} {
		if !strings.Contains(log, `"route":"`+route+`"`) {
			t.Errorf("the log does not tell of %s:\n%s", route, log)
		}
	}
}

// panics is a service with a bug.
type panics struct {
	fake
	value any
}

func (p *panics) Newsletters(context.Context) ([]newsletter.Newsletter, error) { panic(p.value) }

func TestPanic_IsAPlainPageAndKeepsItsValueToItself(t *testing.T) {
	t.Parallel()
	s := newFakeSite(t, &panics{value: "anna@example.org"})
	s.get("/").want(500).has("Something went wrong", "The mistake is ours").lacks("anna", "goroutine")
	log := s.log.String()
	if strings.Contains(log, "anna@") || !strings.Contains(log, "safety_test.go") {
		t.Errorf("log: %s", log)
	}
}

func TestErrors_WrappedOnesKeepTheirStatus(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err    error
		status int
	}{
		{fmt.Errorf("leave: %w", newsletter.NotFoundf("no")), 404},
		{fmt.Errorf("leave: %w", newsletter.Conflictf("no")), 409},
		{fmt.Errorf("leave: %w", context.DeadlineExceeded), 503},
		{&newsletter.Error{Kind: newsletter.Internal, Message: "secret"}, 500},
		{&newsletter.Error{Kind: newsletter.RateLimited}, 429},
		{errors.New("secret"), 500},
	} {
		a := newFakeSite(t, &fake{err: tt.err}).get("/unsubscribe/x").want(tt.status).lacks("secret", "leave:")
		if textOf(a.one("h1")) == "" {
			t.Errorf("%v: no heading", tt.err)
		}
		if tt.status == 429 || tt.status == 503 {
			if a.Header.Get("Retry-After") == "" {
				t.Errorf("%v: no Retry-After", tt.err)
			}
		}
	}
}

func TestReady_SaysNoMoreThanItMust(t *testing.T) {
	t.Parallel()
	s := newFakeSite(t, &fake{}, func(o *Options) {
		o.Health = func(context.Context) error { return errors.New("database /var/lib/secret is locked") }
		o.Version = "v1.2.3"
	})
	s.get("/readyz").want(503).lacks("secret")
	if a := s.get("/healthz").want(200); a.body != "ok v1.2.3\n" {
		t.Errorf("healthy: %q", a.body)
	}
}

func TestAssets_AreKeptForEverUnderTheirHash(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.get("/").want(200)
	for selector, kind := range map[string]string{"link[rel=stylesheet]": "text/css; charset=utf-8", "link[rel=icon]": "image/svg+xml"} {
		a := s.get(value(page.one(selector), "href")).want(200)
		if a.Header.Get("Content-Type") != kind || !strings.Contains(a.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %v", selector, a.Header)
		}
	}
	s.get("/assets/style.css").want(404)
	s.get("/assets/..%2fhome.html").want(404)
	s.get("/favicon.ico").want(200)
}

func TestRobots_KeepCrawlersFromTokens(t *testing.T) {
	t.Parallel()
	robots := newFakeSite(t, &fake{}).get("/robots.txt").want(200).body
	for _, path := range []string{"/confirm/", "/unsubscribe/", "/manage/", "/api/"} {
		if !strings.Contains(robots, "Disallow: "+path+"\n") {
			t.Errorf("%s is missing in\n%s", path, robots)
		}
	}
}

// A client that sends its request slower than anybody would is not waited for for ever.
func TestServer_HasLimits(t *testing.T) {
	t.Parallel()
	s := DefaultLimits().Server("127.0.0.1:0", http.NotFoundHandler())
	for name, d := range map[string]time.Duration{
		"header": s.ReadHeaderTimeout, "read": s.ReadTimeout, "write": s.WriteTimeout, "idle": s.IdleTimeout,
	} {
		if d <= 0 || d > 2*time.Minute {
			t.Errorf("%s time-out %s", name, d)
		}
	}
	server := httptest.NewUnstartedServer(nil)
	server.Config = s
	server.Start()
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// The server may stop reading before all is written, so an error here means nothing.
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", 64<<10))
	status, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.Contains(status, "431") {
		t.Errorf("status line %q, want 431", status)
	}
}

func TestNew_SaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "example.org", "ftp://example.org", "://", "https://"} {
		if _, err := New(Options{BaseURL: base}); err == nil || !strings.Contains(err.Error(), "base URL") {
			t.Errorf("%q: %v", base, err)
		}
	}
	if _, err := New(Options{BaseURL: testBase}); err == nil {
		t.Error("nothing but a base URL will do")
	}
}
