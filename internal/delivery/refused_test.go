package delivery_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

// A message that no relay would take from us for anybody is nobody's refusal: the edition is
// paused, and no reader is lost to it.
func TestDelivery_ALimitOfTheRelayPausesTheEdition(t *testing.T) {
	t.Parallel()
	r, _, _ := newsroom(t, newsroomtest.Options{SMTP: smtptest.Options{Size: 2000}}, 40)
	e := r.Begin("daily-news")
	paused, ok := errors.AsType[*delivery.PausedError](r.Desk.Carry(t.Context(), e.ID, time.Second, nil))
	if !ok || !strings.Contains(paused.Reason, "octets") {
		t.Fatalf("it ends with %v", paused)
	}
	_, tally := r.Tally(e.ID)
	want(t, tally, "planned 40 accepted 0 refused 0 expired 0 in_doubt 0 withheld 0 waiting 40")
}

// Readers who are refused, all of them, after others were accepted are just refused.
func TestDelivery_AnEditionThatWasAcceptedIsNotPausedForTheRest(t *testing.T) {
	t.Parallel()
	r, _, _ := newsroom(t, newsroomtest.Options{Connections: 2}, 60)
	var later, refused []smtptest.Fault
	for i := 1; i <= 25; i++ {
		to := fmt.Sprintf("r%d@example.org", i)
		later = append(later, smtptest.Fault{At: smtptest.AtRcpt, To: to, Times: 1, Reply: "451 4.7.1 later"})
		refused = append(refused, smtptest.Fault{At: smtptest.AtRcpt, To: to, Reply: "550 5.1.1 no such user"})
	}
	r.SMTP.SetFaults(later...)
	e := r.Begin("daily-news")
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); !errors.As(err, new(*delivery.UnfinishedError)) {
		t.Fatalf("the first run ends with %v", err)
	}
	r.SMTP.SetFaults(refused...)
	r.Clock.Add(time.Hour)
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); err != nil {
		t.Fatalf("the second run ends with %v", err)
	}
	_, tally := r.Tally(e.ID)
	want(t, tally, "planned 60 accepted 35 refused 25 expired 0 in_doubt 0 withheld 0 waiting 0")
	saysOf(t, r, 1, "soft user_unknown: too many were refused at once to blame the address alone; failed on 1 of 5 days")
}

// saysOf compares what is on record of what came back of a reader's messages.
func saysOf(t *testing.T, r *newsroomtest.Newsroom, subscriber int64, want string) {
	t.Helper()
	list, err := r.Store.Returns(t.Context(), subscriber, 10)
	got := ""
	for _, one := range list {
		got += fmt.Sprintf("%s %s: %s", one.Kind, one.Reason, one.Effect)
	}
	if err != nil || got != want {
		t.Errorf("of reader %d came back %q (%v), want %q", subscriber, got, err, want)
	}
}

// Who does not exist is not written to again; who was refused for another reason is.
func TestDelivery_AnAddressRefusedAsDeadIsSuppressed(t *testing.T) {
	t.Parallel()
	r, _, _ := newsroom(t, newsroomtest.Options{}, 20)
	var faults []smtptest.Fault
	for i, reply := range []string{"550 5.1.1 no such user", "554 5.7.1 Client host blocked using a list", "550 5.1.8 Sender address rejected: Domain not found", "552 5.2.2 mailbox full"} {
		faults = append(faults, smtptest.Fault{At: smtptest.AtRcpt, To: fmt.Sprintf("r%d@example.org", i+1), Reply: reply})
	}
	r.SMTP.SetFaults(faults...)
	e, tally := r.Send("daily-news")
	want(t, tally, "planned 20 accepted 16 refused 4 expired 0 in_doubt 0 withheld 0 waiting 0")
	saysOf(t, r, 1, "hard user_unknown: the address is suppressed (hard_bounce)")
	for id := int64(2); id <= 4; id++ {
		saysOf(t, r, id, "")
	}
	if rep, err := r.Store.Report(t.Context(), e.ID); err != nil || rep.Returned != nil {
		t.Errorf("the report takes it for a message that came back: %+v (%v)", rep.Returned, err)
	}
}
