package sink

import (
	"bytes"
	"net"
	"sync"
	"syscall"
	"time"
)

// inputSize is what one read takes at most; a command that is longer ends the connection.
const inputSize = 64 << 10

// session is one connection.
type session struct {
	sink *Sink
	conn net.Conn

	in   []byte
	r, w int    // in[r:w] is read and not used
	out  []byte // replies that are not sent

	recipient []byte      // of the message under way
	seen      [kinds]bool // the kinds of which somebody took a sample
	sample    []byte      // the message, if it is to be kept

	mu   sync.Mutex // guards took
	took tally
}

// dot ends a message, at the begin of a line (RFC 5321 §4.1.1.4).
const dot = ".\r\n"

const ehlo = "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 104857600\r\n250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8\r\n"

func (c *session) run() {
	defer c.sink.closed(c)
	defer c.conn.Close() // everything is answered, or the client is gone
	c.out = append(c.out, "220 sink ESMTP\r\n"...)
	for {
		line, ok := c.line()
		if !ok || !c.answer(line) {
			return
		}
	}
}

// answer takes one command; false: the connection is over.
func (c *session) answer(line []byte) bool {
	reply := "250 2.0.0 ok\r\n"
	switch verb := string(bytes.ToUpper(line[:min(4, len(line))])); verb {
	case "EHLO":
		reply = ehlo
	case "HELO", "NOOP", "RSET", "MAIL":
	case "RCPT":
		if at := bytes.IndexByte(line, '<'); at >= 0 {
			c.recipient = append(c.recipient[:0], line[at+1:]...)
		}
	case "DATA":
		c.out = append(c.out, "354 go on\r\n"...)
		size, ok := c.body()
		if !ok {
			return false
		}
		c.accept(size)
	case "QUIT":
		c.out = append(c.out, "221 2.0.0 bye\r\n"...)
		c.flush()
		return false
	default:
		reply = "500 5.5.2 this sink does not know that\r\n"
	}
	c.out = append(c.out, reply...)
	return true
}

// line returns the next line without its end. It is valid until the next call.
func (c *session) line() ([]byte, bool) {
	for from := c.r; ; {
		if i := bytes.IndexByte(c.in[from:c.w], '\n'); i >= 0 {
			line := bytes.TrimSuffix(c.in[c.r:from+i], []byte("\r"))
			c.r = from + i + 1
			return line, true
		}
		unused := c.w - c.r
		if !c.read() {
			return nil, false
		}
		from = c.r + unused // what is before it has no line end
	}
}

// read reads more behind what is not used yet. All replies go out before it, and only then: a client that
// pipelines gets them in one piece (RFC 2920 §3.2).
func (c *session) read() bool {
	if !c.flush() {
		return false
	}
	if c.r > 0 {
		c.w = copy(c.in, c.in[c.r:c.w])
		c.r = 0
	}
	n, err := c.conn.Read(c.in[c.w:])
	c.w += n
	return n > 0 && err == nil
}

func (c *session) flush() bool {
	if len(c.out) == 0 {
		return true
	}
	_, err := c.conn.Write(c.out)
	c.out = c.out[:0]
	return err == nil
}

// body reads to the final dot and returns how many bytes were before it.
func (c *session) body() (size int64, ok bool) {
	c.sample = nil
	keep := c.keeps()
	lineStart := true // at in[r]
	for {
		used, end := scan(c.in[c.r:c.w], lineStart)
		if keep {
			c.sample = append(c.sample, c.in[c.r:c.r+used]...)
		}
		size += int64(used)
		if used > 0 {
			lineStart = c.in[c.r+used-1] == '\n'
			c.r += used
		}
		if end {
			c.r += len(dot)
			if keep {
				c.sink.keep(c.kind(), c.sample)
			}
			return size, true
		}
		if !c.read() {
			return size, false
		}
	}
}

// scan returns how much of b belongs to the body for sure, and whether the final dot stands behind that.
func scan(b []byte, lineStart bool) (used int, end bool) {
	for at := 0; ; {
		if lineStart {
			rest := b[at:]
			if len(rest) < len(dot) && dot[:len(rest)] == string(rest) {
				return at, false // it may become the dot
			}
			if len(rest) >= len(dot) && string(rest[:len(dot)]) == dot {
				return at, true
			}
		}
		// Line by line by IndexByte, which looks at 32 bytes a step: several times faster than bytes.Index for
		// a needle of five bytes.
		i := bytes.IndexByte(b[at:], '\n')
		if i < 0 {
			return len(b), false
		}
		at, lineStart = at+i+1, true
	}
}

// kind is what the message's recipient is counted under.
func (c *session) kind() byte {
	if len(c.recipient) == 0 {
		return 0
	}
	return c.recipient[0]
}

// keeps reports whether the message under way is the first of its kind.
func (c *session) keeps() bool {
	kind := c.kind()
	if c.seen[kind] {
		return false
	}
	c.seen[kind] = true
	return c.sink.wanted(kind)
}

func (c *session) accept(size int64) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	of := &c.took[c.kind()]
	if len(of.recipients) == 0 {
		of.first = now
	}
	of.last = now
	of.bytes += size
	of.recipients = append(of.recipients, hash(c.recipient))
}

// hash is FNV-1a, up to the end of the address.
func hash(address []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range address {
		if b == '>' {
			break
		}
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// cpuSeconds is what this process has used of all cores.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
