// Package schedule finds what is due and asks the desk to do it: sources to poll, slots to
// build, planning that was cut off. The database decides what is due, not the ticker, so a
// restart loses nothing and two processes that tick together do nothing twice.
package schedule

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"broadsheet/internal/desk"
)

// Desk does what is due.
type Desk interface {
	// FinishPlanning goes on with editions whose planning was cut off.
	FinishPlanning(ctx context.Context, progress func(rows int)) error
	// RunSlots builds the slots that are due, and records those overdue by more than grace.
	RunSlots(ctx context.Context, grace time.Duration) error
	// PollDue asks the sources that are due.
	PollDue(ctx context.Context) ([]desk.Fetched, error)
}

// Job is something else to be done now and then, such as removing old counters.
type Job struct {
	Name  string
	Every time.Duration
	Do    func(context.Context) error
}

// Schedule ticks.
type Schedule struct {
	Desk   Desk
	Jobs   []Job
	Grace  time.Duration // how late a slot is made up
	Every  time.Duration // between two looks
	Logger *slog.Logger
}

// Run looks for what is due until ctx ends, and returns when nothing is under way any more.
// What fails is logged and tried again at the next look. Slots do not wait for slow sources.
func (s *Schedule) Run(ctx context.Context) {
	var loops sync.WaitGroup
	loops.Go(func() {
		s.loop(ctx, "planning", s.Every, func(ctx context.Context) error { return s.Desk.FinishPlanning(ctx, nil) })
	})
	loops.Go(func() {
		s.loop(ctx, "slots", s.Every, func(ctx context.Context) error { return s.Desk.RunSlots(ctx, s.Grace) })
	})
	loops.Go(func() {
		s.loop(ctx, "sources", s.Every, func(ctx context.Context) error { // what fails is recorded with its source
			_, err := s.Desk.PollDue(ctx)
			return err
		})
	})
	for _, j := range s.Jobs {
		loops.Go(func() { s.loop(ctx, j.Name, j.Every, j.Do) })
	}
	loops.Wait()
}

func (s *Schedule) loop(ctx context.Context, name string, every time.Duration, do func(context.Context) error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			s.Logger.Error("the schedule could not do what is due; it tries again", "what", name, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
