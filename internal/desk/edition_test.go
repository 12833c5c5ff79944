package desk_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

// newsroomWith returns a newsroom with two articles and so many readers.
func newsroomWith(t *testing.T, readers int, faults ...smtptest.Fault) (*newsroomtest.Newsroom, newsletter.Newsletter) {
	t.Helper()
	r := newsroomtest.New(t, newsroomtest.Options{SMTP: smtptest.Options{EnhancedStatusCodes: true, Faults: faults}})
	r.Feed.Publish("Harbour opens a second gate", newsroomtest.Start.Add(-2*time.Hour))
	r.Feed.Publish("Ferry fares frozen", newsroomtest.Start.Add(-time.Hour))
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, readers)
	return r, n
}

func refuses(to string) smtptest.Fault {
	return smtptest.Fault{At: smtptest.AtRcpt, To: to, Times: 1, Reply: "550 5.7.1 not from you"} // the address is not dead
}

func states(t newsletter.Tally) map[newsletter.State]int {
	counts := map[newsletter.State]int{}
	for s, n := range t.Counts {
		if n > 0 {
			counts[s] = n
		}
	}
	return counts
}

func wantStates(t *testing.T, tally newsletter.Tally, want map[newsletter.State]int) {
	t.Helper()
	got := states(tally)
	for _, s := range newsletter.States() {
		if got[s] != want[s] {
			t.Errorf("%d are %s, want %d (of %v)", got[s], s, want[s], got)
		}
	}
}

func wantRefusal(t *testing.T, err error, reason string) {
	t.Helper()
	if newsletter.KindOf(err) != newsletter.Forbidden || newsletter.ReasonOf(err) != reason {
		t.Errorf("it is not refused as %s: %v", reason, err)
	}
}

func TestRetry_WhoWasRefusedGetsItAfterAll(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 4, refuses("r2@example.org"), refuses("r3@example.org"))
	e, tally := r.Send("daily-news")
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 2, newsletter.Refused: 2})
	r.Clock.Add(30 * time.Hour) // longer than the edition had
	f := newsletter.RetryFilter{EditionID: e.ID, State: newsletter.Refused, Code: 550}
	if n, err := r.Desk.CountRetry(t.Context(), f); n != 2 || err != nil {
		t.Errorf("%d to retry (%v)", n, err)
	}
	retried, err := r.Desk.Retry(t.Context(), f)
	if err != nil || retried != (newsletter.Retried{Waiting: 2}) {
		t.Fatalf("retried %+v (%v)", retried, err)
	}
	e, tally = r.Tally(e.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 2, newsletter.Waiting: 2})
	if e.State != newsletter.EditionSending || !e.ExpiresAt.Equal(r.Clock.Now().Add(24*time.Hour)) || !e.FinishedAt.IsZero() {
		t.Errorf("the edition is %s until %s, finished %s", e.State, e.ExpiresAt, e.FinishedAt)
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	e, tally = r.Tally(e.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 4})
	if e.State != newsletter.EditionSent {
		t.Errorf("the edition is %s", e.State)
	}
	for _, a := range []string{"r1@example.org", "r2@example.org", "r3@example.org", "r4@example.org"} {
		if r.Received()[a] != 1 {
			t.Errorf("%s got %d messages", a, r.Received()[a])
		}
	}
	_, err = r.Desk.Retry(t.Context(), f)
	wantRefusal(t, err, "nothing_to_retry")
}

// A reader whose articles came by a later edition does not get them twice.
func TestRetry_NobodyGetsAnArticleTwice(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 3, refuses("r1@example.org"), refuses("r2@example.org"))
	first, _ := r.Send("daily-news")
	r.Clock.Add(time.Hour)
	// r2 left, so only r1 gets what was refused by the next edition.
	r.Exec(`UPDATE subscriptions SET cadence = 'weekly' WHERE subscriber_id = 2`)
	r.Feed.Publish("A third story", r.Clock.Now())
	_, tally := r.Send("daily-news")
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 2})
	r.Clock.Add(time.Hour)
	retried, err := r.Desk.Retry(t.Context(), newsletter.RetryFilter{EditionID: first.ID})
	if err != nil || retried != (newsletter.Retried{Waiting: 1, HadOtherwise: 1}) {
		t.Fatalf("retried %+v (%v)", retried, err)
	}
	_, tally = r.Tally(first.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 1, newsletter.Waiting: 1, newsletter.Withheld: 1})
	if tally.Reasons[newsletter.ReasonHadOtherwise] != 1 {
		t.Errorf("withheld for %v", tally.Reasons)
	}
	if err := r.Desk.Carry(t.Context(), first.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	if got := r.Received(); got["r1@example.org"] != 1 || got["r2@example.org"] != 1 || got["r3@example.org"] != 2 {
		t.Errorf("received: %v", got)
	}
}

