package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// kind is what a route is for, and so what holds for its answers.
type kind int

const (
	open   kind = iota // for everybody, the same for everybody: caches may keep it
	secret             // a token stands in the address, or the answer is about somebody: kept nowhere
	api                // as secret, and for bearer tokens only
	hook               // as secret, and for signed calls only
	here               // as secret, and for this machine only
)

// route is a route with what may be done with its answers.
type route struct {
	kind    kind
	framed  string // who may put it into a frame; empty: nobody
	ours    bool   // forms of other sites are refused
	scripts bool   // it has scripts, of our own
	fresh   bool   // only a fresh link reaches it: one that is in a digest, or older, is offered another
}

// table says of every route what it is. Whoever adds one says it here, and the tests of this file
// look whether its answers keep to it.
func table() map[string]route {
	return map[string]route{
		"GET /":                              {},
		"GET /n/:newsletter":                 {},
		"GET /n/:newsletter/form":            {scripts: true},
		"POST /subscribe":                    {kind: secret},
		"GET /check-inbox":                   {kind: secret},
		"GET /confirm/:token":                {kind: secret},
		"POST /confirm/:token":               {kind: secret},
		"POST /confirm/:token/renew":         {kind: secret},
		"GET /unsubscribe/:token":            {kind: secret},
		"POST /unsubscribe/:token":           {kind: secret},
		"POST /unsubscribe/:token/undo":      {kind: secret},
		"GET /manage/:token":                 {kind: secret},
		"POST /manage/:token":                {kind: secret},
		"POST /manage/:token/pause":          {kind: secret},
		"POST /manage/:token/resume":         {kind: secret},
		"POST /manage/:token/leave":          {kind: secret},
		"POST /manage/:token/undo":           {kind: secret},
		"GET /embed.js":                      {},
		"GET /embed/:newsletter":             {framed: "'self'"}, // and the newsletter's sites
		"POST /embed/:newsletter":            {kind: secret, framed: "'self'"},
		"GET /embed/:newsletter/form.json":   {},
		"POST /manage/:token/link":           {kind: secret},
		"GET /manage/:token/details":         {kind: secret, fresh: true},
		"POST /manage/:token/details":        {kind: secret, fresh: true},
		"GET /manage/:token/receipt":         {kind: secret, fresh: true},
		"GET /manage/:token/export":          {kind: secret, fresh: true},
		"GET /manage/:token/export/:file":    {kind: secret, fresh: true},
		"GET /manage/:token/erase":           {kind: secret, fresh: true},
		"POST /manage/:token/erase":          {kind: secret, fresh: true},
		"GET /link":                          {kind: secret},
		"POST /link":                         {kind: secret},
		"POST /api/v1/subscribe":             {kind: secret},
		"GET /api/v1/subscribers":            {kind: api},
		"POST /api/v1/subscribers":           {kind: api},
		"GET /api/v1/subscribers/:id":        {kind: api},
		"PATCH /api/v1/subscribers/:id":      {kind: api},
		"DELETE /api/v1/subscribers/:id":     {kind: api},
		"GET /api/v1/suppressions":           {kind: api},
		"POST /api/v1/suppressions":          {kind: api},
		"DELETE /api/v1/suppressions/:id":    {kind: api},
		"GET /archive/:newsletter":           {},
		"GET /archive/:newsletter/:edition":  {},
		"GET /archive/:newsletter/feed.atom": {},
		"GET /archive/:newsletter/copy/:key": {},
		"GET /staff/approve/:token":          {kind: secret},
		"GET /staff/approve/:token/mail":     {kind: secret, framed: "'self'"},
		"POST /staff/approve/:token":         {kind: secret, ours: true},
		"POST /hooks/bounce":                 {kind: hook},
		"POST /hooks/ses":                    {kind: hook},
		"POST /hooks/postmark":               {kind: hook},
		"GET /assets/:file":                  {},
		"GET /favicon.ico":                   {},
		"GET /robots.txt":                    {},
		"GET /healthz":                       {},
		"GET /readyz":                        {},
		"GET /metrics":                       {kind: here},
		"GET /outbox":                        {kind: here},
		"GET /outbox/":                       {kind: here},
		"GET /outbox/:name":                  {kind: here},
		"GET /outbox/:name/body":             {kind: here, framed: "'self'"},
		"GET /outbox/:name/source":           {kind: here},
	}
}

// wholeSite is a site with every route that there is, and how their addresses are filled in.
type wholeSite struct {
	*hooked
	app   *app
	paths *strings.Replacer
}

