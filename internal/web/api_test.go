package web

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// problemIn reads problem details.
func problemIn(t *testing.T, a answer) problem {
	t.Helper()
	var p problem
	if ct := a.Header.Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("content type %q\n%s", ct, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatal(err)
	}
	if p.Status != a.StatusCode || p.Type != "about:blank" || p.Title == "" || p.Detail == "" {
		t.Errorf("problem %+v with status %d", p, a.StatusCode)
	}
	return p
}

func TestAPISubscribe_Accepts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.json("POST", "/api/v1/subscribe", "", `{"email":"anna@example.org","newsletters":["daily-news"],"name":"Anna","cadence":"weekly",
		"sections":["culture"],"time_zone":"Europe/Paris","page":"https://news.example.org/story","placement":"app"}`).want(202)
	if a.body != `{"status":"check_inbox"}`+"\n" || a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %q", a.Header.Get("Content-Type"), a.body)
	}
	sub := s.subscriber("anna@example.org")
	if len(sub.Subscriptions) != 1 || s.history("anna@example.org") != "requested/api" {
		t.Errorf("%+v, history %q", sub, s.history("anna@example.org"))
	}
}

func TestAPISubscribe_NamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, tt := range []struct {
		body   string
		status int
		fields string
	}{
		{`{"email":"anna","newsletters":["daily-news"]}`, 422, "email"},
		{`{"email":"a@example.org","newsletters":["nothing"]}`, 422, "newsletters"},
		{`{"email":"a@example.org"}`, 422, "newsletters"},
		{`{"newsletters":["daily-news"],"cadence":"hourly","sections":["gossip"],"time_zone":"Mars"}`, 422, "cadence email sections time_zone"},
		{`{"email":"a@example.org","newsletters":["daily-news"],"e-mail":"x"}`, 422, "e-mail"},
		{`{"email":7,"newsletters":["daily-news"]}`, 422, "email"},
		{`{"email":"a@example.org","newsletters":"daily-news"}`, 422, "newsletters"},
		{`{"email":"a@example.org","newsletters":["daily-news"]} {}`, 400, ""},
		{`{"email":"a@example.org"`, 400, ""},
		{`["a@example.org"]`, 400, ""},
		{``, 400, ""},
		{`null x`, 400, ""},
		{`null`, 400, ""},
		{`"a@example.org"`, 400, ""},
		{`{"email":"a@example.org",}`, 400, ""},
		{`{"EMAIL":"a@example.org","newsletters":["daily-news"]}`, 422, "EMAIL"},
		{`{"email":"a@example.org","newsletters":["daily-news"],"email":"b@example.org"}`, 422, "email"},
		{`{"email":"` + strings.Repeat("a", maxBody) + `"}`, 413, ""},
	} {
		a := s.json("POST", "/api/v1/subscribe", "", tt.body)
		p := problemIn(t, a)
		var names []string
		for _, f := range p.Errors {
			names = append(names, f.Field)
			if f.Message == "" {
				t.Errorf("%.60s: nothing is said about %s", tt.body, f.Field)
			}
		}
		fields := strings.Join(sorted(names), " ")
		if a.StatusCode != tt.status || fields != tt.fields {
			t.Errorf("%.60s: %d %q, want %d %q", tt.body, a.StatusCode, fields, tt.status, tt.fields)
		}
	}
}

func TestAPI_TakesJSONOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json+x"} {
		problemIn(t, s.do("POST", "/api/v1/subscribe", kind, `{"email":"a@example.org"}`).want(415))
	}
	s.do("POST", "/api/v1/subscribe", "application/json; charset=utf-8", `{"email":"a@example.org","newsletters":["weekend"]}`).want(202)
}

func TestAPI_UnknownAddressesAndMethodsAreProblems(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	problemIn(t, s.get("/api/v1/nothing").want(404))
	problemIn(t, s.get("/api/").want(404))
	a := s.get("/api/v1/subscribe").want(405)
	problemIn(t, a)
	if allow := a.Header.Get("Allow"); !strings.Contains(allow, "POST") {
		t.Errorf("Allow: %q", allow)
	}
}

