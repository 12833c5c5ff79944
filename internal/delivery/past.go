package delivery

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// pastEdition is an earlier edition that is gone through in step with the readers: who holds
// which variant of it.
type pastEdition struct {
	id int64
	// frozenAt is when it was, if it is the same newsletter's; zero: it is another's.
	frozenAt time.Time
	gifts    map[int64]*gift // of the variants that give anything
	// near are the gifts of the variants from one on, whose ids are mostly one after the other: to
	// ask a map for each reader is slow.
	near      []*gift
	firstNear int64
	part      newsletter.PlanPart
	at        int // the run of the part that the readers have reached
	// unsettled says that some gifts are others while a message may not have arrived.
	unsettled bool
}

// openPast returns the past editions that can matter for what is owed, the newest first, and
// the freezes of those of the edition's own newsletter, cadence and slot, the oldest first.
func openPast(ctx context.Context, store PlanStore, e Edition) (past []*pastEdition, joins []time.Time, err error) {
	// An article that was released, or dated anew, may have been in an older edition.
	since := e.AsOf.Add(-newsletter.MaxLookBack)
	index := make(map[int64]int, len(e.Candidates))
	var older []int64
	for i, c := range e.Candidates {
		index[c.ID] = i
		if c.FirstSeen.Before(since) {
			older = append(older, c.ID)
		}
	}
	for _, c := range e.Corrections {
		older = append(older, c.ArticleID)
	}
	editions, err := store.PastEditions(ctx, since, older)
	if err != nil {
		return nil, nil, fmt.Errorf("past editions: %w", err)
	}
	for i := len(editions) - 1; i >= 0; i-- {
		if p := editions[i]; p.ID != e.ID {
			opened, err := openPastEdition(ctx, store, e, p, index)
			if err != nil {
				return nil, nil, err
			}
			if len(opened.gifts) > 0 {
				past = append(past, opened)
			}
		}
	}
	// Who joined after it is not owed what came before it, however long ago it was.
	last, err := store.FreezeBefore(ctx, e.NewsletterID, e.Cadence, e.Slot, since)
	if err != nil {
		return nil, nil, fmt.Errorf("the edition before: %w", err)
	}
	if !last.IsZero() {
		joins = append(joins, last)
	}
	for _, p := range editions {
		if p.ID != e.ID && p.News && !p.AsOf.Before(since) && p.NewsletterID == e.NewsletterID && p.Serves(e.Cadence, e.Slot) {
			joins = append(joins, p.AsOf)
		}
	}
	return past, joins, nil
}

