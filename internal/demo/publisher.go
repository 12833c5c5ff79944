// Package demo is the sample publisher that `broadsheet demo` starts: an invented trade magazine with
// a front page, a feed, article pages and drawn pictures. Like a real publisher it stands outside the
// service and meets it over HTTP only: its pages hold the sign-up form, its feed has the articles.
package demo

import (
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Name is the magazine's, which does not exist. Its ampersand is there to be escaped.
const Name = "Trolley & Till"

const tagline = "The technology behind the counter"

// Options says where the publisher stands and what its forms offer.
type Options struct {
	// SubscribeURL is Broadsheet's base URL; the forms post to SubscribeURL + "/subscribe".
	SubscribeURL string
	// BaseURL is the publisher's own address.
	BaseURL string
	// Now is the moment that the articles are dated relative to; its location is the newsroom's.
	Now time.Time
	// Newsletters are offered in the forms, the first one ticked. There is at least one.
	Newsletters []Newsletter
}

// Newsletter is one choice in the sign-up forms.
type Newsletter struct {
	Slug        string // as Broadsheet knows it
	Name        string
	Description string // one line, may be empty
}

// Publisher is the magazine. Its methods are safe for concurrent use.
type Publisher struct {
	base, subscribe string
	subscribeOrigin string
	newsletters     []Newsletter
	pages           map[string]*template.Template
	gallery         gallery
	opened          time.Time // when the files that never change were made
	stylesheet      []byte
	favicon         []byte

	mu       sync.RWMutex
	now      time.Time  // as last told
	stories  []story    // newest first; replaced, never changed in place
	prepared []*article // in the order of publication
	feed     document
}

// NewPublisher opens the magazine. It fails when an address is not http or https with a host, when
// Now is zero, or when there is no newsletter to offer.
func NewPublisher(o Options) (*Publisher, error) {
	subscribe, origin, err := baseOf(o.SubscribeURL)
	if err != nil {
		return nil, fmt.Errorf("demo: subscribe URL: %w", err)
	}
	base, _, err := baseOf(o.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("demo: base URL: %w", err)
	}
	if o.Now.IsZero() {
		return nil, errors.New("demo: articles need a time to be dated relative to")
	}
	if len(o.Newsletters) == 0 {
		return nil, errors.New("demo: the forms need a newsletter to offer")
	}
	p := &Publisher{
		base: base, subscribe: subscribe, subscribeOrigin: origin,
		newsletters: slices.Clone(o.Newsletters),
		gallery:     gallery{drawn: map[string][]byte{}},
		opened:      o.Now, now: o.Now,
		prepared: preparedArticles(),
	}
	if err := p.load(); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	for _, a := range slices.Concat(articlesOfToday(), articlesOfTheWeek()) {
		p.stories = append(p.stories, story{a, o.Now.Add(-a.Age).Truncate(time.Second)})
	}
	slices.SortStableFunc(p.stories, func(a, b story) int { return b.Published.Compare(a.Published) })
	if p.feed, err = p.composeFeed(p.stories, p.stories[0].Published); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return p, nil
}

// baseOf checks an address and returns it without a slash at its end, and its origin.
func baseOf(raw string) (base, origin string, err error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", "", err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", "", fmt.Errorf("%q is not an http address", raw)
	}
	return strings.TrimRight(raw, "/"), u.Scheme + "://" + u.Host, nil
}

// Publish makes the next prepared article appear as just published, at the top of the front page and
// of the feed, and returns its headline. When none is left, ok is false and nothing changes.
func (p *Publisher) Publish(now time.Time) (headline string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.prepared) == 0 {
		return "", false
	}
	next := story{p.prepared[0], now.In(p.opened.Location()).Truncate(time.Second)}
	stories := append([]story{next}, p.stories...)
	feed, err := p.composeFeed(stories, next.Published)
	if err != nil {
		return "", false // cannot be: a test publishes every prepared article
	}
	p.now, p.stories, p.prepared, p.feed = next.Published, stories, p.prepared[1:], feed
	return next.Headline, true
}

// FeedURL is the address of the RSS feed.
func (p *Publisher) FeedURL() string { return p.base + "/feed.xml" }

// FrontPageURL is the address of the front page.
func (p *Publisher) FrontPageURL() string { return p.base + "/" }

// ArticleURLs returns the addresses of the article pages, newest first.
func (p *Publisher) ArticleURLs() []string {
	stories, _ := p.edition()
	urls := make([]string, len(stories))
	for i, s := range stories {
		urls[i] = p.base + s.Path()
	}
	return urls
}

// edition returns the stories, newest first, and the time as last told. Nobody may change the slice.
func (p *Publisher) edition() ([]story, time.Time) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.stories, p.now
}

// find returns the story with this slug, if it has appeared.
func (p *Publisher) find(slug string) (story, bool) {
	stories, _ := p.edition()
	i := slices.IndexFunc(stories, func(s story) bool { return s.Slug == slug })
	if i < 0 {
		return story{}, false
	}
	return stories[i], true
}