func TestAPI_NeedsATokenWithTheRight(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	read, write := s.token("subscribers:read"), s.token("subscribers:write")
	for _, tt := range []struct {
		method, path, header string
		status               int
		challenge            string
	}{
		{"GET", "/api/v1/subscribers", "", 401, `Bearer realm="broadsheet"`},
		{"GET", "/api/v1/subscribers", "Basic YTpi", 401, `Bearer realm="broadsheet"`},
		{"GET", "/api/v1/subscribers", "Bearer", 401, `Bearer realm="broadsheet"`},
		{"GET", "/api/v1/subscribers", "Bearer wrong", 401, `Bearer realm="broadsheet", error="invalid_token"`},
		{"GET", "/api/v1/subscribers", "Bearer " + strings.Repeat("x", 8000), 401, `Bearer realm="broadsheet", error="invalid_token"`},
		{"GET", "/api/v1/subscribers", "Bearer " + write, 403, `Bearer realm="broadsheet", error="insufficient_scope", scope="subscribers:read"`},
		{"GET", "/api/v1/subscribers", "bearer " + read, 200, ""},
		{"DELETE", "/api/v1/subscribers/1", "Bearer " + read, 403, `Bearer realm="broadsheet", error="insufficient_scope", scope="subscribers:write"`},
		{"POST", "/api/v1/subscribers", "", 401, `Bearer realm="broadsheet"`},
		{"PATCH", "/api/v1/subscribers/1", "", 401, `Bearer realm="broadsheet"`},
	} {
		var header []string
		if tt.header != "" {
			header = []string{"Authorization", tt.header}
		}
		a := s.do(tt.method, tt.path, "", "", header...)
		if a.StatusCode != tt.status || a.Header.Get("WWW-Authenticate") != tt.challenge {
			t.Errorf("%s %s with %.30q: %d %q, want %d %q", tt.method, tt.path, tt.header, a.StatusCode, a.Header.Get("WWW-Authenticate"), tt.status, tt.challenge)
		}
		if tt.status != 200 {
			problemIn(t, a)
		}
	}
}

func TestAPISubscribers_AddShowChangeRemove(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.token("all")
	a := s.json("POST", "/api/v1/subscribers", token, `{"email":"anna@example.org","name":"Anna","newsletters":["daily-news","weekend"],
		"cadence":"weekly","sections":["culture"],"consent":"the reader asked by phone"}`).want(201)
	var added subscriberJSON
	if err := json.Unmarshal([]byte(a.body), &added); err != nil {
		t.Fatal(err)
	}
	path := "/api/v1/subscribers/" + strconv.FormatInt(added.Subscriber, 10)
	if a.Header.Get("Location") != path || len(added.Subscriptions) != 2 || added.Subscriptions[0].State != "active" {
		t.Errorf("Location %q, %+v", a.Header.Get("Location"), added)
	}
	s.json("POST", "/api/v1/subscribers", token, `{"email":"anna@example.org","newsletters":["daily-news"],"consent":"again"}`).want(409)
	s.json("POST", "/api/v1/subscribers", token, `{"email":"ben@example.org","newsletters":["daily-news"]}`).want(422)

	a = s.json("PATCH", path, token, `{"time_zone":"Europe/Paris"}`).want(200)
	if !strings.Contains(a.body, `"name":"Anna","time_zone":"Europe/Paris"`) {
		t.Errorf("changed to %s", a.body)
	}
	s.json("PATCH", path, token, `{"email":"other@example.org"}`).want(422)
	s.json("PATCH", path, token, `{"time_zone":"Mars"}`).want(422)

	s.json("DELETE", path+"?newsletter=", token, "").want(422)
	s.json("DELETE", path+"?newsletter=nothing", token, "").want(404)
	a = s.json("DELETE", path+"?newsletter=weekend", token, "").want(200)
	if !strings.Contains(a.body, `"newsletter":"weekend","state":"left"`) || !strings.Contains(a.body, `"newsletter":"daily-news","state":"active"`) {
		t.Errorf("removed from one: %s", a.body)
	}
	for range 2 {
		s.json("DELETE", path, token, "").want(200)
	}
	a = s.json("GET", path, token, "").want(200)
	var detail subscriberDetail
	if err := json.Unmarshal([]byte(a.body), &detail); err != nil {
		t.Fatal(err)
	}
	if detail.Subscriptions[0].State != "left" || detail.Subscriptions[0].Sections[0] != "culture" {
		t.Errorf("shown %s", a.body)
	}
	if e := detail.Events[0]; e.Kind != "added" || e.Note != "the reader asked by phone" || e.Actor != "token:test" || e.Channel != "api" || !e.At.Equal(now()) {
		t.Errorf("event %+v", e)
	}
	s.json("POST", "/api/v1/subscribers", token, `{"email":"anna@example.org","newsletters":["daily-news"],"consent":"again"}`).want(403)
	for _, path := range []string{"/api/v1/subscribers/999", "/api/v1/subscribers/anna@example.org", "/api/v1/subscribers/-1", "/api/v1/subscribers/0"} {
		problemIn(t, s.json("GET", path, token, "").want(404))
		problemIn(t, s.json("DELETE", path, token, "").want(404))
		problemIn(t, s.json("PATCH", path, token, `{"name":"x"}`).want(404))
	}
}

