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
}
