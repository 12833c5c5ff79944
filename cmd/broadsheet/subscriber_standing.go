package main

import (
	"context"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// subscriberStanding says whether a subscriber may be mailed, and whether a sign-up waits.
type subscriberStanding struct {
	Suppression   *suppressionView   `json:"suppression"`     // null: the address may be mailed
	WaitingSignUp *waitingSignUpView `json:"waiting_sign_up"` // null: none

	words string // why the address must not be mailed
}

// waitingSignUpView is a sign-up that is not confirmed, in JSON.
type waitingSignUpView struct {
	CreatedAt   *time.Time `json:"created_at"`
	Newsletters []string   `json:"newsletters"`
	Why         string     `json:"why"`
}

func standingOf(ctx context.Context, r *readers.Service, sub newsletter.Subscriber) (v subscriberStanding, err error) {
	st, err := r.Standing(ctx, sub.Email)
	if err != nil {
		return v, err
	}
	v.words = standingWords(st)
	if st.Suppressed() {
		v.Suppression = new(viewSuppression(st.Strongest()))
	}
	w, ok, err := r.Waiting(ctx, sub)
	if err == nil && ok {
		v.WaitingSignUp = &waitingSignUpView{utc(w.CreatedAt), w.Newsletters, w.Why}
	}
	return v, err
}

// fields are what a person reads of it.
func (v subscriberStanding) fields() [][2]string {
	fields := [][2]string{{"suppressed", v.words}}
	if w := v.WaitingSignUp; w != nil {
		fields = append(fields, [2]string{"waits", "the sign-up of " + local(*w.CreatedAt) + " for " + strings.Join(w.Newsletters, ", ") + ": " + w.Why})
	}
	return fields
}
