package delivery

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// PlanStore is what planning reads.
type PlanStore interface {
	PastEditions(ctx context.Context, since time.Time, articles []int64) ([]newsletter.PastEdition, error)
	VariantArticles(ctx context.Context, editions []newsletter.PastEdition) (map[int64][]int64, error)
	PlanReaders(ctx context.Context, newsletterID int64, c newsletter.Cadence, after int64, limit int, key newsletter.SuppressionKey, now time.Time) ([]newsletter.PlanReader, error)
	Holdings(ctx context.Context, editionID, first, last int64, real bool) ([]newsletter.Holding, error)
}

// Edition is an edition as choosing sees it, frozen or about to be.
type Edition struct {
	ID           int64 // 0: not frozen yet
	NewsletterID int64
	Cadence      newsletter.Cadence
	AsOf         time.Time
	MinArticles  int                    // who is owed fewer waits for more
	MaxArticles  int                    // the first ones are taken; more are left for the next edition
	Candidates   []newsletter.Candidate // in the order of the edition
	// Real says that the mail goes to readers; to the outbox, deliveries to the outbox count.
	Real bool
	Key  newsletter.SuppressionKey
}

// choice is what one reader gets.
type choice struct {
	subscriber int64
	*decision
}

// planChunk is how many readers are read, decided and written at once.
const planChunk = 5000

// chooser decides what each reader of an edition gets.
type chooser struct {
	store    PlanStore
	edition  Edition
	past     []newsletter.PastEdition // of all newsletters
	joins    []time.Time              // freezes of the cadence's earlier editions, in order
	articles map[int64][]int64        // of the variants of the past editions
	// decided keeps what was decided for readers with the same choice of sections and the
	// same past: among a million readers there are few different ones.
	decided            map[string]*decision
	suppressed, paused decision
}

// decision is what readers of one kind get: articles, or none for a reason.
type decision struct {
	articles []int64
	reason   string
	verdicts []newsletter.Verdict // of each candidate; nil if it did not come to that
}

// maxDecided bounds the memory for decisions; beyond it they are made again.
const maxDecided = 20_000

func newChooser(ctx context.Context, store PlanStore, e Edition) (*chooser, error) {
	c := &chooser{
		store: store, edition: e, decided: map[string]*decision{},
		suppressed: decision{reason: newsletter.ReasonSuppressed},
		paused:     decision{reason: newsletter.ReasonPaused},
	}
	// An article that was released, or dated anew, may have been in an older edition.
	since := e.AsOf.Add(-newsletter.MaxLookBack)
	var older []int64
	for _, candidate := range e.Candidates {
		if candidate.FirstSeen.Before(since) {
			older = append(older, candidate.ID)
		}
	}
	past, err := store.PastEditions(ctx, since, older)
	if err != nil {
		return nil, fmt.Errorf("past editions: %w", err)
	}
	for _, p := range past {
		if p.ID == e.ID {
			continue
		}
		c.past = append(c.past, p)
		if p.NewsletterID == e.NewsletterID && p.Cadence == e.Cadence {
			c.joins = append(c.joins, p.AsOf)
		}
	}
	if c.articles, err = store.VariantArticles(ctx, c.past); err != nil {
		return nil, err
	}
	return c, nil
}

// each calls f with the choices for the next readers after the given subscriber, until there
// are no more or f fails.
func (c *chooser) each(ctx context.Context, after int64, f func([]choice) error) error {
	for {
		readers, err := c.store.PlanReaders(ctx, c.edition.NewsletterID, c.edition.Cadence, after, planChunk, c.edition.Key, c.edition.AsOf)
		if err != nil {
			return fmt.Errorf("readers: %w", err)
		}
		if len(readers) == 0 {
			return nil
		}
		choices, err := c.choose(ctx, readers)
		if err != nil {
			return err
		}
		if err := f(choices); err != nil {
			return err
		}
		after = readers[len(readers)-1].SubscriberID
	}
}

func (c *chooser) choose(ctx context.Context, readers []newsletter.PlanReader) ([]choice, error) {
	pasts := make([]past, len(readers))
	first, last := readers[0].SubscriberID, readers[len(readers)-1].SubscriberID
	for _, e := range c.past {
		held, err := c.store.Holdings(ctx, e.ID, first, last, c.edition.Real)
		if err != nil {
			return nil, fmt.Errorf("what readers had from edition %d: %w", e.ID, err)
		}
		i := 0
		for _, h := range held { // both are in order of the subscribers
			for i < len(readers) && readers[i].SubscriberID < h.SubscriberID {
				i++
			}
			if i < len(readers) && readers[i].SubscriberID == h.SubscriberID {
				pasts[i].had = append(pasts[i].had, h.VariantID)
				if e.NewsletterID == c.edition.NewsletterID {
					pasts[i].lastGot = e.AsOf
				}
			}
		}
	}
	choices := make([]choice, len(readers))
	for i, r := range readers {
		choices[i] = choice{r.SubscriberID, c.decide(r, pasts[i])}
	}
	return choices, nil
}

// past is what a reader had: the variants, in order of their editions, and when they last
// got an edition of this newsletter.
type past struct {
	had     []int64
	lastGot time.Time
}

