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
	PastEditions(ctx context.Context, since time.Time) ([]newsletter.PastEdition, error)
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
	MinArticles  int
	Candidates   []newsletter.Candidate // in the order of the edition
	// Pick returns what a reader who may see these articles gets.
	Pick func(visible []int64) []int64
	// Real says that the mail goes to readers; to the outbox, deliveries to the outbox count.
	Real bool
	Key  newsletter.SuppressionKey
}

// Choice is what one reader gets: articles, or none for a reason.
type Choice struct {
	SubscriberID int64
	Articles     []int64
	Reason       string
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
	decided map[string]decision
}

type decision struct {
	articles []int64
	reason   string
}

// maxDecided bounds the memory for decisions; beyond it they are made again.
const maxDecided = 20_000

func newChooser(ctx context.Context, store PlanStore, e Edition) (*chooser, error) {
	c := &chooser{store: store, edition: e, decided: map[string]decision{}}
	past, err := store.PastEditions(ctx, e.AsOf.Add(-newsletter.MaxLookBack))
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
func (c *chooser) each(ctx context.Context, after int64, f func([]Choice) error) error {
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

func (c *chooser) choose(ctx context.Context, readers []newsletter.PlanReader) ([]Choice, error) {
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
	choices := make([]Choice, len(readers))
	for i, r := range readers {
		d := c.decide(r, pasts[i])
		choices[i] = Choice{SubscriberID: r.SubscriberID, Articles: d.articles, Reason: d.reason}
	}
	return choices, nil
}

// past is what a reader had: the variants, in order of their editions, and when they last
// got an edition of this newsletter.
type past struct {
	had     []int64
	lastGot time.Time
}

func (c *chooser) decide(r newsletter.PlanReader, p past) decision {
	switch {
	case r.Suppressed:
		return decision{reason: newsletter.ReasonSuppressed}
	case r.Paused:
		return decision{reason: newsletter.ReasonPaused}
	}
	joined := c.joinedAfter(r.JoinedAt)
	key := make([]byte, 0, 8*(3+len(p.had)))
	key = binary.BigEndian.AppendUint64(key, uint64(r.Sections))
	key = binary.BigEndian.AppendUint64(key, uint64(joined.UnixMilli()))
	key = binary.BigEndian.AppendUint64(key, uint64(p.lastGot.UnixMilli()))
	for _, v := range p.had {
		key = binary.BigEndian.AppendUint64(key, uint64(v))
	}
	if d, ok := c.decided[string(key)]; ok {
		return d
	}
	d := c.decideAnew(newsletter.Reader{
		Sections: r.Sections, JoinedAfter: joined, LastGot: p.lastGot,
		Had: func(article int64) bool {
			for _, v := range p.had {
				if slices.Contains(c.articles[v], article) {
					return true
				}
			}
			return false
		},
	})
	if len(c.decided) >= maxDecided {
		clear(c.decided)
	}
	c.decided[string(key)] = d
	return d
}

func (c *chooser) decideAnew(r newsletter.Reader) decision {
	var visible []int64
	for _, candidate := range c.edition.Candidates {
		if newsletter.Owed(candidate, r, c.edition.AsOf) == newsletter.Taken {
			visible = append(visible, candidate.ID)
		}
	}
	switch {
	case len(visible) == 0:
		return decision{reason: newsletter.ReasonNothingNew}
	case len(visible) < c.edition.MinArticles:
		return decision{reason: newsletter.ReasonTooFew}
	}
	return decision{articles: c.edition.Pick(visible)}
}

// joinedAfter returns the freeze of the last edition of the cadence before the reader joined,
// zero if there was none within the time that matters.
func (c *chooser) joinedAfter(joined time.Time) time.Time {
	i, found := slices.BinarySearchFunc(c.joins, joined, time.Time.Compare)
	if found {
		return c.joins[i]
	}
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
	// Taken are the articles that at least one reader gets, with how many do.
	Taken map[int64]int
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

// Look goes through all readers as planning would, and changes nothing.
func Look(ctx context.Context, store PlanStore, e Edition) (Survey, error) {
	s := Survey{Withheld: map[string]int{}, Taken: map[int64]int{}}
	c, err := newChooser(ctx, store, e)
	if err != nil {
		return s, err
	}
	readers := map[string]int{}
	variants := map[string][]int64{}
	err = c.each(ctx, 0, func(choices []Choice) error {
		for _, choice := range choices {
			if choice.Reason != "" {
				s.Withheld[choice.Reason]++
				continue
			}
			key := articlesKey(choice.Articles)
			readers[key]++
			variants[key] = choice.Articles
		}
		return nil
	})
	for key, articles := range variants {
		s.Variants = append(s.Variants, SurveyVariant{articles, readers[key]})
		s.Readers += readers[key]
		for _, a := range articles {
			s.Taken[a] += readers[key]
		}
	}
	slices.SortFunc(s.Variants, func(a, b SurveyVariant) int {
		if a.Readers != b.Readers {
			return b.Readers - a.Readers
		}
		return slices.Compare(b.Articles, a.Articles)
	})
	return s, err
}

// articlesKey identifies a list of articles.
func articlesKey(articles []int64) string {
	key := make([]byte, 0, 8*len(articles))
	for _, a := range articles {
		key = binary.BigEndian.AppendUint64(key, uint64(a))
	}
	return string(key)
}
