package newsletter

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// MaxOrigins is how many sites one newsletter can allow.
const MaxOrigins = 20

// CheckOrigin returns a site as browsers name it in the header Origin (RFC 6454 §6.2): scheme, host in
// lower case and a port that is not the scheme's own. What is wrong is an Invalid error.
func CheckOrigin(raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	u, err := url.Parse(raw)
	if err != nil || len(raw) > 300 || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" {
		return "", Invalidf("origin", "%q is not a site; write it as https://www.example.org, without a path", raw)
	}
	host := strings.ToLower(u.Hostname())
	ip := net.ParseIP(host)
	if u.Scheme != "https" && (u.Scheme != "http" || host != "localhost" && (ip == nil || !ip.IsLoopback())) {
		return "", Invalidf("origin", "%q has to start with https://", raw)
	}
	if strings.Contains(host, "*") {
		return "", Invalidf("origin", "%q: name each site; there are no placeholders", raw)
	}
	// It stands in headers, and browsers name a host in ASCII.
	if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-._:") != "" {
		return "", Invalidf("origin", "%q has letters that no browser sends; write the host as its address bar copies it, such as https://xn--mnchen-3ya.example", raw)
	}
	if ip != nil && strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" && (u.Scheme != "https" || port != "443") && (u.Scheme != "http" || port != "80") {
		host += ":" + port
	}
	return u.Scheme + "://" + host, nil
}

// Allows reports whether a page of the site may have the newsletter's form as element or frame.
func (n Newsletter) Allows(origin string) bool { return slices.Contains(n.Origins, origin) }
