package listener

import (
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"broadsheet/internal/newsletter"
)

// Address is where a Server listens and what it speaks there.
type Address struct {
	LMTP    bool   // else SMTP
	Network string // "tcp" or "unix"
	Address string // host:port, or the file of a socket
}

// ParseAddress reads smtp://host:port, lmtp://host:port or lmtp+unix:///file. The error is
// Invalid.
func ParseAddress(raw string) (Address, error) {
	wrong := newsletter.Invalidf("address", "has to be smtp://host:port, lmtp://host:port or lmtp+unix:///file, such as lmtp://127.0.0.1:2424")
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return Address{}, wrong
	}
	a := Address{LMTP: strings.HasPrefix(u.Scheme, "lmtp")}
	switch u.Scheme {
	case "smtp", "lmtp":
		if _, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || u.Path != "" && u.Path != "/" {
			return Address{}, wrong
		}
		a.Network, a.Address = "tcp", net.JoinHostPort(u.Hostname(), u.Port())
	case "smtp+unix", "lmtp+unix":
		if u.Host != "" || !filepath.IsAbs(u.Path) || strings.HasSuffix(u.Path, "/") {
			return Address{}, wrong
		}
		a.Network, a.Address = "unix", u.Path
	default:
		return Address{}, wrong
	}
	return a, nil
}

// String returns the address as ParseAddress reads it.
func (a Address) String() string {
	scheme := "smtp"
	if a.LMTP {
		scheme = "lmtp"
	}
	if a.Network == "unix" {
		return scheme + "+unix://" + a.Address
	}
	return scheme + "://" + a.Address
}
