package delivery_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// Planning that is stopped after any chunk goes on behind it, and makes the rows that the
// survey promised.
func TestPlan_StoppedAfterAnyChunkGoesOn(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	n := r.Newsletter("daily-news", nil)
	const readers = 21_000
	c := planCase{readers: readers, sections: true}
	c.subscribe(r, n)
	c.publish(r, 0)
	r.Clock.Add(time.Minute)
	draft, err := r.Build(n.Slug)
	if err != nil {
		t.Fatal(err)
	}
	reached := 0
	stopped := func(do func(ctx context.Context, progress func(int)) error) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if err := do(ctx, func(rows int) { reached += rows; cancel() }); !errors.Is(err, context.Canceled) {
			t.Fatalf("it ends with %v", err)
		}
		tally, err := r.Store.Tally(t.Context(), 1)
		if err != nil || tally.Check() != nil || tally.Planned != reached || reached >= readers {
			t.Fatalf("after %d rows of %d the ledger is %+v (%v)", reached, readers, tally, err)
		}
	}
	stopped(func(ctx context.Context, progress func(int)) error {
		_, err := r.Desk.Start(ctx, draft, progress)
		return err
	})
	stopped(r.Desk.FinishPlanning)
	if err := r.Desk.FinishPlanning(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	e, tally := r.Tally(1)
	if e.PlannedAt.IsZero() || tally.Planned != readers || tally.Counts[newsletter.Waiting] != draft.Survey.Readers ||
		tally.Reasons[newsletter.ReasonNothingNew] != draft.Survey.Withheld[newsletter.ReasonNothingNew] {
		t.Errorf("the ledger is %+v, the survey %d, %v", tally, draft.Survey.Readers, draft.Survey.Withheld)
	}
	r.Clock.Add(time.Minute)
	if _, err := r.Build(n.Slug); newsletter.ReasonOf(err) != newsletter.SkippedNothingNew {
		t.Errorf("everybody holds it now, and another edition gives %v", err)
	}
}
