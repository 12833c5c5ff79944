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

// verdicts returns what was decided about each candidate for the first reader of the chunk at hand.
func (c *chooser) verdicts(o *outcome) map[int64]newsletter.Verdict {
	list := map[int64]newsletter.Verdict{}
	if o == &c.suppressed || o == &c.paused {
		return list
	}
	rules := c.rulesFor(&c.readers[0], c.pasts.lastGot[0])
	had, _ := c.pasts.of(0)
	for i, candidate := range c.edition.Candidates {
		v := rules.without[i]
		if rules.differs.has(i) && had.has(i) {
			v = newsletter.HadAlready
		}
		list[candidate.ID] = v
	}
	for _, v := range o.verdicts {
		list[c.edition.Candidates[v.at].ID] = v.verdict
	}
	return list
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
			r, ok = ReaderChoice{Copy: choices[0].copy, Reason: choices[0].reason, Verdicts: c.verdicts(choices[0].outcome)}, true
		}
		return errFound
	})
	if errors.Is(err, errFound) {
		err = nil
	}
	return r, ok, err
}