func (c *chooser) decide(r newsletter.PlanReader, p past) *decision {
	switch { // these are shared, so that readers of one kind are counted as one
	case r.Suppressed:
		return &c.suppressed
	case r.Paused:
		return &c.paused
	}
	reader := newsletter.Reader{
		Sections: r.Sections, JoinedAfter: c.joinedAfter(r.JoinedAt), LastGot: p.lastGot,
		// To the hour, so that readers who joined one by one are not all of a kind of their own.
		JoinedAt: r.JoinedAt.Truncate(time.Hour),
	}
	key := make([]byte, 0, 8*(3+len(p.had)))
	key = binary.BigEndian.AppendUint64(key, uint64(r.Sections))
	key = binary.BigEndian.AppendUint64(key, uint64(reader.JoinedAfter.UnixMilli()))
	key = binary.BigEndian.AppendUint64(key, uint64(reader.LookBackFrom(c.edition.AsOf).UnixMilli()))
	for _, v := range p.had {
		key = binary.BigEndian.AppendUint64(key, uint64(v))
	}
	if d, ok := c.decided[string(key)]; ok {
		return d
	}
	reader.Had = func(article int64) bool {
		for _, v := range p.had {
			if slices.Contains(c.articles[v], article) {
				return true
			}
		}
		return false
	}
	d := c.decideAnew(reader)
	if len(c.decided) >= maxDecided {
		clear(c.decided)
	}
	c.decided[string(key)] = d
	return d
}

func (c *chooser) decideAnew(r newsletter.Reader) *decision {
	d := &decision{verdicts: make([]newsletter.Verdict, len(c.edition.Candidates))}
	var visible []int64
	for i, candidate := range c.edition.Candidates {
		d.verdicts[i] = newsletter.Owed(candidate, r, c.edition.AsOf)
		if d.verdicts[i] == newsletter.Taken {
			visible = append(visible, candidate.ID)
		}
	}
	switch {
	case len(visible) == 0:
		d.reason = newsletter.ReasonNothingNew
	case len(visible) < c.edition.MinArticles:
		d.reason = newsletter.ReasonTooFew
	default:
		d.articles = visible[:min(len(visible), c.edition.MaxArticles)]
	}
	for i, candidate := range c.edition.Candidates {
		if d.verdicts[i] == newsletter.Taken && !slices.Contains(d.articles, candidate.ID) {
			d.verdicts[i] = newsletter.OverCap
			if d.reason == newsletter.ReasonTooFew {
				d.verdicts[i] = newsletter.BelowMinimum
			}
		}
	}
	return d
}

// joinedAfter returns the freeze of the last edition of the cadence before the reader joined,
// zero if there was none within the time that matters.
func (c *chooser) joinedAfter(joined time.Time) time.Time {
	i, _ := slices.BinarySearchFunc(c.joins, joined, time.Time.Compare)
	if i == 0 {
		return time.Time{}
	}
	return c.joins[i-1]
}

// Survey is what an edition would be, reader by reader, before anything is recorded.
type Survey struct {
	Readers  int            // that get it
	Withheld map[string]int // readers who do not, by reason
	Variants []SurveyVariant
	// Verdicts counts the readers of each article by what was decided about it.
	Verdicts map[int64]map[newsletter.Verdict]int
}

// SurveyVariant is one variant and how many readers get it; the most common comes first.
type SurveyVariant struct {
	Articles []int64
	Readers  int
}

// Planned is how many rows the edition's ledger would have.
func (s Survey) Planned() int {
	n := s.Readers
	for _, w := range s.Withheld {
		n += w
	}
	return n
}

// Verdict is what was decided about the article: Taken if any reader gets it, else what was
// decided for the most readers; "" if there are no readers.
func (s Survey) Verdict(article int64) newsletter.Verdict {
	var most newsletter.Verdict
	for v, n := range s.Verdicts[article] {
		if v == newsletter.Taken {
			return v
		}
		if m := s.Verdicts[article][most]; n > m || n == m && v < most {
			most = v
		}
	}
	return most
}

// Look goes through all readers as planning would, and changes nothing.
func Look(ctx context.Context, store PlanStore, e Edition) (Survey, error) {
	s := Survey{Withheld: map[string]int{}, Verdicts: map[int64]map[newsletter.Verdict]int{}}
	for _, c := range e.Candidates {
		s.Verdicts[c.ID] = map[newsletter.Verdict]int{}
	}
	c, err := newChooser(ctx, store, e)
	if err != nil {
		return s, err
	}
	kinds := map[*decision]int{} // how many readers of each kind there are
	err = c.each(ctx, 0, func(choices []choice) error {
		for _, choice := range choices {
			kinds[choice.decision]++
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	variants := map[string]*SurveyVariant{}
	for d, readers := range kinds {
		for i, v := range d.verdicts {
			s.Verdicts[e.Candidates[i].ID][v] += readers
		}
		if d.reason != "" {
			s.Withheld[d.reason] += readers
			continue
		}
		s.Readers += readers
		key := articlesKey(d.articles)
		if variants[key] == nil {
			variants[key] = &SurveyVariant{Articles: d.articles}
		}
		variants[key].Readers += readers
	}
	for _, v := range variants {
		s.Variants = append(s.Variants, *v)
	}
	slices.SortFunc(s.Variants, func(a, b SurveyVariant) int {
		if a.Readers != b.Readers {
			return b.Readers - a.Readers
		}
		return slices.Compare(b.Articles, a.Articles)
	})
	return s, nil
}

// articlesKey identifies a list of articles.
func articlesKey(articles []int64) string {
	key := make([]byte, 0, 8*len(articles))
	for _, a := range articles {
		key = binary.BigEndian.AppendUint64(key, uint64(a))
	}
	return string(key)
}
