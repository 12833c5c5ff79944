package bounce

import (
	"strings"

	"broadsheet/internal/newsletter"
)

// readARF returns the recipients of a feedback report (RFC 5965). Only "abuse" and "fraud" are
// what a person complains of; the other types are about the message, or take it back.
func readARF(h header, returned header) []Recipient {
	r := Recipient{Kind: newsletter.ReturnOther, Reason: ReasonFeedback, Diagnostic: line(h.get("feedback-type"), maxDiagnostic)}
	switch strings.ToLower(strings.TrimSpace(h.get("feedback-type"))) {
	case "abuse", "fraud", "complaint":
		r.Kind = newsletter.ReturnComplaint
	}
	addresses := h.all("original-rcpt-to")
	for _, name := range []string{"removal-recipient", "redacted-address"} {
		if len(addresses) == 0 {
			addresses = h.all(name)
		}
	}
	if len(addresses) == 0 {
		addresses = addressesIn(returned.get("to"))
	}
	var all []Recipient
	for _, a := range addresses {
		if r.Address = bare(typed(a)); strings.Contains(r.Address, "@") && len(all) < maxRecipients {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		r.Address = ""
		all = append(all, r)
	}
	return all
}

// joined returns all fields of a report, whatever empty lines stand between them.
func joined(data []byte) header {
	var h header
	for _, b := range blocks(data) {
		fields, _ := splitHeader(b)
		h = append(h, fields...)
	}
	return h
}

// junk returns the recipient of a complaint as Microsoft sends it: the message itself,
// with a field that names who reported it.
func (m *message) junk() (Recipient, bool) {
	address := or(m.returned.get("x-hmxmroriginalrecipient"), m.header.get("x-hmxmroriginalrecipient"))
	if address == "" {
		return Recipient{}, false
	}
	return Recipient{Address: bare(address), Kind: newsletter.ReturnComplaint, Reason: ReasonFeedback}, true
}
