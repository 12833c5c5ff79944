package web

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

func TestConfirm_ShowsThenWelcomesThenChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.post("/subscribe", url.Values{"email": {"anna@example.org"}, "newsletter": {"daily-news"}, "section": {"politics", "culture"}}).want(303)
	token := s.confirmToken()
	page := s.get("/confirm/"+token).want(200).
		has("a…@example.org", "Daily News", "Monday to Friday at 07:00, London time", "Politics and Culture", "I want to get Daily News from The Example Gazette by e-mail.").
		lacks("anna@")
	form := page.one("form")
	if value(form, "action") != "/confirm/"+token || value(form, "method") != "post" {
		t.Errorf("the button posts to %q", value(form, "action"))
	}
	page.one("a[href=https://news.example.org/privacy][rel=noopener]")

	s.post("/confirm/"+token, nil).want(200).
		has("You’re in", "a…@example.org", "Your first edition comes tomorrow, Monday 23 November, at 07:00 London time")
	s.post("/confirm/"+token, nil).want(200).has("This link was used already", "You get it.")
	s.get("/confirm/" + token).want(200).has("This link was used already")
	if h := s.history("anna@example.org"); h != "requested/form confirmed/link" {
		t.Errorf("history %q", h)
	}
}

func TestConfirm_ByHandNamesNoDay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.post("/confirm/"+s.signUp("anna@example.org", "weekend"), nil).want(200).has("there is no fixed day")
}

func TestConfirm_UsedTokenBringsNobodyBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.signUp("anna@example.org", "daily-news")
	s.post("/confirm/"+token, nil).want(200)
	sub := s.subscriber("anna@example.org")
	s.post("/unsubscribe/"+s.link(newsletter.PurposeUnsubscribe, sub, s.daily), nil).want(200)
	s.post("/confirm/"+token, nil).want(200).has("You have left it.")
	if state := s.subscriber("anna@example.org").Subscriptions[0].State; state != newsletter.Left {
		t.Errorf("state %s", state)
	}
}

func TestConfirm_ExpiredOffersANewMail(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.signUp("anna@example.org", "daily-news")
	s.wait(newsletter.SignUpValid + time.Minute)
	s.get("/confirm/"+token).want(200).has("This link is too old", "a…@example.org")
	page := s.post("/confirm/"+token, nil).want(410).has("This link is too old")
	renew := value(page.one("form[method=post]"), "action")
	if renew != "/confirm/"+token+"/renew" {
		t.Fatalf("the button posts to %q", renew)
	}
	if to := s.post(renew, nil).want(303).Header.Get("Location"); to != "/check-inbox?newsletter=daily-news" {
		t.Errorf("leads to %q", to)
	}
	fresh := s.confirmToken()
	if fresh == token {
		t.Fatal("there is no new link")
	}
	s.post("/confirm/"+fresh, nil).want(200).has("You’re in")
}

// S5
func TestUnsubscribe_OneClick(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]func(*site, string) answer{
		"urlencoded": func(s *site, path string) answer {
			return s.do("POST", path, "application/x-www-form-urlencoded", "List-Unsubscribe=One-Click")
		},
		"multipart": func(s *site, path string) answer {
			return s.do("POST", path, "multipart/form-data; boundary=b",
				"--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			sub := s.join("anna@example.org", "daily-news")
			path := "/unsubscribe/" + s.link(newsletter.PurposeUnsubscribe, sub, s.daily)
			for range 2 {
				a := send(s, path).want(200)
				if a.Header.Get("Set-Cookie") != "" || a.Header.Get("Location") != "" {
					t.Errorf("headers %v", a.Header)
				}
			}
			if u := s.subscriber("anna@example.org").Subscriptions[0]; u.State != newsletter.Left {
				t.Errorf("state %s", u.State)
			}
			if h := s.history("anna@example.org"); h != "requested/form confirmed/link left/one_click" {
				t.Errorf("history %q", h)
			}
		})
	}
}

// Whoever POSTs to an unsubscribe link wants to leave, however a mail program words it.
func TestUnsubscribe_WorksWithAnyBody(t *testing.T) {
	t.Parallel()
	for contentType, body := range map[string]string{
		"":                                "",
		"text/plain":                      "List-Unsubscribe=One-Click",
		"multipart/form-data":             "no boundary",
		"multipart/form-data; boundary=x": "cut sho",
	} {
		s := newSite(t)
		sub := s.join("anna@example.org", "daily-news")
		s.do("POST", "/unsubscribe/"+s.link(newsletter.PurposeUnsubscribe, sub, s.daily), contentType, body).want(200)
		if u := s.subscriber("anna@example.org").Subscriptions[0]; u.State != newsletter.Left {
			t.Errorf("%q: state %s", contentType, u.State)
		}
	}
}

