package schedule_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/schedule"
)

// desks counts what it is asked.
type desks struct{ planning, slots, polls, jobs atomic.Int64 }

func (d *desks) FinishPlanning(context.Context, func(int)) error {
	d.planning.Add(1)
	return nil
}

func (d *desks) RunSlots(context.Context, time.Duration) error {
	d.slots.Add(1)
	return errors.New("the database is busy")
}

// PollDue is slow: a source that does not answer must not hold up the slots.
func (d *desks) PollDue(ctx context.Context) ([]desk.Fetched, error) {
	d.polls.Add(1)
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestRun_LooksAgainAfterFailuresAndWaitsForNoSource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &desks{}
		s := &schedule.Schedule{
			Desk: d, Every: 5 * time.Second, Logger: slog.New(slog.DiscardHandler),
			Jobs: []schedule.Job{{Name: "job", Every: time.Hour, Do: func(context.Context) error {
				d.jobs.Add(1)
				return nil
			}}},
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			s.Run(ctx)
			close(ended)
		}()
		time.Sleep(time.Hour + time.Second) // of the bubble's clock
		synctest.Wait()
		if d.slots.Load() != 721 || d.planning.Load() != 721 || d.polls.Load() != 1 || d.jobs.Load() != 2 {
			t.Errorf("in an hour: slots %d, planning %d, polls %d, jobs %d", d.slots.Load(), d.planning.Load(), d.polls.Load(), d.jobs.Load())
		}
		stop()
		<-ended
	})
}
