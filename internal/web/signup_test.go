package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

func TestHome_OffersTheOpenNewsletters(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	home := s.get("/").want(200).has("Daily News", "The Weekend Read", "Monday to Friday at 07:00, London time")
	if n := len(home.all("input[type=checkbox][name=newsletter]")); n != 2 {
		t.Errorf("%d newsletters to choose, want 2", n)
	}
	form := home.one("form")
	if value(form, "action") != "/subscribe" || value(form, "method") != "post" {
		t.Errorf("the form posts to %q by %q", value(form, "action"), value(form, "method"))
	}
	home.one("input[name=email][type=email]")
}

func TestNewsletter_OffersCadencesAndSections(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.get("/n/daily-news").want(200).has("What happened, and why it matters.", "I want to get Daily News", "Fridays at 16:30, London time")
	if n := len(page.all("input[name=cadence][type=radio]")); n != 2 {
		t.Errorf("%d cadences, want 2", n)
	}
	if n := len(page.all("input[name=section][type=checkbox]")); n != 4 {
		t.Errorf("%d sections, want 4", n)
	}
	if n := len(s.get("/n/weekend").want(200).all("input[name=cadence]")); n != 0 {
		t.Errorf("one cadence is no choice, but there are %d", n)
	}
	s.get("/n/nothing").want(404).has("There is no newsletter")
}

func TestNewsletter_ClosedTakesNobody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, err := s.store.ChangeNewsletter(t.Context(), "weekend", "close", "test", s.clock(), func(n *newsletter.Newsletter) (string, error) {
		n.Status = newsletter.Closed
		return "closed", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	page := s.get("/n/weekend").want(200).has("This newsletter is closed")
	if len(page.all("form")) != 0 {
		t.Error("a closed newsletter has a form")
	}
	s.get("/").want(200).lacks("weekend")
	s.post("/subscribe", url.Values{"email": {"a@example.org"}, "newsletter": {"weekend"}}).want(409)
}

func TestSubscribe_FromAPublishersPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	// A browser says where a cross-site form comes from; nothing else tells it from ours.
	a := s.post("/subscribe", url.Values{
		"email": {"Anna@Example.org"}, "newsletter": {"daily-news", "weekend"}, "section": {"culture"},
		"page": {"https://news.example.org/story"}, "placement": {"footer"}, "time_zone": {"Europe/Paris"},
	}, "Origin", "https://news.example.org", "Sec-Fetch-Site", "cross-site").want(303)
	if to := a.Header.Get("Location"); to != "/check-inbox?newsletter=daily-news&newsletter=weekend" {
		t.Errorf("leads to %q", to)
	}
	sub, events, err := s.readers.Subscriber(t.Context(), "anna@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if sub.Email != "Anna@example.org" || len(sub.Subscriptions) != 2 || sub.Subscriptions[0].State != newsletter.Pending {
		t.Errorf("subscriber %+v", sub)
	}
	if e := events[0]; e.Page != "https://news.example.org/story" || e.Placement != "footer" || e.Channel != "form" || e.IP != "127.0.0.1" {
		t.Errorf("recorded %+v", e.Origin)
	}
	s.get(a.Header.Get("Location")).want(200).
		has("Check your inbox", "Daily News", "The Weekend Read", "confirm@news.example.org", "Please confirm: ").
		lacks("nna@")
}

func TestCheckInbox_NamesTheSenderOfTheMail(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	arts := weekend()
	arts.Slug, arts.Name, arts.From.Email = "arts", "Arts", "arts@arts.example" // first in the catalogue, last by number
	s.create(arts)
	s.get("/check-inbox?newsletter=arts&newsletter=daily-news").want(200).
		has("To get Daily News and Arts", "confirm@news.example.org").lacks("arts.example")
}

func TestCheckInbox_IsAboutNoMoreThanAFormCanAskFor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	query := url.Values{}
	for i := range readers.MaxNewsletters + 5 {
		n := weekend()
		n.Slug = fmt.Sprintf("n%d", i)
		s.create(n)
		query.Add("newsletter", n.Slug)
	}
	s.get("/check-inbox?"+query.Encode()).want(200).has("Check your inbox", "Subject")
}

