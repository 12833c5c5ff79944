package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

func counts(t newsletter.Tally) string {
	return fmt.Sprintf("planned %d accepted %d refused %d expired %d in_doubt %d withheld %d waiting %d",
		t.Planned, t.Counts[newsletter.Accepted], t.Counts[newsletter.Refused], t.Counts[newsletter.Expired],
		t.Counts[newsletter.InDoubt], t.Counts[newsletter.Withheld], t.WaitingCount())
}

func want(t *testing.T, tally newsletter.Tally, text string) {
	t.Helper()
	if got := counts(tally); got != text {
		t.Errorf("the ledger says\n%s, want\n%s", got, text)
	}
}

// each fails unless every address got exactly n messages.
func each(t *testing.T, r *newsroomtest.Newsroom, addresses []string, n int) {
	t.Helper()
	got := r.Received()
	for _, a := range addresses {
		if got[a] != n {
			t.Errorf("%s got %d messages, want %d", a, got[a], n)
		}
	}
}

func newsroom(t *testing.T, o newsroomtest.Options, readers int) (*newsroomtest.Newsroom, newsletter.Newsletter, []string) {
	t.Helper()
	r := newsroomtest.New(t, o)
	r.Feed.Publish("Harbour opens a second gate", newsroomtest.Start.Add(-2*time.Hour))
	r.Feed.Publish("Ferry fares frozen", newsroomtest.Start.Add(-time.Hour))
	n := r.Newsletter("daily-news", nil)
	return r, n, r.Readers(n, 1, readers)
}

func TestDelivery_EveryReaderOnceAndNeverAgain(t *testing.T) {
	t.Parallel()
	r, n, readers := newsroom(t, newsroomtest.Options{}, 40)
	e, tally := r.Send("daily-news")
	want(t, tally, "planned 40 accepted 40 refused 0 expired 0 in_doubt 0 withheld 0 waiting 0")
	each(t, r, readers, 1)
	if e.State != newsletter.EditionSent || e.Hash == "" || e.Slot != newsletter.MainSlot {
		t.Errorf("the edition is %+v", e)
	}
	if problems := r.SMTP.ProtocolErrors(); len(problems) > 0 {
		t.Errorf("against the protocol: %v", problems)
	}

	r.Clock.Add(time.Hour)
	if _, err := r.Build("daily-news"); newsletter.ReasonOf(err) != newsletter.SkippedNothingNew {
		t.Fatalf("a second send: %v", err)
	}

	r.Feed.Publish("A third story", r.Clock.Now())
	r.Readers(n, 41, 41)
	e, tally = r.Send("daily-news")
	want(t, tally, "planned 41 accepted 41 refused 0 expired 0 in_doubt 0 withheld 0 waiting 0")
	if e.Slot != "extra-1" {
		t.Errorf("the slot of a second edition of the day is %q", e.Slot)
	}
	for _, m := range r.SMTP.Messages()[40:] {
		if strings.Contains(string(m.Data), "Ferry fares frozen") || !strings.Contains(string(m.Data), "A third story") {
			t.Fatalf("%s got a story again, or not the new one:\n%s", m.To, m.Data)
		}
	}
}

func TestDelivery_TwoNewslettersOneSourceNothingTwice(t *testing.T) {
	t.Parallel()
	r, n, _ := newsroom(t, newsroomtest.Options{}, 3)
	other := r.Newsletter("other-news", func(n *newsletter.Newsletter) { n.Name = "Other News" })
	r.Reader(other, "r1@example.org", newsletter.Daily, 0)
	r.Reader(other, "only@example.org", newsletter.Daily, 0)
	r.Send(n.Slug)
	_, tally := r.Send("other-news")
	want(t, tally, "planned 2 accepted 1 refused 0 expired 0 in_doubt 0 withheld 1 waiting 0")
	if tally.Reasons[newsletter.ReasonNothingNew] != 1 {
		t.Errorf("withheld for %v", tally.Reasons)
	}
	each(t, r, []string{"r1@example.org", "only@example.org"}, 1)
}

