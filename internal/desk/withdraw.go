package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"broadsheet/internal/delivery"
	"broadsheet/internal/newsletter"
)

// Withdrawal is what became of an article that was taken back.
type Withdrawal struct {
	Article  newsletter.Article
	Editions []WithdrawnEdition // that are still to be sent, or that readers have it from
}

// WithdrawnEdition is what that means for an edition.
type WithdrawnEdition struct {
	Edition int64
	newsletter.Recast
	Had int // messages with it that were accepted, are being handed over or are in doubt
}

// Withdraw takes an article back: from one edition that is still to be sent, or with the id 0 from
// everything, and then no edition takes it any more. Who waits for a message with it gets a copy
// without it, or none if nothing is left; of what is left readers miss nothing. What was sent
// cannot be called back. It is marked first: where a copy cannot be made, the error says so, and
// still no message with it goes out. If there is nothing left to withdraw the error is a Conflict.
func (d *Desk) Withdraw(ctx context.Context, articleID, editionID int64) (Withdrawal, error) {
	var w Withdrawal
	lock, err := d.o.Press.Store.LockPlanning(ctx)
	if err != nil {
		return w, fmt.Errorf("wait for planning: %w", err)
	}
	defer lock.Close() // the process's end closes it too
	var already error
	w.Article, err = d.o.Press.Store.WithdrawArticle(ctx, articleID, editionID, d.o.Actor, d.now())
	switch newsletter.KindOf(err) {
	case newsletter.Conflict: // perhaps it was cut off here
		already = err
	default:
		if err != nil {
			return w, err
		}
	}
	editions, err := d.o.Press.Store.EditionsWithout(ctx, articleID)
	if err != nil {
		return w, err
	}
	moved := false
	var failed error
	for _, e := range editions {
		if editionID != 0 && e.ID != editionID {
			continue
		}
		recast, err := d.recast(ctx, e.ID)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		moved = moved || recast != (newsletter.Recast{})
		w.Editions = append(w.Editions, WithdrawnEdition{Edition: e.ID, Recast: recast})
	}
	d.o.Press.Engine.Wake()
	if failed != nil {
		return w, fmt.Errorf("article %d is withdrawn, and no message with it goes out any more; copies without it are not made yet, and are when the same is said again or the sender comes to them: %w", articleID, failed)
	}
	if already != nil && !moved {
		return w, already
	}
	err = d.addReaders(ctx, &w, editionID)
	return w, err
}

// addReaders counts who has the article already.
func (d *Desk) addReaders(ctx context.Context, w *Withdrawal, editionID int64) error {
	had, err := d.o.Press.Store.ReadersWith(ctx, w.Article.ID)
	if err != nil {
		return err
	}
	for edition, n := range had {
		if editionID != 0 && edition != editionID {
			continue
		}
		i := slices.IndexFunc(w.Editions, func(e WithdrawnEdition) bool { return e.Edition == edition })
		if i < 0 {
			i = len(w.Editions)
			w.Editions = append(w.Editions, WithdrawnEdition{Edition: edition})
		}
		w.Editions[i].Had = n
	}
	slices.SortFunc(w.Editions, func(a, b WithdrawnEdition) int { return int(a.Edition - b.Edition) })
	return nil
}

// recast gives readers who wait for the edition copies without what was withdrawn.
func (d *Desk) recast(ctx context.Context, editionID int64) (newsletter.Recast, error) {
	return delivery.Recast(ctx, d.o.Press.Store, editionID, d.o.Press.MaxComposed, d.o.Actor, d.now)
}
