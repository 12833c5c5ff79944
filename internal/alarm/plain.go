package alarm

import (
	"slices"
	"strings"
	"unicode"

	"broadsheet/internal/newsletter"
)

// How many characters of an alarm are told, and of what is wrong, so that what to do about it
// is always there: a relay or a feed can say a lot.
const (
	maxText = 700
	maxWhat = 450
)

// plain returns the text in one line, without addresses of readers and without anything that
// could do something to a terminal or a mail: words of relays and feeds are in it.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), ""))
	// Last: what was taken out before may have been all that kept a place from being one.
	return cut(newsletter.StripPlaces(newsletter.HideAddresses(s)), maxText)
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
