package delivery

import (
	"slices"

	"broadsheet/internal/newsletter"
)

// outcome is what readers get who are owed the same: a copy, or none for a reason.
type outcome struct {
	copy     newsletter.Copy
	reason   string
	verdicts []articleVerdict // of what they are owed, or told of again
	readers  int              // counted by the survey
	asked    bool             // by planning, for its variant
	variant  int64            // recorded by planning; 0: not yet
}

// articleVerdict is what was decided about a candidate.
type articleVerdict struct {
	at      int // its index
	verdict newsletter.Verdict
	had     bool // the readers had it before
}

// outcomeOf returns what readers get with these fresh articles and those again. had says what they
// know of corrections.
func (c *chooser) outcomeOf(had bitset) *outcome {
	c.key = c.again.appendTo(c.fresh.appendTo(c.key[:0]))
	for i := range c.edition.Corrections {
		if had.has(c.edition.original(i)) && !had.has(c.edition.told(i)) {
			c.key = append(c.key, byte(i))
		}
	}
	o, ok := c.outcomes[string(c.key)]
	if !ok {
		o = c.newOutcome(had)
		c.outcomes[string(c.key)] = o
	}
	return o
}

func (c *chooser) newOutcome(had bitset) *outcome {
	o := &outcome{}
	if c.edition.Announcement {
		return o
	}
	c.fresh.each(func(i int) { o.verdicts = append(o.verdicts, articleVerdict{i, newsletter.Taken, false}) })
	c.again.each(func(i int) { o.verdicts = append(o.verdicts, articleVerdict{i, newsletter.Repeated, true}) })
	slices.SortFunc(o.verdicts, func(a, b articleVerdict) int { return a.at - b.at })
	var visible, before []int64
	elsewhere := 0 // owed, and the edition does not have it in full
	for i, v := range o.verdicts {
		candidate := c.edition.Candidates[v.at]
		if v.verdict == newsletter.Repeated && c.edition.Repeats == newsletter.RepeatAlways {
			v.verdict = newsletter.Taken
		}
		switch {
		case v.verdict == newsletter.Repeated && candidate.Form != newsletter.Counted:
			before = append(before, candidate.ID)
		case v.verdict == newsletter.Taken && candidate.Form == newsletter.InFull:
			visible = append(visible, candidate.ID)
		case v.verdict == newsletter.Taken:
			elsewhere++
		}
		o.verdicts[i] = v
	}
	c.fill(o, visible, headlinesOf(before), elsewhere)
	if o.reason == "" {
		for i, correction := range c.edition.Corrections {
			if had.has(c.edition.original(i)) && !had.has(c.edition.told(i)) {
				o.copy.Corrections = append(o.copy.Corrections, correction.ArticleID)
			}
		}
	}
	return o
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

// fill gives the outcome its copy, or the reason why it has none: what is new to the readers, in
// full, what they had before, as links, and how many more they are owed than the edition has for
// them.
func (c *chooser) fill(o *outcome, visible, headlines []int64, elsewhere int) {
	full := min(len(visible), c.edition.MaxArticles)
	fresh := len(visible) + elsewhere
	switch {
	case fresh > 0 && fresh+len(headlines) < c.edition.MinArticles:
		o.reason = newsletter.ReasonTooFew
	case fresh == 0 && len(headlines) < c.edition.MinArticles, len(visible)+len(headlines) == 0:
		o.reason = newsletter.ReasonNothingNew
	default:
		o.copy = newsletter.Copy{Articles: visible[:full:full], Headlines: headlines, More: min(len(visible)-full+elsewhere, newsletter.MaxMore)}
	}
	for i, v := range o.verdicts {
		id := c.edition.Candidates[v.at].ID
		switch {
		case v.verdict == newsletter.Taken && o.reason == newsletter.ReasonTooFew:
			v.verdict = newsletter.BelowMinimum
		case v.verdict == newsletter.Repeated && !slices.Contains(o.copy.Headlines, id):
			v.verdict = newsletter.HadAlready
		case v.verdict == newsletter.Taken && !slices.Contains(o.copy.Articles, id):
			v.verdict = newsletter.OverCap
		}
		o.verdicts[i] = v
	}
}
