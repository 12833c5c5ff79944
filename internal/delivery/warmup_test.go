package delivery_test

import (
	"errors"
	"testing"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// An edition with a warm-up goes out over days, however often it is asked to go on, and
// nobody is lost or given it twice.
func TestDelivery_AWarmUpIsKeptDayByDay(t *testing.T) {
	t.Parallel()
	r, n, readers := newsroom(t, newsroomtest.Options{}, 30)
	draft, err := r.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: n.Slug, WarmUp: newsletter.WarmUp{PerDay: 5, Growth: 2}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := draft.Edition.ExpiresAt, newsroomtest.Start.Add(48*time.Hour); got.Before(want) {
		t.Fatalf("three days are needed, and it expires at %s", got)
	}
	e, err := r.Desk.Start(t.Context(), draft, nil)
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	for day, want := range []int{5, 15, 30} { // 5, 10 more, then the rest
		for range 2 {
			err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil)
			unfinished, ok := errors.AsType[*delivery.UnfinishedError](err)
			if day < 2 && (!ok || !unfinished.NextTry.Equal(r.Clock.Now().Truncate(24*time.Hour).Add(24*time.Hour))) || day == 2 && err != nil {
				t.Fatalf("day %d ends with %v", day, err)
			}
			if sent = len(r.SMTP.Messages()); sent != want {
				t.Fatalf("on day %d there are %d messages, want %d", day, sent, want)
			}
		}
		r.Clock.Add(24 * time.Hour)
	}
	each(t, r, readers, 1)
}
