package mail

import (
	"bytes"
	"errors"
)

var errLineEnd = errors.New("the message has a CR or LF that is not part of a CRLF (RFC 5321 §2.3.8)")

// Stuff appends the message to dst as it goes over the wire after DATA, all but the final
// dot: lines that begin with a dot get another one (RFC 5321 §4.5.2), and the last line is
// ended. A message with line ends other than CRLF is an error, and dst is returned as it was.
func Stuff(dst, message []byte) ([]byte, error) {
	start := len(dst)
	for len(message) > 0 {
		line := message
		if i := bytes.IndexByte(message, '\n'); i >= 0 {
			line = message[:i+1]
		}
		message = message[len(line):]
		text := bytes.TrimSuffix(line, crlf)
		if bytes.IndexByte(text, '\r') >= 0 || bytes.IndexByte(text, '\n') >= 0 {
			return dst[:start], errLineEnd
		}
		if text = line[:len(text)]; len(text) > 0 && text[0] == '.' {
			dst = append(dst, '.')
		}
		dst = append(append(dst, text...), '\r', '\n')
	}
	return dst, nil
}

var crlf = []byte("\r\n")
