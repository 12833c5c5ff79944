package feed_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/feed"
	"broadsheet/internal/newsletter"
)

const smallFeed = `<rss version="2.0"><channel><title>Rope</title><link>https://rope.example/</link><description>d</description>` +
	`<item><title>Hemp is back</title><link>/hemp</link></item></channel></rss>`

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

func open(change ...func(*feed.Options)) *feed.Client {
	o := feed.Options{AllowPrivate: true, Now: func() time.Time { return time.Date(2026, 10, 5, 7, 0, 0, 0, time.UTC) }}
	for _, f := range change {
		f(&o)
	}
	return feed.NewClient(o)
}

func wantKind(t *testing.T, err error, kind feed.Kind) *feed.Error {
	t.Helper()
	e, ok := errors.AsType[*feed.Error](err)
	if !ok || e.Kind != kind {
		t.Fatalf("got error %v (%T), want kind %d", err, err, kind)
	}
	return e
}

func TestFetch_Conditional_AsksAndBelieves304(t *testing.T) {
	t.Parallel()
	const tag, date = `W/"v1"`, "Mon, 05 Oct 2026 06:00:00 GMT"
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if len(r.Cookies()) > 0 || r.Header.Get("User-Agent") != "Test/1" || r.Header.Get("Referer") != "" {
			t.Errorf("headers: %v", r.Header)
		}
		http.SetCookie(w, &http.Cookie{Name: "track", Value: "1"})
		w.Header().Set("ETag", tag)
		w.Header().Set("Last-Modified", date)
		if r.Header.Get("If-None-Match") == tag && r.Header.Get("If-Modified-Since") == date {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = io.WriteString(w, smallFeed)
	})
	c := open(func(o *feed.Options) { o.UserAgent = "Test/1" })
	f, err := c.Fetch(t.Context(), feed.Request{URL: s.URL + "/feed"})
	if err != nil {
		t.Fatal(err)
	}
	if f.NotModified || f.ETag != tag || f.LastModified != date || f.FinalURL != s.URL+"/feed" || len(f.Items) != 1 {
		t.Errorf("first: %+v", f)
	}
	equal(t, "link", f.Items[0].URL, "https://rope.example/hemp")
	f, err = c.Fetch(t.Context(), feed.Request{URL: s.URL + "/feed", ETag: f.ETag, LastModified: f.LastModified})
	if err != nil {
		t.Fatal(err)
	}
	if !f.NotModified || f.ETag != tag || f.LastModified != date || f.Items != nil {
		t.Errorf("second: %+v", f)
	}
}

func TestFetch_NotModifiedWithoutBeingAsked_IsAnError(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	_, err := open().Fetch(t.Context(), feed.Request{URL: s.URL})
	equal(t, "status", wantKind(t, err, feed.KindStatus).Status, 304)
}

func squeeze(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFetch_Compression_IsReadHoweverItIsDeclared(t *testing.T) {
	t.Parallel()
	once := squeeze(t, []byte(smallFeed))
	var raw bytes.Buffer
	z, _ := flate.NewWriter(&raw, 5)
	_, _ = io.WriteString(z, smallFeed)
	z.Close()
	for name, test := range map[string]struct {
		encoding string
		body     []byte
	}{
		"gzip":             {"gzip", once},
		"gzip undeclared":  {"", once},
		"gzip not done":    {"gzip", []byte(smallFeed)},
		"gzip twice":       {"gzip", squeeze(t, once)},
		"bare deflate":     {"deflate", raw.Bytes()},
		"deflate not done": {"deflate", []byte(smallFeed)},
		"nothing":          {"", []byte(smallFeed)},
		"identity by name": {"identity", []byte(smallFeed)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if test.encoding != "" {
					w.Header().Set("Content-Encoding", test.encoding)
				}
				_, _ = w.Write(test.body)
			})
			f, err := open().Fetch(t.Context(), feed.Request{URL: s.URL})
			if err != nil || len(f.Items) != 1 {
				t.Errorf("got %+v, %v", f, err)
			}
		})
	}
}

func TestFetch_GzipBomb_IsCutOff(t *testing.T) {
	t.Parallel()
	bomb := squeeze(t, append([]byte(`<rss><channel><title>`), bytes.Repeat([]byte("x"), 3<<20)...))
	twice := squeeze(t, bomb)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		if r.URL.Path == "/twice" {
			_, _ = w.Write(twice)
			return
		}
		_, _ = w.Write(bomb)
	})
	for _, path := range []string{"/", "/twice"} {
		_, err := open(func(o *feed.Options) { o.MaxBytes = 1 << 20 }).
			Fetch(t.Context(), feed.Request{URL: s.URL + path})
		_ = wantKind(t, err, feed.KindTooLarge)
	}
}

func TestFetch_EndlessBody_IsCutOff(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(bytes.Repeat([]byte(" "), 64<<10)); err != nil {
				return
			}
		}
	})
	_, err := open(func(o *feed.Options) { o.MaxBytes = 1 << 20 }).Fetch(t.Context(), feed.Request{URL: s.URL})
	_ = wantKind(t, err, feed.KindTooLarge)
}

func TestFetch_PrivateAddress_IsRefusedAndNamed(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		t.Error("the server was reached")
	})
	_, err := feed.NewClient(feed.Options{}).Fetch(t.Context(), feed.Request{URL: s.URL})
	e := wantKind(t, err, feed.KindPrivate)
	if !strings.Contains(e.Error(), "BROADSHEET_ALLOW_PRIVATE_FEEDS") {
		t.Errorf("message: %s", e)
	}
}