func newWholeSite(t *testing.T) *wholeSite {
	t.Helper()
	room := newsroomtest.New(t, newsroomtest.Options{})
	archive := &desk.Archive{}
	var options *Options
	w := &wholeSite{hooked: newHooked(t, func(o *Options) {
		withMetrics(metricsToken, nil)(o)
		o.Archive, o.Approvals, o.Mailbox = archive, room.Desk, mails()
		options = o
	})}
	archive.Store = w.store
	handler, err := newApp(*options)
	if err != nil {
		t.Fatal(err)
	}
	w.app = handler
	sub := w.join("anna@example.org", "daily-news")
	pending := w.signUp("ben@example.org", "daily-news")
	w.paths = strings.NewReplacer(
		"/confirm/:token", "/confirm/"+pending,
		"/unsubscribe/:token", "/unsubscribe/"+w.link(newsletter.PurposeUnsubscribe, sub, w.daily),
		"/manage/:token", "/manage/"+w.link(newsletter.PurposeManage, sub, w.daily),
		":newsletter", "daily-news", ":id", "1", ":edition", "1", ":key", "x", ":name", "b.eml", ":token", "x",
		":file", w.app.assets.style.name,
	)
	return w
}

// each runs the function for every route of the table that a request of the method fits.
func (w *wholeSite) each(method string, f func(name, path string, r route)) {
	all := table()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if m, path, _ := strings.Cut(name, " "); method == "" || m == method {
			f(name, w.paths.Replace(path), all[name])
		}
	}
}

// ask sends what a route takes: an empty form, or empty JSON.
func (w *wholeSite) ask(name, path string, header ...string) answer {
	w.t.Helper()
	method, _, _ := strings.Cut(name, " ")
	switch {
	case method == http.MethodGet:
		return w.get(path, header...)
	case strings.HasPrefix(path, "/api/"), strings.HasPrefix(path, "/hooks/"):
		return w.do(method, path, "application/json", "{}", header...)
	}
	return w.post(path, url.Values{"newsletter": {"daily-news"}, "cadence": {"weekly"}}, header...)
}

func TestRoutes_EachSaysWhatItIs(t *testing.T) {
	t.Parallel()
	known := table()
	for _, r := range newWholeSite(t).app.echo().Routes() {
		if r.Method == http.MethodHead {
			continue
		}
		if _, ok := known[r.Method+" "+r.Path]; !ok {
			t.Errorf("%s %s: say in the table of routes_test.go what it is", r.Method, r.Path)
		}
		delete(known, r.Method+" "+r.Path)
	}
	for name := range known {
		t.Errorf("%s: there is no such route any more", name)
	}
}

// S34, S33, S22
func TestRoutes_KeepToWhatTheyAre(t *testing.T) {
	t.Parallel()
	w := newWholeSite(t)
	w.each("", func(name, path string, r route) {
		a := w.ask(name, path, "Origin", "https://evil.example")
		h := a.Header
		ancestors := "'none'"
		if r.framed != "" && (a.StatusCode == http.StatusOK || a.StatusCode == http.StatusUnprocessableEntity) {
			ancestors = r.framed
		}
		csp := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; ") || !strings.Contains(csp+";", "frame-ancestors "+ancestors+";") || !strings.Contains(csp, "base-uri 'none'") ||
			strings.Contains(csp, "unsafe-eval") || strings.Contains(csp, "script-src") != (r.scripts && a.StatusCode == http.StatusOK) || r.scripts && !strings.Contains(csp, "script-src 'self'; connect-src 'self'; ") {
			t.Errorf("%s: Content-Security-Policy: %q", name, csp)
		}
		for field, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Strict-Transport-Security": "max-age=31536000",
			"Cross-Origin-Opener-Policy": "same-origin", "Set-Cookie": "", "Server": "",
			"Access-Control-Allow-Origin": "", "Access-Control-Allow-Credentials": "",
		} {
			if got := h.Get(field); got != want {
				t.Errorf("%s: %s: %q, want %q", name, field, got, want)
			}
		}
		if kept := h.Get("Cache-Control"); (r.kind != open || a.StatusCode >= 400) && kept != "no-store" {
			t.Errorf("%s: status %d, Cache-Control: %q", name, a.StatusCode, kept)
		}
		if r.kind != open && !strings.Contains(h.Get("X-Robots-Tag"), "noindex") {
			t.Errorf("%s: X-Robots-Tag: %q", name, h.Get("X-Robots-Tag"))
		}
		if kind := h.Get("Content-Type"); a.body != "" && (kind == "" || strings.HasPrefix(kind, "text/") && !strings.Contains(kind, "charset=")) {
			t.Errorf("%s: Content-Type: %q", name, kind)
		}
		if (r.kind == api || r.kind == hook) && a.StatusCode != http.StatusUnauthorized && a.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d without a token or signature", name, a.StatusCode)
		}
		if r.kind == here {
			w.ask(name, path, "X-Forwarded-For", "192.0.2.1").want(http.StatusNotFound)
			w.ask(name, path, "Host", "evil.example").want(http.StatusNotFound)
		}
		for _, method := range []string{"TRACE", "CONNECT", "PROPFIND", "PUT"} {
			if other := w.do(method, path, "", ""); other.StatusCode != http.StatusMethodNotAllowed && other.StatusCode != http.StatusNotFound {
				t.Errorf("%s as %s: status %d", name, method, other.StatusCode)
			}
		}
	})
}

