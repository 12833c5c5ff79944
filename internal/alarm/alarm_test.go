package alarm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/smtptest"
	"broadsheet/internal/store"
)

// room is a database, a relay, a web server that is called, and a watch on a clock that the
// test sets.
type room struct {
	t     *testing.T
	store *store.Store
	smtp  *smtptest.Server
	web   *httptest.Server
	log   *bytes.Buffer
	watch *Watch
	wrong []newsletter.Alarm
	err   error
	now   time.Time

	mu     sync.Mutex
	calls  []call
	pings  int
	status int // that the web server answers
}

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{t: t, log: &bytes.Buffer{}, now: time.Date(2026, 11, 20, 7, 30, 0, 0, time.UTC), status: http.StatusOK}
	var err error
	if r.store, err = store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), store.CreateIfMissing); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.store.Close() })
	if r.smtp, err = smtptest.Start(smtptest.Options{Pipelining: true, EnhancedStatusCodes: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.smtp.Close() })
	r.web = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.web.Close)
	r.restart()
	return r
}

func (r *room) serve(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if req.URL.Path == "/elsewhere" {
		r.t.Error("a redirect was followed")
	}
	if req.URL.Path == "/beat" {
		if req.Method != http.MethodGet {
			r.t.Errorf("a heartbeat by %s", req.Method)
		}
		if r.status == http.StatusOK {
			r.pings++
		}
	}
	if r.status != http.StatusOK {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(r.status)
		return
	}
	if req.Method == http.MethodPost {
		var c call
		if err := json.NewDecoder(req.Body).Decode(&c); err != nil {
			r.t.Error(err)
		}
		r.calls = append(r.calls, c)
	}
}

func (r *room) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// restart makes a new watch, as another process has one.
func (r *room) restart() {
	r.t.Helper()
	transport, err := mail.ParseTransport(r.smtp.URL(), mail.Options{Timeouts: MailTimeouts()})
	if err != nil {
		r.t.Fatal(err)
	}
	clock := func() time.Time { return r.now }
	r.watch = NewWatch(Options{
		Look:  func(context.Context) ([]newsletter.Alarm, error) { return r.wrong, r.err },
		Store: r.store, Now: clock, Logger: slog.New(slog.NewTextHandler(r.log, nil)),
		Mail: &Mail{Relays: []mail.Transport{transport}, To: "staff@example.org", Service: "https://letters.example.org", Now: clock,
			From: func(context.Context) (newsletter.Address, error) {
				return newsletter.Address{Name: "Broadsheet", Email: "hello@example.org"}, nil
			}},
		Hook: &Hook{URL: r.web.URL + "/s3cret", Service: "https://letters.example.org", Version: "v1", Client: NewClient()},
	})
}

