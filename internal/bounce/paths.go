package bounce

import (
	"regexp"
	"slices"
	"strings"
)

var addressPattern = regexp.MustCompile(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?`)

// addressesIn returns the addresses in a text, at most maxRecipients of them.
func addressesIn(text string) []string {
	return addressPattern.FindAllString(text, maxRecipients)
}

// Where the sender of the message that was returned may be named, and whom a report went to.
var (
	senderFields    = []string{"return-path", "x-return-path", "x-envelope-from", "envelope-from", "x-mail-from", "mail-from", "errors-to", "sender"}
	recipientFields = []string{"delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "x-rcpt-to", "apparently-to", "to", "cc"}
	envelopeFrom    = regexp.MustCompile(`(?i)envelope-(?:from|sender)[ :]*<?([^<>\s()]+@[^<>\s()]+)`)
)

// returnPaths returns the addresses that may be return paths of ours, the most trustworthy
// first: whoever made the report copied the first ones from our message.
func returnPaths(m *message, machine header) []string {
	var paths []string
	add := func(text string) {
		for _, a := range addressesIn(text) {
			if len(paths) < maxReturnPaths && !slices.ContainsFunc(paths, func(p string) bool { return strings.EqualFold(p, a) }) {
				paths = append(paths, a)
			}
		}
	}
	for _, name := range senderFields {
		add(m.returned.get(name))
	}
	for _, received := range m.returned.all("received") {
		if found := envelopeFrom.FindStringSubmatch(received); found != nil {
			add(found[1])
		}
	}
	add(machine.get("original-mail-from"))
	add(typed(machine.get("x-postfix-sender")))
	for _, name := range recipientFields {
		for _, value := range m.header.all(name) {
			add(value)
		}
	}
	return paths
}
