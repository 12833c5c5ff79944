package web

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// The standings that an address can have with us, as a stranger might like to know them; the first
// is nobody's.
const (
	stranger   = "a stranger"
	again      = "another stranger" // the same thing measured twice, to know what chance does
	late       = "a stranger, late" // and with a difference, to know that it would be seen
	active     = "active"
	pending    = "pending"
	left       = "left"
	bounced    = "bounced"
	complained = "complained"
	erased     = "erased"
)

func standings() []string {
	return []string{stranger, again, late, active, pending, left, bounced, complained, erased}
}

// address is the i-th of a standing, all of one length.
func addressOf(standing string, i int) string {
	n := slices.Index(standings(), standing)
	return fmt.Sprintf("reader-%d-%06d@example.org", n, i)
}

// people makes so many addresses of each standing known to the site.
func (s *site) people(from, to int) {
	s.t.Helper()
	check := func(err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatal(err)
		}
	}
	ctx, staff := s.t.Context(), newsletter.Origin{Channel: "command", Actor: "staff", Note: "a test"}
	for i := from; i < to; i++ {
		for _, standing := range []string{active, left, bounced, complained, erased} {
			email := addressOf(standing, i)
			_, err := s.readers.Add(ctx, readers.Added{Email: email, Newsletters: []string{"daily-news"}}, staff)
			check(err)
			switch standing {
			case left:
				_, err = s.readers.Remove(ctx, email, "", staff)
			case bounced:
				_, _, err = s.readers.Suppress(ctx, email, "hard_bounce", staff)
			case complained:
				_, _, err = s.readers.Suppress(ctx, email, "complaint", staff)
			case erased:
				_, err = s.readers.Erase(ctx, email, staff)
			}
			check(err)
		}
		s.probe(signUpRoutes()[0], addressOf(pending, i), -i-1)
	}
}

// probed is a way to ask about an address.
type probed struct {
	name    string
	request func(email string) *http.Request
}

func signUpRoutes() []probed {
	form := func(target, kind string, body func(string) string) func(string) *http.Request {
		return func(email string) *http.Request {
			r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body(email)))
			r.Header.Set("Content-Type", kind)
			return r
		}
	}
	return []probed{
		{"the form", form("/subscribe", "application/x-www-form-urlencoded", func(email string) string {
			return "newsletter=daily-news&email=" + strings.ReplaceAll(email, "@", "%40")
		})},
		{"the frame", form("/embed/daily-news", "application/x-www-form-urlencoded", func(email string) string {
			return "email=" + strings.ReplaceAll(email, "@", "%40")
		})},
		{"the API", form("/api/v1/subscribe", "application/json", func(email string) string {
			return `{"newsletters":["daily-news"],"email":"` + email + `"}`
		})},
	}
}

// probe asks from a network of its own, and returns the answer without the address and the time it took.
func (s *site) probe(p probed, email string, n int) (string, time.Duration) {
	s.t.Helper()
	r := p.request(email)
	r.RemoteAddr = fmt.Sprintf("[2001:db8:%x:%x::1]:4711", uint32(n)>>16, n&0xffff)
	w := httptest.NewRecorder()
	start := time.Now()
	s.server.Config.Handler.ServeHTTP(w, r)
	took := time.Since(start)
	if w.Code >= 400 {
		s.t.Fatalf("%s: status %d\n%s", p.name, w.Code, w.Body)
	}
	var b strings.Builder
	fmt.Fprintln(&b, w.Code)
	if err := w.Header().Write(&b); err != nil {
		s.t.Fatal(err)
	}
	return strings.ReplaceAll(b.String()+w.Body.String(), email, "ADDRESS"), took
}

// S27: what is answered tells nothing about an address.
func TestEnumeration_AnswersTellNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.people(0, 1)
	s.wait(31 * 24 * time.Hour)
	for n, p := range signUpRoutes() {
		want, _ := s.probe(p, addressOf(stranger, n), 100*n)
		for i, standing := range standings() {
			for turn := range 2 { // the second time is within the hour in which no mail goes out
				if got, _ := s.probe(p, addressOf(standing, 0), 100*n+10*i+turn+1); got != want {
					t.Errorf("%s, %s:\n%s\na stranger:\n%s", p.name, standing, got, want)
				}
			}
		}
		s.wait(31 * 24 * time.Hour)
	}
	// Nor do links that are not ours say whether there is such a reader, nor the API without a token.
	sub := s.subscriber(addressOf(active, 0))
	for _, path := range []string{"/manage/", "/unsubscribe/", "/confirm/"} {
		var answers []string
		for _, id := range []int64{sub.ID, 4711} {
			token := []byte(s.keys.Sign(newsletter.PurposeManage, newsletter.Link{SubscriberID: id, NewsletterID: s.daily.ID, EditionID: 1}))
			token[len(token)-3] ^= 1
			a := s.get(path + string(token)).want(http.StatusNotFound)
			answers = append(answers, a.body)
		}
		if strings.ReplaceAll(answers[0], "x", "") != strings.ReplaceAll(answers[1], "x", "") {
			t.Errorf("%s: forged links of a reader and of nobody get\n%s\n%s", path, answers[0], answers[1])
		}
	}
	known, unknown := s.get(fmt.Sprintf("/api/v1/subscribers/%d", sub.ID)).want(401), s.get("/api/v1/subscribers/4711").want(401)
	if known.body != unknown.body {
		t.Errorf("%s\n%s", known.body, unknown.body)
	}
}

