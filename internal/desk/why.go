package desk

import (
	"context"
	"slices"
	"strings"

	"broadsheet/internal/delivery"
	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
)

// Considered is an article that an edition considered: what was decided, and for how many.
type Considered struct {
	Article  int64
	Headline string
	Position int // in the edition, from 1; 0: it does not have it
	Verdict  newsletter.Verdict
	Readers  int // who have it, or would get it; not known where the rows are gone
}

// Why is what can be asked about an edition: one on record, or one that would be built now.
type Why struct {
	Edition newsletter.Edition // without an id: it would be built now
	Draft   *Draft             // nil: it is frozen
	Gone    bool               // the rows are no longer kept, so readers cannot be told apart any more
	List    []Considered       // all that was considered, what was taken first, in order
	snap    digest.Snapshot
}

// WhyEdition returns what was decided about every article that the edition considered.
func (d *Desk) WhyEdition(ctx context.Context, id int64) (*Why, error) {
	e, err := d.o.Press.Store.Edition(ctx, id)
	if err != nil {
		return nil, err
	}
	switch e.State {
	case newsletter.EditionSkipped:
		return nil, newsletter.Refusef("no_articles", "edition %d is a slot that was skipped (%s): no article was considered", id, strings.ReplaceAll(e.Reason, "_", " "))
	case newsletter.EditionDraft:
		draft, err := d.OpenDraft(ctx, id)
		return whyDraft(draft, err)
	case newsletter.EditionFrozen, newsletter.EditionSending, newsletter.EditionSent, newsletter.EditionPaused,
		newsletter.EditionCancelled, newsletter.EditionExpired:
	}
	if e.Hash == "" { // it was given up as a draft, or is known from the journal alone
		return nil, newsletter.Refusef("no_articles", "edition %d (%s) was never frozen: what it considered is not on record", id, e.State)
	}
	w := &Why{Edition: e, Gone: !e.PrunedAt.IsZero()}
	if w.snap, err = delivery.LoadSnapshot(ctx, d.o.Press.Store, id); err != nil {
		return nil, err
	}
	verdicts, err := d.o.Press.Store.EditionVerdicts(ctx, id)
	if err != nil {
		return nil, err
	}
	positions := w.snap.Articles()
	for _, v := range verdicts {
		c := Considered{Article: v.ArticleID, Verdict: v.Verdict, Position: slices.Index(positions, v.ArticleID) + 1}
		article, err := d.Article(ctx, v.ArticleID)
		if err != nil {
			return nil, err
		}
		if c.Headline = article.Headline; c.Position > 0 {
			states, err := d.o.Press.Store.ArticleStates(ctx, id, v.ArticleID)
			if err != nil {
				return nil, err
			}
			for _, n := range states {
				c.Readers += n
			}
		}
		w.List = append(w.List, c)
	}
	return w, nil
}

// WhyNow returns what would be decided about every article if the edition were built now.
func (d *Desk) WhyNow(ctx context.Context, o BuildOptions) (*Why, error) {
	return whyDraft(d.Build(ctx, o))
}

// whyDraft tells of a draft, also of one that nobody would get anything of.
func whyDraft(draft *Draft, err error) (*Why, error) {
	if err != nil && newsletter.ReasonOf(err) != newsletter.SkippedNothingNew || draft == nil {
		return nil, err
	}
	w := &Why{Edition: draft.Edition, Draft: draft, snap: draft.Snapshot}
	for _, a := range draft.Articles {
		c := Considered{Article: a.ID, Headline: a.Headline, Verdict: a.Verdict, Readers: a.Readers}
		c.Position = slices.Index(draft.Snapshot.Articles(), a.ID) + 1
		w.List = append(w.List, c)
	}
	return w, nil
}

// ArticleWhy is why an article is in an edition or is not.
type ArticleWhy struct {
	Article newsletter.ArticleDetail
	Known   bool // the edition considered it
	Considered
	Origins []newsletter.ArticleOrigin // more than one: it is the same story, by its address
	Counts  map[newsletter.Verdict]int // readers by what was decided for them; of a draft only
	States  map[newsletter.State]int   // deliveries that have it
}

// OfArticle returns what was decided about an article of the edition.
func (d *Desk) OfArticle(ctx context.Context, w *Why, id int64) (a ArticleWhy, err error) {
	if a.Article, err = d.Article(ctx, id); err != nil {
		return a, err
	}
	a.Considered = Considered{Article: id, Headline: a.Article.Headline}
	for _, c := range w.List {
		if c.Article == id {
			a.Considered, a.Known = c, true
		}
	}
	if a.Origins, err = d.o.Press.Store.ArticleOrigins(ctx, id); err != nil {
		return a, err
	}
	if w.Draft != nil {
		a.Counts = w.Draft.Survey.Verdicts[id]
		return a, nil
	}
	a.States, err = d.o.Press.Store.ArticleStates(ctx, w.Edition.ID, id)
	return a, err
}