func TestRetry_OfReadersWhoHadItAllOtherwiseEndsAtOnce(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 2, refuses("r1@example.org"))
	first, _ := r.Send("daily-news")
	r.Clock.Add(time.Hour)
	r.Send("daily-news")
	retried, err := r.Desk.Retry(t.Context(), newsletter.RetryFilter{EditionID: first.ID})
	if err != nil || retried != (newsletter.Retried{HadOtherwise: 1}) {
		t.Fatalf("retried %+v (%v)", retried, err)
	}
	if e, _ := r.Tally(first.ID); e.State != newsletter.EditionSent {
		t.Errorf("the edition is %s", e.State)
	}
}

// An edition that gives again what others gave is sent, whoever gave it; one like it is not.
func TestRetry_OfAnEditionThatRepeatsInFull(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 1, refuses("vera@example.org"))
	review := r.Newsletter("review", func(n *newsletter.Newsletter) { n.Repeats = newsletter.RepeatAlways })
	r.Reader(review, "r1@example.org", newsletter.Daily, 0)
	r.Reader(review, "vera@example.org", newsletter.Daily, 0)
	r.Send("daily-news")
	r.Clock.Add(time.Hour)
	e := r.Begin("review")
	r.Exec(`UPDATE deliveries SET state = 4, code = 550 WHERE edition_id = $1`, e.ID)
	r.Exec(`UPDATE newsletters SET repeats = 'never' WHERE id = $1`, review.ID) // what it was frozen with counts
	retried, err := r.Desk.Retry(t.Context(), newsletter.RetryFilter{EditionID: e.ID})
	if err != nil || retried != (newsletter.Retried{Waiting: 2}) {
		t.Errorf("retried %+v (%v)", retried, err)
	}
}

func TestRetry_OfOneReaderLeavesTheOthers(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 3, refuses("r1@example.org"), refuses("r2@example.org"))
	e, _ := r.Send("daily-news")
	id, err := r.Desk.SubscriberID(t.Context(), "R2@example.org")
	if err != nil {
		t.Fatal(err)
	}
	retried, err := r.Desk.Retry(t.Context(), newsletter.RetryFilter{EditionID: e.ID, SubscriberID: id})
	if err != nil || retried.Waiting != 1 {
		t.Fatalf("retried %+v (%v)", retried, err)
	}
	_, tally := r.Tally(e.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 1, newsletter.Refused: 1, newsletter.Waiting: 1})
	if _, err := r.Desk.SubscriberID(t.Context(), "nobody@example.org"); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("nobody: %v", err)
	}
	if _, err := r.Desk.SubscriberID(t.Context(), "nobody"); newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("no address: %v", err)
	}
}

// held returns a newsroom with an edition of which one delivery is held in doubt.
func held(t *testing.T) (*newsroomtest.Newsroom, newsletter.Edition) {
	t.Helper()
	r, _ := newsroomWith(t, 3, smtptest.Fault{At: smtptest.AtDot, To: "r2@example.org", Times: 1, Action: smtptest.HangUp})
	e := r.Begin("daily-news")
	r.Exec(`UPDATE editions SET on_doubt = 'hold'`)
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	e, tally := r.Tally(e.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 2, newsletter.InDoubt: 1})
	return r, e
}

