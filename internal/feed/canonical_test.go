package feed_test

import (
	"net/url"
	"strings"
	"testing"

	"broadsheet/internal/feed"
	"broadsheet/internal/newsletter"
)

func TestCanonicalURL_GivesOneSpelling(t *testing.T) {
	t.Parallel()
	base, _ := url.Parse("https://x.example/news/feed.xml")
	for in, want := range map[string]string{
		"https://x.example/a":        "https://x.example/a",
		"HTTPS://X.Example:443":      "https://x.example/",
		"http://x.example.:80/a#top": "http://x.example/a",
		"http://x.example:8080/":     "http://x.example:8080/",
		" \n/a\t":                    "https://x.example/a",
		"story?b=2&a=1":              "https://x.example/news/story?b=2&a=1",
		"//cdn.x.example/a":          "https://cdn.x.example/a",
		"www.x.example/a":            "https://www.x.example/a",
		"https://x.example/a?utm_source=f&id=7&UTM_Medium=x":                           "https://x.example/a?id=7",
		"https://x.example/a?utm%5Fsource=f":                                           "https://x.example/a",
		"https://x.example/a?fbclid=1&gclid=2&mc_cid=3&mc_eid=4&at_medium=5&ref_src=6": "https://x.example/a",
		"https://x.example/a?z=1&amp;a=2":                                              "https://x.example/a?z=1&a=2",
		"https://x.example/a?q=a b&r=%c3%a9&e=é&s=100%":                                "https://x.example/a?q=a%20b&r=%C3%A9&e=%C3%A9&s=100%25",
		"https://x.example/ü ber/100%":                                                 "https://x.example/%C3%BC%20ber/100%25",
		"https://x.example/a/../b/./c":                                                 "https://x.example/b/c",
		"https://bücher.example/":                                                      "https://xn--bcher-kva.example/",
		"https://user:secret@x.example/a":                                              "https://x.example/a",
		`https:\\x.example\a`:                                                          "https://x.example/a",
		"https://[2001:DB8::1]:443/a":                                                  "https://[2001:db8::1]/a",
	} {
		got, err := feed.CanonicalURL(in, base)
		if err != nil || got != want {
			t.Errorf("CanonicalURL(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestCanonicalURL_RefusesWhatIsNoWebAddress(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", " ", "#top", "javascript:alert(1)", "mailto:a@x.example", "data:text/html,x", "/relative",
		"https://", "https:///a", "https://a..b/", "https://x.example:99999/", "https://x y/",
		"https://[fe80::1%25eth0]/", "https://x.example/" + strings.Repeat("a", 3000),
		"https://personal.invalid/manage", "https://x.example/?u=PERSONAL.invalid", "ftp://x.example/",
		"https://ｐersonal.invalid/",
	} {
		if got, err := feed.CanonicalURL(in, nil); err == nil {
			t.Errorf("CanonicalURL(%q) = %q", in, got)
		}
	}
}

func TestCheckURL_SaysWhatWouldBeRight(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://x.example/feed":               "",
		" http://localhost:8080/feed.xml ":     "",
		"":                                     "missing",
		"x.example/feed":                       "as in https://x.example/feed",
		"feed:https://x.example/feed":          "in place of feed:",
		"ftp://x.example/":                     "has to start with https://",
		"https://":                             "name a host",
		"https://x .example/":                  "copy it from the browser",
		"https://" + strings.Repeat("x", 3000): "longer",
	} {
		err := feed.CheckURL(in)
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", in, err)
			}
			continue
		}
		if newsletter.KindOf(err) != newsletter.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want … %s", in, err, want)
		}
	}
}
