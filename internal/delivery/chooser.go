package delivery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// PlanStore is what planning reads.
type PlanStore interface {
	PastEditions(ctx context.Context, since time.Time, articles []int64) ([]newsletter.PastEdition, error)
	FreezeBefore(ctx context.Context, newsletterID int64, c newsletter.Cadence, slot string, before time.Time) (time.Time, error)
	VariantArticles(ctx context.Context, editionID int64) (map[int64][]int64, error)
	VariantCorrections(ctx context.Context, editionID int64) (map[int64][]int64, error)
	Unsettled(ctx context.Context, editionID, first, last int64) ([]int64, error)
	Barred(ctx context.Context, key newsletter.SuppressionKey) (*newsletter.Barred, error)
	PlanReaders(ctx context.Context, newsletterID int64, c newsletter.Cadence, slot string, after int64, limit int, early time.Time, barred *newsletter.Barred, now time.Time) ([]newsletter.PlanReader, error)
	NextPlanPart(ctx context.Context, editionID, after int64) (newsletter.PlanPart, error)
	Released(ctx context.Context, editionID, first, last int64, real bool) ([]int64, error)
}

// Edition is an edition as choosing sees it, frozen or about to be.
type Edition struct {
	ID           int64 // 0: not frozen yet
	NewsletterID int64
	Cadence      newsletter.Cadence
	Slot         string // whose readers it is for; newsletter.AllSlots: all of the cadence
	AsOf         time.Time
	MinArticles  int // who is owed fewer waits for more
	MaxArticles  int // the first ones are taken; more are left for the next edition
	Repeats      newsletter.Repeats
	Candidates   []newsletter.Candidate // in the order of the edition
	// Corrections are told to those who had the original and were not told of them, with their
	// news: nobody gets an edition for a correction alone.
	Corrections []newsletter.Correction
	// Real says that the mail goes to readers; to the outbox, deliveries to the outbox count.
	Real bool
	Key  newsletter.SuppressionKey
	// MaxComposed is how many variants are stored as messages; 0: so many as ever.
	MaxComposed int
	// Announcement says that it has no articles and goes to every reader of its cadence.
	Announcement bool
	Sample       func(subscriberID int64) bool // who is in its canary, if Look is to count them; nil: nobody
}

// original is the index, after those of the candidates, of having had the original that the i-th
// correction is about; told that of having been told of it.
func (e *Edition) original(i int) int { return len(e.Candidates) + 2*i }
func (e *Edition) told(i int) int     { return e.original(i) + 1 }

// planChunk is how many readers are read, decided and written at once. More in a transaction
// would keep others waiting to write.
const planChunk = 10_000

// The limits of the memory for decisions and histories; beyond them they are made again.
const (
	maxVerdicts = 1_000_000
	maxSteps    = 50_000
)

// choice is what one reader gets.
type choice struct {
	subscriber int64
	*decision
}

// chooser decides what each reader of an edition gets.
type chooser struct {
	store     PlanStore
	edition   Edition
	barred    *newsletter.Barred
	past      []*pastEdition // of all newsletters, the newest first
	joins     joinClasses
	repeats   time.Time // since when articles are told of again; zero: none is
	owedFrom  []int64   // since when the candidates are, in order: Unix milliseconds
	histories *histories
	// decided keeps what was decided for readers of one kind: among a million readers there
	// are few different ones.
	decided            map[kind]*decision
	latest             kind // what was asked for last, and
	latestDecision     *decision
	suppressed, paused decision
	forgotten          func(*decision) // is told of the decisions that are let go; may be nil
}

// kind is all that a decision about a reader depends on.
type kind struct {
	sections newsletter.Mask
	joined   int // class of the time of joining
	history  historyID
	missed   int // how many candidates came before the end of the pause that they have caught up after
}

// decision is what readers of one kind get: a copy, or none for a reason.
type decision struct {
	copy     newsletter.Copy
	reason   string
	verdicts []newsletter.Verdict // of each candidate; nil if it did not come to that
	readers  int                  // counted by the survey
	asked    bool                 // by planning, for its variant
	variant  int64                // recorded by planning; 0: not yet
}

func newChooser(ctx context.Context, store PlanStore, e Edition) (*chooser, error) {
	c := &chooser{
		store: store, edition: e, decided: map[kind]*decision{}, histories: newHistories(len(e.Candidates) + 2*len(e.Corrections)),
		suppressed: decision{reason: newsletter.ReasonSuppressed},
		paused:     decision{reason: newsletter.ReasonPaused},
	}
	var joins []time.Time
	var err error
	if c.past, joins, err = openPast(ctx, store, e); err != nil {
		return nil, err
	}
	c.joins = newJoinClasses(joins, e.Candidates)
	var before time.Time
	if len(joins) > 0 {
		before = joins[len(joins)-1]
	}
	c.repeats = e.Repeats.From(e.AsOf, before)
	for _, candidate := range e.Candidates {
		c.owedFrom = append(c.owedFrom, candidate.OwedFrom.UnixMilli())
	}
	slices.Sort(c.owedFrom)
	if c.barred, err = store.Barred(ctx, e.Key); err != nil {
		return nil, err
	}
	return c, nil
}

// each calls f with the choices for the next readers after the given subscriber, until there
// are no more or f fails. The choices are only good until f returns.
func (c *chooser) each(ctx context.Context, after int64, f func([]choice) error) error {
	var choices []choice
	for {
		readers, err := c.store.PlanReaders(ctx, c.edition.NewsletterID, c.edition.Cadence, c.edition.Slot, after, planChunk, c.joins.early(), c.barred, c.edition.AsOf)
		if err != nil {
			return fmt.Errorf("readers: %w", err)
		}
		if len(readers) > 0 {
			if choices, err = c.choose(ctx, choices[:0], readers); err != nil {
				return err
			}
			if err := f(choices); err != nil {
				return err
			}
		}
		if len(readers) < planChunk {
			return nil
		}
		after = readers[len(readers)-1].SubscriberID
	}
}