func openPastEdition(ctx context.Context, store PlanStore, e Edition, p newsletter.PastEdition, index map[int64]int) (*pastEdition, error) {
	opened := &pastEdition{id: p.ID, gifts: map[int64]*gift{}, part: newsletter.PlanPart{Last: -1}}
	var others *gift // of variants without a candidate
	gave := gift{here: e.Repeats != newsletter.RepeatNever && p.NewsletterID == e.NewsletterID && p.Serves(e.Cadence, e.Slot)}
	if p.NewsletterID == e.NewsletterID {
		opened.frozenAt, gave.lastGot = p.AsOf, lookBackClass(p.AsOf, e.AsOf).UnixMilli()
		others = &gift{lastGot: gave.lastGot}
	}
	articles, err := store.VariantArticles(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	for variant, list := range articles { // one without articles, an announcement, is no news
		gift := gave
		for _, article := range list {
			if i, ok := index[article]; ok {
				gift.had = append(gift.had, i)
			}
		}
		if originals := e.originals(list, p.AsOf); len(originals) > 0 {
			before := gift
			gift.unsettled, gift.had = &before, append(slices.Clone(gift.had), originals...)
			opened.unsettled = true
		}
		switch {
		case len(gift.had) > 0:
			opened.gifts[variant] = &gift
		case others != nil:
			opened.gifts[variant] = others
		}
	}
	err = opened.addTold(ctx, store, e)
	for _, g := range opened.gifts {
		g.parts = parts(g.had)
		if g.unsettled != nil {
			g.unsettled.parts = parts(g.unsettled.had)
		}
	}
	opened.keepNear()
	return opened, err
}

// originals returns the indices of the corrections whose originals an edition of that time gives
// with these articles.
func (e *Edition) originals(articles []int64, asOf time.Time) (indices []int) {
	for i, c := range e.Corrections {
		if asOf.Before(c.ChangedAt) && slices.Contains(articles, c.ArticleID) {
			indices = append(indices, e.original(i))
		}
	}
	return indices
}

// addTold adds which corrections the edition's variants told of.
func (p *pastEdition) addTold(ctx context.Context, store PlanStore, e Edition) error {
	if len(e.Corrections) == 0 {
		return nil
	}
	told, err := store.VariantCorrections(ctx, p.id)
	if err != nil {
		return err
	}
	for variant, ids := range told {
		var indices []int
		for i, c := range e.Corrections {
			if slices.Contains(ids, c.ID) {
				indices = append(indices, e.told(i))
			}
		}
		if len(indices) == 0 {
			continue
		}
		with := gift{noNews: true}
		if g := p.gifts[variant]; g != nil {
			with = *g
		}
		with.had = append(slices.Clone(with.had), indices...)
		if with.unsettled != nil {
			waiting := *with.unsettled
			waiting.had = append(slices.Clone(waiting.had), indices...)
			with.unsettled = &waiting
		}
		p.gifts[variant] = &with
	}
	return nil
}

// lookBackClass returns a time that newsletter.Reader.LookBackFrom cannot tell from the given
// one, the same for as many as possible.
func lookBackClass(got, asOf time.Time) time.Time {
	if oldest := asOf.Add(newsletter.LookBack - newsletter.MaxLookBack); got.Before(oldest) {
		return oldest
	}
	return newsletter.WholeDaysBefore(asOf, got)
}

// addTo adds what the edition gave to the readers' pasts, and notes who caught up by it after a
// pause. The readers come after those of the call before.
func (p *pastEdition) addTo(ctx context.Context, store PlanStore, real bool, readers []newsletter.PlanReader, to *pasts) error {
	released, err := store.Released(ctx, p.id, readers[0].SubscriberID, readers[len(readers)-1].SubscriberID, real)
	if err != nil {
		return err
	}
	var unsettled []int64
	if p.unsettled {
		unsettled, err = store.Unsettled(ctx, p.id, readers[0].SubscriberID, readers[len(readers)-1].SubscriberID)
		if err != nil {
			return err
		}
	}
	for i := 0; i < len(readers); {
		subscriber := readers[i].SubscriberID
		run, err := p.runFor(ctx, store, subscriber)
		if err != nil {
			return err
		}
		gift := p.giftOf(run.VariantID)
		for ; i < len(readers) && readers[i].SubscriberID < run.First; i++ {
			continue // given nothing
		}
		for ; i < len(readers) && readers[i].SubscriberID <= run.Last; i++ {
			for len(released) > 0 && released[0] < readers[i].SubscriberID {
				released = released[1:]
			}
			if gift == nil || len(released) > 0 && released[0] == readers[i].SubscriberID {
				continue
			}
			if _, waits := slices.BinarySearch(unsettled, readers[i].SubscriberID); waits && gift.unsettled != nil {
				to.give(i, gift.unsettled)
			} else {
				to.give(i, gift)
			}
			if r := &readers[i]; !gift.noNews && !r.ResumedAt.IsZero() && !p.frozenAt.Before(r.ResumedAt) {
				r.CaughtUp = true
			}
		}
	}
	return nil
}

// keepNear fills near, once gifts are complete.
func (p *pastEdition) keepNear() {
	ids := slices.Sorted(maps.Keys(p.gifts))
	if len(ids) == 0 {
		return
	}
	p.firstNear = ids[0]
	p.near = make([]*gift, min(ids[len(ids)-1]-ids[0]+1, 4*int64(len(ids))))
	for i := range p.near {
		p.near[i] = p.gifts[p.firstNear+int64(i)]
	}
}

// giftOf returns what a variant gives; nil: nothing.
func (p *pastEdition) giftOf(variant int64) *gift {
	if i := variant - p.firstNear; i >= 0 && i < int64(len(p.near)) {
		return p.near[i]
	}
	return p.gifts[variant]
}

// runFor returns the run of the subscriber, or the next one. After the last one comes a run
// beyond everybody.
func (p *pastEdition) runFor(ctx context.Context, store PlanStore, subscriber int64) (newsletter.PlanRun, error) {
	for {
		if subscriber <= p.part.Last {
			for ; p.at < len(p.part.Runs); p.at++ {
				if p.part.Runs[p.at].Last >= subscriber {
					return p.part.Runs[p.at], nil
				}
			}
			if p.part.Last == math.MaxInt64 {
				return newsletter.PlanRun{First: math.MaxInt64, Last: math.MaxInt64}, nil
			}
			// Nobody up to the part's end was given anything.
			return newsletter.PlanRun{First: p.part.Last + 1, Last: p.part.Last}, nil
		}
		part, err := store.NextPlanPart(ctx, p.part.Runs[:0], p.id, subscriber-1)
		if err != nil {
			return newsletter.PlanRun{}, err
		}
		p.part, p.at = part, 0
	}
}