// ReaderWhy is why a reader gets what they get of an edition.
type ReaderWhy struct {
	Subscriber   newsletter.Subscriber
	Subscription *newsletter.Subscription // as it is now; nil: none
	Sections     []string                 // that they chose, by name; none: all
	Delivery     *newsletter.Delivery     // nil: the edition has no row for them, or not yet
	Nothing      string                   // why they get nothing, in words; empty: they get something
	Articles     []ReaderArticle          // of the edition, in its order
}

// ReaderArticle is an article of an edition, as one reader has it.
type ReaderArticle struct {
	Considered
	Gets    bool
	Verdict newsletter.Verdict // by what is known now of then; empty: it did not come to that
	Had     []newsletter.Holding
}

// OfReader returns why the reader with the address gets what they get. Of an edition that is
// planned, the row and the variant are what is on record; why an article is not among it is
// decided once more by the same rules, with what is still known of then.
func (d *Desk) OfReader(ctx context.Context, w *Why, address string) (r ReaderWhy, err error) {
	s, err := d.previewReader(ctx, address)
	if err != nil {
		return r, err
	}
	r.Subscriber = *s
	n, err := d.Newsletter(ctx, w.Edition.Newsletter)
	if err != nil {
		return r, err
	}
	if err := d.subscriptionOf(ctx, &r, n); err != nil {
		return r, err
	}
	choice, got, err := d.chosen(ctx, w, n, &r)
	if err != nil {
		return r, err
	}
	ids := make([]int64, len(w.List))
	for i, c := range w.List {
		ids[i] = c.Article
	}
	holdings, err := d.o.Press.Store.Holdings(ctx, s.ID, ids)
	if err != nil {
		return r, err
	}
	for _, c := range w.List {
		if _, decided := choice.Verdicts[c.Article]; !decided && c.Position == 0 && w.Draft == nil {
			continue
		}
		a := ReaderArticle{Considered: c, Gets: slices.Contains(got, c.Article), Verdict: choice.Verdicts[c.Article]}
		if a.Verdict == "" && w.Draft != nil { // the edition does not have it, whoever reads it
			a.Verdict = c.Verdict
		}
		for _, h := range holdings {
			if h.ArticleID == c.Article && h.EditionID != w.Edition.ID {
				a.Had = append(a.Had, h)
			}
		}
		r.Articles = append(r.Articles, a)
	}
	return r, nil
}

// chosen returns what was decided for the reader, and which articles they get.
func (d *Desk) chosen(ctx context.Context, w *Why, n newsletter.Newsletter, r *ReaderWhy) (choice delivery.ReaderChoice, got []int64, err error) {
	var ok bool
	if w.Draft != nil {
		choice, ok, err = delivery.ChooseOne(ctx, d.o.Press.Store, d.choosingFor(w.Draft, w.Draft.eligible()), r.Subscriber.ID)
	} else {
		var choosing delivery.Edition
		if choosing, err = d.frozenChoosing(ctx, n, w.Edition, w.snap); err != nil {
			return choice, nil, err
		}
		choice, ok, err = delivery.ChooseOneThen(ctx, d.o.Press.Store, choosing, r.Subscriber.ID)
	}
	if err != nil {
		return choice, nil, err
	}
	if !ok || choice.Reason != "" {
		r.Nothing = whyNoCopy(r.Subscriber, n, w.Edition, choice.Reason)
	}
	if w.Draft != nil || w.Edition.PlannedAt.IsZero() || w.Gone {
		return choice, choice.Articles, nil
	}
	got, err = d.recorded(ctx, w, n, r)
	return choice, got, err
}

// recorded reads what the ledger has for the reader, and returns the articles that they get.
func (d *Desk) recorded(ctx context.Context, w *Why, n newsletter.Newsletter, r *ReaderWhy) ([]int64, error) {
	r.Nothing = "they were not a reader of it when it was planned"
	err := d.o.Press.Store.EachDelivery(ctx, newsletter.DeliveryFilter{EditionID: w.Edition.ID, SubscriberID: r.Subscriber.ID}, func(row newsletter.Delivery) error {
		r.Delivery, r.Nothing = &row, ""
		return nil
	})
	if err != nil || r.Delivery == nil {
		return nil, err
	}
	if r.Delivery.State == newsletter.Withheld {
		r.Nothing = whyNoCopy(r.Subscriber, n, w.Edition, r.Delivery.Reason)
		return nil, nil
	}
	variant, err := d.o.Press.Store.StoredVariant(ctx, r.Delivery.VariantID)
	return variant.Articles, err
}

// subscriptionOf finds the reader's subscription, and the names of the sections that they chose.
func (d *Desk) subscriptionOf(ctx context.Context, r *ReaderWhy, n newsletter.Newsletter) error {
	for i, u := range r.Subscriber.Subscriptions {
		if u.NewsletterID == n.ID {
			r.Subscription = &r.Subscriber.Subscriptions[i]
		}
	}
	if r.Subscription == nil {
		return nil
	}
	sections, err := d.Sections(ctx, n.Slug)
	for _, s := range sections {
		if r.Subscription.Sections&(1<<s.Bit) != 0 {
			r.Sections = append(r.Sections, s.Name)
		}
	}
	return err
}
