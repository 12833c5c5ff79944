package newsletter

import "time"

// ArticleFilter chooses among the articles, newest first.
type ArticleFilter struct {
	Newsletter string    // slug; empty: of all sources
	Held       bool      // only those that are held
	Since      time.Time // only those first seen at or after it; zero: all
	After      int64     // only those after this one in the list; 0: from the beginning
	Limit      int       // 1 to MaxPage
}

// The sizes of a page of a list.
const (
	DefaultPage = 50
	MaxPage     = 1000
)

// Revision is the text that an article had until a time.
type Revision struct {
	ReplacedAt time.Time
	Item       Item
}

// ArticleDetail is an article with all that is known about it.
type ArticleDetail struct {
	Article
	Sources     []ArticleSource
	Newsletters []string // slugs of those whose sources carry it
	Revisions   []Revision
}

// ArticleSource is a source that carries an article, and the name it has there.
type ArticleSource struct {
	SourceID int64
	Name     string
	GUID     string
	SeenAt   time.Time
}

// On returns when the rule is due on the date in the zone; ok is false if it is not.
func (r Rule) On(date Date, zone *time.Location) (due Due, ok bool) {
	after := Resolve(date.AddDays(-1), 0, 0, zone).Add(-time.Second)
	for range 4 {
		due, ok = r.Next(after, zone)
		if !ok || date.Before(due.Date) {
			return Due{}, false
		}
		if due.Date == date {
			return due, true
		}
		after = due.At
	}
	return Due{}, false
}

// Days returns on how many days of a week the rule is due.
func (r Rule) Days() int {
	n := 0
	for _, due := range r.days {
		if due {
			n++
		}
	}
	return n
}
