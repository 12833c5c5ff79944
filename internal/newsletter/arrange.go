package newsletter

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Arrange puts articles in the order of choosing, in place, and gives them their ranks: what is
// over a reader's cap is what stands last. Exclusives come first, then the newest. Articles that
// the source does not date go by when they were first seen.
func Arrange(list []Candidate) {
	slices.SortStableFunc(list, func(a, b Candidate) int {
		if x, y := Leads(a.Label), Leads(b.Label); x != y {
			if x {
				return -1
			}
			return 1
		}
		if c := b.newsTime().Compare(a.newsTime()); c != 0 {
			return c
		}
		return int(b.ID - a.ID)
	})
	Rank(list)
}

// Rank makes the order of the list that of choosing.
func Rank(list []Candidate) {
	for i := range list {
		list[i].Rank = i + 1
	}
}

// ByRank compares articles by their places in the order of choosing.
func ByRank(a, b Candidate) int { return cmp.Compare(a.Rank, b.Rank) }

// Lay puts articles in the order in which they are read, in place: section by section, each in
// the order of choosing, and those in no section at the end. The lead stands before all of them:
// the first exclusive, else what is first anyway.
func Lay(list []Candidate, sections []Section) {
	slices.SortStableFunc(list, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(FirstSection(sections, a.Sections), FirstSection(sections, b.Sections)), ByRank(a, b))
	})
	if i := slices.IndexFunc(list, func(c Candidate) bool { return Leads(c.Label) }); i > 0 {
		lead := list[i]
		copy(list[1:i+1], list[:i])
		list[0] = lead
	}
}

// FirstSection returns the index of the first section that the article is in, or their number.
func FirstSection(sections []Section, article Mask) int {
	i := slices.IndexFunc(sections, article.Has)
	if i < 0 {
		return len(sections)
	}
	return i
}

// Leads reports whether an article with this label comes before others.
func Leads(label string) bool { return strings.EqualFold(label, "exclusive") }

func (c Candidate) newsTime() time.Time {
	if c.Published.IsZero() {
		return c.OwedFrom
	}
	return c.Published
}