// Nothing rests on what a browser sends by itself, so there is nothing that another site could use:
// no cookie, no login, no place in the network. What an address allows, its holder may do from
// anywhere; only what staff decide has to come from our own page.
func TestCSRF_NothingRestsOnWhatABrowserSends(t *testing.T) {
	t.Parallel()
	w := newWholeSite(t)
	foreign := []string{
		"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate",
		"Cookie", "session=1; token=x", "Authorization", "Basic YWRtaW46YWRtaW4=",
	}
	w.each("", func(name, path string, r route) {
		w.ask(name, path) // a first time can differ: a sign-up is confirmed only once
		own, other := w.ask(name, path), w.ask(name, path, foreign...)
		if r.ours {
			other.want(http.StatusForbidden)
			return
		}
		if path == "/metrics" { // they count these requests
			own.body, other.body = "", ""
		}
		if own.StatusCode != other.StatusCode || own.body != other.body || own.Header.Get("Location") != other.Header.Get("Location") {
			t.Errorf("%s: %d from our page, %d from another one\n%s\n%s", name, own.StatusCode, other.StatusCode, own.body, other.body)
		}
	})
	// A form of another site cannot make JSON, and JSON is all that the API reads.
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"} {
		w.do("POST", "/api/v1/subscribe", kind, `{"email":"carl@example.org"}`).want(http.StatusUnsupportedMediaType)
	}
}

// A shared cache keeps an answer by its address and what Vary names. What else a request says must
// change nothing in an answer that may be kept, or one stranger writes what all others read.
func TestCache_CannotBePoisoned(t *testing.T) {
	t.Parallel()
	w := newWholeSite(t)
	headers := map[string]string{
		"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Server": "evil.example", "X-Host": "evil.example",
		"Forwarded": "host=evil.example;proto=http;for=192.0.2.1", "X-Forwarded-Proto": "http", "X-Forwarded-Scheme": "nothttps", "X-Forwarded-Ssl": "off",
		"X-Forwarded-Port": "1", "X-Forwarded-Prefix": "/evil", "X-Forwarded-For": "192.0.2.1", "X-Real-Ip": "192.0.2.1", "X-Original-Url": "/robots.txt",
		"X-Rewrite-Url": "/robots.txt", "X-Http-Method-Override": "POST", "X-Method-Override": "DELETE", "Cookie": "lang=cy", "Origin": "https://evil.example",
		"Referer": "https://evil.example/", "User-Agent": "<script>", "Accept": "application/json", "Accept-Encoding": "gzip", "Accept-Charset": "utf-7",
		"Accept-Language": "cy", "X-Requested-With": "XMLHttpRequest", "Range": "bytes=0-3", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe",
		"Authorization": "Bearer x", "X-Request-Id": "evil", "Via": "1.1 evil", "Upgrade-Insecure-Requests": "1", "Dnt": "1", "Save-Data": "on",
	}
	w.each(http.MethodGet, func(name, path string, r route) {
		plain := w.get(path)
		for field, said := range headers {
			a := w.get(path, field, said)
			if a.Header.Get("Cache-Control") == "no-store" && plain.Header.Get("Cache-Control") == "no-store" {
				if strings.Contains(a.body, "evil") {
					t.Errorf("%s: %s is on the page", name, field)
				}
				continue
			}
			varies := strings.Contains(strings.Join(plain.Header.Values("Vary"), ","), field)
			a.Header.Del("Date")
			plain.Header.Del("Date")
			same := a.StatusCode == plain.StatusCode && a.body == plain.body && maps.EqualFunc(a.Header, plain.Header, slices.Equal)
			if !same && !varies {
				t.Errorf("%s: %s changes the answer, and Vary is %q: %d %v\n%s", name, field, plain.Header.Values("Vary"), a.StatusCode, a.Header, a.body)
			}
		}
	})
}
