package feed

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Kind says why a feed could not be had.
type Kind int

// The kinds of failure.
const (
	KindNetwork   Kind = iota + 1 // no such host, refused, TLS, an answer that breaks off
	KindTimeout                   // longer than Options.Timeout
	KindPrivate                   // the address is not on the public internet (S31)
	KindRedirect                  // too many redirects, or one to something that is not http(s)
	KindStatus                    // the server answered with an error: Error.Status
	KindTooLarge                  // more bytes, or a deeper or larger structure, than allowed
	KindWebPage                   // a web page: Error.FeedURL is the feed it names, if any
	KindNotFeed                   // something else that is no feed
	KindMalformed                 // a feed, and broken beyond repair
)

// Error says why a feed could not be had, in words that staff can act on. It names the host
// and nothing else of the address, which can hold a password, and no address or port inside
// a private network. The technical cause is there for logs by errors.Unwrap.
type Error struct {
	Kind       Kind
	Host       string
	Status     int           // for KindStatus
	RetryAfter time.Duration // what the server asked for, at most 24 hours; 0: nothing
	FeedURL    string        // for KindWebPage
	Detail     string        // a few more words, see message
	Err        error
}

// Unwrap returns the technical cause, or nil.
func (e *Error) Unwrap() error { return e.Err }

// Error returns one sentence or two: what is wrong and what to do.
func (e *Error) Error() string {
	host := e.Host
	if host == "" {
		host = "the feed"
	}
	switch e.Kind {
	case KindTimeout:
		return host + " did not answer completely in time; it will be tried again"
	case KindPrivate:
		return host + " leads to an address inside a private network, and feeds are not fetched from there; " +
			"if it is meant to be, set BROADSHEET_ALLOW_PRIVATE_FEEDS=true"
	case KindRedirect:
		return host + " " + e.Detail + "; open the address in a browser and use the one where it ends"
	case KindStatus:
		return host + " " + statusAdvice(e.Status)
	case KindTooLarge:
		return host + " sends more than is accepted (" + e.Detail + "); ask the publisher for a shorter feed"
	case KindWebPage:
		if e.FeedURL != "" {
			return host + " answers with a web page; its feed is " + e.FeedURL
		}
		return host + " answers with a web page that names no feed; look for an RSS, Atom or JSON Feed link on the site"
	case KindNotFeed:
		return host + " answers with " + e.Detail + ", which is no RSS, Atom or JSON Feed; check the address"
	case KindMalformed:
		return host + " sends a feed that cannot be read (" + e.Detail + "); tell the publisher, it will be tried again"
	case KindNetwork:
	}
	return host + " " + e.Detail
}

// statusAdvice says what a HTTP status means for somebody who wants to read a feed.
func statusAdvice(status int) string {
	named := strconv.Itoa(status)
	if text := http.StatusText(status); text != "" {
		named += " " + text
	}
	says := "answers " + named
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return says + ": it wants a login, or turns feed readers away; ask the publisher to let Broadsheet in"
	case status == http.StatusNotFound:
		return says + ": there is no such feed; check the address"
	case status == http.StatusGone:
		return says + ": the feed was taken away for good; remove the source or find its new address"
	case status == http.StatusTooManyRequests:
		return says + ": it was asked too often; it will be asked again later"
	case status >= 500:
		return says + ": the server is in trouble; it will be tried again"
	}
	return says + " and no feed; check the address"
}

// networkError puts into words why nothing, or only a part, came back. An Error that was
// made on the way (by the dialer or the redirect policy) stays what it is.
func networkError(ctx, parent context.Context, host string, err error) error {
	if parent.Err() != nil { // the caller gave up: not the feed's fault
		return fmt.Errorf("fetch feed from %s: %w", host, parent.Err())
	}
	if e, ok := errors.AsType[*Error](err); ok {
		named := *e
		if named.Host == "" {
			named.Host = host
		}
		return &named
	}
	e := &Error{Kind: KindNetwork, Host: host, Err: err}
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var plain tls.RecordHeaderError
	var timeout net.Error
	switch {
	case ctx.Err() != nil:
		e.Kind = KindTimeout
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Detail = "does not exist; check the spelling of the address"
	case errors.As(err, &dns):
		e.Detail = "cannot be looked up at the moment; it will be tried again"
	case errors.As(err, &cert):
		e.Detail = "shows a certificate that is not valid for it; tell the publisher"
	case errors.As(err, &plain), strings.Contains(err.Error(), "server gave HTTP response to HTTPS"):
		e.Detail = "does not speak https there; check the address, http:// may be right"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Detail = "refuses the connection; check the address, or wait until the server is back"
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Kind = KindTimeout
	default:
		e.Detail = "cannot be reached, or its answer broke off; it will be tried again"
	}
	return e
}

// maxRetryAfter bounds how long a server can keep itself from being asked.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads a Retry-After header, seconds or a date (RFC 9110 §10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	var wait time.Duration
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		wait = time.Duration(min(seconds, int64(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}
