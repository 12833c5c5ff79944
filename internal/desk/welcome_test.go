package desk_test

import (
	"io"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/readers"
	"broadsheet/templates"
)

// welcomed is a newsroom with the service of its readers.
type welcomed struct {
	*newsroomtest.Newsroom
	*readers.Service
	t       *testing.T
	signups int64
}

func newWelcomed(t *testing.T) (*welcomed, newsletter.Newsletter) {
	t.Helper()
	r, n := newsroomWith(t, 1)
	fsys, err := templates.FS("")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := templates.Mail(fsys)
	if err != nil {
		t.Fatal(err)
	}
	on := true
	if n, err = r.Desk.EditNewsletter(t.Context(), "daily-news", desk.NewsletterEdit{Welcome: &on}); err != nil || !n.Welcome {
		t.Fatal(n.Welcome, err)
	}
	return &welcomed{Newsroom: r, t: t, Service: readers.New(r.Store, readers.Options{
		BaseURL: "https://news.example.org", Keys: r.Keys, Suppression: r.Barred, Templates: digest.Templates(sources), Now: r.Clock.Now,
	})}, n
}

// join signs somebody up and confirms it, and then once more.
func (w *welcomed) join(email string) {
	w.t.Helper()
	origin := newsletter.Origin{Channel: "form", IP: "192.0.2.1"}
	if _, err := w.SignUp(w.t.Context(), readers.SignUp{Email: email, Newsletters: []string{"daily-news"}, Origin: origin}); err != nil {
		w.t.Fatal(err)
	}
	w.signups++
	su, err := w.Store.FindSignUp(w.t.Context(), w.signups)
	if err != nil {
		w.t.Fatal(err)
	}
	for range 2 {
		if _, err := w.Confirm(w.t.Context(), w.Keys.Confirmation(su.ID, su.Nonce), "en", newsletter.Origin{Channel: "link"}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// welcomes begins and composes the mails of welcome that wait, and returns the last one and how many
// there were.
func (w *welcomed) welcomes() (header mail.Header, text string, n int) {
	w.t.Helper()
	due, err := w.Store.DueMails(w.t.Context(), w.Clock.Now(), 100)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, m := range due {
		if m.Kind != newsletter.MailWelcome {
			continue
		}
		if m, err = w.Store.BeginMail(w.t.Context(), m.ID, w.Clock.Now()); newsletter.KindOf(err) == newsletter.Conflict {
			continue
		}
		from, _, data, err := w.Compose(w.t.Context(), m)
		if err != nil || from != "news@example.org" {
			w.t.Fatal(from, err)
		}
		parsed, err := mail.ReadMessage(strings.NewReader(string(data)))
		if err != nil {
			w.t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(parsed.Body)) // the marks between its parts do no harm
		if err != nil {
			w.t.Fatal(err)
		}
		header, text, n = parsed.Header, string(body), n+1
		if err := w.Store.FinishMail(w.t.Context(), m.ID, newsletter.Outcome{State: newsletter.Accepted, Code: 250}, time.Time{}, w.Clock.Now()); err != nil {
			w.t.Fatal(err)
		}
	}
	return header, text, n
}

func TestWelcome_HasTheHeadlinesThatTheFirstDigestDoesNotHave(t *testing.T) {
	t.Parallel()
	w, _ := newWelcomed(t)
	w.join("early@example.org")
	header, text, n := w.welcomes()
	if n != 1 || strings.Contains(text, "Harbour") || !strings.Contains(text, "Your first edition: ") {
		t.Fatalf("%d mails before there was an edition: %s", n, text)
	}
	if header.Get("Subject") != "Welcome to Daily News" || header.Get("List-Unsubscribe-Post") == "" || !strings.Contains(text, "https://news.example.org/manage/") {
		t.Errorf("header %v, text %s", header, text)
	}
	e, _ := w.Send("daily-news")
	w.Clock.Add(time.Hour)
	w.join("vera@example.org")
	if _, text, n = w.welcomes(); n != 1 || !strings.Contains(text, "Harbour opens a second gate") || !strings.Contains(text, "Ferry fares frozen") {
		t.Fatalf("%d mails: %s", n, text)
	}
	if !strings.Contains(text, "https://news.example.org/archive/daily-news/1") || e.ID != 1 {
		t.Errorf("no link to edition %d: %s", e.ID, text)
	}
	w.Clock.Add(time.Hour)
	w.Feed.Publish("A third story", w.Clock.Now())
	w.Send("daily-news")
	for _, m := range w.SMTP.Messages() {
		if m.To == "vera@example.org" && (strings.Contains(string(m.Data), "Harbour") || strings.Contains(string(m.Data), "Ferry")) {
			t.Errorf("the first digest has what the welcome had: %s", m.Data)
		}
	}
	if got := w.Received()["vera@example.org"]; got != 1 {
		t.Errorf("%d digests", got)
	}
}

func TestWelcome_OnlyToWhoWantsItStill(t *testing.T) {
	t.Parallel()
	w, n := newWelcomed(t)
	w.Send("daily-news")
	w.Clock.Add(time.Hour)
	leave := func(email string) {
		sub, err := w.Store.SubscriberByKey(t.Context(), email)
		if err == nil {
			err = w.Store.Leave(t.Context(), newsletter.Link{SubscriberID: sub.ID, NewsletterID: n.ID}, newsletter.Origin{Channel: "link"}, w.Clock.Now())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w.join("gone@example.org")
	leave("gone@example.org")
	if _, _, n := w.welcomes(); n != 0 {
		t.Errorf("%d welcomes to who has left", n)
	}
	w.join("back@example.org")
	if _, _, n := w.welcomes(); n != 1 {
		t.Errorf("%d welcomes", n)
	}
	leave("back@example.org")
	w.Clock.Add(2 * time.Hour)
	w.join("back@example.org")
	if _, _, n := w.welcomes(); n != 0 {
		t.Errorf("%d welcomes to who came back within a day", n)
	}
	if _, err := w.Desk.Withdraw(t.Context(), 1, 0); err != nil {
		t.Fatal(err)
	}
	w.join("late@example.org")
	if _, text, n := w.welcomes(); n != 1 || strings.Contains(text, "Harbour") || !strings.Contains(text, "Ferry") {
		t.Errorf("%d welcomes, and the story that was withdrawn is in: %s", n, text)
	}
	off := false
	if n, err := w.Desk.EditNewsletter(t.Context(), "daily-news", desk.NewsletterEdit{Welcome: &off}); err != nil || n.Welcome {
		t.Fatal(n.Welcome, err)
	}
	w.join("plain@example.org")
	if _, _, n := w.welcomes(); n != 0 {
		t.Errorf("%d welcomes where there are none", n)
	}
}
