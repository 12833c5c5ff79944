// Package feed fetches the feeds of publishers and turns them into clean items.
//
// It trusts nothing that comes from outside: a feed can neither make this machine talk to
// its own network (standard S31), nor use more than a fixed amount of time and memory, nor
// bring markup into a page or a mail (S32). Feeds are wrong in every way; what can be
// understood is understood, an item that cannot be used is reported and left out, and a
// feed that cannot be read is an error that tells staff what to do.
package feed

import (
	"net/http"
	"time"

	"broadsheet/internal/newsletter"
)

// The limits that apply where Options says nothing.
const (
	DefaultTimeout      = 30 * time.Second
	DefaultMaxBytes     = 10 << 20
	DefaultMaxRedirects = 5
	DefaultMaxItems     = 500
	defaultUserAgent    = "Broadsheet/1.0 (newsletter service; feed reader)"
)

// Options are the settings of a Client. The zero value is ready to use and safe.
type Options struct {
	// AllowPrivate lets feeds come from loopback and private addresses (S31). For
	// development, and for publishers whose feeds are inside their own network.
	AllowPrivate bool
	UserAgent    string
	// Labels are the words that mark a kind of article, as they are to be shown. Where an
	// item has several, the earlier one in this list counts. Nil means DefaultLabels.
	Labels []string
	Now    func() time.Time // for Retry-After dates; time.Now by default

	Timeout      time.Duration // for the whole of one Fetch, redirects and parsing included
	MaxBytes     int64         // of an answer, counted after decompression
	MaxRedirects int
	MaxItems     int // per feed; see Feed.Dropped
}

// DefaultLabels returns the labels that are recognised where Options says nothing. What is
// paid for comes first: such an item must be marked as that, whatever else it is.
func DefaultLabels() []string {
	return []string{
		"Sponsored", "Partner content", "Advertorial", "Exclusive", "Breaking",
		"Investigation", "Interview", "Opinion", "Comment", "Editorial", "Analysis",
		"Explainer", "Obituary",
	}
}

// Request asks for a feed. ETag and LastModified are those of the Feed that was used last;
// with them the server can answer that nothing changed.
type Request struct {
	URL          string
	ETag         string
	LastModified string
}

// Feed is what a source gave. All texts are plain, all addresses absolute http(s).
type Feed struct {
	// NotModified says that nothing changed since the answer that the Request names. There
	// are no items then, and all that was known stays true.
	NotModified bool

	Title       string
	Description string
	Language    string // a BCP 47 tag such as "en-GB", or empty
	SiteURL     string

	Items      []newsletter.Item // in the order of the feed
	Broken     []Broken          // skipped, each with the reason
	Duplicates int               // left out because an item before it had the same guid and address
	Dropped    int               // left out because the feed has more than Options.MaxItems: the oldest

	ETag         string // for the next Request
	LastModified string
	FinalURL     string // where the feed was found after redirects, without credentials
}

// Broken is an item that was skipped because an article cannot be made of it.
type Broken struct {
	Index int    // its place in the feed, from 0
	Title string // as far as it has one
	Why   string
}

// Client fetches and parses feeds. It keeps no state between calls (no cookies, no open
// connections) and is safe for concurrent use.
type Client struct {
	opts   Options
	labels labels
	http   *http.Client
}

// NewClient returns a Client with these options. Proxy settings of the environment are not
// used: behind a proxy nobody could tell which address is connected to (S31).
func NewClient(opts Options) *Client {
	if opts.UserAgent == "" {
		opts.UserAgent = defaultUserAgent
	}
	if opts.Labels == nil {
		opts.Labels = DefaultLabels()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Timeout <= 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = DefaultMaxBytes
	}
	if opts.MaxRedirects <= 0 {
		opts.MaxRedirects = DefaultMaxRedirects
	}
	if opts.MaxItems <= 0 {
		opts.MaxItems = DefaultMaxItems
	}
	c := &Client{opts: opts, labels: newLabels(opts.Labels)}
	c.http = &http.Client{
		Transport:     newTransport(opts.AllowPrivate, nil),
		CheckRedirect: redirectPolicy(opts.MaxRedirects),
	}
	return c
}