// choose appends what the readers get.
func (c *chooser) choose(ctx context.Context, choices []choice, readers []newsletter.PlanReader) ([]choice, error) {
	if len(c.decided)*(1+len(c.edition.Candidates)) > maxVerdicts || len(c.histories.steps) > maxSteps {
		c.forget()
	}
	histories := make([]historyID, len(readers))
	for _, p := range c.past {
		if err := p.addTo(ctx, c.store, c.edition.Real, readers, histories, c.histories); err != nil {
			return nil, fmt.Errorf("what readers had from edition %d: %w", p.id, err)
		}
	}
	for i := range readers {
		choices = append(choices, choice{readers[i].SubscriberID, c.decide(&readers[i], histories[i])})
	}
	return choices, nil
}

func (c *chooser) forget() {
	if c.forgotten != nil {
		for _, d := range c.decided {
			c.forgotten(d)
		}
	}
	clear(c.decided)
	c.histories.forget()
	c.latest, c.latestDecision = kind{}, nil
}

func (c *chooser) decide(r *newsletter.PlanReader, past historyID) *decision {
	switch { // these are shared, so that readers of one kind are counted as one
	case r.Suppressed:
		return &c.suppressed
	case r.Paused:
		return &c.paused
	}
	k := kind{r.Sections, c.joins.class(r.JoinedAt), past, 0}
	if r.CaughtUp {
		k.missed, _ = slices.BinarySearch(c.owedFrom, r.ResumedAt.UnixMilli())
	}
	if k == c.latest && c.latestDecision != nil {
		return c.latestDecision
	}
	d, ok := c.decided[k]
	if !ok {
		d = c.decideAnew(r, c.histories.list[past])
		c.decided[k] = d
	}
	c.latest, c.latestDecision = k, d
	return d
}

// decideAnew decides for the first reader of a kind, who stands for all of them.
func (c *chooser) decideAnew(r *newsletter.PlanReader, past history) *decision {
	if c.edition.Announcement {
		return &decision{}
	}
	current := 0
	reader := newsletter.Reader{
		Sections: r.Sections, JoinedAt: r.JoinedAt, JoinedAfter: c.joins.freezeBefore(r.JoinedAt), LastGot: past.lastGot,
		Had:         func(int64) bool { return past.holds(current) },
		RepeatsFrom: c.repeats, HadHere: func(int64) bool { return past.holdsHere(current) },
		ResumedAt: r.ResumedAt, CaughtUp: r.CaughtUp,
	}
	d := &decision{verdicts: make([]newsletter.Verdict, len(c.edition.Candidates))}
	var visible, before []int64
	elsewhere := 0 // owed, and the edition does not have it in full
	for i, candidate := range c.edition.Candidates {
		current = i
		v := newsletter.Owed(candidate, reader, c.edition.AsOf)
		switch {
		case v == newsletter.Repeated && c.edition.Repeats == newsletter.RepeatAlways:
			v = newsletter.Taken
		case v == newsletter.Repeated && candidate.Form != newsletter.Counted:
			before = append(before, candidate.ID)
		}
		switch d.verdicts[i] = v; {
		case v == newsletter.Taken && candidate.Form == newsletter.InFull:
			visible = append(visible, candidate.ID)
		case v == newsletter.Taken:
			elsewhere++
		}
	}
	c.fill(d, visible, headlinesOf(before), elsewhere)
	if d.reason == "" {
		for i, correction := range c.edition.Corrections {
			if past.holds(c.edition.original(i)) && !past.holds(c.edition.told(i)) {
				d.copy.Corrections = append(d.copy.Corrections, correction.ArticleID)
			}
		}
	}
	return d
}

// headlinesOf returns the newest of what the readers had before, in the order of the edition. The
// newest are those with the highest ids, in whatever order the edition has its articles.
func headlinesOf(before []int64) []int64 {
	if len(before) <= newsletter.MaxHeadlines {
		return before
	}
	newest := slices.Sorted(slices.Values(before))[len(before)-newsletter.MaxHeadlines:]
	return slices.DeleteFunc(before, func(id int64) bool { return !slices.Contains(newest, id) })
}

// fill gives the decision its copy, or the reason why it has none: what is new to the readers, in
// full, what they had before, as links, and how many more they are owed than the edition has for
// them.
func (c *chooser) fill(d *decision, visible, headlines []int64, elsewhere int) {
	full := min(len(visible), c.edition.MaxArticles)
	fresh := len(visible) + elsewhere
	switch {
	case fresh > 0 && fresh+len(headlines) < c.edition.MinArticles:
		d.reason = newsletter.ReasonTooFew
	case fresh == 0 && len(headlines) < c.edition.MinArticles, len(visible)+len(headlines) == 0:
		d.reason = newsletter.ReasonNothingNew
	default:
		d.copy = newsletter.Copy{Articles: visible[:full:full], Headlines: headlines, More: min(len(visible)-full+elsewhere, newsletter.MaxMore)}
	}
	for i, candidate := range c.edition.Candidates {
		switch {
		case d.verdicts[i] == newsletter.Taken && d.reason == newsletter.ReasonTooFew:
			d.verdicts[i] = newsletter.BelowMinimum
		case d.verdicts[i] == newsletter.Repeated && !slices.Contains(d.copy.Headlines, candidate.ID):
			d.verdicts[i] = newsletter.HadAlready
		case d.verdicts[i] == newsletter.Taken && !slices.Contains(d.copy.Articles, candidate.ID):
			d.verdicts[i] = newsletter.OverCap
		}
	}
}