// rounds lets the watch look n times, half a minute apart.
func (r *room) rounds(n int) {
	r.t.Helper()
	for range n {
		r.now = r.now.Add(30 * time.Second)
		if err := r.watch.Round(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
	}
}

// told checks what the channels were told so far: subjects of mails, and calls as
// "firing late daily-news".
func (r *room) told(mails []string, calls ...string) {
	r.t.Helper()
	var subjects []string
	for _, m := range r.smtp.Messages() {
		_, after, _ := strings.Cut(string(m.Data), "\r\nSubject: ")
		line, _, _ := strings.Cut(strings.ReplaceAll(after, "\r\n ", " "), "\r\n")
		subjects = append(subjects, line)
		if m.To != "staff@example.org" || m.From != "hello@example.org" {
			r.t.Errorf("a mail from %s to %s", m.From, m.To)
		}
	}
	if fmt.Sprint(subjects) != fmt.Sprint(mails) {
		r.t.Errorf("mails\n%q, want\n%q", subjects, mails)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var made []string
	for _, c := range r.calls {
		made = append(made, c.State+" "+c.Kind+" "+c.Subject)
	}
	if fmt.Sprint(made) != fmt.Sprint(calls) {
		r.t.Errorf("calls\n%q, want\n%q", made, calls)
	}
}

func late() newsletter.Alarm {
	return newsletter.Alarm{
		Kind: newsletter.AlarmLate, Subject: "daily-news/daily", What: "the daily edition is not built", Do: "look",
		Since: time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC),
	}
}

func paused(id int) newsletter.Alarm {
	return newsletter.Alarm{Kind: newsletter.AlarmPaused, Subject: fmt.Sprintf("edition/%d", id), What: "it is paused"}
}

const (
	lateSubject = "Broadsheet: the daily edition is not built, since Fri 20 Nov 07:00 UTC; look"
	lateOver    = "Broadsheet, over: the daily edition is not built, since Fri 20 Nov 07:00 UTC; look"
)

func TestWatch_TellsOnceAndOnceMoreWhenItIsOver(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.rounds(3)
	r.told(nil)
	r.wrong = []newsletter.Alarm{late()}
	r.rounds(1)
	r.told(nil) // it may pass
	r.rounds(1)
	r.told([]string{lateSubject}, "firing late daily-news/daily")
	if open := r.watch.Open(); len(open) != 1 || open[0].Kind != newsletter.AlarmLate {
		t.Errorf("open: %v", open)
	}
	r.rounds(20)
	r.told([]string{lateSubject}, "firing late daily-news/daily")
	r.wrong = nil
	r.rounds(1)
	r.told([]string{lateSubject}, "firing late daily-news/daily") // it may come back
	r.rounds(1)
	r.told([]string{lateSubject, lateOver}, "firing late daily-news/daily", "resolved late daily-news/daily")
	r.rounds(20)
	r.told([]string{lateSubject, lateOver}, "firing late daily-news/daily", "resolved late daily-news/daily")
	if c := r.calls[1]; c.Until == nil || !c.Until.After(c.Since) || c.Severity != "error" || c.Version != "v1" || c.Service != "https://letters.example.org" {
		t.Errorf("the call: %+v", c)
	}
	if left, err := r.store.UnsettledAlarms(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("left on record: %v, %v", left, err)
	}
	if log := r.log.String(); strings.Count(log, "level=ERROR msg=alarm ") != 1 || strings.Count(log, `msg="alarm over"`) != 1 {
		t.Errorf("the log: %s", log)
	}
}

func TestWatch_FlappingIsNotToldAgainAndAgain(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	for range 10 { // wrong in every other round: a moment each
		r.wrong = []newsletter.Alarm{late()}
		r.rounds(1)
		r.wrong = nil
		r.rounds(1)
	}
	r.told(nil)
	r.wrong = []newsletter.Alarm{late()}
	r.rounds(2)
	for range 10 { // gone for a moment each
		r.wrong = nil
		r.rounds(1)
		r.wrong = []newsletter.Alarm{late()}
		r.rounds(1)
	}
	r.told([]string{lateSubject}, "firing late daily-news/daily")
	r.wrong = nil
	r.rounds(2)
	r.wrong = []newsletter.Alarm{late()}
	r.rounds(2) // a new one
	r.told([]string{lateSubject, lateOver, lateSubject}, "firing late daily-news/daily", "resolved late daily-news/daily", "firing late daily-news/daily")
}

func TestWatch_ARestartNeitherRepeatsNorForgets(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.wrong = []newsletter.Alarm{late()}
	r.rounds(2)
	r.restart()
	r.rounds(3)
	r.told([]string{lateSubject}, "firing late daily-news/daily")
	r.restart()
	r.wrong = nil
	r.answer(http.StatusInternalServerError)
	r.rounds(2)
	r.told([]string{lateSubject, lateOver}, "firing late daily-news/daily")
	r.restart() // the hook is still to be told that it is over
	r.answer(http.StatusOK)
	r.rounds(1)
	r.told([]string{lateSubject, lateOver}, "firing late daily-news/daily", "resolved late daily-news/daily")
}

func TestWatch_ABrokenRelayDoesNotSilenceTheHook(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]smtptest.Fault{
		"down":    {At: smtptest.AtConnect, Action: smtptest.HangUp},
		"refused": {At: smtptest.AtRcpt, Reply: "550 5.1.1 <staff@example.org> is nobody"},
		"later":   {At: smtptest.AtDot, Reply: "451 4.3.0 later"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.smtp.SetFaults(fault)
			r.wrong = []newsletter.Alarm{late()}
			r.rounds(3)
			r.told(nil, "firing late daily-news/daily")
			if log := r.log.String(); !strings.Contains(log, "channel=mail") || strings.Contains(log, "staff@") {
				t.Errorf("the log: %s", log)
			}
			r.smtp.SetFaults()
			r.rounds(10) // the pauses grow
			r.told([]string{lateSubject}, "firing late daily-news/daily")
		})
	}
}

