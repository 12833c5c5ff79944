package newsletter

import (
	"net"
	"net/url"
	"strings"
)

// Loopback reports whether only this machine can reach the web address.
func Loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// MayMail returns why the newsletter may not be mailed to real readers yet: the law asks for
// their privacy policy and for who the publisher is. It is a refusal with the reason legal,
// which names the command that mends it. A service that only this machine reaches has no
// real readers.
func (n Newsletter) MayMail(baseURL string) error {
	var lacks, flags []string
	if n.PrivacyURL == "" {
		lacks, flags = append(lacks, "the address of its privacy policy"), append(flags, "--privacy-url https://…")
	}
	if n.LegalFooter == "" {
		lacks, flags = append(lacks, "its legal footer, which says who the publisher is"), append(flags, `--legal-footer "Registered in …"`)
	}
	if len(lacks) == 0 || Loopback(baseURL) {
		return nil
	}
	return Refusef("legal", "%s lacks %s, and readers have a right to that; give it: broadsheet newsletter edit %s %s",
		n.Slug, strings.Join(lacks, ", and "), n.Slug, strings.Join(flags, " "))
}
