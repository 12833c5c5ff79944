package smtptest

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// maxCommand and maxAuth are the longest lines, RFC 5321 §4.5.3.1.4 and RFC 4954 §4.
const (
	maxCommand = 512
	maxAuth    = 12288
)

// errGone ends a connection: it broke, or a fault or the dialogue ended it.
var errGone = errors.New("connection ended")

// conn is one connection.
type conn struct {
	s      *Server
	number int
	tcp    *net.TCPConn
	net    net.Conn // tcp, or TLS over it
	r      *bufio.Reader

	secure, greeted, authed bool
	tx                      transaction
	messages                int  // that it took
	tooMany                 bool // when it came, as many were open as may be
}

// transaction is the mail transaction in progress. What was asked is kept beside what was
// granted: in a pipeline a client may ask for more before it hears that it was refused.
type transaction struct {
	mailAsked, mail bool
	rcptAsked       bool
	from            string
	to              []string
	utf8, eightBit  bool
}

func newConn(s *Server, nc net.Conn, number int) *conn {
	return &conn{s: s, number: number, tcp: nc.(*net.TCPConn), net: nc, r: bufio.NewReaderSize(nc, 64<<10)}
}

// serve holds the dialogue until it ends.
func (c *conn) serve() {
	if c.s.options.TLS == ImplicitTLS && c.startTLS() != nil {
		return
	}
	greeting := "220 smtptest ESMTP ready"
	if c.tooMany {
		greeting = "421 4.7.0 too many connections"
	}
	if granted, err := c.reply(AtConnect, greeting); err != nil || !granted {
		return
	}
	for {
		line, err := c.readLine(maxAuth)
		if err != nil {
			return
		}
		verb, argument, _ := strings.Cut(line, " ")
		if err := c.command(strings.ToUpper(verb), argument, line); err != nil {
			return
		}
	}
}

// command answers one command. An error ends the connection.
func (c *conn) command(verb, argument, line string) error {
	if len(line)+2 > maxCommand && verb != "AUTH" {
		c.fault("a command of %d octets", len(line)+2)
	}
	c.checkPipeline(verb)
	switch verb {
	case "EHLO", "HELO":
		return c.hello(verb, argument)
	case "STARTTLS":
		return c.upgrade()
	case "AUTH":
		return c.auth(argument)
	case "MAIL":
		return c.mail(argument)
	case "RCPT":
		return c.rcpt(argument)
	case "DATA":
		return c.data()
	case "RSET":
		c.tx = transaction{}
		return c.say(AtReset, c.code("250", "2.0.0", "reset"))
	case "NOOP":
		return c.write(c.code("250", "2.0.0", "fine"))
	case "VRFY":
		return c.write(c.code("252", "2.5.0", "try and see"))
	case "QUIT":
		_ = c.say(AtQuit, c.code("221", "2.0.0", "bye"))
		return errGone
	case "*": // go-mail cancels an AUTH that has been refused already
		return c.write(c.code("500", "5.5.1", "nothing to cancel"))
	default:
		c.fault("unknown command %q", verb)
		return c.write(c.code("500", "5.5.1", "unknown command"))
	}
}

// fault records what the client did against the protocol.
func (c *conn) fault(format string, args ...any) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.errors = append(c.s.errors, fmt.Sprintf("connection %d: ", c.number)+fmt.Sprintf(format, args...))
}

// checkPipeline records commands that were sent before the reply to the last one, where
// that is not allowed: without PIPELINING always, with it after a command that must be the
// last of its group (RFC 2920 §3.1).
func (c *conn) checkPipeline(verb string) {
	if c.r.Buffered() == 0 {
		return
	}
	switch verb {
	case "MAIL", "RCPT", "RSET", ".":
		if c.s.options.Pipelining && c.greeted {
			return
		}
	}
	c.fault("%d octets were sent after %s without waiting for its reply", c.r.Buffered(), verb)
}

