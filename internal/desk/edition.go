package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// LedgerStore is what reading and moving the ledger of an edition needs of the database.
type LedgerStore interface {
	LedgerReader
	LedgerMover
	PreviewStore
	SeenStore
	Pulse(ctx context.Context, editionID int64) (newsletter.Pulse, bool, error)
	NextTry(ctx context.Context, editionID int64) (time.Time, error)
	SubscriberByKey(ctx context.Context, emailKey string) (newsletter.Subscriber, error)
}

// LedgerReader counts and lists the ledger.
type LedgerReader interface {
	Balance(ctx context.Context, editionID int64) (newsletter.Tally, error)
	Report(ctx context.Context, editionID int64) (newsletter.Report, error)
	KeepTotals(ctx context.Context, r newsletter.Report, now time.Time) (kept bool, err error)
	Uncounted(ctx context.Context) ([]newsletter.Edition, error)
	EachDelivery(ctx context.Context, f newsletter.DeliveryFilter, each func(newsletter.Delivery) error) error
	CountRetry(ctx context.Context, f newsletter.RetryFilter) (int, error)
	CountDoubts(ctx context.Context, f newsletter.ResolveFilter) (int, error)
	EditionsWithout(ctx context.Context, articleID int64) ([]newsletter.Edition, error)
	ReadersWith(ctx context.Context, articleID int64) (map[int64]int, error)
}

// LedgerMover moves deliveries as staff say.
type LedgerMover interface {
	RetryDeliveries(ctx context.Context, f newsletter.RetryFilter, real bool, expires time.Time, actor string, now time.Time) (newsletter.Retried, error)
	ResolveDoubts(ctx context.Context, f newsletter.ResolveFilter, as newsletter.Settlement, expires time.Time, actor string, now time.Time) (int, error)
	FinishEdition(ctx context.Context, id int64, now time.Time) (done bool, err error)
	ExpireDeliveries(ctx context.Context, editionID int64, now time.Time) (int, error)
	WithholdCancelled(ctx context.Context, editionID int64, now time.Time) (int, error)
	WithdrawArticle(ctx context.Context, id, editionID int64, actor string, now time.Time) (newsletter.Article, error)
	PruneDeliveries(ctx context.Context, before, now time.Time) (int, error)
	PruneReturns(ctx context.Context, before time.Time) (int, error)
}

// Edition returns an edition with its tally. An imbalance of the ledger is an error.
func (d *Desk) Edition(ctx context.Context, id int64) (newsletter.Edition, newsletter.Tally, error) {
	e, err := d.o.Press.Store.Edition(ctx, id)
	if err != nil {
		return e, newsletter.Tally{}, err
	}
	tally, err := d.o.Press.Store.Balance(ctx, id)
	return e, tally, err
}

// tally counts an edition for whoever looks at the balance later.
func (d *Desk) tally(ctx context.Context, id int64) (newsletter.Tally, error) {
	tally, err := d.o.Press.Store.Balance(ctx, id)
	if imbalance, ok := errors.AsType[*newsletter.ImbalanceError](err); ok {
		return imbalance.Tally, nil
	}
	return tally, err
}

// Editions returns editions, the newest first, of one newsletter or, with an empty slug, all.
func (d *Desk) Editions(ctx context.Context, slug string, before int64, limit int) ([]newsletter.Edition, error) {
	f := newsletter.EditionFilter{Before: before, Limit: limit}
	if slug != "" {
		n, err := d.Newsletter(ctx, slug)
		if err != nil {
			return nil, err
		}
		f.NewsletterID = n.ID
	}
	return d.o.Press.Store.Editions(ctx, f)
}

// Verdicts returns why each article that was considered for the edition was taken or left.
func (d *Desk) Verdicts(ctx context.Context, id int64) ([]newsletter.ArticleVerdict, error) {
	return d.o.Press.Store.EditionVerdicts(ctx, id)
}

// EachDelivery calls f with rows of an edition's ledger in order of their subscribers, until
// there are no more or f fails. It is refused with the reason rows_gone if the rows are no
// longer kept.
func (d *Desk) EachDelivery(ctx context.Context, f newsletter.DeliveryFilter, each func(newsletter.Delivery) error) error {
	e, err := d.o.Press.Store.Edition(ctx, f.EditionID)
	if err != nil {
		return err
	}
	if !e.PrunedAt.IsZero() {
		return newsletter.RowsGone(e.ID)
	}
	snapshot, err := delivery.LoadSnapshot(ctx, d.o.Press.Store, e.ID)
	if err != nil {
		return err
	}
	domain := snapshot.Newsletter.From.Address().Domain()
	return d.o.Press.Store.EachDelivery(ctx, f, func(row newsletter.Delivery) error {
		row.MessageID = d.o.Press.Keys.MessageID(row.EditionID, row.SubscriberID, domain)
		return each(row)
	})
}

// Deliveries returns the rows that EachDelivery goes through.
func (d *Desk) Deliveries(ctx context.Context, f newsletter.DeliveryFilter) ([]newsletter.Delivery, error) {
	var list []newsletter.Delivery
	err := d.EachDelivery(ctx, f, func(row newsletter.Delivery) error {
		list = append(list, row)
		return nil
	})
	return list, err
}

// SubscriberID returns whose address it is, or a NotFound error.
func (d *Desk) SubscriberID(ctx context.Context, address string) (int64, error) {
	_, key, err := mail.ParseAddress(address)
	if err != nil {
		return 0, newsletter.Invalidf("subscriber", "%q is not an e-mail address", address)
	}
	s, err := d.o.Press.Store.SubscriberByKey(ctx, key)
	return s.ID, err
}

// Report returns what became of an edition. Once nothing of it moves any more, what was
// counted is kept, so that it is not counted again. An imbalance of the ledger is an error.
func (d *Desk) Report(ctx context.Context, id int64) (newsletter.Report, error) {
	r, err := d.o.Press.Store.Report(ctx, id)
	if err != nil || !r.CountedAt.IsZero() {
		return r, err
	}
	_, err = d.o.Press.Store.KeepTotals(ctx, r, d.now())
	return r, err
}

// Tidy does what is left to do for editions that are closed: it withholds what came back from
// a cancelled one, and counts each and keeps its totals. What fails for one does not hold up
// the others.
func (d *Desk) Tidy(ctx context.Context) error {
	list, err := d.o.Press.Store.Uncounted(ctx)
	if err != nil {
		return fmt.Errorf("editions without totals: %w", err)
	}
	var failures []error
	for _, e := range list {
		if e.State == newsletter.EditionCancelled {
			if _, err := d.o.Press.Store.WithholdCancelled(ctx, e.ID, d.now()); err != nil {
				failures = append(failures, err)
				continue
			}
		}
		_, err := d.Report(ctx, e.ID)
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// PruneDeliveries removes the rows of editions that finished more than so many days ago and
// whose totals are kept, and what came back as long ago, and returns how many rows of editions;
// 0 days keep them for ever.
func (d *Desk) PruneDeliveries(ctx context.Context, days int) (int, error) {
	if days == 0 {
		return 0, nil
	}
	now := d.now()
	before := now.AddDate(0, 0, -max(days, newsletter.MinKeepDeliveries))
	n, err := d.o.Press.Store.PruneDeliveries(ctx, before, now)
	if n > 0 {
		d.o.Logger.Info("rows of old editions removed; their totals are kept", "rows", n, "days", days)
	}
	if err == nil {
		_, err = d.o.Press.Store.PruneReturns(ctx, before)
	}
	return n, err
}
