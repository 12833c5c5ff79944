package feed

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"broadsheet/internal/newsletter"

	"golang.org/x/net/idna"
)

// maxURL is the length in bytes up to which an address is usable.
const maxURL = 2048

var (
	errNoLink   = errors.New("no link")
	errNotWeb   = errors.New("the link is not an http(s) address")
	errNoHost   = errors.New("the link names no host")
	errBadHost  = errors.New("the host name is not valid")
	errLongLink = fmt.Errorf("the link is longer than %d bytes", maxURL)
	errBadLink  = errors.New("the link cannot be read")

	// bareWWW finds links that lack their scheme: "www.example.org/story".
	bareWWW = regexp.MustCompile(`(?i)^www\.[a-z0-9-]+\.[a-z0-9.-]+(?:[/?#]|$)`)
)

// CanonicalURL returns the one spelling of an address by which an article is known: absolute
// http or https, without fragment, credentials, default port and tracking parameters, the
// host in lower case and as A-labels, percent-encoding in upper case. All other parameters
// stay as they are and in order. A relative raw is resolved against base, which may be nil.
// CanonicalURL of its own result is that result.
//
// The error says in a few words why there is no such address.
func CanonicalURL(raw string, base *url.URL) (string, error) {
	return address(raw, base, true)
}

// absoluteURL is CanonicalURL with all parameters kept: the address of a picture may be
// signed, and is no identity.
func absoluteURL(raw string, base *url.URL) (string, error) {
	return address(raw, base, false)
}

func address(raw string, base *url.URL, canonical bool) (string, error) {
	u, err := resolve(raw, base)
	if err != nil {
		return "", err
	}
	host, err := cleanHost(u)
	if err != nil {
		return "", err
	}
	path := upperEscapes(u.EscapedPath())
	if path == "" {
		path = "/"
	}
	query := escapeQuery(u.RawQuery)
	if canonical {
		query = withoutTracking(query)
	}
	if query != "" {
		query = "?" + query
	}
	out := u.Scheme + "://" + host + path + query
	switch {
	case len(out) > maxURL:
		return "", errLongLink
	case newsletter.StripPlaces(out) != out:
		return "", errBadLink // it would be taken for one of our own places in a mail
	}
	return out, nil
}

// resolve parses raw as a browser would: white space around and line breaks inside do not
// count, a backslash in the path is a slash, a stray percent sign is one.
func resolve(raw string, base *url.URL) (*url.URL, error) {
	raw = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(raw, ""))
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return nil, errNoLink
	}
	if len(raw) > 2*maxURL {
		return nil, errLongLink
	}
	raw = strings.NewReplacer("&amp;", "&", "&#38;", "&").Replace(raw) // escaped once too often
	if raw, _, _ = strings.Cut(raw, "#"); raw == "" {
		return nil, errNoLink
	}
	path, query, hasQuery := strings.Cut(raw, "?")
	raw = escapeStray(strings.ReplaceAll(path, `\`, "/"))
	if hasQuery {
		raw += "?" + query
	}
	if bareWWW.MatchString(raw) {
		raw = "https://" + raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errBadLink
	}
	if base == nil {
		base = &url.URL{}
	}
	if u.Scheme == "" && u.Host != "" && base.Scheme == "" {
		u.Scheme = "https"
	}
	u = base.ResolveReference(u)
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, errNotWeb
	}
	return u, nil
}

// cleanHost returns host and port in their canonical form.
func cleanHost(u *url.URL) (string, error) {
	host, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()
	if host == "" {
		return "", errNoHost
	}
	if strings.Contains(host, ":") {
		addr, err := netip.ParseAddr(host)
		if err != nil || addr.Zone() != "" {
			return "", errBadHost
		}
		host = "[" + addr.String() + "]"
	} else {
		ascii, err := hostName(host)
		if err != nil {
			return "", err
		}
		host = ascii
	}
	if port == "" || port == "80" && u.Scheme == "http" || port == "443" && u.Scheme == "https" {
		return host, nil
	}
	if port = strings.TrimLeft(port, "0"); port == "" || len(port) > 5 || len(port) == 5 && port > "65535" {
		return "", errBadHost
	}
	return host + ":" + port, nil
}

// hostName turns a name into A-labels (RFC 5891) and checks its letters. The underscore is
// not allowed in a host name, and in use.
func hostName(host string) (string, error) {
	if strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }) {
		ascii, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return "", errBadHost
		}
		host = strings.TrimSuffix(ascii, ".")
	}
	if len(host) > 253 {
		return "", errBadHost
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 {
			return "", errBadHost
		}
		for i := range len(label) {
			if c := label[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return "", errBadHost
			}
		}
	}
	return host, nil
}

// withoutTracking removes the parameters that say how a reader came, and keeps the others.
func withoutTracking(query string) string {
	if query == "" {
		return ""
	}
	var kept []string
	for param := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(param, "=")
		if plainName, err := url.QueryUnescape(name); err == nil {
			name = plainName
		}
		if param != "" && !isTracking(strings.ToLower(name)) {
			kept = append(kept, param)
		}
	}
	return strings.Join(kept, "&")
}

// isTracking tells whether a parameter (in lower case) is known to say how a reader came.
func isTracking(name string) bool {
	for _, p := range [...]string{"utm_", "at_", "mtm_", "hsa_", "ns_", "__hs", "_hs"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	switch name {
	case "fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "srsltid", "msclkid", "yclid",
		"ysclid", "twclid", "ttclid", "li_fat_id", "igsh", "igshid", "epik", "mc_cid", "mc_eid",
		"mkt_tok", "oly_enc_id", "oly_anon_id", "vero_id", "vero_conv", "ref_src", "ref_url",
		"pk_campaign", "pk_kwd", "pk_source", "pk_medium", "pk_content", "piwik_campaign",
		"piwik_kwd", "wt_mc", "wt.mc_id", "xtor", "cmpid", "s_cid", "ocid", "ncid", "_ga", "_gl",
		"guccounter", "guce_referrer", "guce_referrer_sig":
		return true
	}
	return false
}

// escapeStray turns each percent sign that begins no escape into %25.
func escapeStray(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(s[i])
		if s[i] == '%' && !isEscape(s[i:]) {
			b.WriteString("25")
		}
	}
	return b.String()
}

// escapeQuery makes a query safe to stand anywhere and leaves its meaning alone.
func escapeQuery(q string) string {
	var b strings.Builder
	for i := range len(q) {
		c := q[i]
		switch {
		case c == '%' && !isEscape(q[i:]):
			b.WriteString("%25")
		case c <= 0x20 || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}'", c) >= 0:
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return upperEscapes(b.String())
}

// upperEscapes writes %c3 as %C3 (RFC 3986 §6.2.2.1).
func upperEscapes(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' && isEscape(s[i:]) {
			copy(b[i+1:], strings.ToUpper(s[i+1:i+3]))
		}
	}
	return string(b)
}

func isEscape(s string) bool {
	return len(s) >= 3 && s[0] == '%' && isHex(s[1]) && isHex(s[2])
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
