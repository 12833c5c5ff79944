package mail

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"broadsheet/internal/newsletter"
)

// The lengths that header lines keep to, in octets without CRLF (RFC 5322 §2.1.1,
// RFC 2047 §2).
const (
	wantLine = 78
	maxLine  = 998
	maxWord  = 75 // an encoded word
	// longWord is the longest word that is not encoded: it leaves room for a field name.
	longWord = 60
)

// cleanName returns a display name in one line of text: valid UTF-8, runs of space and
// control characters as one space, without the invisible characters that turn the direction
// of the text around them.
func cleanName(s string) string {
	if isPlain(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case 0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069, r == 0xfeff:
			return -1
		case unicode.IsControl(r), unicode.IsSpace(r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.Join(strings.Fields(s), " ")
}

// isPlain reports whether cleanName would leave s as it is, for the usual case.
func isPlain(s string) bool {
	last := byte(' ')
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= 0x7f || c == ' ' && last == ' ' {
			return false
		}
		last = c
	}
	return s == "" || last != ' '
}

// appendMailbox appends a display name and an address as they stand in a header field, in
// lines that are folded at 78 octets where the address is not longer. col is how much of
// the first line is used. It is the one way in which a To field is built. Encoding touches
// the name only (S12).
func appendMailbox(dst []byte, col int, a newsletter.Address) []byte {
	if name := cleanName(a.Name); name != "" {
		dst, col = appendPhrase(dst, col, name)
		dst, _ = appendSpace(dst, col, len(a.Email)+2)
	}
	dst = append(dst, '<')
	dst = append(dst, a.Email...)
	return append(dst, '>')
}

// appendSpace appends a space, in a new line if the next n octets would not fit into this
// one.
func appendSpace(dst []byte, col, n int) ([]byte, int) {
	if col+1+n > wantLine {
		return append(dst, "\r\n "...), 1
	}
	return append(dst, ' '), col + 1
}

// appendPhrase appends a clean name as a phrase (RFC 5322 §3.2.5): as words, as a quoted
// string, or as encoded words (RFC 2047 §5), whichever is the plainest that can hold it.
func appendPhrase(dst []byte, col int, name string) ([]byte, int) {
	if needsEncoding(name) {
		return appendEncoded(dst, col, name)
	}
	quoted := strings.ContainsFunc(name, func(r rune) bool { return r != ' ' && !isAtext(r) })
	if quoted {
		dst, col = append(dst, '"'), col+1
	}
	for i, word := range strings.Split(name, " ") {
		if i > 0 {
			dst, col = appendSpace(dst, col, len(word)+1)
		}
		for j := range len(word) {
			if c := word[j]; c == '"' || c == '\\' {
				dst, col = append(dst, '\\'), col+1
			}
			dst, col = append(dst, word[j]), col+1
		}
	}
	if quoted {
		dst, col = append(dst, '"'), col+1
	}
	return dst, col
}

// needsEncoding reports whether a line of text can only stand in a header as encoded words:
// it is not ASCII, looks like an encoded word, or has a word too long to fold.
func needsEncoding(s string) bool {
	word := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c >= 0x7f:
			return true
		case c == ' ':
			word = 0
		default:
			if word++; word > longWord {
				return true
			}
		}
	}
	return strings.Contains(s, "=?")
}

// encodeText returns a line of text as it stands in an unstructured field, in one line that
// can be folded at its spaces.
func encodeText(s string) string {
	if !needsEncoding(s) {
		return s
	}
	// go-mail leaves the first line after a name like Subject empty if its word is longer
	// than 63 octets, so the first word is kept shorter.
	encoded, _ := appendEncoded(nil, wantLine-63, s)
	return strings.ReplaceAll(string(encoded), "\r\n", "")
}

// appendEncoded appends the text as encoded words, each of whole characters, one to a line.
// It takes the shorter of the two encodings.
func appendEncoded(dst []byte, col int, s string) ([]byte, int) {
	qLen := 0
	for i := range len(s) {
		qLen += qWidth(s[i])
	}
	base := qLen > base64.StdEncoding.EncodedLen(len(s))
	for s != "" {
		room := min(maxWord, wantLine-col) - len("=?utf-8?q??=")
		n := 0
		if base {
			n = prefix(s, room/4*3, func(byte) int { return 1 })
			dst = append(dst, "=?utf-8?b?"...)
			dst = base64.StdEncoding.AppendEncode(dst, []byte(s[:n]))
			col += len("=?utf-8?b??=") + base64.StdEncoding.EncodedLen(n)
		} else {
			n = prefix(s, room, qWidth)
			dst = append(dst, "=?utf-8?q?"...)
			before := len(dst)
			dst = appendQ(dst, s[:n])
			col += len("=?utf-8?q??=") + len(dst) - before
		}
		dst = append(dst, "?="...)
		if s = s[n:]; s != "" {
			dst, col = append(dst, "\r\n "...), 1
		}
	}
	return dst, col
}

// prefix returns the length of the longest beginning of s, of whole characters, whose
// octets' widths add up to at most room; at least one character.
func prefix(s string, room int, width func(byte) int) int {
	n := 0
	for n < len(s) {
		_, size := utf8.DecodeRuneInString(s[n:])
		for i := range size {
			room -= width(s[n+i])
		}
		if room < 0 && n > 0 {
			break
		}
		n += size
	}
	return n
}

// qWidth is how many octets the octet takes in the Q encoding of a phrase
// (RFC 2047 §5 (3)).
func qWidth(c byte) int {
	if c == ' ' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!*+-/", c) >= 0 {
		return 1
	}
	return 3
}

func appendQ(dst []byte, s string) []byte {
	dst = slices.Grow(dst, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ':
			dst = append(dst, '_')
		case qWidth(c) == 1:
			dst = append(dst, c)
		default:
			dst = append(dst, '=', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}