// What is wrong may well be the first relay: mail about it goes by the next one.
func TestMail_GoesByTheNextRelay(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]smtptest.Fault{
		"refused":  {At: smtptest.AtMail, Reply: "550 5.7.1 not from you"},
		"no hello": {At: smtptest.AtConnect, Action: smtptest.HangUp},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			first, err := smtptest.Start(smtptest.Options{Faults: []smtptest.Fault{fault}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = first.Close() })
			broken, err := mail.ParseTransport(first.URL(), mail.Options{Timeouts: MailTimeouts()})
			if err != nil {
				t.Fatal(err)
			}
			m := r.watch.mail.channel.(*Mail)
			m.Relays = append([]mail.Transport{broken}, m.Relays...)
			r.wrong = []newsletter.Alarm{late()}
			r.rounds(2)
			if n := len(r.smtp.Messages()); n != 1 {
				t.Errorf("the second relay got %d mails", n)
			}
		})
	}
}

func TestWatch_ABrokenHookDoesNotSilenceMail(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusInternalServerError, http.StatusNotFound, http.StatusFound} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			r := newRoom(t)
			r.answer(status)
			r.wrong = []newsletter.Alarm{late()}
			r.rounds(3)
			r.told([]string{lateSubject})
			if log := r.log.String(); !strings.Contains(log, fmt.Sprintf("status %d", status)) || strings.Contains(log, "s3cret") {
				t.Errorf("the log: %s", log)
			}
			r.answer(http.StatusOK)
			r.rounds(10)
			r.told([]string{lateSubject}, "firing late daily-news/daily")
		})
	}
}

// The address of a hook holds a secret, and Go's errors quote the address.
func TestHook_NobodyReadsItsAddressInTheLog(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.web.Close()
	r.wrong = []newsletter.Alarm{late()}
	r.rounds(2)
	if log := r.log.String(); !strings.Contains(log, `channel="web hook"`) || strings.Contains(log, "s3cret") {
		t.Errorf("the log: %s", log)
	}
}

func TestWatch_WhatEndsBeforeItIsToldIsToldAsOver(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.smtp.SetFaults(smtptest.Fault{At: smtptest.AtConnect, Action: smtptest.HangUp})
	r.wrong = []newsletter.Alarm{late()}
	r.rounds(2)
	r.wrong = nil
	r.rounds(2)
	r.smtp.SetFaults()
	r.rounds(10)
	r.told([]string{lateOver}, "firing late daily-news/daily", "resolved late daily-news/daily")
}

