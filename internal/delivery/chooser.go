package delivery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/newsletter"

	"golang.org/x/sync/errgroup"
)

// PlanStore is what planning reads.
type PlanStore interface {
	PastEditions(ctx context.Context, since time.Time, articles []int64) ([]newsletter.PastEdition, error)
	FreezeBefore(ctx context.Context, newsletterID int64, c newsletter.Cadence, slot string, before time.Time) (time.Time, error)
	VariantArticles(ctx context.Context, editionID int64) (map[int64][]int64, error)
	VariantCorrections(ctx context.Context, editionID int64) (map[int64][]int64, error)
	Unsettled(ctx context.Context, editionID, first, last int64) ([]int64, error)
	Barred(ctx context.Context, key newsletter.SuppressionKey) (*newsletter.Barred, error)
	PlanReaders(ctx context.Context, readers []newsletter.PlanReader, want newsletter.PlanReaders, after int64, limit int) ([]newsletter.PlanReader, error)
	NextPlanPart(ctx context.Context, runs []newsletter.PlanRun, editionID, after int64) (newsletter.PlanPart, error)
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

// The limits of the memory for what is decided; beyond them it is decided again.
const (
	maxVerdicts = 1_000_000
	maxOutcomes = 20_000
)

// choice is what one reader gets.
type choice struct {
	subscriber int64
	*outcome
}

// chooser decides what each reader of an edition gets. newsletter.Owed says it, of every candidate;
// it is asked once for readers of one kind, for those who had the candidate and for those who did
// not. What a reader gets is then a matter of sets.
type chooser struct {
	store    PlanStore
	edition  Edition
	barred   *newsletter.Barred
	past     []*pastEdition // of all newsletters, the newest first
	joins    joinClasses
	repeats  time.Time // since when articles are told of again; zero: none is
	owedFrom []int64   // since when the candidates are, in order: Unix milliseconds
	words    int       // of a set of candidates and what is known of corrections
	pasts    pasts
	kinds    map[kind]*rules
	latest   kind // what was asked for last, and
	rules    *rules
	outcomes map[string]*outcome // by the sets of what readers are owed, see outcomeOf
	tally    *tally              // counts what is decided; nil: nobody wants to know

	readers            []newsletter.PlanReader // of the chunk at hand
	fresh, again       bitset                  // of the reader at hand
	key                []byte
	suppressed, paused outcome
}

// kind is all that the rules for a reader depend on beside what they had.
type kind struct {
	sections newsletter.Mask
	joined   int    // class of the time of joining
	lastGot  int64  // see gift
	missed   [2]int // which candidates, in the order of when they are owed, came in the pause that they have caught up after
}

// rules say what the readers of one kind are owed.
type rules struct {
	owed    bitset // the candidates that are, by who did not have them
	repeats bitset // that who had them is told of again
	differs bitset // of which it matters whether they had them
	without []newsletter.Verdict
	// Counted by the survey: readers, and of each candidate those who had it where that matters.
	readers int
	had     []int
}

func newChooser(ctx context.Context, store PlanStore, e Edition) (*chooser, error) {
	n := words(len(e.Candidates) + 2*len(e.Corrections))
	c := &chooser{
		store: store, edition: e, words: n, pasts: pasts{words: n}, kinds: map[kind]*rules{}, outcomes: map[string]*outcome{},
		fresh: make(bitset, n), again: make(bitset, n),
		suppressed: outcome{reason: newsletter.ReasonSuppressed},
		paused:     outcome{reason: newsletter.ReasonPaused},
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
// are no more or f fails. The choices are only good until f returns. While it decides for some
// readers, the next ones are read.
func (c *chooser) each(ctx context.Context, after int64, f func([]choice) error) error {
	ctx, cancel := context.WithCancel(ctx)
	chunks, used := make(chan []newsletter.PlanReader), make(chan []newsletter.PlanReader, 2)
	used <- nil
	used <- nil
	var reading errgroup.Group
	reading.Go(func() error {
		defer close(chunks)
		return c.read(ctx, after, chunks, used)
	})
	var choices []choice
	var err error
	for readers := range chunks {
		if choices, err = c.choose(ctx, choices[:0], readers); err == nil {
			err = f(choices)
		}
		if err != nil {
			break
		}
		used <- readers
	}
	cancel() // if choosing failed, reading is not needed any more
	if unread := reading.Wait(); err == nil {
		err = unread
	}
	return err
}

// read hands over all readers after one, in order, a chunk at a time, in memory that was used.
func (c *chooser) read(ctx context.Context, after int64, chunks chan<- []newsletter.PlanReader, used <-chan []newsletter.PlanReader) error {
	e := c.edition
	want := newsletter.PlanReaders{NewsletterID: e.NewsletterID, Cadence: e.Cadence, Slot: e.Slot, Early: c.joins.early(), Barred: c.barred, Now: e.AsOf}
	for {
		var readers []newsletter.PlanReader
		select {
		case readers = <-used:
		case <-ctx.Done():
			return ctx.Err()
		}
		readers, err := c.store.PlanReaders(ctx, readers[:0], want, after, planChunk)
		if err != nil {
			return fmt.Errorf("readers: %w", err)
		}
		if len(readers) == 0 {
			return nil
		}
		after = readers[len(readers)-1].SubscriberID
		if err := handOver(ctx, chunks, readers); err != nil {
			return err
		}
		if len(readers) < planChunk {
			return nil
		}
	}
}

// choose appends what the readers get.
func (c *chooser) choose(ctx context.Context, choices []choice, readers []newsletter.PlanReader) ([]choice, error) {
	if len(c.kinds)*(1+len(c.edition.Candidates)) > maxVerdicts || len(c.outcomes) > maxOutcomes {
		c.forget()
	}
	c.readers = readers
	c.pasts.reset(len(readers))
	for _, p := range c.past {
		if err := p.addTo(ctx, c.store, c.edition.Real, readers, &c.pasts); err != nil {
			return nil, fmt.Errorf("what readers had from edition %d: %w", p.id, err)
		}
	}
	for i := range readers {
		choices = append(choices, choice{readers[i].SubscriberID, c.decide(&readers[i], i)})
	}
	return choices, nil
}

// forget starts anew, with what was counted in the tally.
func (c *chooser) forget() {
	if c.tally != nil {
		c.tally.take(c)
	}
	clear(c.kinds)
	clear(c.outcomes)
	c.rules = nil
}

// decide returns what the reader gets, who is the i-th of the chunk.
func (c *chooser) decide(r *newsletter.PlanReader, i int) *outcome {
	switch {
	case r.Suppressed:
		c.suppressed.readers++
		return &c.suppressed
	case r.Paused:
		c.paused.readers++
		return &c.paused
	}
	rules := c.rulesFor(r, c.pasts.lastGot[i])
	had, here := c.pasts.of(i)
	for w, owed := range rules.owed {
		c.again[w] = rules.repeats[w] & had[w] &^ here[w]
		c.fresh[w] = owed &^ had[w]
	}
	o := c.outcomeOf(had)
	if c.tally != nil {
		c.tally.count(c, rules, o, had)
	}
	return o
}

// rulesFor returns the rules for the kind of reader who last got an edition then.
func (c *chooser) rulesFor(r *newsletter.PlanReader, lastGot int64) *rules {
	k := kind{r.Sections, c.joins.class(r.JoinedAt), lastGot, [2]int{}}
	if r.CaughtUp {
		k.missed[0], _ = slices.BinarySearch(c.owedFrom, r.PausedAt.UnixMilli()+1)
		k.missed[1], _ = slices.BinarySearch(c.owedFrom, r.ResumedAt.UnixMilli())
	}
	if k == c.latest && c.rules != nil {
		return c.rules
	}
	found, ok := c.kinds[k]
	if !ok {
		found = c.newRules(r, lastGot)
		c.kinds[k] = found
	}
	c.latest, c.rules = k, found
	return found
}

// newRules asks what is owed to the first reader of a kind, who stands for all of them.
func (c *chooser) newRules(r *newsletter.PlanReader, lastGot int64) *rules {
	n := len(c.edition.Candidates)
	rules := &rules{owed: make(bitset, c.words), repeats: make(bitset, c.words), differs: make(bitset, c.words), without: make([]newsletter.Verdict, n), had: make([]int, n)}
	had := false
	reader := newsletter.Reader{
		Sections: r.Sections, JoinedAt: r.JoinedAt, JoinedAfter: c.joins.freezeBefore(r.JoinedAt),
		Had:         func(int64) bool { return had },
		RepeatsFrom: c.repeats, HadHere: func(int64) bool { return false },
		PausedAt: r.PausedAt, ResumedAt: r.ResumedAt, CaughtUp: r.CaughtUp,
	}
	if lastGot != 0 {
		reader.LastGot = time.UnixMilli(lastGot).UTC()
	}
	for i, candidate := range c.edition.Candidates {
		had = false
		rules.without[i] = newsletter.Owed(candidate, reader, c.edition.AsOf)
		if rules.without[i] == newsletter.Taken {
			rules.owed.add(i)
		}
		had = true
		v := newsletter.Owed(candidate, reader, c.edition.AsOf)
		if v == newsletter.Repeated {
			rules.repeats.add(i)
		}
		if v != rules.without[i] {
			rules.differs.add(i)
		}
	}
	return rules
}
