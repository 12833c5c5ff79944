package desk

import (
	"context"
	"fmt"

	"broadsheet/internal/newsletter"
)

// Withdrawal is what became of an article that was taken back.
type Withdrawal struct {
	Article  newsletter.Article
	Withheld int // deliveries that were still to be tried and had it
	Had      int // messages with it that were accepted, are being handed over or are in doubt
}

// Withdraw takes an article back: no edition takes it any more, and what is not sent yet and
// has it is withheld, so that the other articles are owed to those readers again. What was
// sent cannot be called back. If there is nothing left to withdraw the error is a Conflict.
func (d *Desk) Withdraw(ctx context.Context, articleID int64) (Withdrawal, error) {
	var w Withdrawal
	lock, err := d.o.Press.Store.LockPlanning(ctx)
	if err != nil {
		return w, fmt.Errorf("wait for planning: %w", err)
	}
	defer lock.Close() // the process's end closes it too
	var already error
	w.Article, err = d.o.Press.Store.WithdrawArticle(ctx, articleID, d.o.Actor, d.now())
	switch newsletter.KindOf(err) {
	case newsletter.Conflict: // perhaps it was cut off here
		already = err
	default:
		if err != nil {
			return w, err
		}
	}
	editions, err := d.o.Press.Store.EditionsWith(ctx, articleID)
	if err != nil {
		return w, err
	}
	for _, e := range editions {
		n, err := d.o.Press.Store.WithholdWithdrawn(ctx, e.ID, d.now())
		w.Withheld += n
		if err != nil {
			return w, err
		}
	}
	if already != nil && w.Withheld == 0 {
		return w, already
	}
	w.Had, err = d.o.Press.Store.ReadersWith(ctx, articleID)
	return w, err
}