func TestDelivery_RefusedReaderReleasesTheArticles(t *testing.T) {
	t.Parallel()
	r, _, readers := newsroom(t, newsroomtest.Options{SMTP: smtptest.Options{EnhancedStatusCodes: true, Faults: []smtptest.Fault{
		{At: smtptest.AtRcpt, To: "r2@example.org", Times: 1, Reply: "550 5.7.1 not from you"},
		{At: smtptest.AtDot, To: "r3@example.org", Times: 1, Reply: "554 5.7.1 not like this"},
	}}}, 5)
	e, tally := r.Send("daily-news")
	want(t, tally, "planned 5 accepted 3 refused 2 expired 0 in_doubt 0 withheld 0 waiting 0")
	rows, err := r.Desk.Deliveries(t.Context(), newsletter.DeliveryFilter{EditionID: e.ID, State: newsletter.Refused, Limit: 10})
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d refused rows (%v)", len(rows), err)
	}
	if d := rows[0]; d.Email != "r2@example.org" || d.Code != 550 || d.Enhanced != "5.7.1" || !strings.Contains(d.Reply, "not from you") || d.Attempts != 1 {
		t.Errorf("the row is %+v", d)
	}
	r.Clock.Add(time.Hour)
	_, tally = r.Send("daily-news")
	want(t, tally, "planned 5 accepted 2 refused 0 expired 0 in_doubt 0 withheld 3 waiting 0")
	each(t, r, readers, 1)
}

func TestDelivery_GreylistedReadersGetItAtTheNextTry(t *testing.T) {
	t.Parallel()
	r, _, readers := newsroom(t, newsroomtest.Options{SMTP: smtptest.Options{Faults: []smtptest.Fault{
		{At: smtptest.AtRcpt, To: "r1@example.org", Times: 1, Reply: "451 4.7.1 come back later"},
		{At: smtptest.AtData, To: "r2@example.org", Times: 1, Reply: "451 4.3.0 later"},
		{At: smtptest.AtDot, To: "r3@example.org", Times: 1, Reply: "452 4.3.1 full"},
		{At: smtptest.AtBody, To: "r4@example.org", Times: 1, Action: smtptest.HangUp},
		{At: smtptest.AtBody, To: "r5@example.org", Times: 1, Action: smtptest.ResetTCP},
		{At: smtptest.AtRcpt, To: "r6@example.org", Times: 1, Action: smtptest.HangUp},
		{At: smtptest.AtMail, Skip: 3, Times: 2, Reply: "421 4.3.2 closing"},
	}}}, 12)
	e := r.Begin("daily-news")
	unfinished, ok := errors.AsType[*delivery.UnfinishedError](r.Desk.Carry(t.Context(), e.ID, 10*time.Second, nil))
	if !ok || unfinished.Waiting != 6 || !unfinished.NextTry.Equal(newsroomtest.Start.Add(30*time.Second)) {
		t.Fatalf("the first run ends with %v", unfinished)
	}
	r.Clock.Add(time.Minute)
	if err := r.Desk.Carry(t.Context(), e.ID, 10*time.Second, nil); err != nil {
		t.Fatal(err)
	}
	_, tally := r.Tally(e.ID)
	want(t, tally, "planned 12 accepted 12 refused 0 expired 0 in_doubt 0 withheld 0 waiting 0")
	each(t, r, readers, 1)
	// Those whose connection ended in the body may have had the final dot on its way already.
	if tally.Doubted > 2 {
		t.Errorf("%d deliveries were in doubt", tally.Doubted)
	}
}

func TestDelivery_InDoubtIsSentAgainWithTheSameIdentity(t *testing.T) {
	t.Parallel()
	r, _, readers := newsroom(t, newsroomtest.Options{SMTP: smtptest.Options{Faults: []smtptest.Fault{
		{At: smtptest.AtDot, To: "r2@example.org", Times: 1, Action: smtptest.HangUp, Count: true},
	}}}, 3)
	e := r.Begin("daily-news")
	if err := r.Desk.Carry(t.Context(), e.ID, 10*time.Second, nil); !errors.As(err, new(*delivery.UnfinishedError)) {
		t.Fatal(err)
	}
	r.Clock.Add(time.Hour)
	if err := r.Desk.Carry(t.Context(), e.ID, 10*time.Second, nil); err != nil {
		t.Fatal(err)
	}
	_, tally := r.Tally(e.ID)
	want(t, tally, "planned 3 accepted 3 refused 0 expired 0 in_doubt 0 withheld 0 waiting 0")
	each(t, r, []string{readers[0], readers[2]}, 1)
	each(t, r, []string{readers[1]}, 2)
	rows, err := r.Desk.Deliveries(t.Context(), newsletter.DeliveryFilter{EditionID: e.ID, Doubted: true, Limit: 10})
	if err != nil || len(rows) != 1 || rows[0].Email != "r2@example.org" || rows[0].Doubts != 1 || rows[0].Attempts != 2 {
		t.Errorf("doubted rows: %+v (%v)", rows, err)
	}
	var same []string
	for _, m := range r.SMTP.Messages() {
		if m.To == "r2@example.org" {
			same = append(same, string(m.Data))
		}
	}
	if same[0] != same[1] {
		t.Error("the second copy differs from the first")
	}
}