func TestUnsubscribe_ButtonThenUndo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sub := s.join("anna@example.org", "daily-news")
	path := "/unsubscribe/" + s.link(newsletter.PurposeUnsubscribe, sub, s.daily)
	page := s.get(path).want(200).has("Unsubscribe from Daily News?", "a…@example.org", "Was it forwarded to you?").lacks("anna@")
	if value(page.one("form"), "action") != path {
		t.Error("the button posts elsewhere")
	}
	page.one("aside")
	left := s.post(path, nil).want(200).has("You have left Daily News", "a…@example.org")
	undo := value(left.one("form"), "action")
	if undo != path+"/undo" {
		t.Fatalf("undo posts to %q", undo)
	}
	s.post(undo, nil).want(200).has("Welcome back")
	s.get(path).want(200).has("Unsubscribe from Daily News?")
	s.post(path, nil).want(200)
	s.wait(25 * time.Hour)
	if n := len(s.get(path).want(200).has("Sign up again").all("form")); n != 0 {
		t.Error("an undo is offered that would not work")
	}
	s.post(undo, nil).want(403).has("can no longer be undone")
	if h := s.history("anna@example.org"); h != "requested/form confirmed/link left/link undone/link left/link" {
		t.Errorf("history %q", h)
	}
}

func TestManage_ChangesCadenceAndSections(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sub := s.join("anna@example.org", "daily-news", "weekend")
	path := "/manage/" + s.link(newsletter.PurposeManage, sub, s.daily)
	page := s.get(path).want(200).
		has("Daily News", "The Weekend Read", "a…@example.org", "The next one comes tomorrow, Monday 23 November, at 07:00 London time").
		lacks("anna@")
	page.one("input[name=cadence][value=daily][checked]")
	if n := len(page.all("input[name=section][checked]")); n != 0 {
		t.Errorf("%d sections are ticked for somebody who gets everything", n)
	}
	a := s.post(path, url.Values{"newsletter": {"daily-news"}, "cadence": {"weekly"}, "section": {"business", "science"}}).want(303)
	page = s.get(a.Header.Get("Location")).want(200).has("Saved.")
	page.one("p[role=status]")
	page.one("input[name=cadence][value=weekly][checked]")
	page.one("input[name=section][value=science][checked]")
	if n := len(page.all("input[name=section][checked]")); n != 2 {
		t.Errorf("%d sections are ticked, want 2", n)
	}
	if !strings.Contains(page.body, "Leave ") || len(page.all("form[action="+path+"/leave]")) != 3 {
		t.Fatal("one cannot leave each, and all")
	}
	s.post(path+"/leave", url.Values{"newsletter": {"weekend"}}).want(303)
	if got := s.subscriber("anna@example.org").Subscriptions[1]; got.State != newsletter.Left {
		t.Errorf("state %s", got.State)
	}
}

