package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

func relay(t *testing.T, o smtptest.Options) *smtptest.Server {
	t.Helper()
	s, err := smtptest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// The first relay goes down in the middle of an edition, the second takes over; the first is
// back, and the rest goes to it again.
func TestFaults_TheSecondRelayTakesOverUntilTheFirstIsBack(t *testing.T) {
	t.Parallel()
	for _, pipelined := range []bool{true, false} {
		t.Run(fmt.Sprintf("pipelined %v", pipelined), func(t *testing.T) {
			t.Parallel()
			first := relay(t, smtptest.Options{Pipelining: pipelined})
			second := relay(t, smtptest.Options{Pipelining: pipelined, Delay: 10 * time.Millisecond})
			r, _, _ := newsroom(t, newsroomtest.Options{Transport: first.URL() + "," + second.URL()}, 300)
			e := r.Begin("daily-news")
			first.SetFaults(smtptest.Fault{At: smtptest.AtDot, Skip: 20, Times: 4, Action: smtptest.Stall, Count: true})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			story := make(chan error, 1)
			go func() {
				err := first.WaitStalled(ctx, 4)
				err = errors.Join(err, first.Down(), second.WaitFor(ctx, 10), first.Up(), first.WaitFor(ctx, 40))
				story <- err
			}()
			_ = carryOn(ctx, t, r, e.ID, nil)
			if err := <-story; err != nil {
				t.Fatal(err)
			}
			tally := agree(t, r, e.ID, first, second)
			want(t, tally, "planned 300 accepted 300 refused 0 expired 0 in_doubt 0 withheld 0 waiting 0")
			if tally.Doubted != 4 {
				t.Errorf("%d doubted, want the 4 that were unanswered", tally.Doubted)
			}
			if n := len(second.Messages()); n > 200 {
				t.Errorf("the second relay got %d messages: it went on after the first was back", n)
			}
			toldOnce(t, r.Log.Told(), toldDown, toldFewer, toldDoubt)
			leftNothing(ctx, t, first, second)
		})
	}
}

func TestFaults_BothRelaysRefuse(t *testing.T) {
	t.Parallel()
	refuses := smtptest.Options{Faults: []smtptest.Fault{{At: smtptest.AtMail, Reply: "550 5.7.1 sender not allowed here"}}}
	first, second := relay(t, refuses), relay(t, refuses)
	r, _, _ := newsroom(t, newsroomtest.Options{Transport: first.URL() + "," + second.URL()}, 30)
	e := r.Begin("daily-news")
	err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil)
	paused, ok := errors.AsType[*delivery.PausedError](err)
	if !ok || !strings.Contains(paused.Reason, "550 5.7.1 sender not allowed here") {
		t.Fatalf("it ends with %v", err)
	}
	edition, tally := r.Tally(e.ID)
	want(t, tally, "planned 30 accepted 0 refused 0 expired 0 in_doubt 0 withheld 0 waiting 30")
	if edition.State != newsletter.EditionPaused || !strings.Contains(edition.Reason, "not allowed") {
		t.Errorf("the edition is %s: %s", edition.State, edition.Reason)
	}
	toldOnce(t, r.Log.Told(), toldDown) // of the first; what the last one says pauses the edition
	leftNothing(t.Context(), t, first, second)
	first.SetFaults()
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); err != nil {
		t.Fatal(err)
	}
	agree(t, r, e.ID, first, second)
}

