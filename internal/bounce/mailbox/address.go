package mailbox

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"broadsheet/internal/newsletter"
)

// Address is a folder of a mailbox, and how to get at it.
type Address struct {
	Host, Port     string
	User, Password string
	Folder         string
	Implicit       bool // TLS from the first octet; else STARTTLS
	Plain          bool // neither: it is on this machine
}

// ParseAddress reads imaps://user:password@host/Folder, or imap:// for STARTTLS. Beyond this
// machine TLS is required. The error is Invalid, and repeats nothing of the address.
func ParseAddress(raw string) (Address, error) {
	wrong := newsletter.Invalidf("address", "has to be imaps://user:password@host/Folder, with special characters of the password percent-encoded")
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "imaps" && u.Scheme != "imap" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
		return Address{}, wrong
	}
	a := Address{Host: u.Hostname(), Port: u.Port(), Folder: strings.Trim(u.Path, "/"), Implicit: u.Scheme == "imaps"}
	a.User = u.User.Username()
	a.Password, _ = u.User.Password()
	if a.User == "" || a.Password == "" || strings.ContainsAny(a.User+a.Password+a.Folder, "\r\n\x00") {
		return Address{}, wrong
	}
	switch a.Port {
	case "":
		a.Port = map[bool]string{true: "993", false: "143"}[a.Implicit]
	default:
		if _, err := strconv.ParseUint(a.Port, 10, 16); err != nil {
			return Address{}, wrong
		}
	}
	if a.Folder == "" {
		a.Folder = "INBOX"
	}
	ip, err := netip.ParseAddr(a.Host)
	a.Plain = !a.Implicit && (a.Host == "localhost" || err == nil && ip.IsLoopback())
	return a, nil
}

// String names the mailbox without the password.
func (a Address) String() string {
	return a.User + " at " + net.JoinHostPort(a.Host, a.Port) + ", folder " + a.Folder
}