// TestManage_WhatIsDoneCanBeUndone goes through all that the page does: each says what it did, is taken
// back by one press, and is on record.
func TestManage_WhatIsDoneCanBeUndone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sub := s.join("anna@example.org", "daily-news", "weekend")
	path := "/manage/" + s.link(newsletter.PurposeManage, sub, s.daily)
	states := func() string {
		var list []string
		for _, u := range s.subscriber("anna@example.org").Subscriptions {
			until := ""
			if u.State == newsletter.PausedSub && !u.PausedUntil.IsZero() {
				until = " until " + u.PausedUntil.Format("2006-01-02")
			}
			list = append(list, string(u.State)+" "+string(u.Cadence)+until)
		}
		return strings.Join(list, ", ")
	}
	before := states()
	for _, tt := range []struct {
		does   string
		values url.Values
		want   string // how both subscriptions are then
		says   string
	}{
		{"", url.Values{"newsletter": {"daily-news"}, "cadence": {"weekly"}}, "active weekly, active weekly", "Your next Daily News will follow your choice."},
		{"/pause", url.Values{"newsletter": {"daily-news"}, "until": {"week"}}, "paused daily until 2026-11-29, active weekly", "Paused until Sunday 29 November: Daily News."},
		{"/pause", url.Values{"newsletter": {"weekend"}, "until": {"date"}, "date": {"2027-01-02"}}, "active daily, paused weekly until 2027-01-02", "Paused until Saturday 2 January 2027: The Weekend Read."},
		{"/pause", url.Values{"until": {"open"}}, "paused daily, paused weekly", "Paused until you come back: Daily News and The Weekend Read."},
		{"/pause", url.Values{"until": {"month"}}, "paused daily until 2026-12-22, paused weekly until 2026-12-22", "Paused until Tuesday 22 December"},
		{"/leave", url.Values{"newsletter": {"weekend"}}, "active daily, left weekly", "You have left The Weekend Read."},
		{"/leave", url.Values{"all": {"1"}}, "left daily, left weekly", "You have left Daily News and The Weekend Read."},
	} {
		s.wait(time.Minute)
		to := s.post(path+tt.does, tt.values).want(303).Header.Get("Location")
		if got := states(); got != tt.want {
			t.Fatalf("%s %v: %s, want %s", tt.does, tt.values, got, tt.want)
		}
		page := s.get(to).want(200).has(tt.says)
		at := value(page.one("input[name=at]"), "value")
		s.get(to).want(200) // looking changes nothing
		s.post(path+"/undo", url.Values{"at": {at}}).want(303)
		if got := states(); got != before {
			t.Fatalf("%s %v undone: %s, want %s", tt.does, tt.values, got, before)
		}
		s.post(path+"/undo", url.Values{"at": {at}}).want(409) // it was undone: nothing is there to undo
	}
	s.wait(time.Minute)
	to := s.post(path+"/pause", url.Values{"newsletter": {"daily-news"}, "until": {"week"}}).want(303).Header.Get("Location")
	at := value(s.get(to).one("input[name=at]"), "value")
	s.wait(time.Minute)
	s.post(path+"/resume", url.Values{"newsletter": {"daily-news"}}).want(303)
	s.post(path+"/undo", url.Values{"at": {at}}).want(409).has("Something else was changed since")
	s.get(to).lacks(`name="at"`)
	to = s.post(path+"/leave", url.Values{"all": {"1"}}).want(303).Header.Get("Location")
	at = value(s.get(to).one("input[name=at]"), "value")
	s.wait(newsletter.UndoTime + time.Minute)
	s.post(path+"/undo", url.Values{"at": {at}}).want(403).has("can no longer be undone")
	s.get(to).lacks(`name="at"`)
	if history := s.history("anna@example.org"); strings.Count(history, "undone") < 7 {
		t.Errorf("history %s", history)
	}
}

func TestManage_PausesOnlyUntilADayAhead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	path := "/manage/" + s.link(newsletter.PurposeManage, s.join("anna@example.org", "daily-news", "weekend"), s.daily)
	for _, slug := range []string{"daily-news", ""} {
		for _, date := range []string{"", "2026-11-22", "2020-01-01", "2028-01-01", "tomorrow", "2026-02-30"} {
			page := s.post(path+"/pause", url.Values{"newsletter": {slug}, "until": {"date"}, "date": {date}}).want(422)
			page.one("div[role=alert]")
		}
	}
	s.post(path+"/pause", url.Values{"newsletter": {"nothing"}, "until": {"week"}}).want(404)
	s.post(path+"/leave", nil).want(400) // nobody leaves everything by a form that says nothing
	s.post(path+"/undo", url.Values{"at": {"now"}}).want(400)
	s.post("/manage/nonsense/leave", url.Values{"all": {"1"}}).want(404)
	if got := s.subscriber("anna@example.org").Subscriptions[0].State; got != newsletter.Active {
		t.Error(got)
	}
}

func TestManage_WrongChoiceIsNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sub := s.join("anna@example.org", "daily-news")
	path := "/manage/" + s.link(newsletter.PurposeManage, sub, s.daily)
	page := s.post(path, url.Values{"newsletter": {"daily-news"}, "cadence": {"hourly"}}).want(422)
	page.one("div[role=alert]")
	s.post(path, url.Values{"newsletter": {"nothing"}}).want(422)
	s.post(path, url.Values{"newsletter": {"weekend"}}).want(409)
	s.do("POST", path, "text/plain", "x").want(415)
	if u := s.subscriber("anna@example.org").Subscriptions[0]; u.Cadence != newsletter.Daily {
		t.Errorf("cadence %s", u.Cadence)
	}
}

func TestTokens_WrongOnesOpenNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sub := s.join("anna@example.org", "daily-news")
	leave, manage := s.link(newsletter.PurposeUnsubscribe, sub, s.daily), s.link(newsletter.PurposeManage, sub, s.daily)
	for _, path := range []string{
		"/unsubscribe/" + manage, "/manage/" + leave, "/confirm/" + leave, "/confirm/x", "/manage/%00", "/unsubscribe/..%2f",
		"/unsubscribe/" + leave[:len(leave)-1], "/manage/" + strings.Repeat("A", 5000),
	} {
		s.get(path).want(404)
		s.post(path, url.Values{"newsletter": {"daily-news"}}).want(404)
	}
	s.post("/confirm/x/renew", nil).want(404)
	s.post("/unsubscribe/x/undo", nil).want(404)
}

