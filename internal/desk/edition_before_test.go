package desk_test

import (
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// A first digest is a whole one, also where nobody got the edition before: what it had is owed to
// those who joined since as well. What one reader got, was the edition before.
func TestEditionBefore_OneThatNobodyGotIsNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ends func(*newsroomtest.Newsroom, newsletter.Edition) error
		want map[newsletter.State]int // of the next edition
	}{
		"cancelled": {func(r *newsroomtest.Newsroom, e newsletter.Edition) error {
			_, err := r.Desk.Cancel(t.Context(), e.ID, "the wrong day")
			return err
		}, map[newsletter.State]int{newsletter.Accepted: 3}},
		"expired": {func(r *newsroomtest.Newsroom, e newsletter.Edition) error {
			r.Clock.Add(25 * time.Hour)
			return r.Desk.Carry(t.Context(), e.ID, time.Minute, nil)
		}, map[newsletter.State]int{newsletter.Accepted: 3}},
		"refused, and counted": {func(r *newsroomtest.Newsroom, e newsletter.Edition) error {
			r.Exec(`UPDATE deliveries SET state = 4, code = 550`)
			if _, err := r.Store.FinishEdition(t.Context(), e.ID, r.Clock.Now()); err != nil {
				return err
			}
			return r.Desk.Tidy(t.Context())
		}, map[newsletter.State]int{newsletter.Accepted: 3}},
		"cancelled when one had it": {func(r *newsroomtest.Newsroom, e newsletter.Edition) error {
			r.Exec(`UPDATE deliveries SET state = 3 WHERE subscriber_id = 2`)
			if _, err := r.Desk.Cancel(t.Context(), e.ID, ""); err != nil {
				return err
			}
			return r.Desk.Tidy(t.Context())
		}, map[newsletter.State]int{newsletter.Accepted: 1, newsletter.Withheld: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, n := newsroomWith(t, 2)
			e := r.Begin("daily-news")
			r.Clock.Add(time.Hour)
			r.Readers(n, 3, 3)
			if err := c.ends(r, e); err != nil {
				t.Fatal(err)
			}
			_, tally := r.Send("daily-news")
			wantStates(t, tally, c.want)
		})
	}
}

// A review that was cancelled is made again with all that it had.
func TestEditionBefore_ACancelledReviewRepeatsOnceMore(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 1)
	review := r.Newsletter("review", func(n *newsletter.Newsletter) { n.Repeats = newsletter.RepeatAsHeadlines })
	r.Readers(review, 1, 1)
	r.Send("daily-news")
	r.Clock.Add(time.Hour)
	e := r.Begin("review")
	if _, err := r.Desk.Cancel(t.Context(), e.ID, ""); err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(time.Minute)
	draft, err := r.Build("review")
	if err != nil || len(draft.Survey.Variants) != 1 || len(draft.Survey.Variants[0].Headlines) != 2 {
		t.Errorf("the review has %+v (%v)", draft, err)
	}
}
