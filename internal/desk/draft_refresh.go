package desk

import (
	"context"
	"fmt"
	"slices"

	"broadsheet/internal/newsletter"
)

// Refreshed is a draft with what came later taken in, and what that changes. It is not kept yet.
type Refreshed struct {
	Record   newsletter.DraftRecord
	Added    []newsletter.Candidate // that are owed to somebody since
	Gone     []GoneArticle          // that cannot be in an edition any more
	Changed  []ChangedArticle
	Sponsors int      // messages that were booked, or changed, since
	Warnings []string // sources that could not be asked, for example
}

// GoneArticle is an article that cannot be in an edition any more.
type GoneArticle struct {
	ID       int64
	Headline string
	Why      newsletter.Verdict
}

// ChangedArticle is an article with a new text.
type ChangedArticle struct {
	ID       int64
	Was, Now newsletter.Item
}

// Same reports whether there is nothing to take in.
func (r Refreshed) Same() bool { return len(r.Added)+len(r.Gone)+len(r.Changed)+r.Sponsors == 0 }

// LookAfresh asks the sources, and returns the draft with what came after it was made, or after
// it was refreshed last. What staff dropped from it stays so.
func (d *Desk) LookAfresh(ctx context.Context, id int64) (Refreshed, error) {
	record, err := d.o.Press.Store.DraftRecord(ctx, id)
	if err != nil {
		return Refreshed{}, err
	}
	if record.Sheet.Announcement {
		return Refreshed{Record: record}, nil
	}
	e, err := d.o.Press.Store.Edition(ctx, id)
	if err != nil {
		return Refreshed{}, err
	}
	now := d.now()
	fresh, err := d.Build(ctx, BuildOptions{Newsletter: e.Newsletter, Cadence: e.Cadence, Slot: e.Audience(), unbooked: true})
	if err != nil && (newsletter.ReasonOf(err) != newsletter.SkippedNothingNew || fresh == nil) {
		return Refreshed{}, err
	}
	r := Refreshed{Record: record, Warnings: fresh.Warnings}
	var texts []newsletter.Candidate
	for _, a := range fresh.Articles {
		switch {
		case slices.Contains(record.Sheet.Articles(), a.ID):
			if was := record.Items[a.ID]; newsletter.Eligible(a.Candidate, now) == newsletter.Taken && was.Hash() != a.Hash() {
				r.Changed = append(r.Changed, ChangedArticle{a.ID, was, a.Item})
				texts = append(texts, a.Candidate)
			}
		case a.Shown() && a.OwedFrom.After(record.Sheet.Until):
			r.Added = append(r.Added, a.Candidate)
			texts = append(texts, a.Candidate)
			r.Record.Sheet.Blocks = append(slices.Clip(r.Record.Sheet.Blocks), newsletter.SheetBlock{Kind: newsletter.SheetArticle, Article: a.ID})
		}
	}
	r.dropGone(fresh)
	if err := d.layAdded(ctx, record.Sheet, &r, fresh); err != nil {
		return Refreshed{}, err
	}
	asked := &Draft{Newsletter: fresh.Newsletter, Edition: fresh.Edition, manual: e.WasDraft()}
	if !e.WasDraft() { // it has a slot, perhaps of another day
		asked.Edition = e
	}
	if r.Sponsors, err = d.placeBooked(ctx, &r.Record.Sheet, asked, record.Sheet.Until); err != nil {
		return Refreshed{}, err
	}
	r.Warnings = append(r.Warnings, asked.Warnings...)
	r.Record.Sheet.Until = now
	r.Record = r.Record.With(texts)
	return r, nil
}

// layAdded puts what came later where it is read, unless staff put the articles in an order of
// their own: then it stays at the end.
func (d *Desk) layAdded(ctx context.Context, was newsletter.Sheet, r *Refreshed, fresh *Draft) error {
	sections, err := d.Sections(ctx, fresh.Newsletter.Slug)
	if err != nil {
		return err
	}
	candidates := make([]newsletter.Candidate, len(fresh.Articles))
	for i, a := range fresh.Articles {
		candidates[i] = a.Candidate
	}
	if len(r.Added) == 0 || !inReadingOrder(wantedOf(was.Articles(), candidates), sections) {
		return nil
	}
	laid := wantedOf(r.Record.Sheet.Articles(), candidates)
	newsletter.Lay(laid, sections)
	blocks := map[int64]newsletter.SheetBlock{}
	for _, b := range r.Record.Sheet.Blocks {
		blocks[b.Article] = b
	}
	for i, b := range r.Record.Sheet.Blocks {
		if b.Kind == newsletter.SheetArticle {
			r.Record.Sheet.Blocks[i] = blocks[laid[0].ID]
			laid = laid[1:]
		}
	}
	return nil
}

// dropGone takes out of the sheet what cannot be in an edition any more.
func (r *Refreshed) dropGone(fresh *Draft) {
	why := map[int64]newsletter.Verdict{}
	for _, a := range fresh.Articles {
		why[a.ID] = newsletter.Eligible(a.Candidate, fresh.Edition.AsOf)
	}
	r.Record.Sheet.Blocks = slices.DeleteFunc(slices.Clone(r.Record.Sheet.Blocks), func(b newsletter.SheetBlock) bool {
		if b.Kind != newsletter.SheetArticle || why[b.Article] == newsletter.Taken {
			return false
		}
		verdict := why[b.Article]
		if verdict == "" {
			verdict = newsletter.TooOld
		}
		r.Gone = append(r.Gone, GoneArticle{b.Article, r.Record.Items[b.Article].Headline, verdict})
		return true
	})
}

// KeepRefreshed keeps what LookAfresh returned. If somebody changed the draft meanwhile it is a
// Conflict with the reason changed.
func (d *Desk) KeepRefreshed(ctx context.Context, r Refreshed) (*Draft, error) {
	return d.saveDraft(ctx, r.Record, "draft refreshed",
		fmt.Sprintf("%d added, %d gone, %d changed, %d sponsors", len(r.Added), len(r.Gone), len(r.Changed), r.Sponsors))
}
