package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/unicode/norm"

	"broadsheet/internal/newsletter"
)

// The longest that is kept of what a browser says about itself, in octets.
const (
	maxUserAgent = 300
	maxReferrer  = 1000
)

// clientIP returns how the client's address is found (S30): it is the socket's, unless that
// belongs to a trusted proxy; then it is the nearest address in X-Forwarded-For that is none.
func clientIP(trusted []netip.Prefix) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	direct := echo.ExtractIPDirect()
	isTrusted := func(addr netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
	}
	return func(r *http.Request) string {
		socket := direct(r)
		nearest, ok := forwardedAddr(socket)
		if !ok || !isTrusted(nearest) {
			return socket
		}
		// Each proxy appends whom it got the request from. Several lines are one list.
		hops := strings.Split(strings.Join(r.Header.Values(echo.HeaderXForwardedFor), ","), ",")
		for _, hop := range slices.Backward(hops) {
			addr, ok := forwardedAddr(hop)
			if !ok {
				return socket
			}
			if nearest = addr; !isTrusted(addr) {
				break
			}
		}
		return nearest.String()
	}
}

// forwardedAddr reads an address as proxies write it: with a port or without, IPv6 in
// brackets or not.
func forwardedAddr(hop string) (netip.Addr, bool) {
	hop = strings.TrimSpace(hop)
	if both, err := netip.ParseAddrPort(hop); err == nil {
		return both.Addr().Unmap().WithZone(""), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(hop, "["), "]"))
	return addr.Unmap().WithZone(""), err == nil
}

// origin says from where this request came, as it is recorded with a consent (S24).
func origin(c echo.Context, channel string) newsletter.Origin {
	return newsletter.Origin{
		Channel:   channel,
		IP:        c.RealIP(),
		UserAgent: clip(c.Request().UserAgent(), maxUserAgent),
	}
}

// clip returns s as valid UTF-8 without control characters, of at most size octets.
func clip(s string, size int) string {
	if len(s) > 4*size {
		s = s[:4*size]
	}
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) <= size {
		return s
	}
	return strings.ToValidUTF8(norm.NFC.String(s)[:size], "")
}

// onlyHere lets a request through only if it was made on this machine, by somebody who
// named it by a loopback name, and no proxy handed it on. For all others the page is not
// there. The Host must be checked because a page elsewhere can point a name of its own at
// 127.0.0.1 and then read what is served there.
func onlyHere(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !fromHere(c.Request()) {
			return echo.ErrNotFound
		}
		return next(c)
	}
}

// fromHere reports whether the request was made on this machine, see onlyHere.
func fromHere(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && loopbackHost(r.Host) && !forwarded(r.Header)
}

// loopbackHost reports whether a Host header names this machine by a loopback name.
func loopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// forwarded reports whether a proxy says that it handed the request on.
func forwarded(h http.Header) bool {
	for name := range h {
		switch {
		case name == "Forwarded", name == "Via", name == "X-Real-Ip", name == "True-Client-Ip",
			strings.HasPrefix(name, "X-Forwarded"), strings.HasPrefix(name, "Cf-"),
			strings.HasPrefix(name, "X-Envoy-"), name == "X-Client-Ip", name == "X-Cluster-Client-Ip":
			return true
		}
	}
	return false
}