func TestDelivery_HeldDoubtIsNotSentAgain(t *testing.T) {
	t.Parallel()
	r, _, _ := newsroom(t, newsroomtest.Options{SMTP: smtptest.Options{Faults: []smtptest.Fault{
		{At: smtptest.AtDot, To: "r2@example.org", Action: smtptest.HangUp, Count: true},
	}}}, 3)
	e := r.Begin("daily-news")
	r.Exec("UPDATE editions SET on_doubt = 'hold'")
	if err := r.Desk.Carry(t.Context(), e.ID, 10*time.Second, nil); err != nil {
		t.Fatal(err)
	}
	_, tally := r.Tally(e.ID)
	want(t, tally, "planned 3 accepted 2 refused 0 expired 0 in_doubt 1 withheld 0 waiting 0")
	each(t, r, []string{"r2@example.org"}, 1)
}

func TestDelivery_AReaderWhoLeavesAfterPlanningGetsNothing(t *testing.T) {
	t.Parallel()
	r, n, _ := newsroom(t, newsroomtest.Options{}, 3)
	e := r.Begin("daily-news")
	sub, err := r.Store.SubscriberByKey(t.Context(), "r2@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Store.Leave(t.Context(), newsletter.Link{SubscriberID: sub.ID, NewsletterID: n.ID, EditionID: e.ID}, newsletter.Origin{Channel: "one_click"}, r.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); err != nil {
		t.Fatal(err)
	}
	_, tally := r.Tally(e.ID)
	want(t, tally, "planned 3 accepted 2 refused 0 expired 0 in_doubt 0 withheld 1 waiting 0")
	if tally.Reasons[newsletter.ReasonLeft] != 1 || r.Received()["r2@example.org"] != 0 {
		t.Errorf("withheld for %v", tally.Reasons)
	}
}

func TestDelivery_ExpiresLoudlyAndReleases(t *testing.T) {
	t.Parallel()
	r, _, readers := newsroom(t, newsroomtest.Options{SMTP: smtptest.Options{Faults: []smtptest.Fault{
		{At: smtptest.AtRcpt, To: "r1@example.org", Times: 1, Reply: "451 later"},
	}}}, 2)
	e := r.Begin("daily-news")
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); !errors.As(err, new(*delivery.UnfinishedError)) {
		t.Fatal(err)
	}
	r.Clock.Add(49 * time.Hour)
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); err != nil {
		t.Fatal(err)
	}
	_, tally := r.Tally(e.ID)
	want(t, tally, "planned 2 accepted 1 refused 0 expired 1 in_doubt 0 withheld 0 waiting 0")
	_, tally = r.Send("daily-news")
	want(t, tally, "planned 2 accepted 1 refused 0 expired 0 in_doubt 0 withheld 1 waiting 0")
	each(t, r, readers, 1)
}

func TestDelivery_TheRelaysFaultPausesTheEditionAndLosesNobody(t *testing.T) {
	t.Parallel()
	r, _, readers := newsroom(t, newsroomtest.Options{SMTP: smtptest.Options{Faults: []smtptest.Fault{
		{At: smtptest.AtMail, Times: 4, Reply: "550 5.7.1 sender not allowed here"},
	}}}, 6)
	e := r.Begin("daily-news")
	err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil)
	paused, ok := errors.AsType[*delivery.PausedError](err)
	if !ok || !strings.Contains(paused.Reason, "sender not allowed here") {
		t.Fatalf("it ends with %v", err)
	}
	if edition, tally := r.Tally(e.ID); edition.State != newsletter.EditionPaused || tally.WaitingCount() != 6 {
		t.Errorf("the edition is %s, %s", edition.State, counts(tally))
	}
	r.SMTP.SetFaults()
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); err != nil {
		t.Fatal(err)
	}
	each(t, r, readers, 1)
}

