package bounce

import (
	"bytes"
	"mime"
	"strings"

	"github.com/emersion/go-message/charset"
)

// The bounds of a header. What is beyond them is passed over.
const (
	maxHeader = 256 << 10 // octets of one header that are looked at
	maxFields = 1000
	maxValue  = 8 << 10
)

// header is the fields of a message, of a part, or of a block of a report, in their order.
type header []field

type field struct{ name, value string } // the name in lower case, the value unfolded

// get returns the first value of a field; empty if there is none.
func (h header) get(name string) string {
	for _, f := range h {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

// all returns every value of a field.
func (h header) all(name string) []string {
	var values []string
	for _, f := range h {
		if f.name == name {
			values = append(values, f.value)
		}
	}
	return values
}

// text returns the first value of a field as a person reads it (RFC 2047).
func (h header) text(name string) string {
	value := h.get(name)
	if !strings.Contains(value, "=?") {
		return value
	}
	d := mime.WordDecoder{CharsetReader: charset.Reader}
	if decoded, err := d.DecodeHeader(value); err == nil {
		return strings.ToValidUTF8(decoded, "")
	}
	return value
}

// splitHeader returns the header that the data begins with, and what follows it. It takes what
// real systems send: a line of an mbox file before it, lines in it that are no field, no empty
// line at its end. Data that does not begin with a field has no header.
func splitHeader(data []byte) (header, []byte) {
	var h header
	rest := data
	if line, after := cutLine(rest); bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From ")) {
		rest = after
	}
	for first := true; len(rest) > 0; first = false {
		line, after := cutLine(rest)
		if len(bytes.TrimSpace(line)) == 0 {
			return h, after
		}
		if len(data)-len(rest) >= maxHeader { // too long: on to its end
			_, body, _ := bytes.Cut(rest, []byte("\n\n"))
			return h, body
		}
		name, value, ok := cutField(line)
		switch {
		case (line[0] == ' ' || line[0] == '\t' || !ok && strings.HasSuffix(last(h), ";")) && len(h) > 0:
			if f := &h[len(h)-1]; len(f.value)+len(line) < maxValue {
				f.value += " " + strings.TrimSpace(string(line))
			}
		case ok && len(h) < maxFields:
			h = append(h, field{name, value[:min(len(value), maxValue)]})
		case first && !ok:
			return nil, data
		}
		rest = after
	}
	return h, nil
}

// last returns the value of the last field.
func last(h header) string {
	if len(h) == 0 {
		return ""
	}
	return h[len(h)-1].value
}

// cutField returns the name and the value of a line that begins a field.
func cutField(line []byte) (name, value string, ok bool) {
	at := bytes.IndexByte(line, ':')
	if at < 1 || at > 76 {
		return "", "", false
	}
	for _, c := range line[:at] {
		if c <= ' ' || c >= 127 {
			return "", "", false
		}
	}
	value = strings.TrimSpace(string(line[at+1 : min(len(line), at+1+maxValue)]))
	return strings.ToLower(string(line[:at])), value, true
}

// cutLine returns the first line without its end, and what follows it.
func cutLine(data []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(data, []byte("\n"))
	return line, rest
}
