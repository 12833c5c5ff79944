package desk

import (
	"cmp"
	"context"
	"slices"

	"broadsheet/internal/delivery"
	"broadsheet/internal/digest"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// previewFrozen returns the preview of an edition whose content is fixed: of what is on record
// where it is planned, else of what planning would choose.
func (d *Desk) previewFrozen(ctx context.Context, e newsletter.Edition, reader *newsletter.Subscriber, full bool) (*Preview, error) {
	if e.Hash == "" { // it was given up as a draft, or is known from the journal alone
		return nil, newsletter.Refusef("no_copy", "edition %d (%s) was never frozen: there is nothing to look at", e.ID, e.State)
	}
	snapshot, err := delivery.LoadSnapshot(ctx, d.o.Press.Store, e.ID)
	if err != nil {
		return nil, err
	}
	n, err := d.Newsletter(ctx, e.Newsletter)
	if err != nil {
		return nil, err
	}
	p := &Preview{Newsletter: n, Edition: e, Snapshot: snapshot}
	switch {
	case full:
		p.Copy, p.For = newsletter.Copy{Articles: snapshot.Articles()}, "nobody in particular: all that the edition has"
		return p, d.composePreview(p, reader)
	case e.PlannedAt.IsZero():
		return p, d.previewUnplanned(ctx, p, reader)
	case reader != nil:
		return p, d.previewDelivery(ctx, p, *reader)
	}
	variants, err := d.o.Press.Store.EditionVariants(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	if len(variants) == 0 {
		return nil, newsletter.Refusef("no_copy", "no reader gets edition %d; \"broadsheet edition report %d\" says why", e.ID, e.ID)
	}
	all := 0
	for _, v := range variants {
		all += v.Readers
	}
	most := variants[0]
	p.For = mostReaders(most.Readers, all)
	if all == 0 { // the rows are gone
		most = slices.MaxFunc(variants, func(a, b newsletter.StoredVariant) int {
			return cmp.Or(cmp.Compare(len(a.Articles), len(b.Articles)), cmp.Compare(b.ID, a.ID))
		})
		p.For = "the copy with the most articles; who had which is no longer kept"
	}
	return p, d.previewVariant(ctx, p, most, nil)
}

// previewDelivery is the message that the ledger has for the reader.
func (d *Desk) previewDelivery(ctx context.Context, p *Preview, reader newsletter.Subscriber) error {
	if !p.Edition.PrunedAt.IsZero() {
		return newsletter.RowsGone(p.Edition.ID)
	}
	var rows []newsletter.Delivery
	err := d.o.Press.Store.EachDelivery(ctx, newsletter.DeliveryFilter{EditionID: p.Edition.ID, SubscriberID: reader.ID}, func(row newsletter.Delivery) error {
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return noCopy(reader, p.Newsletter, p.Edition, "")
	}
	row := rows[0]
	if row.State == newsletter.Withheld {
		return noCopy(reader, p.Newsletter, p.Edition, row.Reason)
	}
	variant, err := d.o.Press.Store.StoredVariant(ctx, row.VariantID)
	if err != nil {
		return err
	}
	p.For = reader.Email
	return d.previewVariant(ctx, p, variant, &row)
}

// previewVariant is the message of a variant on record, as the row has it or for nobody.
func (d *Desk) previewVariant(ctx context.Context, p *Preview, v newsletter.StoredVariant, row *newsletter.Delivery) error {
	message, err := d.storedMessage(ctx, p.Snapshot, v)
	if err != nil {
		return err
	}
	p.Copy, p.Preheader = v.Copy, v.Preheader
	if row == nil {
		return d.address(p, message, nil, p.Edition.AsOf)
	}
	return d.address(p, message, &newsletter.Subscriber{ID: row.SubscriberID, Email: row.Email, Name: row.Name}, row.NotBefore)
}

// storedMessage returns the bytes of a variant as they were composed. A rare
// one is composed again: it is a function of the snapshot and its copy.
func (d *Desk) storedMessage(ctx context.Context, s digest.Snapshot, v newsletter.StoredVariant) (*mail.Variant, error) {
	data, err := d.o.Press.Store.Variant(ctx, v.ID)
	if err != nil {
		return nil, err
	}
	if len(data) > 0 {
		return mail.ParseVariant(data)
	}
	renderer, err := digest.NewRenderer(s)
	if err != nil {
		return nil, err
	}
	_, message, err := delivery.Compose(renderer, s, v.Copy, v.EditionID)
	return message, err
}

// previewUnplanned is what planning would choose of an edition that is frozen.
func (d *Desk) previewUnplanned(ctx context.Context, p *Preview, reader *newsletter.Subscriber) error {
	choosing, err := d.frozenChoosing(ctx, p.Newsletter, p.Edition, p.Snapshot)
	if err != nil {
		return err
	}
	withdrawn, err := d.o.Press.Store.WithdrawnIn(ctx, p.Edition.ID)
	if err != nil {
		return err
	}
	if reader != nil {
		choice, ok, err := delivery.ChooseOne(ctx, d.o.Press.Store, choosing, reader.ID)
		if err != nil {
			return err
		}
		if !ok || choice.Reason != "" {
			return noCopy(*reader, p.Newsletter, p.Edition, choice.Reason)
		}
		if p.Copy, ok = delivery.Left(p.Snapshot, choice.Copy, withdrawn); !ok {
			return noCopy(*reader, p.Newsletter, p.Edition, newsletter.ReasonWithdrawn)
		}
		p.For = reader.Email
		return d.composePreview(p, reader)
	}
	survey, err := delivery.Look(ctx, d.o.Press.Store, choosing)
	if err != nil {
		return err
	}
	for _, v := range survey.Variants {
		if rest, ok := delivery.Left(p.Snapshot, v.Copy, withdrawn); ok {
			p.Copy, p.For = rest, mostReaders(v.Readers, survey.Readers)
			return d.composePreview(p, nil)
		}
	}
	return newsletter.Refusef("no_copy", "no reader is owed anything of edition %d", p.Edition.ID)
}

// frozenChoosing returns a frozen edition as planning chooses for it.
func (d *Desk) frozenChoosing(ctx context.Context, n newsletter.Newsletter, e newsletter.Edition, s digest.Snapshot) (delivery.Edition, error) {
	n.MinArticles, n.MaxArticles, n.Repeats = s.Newsletter.MinArticles, s.Newsletter.MaxArticles, s.Newsletter.Repeats
	candidates, err := d.o.Press.Store.Candidates(ctx, n.ID, e.AsOf.Add(-newsletter.MaxLookBack))
	if err != nil {
		return delivery.Edition{}, err
	}
	choosing := d.choosing(n, e, frozenCandidates(s, candidates, e.AsOf))
	choosing.Announcement = len(choosing.Candidates) == 0
	choosing.Corrections, err = d.o.Press.Store.EditionCorrections(ctx, e.ID)
	return choosing, err
}
