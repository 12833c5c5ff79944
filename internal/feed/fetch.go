package feed

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"broadsheet/internal/newsletter"

	"golang.org/x/net/http/httpguts"
)

// accept lists what is understood, best first. Servers that choose by it exist.
const accept = "application/rss+xml, application/atom+xml, application/feed+json, " +
	"application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"

// Fetch gets the feed, conditionally if the request has an ETag or a date (RFC 9110 §13).
//
// It returns a newsletter Invalid error for an address that cannot be one, an *Error that
// says what is wrong and what to do, or the context's own error when the caller gave up.
// With an error there is no feed: nothing of a broken answer is ever used.
func (c *Client) Fetch(ctx context.Context, req Request) (*Feed, error) {
	u, err := sourceURL(req.URL)
	if err != nil {
		return nil, err
	}
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()

	resp, err := c.get(ctx, u, req)
	if err != nil {
		return nil, networkError(ctx, parent, u.Hostname(), err)
	}
	defer resp.Body.Close()
	final := *resp.Request.URL
	final.User = nil
	host := final.Hostname()

	conditional := req.ETag != "" || req.LastModified != ""
	switch {
	case resp.StatusCode == http.StatusNotModified && conditional:
		return &Feed{
			NotModified:  true,
			ETag:         firstOf(validator(resp.Header, "ETag"), req.ETag),
			LastModified: firstOf(validator(resp.Header, "Last-Modified"), req.LastModified),
			FinalURL:     final.String(),
		}, nil
	case resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNonAuthoritativeInfo:
		return nil, &Error{
			Kind: KindStatus, Host: host, Status: resp.StatusCode,
			RetryAfter: retryAfter(resp.Header.Get("Retry-After"), c.opts.Now()),
		}
	}

	data, err := readBody(resp, c.opts.MaxBytes)
	if err != nil {
		return nil, networkError(ctx, parent, host, err)
	}
	feed, err := c.parse(ctx, data, &final, resp.Header.Get("Content-Type"))
	if err != nil {
		return nil, networkError(ctx, parent, host, err)
	}
	feed.ETag = validator(resp.Header, "ETag")
	feed.LastModified = validator(resp.Header, "Last-Modified")
	feed.FinalURL = final.String()
	return feed, nil
}

// get sends the request and follows redirects.
func (c *Client) get(ctx context.Context, u *url.URL, req Request) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", c.opts.UserAgent)
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Encoding", "gzip")
	if req.ETag != "" && httpguts.ValidHeaderFieldValue(req.ETag) {
		r.Header.Set("If-None-Match", req.ETag)
	}
	if req.LastModified != "" && httpguts.ValidHeaderFieldValue(req.LastModified) {
		r.Header.Set("If-Modified-Since", req.LastModified)
	}
	return c.http.Do(r)
}

// redirectPolicy follows at most so many redirects, over http(s) only. Credentials of the
// source's address go along only to the same host, and never from https to http.
func redirectPolicy(limit int) func(*http.Request, []*http.Request) error {
	return func(next *http.Request, via []*http.Request) error {
		first := via[0].URL
		if len(via) > limit {
			return &Error{Kind: KindRedirect, Detail: "redirects again and again"}
		}
		if next.URL.Scheme != "http" && next.URL.Scheme != "https" {
			return &Error{Kind: KindRedirect, Detail: "redirects to something that is not on the web"}
		}
		next.Header.Del("Referer") // an address may hold a secret, and no feed needs it
		next.URL.User = nil        // nor does a server get to choose what we log in with
		downgraded := first.Scheme == "https" && next.URL.Scheme == "http"
		if strings.EqualFold(first.Host, next.URL.Host) && !downgraded {
			next.URL.User = first.User
		}
		return nil
	}
}

// validator returns a header that is kept for the next request, or "" if it is too long to
// be worth it.
func validator(h http.Header, name string) string {
	if v := h.Get(name); len(v) <= 1024 {
		return v
	}
	return ""
}

// Parse reads a feed from r, which is everything that Fetch does after the connection: at
// most Options.MaxBytes, in whatever encoding, with whatever mistakes.
//
// Relative links are resolved against what the feed says its site is, and then against base,
// which may be nil. The content type is a hint at the encoding and may be empty. An *Error
// says why it is no feed; an error of r is returned as it is.
func (c *Client) Parse(r io.Reader, base *url.URL, contentType string) (*Feed, error) {
	data, err := readAll(r, c.opts.MaxBytes)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.opts.Timeout)
	defer cancel()
	return c.parse(ctx, data, base, contentType)
}

// CheckURL says whether staff can have typed raw as the address of a feed. The error is a
// newsletter Invalid error for the field "url" that says what would be right.
func CheckURL(raw string) error {
	_, err := sourceURL(raw)
	return err
}

func sourceURL(raw string) (*url.URL, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return nil, newsletter.Invalidf("url", "the address of the feed is missing")
	}
	if len(raw) > maxURL {
		return nil, newsletter.Invalidf("url", "the address is longer than %d characters", maxURL)
	}
	u, err := url.Parse(raw)
	if err != nil || strings.ContainsAny(raw, " \t\r\n") {
		return nil, newsletter.Invalidf("url", "this is not a web address; copy it from the browser, with https://")
	}
	if u.Scheme == "feed" { // feed://host/… and feed:https://…, as some pages write it
		return nil, newsletter.Invalidf("url", "type the address with https:// in place of feed:")
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		if u.Scheme == "" && strings.Contains(raw, ".") {
			return nil, newsletter.Invalidf("url", "the address has to start with https://, as in https://%s", strings.TrimLeft(raw, "/"))
		}
		return nil, newsletter.Invalidf("url", "the address has to start with https:// or http:// and name a host")
	}
	if _, err := cleanHost(u); err != nil {
		return nil, newsletter.Invalidf("url", "the address is wrong: %v", err)
	}
	return u, nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