func TestWatch_SeveralAtOnceAreOneMail(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.wrong = []newsletter.Alarm{late(), paused(1), paused(2)}
	r.rounds(2)
	r.wrong = []newsletter.Alarm{late(), paused(3)}
	r.rounds(2)
	r.told([]string{"Broadsheet: 3 things are wrong", "Broadsheet: 1 wrong, 2 over"},
		"firing late daily-news/daily", "firing paused edition/1", "firing paused edition/2",
		"resolved paused edition/1", "resolved paused edition/2", "firing paused edition/3")
	text := string(r.smtp.Messages()[0].Data)
	for _, want := range []string{"it is paused, since Fri 20 Nov 07:31 UTC", "https://letters.example.org", "You are told once", "Auto-Submitted: auto-generated"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if problems := r.smtp.ProtocolErrors(); len(problems) > 0 {
		t.Errorf("against the protocol: %v", problems)
	}
}

func TestWatch_TellsNoAddressOfAReader(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	a := paused(1)
	a.What = "smtp://news@relay.example.org:587 paused: 550 <anna@example.net>: no, not anna@example.net\r\nBcc: x@example.net \u202e" + newsletter.PlaceUnsubscribe +
		strings.Replace(newsletter.PlaceManage, "personal", "personal\u200b", 1) + strings.Repeat(" and so on", 100)
	r.wrong = []newsletter.Alarm{a}
	r.rounds(2)
	all := r.log.String() + r.calls[0].Text + string(r.smtp.Messages()[0].Data)
	if !strings.Contains(r.calls[0].Text, a.Do) {
		t.Errorf("it does not say what to do: %s", r.calls[0].Text)
	}
	if strings.Contains(all, "example.net") || !strings.Contains(all, "smtp://news@relay.example.org:587 paused") || !strings.Contains(all, "550 <(address)>: no, not (address) Bcc: (address)") {
		t.Errorf("told: %s", all)
	}
}

func TestWatch_ThatNobodyCanLookIsAnAlarm(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.wrong = []newsletter.Alarm{paused(1)}
	r.rounds(2)
	r.err = errors.New("disk I/O error")
	r.wrong = nil
	r.rounds(5) // what was wrong is not over because nobody can look
	r.err, r.wrong = nil, []newsletter.Alarm{paused(1)}
	r.rounds(2)
	var calls []string
	for _, c := range r.calls {
		calls = append(calls, c.State+" "+c.Kind)
	}
	if got := strings.Join(calls, ", "); got != "firing paused, firing database, resolved database" {
		t.Errorf("calls: %s", got)
	}
}

// failingStore keeps nothing, as on a full disk.
type failingStore struct{ *store.Store }

func (failingStore) SaveAlarm(context.Context, newsletter.RaisedAlarm) (int64, error) {
	return 0, errors.New("disk is full")
}

func TestWatch_TellsOnceWithoutARecord(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	r.watch.o.Store = failingStore{r.store}
	r.wrong = []newsletter.Alarm{late()}
	r.rounds(5)
	r.told([]string{lateSubject}, "firing late daily-news/daily")
	r.watch.o.Store = r.store
	r.rounds(1) // there is room again
	r.restart()
	r.rounds(3)
	r.told([]string{lateSubject}, "firing late daily-news/daily")
}

func (r *room) heartbeat(handled *time.Time) *Heartbeat {
	return &Heartbeat{
		URL: r.web.URL + "/beat", Version: "v1", Client: NewClient(), Marks: r.store, Now: func() time.Time { return r.now },
		Handled: func(context.Context) (time.Time, error) { return *handled, nil }, Logger: slog.New(slog.NewTextHandler(r.log, nil)),
	}
}

func TestHeartbeat_OnceForEachSlotThatWasHandled(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	handled := r.now.Add(-time.Hour)
	h := r.heartbeat(&handled)
	beats := func(n, want int) {
		t.Helper()
		for range n {
			r.now = r.now.Add(10 * time.Second)
			if err := h.Beat(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if r.pings != want {
			t.Errorf("%d heartbeats, want %d", r.pings, want)
		}
	}
	beats(3, 0) // that was before anybody asked
	handled = r.now
	beats(5, 1)
	h = r.heartbeat(&handled) // a restart
	beats(5, 1)
	handled = r.now
	r.answer(http.StatusInternalServerError)
	beats(3, 1)
	r.answer(http.StatusOK)
	beats(10, 2)
	if strings.Contains(r.log.String(), "/beat") {
		t.Errorf("the log: %s", r.log)
	}
}
