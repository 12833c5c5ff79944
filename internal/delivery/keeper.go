package delivery

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"broadsheet/internal/newsletter"
)

// keeper writes the ledger for all workers: what they submit while one transaction is being
// committed goes into the next one together.
type keeper struct {
	ledger Ledger
	key    newsletter.SuppressionKey
	now    func() time.Time
	queue  chan submission
	busy   atomic.Int64  // workers that are under way with a message
	took   time.Duration // the last transaction
}

type submission struct {
	step   newsletter.Step
	answer chan<- newsletter.StepResult // has room for it
}

// maxGroup is how many steps one transaction has at most.
const maxGroup = 256

func newKeeper(ledger Ledger, key newsletter.SuppressionKey, now func() time.Time) *keeper {
	return &keeper{ledger: ledger, key: key, now: now, queue: make(chan submission, maxGroup)}
}

// submit has the step recorded; what became of it comes as the answer.
func (k *keeper) submit(step newsletter.Step, answer chan<- newsletter.StepResult) {
	k.queue <- submission{step, answer}
}

// keep writes until the queue is closed.
func (k *keeper) keep(ctx context.Context) {
	var group []submission
	var steps []newsletter.Step
	patience := time.NewTimer(0)
	defer patience.Stop()
	for first := range k.queue {
		group = k.gather(append(group[:0], first), patience)
		steps = steps[:0]
		for _, s := range group {
			steps = append(steps, s.step)
		}
		began := time.Now()
		results, err := k.ledger.Steps(ctx, steps, k.key, k.now())
		k.took = time.Since(began)
		if err == nil && len(results) != len(steps) {
			err = fmt.Errorf("the ledger answered %d of %d steps", len(results), len(steps))
		}
		for i, s := range group {
			if err != nil {
				s.answer <- newsletter.StepResult{Err: err}
				continue
			}
			s.answer <- results[i]
		}
	}
}

// gather takes what else was submitted. As long as workers are under way with a message it
// waits for them, for as long as a transaction takes: a transaction costs nearly the same
// whatever is in it, and without waiting they would go in halves, each waiting for the other's.
func (k *keeper) gather(group []submission, patience *time.Timer) []submission {
	patience.Reset(min(k.took, maxPatience))
	for len(group) < min(int(k.busy.Load()), maxGroup) {
		select {
		case s, ok := <-k.queue:
			if !ok {
				return group
			}
			group = append(group, s)
		case <-patience.C:
			return k.gatherWaiting(group)
		}
	}
	return k.gatherWaiting(group)
}

// gatherWaiting takes what is in the queue.
func (k *keeper) gatherWaiting(group []submission) []submission {
	for len(group) < maxGroup {
		select {
		case s, ok := <-k.queue:
			if !ok {
				return group
			}
			group = append(group, s)
		default:
			return group
		}
	}
	return group
}

// maxPatience is the longest that a transaction is held back for those who may come.
const maxPatience = 2 * time.Millisecond
