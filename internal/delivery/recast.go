package delivery

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
)

// RecastStore is what Recast reads and writes.
type RecastStore interface {
	SnapshotStore
	WithdrawnIn(ctx context.Context, editionID int64) (map[int64]time.Time, error)
	WithdrawnVariants(ctx context.Context, editionID int64) ([]newsletter.StoredVariant, error)
	ComposedVariants(ctx context.Context, editionID int64) (int, error)
	SaveVariants(ctx context.Context, editionID int64, variants []newsletter.NewVariant) ([]int64, error)
	ReplaceVariants(ctx context.Context, by map[int64]int64) error
	MoveWithdrawn(ctx context.Context, editionID int64, actor string, now time.Time) (newsletter.Recast, error)
}

// Recast gives readers who wait for an edition, and whose copy has something that was withdrawn,
// a copy without it: the same function of the edition and what is left. Who has nothing left is
// withheld. At most so many variants of the edition are stored as messages; 0: MaxComposed.
//
// It goes on where an earlier call was cut off, and may be called by several at once. What is
// being handed over meanwhile is not changed; if it comes back to wait, it is at the next call.
func Recast(ctx context.Context, store RecastStore, editionID int64, most int, actor string, now func() time.Time) (newsletter.Recast, error) {
	variants, err := store.WithdrawnVariants(ctx, editionID)
	if err == nil && len(variants) > 0 {
		err = replace(ctx, store, editionID, cmp.Or(most, MaxComposed), variants)
	}
	if err != nil {
		return newsletter.Recast{}, fmt.Errorf("copies of edition %d without what was withdrawn: %w", editionID, err)
	}
	return store.MoveWithdrawn(ctx, editionID, actor, now())
}

// Left returns what is left of a copy without what was withdrawn from the edition since it was
// frozen, and when; ok is false if that is nothing to send.
func Left(s digest.Snapshot, c newsletter.Copy, withdrawn map[int64]time.Time) (rest newsletter.Copy, ok bool) {
	if len(withdrawn) == 0 {
		return c, true
	}
	articles := make(map[int64]bool, len(withdrawn))
	for id := range withdrawn {
		articles[id] = true
	}
	rest, ok = c.Without(articles)
	rest.Gone = slices.DeleteFunc(s.RelatedStories(), func(id int64) bool { return !articles[id] })
	return rest, ok
}

// replace makes the variants that take the place of others, a few at a time.
func replace(ctx context.Context, store RecastStore, editionID int64, most int, variants []newsletter.StoredVariant) error {
	c := composer{editionID: editionID, most: most}
	var err error
	if c.snapshot, err = LoadSnapshot(ctx, store, editionID); err != nil {
		return err
	}
	times, err := store.WithdrawnIn(ctx, editionID)
	if err != nil {
		return err
	}
	if c.renderer, err = digest.NewRenderer(c.snapshot); err != nil {
		return err
	}
	if c.composed, err = store.ComposedVariants(ctx, editionID); err != nil {
		return err
	}
	for first := 0; first < len(variants); first += variantsAtOnce {
		part := variants[first:min(first+variantsAtOnce, len(variants))]
		by := make(map[int64]int64, len(part))
		var rests []newsletter.Copy
		var replaced []int64
		for _, v := range part {
			rest, ok := Left(c.snapshot, v.Copy, times)
			if !ok {
				by[v.ID] = 0
				continue
			}
			rests, replaced = append(rests, rest), append(replaced, v.ID)
		}
		made, err := c.newVariants(rests)
		if err != nil {
			return err
		}
		ids, err := store.SaveVariants(ctx, editionID, made)
		if err != nil {
			return err
		}
		for i, id := range ids {
			by[replaced[i]] = id
		}
		if err := store.ReplaceVariants(ctx, by); err != nil {
			return err
		}
	}
	return nil
}
