package readers_test

import (
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

func (w *world) confirm(token string) readers.Confirmed {
	w.t.Helper()
	c, err := w.Confirm(w.t.Context(), token, "en", newsletter.Origin{Channel: "link"})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) leave(email string) string {
	w.t.Helper()
	token := w.unsubscribeToken(w.subscriber(email), w.daily, 3)
	l, err := w.Leave(w.t.Context(), token, newsletter.Origin{Channel: "one_click"})
	if err != nil || l.State != newsletter.Left {
		w.t.Fatalf("leave: %+v, %v", l, err)
	}
	return token
}

func TestConfirm_UsedTokenShowsTheStateAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp("a@example.org")
	token := w.token(w.deliver()[0])
	w.confirm(token)
	joined := w.subscriber("a@example.org").Subscriptions[0].JoinedAt
	w.wait(time.Hour)
	again := w.confirm(token)
	if again.State != readers.StateUsed || len(again.First) != 0 || again.Subscriptions[0].State != newsletter.Active {
		t.Errorf("%+v", again)
	}
	if got := w.subscriber("a@example.org").Subscriptions[0].JoinedAt; !got.Equal(joined) {
		t.Errorf("joined at %v, then %v", joined, got)
	}
	w.leave("a@example.org")
	w.wait(time.Hour)
	if c := w.confirm(token); c.State != readers.StateUsed || c.Subscriptions[0].State != newsletter.Left {
		t.Errorf("%+v", c)
	}
	if got := w.history("a@example.org"); got != "requested confirmed left" {
		t.Error(got)
	}
}

func TestConfirm_EarlierTokenStillWorks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp("a@example.org")
	first := w.token(w.deliver()[0])
	w.wait(2 * time.Hour)
	w.signUp("a@example.org")
	second := w.token(w.deliver()[0])
	if first == second {
		t.Fatal("two sign-ups have one token")
	}
	if c := w.confirm(first); len(c.First) != 1 {
		t.Errorf("%+v", c)
	}
	// The later one is not used, and confirms what is active already.
	if c := w.confirm(second); len(c.First) != 1 || c.Subscriptions[0].State != newsletter.Active {
		t.Errorf("%+v", c)
	}
}

func TestConfirm_OnlyASignUpAfterLeavingBringsBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp("a@example.org")
	first := w.token(w.deliver()[0])
	w.wait(2 * time.Hour)
	w.signUp("a@example.org")
	early := w.token(w.deliver()[0])
	w.confirm(first)
	w.wait(2 * time.Hour)
	w.leave("a@example.org")
	w.wait(time.Second)
	if c := w.confirm(early); c.State != readers.StateUsed || c.Subscriptions[0].State != newsletter.Left {
		t.Errorf("a sign-up from before leaving: %+v", c)
	}
	w.signUp("a@example.org")
	if got := w.states("a@example.org"); got != "daily-news:left" {
		t.Errorf("not confirmed: %s", got)
	}
	late := w.token(w.deliver()[0])
	w.confirm(late)
	if got := w.states("a@example.org"); got != "daily-news:active" {
		t.Error(got)
	}
}

func TestConfirm_ExpiredTokenOffersAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp("a@example.org", "daily-news", "weekly")
	token := w.token(w.deliver()[0])
	w.wait(7*24*time.Hour - time.Millisecond)
	if c, err := w.Confirmation(t.Context(), token, "en"); err != nil || c.State != readers.StateOpen {
		t.Fatalf("%+v, %v", c, err)
	}
	w.wait(time.Millisecond)
	if c, err := w.Confirmation(t.Context(), token, "en"); err != nil || c.State != readers.StateExpired {
		t.Fatalf("%+v, %v", c, err)
	}
	_, err := w.Confirm(t.Context(), token, "en", newsletter.Origin{})
	wantKind(t, err, newsletter.Forbidden, "expired")
	for range 2 { // the second is within the cooldown, and is answered the same
		told, err := w.RenewConfirmation(t.Context(), token, from("192.0.2.1"))
		if err != nil || len(told.Newsletters) != 2 {
			t.Fatalf("%+v, %v", told, err)
		}
	}
	sent := w.deliver()
	if len(sent) != 1 {
		t.Fatalf("%d mails", len(sent))
	}
	w.confirm(w.token(sent[0]))
	if got := w.states("a@example.org"); got != "daily-news:active weekly:active" {
		t.Error(got)
	}
}

