package readers_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/mail"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

func TestSignUp_ConfirmedReaderIsActiveAndToldTheFirstEdition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	told := w.signUp("Vera@Example.ORG")
	if told.Email != "Vera@example.org" || told.From.Email != "subscribe@example.org" {
		t.Errorf("told %+v", told)
	}
	sent := w.deliver()
	if len(sent) != 1 || sent[0].Kind != newsletter.MailConfirm {
		t.Fatalf("sent %+v", sent)
	}
	token := w.token(sent[0])
	c, err := w.Confirmation(t.Context(), token, "en")
	if err != nil {
		t.Fatal(err)
	}
	if c.State != readers.StateOpen || c.Masked != "V…@example.org" || len(c.Choices) != 1 || !strings.Contains(c.Words.Text, "Daily News") {
		t.Errorf("confirmation %+v", c)
	}
	if got := w.states("vera@example.org"); got != "daily-news:pending" {
		t.Errorf("after looking: %s, but GET changes nothing (S22)", got)
	}
	done, err := w.Confirm(t.Context(), token, "en", newsletter.Origin{Channel: "link", IP: "198.51.100.7"})
	if err != nil {
		t.Fatal(err)
	}
	if len(done.First) != 1 || done.First[0].ByHand || !done.First[0].Due.At.Equal(time.Date(2026, 11, 24, 7, 0, 0, 0, time.UTC)) {
		t.Errorf("first edition %+v", done.First)
	}
	if _, err := w.Manage(t.Context(), done.ManageToken); err != nil {
		t.Errorf("manage token: %v", err)
	}
	if got := w.states("vera@example.org"); got != "daily-news:active" {
		t.Error(got)
	}
	_, events, err := w.Subscriber(t.Context(), "vera@example.org")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ kind, ip, channel string }{{"requested", "192.0.2.1", "form"}, {"confirmed", "198.51.100.7", "link"}} {
		e := events[i]
		if string(e.Kind) != want.kind || e.IP != want.ip || e.Channel != want.channel || e.Page != "https://example.org/article" ||
			e.Placement != "column" {
			t.Errorf("proof of consent (S24) %+v", e)
		}
		// Which words stood beside a form is not known: only beside the button of our own page.
		if shown := want.kind == "confirmed"; strings.Contains(e.Words, "Daily News") != shown || (e.Words != "") != shown || (e.WordsVersion != "") != shown {
			t.Errorf("%s: words %q, version %q", e.Kind, e.Words, e.WordsVersion)
		}
	}
}

func TestSignUp_FirstEditionSkipsSlotsThatAreTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`INSERT INTO editions (newsletter_id, cadence, local_date, slot, state, reason, due_at, as_of, created_at, expires_at)
		VALUES ($1, 'daily', '2026-11-24', 'main', 'skipped', 'staff', 0, 0, 0, 0)`, w.daily.ID)
	w.signUp("a@example.org")
	done, err := w.Confirm(t.Context(), w.token(w.deliver()[0]), "en", newsletter.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	if got := done.First[0].Due.Date.String(); got != "2026-11-25" {
		t.Errorf("first edition on %s", got)
	}
}

func TestSignUp_NamesEveryWrongField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.SignUp(t.Context(), readers.SignUp{
		Email: "nobody", Name: strings.Repeat("x", 101), Newsletters: []string{"daily-news", "no-such"}, Cadence: "hourly",
		Sections: []string{"nonsense"}, TimeZone: "Mars/Olympus", Origin: newsletter.Origin{Page: "javascript:alert(1)"},
	})
	e, ok := errors.AsType[*newsletter.Error](err)
	if !ok || e.Kind != newsletter.Invalid {
		t.Fatalf("error %v", err)
	}
	var names []string
	for _, f := range e.Fields {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "email name time_zone page newsletter cadence section" {
		t.Errorf("fields %s", got)
	}
	if n := w.count(`SELECT COUNT(*) FROM subscribers`); n != 0 {
		t.Errorf("%d subscribers recorded", n)
	}
}