func TestDelivery_PausesWhenTheFirstTwentyAreAllRefused(t *testing.T) {
	t.Parallel()
	r, _, _ := newsroom(t, newsroomtest.Options{Connections: 1, SMTP: smtptest.Options{Faults: []smtptest.Fault{
		{At: smtptest.AtDot, Reply: "554 5.7.1 looks like spam"},
	}}}, 30)
	e := r.Begin("daily-news")
	err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil)
	if !errors.As(err, new(*delivery.PausedError)) {
		t.Fatalf("it ends with %v", err)
	}
	_, tally := r.Tally(e.ID)
	want(t, tally, "planned 30 accepted 0 refused 20 expired 0 in_doubt 0 withheld 0 waiting 10")
}

func TestDelivery_ASilentRelayEndsTheCommandAndKeepsTheRows(t *testing.T) {
	t.Parallel()
	r, _, _ := newsroom(t, newsroomtest.Options{SMTP: smtptest.Options{Faults: []smtptest.Fault{
		{At: smtptest.AtConnect, Reply: "421 4.3.2 too busy"},
	}}}, 4)
	e := r.Begin("daily-news")
	err := r.Desk.Carry(t.Context(), e.ID, time.Minute, func(newsletter.Pulse, bool) { r.Clock.Add(10 * time.Second) })
	unfinished, ok := errors.AsType[*delivery.UnfinishedError](err)
	if !ok || unfinished.Waiting != 4 || unfinished.Relay == nil || !strings.Contains(err.Error(), "too busy") {
		t.Fatalf("it ends with %v", err)
	}
}

func TestDelivery_CancelledFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	r, _, readers := newsroom(t, newsroomtest.Options{Connections: 2, SMTP: smtptest.Options{Faults: []smtptest.Fault{
		{At: smtptest.AtDot, Skip: 3, Times: 1, Action: smtptest.Stall},
	}}}, 30)
	e := r.Begin("daily-news")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Desk.Carry(ctx, e.ID, time.Minute, nil) }()
	if err := r.SMTP.WaitStalled(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	r.SMTP.Release()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("it ends with %v", err)
	}
	_, tally := r.Tally(e.ID)
	if tally.Counts[newsletter.Sending] != 0 || tally.Counts[newsletter.Accepted] != len(r.SMTP.Messages()) {
		t.Errorf("%s, and %d messages arrived", counts(tally), len(r.SMTP.Messages()))
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	each(t, r, readers, 1)
}

// A process that dies between intent and result leaves its row in state sending: whoever
// takes the sender role next finds it in doubt, and says so.
func TestDelivery_WhatACrashLeftIsInDoubt(t *testing.T) {
	t.Parallel()
	r, _, readers := newsroom(t, newsroomtest.Options{}, 4)
	e := r.Begin("daily-news")
	rows, err := r.Store.WaitingDeliveries(t.Context(), e.ID, 1, 1)
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	intent := newsletter.Intent{DeliveryKey: newsletter.DeliveryKey{EditionID: e.ID, SubscriberID: 2}, VariantID: rows[0].VariantID, Email: "r2@example.org"}
	results, err := r.Store.Steps(t.Context(), []newsletter.Step{{Next: &intent}}, r.Barred, r.Clock.Now())
	if err != nil || !results[0].Begun {
		t.Fatal(results, err)
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	_, tally := r.Tally(e.ID)
	want(t, tally, "planned 4 accepted 4 refused 0 expired 0 in_doubt 0 withheld 0 waiting 0")
	if tally.Doubted != 1 {
		t.Errorf("%d on record as doubted", tally.Doubted)
	}
	each(t, r, readers, 1)
}

func TestDelivery_CommandHandsOverToAService(t *testing.T) {
	t.Parallel()
	r, _, readers := newsroom(t, newsroomtest.Options{Connections: 1, SMTP: smtptest.Options{Faults: []smtptest.Fault{
		{At: smtptest.AtDot, Skip: 5, Times: 1, Action: smtptest.Stall},
	}}}, 30)
	e := r.Begin("daily-news")
	ended := make(chan error, 1)
	watched := make(chan struct{}, 1000)
	go func() {
		ended <- r.Desk.Carry(t.Context(), e.ID, time.Hour, func(_ newsletter.Pulse, watching bool) {
			if watching {
				select {
				case watched <- struct{}{}:
				default:
				}
			}
		})
	}()
	if err := r.SMTP.WaitStalled(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	service, err := r.Store.AnnounceService(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(time.Second)
	r.SMTP.Release()
	<-watched
	if len(r.SMTP.Messages()) >= 30 {
		t.Fatal("the command sent everything before it looked for a service")
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	other := r.NewEngine()
	go func() { served <- other.Serve(ctx) }()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	if err := service.Close(); err != nil {
		t.Fatal(err)
	}
	each(t, r, readers, 1)
}
