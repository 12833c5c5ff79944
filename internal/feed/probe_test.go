package feed_test

import (
	"net/http"
	"strings"
	"testing"

	"broadsheet/internal/feed"
)

func TestProbe(t *testing.T) {
	t.Parallel()
	asked := map[string]int{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked[r.Method+" "+r.URL.Path]++
		switch {
		case r.URL.Path == "/gone":
			w.WriteHeader(http.StatusNotFound)
		case r.URL.Path == "/no-head" && r.Method == http.MethodHead:
			w.WriteHeader(http.StatusMethodNotAllowed)
		case r.URL.Path == "/moved":
			http.Redirect(w, r, "/there", http.StatusFound)
		case r.URL.Path == "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		}
	})
	client := open()
	for path, want := range map[string]int{"/there": 200, "/gone": 404, "/no-head": 200, "/moved": 200} {
		if status, err := client.Probe(t.Context(), s.URL+path); status != want || err != nil {
			t.Errorf("%s: %d (%v), want %d", path, status, err, want)
		}
	}
	if asked["HEAD /no-head"] != 1 || asked["GET /no-head"] != 1 || asked["GET /there"] != 0 {
		t.Errorf("asked %v", asked)
	}
	if _, err := client.Probe(t.Context(), s.URL+"/loop"); err == nil {
		t.Error("a loop is an answer")
	}
	strict := open(func(o *feed.Options) { o.AllowPrivate = false })
	if _, err := strict.Probe(t.Context(), s.URL+"/there"); err == nil || !strings.Contains(err.Error(), "private") || asked["HEAD /there"] != 2 {
		t.Errorf("a private address was asked: %v, %v", err, asked)
	}
	_, err := strict.Probe(t.Context(), s.URL)
	_ = wantKind(t, err, feed.KindPrivate)
}

func TestPublicHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"www.example.org": true, "example.org.": true, "localhost": false, "intranet": false, "cms.local": false, "news.internal": false,
		"127.0.0.1": false, "10.1.2.3": false, "8.8.8.8": true, "::1": false, "[fe80::1]": false, "2001:4860:4860::8888": true, "100.64.0.1": false,
		"169.254.169.254": false, "": false,
	} {
		if got := feed.PublicHost(host); got != want {
			t.Errorf("%q: %t", host, got)
		}
	}
}
