package web

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// fresh returns the token of a fresh link that is handed over now.
func (s *site) fresh(sub newsletter.Subscriber) string {
	return s.keys.SignFresh(newsletter.Link{SubscriberID: sub.ID, NewsletterID: s.daily.ID}, s.clock())
}

// linkMails returns the mails with a fresh link that wait.
func (s *site) linkMails() (list []newsletter.Mail) {
	s.t.Helper()
	due, err := s.store.DueMails(s.t.Context(), s.clock(), 100)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range due {
		if m.Kind == newsletter.MailLink {
			list = append(list, m)
		}
	}
	return list
}

// Who has lost their link types the address, and gets a mail whose link opens all of their page. An
// address that nobody has is answered the same, and gets none.
func TestLink_LostIsMailed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.join("anna@example.org", "daily-news")
	s.get("/link").want(200).has("no more than three mails").one("input[name=email]")
	for _, address := range []string{"nobody@example.org", "Anna@Example.ORG"} {
		a := s.post("/link", url.Values{"email": {address}}).want(303)
		if to := a.Header.Get("Location"); to != "/link?sent=1" {
			t.Errorf("%s: led to %s", address, to)
		}
	}
	s.get("/link?sent=1").want(200).has("If we write to this address")
	s.post("/link", url.Values{"email": {"anna@example"}}).want(422).one("input[aria-invalid=true]")
	s.post("/link", url.Values{"email": {"anna@example.org"}, "website": {"x"}}).want(303)

	mails := s.linkMails()
	if len(mails) != 1 || mails[0].Email != "anna@example.org" {
		t.Fatalf("mails: %+v", mails)
	}
	s.wait(time.Hour) // in the queue: the link's time begins when it is handed over
	_, to, message, err := s.readers.Compose(t.Context(), mails[0])
	if err != nil || to != "anna@example.org" {
		t.Fatal(to, err)
	}
	plain := strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(string(message))
	_, rest, ok := strings.Cut(plain, testBase)
	if !ok {
		t.Fatalf("no link in\n%s", plain)
	}
	path, _, _ := strings.Cut(rest, "\r\n")
	s.get(path).want(200).has("As the link to this page is fresh")
	s.get(path+"/receipt").want(200).has("you confirmed that you want Daily News", "I want to get Daily News", "anna@example.org")
}

// A link in a digest, and a fresh one that is 15 minutes old, reach nothing of what needs a fresh one:
// they get one by mail, at one press.
func TestOwn_NeedsAFreshLink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sub := s.join("anna@example.org", "daily-news")
	old := s.fresh(sub)
	s.wait(newsletter.FreshTime - time.Millisecond)
	s.get("/manage/" + old + "/receipt").want(200)
	s.wait(time.Millisecond)
	for _, token := range []string{s.link(newsletter.PurposeManage, sub, s.daily), old} {
		s.get("/manage/" + token).want(200).has("Mail me a link").lacks("Have all of it erased")
		for route, r := range table() {
			method, path, _ := strings.Cut(route, " ")
			if !r.fresh {
				continue
			}
			path = strings.NewReplacer(":token", token, ":file", "your-data.html").Replace(path)
			a := s.do(method, path, "application/x-www-form-urlencoded", "sure=1&name=Mallory")
			a.want(http.StatusForbidden).has("This needs a fresh link").lacks("anna@example.org")
		}
	}
	if now := s.subscriber("anna@example.org"); now.Name != "" {
		t.Errorf("the name is %q", now.Name)
	}
	token := s.link(newsletter.PurposeManage, sub, s.daily)
	s.post("/manage/"+token+"/link", nil).want(303)
	if mails := s.linkMails(); len(mails) != 1 || mails[0].SubscriberID != sub.ID {
		t.Errorf("mails: %+v", mails)
	}
	for _, wrong := range []string{"x", strings.Repeat("A", newsletter.FreshTokenLength), s.link(newsletter.PurposeUnsubscribe, sub, s.daily)} {
		s.get("/manage/" + wrong + "/export").want(404)
	}
}