// readLine reads a line without its CRLF.
func (c *conn) readLine(limit int) (string, error) {
	b, err := c.r.ReadSlice('\n')
	if err != nil {
		if errors.Is(err, bufio.ErrBufferFull) {
			c.fault("a line without an end")
		}
		return "", errGone
	}
	if len(b) > limit {
		c.fault("a line of %d octets", len(b))
	}
	if len(b) < 2 || b[len(b)-2] != '\r' {
		c.fault("a bare LF after %.80q", b)
	}
	line := strings.TrimRight(string(b), "\r\n")
	if strings.ContainsAny(line, "\r\x00") {
		c.fault("a bare CR or a NUL in %.80q", line)
	}
	return line, nil
}

// code is a reply, with its enhanced status code if those are offered.
func (c *conn) code(code, enhanced, text string) string {
	if c.s.options.EnhancedStatusCodes {
		return code + " " + enhanced + " " + text
	}
	return code + " " + text
}

func (c *conn) write(reply string) error {
	if d := c.s.options.Delay; d > 0 {
		select {
		case <-time.After(d):
		case <-c.s.done:
		}
	}
	if _, err := c.net.Write([]byte(reply + "\r\n")); err != nil {
		return errGone
	}
	return nil
}

// say is reply where nothing depends on what was said.
func (c *conn) say(at Point, reply string, to ...string) error {
	_, err := c.reply(at, reply, to...)
	return err
}

// reply sends the reply, unless a fault strikes. granted reports whether what was sent
// means yes.
func (c *conn) reply(at Point, reply string, to ...string) (granted bool, err error) {
	f, struck := c.s.strike(at, to...)
	if struck {
		if f.Action == Answer {
			reply = f.Reply
		} else if err := c.act(f); err != nil {
			return false, err
		}
	}
	if err := c.write(reply); err != nil {
		return false, err
	}
	if strings.HasPrefix(reply, "421") {
		return false, errGone
	}
	return strings.HasPrefix(reply, "2") || strings.HasPrefix(reply, "3"), nil
}

// act does what a fault other than an answer does.
func (c *conn) act(f Fault) error {
	switch f.Action {
	case HangUp:
	case ResetTCP:
		_ = c.tcp.SetLinger(0)
	case Stall:
		return c.stall()
	case AnswerAndReset:
		_ = c.write(f.Reply)
		_ = c.tcp.SetLinger(0)
	case Answer:
		return nil
	}
	return errGone
}

// stall says nothing until Release or Close, or until the client is gone.
func (c *conn) stall() error {
	c.s.mu.Lock()
	released := c.s.released
	c.s.stalled++
	c.s.notify()
	c.s.mu.Unlock()
	defer func() {
		c.s.mu.Lock()
		c.s.stalled--
		c.s.mu.Unlock()
	}()
	gone := make(chan bool, 1)
	go func() {
		for { // what the client says meanwhile is kept, so that its leaving is noticed
			if _, err := c.r.Peek(c.r.Buffered() + 1); err != nil {
				gone <- !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, os.ErrDeadlineExceeded)
				return
			}
		}
	}()
	select {
	case left := <-gone:
		if left {
			return errGone
		}
		select { // the client said more than is kept; it is looked at after the release
		case <-released:
		case <-c.s.done:
			return errGone
		}
	case <-released:
		_ = c.net.SetReadDeadline(time.Unix(1, 0))
		<-gone
		_ = c.net.SetReadDeadline(time.Time{})
	case <-c.s.done:
		<-gone // Close closed the connection
		return errGone
	}
	return nil
}

func (c *conn) startTLS() error {
	t := tls.Server(c.tcp, c.s.tls)
	if err := t.HandshakeContext(context.Background()); err != nil {
		return errGone
	}
	c.net, c.r, c.secure = t, bufio.NewReaderSize(t, 64<<10), true
	return nil
}
