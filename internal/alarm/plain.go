package alarm

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"broadsheet/internal/newsletter"
)

// address is an e-mail address, as relays quote it, or the beginning of a relay's own
// address, smtp://user@, which is none.
var address = regexp.MustCompile(`[a-z]+://[^\s/@]*@|[^\s<>"'(),;:/]+@[^\s<>"'(),;:]+`)

// maxText is how many characters of an alarm are told: a relay or a feed can say a lot.
const maxText = 700

// plain returns the text in one line, without addresses of readers and without anything that
// could do something to a terminal or a mail: words of relays and feeds are in it.
func plain(s string) string {
	s = strings.Join(strings.Fields(newsletter.StripPlaces(s)), " ")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = address.ReplaceAllStringFunc(s, func(found string) string {
		if strings.Contains(found, "://") {
			return found
		}
		return "(address)"
	})
	return cut(s, maxText)
}

// cut shortens a text to at most n characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return strings.TrimRight(string(r[:n-1]), " ") + "…"
	}
	return s
}

// sortEntries puts the alarms in the order in which they were raised.
func sortEntries(list []*entry) {
	slices.SortStableFunc(list, func(a, b *entry) int {
		if c := a.RaisedAt.Compare(b.RaisedAt); c != 0 {
			return c
		}
		if c := strings.Compare(string(a.Kind), string(b.Kind)); c != 0 {
			return c
		}
		return strings.Compare(a.Subject, b.Subject)
	})
}
