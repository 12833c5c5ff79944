package bounce

import (
	"bytes"
	"regexp"
	"strings"
)

// failure is what a message says of one address, before it is judged.
type failure struct {
	address    string
	action     string // RFC 3464 §2.3.3, in lower case; empty: none is given
	status     string // the Status field; empty: none is given
	diagnostic string // what the other system said, as the report has it
	notice     string // what the report tells people of it
	told       string // all that the report tells people, if it is about this address alone
	stage      stage  // what the other system was asked when it refused
	machine    bool   // it is from fields that machines read
}

// readDSN returns the failures in the fields of a delivery status report (RFC 3464 §2), and
// what it says of the message as a whole. It takes fields that are not in their block.
func readDSN(data []byte) (failures []failure, whole header) {
	for _, block := range blocks(data) {
		h, _ := splitHeader(block)
		for _, one := range perRecipient(h) {
			f, ok := dsnFailure(one)
			switch {
			case !ok:
				whole = append(whole, one...)
			case len(failures) < maxRecipients:
				failures = append(failures, f)
			}
		}
	}
	return failures, whole
}

// blocks returns what stands between empty lines.
func blocks(data []byte) [][]byte {
	const most = 4 * maxRecipients
	var all [][]byte
	for _, b := range bytes.SplitN(data, []byte("\n\n"), most) {
		if len(bytes.TrimSpace(b)) > 0 {
			all = append(all, bytes.TrimLeft(b, "\n"))
		}
	}
	return all
}

// perRecipient splits a block in which a second recipient begins without an empty line.
func perRecipient(h header) []header {
	var all []header
	begin := 0
	for i, f := range h {
		if f.name == "final-recipient" && h[begin:i].get("final-recipient") != "" {
			all, begin = append(all, h[begin:i]), i
		}
	}
	return append(all, h[begin:])
}

// dsnFailure returns what the fields say of a recipient; ok is false if they name none.
func dsnFailure(h header) (f failure, ok bool) {
	address := typed(h.get("final-recipient"))
	if !strings.Contains(address, "@") {
		if original := typed(h.get("original-recipient")); original != "" {
			address = original
		}
	}
	if address == "" {
		return failure{}, false
	}
	f = failure{address: bare(address), machine: true, status: h.get("status"), diagnostic: h.get("diagnostic-code")}
	f.action, _, _ = strings.Cut(strings.ToLower(h.get("action")), " ")
	return f, true
}

// typed returns the value of a field without the type before it: "rfc822; ann@example.org".
func typed(value string) string {
	if kind, rest, found := strings.Cut(value, ";"); found && !strings.Contains(kind, "@") {
		value = rest
	}
	return strings.TrimSpace(value)
}

// bare returns an address without what may stand around it.
func bare(address string) string {
	address = strings.TrimSpace(address)
	if at := strings.IndexByte(address, '<'); at >= 0 {
		if end := strings.IndexByte(address[at:], '>'); end > 0 {
			address = address[at+1 : at+end]
		}
	}
	address = strings.Trim(address, "<>()[]{}'`,;: \t")
	return line(address, maxAddress)
}

// quotedFields finds the fields of a delivery status report in a text.
var quotedFields = regexp.MustCompile(`(?im)^[ \t]*final-recipient[ \t]*:`)

// readQuotedDSN returns the failures of a report whose fields stand in a text for people, as
// some systems send it, and as it looks when somebody has forwarded it.
func readQuotedDSN(text string) []failure {
	if !quotedFields.MatchString(text) {
		return nil
	}
	var fields []byte
	first := "" // the field that every recipient begins with
	for row := range strings.Lines(text) {
		row = strings.TrimRight(row, "\n")
		name, _, ok := cutField([]byte(strings.TrimSpace(row)))
		switch {
		case ok && isDSNField(name):
			if first == "" {
				first = name
			} else if first == name {
				fields = append(fields, '\n')
			}
			row = strings.TrimSpace(row)
		case len(fields) == 0 || strings.TrimSpace(row) == "" || row[0] != ' ' && row[0] != '\t':
			continue
		}
		fields = append(append(fields, row...), '\n')
	}
	failures, _ := readDSN(fields)
	return failures
}

func isDSNField(name string) bool {
	switch name {
	case "final-recipient", "original-recipient", "action", "status", "diagnostic-code", "remote-mta":
		return true
	}
	return false
}
