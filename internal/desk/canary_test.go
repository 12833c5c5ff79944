package desk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
	"broadsheet/internal/store"
)

// canaryRoom is a newsroom with 300 readers, an edition of two stories with a canary of 5 %, and
// the addresses that are in it.
func canaryRoom(t *testing.T, o newsroomtest.Options) (*newsroomtest.Newsroom, newsletter.Edition, []string) {
	t.Helper()
	r := newsroomtest.New(t, o)
	r.Feed.Publish("Harbour opens a second gate", newsroomtest.Start.Add(-2*time.Hour))
	n := r.Newsletter("daily-news", nil)
	sample := r.Keys.CanarySample(0.05)
	var first []string
	for i := range 300 {
		address := fmt.Sprintf("r%d@example.org", i)
		if sample.Has(r.Reader(n, address, newsletter.Daily, 0)) {
			first = append(first, address)
		}
	}
	return r, canaryEdition(t, r), first
}

func canaryEdition(t *testing.T, r *newsroomtest.Newsroom) newsletter.Edition {
	t.Helper()
	draft, err := r.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: "daily-news", Canary: &newsletter.Canary{Share: 0.05, Hold: 10 * time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.Desk.Start(t.Context(), draft, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// gotEach checks that just these have one more message than before.
func gotEach(t *testing.T, r *newsroomtest.Newsroom, each int, want []string) {
	t.Helper()
	received := r.Received()
	if len(received) != len(want) {
		t.Errorf("%d got it, want %d", len(received), len(want))
	}
	for _, address := range want {
		if received[address] != each {
			t.Errorf("%s got it %d times", address, received[address])
		}
	}
}

// holds carries the edition until its rest waits.
func holds(t *testing.T, r *newsroomtest.Newsroom, id int64) {
	t.Helper()
	err := r.Desk.Carry(t.Context(), id, time.Minute, nil)
	unfinished, ok := errors.AsType[*delivery.UnfinishedError](err)
	if !ok || !unfinished.Canary || !strings.Contains(err.Error(), "the rest goes on at") {
		t.Fatalf("carry ends with %v", err)
	}
}

func TestCanary_GoesFirstAndTheRestFollows(t *testing.T) {
	t.Parallel()
	r, e, first := canaryRoom(t, newsroomtest.Options{})
	if len(first) < 3 || len(first) > 40 {
		t.Fatalf("the sample has %d", len(first))
	}
	holds(t, r, e.ID)
	gotEach(t, r, 1, first)
	r.Clock.Add(8 * time.Minute)
	holds(t, r, e.ID)
	gotEach(t, r, 1, first)
	c, ok, err := r.Desk.Canary(t.Context(), e.ID)
	if err != nil || !ok || c.Size != len(first) || c.Tally.Counts[newsletter.Accepted] != len(first) || !c.OverAt.IsZero() {
		t.Errorf("the canary is %+v (%v)", c, err)
	}
	r.Clock.Add(2 * time.Minute)
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range 300 {
		all = append(all, fmt.Sprintf("r%d@example.org", i))
	}
	gotEach(t, r, 1, all)
	log := strings.Join(logged(t, r, e.ID), "\n")
	for _, want := range []string{
		fmt.Sprintf("sender: canary begun 5%% of the readers, %d", len(first)), fmt.Sprintf("sender: canary sent accepted %d", len(first)), "sender: canary passed",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("on record is no %q:\n%s", want, log)
		}
	}
	// The next edition has the same canary.
	r.Clock.Add(time.Hour)
	r.Feed.Publish("A third story", r.Clock.Now())
	e = canaryEdition(t, r)
	holds(t, r, e.ID)
	for address, n := range r.Received() {
		if slices.Contains(first, address) != (n == 2) {
			t.Errorf("%s got %d", address, n)
		}
	}
}

func TestCanary_StopsTheRestWhereMuchIsWrong(t *testing.T) {
	t.Parallel()
	brakes := newsletter.Brakes{Refused: 0.05, Complaints: 0.003}
	refuse := smtptest.Options{Pipelining: true, Faults: []smtptest.Fault{{At: smtptest.AtRcpt, Times: 3, Reply: "550 5.1.1 no such user"}}}
	for _, tt := range []struct {
		name, reason string
		smtp         smtptest.Options
		then         string // a statement while the rest waits
	}{
		{"refused", "were refused or came back", refuse, ""},
		{"bounced", "were refused or came back", smtptest.Options{}, `UPDATE deliveries SET returned = 1 WHERE subscriber_id IN (SELECT subscriber_id FROM canary_readers LIMIT 3)`},
		{"complaints", "2 readers have reported it as spam", smtptest.Options{}, `UPDATE deliveries SET returned = 2 WHERE subscriber_id IN (SELECT subscriber_id FROM canary_readers LIMIT 2)`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, e, first := canaryRoom(t, newsroomtest.Options{SMTP: tt.smtp, Brakes: brakes})
			if tt.then != "" {
				holds(t, r, e.ID)
				r.Exec(tt.then)
			}
			err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil)
			if paused, ok := errors.AsType[*delivery.PausedError](err); !ok || !strings.Contains(paused.Reason, "canary: ") || !strings.Contains(paused.Reason, tt.reason) {
				t.Fatalf("carry ends with %v", err)
			}
			if n := len(r.Received()); n > len(first) {
				t.Errorf("%d got it, of a canary of %d", n, len(first))
			}
			// Whoever resumes it has decided: the rest goes on at once.
			r.Clock.Add(time.Minute)
			if err := r.Desk.Resume(t.Context(), e.ID); err != nil {
				t.Fatal(err)
			}
			if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
				t.Fatal(err)
			}
			if _, tally := r.Tally(e.ID); tally.Counts[newsletter.Accepted]+tally.Counts[newsletter.Refused] != 300 {
				t.Errorf("the tally is %+v", tally)
			}
			// What the canary found says nothing of those who are in it.
			if counts, err := r.Store.SuppressionCounts(t.Context()); err != nil || len(counts) != 0 && len(first) < 30 {
				t.Errorf("suppressed are %v (%v)", counts, err)
			}
		})
	}
}