func TestSubscribe_RefererStandsInForThePage(t *testing.T) {
	t.Parallel()
	f := &fake{newsletters: []newsletter.Newsletter{dailyNews()}}
	s := newFakeSite(t, f)
	s.post("/subscribe", url.Values{"email": {"a@example.org"}}, "Referer", "https://news.example.org/story?reader=7#top").want(303)
	s.post("/subscribe", url.Values{"email": {"b@example.org"}}, "Referer", "javascript:alert(1)").want(303)
	if got := strings.Join(f.seen, "|"); got != "sign up a@example.org  https://news.example.org/story|sign up b@example.org  " {
		t.Errorf("seen %q", got)
	}
}

func TestSubscribe_AsMultipart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body := "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na@example.org\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"newsletter\"\r\n\r\nweekend\r\n--x--\r\n"
	s.do("POST", "/subscribe", "multipart/form-data; boundary=x", body).want(303)
	s.subscriber("a@example.org")
}

// S27
func TestSubscribe_SameAnswerForKnownAndUnknown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.join("known@example.org", "daily-news")
	shown := func(email string) string {
		a := s.post("/subscribe", url.Values{"email": {email}, "newsletter": {"daily-news"}}).want(303)
		a.Header.Del("Date")
		page := s.get(a.Header.Get("Location")).want(200)
		api := s.json("POST", "/api/v1/subscribe", "", `{"email":"`+email+`","newsletters":["daily-news"]}`)
		var headers strings.Builder
		if err := a.Header.Write(&headers); err != nil {
			t.Fatal(err)
		}
		return headers.String() + a.body + page.body + api.Status + api.body
	}
	if known, unknown := shown("known@example.org"), shown("unknown@example.org"); known != unknown {
		t.Errorf("known:\n%s\nunknown:\n%s", known, unknown)
	}
}

func TestSubscribe_WrongValuesAreNamedAndKept(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.post("/subscribe", url.Values{
		"email": {`anna"example.org`}, "newsletter": {"daily-news"}, "cadence": {"weekly"}, "section": {"culture"},
		"page": {"https://news.example.org/story"}, "placement": {"column"}, "return": {"/n/weekend"},
	}).want(422).has("An e-mail address has an @ in it")
	email := page.one("input[name=email]")
	if value(email, "value") != `anna"example.org` || value(email, "aria-invalid") != "true" {
		t.Error("the address is not kept, or not marked as wrong")
	}
	if _, ok := attr(email, "autofocus"); !ok {
		t.Error("the only wrong field has no focus")
	}
	page.one("p[id=" + value(email, "aria-describedby") + "]")
	page.one("div[role=alert]")
	page.one("a[href=#email]")
	page.one("input[name=cadence][value=weekly][checked]")
	page.one("input[name=section][value=culture][checked]")
	page.one("input[name=newsletter][value=daily-news]")
	page.one("input[name=page][value=https://news.example.org/story]")
	page.one("input[name=placement][value=column]")
	page.one("input[name=return][value=/n/weekend]")
	if !strings.HasPrefix(textOf(page.one("title")), "Please check") {
		t.Errorf("title %q", textOf(page.one("title")))
	}
}

func TestSubscribe_SeveralWrongValues(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.post("/subscribe", url.Values{
		"newsletter": {"daily-news"}, "cadence": {"hourly"}, "section": {"gossip"}, "time_zone": {"Mars/Olympus"},
		"name": {strings.Repeat("x", 3000)},
	}).want(422)
	alert := page.one("div[role=alert]")
	if _, ok := attr(alert, "autofocus"); !ok {
		t.Error("the summary has no focus")
	}
	for _, id := range []string{"email", "cadence", "section", "time_zone", "name"} {
		page.one("p[id=" + id + "-problem]")
	}
	// Every link of the summary leads to something.
	for _, a := range find(alert, "a") {
		page.one("[id=" + strings.TrimPrefix(value(a, "href"), "#") + "]")
	}
}