func TestSignUp_ClosedNewsletterTakesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE newsletters SET status = 'closed' WHERE slug = 'weekly'`)
	_, err := w.SignUp(t.Context(), readers.SignUp{Email: "a@example.org", Newsletters: []string{"weekly"}})
	wantKind(t, err, newsletter.Conflict, "")
	// The only open one need not be named.
	s, err := w.SignUp(t.Context(), readers.SignUp{Email: "a@example.org"})
	if err != nil || s.Newsletters[0].Slug != "daily-news" {
		t.Errorf("%+v, %v", s, err)
	}
}

// What people give us, they give to somebody who says who they are and what becomes of it.
func TestSignUp_NewsletterThatMayNotMailTakesNobody(t *testing.T) {
	t.Parallel()
	for _, lacks := range []string{"privacy_url", "legal_footer"} {
		w := newWorld(t)
		w.exec(`UPDATE newsletters SET ` + lacks + ` = '' WHERE slug = 'weekly'`)
		_, err := w.SignUp(t.Context(), readers.SignUp{Email: "a@example.org", Newsletters: []string{"daily-news", "weekly"}})
		wantKind(t, err, newsletter.Conflict, "")
		if list, err := w.Newsletters(t.Context()); err != nil || len(list) != 1 || list[0].Slug != "daily-news" {
			t.Errorf("%s: %d are offered, %v", lacks, len(list), err)
		}
	}
}

func TestSignUp_ChoosesCadenceAndSectionsWhereTheyAreOffered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ai := w.section(w.daily, "AI", "ai")
	w.section(w.daily, "Retail", "retail")
	_, err := w.SignUp(t.Context(), readers.SignUp{
		Email: "a@example.org", Newsletters: []string{"daily-news", "weekly", "weekly"}, Cadence: "weekly", Sections: []string{"ai"},
	})
	if err != nil {
		t.Fatal(err)
	}
	subs := w.subscriber("a@example.org").Subscriptions
	if len(subs) != 2 || subs[0].Cadence != newsletter.Daily || subs[0].Sections != newsletter.Mask(0).With(ai) ||
		subs[1].Cadence != newsletter.Weekly || subs[1].Sections != 0 {
		t.Errorf("%+v", subs)
	}
}

// S27: nothing that the person at the form sees depends on whether the address is known.
func TestSignUp_AnswersTheSameForKnownAndUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("known@example.org")
	w.join("gone@example.org")
	gone := w.subscriber("gone@example.org")
	if _, err := w.Leave(t.Context(), w.unsubscribeToken(gone, w.daily, 1), newsletter.Origin{}); err != nil {
		t.Fatal(err)
	}
	w.suppress("bad@example.org", newsletter.SuppressedComplaint)
	want := w.signUp("unknown@example.org")
	want.Email = ""
	for _, email := range []string{"known@example.org", "gone@example.org", "bad@example.org", "unknown@example.org"} {
		got := w.signUp(email)
		got.Email = ""
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is told %+v, others %+v", email, got, want)
		}
	}
}

func TestSignUp_KnownReaderGetsTheOtherMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("known@example.org")
	w.wait(2 * time.Hour)
	w.signUp("known@example.org")
	sent := w.deliver()
	if len(sent) != 1 || sent[0].Kind != newsletter.MailAlready {
		t.Fatalf("sent %+v", sent)
	}
	m, err := w.Manage(t.Context(), w.token(sent[0]))
	if err != nil || len(m.Subscriptions) != 1 || m.Subscriptions[0].NewsletterSlug != "daily-news" {
		t.Errorf("%+v, %v", m, err)
	}
	// One that they do not have yet makes it a confirmation, and leaves the other alone.
	before := w.subscriber("known@example.org").Subscriptions[0]
	w.wait(2 * time.Hour)
	sub := w.join("known@example.org", "daily-news", "weekly")
	if got := w.states("known@example.org"); got != "daily-news:active weekly:active" {
		t.Error(got)
	}
	if sub.Subscriptions[0] != before {
		t.Errorf("the active subscription changed from %+v to %+v", before, sub.Subscriptions[0])
	}
}

// S28: a form must not become a mail bomb.
func TestSignUp_SendsOneMailAnHourAndThreeADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var sent []string
	for minute := 0; minute < 30*60; minute += 20 {
		w.signUp("victim@example.org")
		for range w.deliver() {
			sent = append(sent, fmt.Sprintf("%d:%02d", minute/60, minute%60))
		}
		w.wait(20 * time.Minute)
	}
	if got := strings.Join(sent, " "); got != "0:00 1:00 2:00 24:00 25:00 26:00" {
		t.Errorf("mails at %s", got)
	}
}

func TestSignUp_OtherNewsletterWithinTheHourIsConfirmedByALaterMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp("eager@example.org", "daily-news")
	first := w.deliver()
	w.wait(5 * time.Minute)
	w.signUp("eager@example.org", "weekly")
	w.signUp("eager@example.org", "weekly")
	w.signUp("eager@example.org", "daily-news", "weekly")
	if again := w.deliver(); len(first) != 1 || len(again) != 0 {
		t.Fatalf("sent %d and %d mails within the hour", len(first), len(again))
	}
	w.wait(56 * time.Minute)
	later := w.deliver()
	if len(later) != 1 {
		t.Fatalf("sent %d mails after the hour", len(later))
	}
	if _, err := w.Confirm(t.Context(), w.token(later[0]), "en", newsletter.Origin{}); err != nil {
		t.Fatal(err)
	}
	if got := w.states("eager@example.org"); got != "daily-news:active weekly:active" {
		t.Error(got)
	}
}

// choose signs up for the daily with these sections.
func (w *world) choose(email string, sections ...string) {
	w.t.Helper()
	_, err := w.SignUp(w.t.Context(), readers.SignUp{Email: email, Newsletters: []string{"daily-news"}, Sections: sections, Origin: from("192.0.2.1")})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestSignUp_CorrectedChoiceIsConfirmedByALaterMail(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"later", "earlier, later", "later, earlier", "earlier, change, later"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ai, retail := w.section(w.daily, "AI", "ai"), w.section(w.daily, "Retail", "retail")
			const email = "eager@example.org"
			sections := func() newsletter.Mask { return w.subscriber(email).Subscriptions[0].Sections }
			w.choose(email)
			earlier := w.token(w.deliver()[0])
			w.wait(5 * time.Minute)
			w.choose(email, "ai")
			w.wait(time.Minute)
			w.choose(email, "retail")
			if sent := w.deliver(); len(sent) != 0 || sections() != newsletter.Mask(0).With(retail) {
				t.Errorf("%d mails within the hour, pending with %b", len(sent), sections())
			}
			w.wait(time.Hour)
			sent := w.deliver()
			if len(sent) != 1 {
				t.Fatalf("%d mails after the hour", len(sent))
			}
			later, want := w.token(sent[0]), newsletter.Mask(0).With(retail)
			for step := range strings.SplitSeq(order, ", ") {
				w.wait(time.Minute)
				switch step {
				case "earlier":
					w.confirm(earlier)
				case "later":
					w.confirm(later)
				case "change":
					sub := w.subscriber(email)
					token := w.keys.Sign(newsletter.PurposeManage, newsletter.Link{SubscriberID: sub.ID, NewsletterID: w.daily.ID})
					if _, err := w.ChangeSubscription(t.Context(), token, readers.Change{Newsletter: "daily-news", Sections: []string{"ai"}}, newsletter.Origin{}); err != nil {
						t.Fatal(err)
					}
					want = newsletter.Mask(0).With(ai)
				}
			}
			if sections() != want {
				t.Errorf("active with %b, want %b", sections(), want)
			}
		})
	}
}

func TestSignUp_PendingShowsNoChoiceThatNoMailConfirms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ai := w.section(w.daily, "AI", "ai")
	for range newsletter.MailsPerDay {
		w.choose("eager@example.org", "ai")
		w.deliver()
		w.wait(2 * time.Hour)
	}
	w.choose("eager@example.org")
	if sub := w.subscriber("eager@example.org").Subscriptions[0]; sub.Sections != newsletter.Mask(0).With(ai) {
		t.Errorf("pending with %b, but no mail can confirm that", sub.Sections)
	}
}

// TestSignUp_SlowLane: past what a client or its network may at full speed, sign-ups are taken and
// their mails go out one after the other; past its bound they are refused, and waiting helps (S28).
func TestSignUp_SlowLane(t *testing.T) {
	t.Parallel()
	v4, v6 := func(int) string { return "192.0.2.9" }, fmt.Sprintf
	for _, c := range []struct {
		name   string
		ip     func(i int) string
		full   int // of these buckets, all that go at full speed were there before
		bucket string
		delay  time.Duration // of the next one's mail; negative: it is refused
	}{
		{"one address", v4, 59, "client:192.0.2.9", 0},
		{"one address, one more", v4, 60, "client:192.0.2.9", 5 * time.Second},
		{"one address in another form", func(int) string { return "::ffff:192.0.2.9" }, 69, "client:192.0.2.9", 50 * time.Second},
		{"one address, its bound", v4, 999, "client:192.0.2.9", 940 * 5 * time.Second},
		{"one address, past its bound", v4, 1000, "client:192.0.2.9", -1},
		{"another address of the network", func(int) string { return "192.0.2.10" }, 1000, "client:192.0.2.9", 0},
		{"a network", v4, 310, "network:192.0.2.0/24", 11 * time.Second},
		{"a network, past its bound", v4, 10_000, "network:192.0.2.0/24", -1},
		{"one household of IPv6", func(i int) string { return v6("2001:db8:0:1::%x", i+1) }, 60, "client:2001:db8:0:1::/64", 5 * time.Second},
		{"another household of IPv6", func(i int) string { return v6("2001:db8:0:2::%x", i+1) }, 60, "client:2001:db8:0:1::/64", 0},
		{"a network of IPv6", func(int) string { return "2001:db8:0:9::1" }, 300, "network:2001:db8::/48", time.Second},
		{"no address", func(int) string { return "" }, 60, "client:unknown", 5 * time.Second},
		{"one newsletter", v4, 2000, "sign-ups:weekly/full", 50 * time.Millisecond},
		{"everybody", v4, 5019, "sign-ups/full", time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.exec(`INSERT INTO rate_counters (bucket, window_at, count) VALUES ($1, $2, $3)`, c.bucket, w.clock().Add(-10*time.Minute).Truncate(5*time.Minute).UnixMilli(), c.full)
			try := func(i int) error {
				_, err := w.SignUp(t.Context(), readers.SignUp{Email: fmt.Sprintf("r%d@example.org", i), Newsletters: []string{"weekly"}, Origin: from(c.ip(i))})
				return err
			}
			err := try(0)
			if c.delay < 0 {
				wantKind(t, err, newsletter.RateLimited, "too_many_sign_ups")
				e, _ := errors.AsType[*newsletter.Error](err)
				if e.RetryAfter < 1 || e.RetryAfter > 3900 {
					t.Errorf("retry after %d s", e.RetryAfter)
				}
				if n := w.count(`SELECT COUNT(*) FROM subscribers`) + w.count(`SELECT COUNT(*) FROM rate_counters WHERE bucket = 'sign-ups'`); n != 0 {
					t.Errorf("%d rows of what was refused", n)
				}
				w.wait(time.Duration(e.RetryAfter) * time.Second)
				if err = try(0); err != nil {
					t.Errorf("after waiting as told: %v", err)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			if at, want := w.count(`SELECT MAX(not_before) FROM mails`), int(w.clock().Add(max(c.delay, 0)).UnixMilli()); at != want {
				t.Errorf("the mail goes out %v later than it should", time.Duration(at-want)*time.Millisecond)
			}
			if life := w.count(`SELECT expires_at FROM signups`) - w.count(`SELECT MAX(not_before) FROM mails`); time.Duration(life)*time.Millisecond != newsletter.SignUpValid {
				t.Errorf("its link works for %d ms", life)
			}
			w.wait(3 * time.Hour)
			if err := w.Prune(t.Context(), w.clock()); err != nil {
				t.Fatal(err)
			}
			if n := w.count(`SELECT COUNT(*) FROM rate_counters`); n != 0 {
				t.Errorf("%d counters left", n)
			}
		})
	}
}

func TestSignUp_ManyAtOnceMakeOneReaderAndOneMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			_, err := w.SignUp(t.Context(), readers.SignUp{
				Email: []string{"same@example.org", "Same@Example.org"}[i%2], Newsletters: []string{"daily-news"}, Origin: from(fmt.Sprintf("192.0.2.%d", i)),
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := w.count(`SELECT COUNT(*) FROM subscribers`); n != 1 {
		t.Errorf("%d subscribers", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM mails`); n != 1 {
		t.Errorf("%d mails", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM signups`); n != 200 {
		t.Errorf("%d sign-ups on record", n)
	}
}

// Only the form whose mail is answered says who the reader is: anybody can fill in a form.
func TestSignUp_StrangerCannotNameAReader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := func(email, name, zone string) {
		t.Helper()
		_, err := w.SignUp(t.Context(), readers.SignUp{Email: email, Name: name, TimeZone: zone, Newsletters: []string{"daily-news"}, Origin: from("192.0.2.66")})
		if err != nil {
			t.Fatal(err)
		}
	}
	form("vera@example.org", "  Vera \u202eO. ", "Europe/Vienna")
	hers := w.deliver()[0]
	form("VERA@example.org", "Buy pills", "Asia/Tokyo")
	if sub := w.subscriber("vera@example.org"); sub.Email != "vera@example.org" || sub.Name != "" || sub.TimeZone != "" {
		t.Errorf("before any mail is answered: %+v", sub)
	}
	w.confirm(w.token(hers))
	form("VERA@example.org", "Buy pills", "Asia/Tokyo")
	if sub := w.subscriber("vera@example.org"); sub.Email != "vera@example.org" || sub.Name != "Vera O." || sub.TimeZone != "Europe/Vienna" {
		t.Errorf("%+v", sub)
	}
}

func TestSignUp_ConfirmedFormSaysWhoTheReaderIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.SignUp(t.Context(), readers.SignUp{Email: "VERA@example.org", Name: "Buy pills", Newsletters: []string{"daily-news"}}); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	w.wait(2 * time.Hour)
	if _, err := w.SignUp(t.Context(), readers.SignUp{Email: "Vera@example.org", Name: "Vera", TimeZone: "Europe/Vienna", Newsletters: []string{"daily-news"}}); err != nil {
		t.Fatal(err)
	}
	token := w.token(w.deliver()[0])
	w.wait(8 * 24 * time.Hour)
	if _, err := w.RenewConfirmation(t.Context(), token, from("192.0.2.1")); err != nil {
		t.Fatal(err)
	}
	w.confirm(w.token(w.deliver()[0]))
	if sub := w.subscriber("vera@example.org"); sub.Email != "Vera@example.org" || sub.Name != "Vera" || sub.TimeZone != "Europe/Vienna" {
		t.Errorf("%+v", sub)
	}
}

// Whatever order the form names them in, and however the catalogue sorts them, the mail
// comes from whom and with what the page said.
func TestSignUp_TellsTheSenderAndSubjectThatTheMailHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// By name it is the first, by id the last.
	w.newsletter("arts", "Arts", "arts@arts.example", newsletter.Weekly, "fri 08:00")
	for i, slugs := range [][]string{{"arts", "daily-news"}, {"daily-news", "arts"}} {
		told := w.signUp(fmt.Sprintf("r%d@example.org", i), slugs...)
		expected, err := w.Expect(t.Context(), slugs)
		if err != nil || expected.From != told.From || expected.Subject != told.Subject {
			t.Errorf("expected %+v (%v), told %+v", expected, err, told)
		}
		m := w.deliver()[0]
		msg, err := mail.ReadMessage(bytes.NewReader(m.data))
		if err != nil {
			t.Fatal(err)
		}
		if got := msg.Header.Get("Subject"); got != told.Subject || m.from != told.From.Email {
			t.Errorf("%v: told %s, %q; the mail is from %s, %q", slugs, told.From.Email, told.Subject, m.from, got)
		}
	}
}

// S29, and what else the mail must be.
func TestCompose_SaysNothingThatTheFormSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := from("192.0.2.1")
	o.Page, o.Placement, o.UserAgent = "https://evil.example/pills", "evil-placement", "evil-agent"
	_, err := w.SignUp(t.Context(), readers.SignUp{Email: "a@example.org", Name: "Evil Name", Newsletters: []string{"daily-news", "weekly"}, Origin: o})
	if err != nil {
		t.Fatal(err)
	}
	told, err := w.Expect(t.Context(), []string{"daily-news", "weekly"})
	if err != nil {
		t.Fatal(err)
	}
	m := w.deliver()[0]
	if strings.Contains(strings.ToLower(string(m.data)), "evil") {
		t.Errorf("the mail says what the form said:\n%s", m.data)
	}
	again, _, data, err := w.Compose(t.Context(), m.Mail)
	if err != nil || again != m.from || !bytes.Equal(data, m.data) {
		t.Errorf("composed twice it differs (%v)", err)
	}
	msg, err := mail.ReadMessage(bytes.NewReader(m.data))
	if err != nil {
		t.Fatal(err)
	}
	h := msg.Header
	if h.Get("Subject") != told.Subject || !strings.Contains(h.Get("From"), told.From.Email) || h.Get("Auto-Submitted") != "auto-generated" ||
		h.Get("List-Unsubscribe") != "" || h.Get("Precedence") != "" || !strings.HasSuffix(h.Get("Message-Id"), "@example.org>") {
		t.Errorf("header %v, told %+v", h, told)
	}
	text := w.text(m)
	for _, want := range []string{"Daily News", "The Week", "a@example.org", "7 days"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestCompose_IsFromAnAddressThatNoDigestIsFrom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ set, want newsletter.Address }{
		{newsletter.Address{}, newsletter.Address{Name: "Daily News", Email: "subscribe@example.org"}}, // The Week is from confirm@
		{newsletter.Address{Email: "hello@example.net"}, newsletter.Address{Name: "Example News", Email: "hello@example.net"}},
		{newsletter.Address{Name: "Hello", Email: "hello@example.net"}, newsletter.Address{Name: "Hello", Email: "hello@example.net"}},
	} {
		s := readers.New(w.store, readers.Options{BaseURL: "https://x.example", Keys: w.keys, Suppression: w.supp, Templates: mailTemplates(t), Now: w.clock, ConfirmFrom: c.set})
		told, err := s.SignUp(t.Context(), readers.SignUp{Email: "a@example.org", Newsletters: []string{"daily-news"}})
		if err != nil || told.From != c.want {
			t.Errorf("from %v, %v; want %v", told.From, err, c.want)
		}
	}
}

func TestCompose_IsFromAnAddressThatNoDigestIsFrom_HoweverManyAreTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	taken := []string{"confirm@example.org"} // The Week
	for i, want := range []string{"subscribe@example.org", "hello@example.org", "signup@example.org", "welcome@example.org", "confirm5@example.org"} {
		told, err := w.Expect(t.Context(), []string{"daily-news"})
		if err != nil || told.From.Email != want {
			t.Errorf("%v are taken: from %s, %v; want %s", taken, told.From.Email, err, want)
		}
		w.newsletter(fmt.Sprintf("more-%d", i), "More", strings.ToUpper(want), newsletter.Weekly, "fri 08:00")
		taken = append(taken, want)
	}
}
