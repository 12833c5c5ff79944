package mail

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// maxReplyLines is how many lines a reply may have. RFC 5321 names no limit; a relay that
// never ends its reply is one that never answers.
const maxReplyLines = 100

var (
	errReply     = errors.New("the relay said what is no SMTP reply")
	errLongReply = errors.New("the relay's reply does not end")
)

// read reads one reply, of one line or more (RFC 5321 §4.2.1).
func (s *session) read() reply {
	var r reply
	var text strings.Builder
	for range maxReplyLines {
		line, err := s.text.R.ReadSlice('\n')
		if err != nil {
			return reply{err: err}
		}
		code, rest, last, ok := parseReplyLine(line)
		if !ok || r.code != 0 && r.code != code {
			return reply{err: errReply}
		}
		r.code = code
		if text.Len() > 0 {
			text.WriteByte('\n')
		}
		text.Write(rest)
		if last {
			r.text = text.String()
			return r
		}
	}
	return reply{err: errLongReply}
}

// parseReplyLine reads "250-text" or "250 text".
func parseReplyLine(line []byte) (code int, text []byte, last, ok bool) {
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
		line = line[:len(line)-1]
	}
	if len(line) < 3 {
		return 0, nil, false, false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0, nil, false, false
		}
		code = 10*code + int(c-'0')
	}
	switch {
	case code < 200 || code > 599:
		return 0, nil, false, false
	case len(line) == 3:
		return code, nil, true, true
	case line[3] == ' ' || line[3] == '-':
		return code, line[4:], line[3] == ' ', true
	}
	return 0, nil, false, false
}

// peekTime is how long to look at what came under TLS, where it can be a record of TLS
// itself.
const peekTime = time.Millisecond

// unexpected reports whether the relay has closed the connection, or said something that
// nothing was asked for. It does not wait.
func (s *session) unexpected() bool {
	if s.text.R.Buffered() > 0 {
		return true
	}
	if !arrived(s.tcp) {
		return false
	}
	_ = s.tcp.SetReadDeadline(time.Now().Add(peekTime))
	_, err := s.text.R.Peek(1)
	var timeout net.Error
	return !errors.As(err, &timeout) || !timeout.Timeout()
}

// arrived reports whether there is something to read, or the end of the connection. Where
// the system cannot tell, it reports false: the final dot then shows it.
func arrived(conn net.Conn) bool {
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	fd, err := raw.SyscallConn()
	if err != nil {
		return false
	}
	something := false
	err = fd.Read(func(fd uintptr) bool {
		var one [1]byte
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		something = err == nil || !errors.Is(err, syscall.EAGAIN)
		return true
	})
	return err == nil && something
}

// endedError says how a connection ended, in words that are the same for every connection:
// the system's error names ports.
type endedError struct {
	text  string
	cause error
}

func (e *endedError) Error() string { return e.text }
func (e *endedError) Unwrap() error { return e.cause }

// plain returns an error of reading or writing in plain words, and others as they are.
func plain(err error) error {
	failed, ok := errors.AsType[*net.OpError](err)
	switch {
	case ok && failed.Op == "dial":
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &endedError{"the relay closed the connection", err}
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return &endedError{"the relay reset the connection", err}
	case ok && failed.Timeout() && failed.Op == "write":
		return &endedError{"the relay did not take what was sent in time", err}
	case ok && failed.Timeout():
		return &endedError{"the relay did not answer in time", err}
	case ok && failed.Err != nil:
		return &endedError{failed.Op + ": " + failed.Err.Error(), err}
	}
	return err
}