func TestConfirm_ForeignTokensAreNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sub := w.join("a@example.org")
	w.signUp("b@example.org")
	good := w.token(w.deliver()[0])
	tokens := []string{"", "x", good[:len(good)-1], good + "A", flip(good, len(good)-2), flip(good, 2), strings.Repeat("A", len(good)),
		w.unsubscribeToken(sub, w.daily, 1), w.keys.Confirmation(99, []byte("0123456789abcdef"))}
	for _, token := range tokens {
		if _, err := w.Confirmation(t.Context(), token, "en"); newsletter.KindOf(err) != newsletter.NotFound {
			t.Errorf("Confirmation(%q): %v", token, err)
		}
		if _, err := w.Confirm(t.Context(), token, "en", newsletter.Origin{}); newsletter.KindOf(err) != newsletter.NotFound {
			t.Errorf("Confirm(%q): %v", token, err)
		}
		if _, err := w.RenewConfirmation(t.Context(), token, newsletter.Origin{}); newsletter.KindOf(err) != newsletter.NotFound {
			t.Errorf("RenewConfirmation(%q): %v", token, err)
		}
	}
	manage := w.keys.Sign(newsletter.PurposeManage, newsletter.Link{SubscriberID: sub.ID, NewsletterID: w.daily.ID})
	for _, token := range []string{good, manage, flip(w.unsubscribeToken(sub, w.daily, 1), 3)} {
		if _, err := w.Leave(t.Context(), token, newsletter.Origin{}); newsletter.KindOf(err) != newsletter.NotFound {
			t.Errorf("Leave(%q): %v", token, err)
		}
	}
	for _, token := range []string{w.unsubscribeToken(sub, w.week, 1), w.unsubscribeToken(newsletter.Subscriber{ID: 999}, w.daily, 1)} { // ours, of nobody
		if l, err := w.Leave(t.Context(), token, newsletter.Origin{}); err != nil || !l.Nobody {
			t.Errorf("Leave(%q): %+v, %v", token, l, err)
		}
	}
	if _, err := w.Manage(t.Context(), w.unsubscribeToken(sub, w.daily, 1)); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("Manage with an unsubscribe token: %v", err)
	}
}

// flip changes one character of a token.
func flip(token string, i int) string {
	c := byte('A')
	if token[i] == c {
		c = 'B'
	}
	return token[:i] + string(c) + token[i+1:]
}

func TestConfirm_ClosedNewsletter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp("a@example.org")
	token := w.token(w.deliver()[0])
	w.exec(`UPDATE newsletters SET status = 'closed'`)
	_, err := w.Confirm(t.Context(), token, "en", newsletter.Origin{})
	wantKind(t, err, newsletter.Conflict, "")
}

// S26: what lifts a suppression.
func TestSuppression_IsLiftedOnlyByTheRightHand(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reason newsletter.SuppressionReason
		lifted bool
	}{
		{newsletter.SuppressedLeft, true},
		{newsletter.SuppressedErased, true},
		{newsletter.SuppressedHardBounce, true},
		{newsletter.SuppressedComplaint, false},
		{"something newer", false},
	} {
		t.Run(string(c.reason), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			const email = "a@example.org"
			w.suppress(email, c.reason)
			_, err := w.Add(t.Context(), readers.Added{Email: email, Newsletters: []string{"daily-news"}}, newsletter.Origin{Note: "phone call"})
			wantKind(t, err, newsletter.Forbidden, "suppressed")
			res, err := w.Import(t.Context(), strings.NewReader("email\n"+email+"\n"), readers.ImportOptions{Newsletter: "daily-news", Consent: "shop"})
			if err != nil || res.Rejected != 1 {
				t.Fatalf("import: %+v, %v", res, err)
			}
			w.signUp(email)
			sent := w.deliver()
			if !c.lifted {
				if len(sent) != 0 {
					t.Fatal("a mail was sent")
				}
				return
			}
			if len(sent) != 1 {
				t.Fatalf("%d mails", len(sent))
			}
			for range 14 { // one mail in 30 days, however often the form is filled in
				w.wait(2 * 24 * time.Hour)
				w.signUp(email)
				if more := w.deliver(); len(more) != 0 {
					t.Fatal("a second mail was sent within 30 days")
				}
			}
			w.wait(3 * 24 * time.Hour)
			w.signUp(email)
			sent = w.deliver()
			if len(sent) != 1 {
				t.Fatalf("%d mails after 30 days", len(sent))
			}
			if n := w.count(`SELECT COUNT(*) FROM suppressions`); n != 1 {
				t.Error("lifted before the mail was answered")
			}
			w.confirm(w.token(sent[0]))
			if n := w.count(`SELECT COUNT(*) FROM suppressions`); n != 0 {
				t.Error("not lifted")
			}
			if got := w.states(email); got != "daily-news:active" {
				t.Error(got)
			}
		})
	}
}

