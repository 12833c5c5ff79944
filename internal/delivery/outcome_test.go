package delivery

import (
	"slices"
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

// What is new comes before what is told of again, and both count for the minimum.
func TestOutcome_WhatIsNewComesFirst(t *testing.T) {
	t.Parallel()
	always, links := newsletter.RepeatAlways, newsletter.RepeatAsHeadlines
	for name, c := range map[string]struct {
		repeats  newsletter.Repeats
		owed     string // of each candidate, in order: n new, a had and told of again, N and A: of which the edition has only the number
		min, max int
		want     string // the key of the copy, or the reason why there is none
		verdicts string
	}{
		"a repeat that is newer leaves a place": {always, "aan", 1, 2, "1,3", "taken had taken"},
		"no place for repeats":                  {always, "nnna", 1, 2, "1,2 m1", "taken taken over_cap had"},
		"repeats fill up":                       {always, "naa", 1, 9, "1,2,3", "taken taken taken"},
		"repeats alone":                         {always, "aaa", 1, 2, "1,2", "taken taken had"},
		"repeats alone, too few":                {always, "aa", 3, 9, "nothing_new", "had had"},
		"with repeats there are enough":         {always, "na", 2, 9, "1,2", "taken taken"},
		"with repeats too few":                  {always, "na", 3, 9, "too_few", "below_minimum had"},
		"new ones that are left to count":       {always, "NaA", 1, 9, "2 m1", "over_cap taken had"},
		"with links there are enough":           {links, "naa", 3, 9, "1 h2,3", "taken repeat repeat"},
		"with links too few":                    {links, "na", 3, 9, "too_few", "below_minimum had"},
		"links take no place":                   {links, "aann", 1, 2, "3,4 h1,2", "repeat repeat taken taken"},
		"links alone, too few":                  {links, "aa", 3, 9, "nothing_new", "had had"},
		"nothing":                               {links, "", 1, 9, "nothing_new", ""},
		"only a number":                         {always, "N", 1, 9, "nothing_new", "over_cap"},
	} {
		chooser := &chooser{edition: Edition{Repeats: c.repeats, MinArticles: c.min, MaxArticles: c.max}, fresh: make(bitset, 1), again: make(bitset, 1)}
		for i, what := range c.owed {
			candidate := newsletter.Candidate{Article: newsletter.Article{ID: int64(i + 1)}}
			if what == 'N' || what == 'A' {
				candidate.Form = newsletter.Counted
			}
			chooser.edition.Candidates = append(chooser.edition.Candidates, candidate)
			if what == 'n' || what == 'N' {
				chooser.fresh.add(i)
			} else {
				chooser.again.add(i)
			}
		}
		o := chooser.newOutcome(make(bitset, 1))
		var verdicts []string
		for _, v := range o.verdicts {
			verdicts = append(verdicts, string(v.verdict))
		}
		if got := o.copy.Key() + o.reason; got != c.want || !slices.Equal(verdicts, strings.Fields(c.verdicts)) {
			t.Errorf("%s: %q, %v, want %q, %s", name, got, verdicts, c.want, c.verdicts)
		}
	}
}