func TestCanary_CutOffGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	r, e, first := canaryRoom(t, newsroomtest.Options{Connections: 1})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		_ = r.SMTP.WaitFor(ctx, 2)
		stop()
	}()
	if err := r.Desk.Carry(ctx, e.ID, time.Minute, nil); err == nil {
		t.Fatal("it is finished")
	}
	holds(t, r, e.ID)
	gotEach(t, r, 1, first)
	r.Exec(`UPDATE deliveries SET state = 4 WHERE subscriber_id IN (SELECT subscriber_id FROM canary_readers LIMIT 1)`)
	if err := r.Desk.Pause(t.Context(), e.ID, "wrong headline"); err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(time.Hour)
	if err := r.Desk.Resume(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	_, tally := r.Tally(e.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 299, newsletter.Refused: 1})
	if canary, err := r.Store.CanaryTally(t.Context(), e.ID); err != nil || canary.Forgiven != 1 {
		t.Errorf("what was refused before it was resumed stops it again: %+v (%v)", canary, err)
	}
}

func TestCanary_OfNobodyIsRefusedToWhoAsksForIt(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 2)
	draft, err := r.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: n.Slug, Canary: &newsletter.Canary{Share: 0.0001, Hold: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Desk.Start(t.Context(), draft, nil); newsletter.ReasonOf(err) != "canary_empty" {
		t.Errorf("started: %v", err)
	}
	// Where the newsletter has it, a small edition goes out without.
	share := "0.01%"
	if _, err := r.Desk.EditNewsletter(t.Context(), n.Slug, desk.NewsletterEdit{Canary: &share}); err != nil {
		t.Fatal(err)
	}
	_, tally := r.Send(n.Slug)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 2})
}

func TestCanary_AnEditionWhoseRestWaitsIsNotStuck(t *testing.T) {
	t.Parallel()
	r, e, _ := canaryRoom(t, newsroomtest.Options{})
	holds(t, r, e.ID)
	r.Exec(`UPDATE edition_canaries SET hold = 3600000`)
	r.Clock.Add(40 * time.Minute)
	status, err := r.Desk.Status(t.Context(), senderHeld{r.Store})
	if err != nil || len(status.Editions) != 1 || status.Editions[0].Canary == nil {
		t.Fatalf("status: %+v (%v)", status.Editions, err)
	}
	for _, p := range status.Problems {
		if p.Kind == newsletter.AlarmStuck {
			t.Errorf("problem: %+v", p)
		}
	}
}

// senderHeld is a database whose sender role somebody has.
type senderHeld struct{ *store.Store }

func (senderHeld) Sender() (newsletter.SenderHolder, bool, error) {
	return newsletter.SenderHolder{Command: "serve"}, true, nil
}