func TestSuppression_ComplaintAfterTheMailRefusesTheConfirmation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp("a@example.org")
	token := w.token(w.deliver()[0])
	w.suppress("a@example.org", newsletter.SuppressedComplaint)
	_, err := w.Confirm(t.Context(), token, "en", newsletter.Origin{})
	wantKind(t, err, newsletter.Forbidden, "suppressed")
	if got := w.states("a@example.org"); got != "daily-news:pending" {
		t.Error(got)
	}
}

func TestConfirm_LeavesOutWhatWasClosedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp("a@example.org", "daily-news", "weekly")
	w.signUp("late@example.org", "daily-news", "weekly")
	sent := w.deliver()
	token, late := w.token(sent[0]), w.token(sent[1])
	w.exec(`UPDATE newsletters SET status = 'closed' WHERE slug = 'daily-news'`)
	c, err := w.Confirmation(t.Context(), token, "en")
	if err != nil || len(c.Choices) != 1 || c.Choices[0].Newsletter.Slug != "weekly" || strings.Contains(c.Words.Text, "Daily News") {
		t.Errorf("%+v, %v", c, err)
	}
	done := w.confirm(token)
	if len(done.First) != 1 || done.First[0].Newsletter.Slug != "weekly" {
		t.Errorf("%+v", done.First)
	}
	if got := w.states("a@example.org"); got != "daily-news:pending weekly:active" {
		t.Error(got)
	}
	if got := w.history("a@example.org"); got != "requested requested confirmed" {
		t.Error(got)
	}
	// A new link is for what is left of it.
	w.wait(8 * 24 * time.Hour)
	told, err := w.RenewConfirmation(t.Context(), late, from("192.0.2.1"))
	if err != nil || len(told.Newsletters) != 1 || told.Newsletters[0].Slug != "weekly" {
		t.Errorf("%+v, %v", told, err)
	}
	w.exec(`UPDATE newsletters SET status = 'closed'`)
	_, err = w.Confirmation(t.Context(), late, "en")
	wantKind(t, err, newsletter.Conflict, "")
	_, err = w.Confirm(t.Context(), late, "en", newsletter.Origin{})
	wantKind(t, err, newsletter.Conflict, "")
	_, err = w.RenewConfirmation(t.Context(), late, from("192.0.2.1"))
	wantKind(t, err, newsletter.Conflict, "")
	// Who confirmed before sees how things stand.
	if c, err := w.Confirmation(t.Context(), token, "en"); err != nil || c.State != readers.StateUsed || len(c.Subscriptions) != 2 {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestConfirm_RecordsTheWordsInTheLanguageThatWasShown: only in one that there is, whatever the form says.
func TestConfirm_RecordsTheWordsInTheLanguageThatWasShown(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"de": "Ich möchte Daily News von Example News per E-Mail bekommen.", "de-AT": "Ich möchte Daily News", "cy": "Rwyf am gael Daily News",
		"": "I want to get Daily News from Example News by e-mail.", "xx": "I want to get", "../../etc/passwd": "I want to get", "en": "I want to get",
	} {
		w := newWorld(t)
		w.signUp("a@example.org")
		token := w.token(w.deliver()[0])
		c, err := w.Confirmation(t.Context(), token, said)
		if err != nil || !strings.HasPrefix(c.Words.Text, want) {
			t.Errorf("%q: shown %q, %v", said, c.Words.Text, err)
		}
		if _, err := w.Confirm(t.Context(), token, said, newsletter.Origin{}); err != nil {
			t.Fatal(err)
		}
		_, events, err := w.Subscriber(t.Context(), "a@example.org")
		if err != nil || events[len(events)-1].Words != c.Words.Text {
			t.Errorf("%q: recorded %q, shown %q (%v)", said, events[len(events)-1].Words, c.Words.Text, err)
		}
	}
}
