package newsletter

import (
	"strings"
	"time"
)

// MaxSections is how many sections a newsletter can have: one bit of a mask each.
const MaxSections = 62

// Section is a topic that staff define, with the feed categories that match it.
type Section struct {
	ID           int64
	NewsletterID int64
	Bit          int // its place in a Mask, never reused within the newsletter
	Slug         string
	Name         string
	Match        []string // feed categories, compared without case
	Position     int      // order on pages and in the mail
}

// Mask is a set of sections of one newsletter, by their bits. For a subscription the empty
// mask means every section, also articles in none.
type Mask int64

// Has reports whether the section is in the set.
func (m Mask) Has(s Section) bool { return m&(1<<s.Bit) != 0 }

// With returns the set with the section added.
func (m Mask) With(s Section) Mask { return m | 1<<s.Bit }

// Wants reports whether a reader with this choice gets an article in these sections.
func (m Mask) Wants(article Mask) bool { return m == 0 || m&article != 0 }

// SectionsOf returns the sections that an article with these feed categories belongs to.
func SectionsOf(sections []Section, categories []string) Mask {
	var m Mask
	for _, s := range sections {
		if s.matches(categories) {
			m = m.With(s)
		}
	}
	return m
}

func (s Section) matches(categories []string) bool {
	for _, c := range categories {
		if strings.EqualFold(c, s.Name) {
			return true
		}
		for _, match := range s.Match {
			if strings.EqualFold(c, match) {
				return true
			}
		}
	}
	return false
}

// UnmappedCategory is a feed category that no section of a newsletter matches.
type UnmappedCategory struct {
	Name     string
	Articles int
	LastSeen time.Time
}
