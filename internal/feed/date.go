package feed

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"
)

// published returns when the item says it was published.
func published(item *gofeed.Item) time.Time {
	return date(item.PublishedParsed, item.Published)
}

// The years that a date can lie in. Before the web there were no feeds; after 9999 a date
// has no RFC 3339 form. A date in the future is not absurd: it can be an embargo.
const (
	firstYear = 1990
	lastYear  = 9999
)

// date returns a time in UTC, or the zero time if there is none or it is absurd. parsed is
// what gofeed made of raw.
func date(parsed *time.Time, raw string) time.Time {
	var t time.Time
	if parsed != nil {
		t = parsed.UTC()
	} else if len(raw) <= 100 {
		t = looseDate(strings.Join(strings.Fields(raw), " ")).UTC()
	}
	if t.Year() < firstYear || t.Year() > lastYear {
		return time.Time{}
	}
	return t
}

var (
	weekday = regexp.MustCompile(`^[A-Za-z]{3,9}\.?,\s*`)
	comment = regexp.MustCompile(`\s*\([^)]*\)$`)
	zulu    = regexp.MustCompile(`\s*\b(?:GMT|UTC|UT|Z)$`)
)

// looseDate reads the forms that gofeed does not know: a comment behind, no space after the
// day of the week or an odd name for it, the seconds since 1970.
func looseDate(s string) time.Time {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case len(s) < 9 || len(s) > 14:
			return time.Time{}
		case len(s) > 11:
			return time.UnixMilli(n)
		}
		return time.Unix(n, 0)
	}
	s = comment.ReplaceAllString(weekday.ReplaceAllString(s, ""), "")
	s = zulu.ReplaceAllString(strings.Replace(s, "Sept ", "Sep ", 1), " +0000")
	for _, layout := range [...]string{
		"2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04 -0700", "2 Jan 2006 15:04:05", "2 Jan 2006",
		"2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 -0700 MST", "2006/01/02 15:04:05",
		"2006/01/02 15:04:05 -0700", "Jan 2, 2006 3:04 PM", "Jan 2, 2006 3:04:05 PM",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}