func TestResolve_SettlesWhatStaffKnow(t *testing.T) {
	t.Parallel()
	for as, want := range map[newsletter.Settlement]map[newsletter.State]int{
		newsletter.Arrived:    {newsletter.Accepted: 3},
		newsletter.NotArrived: {newsletter.Accepted: 2, newsletter.Refused: 1},
		newsletter.Resend:     {newsletter.Accepted: 2, newsletter.Deferred: 1},
	} {
		t.Run(string(as), func(t *testing.T) {
			t.Parallel()
			r, e := held(t)
			before, err := r.Desk.Report(t.Context(), e.ID)
			if err != nil {
				t.Fatal(err)
			}
			n, err := r.Desk.Resolve(t.Context(), newsletter.ResolveFilter{EditionID: e.ID}, as)
			if err != nil || n != 1 {
				t.Fatalf("%d settled (%v)", n, err)
			}
			now, tally := r.Tally(e.ID)
			wantStates(t, tally, want)
			after, err := r.Desk.Report(t.Context(), e.ID)
			if err != nil || before.Doubts.Now != 1 || after.Doubts.Now != 0 || after.Doubts.Ever != 1 {
				t.Errorf("doubts before %+v, after %+v (%v)", before.Doubts, after.Doubts, err)
			}
			if open := now.State == newsletter.EditionSending; open != (as == newsletter.Resend) {
				t.Errorf("the edition is %s", now.State)
			}
			_, err = r.Desk.Resolve(t.Context(), newsletter.ResolveFilter{EditionID: e.ID}, as)
			wantRefusal(t, err, "nothing_in_doubt")
			if as != newsletter.Resend {
				return
			}
			if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
				t.Fatal(err)
			}
			_, tally = r.Tally(e.ID)
			wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 3})
		})
	}
}

func TestPauseAndResume_OnlyWhatCanBe(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 2)
	e := r.Begin("daily-news")
	wantRefusal(t, r.Desk.Resume(t.Context(), e.ID), "not_paused")
	if err := r.Desk.Pause(t.Context(), e.ID, "wrong headline"); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, r.Desk.Pause(t.Context(), e.ID, ""), "not_open")
	if e, _ := r.Tally(e.ID); e.State != newsletter.EditionPaused || e.Reason != "wrong headline" {
		t.Errorf("the edition is %s: %s", e.State, e.Reason)
	}
	if err := r.Desk.Resume(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	e, tally := r.Tally(e.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 2})
	if e.StartedAt.IsZero() || e.Reason != "" {
		t.Errorf("the edition started %s, its reason is %q", e.StartedAt, e.Reason)
	}
	wantRefusal(t, r.Desk.Pause(t.Context(), e.ID, ""), "not_open")
	if err := r.Desk.Pause(t.Context(), 99, ""); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("no such edition: %v", err)
	}
}

// What another process pauses stops here; what is being handed over is finished.
func TestPause_StopsASenderElsewhere(t *testing.T) {
	t.Parallel()
	var once sync.Once
	begun, paused := make(chan struct{}), make(chan struct{})
	r := newsroomtest.New(t, newsroomtest.Options{Connections: 1, SMTP: smtptest.Options{OnMessage: func(smtptest.Received) {
		once.Do(func() { close(begun) })
		<-paused
	}}})
	r.Feed.Publish("Harbour opens a second gate", newsroomtest.Start.Add(-time.Hour))
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 30)
	e := r.Begin("daily-news")
	ended := make(chan error, 1)
	go func() { ended <- r.Desk.Carry(t.Context(), e.ID, time.Minute, nil) }()
	<-begun
	err := r.Desk.Pause(t.Context(), e.ID, "")
	close(paused)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*delivery.PausedError](<-ended); !ok {
		t.Fatal("the sender does not say that it is paused")
	}
	_, tally := r.Tally(e.ID)
	if tally.Counts[newsletter.Sending] != 0 || tally.Counts[newsletter.Accepted] == 0 || tally.WaitingCount() == 0 {
		t.Errorf("after pausing: %v", states(tally))
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil { // it resumes
		t.Fatal(err)
	}
	_, tally = r.Tally(e.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 30})
}

