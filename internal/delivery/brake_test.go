package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

// sixPercent refuses six of each hundred readers.
func sixPercent(readers int) (faults []smtptest.Fault) {
	for i := range readers {
		if i%100 < 6 {
			faults = append(faults, smtptest.Fault{At: smtptest.AtRcpt, To: fmt.Sprintf("r%d@example.org", i+1), Reply: "550 5.1.1 no such user"})
		}
	}
	return faults
}

func TestBrake_RefusalsPauseASendAndResumingHolds(t *testing.T) {
	t.Parallel()
	const readers = 600
	r, _, _ := newsroom(t, newsroomtest.Options{Brakes: newsletter.Brakes{Refused: 0.05}, SMTP: smtptest.Options{Faults: sixPercent(readers)}}, readers)
	e := r.Begin("daily-news")
	err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil)
	paused, ok := errors.AsType[*delivery.PausedError](err)
	if !ok || !strings.Contains(paused.Reason, "and the limit is 5 %; the last one with: 550 5.1.1 no such user") {
		t.Fatalf("it ends with %v", err)
	}
	stopped, tally := r.Tally(e.ID)
	results := tally.Counts[newsletter.Accepted] + tally.Counts[newsletter.Refused]
	if stopped.State != newsletter.EditionPaused || stopped.Reason != paused.Reason || results < newsletter.BrakeResults || results > 400 {
		t.Errorf("it is %s (%s) after %d results", stopped.State, stopped.Reason, results)
	}
	if stopped.Brakes.Refused < 0.1 || stopped.Brakes.Refused > 0.15 {
		t.Errorf("it is paused again at %f", stopped.Brakes.Refused)
	}
	// Six of a hundred are refused in what follows too, and that does not stop it again.
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); err != nil {
		t.Fatalf("it goes on to %v", err)
	}
	_, tally = r.Tally(e.ID)
	want(t, tally, "planned 600 accepted 564 refused 36 expired 0 in_doubt 0 withheld 0 waiting 0")
	for address, n := range r.Received() {
		if n != 1 {
			t.Errorf("%s got %d messages", address, n)
		}
	}
}

// The first messages count too, although none is refused any more once there are enough.
func TestBrake_RefusalsOfTheFirstMessagesPauseASend(t *testing.T) {
	t.Parallel()
	var faults []smtptest.Fault
	for i := 1; i <= 30; i++ {
		faults = append(faults, smtptest.Fault{At: smtptest.AtRcpt, To: fmt.Sprintf("r%d@example.org", i+20), Reply: "550 5.1.1 no such user"})
	}
	r, _, _ := newsroom(t, newsroomtest.Options{Brakes: newsletter.Brakes{Refused: 0.05}, SMTP: smtptest.Options{Faults: faults, Delay: time.Millisecond}}, 500)
	e := r.Begin("daily-news")
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); !errors.As(err, new(*delivery.PausedError)) {
		t.Fatalf("it ends with %v", err)
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); err != nil {
		t.Fatalf("it goes on to %v", err)
	}
	_, tally := r.Tally(e.ID)
	want(t, tally, "planned 500 accepted 470 refused 30 expired 0 in_doubt 0 withheld 0 waiting 0")
}