func TestFetch_Redirects_AreFollowedSoFar(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var n int
		switch _, err := fmt.Sscanf(r.URL.Path, "/hop/%d", &n); {
		case r.URL.Path == "/file":
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		case r.URL.Path == "/nowhere":
			w.WriteHeader(http.StatusMovedPermanently)
		case err == nil && n > 0:
			http.Redirect(w, r, fmt.Sprintf("/hop/%d", n-1), http.StatusMovedPermanently)
		default:
			_, _ = io.WriteString(w, smallFeed)
		}
	})
	f, err := open().Fetch(t.Context(), feed.Request{URL: s.URL + "/hop/5"})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "final", f.FinalURL, s.URL+"/hop/0")
	_, err = open().Fetch(t.Context(), feed.Request{URL: s.URL + "/hop/6"})
	_ = wantKind(t, err, feed.KindRedirect)
	_, err = open().Fetch(t.Context(), feed.Request{URL: s.URL + "/file"})
	_ = wantKind(t, err, feed.KindRedirect)
	_, err = open().Fetch(t.Context(), feed.Request{URL: s.URL + "/nowhere"})
	_ = wantKind(t, err, feed.KindStatus)
}

func TestFetch_Credentials_StayWithTheirHost(t *testing.T) {
	t.Parallel()
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("Referer") != "" {
			t.Errorf("another host was told: %v", r.Header)
		}
		_, _ = io.WriteString(w, smallFeed)
	})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "staff" || password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		switch r.URL.Path {
		case "/here":
			http.Redirect(w, r, "/feed", http.StatusFound)
		case "/away":
			http.Redirect(w, r, strings.Replace(other.URL, "://", "://x:y@", 1), http.StatusFound)
		default:
			_, _ = io.WriteString(w, smallFeed)
		}
	})
	secret := strings.Replace(s.URL, "://", "://staff:secret@", 1)
	for _, path := range []string{"/feed", "/here", "/away"} {
		f, err := open().Fetch(t.Context(), feed.Request{URL: secret + path})
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if strings.Contains(f.FinalURL, "secret") {
			t.Errorf("%s: the final address holds the password", path)
		}
	}
	_, err := open().Fetch(t.Context(), feed.Request{URL: strings.Replace(secret, "secret", "wr0ng", 1)})
	if e := wantKind(t, err, feed.KindStatus); strings.Contains(e.Error(), "wr0ng") {
		t.Errorf("the message holds the password: %s", e)
	}
}

func TestFetch_Status_IsNamedWithAdviceAndRetryAfter(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var status int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.Header().Set("Retry-After", r.URL.Query().Get("after"))
		w.WriteHeader(status)
	})
	for _, test := range []struct {
		path, says string
		after      time.Duration
	}{
		{"/404", "there is no such feed", 0},
		{"/410", "taken away for good", 0},
		{"/403", "turns feed readers away", 0},
		{"/429?after=120", "asked too often", 2 * time.Minute},
		{"/503?after=Mon,%2005%20Oct%202026%2008:00:00%20GMT", "in trouble", time.Hour},
		{"/503?after=99999999999999", "in trouble", 24 * time.Hour},
		{"/503?after=-5", "in trouble", 0},
		{"/500?after=soon", "in trouble", 0},
		{"/204", "answers 204 No Content and no feed", 0},
	} {
		_, err := open().Fetch(t.Context(), feed.Request{URL: s.URL + test.path})
		e := wantKind(t, err, feed.KindStatus)
		if !strings.Contains(e.Error(), test.says) || e.RetryAfter != test.after {
			t.Errorf("%s: %v, retry after %v", test.path, e, e.RetryAfter)
		}
	}
}

func TestFetch_SlowServer_EndsAtTheTimeLimit(t *testing.T) {
	t.Parallel()
	released := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_, _ = io.WriteString(w, smallFeed[:40])
			w.(http.Flusher).Flush()
		}
		<-released
	})
	t.Cleanup(func() { close(released) }) // before the server closes, which waits for handlers
	for _, path := range []string{"/head", "/body"} {
		_, err := open(func(o *feed.Options) { o.Timeout = 50 * time.Millisecond }).
			Fetch(t.Context(), feed.Request{URL: s.URL + path})
		_ = wantKind(t, err, feed.KindTimeout)
	}
}

func TestFetch_CallerGivesUp_IsNotTheFeedsFault(t *testing.T) {
	t.Parallel()
	arrived, released := make(chan struct{}), make(chan struct{})
	s := serve(t, func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-released
	})
	t.Cleanup(func() { close(released) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, err := open().Fetch(ctx, feed.Request{URL: s.URL})
	if _, isFeed := errors.AsType[*feed.Error](err); isFeed || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestFetch_NetworkTrouble_SaysWhatToDo(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(nil)
	gone.Close()
	broken := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, smallFeed[:100])
	})
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	secure.Config.ErrorLog = nil
	for address, says := range map[string]string{
		gone.URL:   "refuses the connection",
		broken.URL: "broke off",
		secure.URL: "certificate",
		strings.Replace(broken.URL, "http:", "https:", 1): "does not speak https",
	} {
		_, err := open().Fetch(t.Context(), feed.Request{URL: address})
		if e := wantKind(t, err, feed.KindNetwork); !strings.Contains(e.Error(), says) || e.Unwrap() == nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestFetch_WebPage_NamesTheFeedItLinksTo(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `<!doctype html><link rel="alternate" type="application/atom+xml" href="/news.atom">`)
	})
	_, err := open().Fetch(t.Context(), feed.Request{URL: s.URL})
	equal(t, "feed", wantKind(t, err, feed.KindWebPage).FeedURL, s.URL+"/news.atom")
}

func TestFetch_WrongAddress_IsInvalidInput(t *testing.T) {
	t.Parallel()
	_, err := open().Fetch(t.Context(), feed.Request{URL: "rope.example"})
	equal(t, "kind", newsletter.KindOf(err), newsletter.Invalid)
}