func TestCancel_WithholdsTheRestAndReleasesItsArticles(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 5, smtptest.Fault{At: smtptest.AtRcpt, To: "r1@example.org", Times: 1, Reply: "451 4.7.1 later"})
	e := r.Begin("daily-news")
	r.Exec(`UPDATE deliveries SET state = 3 WHERE subscriber_id = 1`)
	r.Exec(`UPDATE deliveries SET state = 6, doubted_at = 1 WHERE subscriber_id = 2`)
	r.Exec(`UPDATE deliveries SET state = 2 WHERE subscriber_id = 3`)
	n, err := r.Desk.Cancel(t.Context(), e.ID, "wrong day")
	if err != nil || n != 2 {
		t.Fatalf("%d withheld (%v)", n, err)
	}
	e, tally := r.Tally(e.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 1, newsletter.InDoubt: 1, newsletter.Sending: 1, newsletter.Withheld: 2})
	if e.State != newsletter.EditionCancelled || tally.Reasons[newsletter.ReasonCancelled] != 2 || e.FinishedAt.IsZero() {
		t.Errorf("the edition is %s, withheld for %v", e.State, tally.Reasons)
	}
	// The message that was being handed over is put off by the relay.
	r.Exec(`UPDATE deliveries SET state = 5 WHERE subscriber_id = 3`)
	if err := r.Desk.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, tally = r.Tally(e.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 1, newsletter.InDoubt: 1, newsletter.Withheld: 3})
	if report, err := r.Desk.Report(t.Context(), e.ID); err != nil || report.CountedAt.IsZero() {
		t.Errorf("its totals are not kept (%v)", err)
	}
	_, err = r.Desk.Retry(t.Context(), newsletter.RetryFilter{EditionID: e.ID})
	wantRefusal(t, err, "cancelled")
	_, err = r.Desk.Resolve(t.Context(), newsletter.ResolveFilter{EditionID: e.ID}, newsletter.Resend)
	wantRefusal(t, err, "cancelled")
	if _, err := r.Desk.Resolve(t.Context(), newsletter.ResolveFilter{EditionID: e.ID}, newsletter.Arrived); err != nil {
		t.Error(err)
	}
	r.Clock.Add(time.Minute)
	_, tally = r.Send("daily-news")
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 3, newsletter.Withheld: 2})

	sent, _ := r.Tally(2)
	_, err = r.Desk.Cancel(t.Context(), sent.ID, "")
	wantRefusal(t, err, "not_open")
}

// A message that is in flight while its edition is cancelled, and that the relay puts off, does
// not wait for ever where no service runs.
func TestCancel_WhatComesBackToSendIsWithheld(t *testing.T) {
	t.Parallel()
	var once sync.Once
	begun, cancelled := make(chan struct{}), make(chan struct{})
	r := newsroomtest.New(t, newsroomtest.Options{Connections: 1, SMTP: smtptest.Options{
		Faults: []smtptest.Fault{{At: smtptest.AtDot, Reply: "451 4.3.0 later", Count: true}},
		OnMessage: func(smtptest.Received) {
			once.Do(func() { close(begun) })
			<-cancelled
		},
	}})
	r.Feed.Publish("Harbour opens a second gate", newsroomtest.Start.Add(-time.Hour))
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 5)
	e := r.Begin("daily-news")
	ended := make(chan error, 1)
	go func() { ended <- r.Desk.Carry(t.Context(), e.ID, time.Minute, nil) }()
	<-begun
	_, err := r.Desk.Cancel(t.Context(), e.ID, "wrong day")
	close(cancelled)
	if err := errors.Join(err, <-ended); err != nil {
		t.Fatal(err)
	}
	e, tally := r.Tally(e.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Withheld: 5})
	if e.State != newsletter.EditionCancelled {
		t.Errorf("the edition is %s", e.State)
	}
}

func TestPrune_KeepsTheTotals(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 4, refuses("r2@example.org"))
	e, _ := r.Send("daily-news")
	before, err := r.Desk.Report(t.Context(), e.ID)
	if err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(399 * 24 * time.Hour)
	if n, err := r.Desk.PruneDeliveries(t.Context(), newsletter.KeepDeliveries); n != 0 || err != nil {
		t.Errorf("%d rows removed too early (%v)", n, err)
	}
	r.Clock.Add(2 * 24 * time.Hour)
	if n, err := r.Desk.PruneDeliveries(t.Context(), 0); n != 0 || err != nil {
		t.Errorf("%d rows removed that are kept for ever (%v)", n, err)
	}
	if n, err := r.Desk.PruneDeliveries(t.Context(), newsletter.KeepDeliveries); n != 4 || err != nil {
		t.Fatalf("%d rows removed (%v)", n, err)
	}
	_, tally := r.Tally(e.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 3, newsletter.Refused: 1})
	after, err := r.Desk.Report(t.Context(), e.ID)
	if err != nil || after.Rows != 0 || after.PrunedAt.IsZero() {
		t.Fatalf("the report has %d rows, removed %s (%v)", after.Rows, after.PrunedAt, err)
	}
	if len(after.Replies) != len(before.Replies) || after.Domains[0].Planned() != 4 || after.Relays[0].Asked() != 4 {
		t.Errorf("before\n%+v\nafter\n%+v", before, after)
	}
	_, err = r.Desk.Deliveries(t.Context(), newsletter.DeliveryFilter{EditionID: e.ID})
	wantRefusal(t, err, "rows_gone")
	_, err = r.Desk.Retry(t.Context(), newsletter.RetryFilter{EditionID: e.ID})
	wantRefusal(t, err, "rows_gone")
	_, err = r.Desk.CountDoubts(t.Context(), newsletter.ResolveFilter{EditionID: e.ID})
	wantRefusal(t, err, "rows_gone")
}