// awake has the site wait without sleeping: a timer comes late by more than is looked for here.
func (s *site) awake() {
	a, err := newApp(s.options)
	if err != nil {
		s.t.Fatal(err)
	}
	a.step = 2 * time.Millisecond // for the test's time
	a.sleep = func(_ context.Context, d time.Duration) {
		for start := time.Now(); time.Since(start) < d; {
		}
	}
	s.server.Config.Handler = a.echo()
}

// shift is by how much one thing takes longer than another, and how sure that is.
type shift struct{ low, mid, high float64 }

// shiftOf compares times that were taken in pairs, next to each other, so that what slows the machine
// down slows down both. The median does not mind the few that took long; its bounds hold in 999 of
// 1,000 runs, whatever the times are distributed like.
func shiftOf(a, b []float64) shift {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	slices.Sort(d)
	n := float64(len(d))
	reach := 3.29 * math.Sqrt(n) / 2
	at := func(rank float64) float64 { return d[min(max(int(rank), 0), len(d)-1)] }
	return shift{at(n/2 - reach), at(n / 2), at(n/2 + reach)}
}

// S27: nor does how long it takes. Times are compared with those of the same run alone: a stranger is
// asked for twice, to see what chance does, and once with a delay, to see that a difference of that
// size would be found. A standing fails if it is surely told from a stranger by more than half of it.
func TestEnumeration_TimesTellNothing(t *testing.T) {
	t.Parallel()
	const (
		delay = 50 * time.Microsecond
		turns = 25 // in a round
		least = 4  // rounds
		most  = 40
	)
	for _, p := range signUpRoutes() {
		t.Run(p.name, func(t *testing.T) { // one after the other: they keep a processor busy
			s := newSite(t)
			s.people(0, turns)
			s.awake()
			times := map[string][]float64{}
			shifts := map[string]shift{}
			for round := 0; round < least || round < most && max(shifts[again].high-shifts[again].mid, shifts[again].mid-shifts[again].low) > delay.Seconds(); round++ {
				s.wait(31 * 24 * time.Hour) // an address is asked about as if for the first time
				s.round(p, turns, round, delay, times)
				for _, standing := range standings()[1:] {
					shifts[standing] = shiftOf(times[standing], times[stranger])
				}
			}
			bound := (shifts[late].mid - shifts[again].mid) / 2
			if bound < delay.Seconds()/4 || shifts[late].high < bound {
				t.Errorf("a delay of %s is not found: the machine is too busy, or the test is broken", delay)
			}
			for _, standing := range standings()[1:] {
				if told := shifts[standing].low > bound || shifts[standing].high < -bound; told && standing != late {
					t.Errorf("who is %s is told from a stranger by %.0f µs, between %.0f and %.0f", standing, 1e6*shifts[standing].mid, 1e6*shifts[standing].low, 1e6*shifts[standing].high)
				}
				t.Logf("%s: %.0f µs, between %.0f and %.0f, by %d", standing, 1e6*shifts[standing].mid, 1e6*shifts[standing].low, 1e6*shifts[standing].high, len(times[standing]))
			}
		})
	}
}

// round asks about an address of each standing by turns, each time in another order.
func (s *site) round(p probed, turns, round int, delay time.Duration, times map[string][]float64) {
	s.t.Helper()
	for i := range turns {
		order := standings()
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for k, standing := range order {
			n := (round*turns+i)*len(order) + k
			email := addressOf(standing, i)
			if standing == stranger || standing == again || standing == late {
				email = addressOf(standing, turns+n) // new each time
			}
			_, took := s.probe(p, email, n)
			if standing == late {
				took += delay
			}
			times[standing] = append(times[standing], took.Seconds())
		}
	}
}