func TestAPISubscribers_PagesByKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.token("all")
	for i := range 5 {
		s.json("POST", "/api/v1/subscribers", token, fmt.Sprintf(`{"email":"r%d@example.org","newsletters":["daily-news"],"consent":"x"}`, i)).want(201)
	}
	var seen []string
	path := "/api/v1/subscribers?limit=2&newsletter=daily-news&state=active"
	for pages := 1; ; pages++ {
		a := s.json("GET", path, token, "").want(200)
		var page subscriberPage
		if err := json.Unmarshal([]byte(a.body), &page); err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Subscribers {
			seen = append(seen, r.Email)
			if r.CreatedAt.Location() != time.UTC || len(r.Subscriptions) != 1 || r.Subscriptions[0].Sections == nil {
				t.Errorf("%+v", r)
			}
		}
		link := a.Header.Get("Link")
		if page.Next == nil {
			if link != "" || pages != 3 {
				t.Errorf("after %d pages, Link: %q", pages, link)
			}
			break
		}
		next, last := strings.CutSuffix(link, `>; rel="next"`)
		rest, first := strings.CutPrefix(next, "<"+testBase)
		if path = rest; !first || !last {
			t.Fatalf("Link: %q", link)
		}
	}
	if got := strings.Join(seen, " "); got != "r0@example.org r1@example.org r2@example.org r3@example.org r4@example.org" {
		t.Errorf("seen %s", got)
	}
	if a := s.json("GET", "/api/v1/subscribers?email=r3", token, "").want(200); strings.Count(a.body, `"email"`) != 1 {
		t.Errorf("found %s", a.body)
	}
	if a := s.json("GET", "/api/v1/subscribers?after=99", token, "").want(200); a.body != `{"subscribers":[],"next":null}`+"\n" {
		t.Errorf("after the end: %s", a.body)
	}
	for _, q := range []string{"limit=0", "limit=1001", "limit=x", "after=-1", "page=2", "state=happy", "limit=1&limit=2", "newsletter=nothing"} {
		a := s.json("GET", "/api/v1/subscribers?"+q, token, "")
		if p := problemIn(t, a); a.StatusCode/100 != 4 {
			t.Errorf("%s: %+v", q, p)
		}
	}
}

func TestAPI_InternalErrorsTellNothing(t *testing.T) {
	t.Parallel()
	s := newFakeSite(t, &fake{newsletters: []newsletter.Newsletter{dailyNews()}, err: fmt.Errorf("disk I/O error in /var/lib/secret")})
	a := s.json("POST", "/api/v1/subscribe", "", `{"email":"a@example.org"}`).want(500).lacks("disk", "secret")
	problemIn(t, a)
	s.get("/confirm/x").want(500).has("Something went wrong").lacks("disk", "secret")
	if !strings.Contains(s.log.String(), "disk I/O error") {
		t.Error("the log does not say what it was")
	}
}

func TestAPISubscriber_HistoryNamesTheEditionWhoseLinkWasFollowed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sub := s.join("anna@example.org", "daily-news")
	s.post("/unsubscribe/"+s.link(newsletter.PurposeUnsubscribe, sub, s.daily), nil).want(200)
	a := s.json("GET", fmt.Sprintf("/api/v1/subscribers/%d", sub.ID), s.token("all"), "").want(200)
	var detail subscriberDetail
	if err := json.Unmarshal([]byte(a.body), &detail); err != nil {
		t.Fatal(err)
	}
	for _, e := range detail.Events {
		if want := map[string]int64{"left": 1}[e.Kind]; e.Edition != want {
			t.Errorf("%s: edition %d, want %d", e.Kind, e.Edition, want)
		}
	}
	if n := len(detail.Events); n != 3 {
		t.Errorf("%d events", n)
	}
}

// What docs/api.md says of the statuses.
func TestAPI_AnswersWithTheStatusesOfItsDocumentation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.token("all")
	const people = "/api/v1/subscribers"
	s.json("POST", people, token, `{"email":"left@example.org","newsletters":["daily-news"],"consent":"x"}`).want(201)
	path := fmt.Sprintf("%s/%d", people, s.subscriber("left@example.org").ID)
	s.json("DELETE", path, token, "").want(200)
	for _, tt := range []struct {
		method, path, body string
		status             int
		reason             string
	}{
		{"POST", people, `[]`, 400, ""},
		{"GET", people + "?email=%zz", "", 400, ""},
		{"POST", people, `{"email":"left@example.org","newsletters":["daily-news"],"consent":"x"}`, 403, "left"},
		{"GET", people + "?newsletter=nothing", "", 404, ""},
		{"PATCH", people + "/999", `{"name":"x"}`, 404, ""},
		{"POST", people, `{"email":"` + strings.Repeat("a", maxBody) + `"}`, 413, ""},
		{"GET", people + "?page=2", "", 422, ""},
		{"GET", people + "?limit=1&limit=2", "", 422, ""},
		{"GET", people + "?limit=1001", "", 422, ""},
		{"DELETE", path + "?all=1", "", 422, ""},
		{"POST", people, `{"email":"a@example.org","newsletters":["daily-news"]}`, 422, ""},
		{"POST", people, `{"email":"a@example.org","newsletters":["nothing"],"consent":"x"}`, 422, ""},
		{"PATCH", path, `{"name":"x","name":"y"}`, 422, ""},
	} {
		if p := problemIn(t, s.json(tt.method, tt.path, token, tt.body)); p.Status != tt.status || p.Reason != tt.reason {
			t.Errorf("%s %s: %d %q, want %d %q", tt.method, tt.path, p.Status, p.Reason, tt.status, tt.reason)
		}
	}
	problemIn(t, s.do("PATCH", path, "text/plain", `{}`, "Authorization", "Bearer "+token).want(415))
}