// S22
func TestGetAndHead_ChangeNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sub := s.join("anna@example.org", "daily-news")
	pending := s.signUp("ben@example.org", "daily-news")
	before := s.history("anna@example.org") + s.history("ben@example.org")
	leave := s.link(newsletter.PurposeUnsubscribe, sub, s.daily)
	for _, path := range []string{
		"/", "/n/daily-news", "/check-inbox?newsletter=daily-news", "/confirm/" + pending, "/unsubscribe/" + leave,
		"/unsubscribe/" + leave + "?List-Unsubscribe=One-Click", "/manage/" + s.link(newsletter.PurposeManage, sub, s.daily) + "?newsletter=daily-news&cadence=weekly",
		"/robots.txt", "/favicon.ico", "/healthz", "/readyz",
	} {
		get := s.get(path).want(200)
		head := s.do("HEAD", path, "", "").want(200)
		if head.body != "" || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") {
			t.Errorf("HEAD %s: %d octets of %s", path, len(head.body), head.Header.Get("Content-Type"))
		}
	}
	for _, path := range []string{"/subscribe", "/confirm/" + pending + "/renew", "/unsubscribe/" + leave + "/undo"} {
		s.get(path).want(405)
	}
	if after := s.history("anna@example.org") + s.history("ben@example.org"); after != before {
		t.Errorf("history was %q and is %q", before, after)
	}
	if state := s.subscriber("ben@example.org").Subscriptions[0].State; state != newsletter.Pending {
		t.Errorf("state %s", state)
	}
}

// Who is sent nothing is promised nothing, and reads what helps.
func TestPages_OfWhoIsSentNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ target, reason, helps, not string }{
		{"anna@example.org", "hard_bounce", "Sign up again", "write to daily@news.example.org"},
		{"anna@example.org", "complaint", "write to daily@news.example.org", "Sign up again"},
		{"@example.org", "", "write to daily@news.example.org", "Sign up again"},
	} {
		t.Run(c.target+c.reason, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			sub := s.join("anna@example.org", "daily-news")
			pending := s.signUp("ben@example.org", "daily-news")
			if _, _, err := s.readers.Suppress(t.Context(), c.target, c.reason, newsletter.Origin{Note: "she rang"}); err != nil {
				t.Fatal(err)
			}
			manage, leave := "/manage/"+s.link(newsletter.PurposeManage, sub, s.daily), "/unsubscribe/"+s.link(newsletter.PurposeUnsubscribe, sub, s.daily)
			s.get(manage).want(200).has("Nothing is sent to this address", c.helps).lacks("The next one comes", "come to", c.not)
			saved := s.post(manage, url.Values{"newsletter": {"daily-news"}, "cadence": {"weekly"}}).want(303).Header.Get("Location")
			s.get(saved).want(200).has("Saved, for when Daily News is sent to you again").lacks("will follow")
			s.get(leave).want(200).has("Nothing is sent to", c.helps).lacks("It is sent to", c.not)
			s.post(leave, nil).want(200).has("You have left", c.helps).lacks(c.not, "Undo")
			s.post(leave+"/undo", nil).want(403).has("Our address is daily@news.example.org")
			if c.reason != "" { // else their domain is suppressed
				if _, _, err := s.readers.Suppress(t.Context(), "ben@example.org", "staff", newsletter.Origin{Note: "never"}); err != nil {
					t.Fatal(err)
				}
			}
			s.post("/confirm/"+pending, nil).want(403).has("Our address is daily@news.example.org")
		})
	}
}

func TestConfirm_PausedNewsletterForetellsNothing(t *testing.T) {
	t.Parallel()
	f := &fake{confirmed: readers.Confirmed{First: []readers.FirstEdition{{Newsletter: weekend(), ByHand: true, Zone: "Europe/London"}}}}
	newFakeSite(t, f).post("/confirm/x", nil).want(200).has("no fixed day").lacks("0001")
}

// Mail programs show an error for what is not answered with 200 (S5, RFC 8058 §3.2): who was
// erased, or is not in a restored database, gets nothing and is told so.
func TestUnsubscribe_OfSomebodyWeDoNotKnow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	path := "/unsubscribe/" + s.link(newsletter.PurposeUnsubscribe, newsletter.Subscriber{ID: 4711}, s.daily)
	for _, page := range []answer{
		s.get(path).want(200), s.post(path, url.Values{"List-Unsubscribe": {"One-Click"}}).want(200), s.post(path+"/undo", nil).want(200),
	} {
		if h := textOf(page.one("h1")); h != "Nothing is sent to you" {
			t.Errorf("it says %q", h)
		}
	}
}