func TestSubscribe_NoOrUnknownNewsletterIsAskedForOnTheFirstPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, chosen := range [][]string{nil, {"nothing"}, {"daily-news", "nothing"}, {"../../etc"}} {
		page := s.post("/subscribe", url.Values{"email": {"a@example.org"}, "newsletter": chosen}).want(422)
		page.one("p[id=newsletter-problem]")
		if v := value(page.one("input[name=email]"), "value"); v != "a@example.org" {
			t.Errorf("address %q is not kept", v)
		}
		if n := len(page.all("input[name=newsletter][value=daily-news][checked]")); n == 1 != (len(chosen) == 2) {
			t.Errorf("%v: %d are ticked", chosen, n)
		}
	}
}

func TestSubscribe_WrongPageDoesNotBlockTheNextTry(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.post("/subscribe", url.Values{"email": {"a@example.org"}, "newsletter": {"weekend"}, "page": {"javascript:alert(1)"}}).want(422)
	if n := len(page.all("input[name=page]")); n != 0 {
		t.Error("the wrong page is kept, where nobody can mend it")
	}
	page.one("div[role=alert][autofocus]")
}

func TestSubscribe_HoneypotIsToldTheSameAndNothingHappens(t *testing.T) {
	t.Parallel()
	f := &fake{newsletters: []newsletter.Newsletter{dailyNews()}}
	s := newFakeSite(t, f)
	form := url.Values{"email": {"a@example.org"}, "newsletter": {"daily-news"}}
	honest := s.post("/subscribe", form).want(303).Header.Get("Location")
	form.Set("website", "https://spam.example")
	if to := s.post("/subscribe", form).want(303).Header.Get("Location"); to != honest {
		t.Errorf("leads to %q, others to %q", to, honest)
	}
	if len(f.seen) != 1 {
		t.Errorf("seen %v", f.seen)
	}
	trap := s.get("/").one("input[name=website]")
	if value(trap, "tabindex") != "-1" || value(trap.Parent.Parent, "aria-hidden") != "true" {
		t.Error("people can reach the honeypot")
	}
}

// S28
func TestSubscribe_TooOftenOrTooBusySaysWhenAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err    *newsletter.Error
		status int
		has    string
	}{
		{&newsletter.Error{Kind: newsletter.RateLimited, Reason: "too_many_sign_ups", Message: "There were too many sign-ups from your network. Please try again in 7 minutes.", RetryAfter: 401}, 429, "too many sign-ups"},
		{&newsletter.Error{Kind: newsletter.Busy, Reason: "busy", Message: "Very many people sign up at this moment. Please try again in a few seconds.", RetryAfter: 5}, 503, "Very many people"},
	} {
		s := newFakeSite(t, &fake{newsletters: []newsletter.Newsletter{dailyNews()}, err: tt.err})
		page := s.post("/subscribe", url.Values{"email": {"a@example.org"}, "newsletter": {"daily-news"}}).want(tt.status).has(tt.has, "Please try again in")
		if got := page.Header.Get("Retry-After"); got != strconv.Itoa(tt.err.RetryAfter) {
			t.Errorf("Retry-After %q", got)
		}
		problem := s.json("POST", "/api/v1/subscribe", "", `{"email":"a@example.org","newsletters":["daily-news"]}`).want(tt.status)
		if problem.Header.Get("Content-Type") != "application/problem+json" || problem.Header.Get("Retry-After") != strconv.Itoa(tt.err.RetryAfter) {
			t.Errorf("headers %v", problem.Header)
		}
	}
}

