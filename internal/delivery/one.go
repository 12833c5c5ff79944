package delivery

import (
	"context"
	"errors"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// ReaderChoice is what one reader gets of an edition.
type ReaderChoice struct {
	newsletter.Copy
	Reason   string                       // why they get nothing; empty: they get the copy
	Verdicts map[int64]newsletter.Verdict // of each candidate; empty if it did not come to that
}

// ChooseOneThen is ChooseOne of an edition that was planned, without the editions after it.
func ChooseOneThen(ctx context.Context, store PlanStore, e Edition, subscriber int64) (r ReaderChoice, ok bool, err error) {
	return ChooseOne(ctx, before{store, e.ID}, e, subscriber)
}

// before is the store without an edition and those after it.
type before struct {
	PlanStore
	edition int64
}

func (b before) PastEditions(ctx context.Context, since time.Time, articles []int64) ([]newsletter.PastEdition, error) {
	list, err := b.PlanStore.PastEditions(ctx, since, articles)
	return slices.DeleteFunc(list, func(p newsletter.PastEdition) bool { return p.ID >= b.edition }), err
}

// ChooseOne decides what one reader gets, as planning would, and changes nothing. ok is false if
// the subscriber is not among the edition's readers.
func ChooseOne(ctx context.Context, store PlanStore, e Edition, subscriber int64) (r ReaderChoice, ok bool, err error) {
	c, err := newChooser(ctx, store, e)
	if err != nil {
		return r, false, err
	}
	err = c.each(ctx, subscriber-1, func(choices []choice) error {
		if choices[0].subscriber == subscriber {
			d := choices[0].decision
			r, ok = ReaderChoice{Copy: d.copy, Reason: d.reason, Verdicts: map[int64]newsletter.Verdict{}}, true
			for i, v := range d.verdicts {
				r.Verdicts[e.Candidates[i].ID] = v
			}
		}
		return errFound
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return r, ok, err
}
