package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

const publisherSite = "https://www.example.org"

// alter changes the site's daily newsletter.
func (s *site) alter(change func(*newsletter.Newsletter)) {
	s.t.Helper()
	_, err := s.store.ChangeNewsletter(s.t.Context(), s.daily.Slug, "edit", "test", s.now, func(n *newsletter.Newsletter) (string, error) {
		change(n)
		return "test", nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// allow names the sites of the daily newsletter.
func (s *site) allow(origins ...string) {
	s.t.Helper()
	s.alter(func(n *newsletter.Newsletter) { n.Origins = origins })
}

// TestEmbed_OnlyItsOwnSitesReadAndSend: a page of another site reads nothing and signs nobody up, and
// who does not say where a form stood is believed.
func TestEmbed_OnlyItsOwnSitesReadAndSend(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.allow(publisherSite)
	for _, tt := range []struct {
		origin  string
		allowed string
		status  int // of a sign-up
	}{
		{publisherSite, publisherSite, http.StatusAccepted},
		{"https://evil.example", "", http.StatusForbidden},
		{"https://www.example.org.evil.example", "", http.StatusForbidden},
		{"http://www.example.org", "", http.StatusForbidden},
		{testBase, "", http.StatusAccepted},
		{"null", "", http.StatusAccepted},
		{"", "", http.StatusAccepted},
	} {
		header := []string{"Accept", "application/json"}
		if tt.origin != "" {
			header = append(header, "Origin", tt.origin)
		}
		read := s.get("/embed/daily-news/form.json", header...).want(http.StatusOK)
		sent := s.post("/subscribe", url.Values{"newsletter": {"daily-news"}, "email": {"vera@example.org"}}, header...).want(tt.status)
		for _, a := range []answer{read, sent} {
			h := a.Header
			if h.Get("Access-Control-Allow-Origin") != tt.allowed || h.Get("Access-Control-Allow-Credentials") != "" || !slices.Contains(h.Values("Vary"), "Origin") {
				t.Errorf("%s from %q: allowed %q, Vary %q", a.Request.URL.Path, tt.origin, h.Get("Access-Control-Allow-Origin"), h.Values("Vary"))
			}
		}
	}
	// Of two newsletters both have to allow a site that may read the answer.
	both := s.post("/subscribe", url.Values{"newsletter": {"daily-news", "weekend"}, "email": {"vera@example.org"}}, "Origin", publisherSite, "Accept", "application/json")
	if got := both.Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("one of two newsletters allows the site, and the answer may be read by %q", got)
	}
	csp := s.get("/embed/daily-news").want(http.StatusOK).Header.Get("Content-Security-Policy")
	if !strings.HasSuffix(csp, "frame-ancestors 'self' "+publisherSite) {
		t.Errorf("the frame's policy is %q", csp)
	}
}

func TestEmbed_DescribesItsForm(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	form := func(query string) embedForm {
		t.Helper()
		var f embedForm
		if err := json.Unmarshal([]byte(s.get("/embed/daily-news/form.json"+query).want(http.StatusOK).body), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	last := topics()[len(topics())-1]
	for _, page := range []string{last.Slug, strings.ToUpper(last.Name)} {
		f := form("?lang=de&section=" + url.QueryEscape(page))
		if f.Lang != "de" || f.Dir != "ltr" || f.Words["sign_up_button"] != "Anmelden" || f.Sections[0].Value != last.Slug || len(f.Sections) != len(topics()) {
			t.Errorf("on a page of %q: %+v", page, f)
		}
		if f.Privacy == "" || strings.Contains(f.Consent, f.Privacy) {
			t.Errorf("the words of consent are %q, the policy %q", f.Consent, f.Privacy)
		}
	}
	if f := form("?lang=xx&section=nothing"); f.Lang != "en" || f.Sections[0].Value != topics()[0].Slug {
		t.Errorf("of a language and a section that there are not: %+v", f)
	}
	s.get("/embed/nothing/form.json").want(http.StatusNotFound)
}

// TestEmbed_ElementIsSmallAndDescribed: what readers load is small, and what staff are told about its
// look is what there is.
func TestEmbed_ElementIsSmallAndDescribed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.get("/embed.js").want(http.StatusOK)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(a.body)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if packed.Len() >= 6<<10 {
		t.Errorf("embed.js has %d octets packed", packed.Len())
	}
	s.get("/embed.js", "If-None-Match", a.Header.Get("Etag")).want(http.StatusNotModified)
	page := s.get("/n/daily-news/form").want(http.StatusOK)
	properties, parts := formParts()
	told := map[string]bool{}
	for _, p := range properties {
		told[p[0]] = true
		page.has(p[0])
	}
	for _, p := range parts {
		told[p[0]] = true
		page.has("::part(" + p[0] + ")")
	}
	there := map[string]bool{}
	for _, m := range regexp.MustCompile(`var\((--broadsheet-[a-z-]+)|\bpart: "([a-z]+)"`).FindAllStringSubmatch(a.body, -1) {
		there[m[1]+m[2]] = true
	}
	if !maps.Equal(told, there) {
		t.Errorf("staff are told of %v, and embed.js has %v", told, there)
	}
}

func TestFormToCopy_SaysWhatIsChosen(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.get("/n/daily-news/form").want(http.StatusOK).has("No site is named yet", "broadsheet newsletter edit daily-news --origin https://www.example.org")
	page.lacks(`section="`, `placement="`)
	s.allow("https://m.example.org")
	section := topics()[0].Slug
	page = s.get("/n/daily-news/form?lang=de&section="+section+"&placement=column%22%3E%3Cscript%3E").want(http.StatusOK).
		has("m.example.org", "--origin https://m.example.org --origin https://www.example.org", "connect-src "+testBase)
	page.lacks(`column"><script>`)
	var codes []string
	for _, area := range page.all("textarea") {
		codes = append(codes, textOf(area))
	}
	if len(codes) != 3 {
		t.Fatalf("there is to copy %q", codes)
	}
	for i, want := range [][]string{
		{`<script src="` + testBase + `/embed.js" async></script>`, `<broadsheet-signup newsletter="daily-news" lang="de" section="` + section + `" placement="column&#34;&gt;&lt;script&gt;">`, "<form"},
		{`<iframe src="` + testBase + `/embed/daily-news?lang=de&amp;placement=column%22%3E%3Cscript%3E&amp;section=` + section + `" title="` + s.daily.Name + `"`},
		{`action="` + testBase + `/subscribe?lang=de"`, `name="newsletter" value="daily-news"`, "Anmelden"},
	} {
		for _, w := range want {
			if !strings.Contains(codes[i], w) {
				t.Errorf("no %s in\n%s", w, codes[i])
			}
		}
	}
	s.get("/n/daily-news/form?lang=xx&section=nothing").want(http.StatusOK).lacks("nothing\"")
	s.get("/n/nothing/form").want(http.StatusNotFound)
	s.alter(func(n *newsletter.Newsletter) { n.Status = newsletter.Closed })
	s.get("/n/daily-news/form").want(http.StatusOK).has("is closed").lacks("<textarea", "<script")
}
