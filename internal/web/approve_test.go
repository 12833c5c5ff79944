package web

import (
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/readers"
)

// approveSite is the handler on a newsroom with a draft that waits to be approved until 07:00, and
// the path of its page; it is 06:00.
func approveSite(t *testing.T) (*site, *newsroomtest.Newsroom, string) {
	t.Helper()
	r := newsroomtest.New(t, newsroomtest.Options{})
	r.Feed.Publish("Harbour opens a second gate", newsroomtest.Start.Add(-2*time.Hour))
	r.Feed.Publish("Ferry fares & tolls frozen", newsroomtest.Start.Add(-time.Hour))
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 3)
	manual := "manual"
	if _, err := r.Desk.EditNewsletter(t.Context(), n.Slug, desk.NewsletterEdit{Approval: &manual}); err != nil {
		t.Fatal(err)
	}
	if err := r.Desk.RunSlots(t.Context(), newsletter.GraceTime); err != nil {
		t.Fatal(err)
	}
	e, _ := r.Tally(1)
	log := &syncBuffer{}
	s := newFakeSite(t, readers.New(r.Store, readers.Options{BaseURL: testBase, Now: r.Clock.Now}), func(o *Options) {
		o.Approvals, o.Now, o.Logger = r.Desk, r.Clock.Now, slog.New(slog.NewJSONHandler(log, nil))
		o.BaseURL = "https://news.example.org"
	})
	s.log = log
	return s, r, strings.TrimPrefix(r.Desk.ApprovalLink(e), "https://news.example.org")
}

// filled returns the form of the page as a browser sends it, with some values changed.
func filled(a answer, act string, change ...string) url.Values {
	values := url.Values{"act": {act}}
	for _, in := range a.all("input") {
		if name := value(in, "name"); value(in, "type") != "checkbox" {
			values.Add(name, value(in, "value"))
		}
	}
	for i := 0; i+1 < len(change); i += 2 {
		values.Set(change[i], change[i+1])
	}
	return values
}

func stateOf(t *testing.T, r *newsroomtest.Newsroom) newsletter.EditionState {
	t.Helper()
	e, _ := r.Tally(1)
	return e.State
}

