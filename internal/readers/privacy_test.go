package readers_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

func TestRecord_HasWordsShownAndMails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp("vera@example.org")
	w.confirm(w.token(w.deliver()[0]))
	r, err := w.Record(t.Context(), "vera@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.SignUps) != 1 || r.SignUps[0].ConfirmedAt.IsZero() || len(r.SignUps[0].Newsletters) != 1 {
		t.Errorf("sign-ups %+v", r.SignUps)
	}
	if len(r.Mails) != 1 || r.Mails[0].Kind != newsletter.MailConfirm {
		t.Errorf("mails %+v", r.Mails)
	}
	var page bytes.Buffer
	if err := r.WriteHTML(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<html lang="en">`, "vera@example.org", "confirmed it with the link in our mail", "I want to get", "2026-11"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page.String(), "<script") || strings.Contains(page.String(), "src=") {
		t.Error("the page needs something else")
	}
}

func TestProof_SaysHowConsentWasGivenAndWhoLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp("vera@example.org")
	w.confirm(w.token(w.deliver()[0]))
	w.leave("vera@example.org")
	p, err := w.Proof(t.Context(), "vera@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Consents) != 2 || p.Consents[1].Kind != newsletter.EventConfirmed || p.Consents[1].Words == "" {
		t.Errorf("consents %+v", p.Consents)
	}
	if len(p.Changes) != 1 || p.Changes[0].Kind != newsletter.EventLeft {
		t.Errorf("changes %+v", p.Changes)
	}
	var page bytes.Buffer
	if err := p.WriteHTML(&page); err != nil || !strings.Contains(page.String(), "I want to get") {
		t.Errorf("the page lacks the words: %v", err)
	}
}

// A proof is to be printed: the words stand there once, long lists have their beginning and end.
func TestProof_FitsOnPaper(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp("vera@example.org")
	w.confirm(w.token(w.deliver()[0]))
	for range 30 {
		w.wait(time.Hour)
		w.exec(`INSERT INTO subscription_events (subscriber_id, newsletter_id, kind, at, channel, words_id)
			SELECT subscriber_id, newsletter_id, 'undone', at + 1, 'link', words_id FROM subscription_events ORDER BY id DESC LIMIT 1`)
	}
	w.signUp("vera@example.org") // it is answered by a mail that asks for nothing
	w.deliver()
	p, err := w.Proof(t.Context(), "vera@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Shown) == 0 || p.WordsOf(p.Consents[1]) == 0 || len(p.Changes) != 0 {
		t.Errorf("%d words, %d changes", len(p.Shown), len(p.Changes))
	}
	if len(p.Mails) != 2 || len(p.Asked) != 1 || p.Asked[0].Kind != newsletter.MailConfirm {
		t.Errorf("%d mails, of which asked %+v", len(p.Mails), p.Asked)
	}
	var page bytes.Buffer
	if err := p.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(page.String(), p.Shown[0].Text[:20]); n != 1 {
		t.Errorf("the words stand there %d times", n)
	}
	if n := strings.Count(page.String(), "took leaving back"); n > 12 || !strings.Contains(page.String(), "more in between") {
		t.Errorf("of 30 events the page has %d", n)
	}
}

// Who was erased is not imported, links of before lead nowhere, and signing up again makes
// somebody new (S25, S26).
func TestErase_ThenSignsUpAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp("vera@example.org")
	w.confirm(w.token(w.deliver()[0]))
	before := w.subscriber("vera@example.org")
	link := w.unsubscribeToken(before, w.daily, 3)
	gone, err := w.Erase(t.Context(), "vera@example.org", newsletter.Origin{Actor: "cli:ada"})
	if err != nil || gone.SubscriberID != before.ID || gone.Traces {
		t.Fatalf("erased %+v, %v", gone, err)
	}
	if l, err := w.Leave(t.Context(), link, newsletter.Origin{Channel: "link"}); err != nil || !l.Nobody || l.Masked != "" {
		t.Errorf("the link of before: %v", err)
	}
	_, err = w.Add(t.Context(), readers.Added{Email: "vera@example.org", Newsletters: []string{w.daily.Slug}}, newsletter.Origin{Note: "a list"})
	if newsletter.ReasonOf(err) != "suppressed" {
		t.Errorf("staff add again: %v", err)
	}
	w.signUp("vera@example.org")
	w.confirm(w.token(w.deliver()[0]))
	after := w.subscriber("vera@example.org")
	if after.ID <= before.ID || w.states("vera@example.org") == "" {
		t.Errorf("the new subscriber is %+v", after)
	}
	if got := w.history("vera@example.org"); got != "requested confirmed" {
		t.Errorf("the history is %q", got)
	}
}

func TestForget_KeepsWhatIsNotOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp("never@example.org")
	w.deliver()
	w.signUp("vera@example.org")
	w.confirm(w.token(w.deliver()[0]))
	keep := readers.Keep{Clients: 400, Unconfirmed: 30, Mails: 90}
	w.wait(36 * 24 * time.Hour)
	if f, err := w.Forget(t.Context(), keep); f != (readers.Forgot{}) || err != nil {
		t.Errorf("after 36 days %+v, %v", f, err)
	}
	w.wait(2 * 24 * time.Hour)
	if f, err := w.Forget(t.Context(), keep); f.SignUps != 1 || f.People != 1 || err != nil {
		t.Errorf("after 38 days %+v, %v", f, err)
	}
	if w.count(`SELECT COUNT(*) FROM subscribers`) != 1 || w.count(`SELECT COUNT(*) FROM subscribers WHERE email_key = 'vera@example.org'`) != 1 {
		t.Error("the wrong people are gone")
	}
	w.wait(60 * 24 * time.Hour)
	if f, err := w.Forget(t.Context(), keep); f != (readers.Forgot{}) || err != nil {
		t.Errorf("after 98 days %+v, %v", f, err)
	}
	p, err := w.Proof(t.Context(), "vera@example.org")
	if err != nil || len(p.Asked) != 1 || p.Asked[0].State != newsletter.Accepted {
		t.Errorf("the mail that asked to confirm is gone: %+v, %v", p.Asked, err)
	}
	if f, err := w.Forget(t.Context(), readers.Keep{}); f != (readers.Forgot{}) || err != nil {
		t.Errorf("for ever %+v, %v", f, err)
	}
}

func TestForget_ErasesWhoLeftLongAgo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, email := range []string{"left@example.org", "stays@example.org", "back@example.org", "reads@example.org"} {
		w.signUp(email, "daily-news", "weekly")
		w.confirm(w.token(w.deliver()[0]))
	}
	w.leave("left@example.org")
	w.leave("reads@example.org")
	w.exec(`UPDATE subscriptions SET state = 'left', left_at = $1 WHERE subscriber_id = (SELECT id FROM subscribers WHERE email_key = 'left@example.org')`, w.clock().UnixMilli())
	w.leave("back@example.org")
	w.exec(`UPDATE subscriptions SET state = 'left', left_at = $1 WHERE subscriber_id = (SELECT id FROM subscribers WHERE email_key = 'back@example.org')`, w.clock().UnixMilli())
	keep := readers.Keep{Left: 100}
	w.wait(99 * 24 * time.Hour)
	w.signUp("back@example.org") // who is asked to confirm at this moment
	if f, err := w.Forget(t.Context(), keep); f.Left != 0 || err != nil {
		t.Errorf("after 99 days %+v, %v", f, err)
	}
	w.wait(2 * 24 * time.Hour)
	if f, err := w.Forget(t.Context(), keep); f.Left != 1 || err != nil {
		t.Errorf("after 101 days %+v, %v", f, err)
	}
	if w.count(`SELECT COUNT(*) FROM subscribers`) != 3 || w.count(`SELECT COUNT(*) FROM subscribers WHERE email_key = 'left@example.org'`) != 0 {
		t.Error("the wrong people are gone")
	}
	_, err := w.Add(t.Context(), readers.Added{Email: "left@example.org", Newsletters: []string{w.daily.Slug}}, newsletter.Origin{Note: "a list"})
	if newsletter.ReasonOf(err) != "suppressed" {
		t.Errorf("staff add who left and is gone: %v", err)
	}
	if f, err := w.Forget(t.Context(), keep); f != (readers.Forgot{}) || err != nil {
		t.Errorf("the second time %+v, %v", f, err)
	}
}
