package mail

import (
	"bytes"
	"errors"
)

const crlf = "\r\n"

var errLineEnd = errors.New("the message has a CR or LF that is not part of a CRLF (RFC 5321 §2.3.8)")

// Stuff appends the message to dst as it goes over the wire after DATA, all but the final
// dot: lines that begin with a dot get another one (RFC 5321 §4.5.2), and the last line is
// ended. A message with line ends other than CRLF is an error, and dst is returned as it was.
func Stuff(dst, message []byte) ([]byte, error) {
	start := len(dst)
	for len(message) > 0 {
		text, rest, ok := bytes.Cut(message, []byte("\n"))
		if ok && (len(text) == 0 || text[len(text)-1] != '\r') {
			return dst[:start], errLineEnd
		}
		if ok {
			text = text[:len(text)-1]
		}
		if bytes.IndexByte(text, '\r') >= 0 {
			return dst[:start], errLineEnd
		}
		if len(text) > 0 && text[0] == '.' {
			dst = append(dst, '.')
		}
		dst = append(append(dst, text...), crlf...)
		message = rest
	}
	return dst, nil
}
