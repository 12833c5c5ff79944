package mail

import "strings"

const upperHex = "0123456789ABCDEF"

// qpWidth is the length of a line of quoted-printable, its soft break included
// (RFC 2045 §6.7 (5)).
const qpWidth = 76

// qpLine appends one line of text in quoted-printable, breaking it exactly where go-mail
// does (mime/quotedprintable). It exists because a line that is filled for each reader
// should cost no writer, no buffer and no copy.
type qpLine struct {
	dst     []byte
	col     int
	stuffed bool // a dot at the beginning of a line gets another one (RFC 5321 §4.5.2)
}

// text appends text without line ends.
func (q *qpLine) text(s string) {
	for s != "" {
		n := 0
		for n < len(s) && !needsHex(s[n]) {
			n++
		}
		q.plain(s[:n])
		if s = s[n:]; s != "" {
			q.hex(s[0])
			s = s[1:]
		}
	}
}

// plain appends text whose octets all stand for themselves.
func (q *qpLine) plain(s string) {
	for s != "" {
		if q.col == qpWidth-1 {
			q.softBreak()
		}
		if q.stuffed && q.col == 0 && s[0] == '.' {
			q.dst = append(q.dst, '.')
		}
		fits := min(len(s), qpWidth-1-q.col)
		q.dst = append(q.dst, s[:fits]...)
		q.col += fits
		s = s[fits:]
	}
}

// isBare reports whether text and html would append s octet by octet as it is.
func isBare(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case needsHex(c), c == '&', c == '<', c == '>', c == '"', c == '\'':
			return false
		}
	}
	return true
}

// needsHex reports whether the octet cannot stand for itself.
func needsHex(c byte) bool {
	return c < ' ' && c != '\t' || c == '=' || c > '~'
}

// html appends text as html.EscapeString would write it.
func (q *qpLine) html(s string) {
	for {
		i := strings.IndexAny(s, "&<>\"'")
		if i < 0 {
			q.text(s)
			return
		}
		q.text(s[:i])
		switch s[i] {
		case '&':
			q.text("&amp;")
		case '<':
			q.text("&lt;")
		case '>':
			q.text("&gt;")
		case '"':
			q.text("&#34;")
		case '\'':
			q.text("&#39;")
		}
		s = s[i+1:]
	}
}

func (q *qpLine) hex(c byte) {
	if q.col > qpWidth-1-3 {
		q.softBreak()
	}
	q.dst = append(q.dst, '=', upperHex[c>>4], upperHex[c&15])
	q.col += 3
}

func (q *qpLine) softBreak() {
	q.dst = append(q.dst, "=\r\n"...)
	q.col = 0
}

// end ends the line's text: a space or tab must not be the last octet of a line.
func (q *qpLine) end() []byte {
	if q.col > 0 {
		if c := q.dst[len(q.dst)-1]; c == ' ' || c == '\t' {
			q.dst = q.dst[:len(q.dst)-1]
			q.col--
			q.hex(c)
		}
	}
	return q.dst
}

// unixLines returns text with LF for every kind of line end, ending in one.
func unixLines(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if strings.IndexByte(s, '\r') >= 0 {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	}
	if !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return s
}