func TestBrake_RefusalsPauseWhatAServiceSendsAndTheOthersGoOn(t *testing.T) {
	t.Parallel()
	const readers = 300
	r, _, _ := newsroom(t, newsroomtest.Options{Brakes: newsletter.Brakes{Refused: 0.05}, SMTP: smtptest.Options{Faults: sixPercent(readers)}}, readers)
	other := r.Newsletter("other-news", nil)
	for i := range 20 {
		r.Reader(other, fmt.Sprintf("other%d@example.org", i), newsletter.Daily, 0)
	}
	large, small := r.Begin("daily-news"), r.Begin("other-news")
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	var served sync.WaitGroup
	served.Go(func() {
		if err := r.Engine.Serve(ctx); err != nil {
			t.Error(err)
		}
	})
	defer served.Wait()
	defer stop()
	state := func(id int64) newsletter.EditionState {
		e, err := r.Store.Edition(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return e.State
	}
	newsroomtest.Until(ctx, t, "the large edition is paused", func() bool { return state(large.ID) == newsletter.EditionPaused })
	newsroomtest.Until(ctx, t, "the small one is sent", func() bool { return state(small.ID) == newsletter.EditionSent })
	if err := r.Desk.Resume(t.Context(), large.ID); err != nil {
		t.Fatal(err)
	}
	newsroomtest.Until(ctx, t, "the large one is sent", func() bool { return state(large.ID) == newsletter.EditionSent })
	_, tally := r.Tally(large.ID)
	want(t, tally, "planned 300 accepted 282 refused 18 expired 0 in_doubt 0 withheld 0 waiting 0")
}

// What a relay takes and sends back pulls the brake for refusals too, while the edition is sent.
func TestBrake_WhatComesBackPausesASend(t *testing.T) {
	t.Parallel()
	paused := make(chan struct{})
	enough := make(chan struct{})
	var mu sync.Mutex
	taken := 0
	onMessage := func(smtptest.Received) {
		mu.Lock()
		taken++
		n := taken
		mu.Unlock()
		if n == 220 {
			close(enough)
		}
		if n >= 220 {
			<-paused
		}
	}
	r, _, _ := newsroom(t, newsroomtest.Options{Brakes: newsletter.Brakes{Refused: 0.05}, SMTP: smtptest.Options{OnMessage: onMessage}}, 300)
	e := r.Begin("daily-news")
	result := make(chan error, 1)
	go func() { result <- r.Desk.Carry(t.Context(), e.ID, time.Second, nil) }()
	<-enough
	accepted, err := r.Store.Deliveries(t.Context(), newsletter.DeliveryFilter{EditionID: e.ID, State: newsletter.Accepted, Limit: 20})
	if err != nil || len(accepted) != 20 {
		t.Fatalf("%d are accepted (%v)", len(accepted), err)
	}
	for _, d := range accepted {
		if _, err := r.Store.TakeReturn(t.Context(), newsletter.Return{
			EditionID: e.ID, SubscriberID: d.SubscriberID, Kind: newsletter.ReturnHard, Reason: "user_unknown", Channel: "pipe", At: r.Clock.Now(),
		}, newsletter.DefaultSoftLimit()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	newsroomtest.Until(ctx, t, "the edition is paused", func() bool {
		now, err := r.Store.Edition(t.Context(), e.ID)
		return err == nil && now.State == newsletter.EditionPaused
	})
	close(paused)
	stopped, ok := errors.AsType[*delivery.PausedError](<-result)
	if !ok || !strings.Contains(stopped.Reason, "were refused or came back") {
		t.Fatalf("it ends with %v", stopped)
	}
}

// Complaints come in by another process while an edition is sent: at the hundredth message
// three readers complain, and no more goes out than was being handed over.
func TestBrake_ComplaintsPauseASend(t *testing.T) {
	t.Parallel()
	paused := make(chan struct{})
	hundred := make(chan struct{})
	var mu sync.Mutex
	taken := 0
	onMessage := func(smtptest.Received) {
		mu.Lock()
		taken++
		n := taken
		mu.Unlock()
		if n == 100 {
			close(hundred)
		}
		if n >= 100 {
			<-paused
		}
	}
	r, _, _ := newsroom(t, newsroomtest.Options{Brakes: newsletter.Brakes{Complaints: 0.003}, SMTP: smtptest.Options{OnMessage: onMessage}}, 300)
	e := r.Begin("daily-news")
	result := make(chan error, 1)
	go func() { result <- r.Desk.Carry(t.Context(), e.ID, time.Second, nil) }()
	<-hundred
	accepted, err := r.Store.Deliveries(t.Context(), newsletter.DeliveryFilter{EditionID: e.ID, State: newsletter.Accepted, Limit: 3})
	if err != nil || len(accepted) != 3 {
		t.Fatalf("%d are accepted (%v)", len(accepted), err)
	}
	for _, d := range accepted {
		complain(t, r, d)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	newsroomtest.Until(ctx, t, "the edition is paused", func() bool {
		now, err := r.Store.Edition(t.Context(), e.ID)
		return err == nil && now.State == newsletter.EditionPaused
	})
	close(paused)
	stopped, ok := errors.AsType[*delivery.PausedError](<-result)
	if !ok || !strings.HasPrefix(stopped.Reason, "3 readers have reported it as spam") {
		t.Fatalf("it ends with %v", stopped)
	}
	_, tally := r.Tally(e.ID)
	if n := tally.Counts[newsletter.Accepted]; n < 100 || n > 110 {
		t.Errorf("%d are accepted", n)
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); err != nil {
		t.Fatalf("it goes on to %v", err)
	}
	_, tally = r.Tally(e.ID)
	want(t, tally, "planned 300 accepted 300 refused 0 expired 0 in_doubt 0 withheld 0 waiting 0")
}

func complain(t *testing.T, r *newsroomtest.Newsroom, d newsletter.Delivery) {
	t.Helper()
	_, err := r.Store.TakeReturn(t.Context(), newsletter.Return{
		EditionID: d.EditionID, SubscriberID: d.SubscriberID, Kind: newsletter.ReturnComplaint, Channel: "test", At: r.Clock.Now(),
	}, newsletter.DefaultSoftLimit())
	if err != nil {
		t.Fatal(err)
	}
}