func TestDetails_NameAndLanguageAreKept(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sub := s.join("anna@example.org", "daily-news")
	path := "/manage/" + s.fresh(sub) + "/details"
	s.get(path).want(200).one("input[name=name]")
	a := s.post(path, url.Values{"name": {"Anna Ásgeirsdóttir"}, "language": {"de"}}).want(303)
	if page := s.get(a.Header.Get("Location")).want(200).has("Gespeichert."); !strings.Contains(page.body, `value="Anna Ásgeirsdóttir"`) {
		t.Errorf("the name is not in\n%s", page.body)
	}
	s.get("/manage/" + s.link(newsletter.PurposeManage, sub, s.daily)).want(200).has("Ändern, was Sie bekommen")
	if sub = s.subscriber("anna@example.org"); sub.Name != "Anna Ásgeirsdóttir" || sub.Language != "de" {
		t.Errorf("%+v", sub)
	}
	if got := s.history("anna@example.org"); !strings.HasSuffix(got, "changed/link") {
		t.Errorf("history %s", got)
	}
	s.post(path, url.Values{"name": {strings.Repeat("x", 5000)}, "language": {"de"}}).want(422).one("input[aria-invalid=true]")
	s.post(path, url.Values{"name": {""}, "language": {"xx"}}).want(303)
	if sub = s.subscriber("anna@example.org"); sub.Name != "" || sub.Language != "" {
		t.Errorf("%+v", sub)
	}
}

func TestExport_IsAFileThatNobodyKeeps(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) {
		o.WriteRecord = func(_ context.Context, r *readers.Record, w io.Writer) error {
			_, err := io.WriteString(w, `{"email":"`+r.Subscriber.Email+`"}`)
			return err
		}
	})
	sub := s.join("anna@example.org", "daily-news")
	path := "/manage/" + s.fresh(sub) + "/export"
	s.get(path).want(200).has("Data for a program (JSON)")
	for file, kind := range map[string]string{"your-data.html": "text/html; charset=UTF-8", "your-data.json": "application/json"} {
		a := s.get(path + "/" + file).want(200)
		h := a.Header
		if h.Get("Content-Type") != kind || h.Get("Content-Disposition") != `attachment; filename="`+file+`"` || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", file, h)
		}
		if !strings.Contains(a.body, "anna@example.org") {
			t.Errorf("%s: %.100s", file, a.body)
		}
	}
	s.get(path + "/other.json").want(404)
}

func TestErase_TakesATickAndEndsEveryLink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sub := s.join("anna@example.org", "daily-news")
	token, other := s.fresh(sub), s.fresh(sub)
	s.get("/manage/"+token+"/erase").want(200).has("cannot be undone", "anna@example.org")
	s.post("/manage/"+token+"/erase", nil).want(422).has("Please tick the box")
	if got := s.subscriber("anna@example.org"); got.ID != sub.ID {
		t.Fatal("erased without a tick")
	}
	s.post("/manage/"+token+"/erase", url.Values{"sure": {"1"}}).want(200).has("It is erased")
	for _, token := range []string{token, other, s.link(newsletter.PurposeManage, sub, s.daily)} {
		s.get("/manage/" + token).want(404)
		s.post("/manage/"+token+"/erase", url.Values{"sure": {"1"}}).want(404)
	}
	s.get("/unsubscribe/" + s.link(newsletter.PurposeUnsubscribe, sub, s.daily)).want(200).has("We know nobody any more")
	s.post("/link", url.Values{"email": {"anna@example.org"}}).want(303)
	if mails := s.linkMails(); len(mails) != 0 {
		t.Errorf("mails: %+v", mails)
	}
	if strings.Contains(s.log.String(), token) {
		t.Error("the token is in the log")
	}
}
