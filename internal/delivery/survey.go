package delivery

import (
	"cmp"
	"context"
	"errors"
	"math/bits"
	"slices"
	"strings"

	"broadsheet/internal/newsletter"
)

// Survey is what an edition would be, reader by reader, before anything is recorded.
type Survey struct {
	Readers  int            // that get it
	Canary   int            // of those, in the edition's sample
	Withheld map[string]int // readers who do not, by reason
	Variants []SurveyVariant
	// Verdicts counts the readers of each article by what was decided about it.
	Verdicts map[int64]map[newsletter.Verdict]int
}

// SurveyVariant is one variant and how many readers get it; the most common comes first.
type SurveyVariant struct {
	newsletter.Copy
	Readers int
}

// Planned is how many rows the edition's ledger would have.
func (s Survey) Planned() int {
	n := s.Readers
	for _, w := range s.Withheld {
		n += w
	}
	return n
}

// Verdict is what was decided about the article: Taken if any reader gets it, Repeated if any
// has it as a headline, else what was decided for the most readers; "" if there are none.
func (s Survey) Verdict(article int64) newsletter.Verdict {
	var most newsletter.Verdict
	for _, v := range []newsletter.Verdict{newsletter.Taken, newsletter.Repeated} {
		if s.Verdicts[article][v] > 0 {
			return v
		}
	}
	for v, n := range s.Verdicts[article] {
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
	c.tally = newTally(len(e.Candidates))
	err = c.each(ctx, 0, func(choices []choice) error {
		if e.Sample == nil {
			return nil
		}
		for _, choice := range choices {
			if choice.reason == "" && e.Sample(choice.subscriber) {
				s.Canary++
			}
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	c.forget()
	c.tally.addTo(&s, e)
	slices.SortFunc(s.Variants, func(a, b SurveyVariant) int {
		if a.Readers != b.Readers {
			return b.Readers - a.Readers
		}
		return cmp.Or(slices.Compare(b.Articles, a.Articles), strings.Compare(a.Key(), b.Key()))
	})
	return s, nil
}

// tally counts readers by what is decided for them.
type tally struct {
	verdicts []map[newsletter.Verdict]int // of each candidate
	had      []int                        // readers of each candidate who had it, and are not told of it again
	withheld map[string]int
	variants map[string]*SurveyVariant
}

func newTally(candidates int) *tally {
	t := &tally{verdicts: make([]map[newsletter.Verdict]int, candidates), had: make([]int, candidates), withheld: map[string]int{}, variants: map[string]*SurveyVariant{}}
	for i := range t.verdicts {
		t.verdicts[i] = map[newsletter.Verdict]int{}
	}
	return t
}

// count notes what was decided for a reader with these rules, who had so much.
func (t *tally) count(c *chooser, r *rules, o *outcome, had bitset) {
	r.readers++
	o.readers++
	for w, differs := range r.differs {
		for word := differs & had[w]; word != 0; word &= word - 1 {
			i := 64*w + bits.TrailingZeros64(word)
			r.had[i]++
			if !c.again.has(i) {
				t.had[i]++
			}
		}
	}
}

// take adds what the chooser's rules and outcomes have counted.
func (t *tally) take(c *chooser) {
	for _, r := range c.kinds {
		for i, v := range r.without {
			t.verdicts[i][v] += r.readers - r.had[i]
		}
	}
	for _, o := range c.outcomes {
		t.takeOutcome(o)
	}
	for _, o := range []*outcome{&c.suppressed, &c.paused} {
		t.takeOutcome(o)
		o.readers = 0
	}
}

func (t *tally) takeOutcome(o *outcome) {
	for _, v := range o.verdicts {
		if !v.had { // its rules have it as one that is owed
			t.verdicts[v.at][newsletter.Taken] -= o.readers
		}
		t.verdicts[v.at][v.verdict] += o.readers
	}
	if o.reason != "" {
		t.withheld[o.reason] += o.readers
		return
	}
	key := o.copy.Key()
	if t.variants[key] == nil {
		t.variants[key] = &SurveyVariant{Copy: o.copy}
	}
	t.variants[key].Readers += o.readers
}

// addTo fills the survey.
func (t *tally) addTo(s *Survey, e Edition) {
	for i, c := range e.Candidates {
		t.verdicts[i][newsletter.HadAlready] += t.had[i]
		for v, n := range t.verdicts[i] {
			if n > 0 {
				s.Verdicts[c.ID][v] = n
			}
		}
	}
	for reason, n := range t.withheld {
		if n > 0 {
			s.Withheld[reason] = n
		}
	}
	for _, v := range t.variants {
		if v.Readers > 0 {
			s.Variants = append(s.Variants, *v)
			s.Readers += v.Readers
		}
	}
}

var errFound = errors.New("found")

// AnyOwed reports whether any reader would get the edition; it stops at the first one.
func AnyOwed(ctx context.Context, store PlanStore, e Edition) (bool, error) {
	c, err := newChooser(ctx, store, e)
	if err != nil {
		return false, err
	}
	err = c.each(ctx, 0, func(choices []choice) error {
		for _, choice := range choices {
			if choice.reason == "" {
				return errFound
			}
		}
		return nil
	})
	if errors.Is(err, errFound) {
		return true, nil
	}
	return false, err
}
