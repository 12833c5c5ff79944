package digest

import (
	"net/url"
	"slices"
	"strings"

	"broadsheet/internal/newsletter"
)

// maxURL is the most bytes of a link that is mailed.
const maxURL = 2000

// cleanURL returns the link as it can stand in HTML and in plain text: http or https,
// ASCII, without spaces, quotation marks and angle brackets. ok is false for anything else,
// and for what could be taken for a personal place.
func cleanURL(raw string) (link string, ok bool) {
	raw = strings.TrimSpace(raw)
	var b strings.Builder
	for i := range len(raw) {
		switch c := raw[i]; {
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		default:
			b.WriteByte(c)
		}
	}
	link = b.String()
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return "", false
	}
	if len(link) > maxURL || newsletter.StripPlaces(link) != link || strings.EqualFold(u.Hostname(), "personal.invalid") {
		return "", false
	}
	return link, true
}

// addParams adds the query to the link, without touching its other parts; a parameter that
// the link has already stays as it is.
func addParams(link, params string) string {
	if params == "" {
		return link
	}
	base, fragment, hasFragment := strings.Cut(link, "#")
	_, query, hasQuery := strings.Cut(base, "?")
	var had []string
	for pair := range strings.SplitSeq(query, "&") {
		if key, _, _ := strings.Cut(pair, "="); key != "" {
			had = append(had, key)
		}
	}
	for pair := range strings.SplitSeq(params, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if key == "" || slices.Contains(had, key) {
			continue
		}
		switch {
		case !hasQuery:
			base += "?"
			hasQuery = true
		case !strings.HasSuffix(base, "?") && !strings.HasSuffix(base, "&"):
			base += "&"
		}
		base += pair
	}
	if hasFragment {
		return base + "#" + fragment
	}
	return base
}

// validParams reports whether the text is a query string that can be added to a link as it is.
func validParams(s string) bool {
	if len(s) > 500 || strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>\\^`{|}#", r)
	}) {
		return false
	}
	_, err := url.ParseQuery(s)
	return err == nil && newsletter.StripPlaces(s) == s
}