// S33
func TestSubscribe_ReturnLeadsOnlyToOurselves(t *testing.T) {
	t.Parallel()
	s := newFakeSite(t, &fake{newsletters: []newsletter.Newsletter{dailyNews()}})
	for back, want := range map[string]string{
		"/n/daily-news?from=form":              testBase + "/n/daily-news?from=form",
		testBase + "/thanks":                   testBase + "/thanks",
		"HTTPS://LETTERS.example.org/x":        "",
		"http://letters.example.org/x":         "",
		"https://evil.example/":                "",
		"//evil.example/":                      "",
		`/\evil.example/`:                      "",
		"\thttps://evil.example":               "",
		"https://letters.example.org@evil/":    "",
		"https://u:p@letters.example.org/":     "",
		"https://letters.example.org.evil.com": "",
		"javascript:alert(1)":                  "",
		"/\r\nSet-Cookie: a=b":                 "",
		"https://letters.example.org:8443/":    "",
		"/" + strings.Repeat("x", 3000):        "",
		"///evil.example":                      testBase + "///evil.example", // a path of our own host
		`\\evil.example`:                       "",
		`\/evil.example`:                       "",
		"/\t/evil.example":                     "",
		"/\n/evil.example":                     "",
		"\x00//evil.example":                   "",
		" //evil.example":                      "",
		"https:evil.example":                   "",
		"https:/evil.example":                  "",
		"https:///evil.example":                "",
		`https://evil\@letters.example.org/`:   "",
		"https://@letters.example.org/":        "",
		"https://letters.example.org:80@evil/": "",
		"//letters.example.org\u3002evil":      "",
		"data:text/html,x":                     "",
		"JaVaScRiPt://letters.example.org/%0a": "",
		"https://[::1]/":                       "",
	} {
		if strings.HasPrefix(back, "HTTPS:") {
			want = "https://LETTERS.example.org/x"
		}
		if want == "" {
			want = "/check-inbox"
		}
		a := s.post("/subscribe", url.Values{"email": {"a@example.org"}, "return": {back}}).want(303)
		if to := a.Header.Get("Location"); to != want {
			t.Errorf("return=%q leads to %q, want %q", back, to, want)
		}
		if a.Header.Get("Set-Cookie") != "" {
			t.Errorf("return=%q sets a cookie", back)
		}
	}
}

func TestSubscribe_WhatIsNoForm(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, tt := range []struct {
		contentType, body string
		status            int
	}{
		{"", "email=a%40example.org", 415},
		{"application/json", `{"email":"a@example.org"}`, 415},
		{"text/plain", "email=a@example.org", 415},
		{"application/x-www-form-urlencoded", "email=%zz", 400},
		{"application/x-www-form-urlencoded; charset", "email=a", 400},
		{"multipart/form-data", "x", 400},
		{"multipart/form-data; boundary=x", "not multipart", 400},
		{"application/x-www-form-urlencoded", "email=" + strings.Repeat("a", maxBody), 413},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n" + strings.Repeat("a", maxBody) + "\r\n--x--\r\n", 413},
	} {
		a := s.do("POST", "/subscribe", tt.contentType, tt.body)
		if a.StatusCode != tt.status {
			t.Errorf("%q %.30q: status %d, want %d", tt.contentType, tt.body, a.StatusCode, tt.status)
		}
	}
}

// The limit also holds where no length is announced.
func TestSubscribe_EndlessBodyIsCut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/subscribe", endless{})
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := s.client.Do(r)
	if err != nil {
		return // the server hung up: that will do
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413", response.StatusCode)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestCheckInbox_TakesNothingFromTheAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.get("/check-inbox").want(200).has("Check your inbox")
	page := s.get("/check-inbox?newsletter=%3Cscript%3Ealert(1)%3C/script%3E&newsletter=nothing&email=anna@example.org&subject=Win").want(200)
	page.lacks("<script", "nothing\"", "anna@", "Win")
}

func FuzzOwnAddress(f *testing.F) {
	for _, s := range []string{"/", "//x", `\\x`, "https://letters.example.org/a", "?a=b", "a/../..//b", "/%0d%0a"} {
		f.Add(s)
	}
	base, _ := url.Parse(testBase)
	a := &app{base: base}
	f.Fuzz(func(t *testing.T, raw string) {
		to, ok := a.ownAddress(raw)
		if !ok {
			return
		}
		u, err := url.Parse(to)
		if err != nil || u.Scheme != "https" || !strings.EqualFold(u.Host, base.Host) || u.User != nil || strings.ContainsAny(to, "\r\n\t\\ ") {
			t.Errorf("%q leads to %q", raw, to)
		}
	})
}