// Connections, messages of a connection, its age and the rate are each kept: the relay would
// say 421 to what is too much.
func TestFaults_LimitsOfARelayAreKept(t *testing.T) {
	t.Parallel()
	const rate, readers = 60, 120
	s := relay(t, smtptest.Options{Pipelining: true, MaxConnections: 2, MaxMessages: 40})
	r, _, _ := newsroom(t, newsroomtest.Options{Transport: fmt.Sprintf("%s?connections=2&messages=40&rate=%d&age=1s", s.URL(), rate)}, readers)
	e := r.Begin("daily-news")
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); err != nil {
		t.Fatal(err)
	}
	want(t, agree(t, r, e.ID, s), fmt.Sprintf("planned %d accepted %[1]d refused 0 expired 0 in_doubt 0 withheld 0 waiting 0", readers))
	toldOnce(t, r.Log.Told())
	leftNothing(t.Context(), t, s)
	messages := s.Messages()
	if took := messages[readers-1].At.Sub(messages[0].At).Seconds(); took < 0.9*readers/rate {
		t.Errorf("%d messages took %.1f s, at %d a second", readers, took, rate)
	}
	began := map[int]time.Time{}
	for _, m := range messages {
		if began[m.Conn].IsZero() {
			began[m.Conn] = m.At
		}
		// One more may follow, and the machine may be busy.
		if age := m.At.Sub(began[m.Conn]); age > 3*time.Second {
			t.Errorf("connection %d was used for %s", m.Conn, age)
		}
	}
	if len(began) < 3 {
		t.Errorf("%d connections in all: none was given up for its age", len(began))
	}
}

// When the first relay refuses for good, the second is used, and the operator is told why.
func TestFaults_TheFirstRelayRefuses(t *testing.T) {
	t.Parallel()
	first := relay(t, smtptest.Options{User: "u", Password: "p", Faults: []smtptest.Fault{{At: smtptest.AtAuth, Reply: "535 5.7.8 wrong user or password"}}})
	second := relay(t, smtptest.Options{Pipelining: true})
	r, _, readers := newsroom(t, newsroomtest.Options{Transport: first.URL() + "," + second.URL()}, 40)
	e := r.Begin("daily-news")
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); err != nil {
		t.Fatal(err)
	}
	agree(t, r, e.ID, first, second)
	toldOnce(t, r.Log.Told(), toldDown+`.*`+regexp.QuoteMeta("535 5.7.8 wrong user or password"))
	if _, asked := first.Connections(); asked > 8 || len(second.Messages()) != len(readers) {
		t.Errorf("the first was asked %d times, the second took %d messages", asked, len(second.Messages()))
	}
	leftNothing(t.Context(), t, first, second)
}

// A relay that takes fewer connections than we would like is used with as many as it takes,
// at once: not with those that happened to be open when the first was refused.
func TestFaults_AsManyConnectionsAsTheRelayTakes(t *testing.T) {
	t.Parallel()
	s := relay(t, smtptest.Options{MaxConnections: 4, Delay: 5 * time.Millisecond})
	r, _, _ := newsroom(t, newsroomtest.Options{Transport: s.URL() + "?connections=12"}, 200)
	e := r.Begin("daily-news")
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); err != nil {
		t.Fatal(err)
	}
	agree(t, r, e.ID, s)
	last := map[int]bool{}
	for _, m := range s.Messages()[120:] {
		last[m.Conn] = true
	}
	if len(last) < 3 {
		t.Errorf("in the end %d connections are used, the relay takes 4", len(last))
	}
	toldOnce(t, r.Log.Told(), toldDown, toldFewer)
	leftNothing(t.Context(), t, s)
}

// A result is on record at once, also where the next message has to wait for its turn: a crash
// meanwhile must not make a doubt of it.
func TestFaults_AResultDoesNotWaitForTheRate(t *testing.T) {
	t.Parallel()
	server := relay(t, smtptest.Options{Pipelining: true})
	r, _, _ := newsroom(t, newsroomtest.Options{Transport: server.URL() + "?rate=0.01"}, 3)
	e := r.Begin("daily-news")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Desk.Carry(ctx, e.ID, time.Minute, nil) }()
	newsroomtest.Until(t.Context(), t, "the first result is on record, and nothing is being sent", func() bool {
		_, tally := r.Tally(e.ID)
		return tally.Counts[newsletter.Accepted] == 1 && tally.Counts[newsletter.Sending] == 0
	})
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}