func TestApprove_ShowsWhatIsToBeDecidedAndChangesNothing(t *testing.T) {
	t.Parallel()
	s, r, path := approveSite(t)
	a := s.get(path).want(200).has("approve by Fri 20 Nov 07:00 GMT", "3 of the 3 readers of the daily edition", "Harbour opens a second gate", "Ferry fares & tolls frozen", "all 3 who get it")
	for name, want := range map[string]string{"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if csp := a.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	mail := s.get(value(a.one("iframe"), "src")).want(200)
	if !strings.Contains(mail.body, "Harbour opens a second gate") || !strings.Contains(mail.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Error("the mail is not shown, or runs free")
	}
	mail.lacks("personal.invalid")
	s.do("HEAD", path, "", "").want(200)
	if stateOf(t, r) != newsletter.EditionDraft {
		t.Error("to look at it changes it")
	}
	s.get(path[:len(path)-1] + "x").want(404)
	s.get("/staff/approve/x").want(404)
	other := r.Keys.Sign(newsletter.PurposeManage, newsletter.Link{NewsletterID: 1, EditionID: 1})
	s.get("/staff/approve/" + other).want(404)
	if token := path[strings.LastIndexByte(path, '/')+1:]; strings.Contains(s.log.String(), token) {
		t.Error("the token is in the log")
	}
}

func TestApprove_ChangesAreSeenBeforeTheyAreApproved(t *testing.T) {
	t.Parallel()
	s, r, path := approveSite(t)
	page := s.get(path)
	first := value(page.all("input[name=drop]")[0], "value")
	// Whoever changes and approves at once sees it once more.
	to := s.post(path, filled(page, "approve", "subject", "All about ferries", "drop", first, "name", " Ada\n Lovelace ")).want(303).Header.Get("Location")
	if stateOf(t, r) != newsletter.EditionDraft {
		t.Fatal("what nobody has seen is approved")
	}
	changed := s.get(to).want(200).has("approve it once more", "All about ferries")
	if n := len(changed.all("input[name=drop]")); n != 1 {
		t.Errorf("it has %d stories", n)
	}
	// What was dropped can be put back, and is dropped again.
	if back := changed.all("input[name=back]"); len(back) != 1 || value(back[0], "value") != first {
		t.Fatalf("%d stories can be put back", len(back))
	}
	whole := s.get(s.post(path, filled(changed, "change", "back", first)).want(303).Header.Get("Location")).want(200)
	if stories := whole.all("input[name=drop]"); len(stories) != 2 || value(stories[0], "value") != first || len(whole.all("input[name=back]")) != 0 {
		t.Errorf("put back, it has %d stories", len(stories))
	}
	to = s.post(path, filled(whole, "change", "drop", first, "name", " Ada\n Lovelace ")).want(303).Header.Get("Location")
	changed = s.get(to).want(200)
	// The old form shows what changed, and asks again.
	s.post(path, filled(page, "approve")).want(409).has("nothing was done", "is not in it any more", "The subject is “All about ferries” now.", "changed by Ada Lovelace")
	s.post(path, filled(page, "change", "subject", "Mine")).want(409).has("nothing was done")
	s.post(path, filled(changed, "change", "subject", "ALL IN CAPITALS NOW")).want(422).has("all in capitals")
	s.post(path, filled(changed, "change")).want(303)
	if stateOf(t, r) != newsletter.EditionDraft {
		t.Fatal("it is approved")
	}
	to = s.post(path, filled(changed, "approve", "name", "Ada")).want(303).Header.Get("Location")
	s.get(to).want(200).has("Approved.", "by Ada, and is sent at Fri 20 Nov 07:00 GMT")
	e, _ := r.Tally(1)
	if e.State != newsletter.EditionFrozen || e.Subject != "All about ferries" || e.Hash != value(changed.one("input[name=hash]"), "value") {
		t.Errorf("frozen is %+v", e)
	}
	log, err := r.Desk.EditionLog(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	last := log[len(log)-1]
	if last.Actor != "page:Ada" || !strings.Contains(log[len(log)-2].Detail+last.Detail, "from 127.0.0.1") {
		t.Errorf("on record is %+v", log[len(log)-2:])
	}
	if token := path[strings.LastIndexByte(path, '/')+1:]; strings.Contains(s.log.String(), token) {
		t.Error("the token is in the log")
	}
}

func TestApprove_HoldAndAfterItsTime(t *testing.T) {
	t.Parallel()
	s, r, path := approveSite(t)
	page := s.get(path)
	s.get(s.post(path, filled(page, "hold", "name", "Ben")).want(303).Header.Get("Location")).want(200).has("It is held, by Ben.")
	r.Clock.Add(2 * time.Hour)
	held := s.get(path).want(200).has("at once")
	s.post(path, filled(held, "approve")).want(303)
	s.get(path).want(200).has("It is approved, by staff").lacks("Harbour", "<form")

	s, r, path = approveSite(t)
	page = s.get(path)
	r.Clock.Add(time.Hour)
	s.get(path).want(410).has("This link has expired").lacks("Harbour", "<form")
	s.post(path, filled(page, "approve")).want(409)
	s.post(path, filled(page, "hold")).want(409)
	if stateOf(t, r) == newsletter.EditionFrozen {
		t.Error("it was approved after its time")
	}
}

func TestApprove_WhatIsApprovedCanBeHeldOnThePage(t *testing.T) {
	t.Parallel()
	s, r, path := approveSite(t)
	s.post(path, filled(s.get(path), "approve")).want(303)
	s.post(path, filled(s.get(path).want(200), "hold")).want(303)
	if got := stateOf(t, r); got != newsletter.EditionPaused {
		t.Fatalf("it is %s", got)
	}
	s.post(path, filled(s.get(path).want(200).has("is held now"), "approve")).want(303)
	if got := stateOf(t, r); !got.Open() {
		t.Errorf("it is %s", got)
	}
}

func TestApprove_RefusesFormsOfOthers(t *testing.T) {
	t.Parallel()
	s, r, path := approveSite(t)
	page := s.get(path)
	form := filled(page, "approve")
	for _, header := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "https://news.example.org.evil.example"},
	} {
		s.post(path, form, header...).want(403)
	}
	for _, values := range []url.Values{{"act": {"delete"}}, {"act": {"approve"}, "revision": {"x"}}, {"act": {"change"}, "drop": {"x"}}, {"act": {"change"}, "drop": make([]string, 60)}} {
		s.post(path, values).want(422)
	}
	s.post("/staff/approve/x", form).want(404)
	if stateOf(t, r) != newsletter.EditionDraft {
		t.Fatal("it was approved")
	}
	s.post(path, form, "Origin", "null").want(303) // an old browser, of our own page
}
