package delivery

import (
	"cmp"
	"context"
	"errors"
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
	variants := map[string]*SurveyVariant{}
	c.forgotten = func(d *decision) { s.count(e, d, variants) }
	err = c.each(ctx, 0, func(choices []choice) error {
		for _, choice := range choices {
			choice.readers++
			if e.Sample != nil && choice.reason == "" && e.Sample(choice.subscriber) {
				s.Canary++
			}
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	c.forget()
	s.count(e, &c.suppressed, variants)
	s.count(e, &c.paused, variants)
	for _, v := range variants {
		s.Variants = append(s.Variants, *v)
	}
	slices.SortFunc(s.Variants, func(a, b SurveyVariant) int {
		if a.Readers != b.Readers {
			return b.Readers - a.Readers
		}
		return cmp.Or(slices.Compare(b.Articles, a.Articles), strings.Compare(a.Key(), b.Key()))
	})
	return s, nil
}

// count adds the readers of one decision.
func (s *Survey) count(e Edition, d *decision, variants map[string]*SurveyVariant) {
	if d.readers == 0 {
		return
	}
	for i, v := range d.verdicts {
		s.Verdicts[e.Candidates[i].ID][v] += d.readers
	}
	if d.reason != "" {
		s.Withheld[d.reason] += d.readers
		return
	}
	s.Readers += d.readers
	key := d.copy.Key()
	if variants[key] == nil {
		variants[key] = &SurveyVariant{Copy: d.copy}
	}
	variants[key].Readers += d.readers
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
