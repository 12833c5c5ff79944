package feed

import (
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// newTransport returns a transport that refuses, unless told otherwise, to connect to an
// address that is not on the public internet. A nil resolver is the system's.
func newTransport(allowPrivate bool, resolver *net.Resolver) *http.Transport {
	dialer := &net.Dialer{Timeout: 15 * time.Second, Resolver: resolver}
	if !allowPrivate {
		dialer.Control = refusePrivate
	}
	return &http.Transport{
		DialContext: dialer.DialContext,
		// A source is asked every few minutes at most: a connection kept open would only
		// be one that nobody looks after.
		DisableKeepAlives:      true,
		DisableCompression:     true, // done here, where the bytes are counted
		ForceAttemptHTTP2:      true, // is off by default with an own dialer
		TLSHandshakeTimeout:    15 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// refusePrivate is called by the dialer after the name was resolved and before the socket
// connects, once for every address tried. There is no later moment at which the address
// could change, so neither a redirect nor a name that resolves differently the second time
// (rebinding) gets past it.
func refusePrivate(network, address string, _ syscall.RawConn) error {
	refused := &Error{Kind: KindPrivate}
	if network != "tcp4" && network != "tcp6" {
		return refused
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !public(ap.Addr()) {
		return refused
	}
	return nil
}

// public reports whether addr is an address of the public internet. For IPv6 it is a list
// of what is allowed, so that an address block nobody has thought of yet is refused.
func public(addr netip.Addr) bool {
	if !addr.IsValid() || addr.Zone() != "" {
		return false
	}
	addr = addr.Unmap()
	if addr.Is4() {
		return !contains(private4, addr)
	}
	if prefix("64:ff9b::/96").Contains(addr) { // NAT64: what counts is the address inside
		b := addr.As16()
		return public(netip.AddrFrom4([4]byte(b[12:])))
	}
	return prefix("2000::/3").Contains(addr) && !contains(private6, addr)
}

// private4 are the IPv4 blocks that are not the public internet (RFC 6890 and later).
var private4 = prefixes(
	"0.0.0.0/8",       // this network
	"10.0.0.0/8",      // private
	"100.64.0.0/10",   // shared by carriers (CGNAT)
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local, and the metadata service of most clouds
	"172.16.0.0/12",   // private
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.88.99.0/24",  // 6to4 relays
	"192.168.0.0/16",  // private
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, broadcast
)

// private6 are the blocks inside 2000::/3 that are not the public internet. The tunnels
// among them can carry any IPv4 address.
var private6 = prefixes(
	"2001::/23",     // protocol assignments, Teredo, benchmarks, ORCHID
	"2001:db8::/32", // documentation
	"2002::/16",     // 6to4
	"3fff::/20",     // documentation
)

func contains(list []netip.Prefix, addr netip.Addr) bool {
	for _, p := range list {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = prefix(s)
	}
	return out
}
