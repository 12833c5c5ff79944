package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"broadsheet/internal/newsletter"

	"github.com/mmcdole/gofeed"
	"github.com/mmcdole/gofeed/atom"
	"github.com/mmcdole/gofeed/rss"
)

// document is a feed as gofeed read it, with what gofeed's common form leaves out.
type document struct {
	feed   *gofeed.Feed
	items  []entry
	broken []Broken
}

// entry is one item of a document.
type entry struct {
	*gofeed.Item
	index      int      // its place in the feed
	guidIsLink bool     // the guid, if it looks like an address, may be taken for one
	pages      []string // links to the article, best first, where the format tells them apart
	authors    []string // as written
}

// parse turns the bytes of an answer into a Feed.
func (c *Client) parse(ctx context.Context, data []byte, base *url.URL, contentType string) (*Feed, error) {
	data = toUTF8(data, contentType)
	host := ""
	if base != nil {
		host = base.Hostname()
	}
	doc, err := read(ctx, data, base)
	if ctx.Err() != nil {
		return nil, &Error{Kind: KindTimeout, Host: host, Err: ctx.Err()}
	}
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			e.Host = host
		}
		return nil, err
	}
	feed := c.convert(ctx, doc, base)
	if feed == nil {
		return nil, &Error{Kind: KindTimeout, Host: host, Err: ctx.Err()}
	}
	return feed, nil
}

// read finds out what data is and has it parsed.
func read(ctx context.Context, data []byte, base *url.URL) (*document, error) {
	kind, start := sniff(data)
	switch kind {
	case xmlFeed:
		return parseXML(ctx, data[start:])
	case jsonFeed:
		return guard(func() (*document, error) { return parseJSON(data[start:]) })
	case webPage:
		return nil, &Error{Kind: KindWebPage, FeedURL: discover(data[start:], base)}
	case empty:
		return nil, &Error{Kind: KindNotFeed, Detail: "an empty page"}
	case unknown:
	}
	return nil, &Error{Kind: KindNotFeed, Detail: "something else"}
}

// guard turns a panic into an error.
//
// gofeed is fuzzed less than the parsers of the standard library, and it handles the bytes
// of strangers in the process that also sends the mail: a nil it did not expect (it does not
// expect null among the authors of a JSON Feed) must cost one feed and not an edition. The
// one fault that cannot be recovered from, a stack that overflows, is kept out by repairXML.
func guard(parse func() (*document, error)) (doc *document, err error) {
	defer func() {
		if p := recover(); p != nil {
			doc, err = nil, &Error{
				Kind: KindMalformed, Detail: "the parser gave up on it", Err: fmt.Errorf("panic: %v", p),
			}
		}
	}()
	return parse()
}

// parseXML reads RSS 0.9x, 1.0 and 2.0 and Atom.
func parseXML(ctx context.Context, data []byte) (*document, error) {
	data, err := repairXML(data)
	if err != nil {
		return nil, err
	}
	parser := gofeed.NewParser()
	parser.KeepOriginalFeed = true
	parser.RSSTranslator = &gofeed.DefaultRSSTranslator{DisableContentImageScan: true} // see image.go
	doc, err := guard(func() (*document, error) {
		feed, err := parser.Parse(&cancellable{ctx: ctx, r: bytes.NewReader(data)})
		if err != nil {
			return nil, err
		}
		return annotate(feed), nil
	})
	if err != nil {
		if _, ok := errors.AsType[*Error](err); ok {
			return nil, err
		}
		return nil, &Error{Kind: KindMalformed, Detail: "it breaks off, or is not XML", Err: err}
	}
	if f := doc.feed; f.Title == "" && f.Link == "" && f.Description == "" && len(f.Items) == 0 {
		return nil, &Error{Kind: KindNotFeed, Detail: "an empty XML document"}
	}
	return doc, nil
}

// annotate adds what only the original form of the feed says.
func annotate(feed *gofeed.Feed) *document {
	doc := &document{feed: feed, items: make([]entry, len(feed.Items))}
	for i, item := range feed.Items {
		doc.items[i] = entry{Item: item, index: i, guidIsLink: true}
		for _, a := range item.Authors {
			if a != nil {
				doc.items[i].authors = append(doc.items[i].authors, a.Name)
			}
		}
	}
	switch original := feed.OriginalFeed().(type) {
	case *rss.Feed:
		for i, item := range original.Items {
			doc.items[i].guidIsLink = item.GUID == nil || !strings.EqualFold(item.GUID.IsPermalink, "false")
			doc.items[i].authors = rssAuthors(item)
		}
	case *atom.Feed:
		for i, e := range original.Entries {
			doc.items[i].pages = atomPages(e)
		}
	}
	return doc
}

