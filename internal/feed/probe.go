package feed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// PublicHost reports whether everybody on the internet can mean the same by the host: a name
// with a dot that is not a private one, or a public address.
func PublicHost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return public(addr)
	}
	for _, private := range []string{".local", ".localhost", ".internal", ".lan", ".home.arpa", ".intranet", ".corp"} {
		if strings.HasSuffix(host, private) {
			return false
		}
	}
	return strings.Contains(host, ".")
}

// probeTime is how long an address may take to answer.
const probeTime = 10 * time.Second

// Probe asks a web address once: by HEAD, and where that is refused by GET, of which nothing is
// read. It returns the last status, following redirects; an error that has no status says why
// there was no answer. As for feeds, nothing private is asked unless that is allowed.
func (c *Client) Probe(ctx context.Context, address string) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		if status, err = c.probe(ctx, method, address); err != nil || status < 400 {
			return status, err
		}
	}
	return status, nil
}

func (c *Client) probe(ctx context.Context, method, address string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("%q is not an address", address)
	}
	req.Header.Set("User-Agent", c.opts.UserAgent)
	resp, err := c.http.Do(req)
	if err != nil {
		if cause, ok := errors.AsType[*Error](err); ok {
			return 0, cause
		}
		if ctx.Err() != nil {
			return 0, fmt.Errorf("no answer within %s", probeTime)
		}
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			return 0, wrapped.Err
		}
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
