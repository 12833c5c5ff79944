package delivery

import (
	"context"
	"fmt"
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
	for first := range k.queue {
		group, steps = append(group[:0], first), append(steps[:0], first.step)
		for more := true; more && len(group) < maxGroup; {
			select {
			case s, ok := <-k.queue:
				if more = ok; ok {
					group, steps = append(group, s), append(steps, s.step)
				}
			default:
				more = false
			}
		}
		results, err := k.ledger.Steps(ctx, steps, k.key, k.now())
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
