package desk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// RelatedStore knows what editions gave.
type RelatedStore interface {
	ArticlesGiven(ctx context.Context, since time.Time) ([]int64, error)
}

// relatedFor returns the stories that stand under the draft's articles as related, if the
// newsletter has them: those that no edition ever gave to anybody and that this one does not
// either, so that whoever gets the link did not have the story. They get their verdict.
func (d *Desk) relatedFor(ctx context.Context, draft *Draft, taken, candidates []newsletter.Candidate) (map[int64][]newsletter.Candidate, error) {
	n := draft.Newsletter
	if n.Related == 0 || len(taken) == 0 {
		return nil, nil //nolint:nilnil // none is wanted
	}
	owed := func(c newsletter.Candidate) bool { // to somebody, now
		readers := draft.Survey.Verdicts[c.ID]
		return readers[newsletter.Taken]+readers[newsletter.Repeated]+readers[newsletter.OverCap]+readers[newsletter.BelowMinimum] > 0 ||
			slices.ContainsFunc(taken, func(t newsletter.Candidate) bool { return t.ID == c.ID })
	}
	pool, err := d.relatable(ctx, draft, candidates)
	if err != nil {
		return nil, err
	}
	pool = slices.DeleteFunc(pool, owed)
	related := newsletter.RelatedStories(n.Language, taken, pool, n.Related)
	for i, a := range draft.Articles {
		for _, stories := range related {
			if slices.ContainsFunc(stories, func(c newsletter.Candidate) bool { return c.ID == a.ID }) {
				draft.Articles[i].Verdict = newsletter.IsRelated
			}
		}
	}
	return related, nil
}

// relatable returns those of the candidates that may be related stories and that no edition gave.
func (d *Desk) relatable(ctx context.Context, draft *Draft, candidates []newsletter.Candidate) ([]newsletter.Candidate, error) {
	given, err := d.o.Press.Store.ArticlesGiven(ctx, draft.Edition.AsOf.Add(-newsletter.MaxLookBack))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(candidates), func(c newsletter.Candidate) bool {
		_, had := slices.BinarySearch(given, c.ID)
		return had || !newsletter.MayBeRelated(c, draft.lookedAt())
	}), nil
}

// lookedAt is when what came by then was looked at: nothing in a draft moves by itself.
func (draft *Draft) lookedAt() time.Time {
	if draft.record != nil && !draft.record.Sheet.Until.IsZero() {
		return draft.record.Sheet.Until
	}
	return draft.Edition.AsOf
}

// stillRelated is a Conflict with the reason changed if a related story of the draft was given to
// somebody, held or withdrawn meanwhile. The caller holds the planning lock.
func (d *Desk) stillRelated(ctx context.Context, draft *Draft) error {
	stories := draft.Snapshot.RelatedStories()
	if len(stories) == 0 {
		return nil
	}
	candidates, err := d.o.Press.Store.Candidates(ctx, draft.Newsletter.ID, draft.Edition.AsOf.Add(-newsletter.MaxLookBack))
	if err != nil {
		return err
	}
	pool, err := d.relatable(ctx, draft, candidates)
	if err != nil {
		return err
	}
	for _, id := range stories {
		if !slices.ContainsFunc(pool, func(c newsletter.Candidate) bool { return c.ID == id }) {
			return &newsletter.Error{Kind: newsletter.Conflict, Reason: "changed",
				Message: fmt.Sprintf("article %d, which is a related story of this edition, was given to somebody, held or withdrawn meanwhile; build the edition again", id)}
		}
	}
	return nil
}