// Rows are never removed before what they add up to is kept.
func TestPrune_WaitsForTheTotals(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 2)
	r.Send("daily-news")
	r.Exec(`DELETE FROM edition_totals`)
	r.Exec(`UPDATE editions SET totals_at = NULL`)
	r.Clock.Add(500 * 24 * time.Hour)
	if n, err := r.Desk.PruneDeliveries(t.Context(), newsletter.KeepDeliveries); n != 0 || err != nil {
		t.Errorf("%d rows removed (%v)", n, err)
	}
	if err := r.Desk.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Desk.PruneDeliveries(t.Context(), newsletter.KeepDeliveries); n != 2 || err != nil {
		t.Errorf("%d rows removed (%v)", n, err)
	}
}

func TestWatch_ShowsTheSendersPulseAndElseTheLedger(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 3)
	e := r.Begin("daily-news")
	pulse := newsletter.Pulse{EditionID: e.ID, At: r.Clock.Now(), Rate: 812, Connections: 7,
		Tally: newsletter.Tally{Planned: 3, Counts: map[newsletter.State]int{newsletter.Waiting: 2, newsletter.Accepted: 1}}}
	if err := r.Store.SavePulse(t.Context(), pulse); err != nil {
		t.Fatal(err)
	}
	var rates []float64
	var accepted []int
	err := r.Desk.Watch(t.Context(), e.ID, time.Millisecond, 0, func(_ newsletter.Edition, p newsletter.Pulse) error {
		rates, accepted = append(rates, p.Rate), append(accepted, p.Tally.Counts[newsletter.Accepted])
		switch len(rates) {
		case 1:
			r.Clock.Add(time.Minute) // the pulse is old now
		case 2:
			r.Exec(`UPDATE deliveries SET state = 3`)
			r.Exec(`UPDATE editions SET state = 'sent'`)
		}
		return nil
	})
	if err != nil || !slices.Equal(rates, []float64{812, 0, 0}) || !slices.Equal(accepted, []int{1, 0, 3}) {
		t.Errorf("rates %v, accepted %v (%v)", rates, accepted, err)
	}
}

func TestWatch_EndsWhenPausedOrWhenNothingMoves(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 3)
	e := r.Begin("daily-news")
	tick := func(newsletter.Edition, newsletter.Pulse) error {
		r.Clock.Add(time.Second)
		return nil
	}
	unfinished, ok := errors.AsType[*delivery.UnfinishedError](r.Desk.Watch(t.Context(), e.ID, time.Millisecond, 10*time.Second, tick))
	if !ok || unfinished.Waiting != 3 {
		t.Errorf("it ends with %v", unfinished)
	}
	if err := r.Desk.Pause(t.Context(), e.ID, "lunch"); err != nil {
		t.Fatal(err)
	}
	paused, ok := errors.AsType[*delivery.PausedError](r.Desk.Watch(t.Context(), e.ID, time.Millisecond, 0, tick))
	if !ok || paused.Reason != "lunch" {
		t.Errorf("it ends with %v", paused)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Desk.Resume(t.Context(), e.ID); err != nil {
		t.Fatal(err)
	}
	if err := r.Desk.Watch(ctx, e.ID, time.Hour, 0, tick); !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
	full := errors.New("no space left")
	err := r.Desk.Watch(t.Context(), e.ID, time.Hour, 0, func(newsletter.Edition, newsletter.Pulse) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("it ends with %v", err)
	}
}

// What was paused after it was built is not sent.
func TestStart_LooksAgain(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 3)
	draft, err := r.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: n.Slug})
	if err != nil {
		t.Fatal(err)
	}
	r.Exec(`UPDATE newsletters SET status = 'paused'`)
	if _, err := r.Desk.Start(t.Context(), draft, nil); newsletter.ReasonOf(err) != "paused" {
		t.Errorf("it starts with %v", err)
	}
}
