package mail

import (
	"bytes"
	"strings"
)

// appendRelaxedField appends a header field in its relaxed form (RFC 6376 §3.4.2), its CRLF
// included. It needs a colon.
func appendRelaxedField(dst, field []byte) []byte {
	name, value, _ := bytes.Cut(field, []byte(":"))
	dst = append(dst, fieldName(name)...)
	dst = append(dst, ':')
	dst = appendRelaxedValue(dst, value)
	return append(dst, crlf...)
}

// fieldName is the name of a header field in lower case, without the space that may stand
// before the colon.
func fieldName(name []byte) string {
	return strings.ToLower(string(bytes.TrimRight(name, " \t")))
}

// appendRelaxedValue appends the value of a header field: unfolded, with one space for any
// run of white space and none at its ends. value may be the end of dst.
func appendRelaxedValue(dst, value []byte) []byte {
	start, space := len(dst), false
	for _, c := range value {
		switch c {
		case ' ', '\t', '\r', '\n':
			space = true
			continue
		}
		if space && len(dst) > start {
			dst = append(dst, ' ')
		}
		dst, space = append(dst, c), false
	}
	return dst
}

// appendRelaxedBody appends a body in its relaxed form (RFC 6376 §3.4.4). Line ends must be
// CRLF.
func appendRelaxedBody(dst, body []byte) []byte {
	start := len(dst)
	dst = appendRelaxedLines(dst, body)
	for bytes.HasSuffix(dst[start:], []byte(crlf)) {
		dst = dst[:len(dst)-len(crlf)]
	}
	if len(dst) == start {
		return dst
	}
	return append(dst, crlf...)
}

// appendRelaxedLines appends lines with one space for any run of spaces and tabs, and none at
// their ends. What follows the last CRLF is taken for a whole line.
func appendRelaxedLines(dst, text []byte) []byte {
	for line := range bytes.Lines(text) {
		if isRelaxed(bytes.TrimSuffix(line, []byte(crlf))) {
			dst = append(dst, line...)
			continue
		}
		space := false
		for _, c := range line {
			switch c {
			case ' ', '\t':
				space = true
				continue
			case '\r', '\n':
				space = false
			}
			if space {
				dst, space = append(dst, ' '), false
			}
			dst = append(dst, c)
		}
	}
	return dst
}

// isRelaxed reports whether a line has nothing to bring into its relaxed form.
func isRelaxed(line []byte) bool {
	return bytes.IndexByte(line, '\t') < 0 && !bytes.Contains(line, []byte("  ")) && !bytes.HasSuffix(line, []byte(" "))
}
