package readers_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// Whatever happens in whatever order, a model of a few lines says who is active: nobody
// becomes so but by confirming a sign-up made after the last leaving, by staff, by a file,
// or by taking leaving back; and who left comes back only by their own hand (S26).
func TestSubscription_AnyHistoryKeepsToTheRules(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			play(t, rand.New(rand.NewPCG(seed, 1)))
		})
	}
}

// request is a sign-up as the model knows it.
type request struct {
	id   int64
	made time.Time
	used bool
}

func play(t *testing.T, random *rand.Rand) {
	const email = "a@example.org"
	w := newWorld(t)
	var (
		requests []*request
		state    newsletter.SubscriptionState
		leftAt   time.Time
		byLink   bool // the last leaving was by the link
		joined   bool
		trace    []string
	)
	token := func() string { return w.unsubscribeToken(w.subscriber(email), w.daily, 3) }
	for range 60 {
		w.wait(time.Duration(random.IntN(30*3600*1000)+1) * time.Millisecond)
		now := w.clock()
		action := random.IntN(7)
		if state == "" && action > 1 {
			action = 0
		}
		trace = append(trace, fmt.Sprintf("%d@%s", action, now.Sub(monday)))
		switch action {
		case 0: // sign up
			w.signUp(email)
			requests = append(requests, &request{id: int64(w.count(`SELECT MAX(id) FROM signups`)), made: now})
			if state == "" {
				state = newsletter.Pending
			}
		case 1, 2: // confirm any of the sign-ups, by a token as its mail has it
			if len(requests) == 0 {
				continue
			}
			r := requests[random.IntN(len(requests))]
			su, err := w.store.FindSignUp(t.Context(), r.id)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.Confirm(t.Context(), w.keys.Confirmation(su.ID, su.Nonce), "en", newsletter.Origin{})
			superseded := state == newsletter.Left && !r.made.After(leftAt)
			expired := !now.Before(su.ExpiresAt)
			if wantErr := !r.used && !superseded && expired; (err != nil) != wantErr {
				t.Fatalf("%v: confirm: %v", trace, err)
			}
			if !r.used && !superseded && !expired {
				r.used, joined, state = true, true, newsletter.Active
			}
		case 3: // leave by the link
			if _, err := w.Leave(t.Context(), token(), newsletter.Origin{}); err != nil {
				t.Fatal(err)
			}
			if state != newsletter.Left {
				state, leftAt, byLink = newsletter.Left, now, true
			}
		case 4: // undo
			_, err := w.UndoLeave(t.Context(), token(), newsletter.Origin{})
			may := state != newsletter.Left || byLink && now.Sub(leftAt) <= newsletter.UndoTime
			if (err == nil) != may {
				t.Fatalf("%v: undo: %v", trace, err)
			}
			if state == newsletter.Left && may {
				state = newsletter.Pending
				if joined {
					state = newsletter.Active
				}
			}
		case 5: // staff remove
			if _, err := w.Remove(t.Context(), email, "", newsletter.Origin{}); err != nil {
				t.Fatal(err)
			}
			if state != newsletter.Left {
				state, leftAt, byLink = newsletter.Left, now, false
			}
		case 6: // staff import
			_, err := w.Import(t.Context(), strings.NewReader("email\n"+email), readers.ImportOptions{Newsletter: "daily-news", Consent: "x"})
			if err != nil {
				t.Fatal(err)
			}
			if state == newsletter.Pending {
				state, joined = newsletter.Active, true
			}
		}
		if state == "" {
			continue
		}
		if got := w.states(email); got != "daily-news:"+string(state) {
			t.Fatalf("%v: %s, want %s", trace, got, state)
		}
	}
}