// rssAuthors returns the authors as they are written: gofeed's own reading drops a name
// with brackets in it.
func rssAuthors(item *rss.Item) []string {
	dc := item.DublinCoreExt
	switch {
	case dc != nil && len(dc.Creator) > 0: // meant for names, where RSS's author is for e-mail addresses
		return dc.Creator
	case item.Author != "":
		return []string{item.Author}
	case dc != nil && len(dc.Author) > 0:
		return dc.Author
	case item.ITunesExt != nil && item.ITunesExt.Author != "":
		return []string{item.ITunesExt.Author}
	}
	return nil
}

// atomPages returns the entry's alternate links, web pages first (RFC 4287 §4.2.7).
func atomPages(e *atom.Entry) []string {
	var pages, others []string
	for _, l := range e.Links {
		switch {
		case l.Rel != "alternate" || l.Href == "":
		case l.Type == "" || strings.Contains(l.Type, "html"):
			pages = append(pages, l.Href)
		default:
			others = append(others, l.Href)
		}
	}
	return append(pages, others...)
}

// languageTag is the form of a BCP 47 tag, as far as a feed needs one.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}$`)

// convert makes the Feed of a document, nil if the time is up before it is done.
func (c *Client) convert(ctx context.Context, doc *document, base *url.URL) *Feed {
	src := doc.feed
	feed := &Feed{Title: plain(src.Title, 200), Description: plain(src.Description, maxSummary)}
	if tag := strings.ReplaceAll(strings.TrimSpace(src.Language), "_", "-"); languageTag.MatchString(tag) {
		feed.Language = tag
	}
	feed.SiteURL, _ = CanonicalURL(src.Link, base)
	// A relative link of an RSS or JSON feed is meant as on the site: a feed is often served
	// by another host. Atom has a rule for it, the address of the feed (RFC 4287 §2).
	if site, err := url.Parse(feed.SiteURL); err == nil && feed.SiteURL != "" && (base == nil || src.FeedType != "atom") {
		base = site
	}
	for _, b := range doc.broken {
		b.Title = plain(b.Title, maxHeadline)
		feed.Broken = append(feed.Broken, b)
	}
	entries := newest(doc.items, c.opts.MaxItems)
	feed.Dropped = len(doc.items) - len(entries)
	for _, e := range entries {
		if ctx.Err() != nil {
			return nil
		}
		item, why := c.item(e, base)
		if why != "" {
			feed.Broken = append(feed.Broken, Broken{Index: e.index, Title: plain(e.Title, maxHeadline), Why: why})
			continue
		}
		feed.Items = append(feed.Items, item)
	}
	feed.Items, feed.Duplicates = distinct(feed.Items)
	slices.SortStableFunc(feed.Broken, func(a, b Broken) int { return a.Index - b.Index })
	return feed
}

// newest returns the limit newest entries in the order of the feed. Feeds are sorted either
// way or not at all, so place says nothing. Entries without a date count as new: leaving
// them out could lose an article, and taking one that is known costs nothing.
func newest(entries []entry, limit int) []entry {
	if len(entries) <= limit {
		return entries
	}
	byDate := slices.Clone(entries)
	slices.SortStableFunc(byDate, func(a, b entry) int {
		ta, tb := published(a.Item), published(b.Item)
		switch {
		case ta.IsZero() && tb.IsZero():
			return 0
		case ta.IsZero():
			return -1
		case tb.IsZero():
			return 1
		}
		return tb.Compare(ta)
	})
	byDate = byDate[:limit]
	slices.SortFunc(byDate, func(a, b entry) int { return a.index - b.index })
	return byDate
}

// distinct removes repeated items and gives each that stays a guid of its own.
//
// The same guid and address again is the same item: the first counts. A guid that stands on
// different addresses identifies nothing (feeds exist that put the same on every item), so
// all its items go by their address. Were the first of them to keep it, then tomorrow's
// first would be taken for today's and overwrite it.
func distinct(items []newsletter.Item) ([]newsletter.Item, int) {
	urls := make(map[string]string, len(items))
	shared := make(map[string]bool)
	for _, item := range items {
		if known, ok := urls[item.GUID]; ok && known != item.URL {
			shared[item.GUID] = true
		}
		urls[item.GUID] = item.URL
	}
	seen := make(map[string]bool, len(items))
	var out []newsletter.Item
	for _, item := range items {
		if shared[item.GUID] {
			item.GUID = item.URL
		}
		if !seen[item.GUID] {
			seen[item.GUID] = true
			out = append(out, item)
		}
	}
	return out, len(items) - len(out)
}

// cancellable stops a parser when the time is up: it fails the next read.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
