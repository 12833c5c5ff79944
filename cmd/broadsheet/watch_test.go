package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
	"broadsheet/internal/store"
)

// monitor is a web server that staff are called on.
type monitor struct {
	*httptest.Server
	mu    sync.Mutex
	calls []string
	beats int
}

func newMonitor(t *testing.T) *monitor {
	m := &monitor{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if r.URL.Path == "/beat" {
			m.beats++
			return
		}
		var c struct{ State, Kind, Subject, Text string }
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
			t.Error(err)
		}
		m.calls = append(m.calls, c.State+" "+c.Kind+" "+c.Subject+": "+c.Text)
	}))
	t.Cleanup(m.Close)
	return m
}

// take returns what was called since it was last asked.
func (m *monitor) take() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	calls := m.calls
	m.calls = nil
	return calls
}

// watched is a service that does nothing but watch, on a clock that the test sets.
type watched struct {
	*services
	t     *testing.T
	clock time.Time
	watch *watch
	feed  *newsroomtest.Feed
}

func newWatched(t *testing.T, settings ...string) *watched {
	t.Helper()
	w := &watched{t: t, clock: newsroomtest.Start, feed: newsroomtest.NewFeed(t)}
	dir := t.TempDir()
	env := []string{
		settingPrefix + "DATABASE_URL=sqlite:" + filepath.Join(dir, "test.db"), settingPrefix + "SMTP_URL=outbox:" + filepath.Join(dir, "outbox"),
		settingPrefix + "ALLOW_PRIVATE_FEEDS=true",
	}
	for _, s := range settings {
		env = append(env, settingPrefix+s)
	}
	a := &app{env: env, stdout: io.Discard, stderr: io.Discard, now: func() time.Time { return w.clock }}
	var err error
	if w.services, err = a.open(t.Context(), store.CreateIfMissing); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	if _, err = w.openPress(); err != nil {
		t.Fatal(err)
	}
	w.restart()
	rule, err := newsletter.ParseRule("mon-fri 07:00")
	if err != nil {
		t.Fatal(err)
	}
	n, err := w.desk.CreateNewsletter(t.Context(), newsletter.Newsletter{
		Slug: "daily-news", Name: "Daily News", From: newsletter.Address{Email: "news@example.org"},
		PostalAddress: "1 Example Street", Language: "en", Zone: "Europe/London", MinArticles: 1, MaxArticles: 12, Status: newsletter.Open,
		Schedules: []newsletter.Schedule{{Cadence: newsletter.Daily, Slot: newsletter.MainSlot, Rule: rule}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.desk.AddSource(t.Context(), w.feed.URL, n.Slug, "Feed"); err != nil {
		t.Fatal(err)
	}
	_, err = w.store.AddSubscriptions(t.Context(), newsletter.Addition{
		Email: "r1@example.net", EmailKey: "r1@example.net", Suppression: w.suppression.Hashes("r1@example.net"),
		Choices: []newsletter.SignUpChoice{{NewsletterID: n.ID, Cadence: newsletter.Daily}},
		Origin:  newsletter.Origin{Channel: "staff", Actor: "test", Note: "test"},
	}, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// restart makes a new watch, as another process has one.
func (w *watched) restart() {
	w.t.Helper()
	if w.watch != nil {
		w.watch.close()
	}
	var err error
	if w.watch, err = newWatch(w.services, w.press); err != nil {
		w.t.Fatal(err)
	}
}

func (w *watched) rounds(n int) {
	w.t.Helper()
	for range n {
		w.clock = w.clock.Add(watchEvery)
		if err := w.watch.round(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		if w.watch.beat != nil {
			if err := w.watch.heartbeat(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

// slot lets the schedule look at a time of the newsroom's first day.
func (w *watched) slot(hour, minute int) {
	w.t.Helper()
	w.clock = time.Date(2026, 11, 20, hour, minute, 0, 0, time.UTC)
	if err := w.desk.RunSlots(w.t.Context(), newsletter.GraceTime); err != nil {
		w.t.Fatal(err)
	}
}

// outcome returns what status says about the last slot.
func (w *watched) outcome() string {
	w.t.Helper()
	s, err := w.desk.Status(w.t.Context(), w.store)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Slots[0].Last.Outcome()
}

func want(t *testing.T, got []string, prefixes ...string) {
	t.Helper()
	ok := len(got) == len(prefixes)
	for i := range got {
		ok = ok && strings.HasPrefix(got[i], prefixes[i])
	}
	if !ok {
		t.Errorf("calls\n%q, want\n%q", got, prefixes)
	}
}

func TestWatch_TellsOfARelayBeforeAnEditionIsDue(t *testing.T) {
	t.Parallel()
	smtp, err := smtptest.Start(smtptest.Options{Pipelining: true, User: "u", Password: "right"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = smtp.Close() })
	m := newMonitor(t)
	w := newWatched(t, "SMTP_URL="+smtp.URL(), "ALARM_URL="+m.URL, "STAFF_EMAIL=Desk <desk@example.org>", "CONFIRM_FROM=hello@example.org")
	w.rounds(3)
	want(t, m.take())
	smtp.SetFaults(smtptest.Fault{At: smtptest.AtAuth, Reply: "535 5.7.8 wrong password"})
	w.rounds(20)
	calls := m.take()
	want(t, calls, "firing relay_refusing relay/")
	if !strings.Contains(calls[0], "does not take mail") || !strings.Contains(calls[0], "535 5.7.8 wrong password") || strings.Contains(calls[0], "right") {
		t.Errorf("what is told: %s", calls[0])
	}
	w.restart()
	smtp.SetFaults()
	w.rounds(15)
	want(t, m.take(), "resolved relay_refusing relay/")
	got := smtp.Messages()
	if len(got) != 2 || got[0].To != "desk@example.org" || got[0].From != "hello@example.org" || !strings.Contains(string(got[1].Data), "This is over") {
		t.Errorf("%d mails", len(got))
	}
}

func TestWatch_NothingPublishedIsNoAlarmAndHandled(t *testing.T) {
	t.Parallel()
	m := newMonitor(t)
	w := newWatched(t, "ALARM_URL="+m.URL, "HEARTBEAT_URL="+m.URL+"/beat")
	w.rounds(1)
	w.slot(7, 0)
	w.rounds(20)
	want(t, m.take())
	if got := w.outcome(); got != "nothing was published" || m.beats != 1 {
		t.Errorf("it says %q, with %d heartbeats", got, m.beats)
	}
}

func TestWatch_NothingSentIsAnAlarmAndNotHandled(t *testing.T) {
	t.Parallel()
	m := newMonitor(t)
	w := newWatched(t, "ALARM_URL="+m.URL, "HEARTBEAT_URL="+m.URL+"/beat")
	w.rounds(1)
	w.feed.SetDown(true)
	w.slot(7, 0)
	w.rounds(12)
	want(t, m.take(), "firing late daily-news/daily: the daily edition of daily-news waits: nothing is new, and the source Feed does not answer, since Fri 20 Nov 07:00 GMT")
	w.slot(13, 1)
	w.rounds(2)
	want(t, m.take(), "resolved late daily-news/daily", "firing missed daily-news/daily/2026-11-20: the daily edition of daily-news of 2026-11-20 was given up: a source did not answer, and nothing was sent")
	if got := w.outcome(); got != "a source did not answer: nothing was sent" || m.beats != 0 {
		t.Errorf("it says %q, with %d heartbeats", got, m.beats)
	}
}

// An edition that is carried out is handled, one that is refused for everybody is not.
func TestWatch_AnEditionIsHandledWhenItArrives(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]bool{"accepted": false, "refused": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			smtp, err := smtptest.Start(smtptest.Options{Pipelining: true})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = smtp.Close() })
			m := newMonitor(t)
			w := newWatched(t, "SMTP_URL="+smtp.URL(), "ALARM_URL="+m.URL, "HEARTBEAT_URL="+m.URL+"/beat")
			w.rounds(1)
			if refused {
				smtp.SetFaults(smtptest.Fault{At: smtptest.AtRcpt, Reply: "550 5.1.1 <r1@example.net> is nobody"})
			}
			w.feed.Publish("Harbour opens", w.clock)
			w.slot(7, 0)
			if err := w.desk.Carry(t.Context(), 1, time.Second, nil); err != nil {
				t.Fatal(err)
			}
			w.rounds(3)
			if refused {
				want(t, m.take(), "firing refused edition/1: edition 1 of daily-news was refused for all of its 1 reader: nothing was sent")
			} else {
				want(t, m.take())
			}
			if want := map[bool]int{false: 1, true: 0}[refused]; m.beats != want {
				t.Errorf("%d heartbeats, want %d", m.beats, want)
			}
		})
	}
}

func TestWatch_AnEditionThatGetsNowhereIsStuck(t *testing.T) {
	t.Parallel()
	m := newMonitor(t)
	w := newWatched(t, "ALARM_URL="+m.URL)
	w.feed.Publish("Harbour opens", w.clock)
	role, err := w.store.TakeSender("test", w.clock) // and does nothing
	if err != nil || role == nil {
		t.Fatal(role, err)
	}
	w.slot(7, 0)
	w.rounds(15)
	want(t, m.take())
	w.rounds(10)
	want(t, m.take(), "firing stuck edition/1: edition 1 of daily-news gets nowhere: nothing is accepted, and 1 wait, since Fri 20 Nov 07:00 UTC")
	w.restart()
	w.rounds(10)
	want(t, m.take())
	if err := role.Close(); err != nil {
		t.Fatal(err)
	}
	w.rounds(3)
	want(t, m.take()) // it is the same thing, whoever does not send
	if err := w.desk.Carry(t.Context(), 1, time.Second, nil); err != nil {
		t.Fatal(err)
	}
	w.rounds(2)
	want(t, m.take(), "resolved stuck edition/1")
}

func TestWatch_OneProcessTells(t *testing.T) {
	t.Parallel()
	m := newMonitor(t)
	w := newWatched(t, "ALARM_URL="+m.URL, "SMTP_URL=smtp://127.0.0.1:1")
	other, err := newWatch(w.services, w.press)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		w.rounds(1)
		if err := other.round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want(t, m.take(), "firing relay_refusing relay/")
}

func TestMeters_ReadTheNewsroom(t *testing.T) {
	t.Parallel()
	w := newWatched(t, "SMTP_URL=smtp://127.0.0.1:1")
	w.feed.Publish("Harbour opens", w.clock)
	w.rounds(2)
	w.slot(7, 0)
	r, err := (&meters{services: w.services, alarms: w.watch.alarms.Open}).read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Alarms[newsletter.AlarmRelayRefusing] != 1 || r.Waiting != 1 || len(r.Editions) != 1 || r.Editions[0].Counts[newsletter.Waiting] != 1 ||
		r.Sources != 1 || len(r.Readers) != 1 || r.Readers[0].Counts[newsletter.Active] != 1 || r.Database == 0 || r.DiskFree == 0 ||
		!r.NextSlot.Equal(time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)) {
		t.Errorf("the reading: %+v", r)
	}
}
