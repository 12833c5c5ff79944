package newsletter

import "time"

// Source is where articles come from: a feed that is polled.
type Source struct {
	ID           int64
	URL          string
	Name         string
	Kind         string // "feed"; the API as a source comes later
	ETag         string // of the last answer that was used, for a conditional GET
	LastModified string
	CreatedAt    time.Time
	NextFetchAt  time.Time
	LastFetchAt  time.Time // zero: never asked
	LastOKAt     time.Time // zero: never answered well
	LastError    string    // empty after a fetch that went well
	Failures     int       // in a row
	Items        int       // in the last answer
	BrokenItems  int       // skipped in the last answer
	// TurnedOver says that the last two answers shared no item: articles may have come and
	// gone between the two polls.
	TurnedOver  bool
	Newsletters []string // slugs of those that take articles from it
}

// The intervals at which a source is polled. A failing source is asked less and less often.
const (
	FetchInterval    = 10 * time.Minute
	MaxFetchInterval = 6 * time.Hour
)

// NextFetch returns when a source is asked again after so many failures in a row.
func NextFetch(now time.Time, failures int) time.Time {
	wait := FetchInterval
	for range min(failures, 10) {
		wait *= 2
	}
	return now.Add(min(wait, MaxFetchInterval))
}
