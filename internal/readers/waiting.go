package readers

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// Waiting is a sign-up that is not confirmed, and why.
type Waiting struct {
	newsletter.WaitingSignUp
	Why string // a sentence for staff, which says what they can do
}

// Waiting returns a subscriber's sign-up of the last thirty days that has not been confirmed;
// ok is false if there is none. The person was told to look for a mail, whatever became of
// it (S27), so staff have to be able to see it.
func (s *Service) Waiting(ctx context.Context, sub newsletter.Subscriber) (w Waiting, ok bool, err error) {
	w.WaitingSignUp, ok, err = s.store.WaitingSignUp(ctx, sub.ID, s.o.Now())
	if err != nil || !ok {
		return w, false, err
	}
	st, err := s.Standing(ctx, sub.Email)
	if err != nil {
		return w, false, err
	}
	w.Why = whyWaiting(w.WaitingSignUp, st, s.o.Now())
	return w, true, nil
}

func whyWaiting(w newsletter.WaitingSignUp, st Standing, now time.Time) string {
	at := w.MailAt.UTC().Format("2006-01-02 15:04 UTC")
	switch w.MailState {
	case newsletter.Unplanned:
		return whyNoMail(st)
	case newsletter.Waiting, newsletter.Deferred, newsletter.Sending, newsletter.InDoubt:
		return fmt.Sprintf("its confirmation mail is %s since %s", w.MailState, at)
	case newsletter.Accepted:
		why := "its confirmation mail went out on " + at + " and has not been answered"
		if !now.Before(w.ExpiresAt) {
			why += "; the link has expired, and its page offers another"
		}
		return why
	case newsletter.Refused, newsletter.Expired, newsletter.Withheld:
	}
	why := fmt.Sprintf("its confirmation mail was %s on %s", w.MailState, at)
	if w.MailReply != "" {
		why += ": " + w.MailReply
	}
	return why
}

// whyNoMail says why no mail answers a sign-up.
func whyNoMail(st Standing) string {
	switch {
	case st.ByDomain.Reason != "":
		return fmt.Sprintf("no confirmation mail goes out, since all of @%s is suppressed; \"broadsheet suppression remove @%s\" lifts that, and then the person signs up again", st.ByDomain.Domain, st.ByDomain.Domain)
	case st.Own.Reason == "":
		return "another confirmation mail went out shortly before it, and answers it too"
	case st.Own.Reason.LiftedByConfirming():
		return fmt.Sprintf("the address is suppressed (%s), so it gets one confirmation mail in thirty days, and had it; \"broadsheet suppression remove %s\" sends another at once", st.Own.Reason, st.Target)
	}
	return fmt.Sprintf("no confirmation mail goes out, since the address is suppressed (%s); \"broadsheet suppression remove %s --note WHY\" lifts that and sends it", st.Own.Reason, st.Target)
}
