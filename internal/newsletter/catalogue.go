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
