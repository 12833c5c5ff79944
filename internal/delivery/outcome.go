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
	var m matter
	for _, v := range o.verdicts {
		candidate := &c.edition.Candidates[v.at]
		switch inFull := candidate.Form == newsletter.InFull; {
		case !v.had && inFull:
			m.fresh++
		case !v.had:
			m.elsewhere++
		case c.edition.Repeats == newsletter.RepeatAlways && inFull:
			m.again++
		case c.edition.Repeats != newsletter.RepeatAlways && candidate.Form != newsletter.Counted:
			m.headlines = append(m.headlines, candidate.ID)
		}
	}
	m.headlines = headlinesOf(m.headlines)
	c.fill(o, m)
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

// matter is what an edition has for readers.
type matter struct {
	fresh     int     // articles that are new to them
	again     int     // that they had, and are told of again in full
	headlines []int64 // that they had, and are told of again as links
	elsewhere int     // new to them, and the edition does not have it in full
}

// fill gives the outcome its copy, or the reason why it has none, and says of each article what
// becomes of it. What is new takes the places that there are first: it is owed. What was had before
// takes those that are left.
func (c *chooser) fill(o *outcome, m matter) {
	owed, had := m.fresh+m.elsewhere, m.again+len(m.headlines)
	fresh := min(m.fresh, c.edition.MaxArticles)
	again := min(m.again, c.edition.MaxArticles-fresh)
	switch {
	case owed > 0 && owed+had < c.edition.MinArticles:
		o.reason = newsletter.ReasonTooFew
	case owed == 0 && had < c.edition.MinArticles, m.fresh+had == 0:
		o.reason = newsletter.ReasonNothingNew
	default:
		o.copy = newsletter.Copy{Articles: make([]int64, 0, fresh+again), Headlines: m.headlines, More: min(owed-fresh, newsletter.MaxMore)}
	}
	for i, v := range o.verdicts {
		candidate := &c.edition.Candidates[v.at]
		place := &fresh
		if v.had {
			place = &again
		}
		switch {
		case o.reason == "" && candidate.Form == newsletter.InFull && *place > 0:
			*place--
			v.verdict = newsletter.Taken
			o.copy.Articles = append(o.copy.Articles, candidate.ID)
		case v.had && !slices.Contains(o.copy.Headlines, candidate.ID):
			v.verdict = newsletter.HadAlready
		case v.had:
			v.verdict = newsletter.Repeated
		case o.reason == newsletter.ReasonTooFew:
			v.verdict = newsletter.BelowMinimum
		default:
			v.verdict = newsletter.OverCap
		}
		o.verdicts[i] = v
	}
}
