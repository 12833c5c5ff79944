package mail

import (
	"net/url"
	"strings"

	"broadsheet/internal/newsletter"
)

// isPostmark reports whether the relay is Postmark, or hands on to it: then its address says
// ?postmark=true.
func isPostmark(host string, query url.Values) (bool, error) {
	switch query.Get("postmark") {
	case "":
		return strings.HasSuffix(host, ".postmarkapp.com"), nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, newsletter.Invalidf("smtp_url", "postmark is true or false, not %q", query.Get("postmark"))
}

// maxPostmarkValue is how long a value of Postmark's metadata may be, in octets.
const maxPostmarkValue = 80

// postmarkField returns a header field with the local part of the return path. Postmark puts
// a return path of its own in the place of ours; this field it takes off the message, and
// gives back with what it reports of it. Without that nobody could tell which message a
// report is about. The field is not signed.
func postmarkField(from string) []byte {
	local, _, ok := strings.Cut(from, "@")
	if !ok || len(local) > maxPostmarkValue || strings.ContainsFunc(local, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil
	}
	return []byte("X-PM-Metadata-return-path: " + local + "\r\n")
}
