package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"broadsheet/internal/newsletter"
)

// session is a connection to a relay, ready for messages. go-mail's client greeted the
// relay, began TLS and authenticated; the messages are written here, because its way to
// write content goes octet by octet, and does not tell whether the final dot was sent.
type session struct {
	tcp      net.Conn // beneath TLS: deadlines on it hold for TLS too
	client   *smtp.Client
	text     *textproto.Conn
	timeouts Timeouts
	utf8     bool // SMTPUTF8 is offered
	limit    int  // octets of a message, 0: none named
	broken   bool
	closed   bool
}

func newSession(tcp net.Conn, client *smtp.Client, t Timeouts) *session {
	utf8, _ := client.Extension("SMTPUTF8")
	return &session{tcp: tcp, client: client, text: client.Text, timeouts: t, utf8: utf8, limit: sizeLimit(client)}
}

// Send hands over one message to one recipient; see Session.
func (s *session) Send(ctx context.Context, from, to string, message []byte) Outcome {
	if err := ctx.Err(); err != nil {
		return Outcome{State: newsletter.Waiting, Phase: PhaseMail, Err: err}
	}
	if s.broken || s.closed {
		return Outcome{State: newsletter.Waiting, Phase: PhaseMail, Fault: FaultConnection, Broken: true, Err: net.ErrClosed}
	}
	if o, ok := s.check(from, to, message); !ok {
		return o
	}
	o, ok := s.envelope(from, to)
	if ok {
		o, ok = s.content(message)
	}
	if ok {
		o = s.dot()
	}
	s.broken = s.broken || o.Broken
	if !s.broken && (o.Phase == PhaseRcpt || o.Phase == PhaseData) {
		s.reset()
	}
	o.Broken = s.broken
	return o
}

// check refuses, before a word is said, what can never be handed over.
func (s *session) check(from, to string, message []byte) (Outcome, bool) {
	if err := checkEmail(to); err != nil {
		return refuse(PhaseRcpt, "5.1.3", "recipient %q: %w", to, err), false
	}
	if err := checkEmail(from); err != nil && from != "" {
		return refuse(PhaseMail, "5.1.7", "sender %q: %w", from, err), false
	}
	if !s.utf8 && (NeedsSMTPUTF8(to) || NeedsSMTPUTF8(from)) {
		return refuse(PhaseMail, "5.6.7", "the address needs SMTPUTF8, which the relay does not offer (RFC 6531)"), false
	}
	if s.limit > 0 && len(message) > s.limit {
		return refuse(PhaseMail, "5.3.4", "the message has %d octets, the relay takes %d (RFC 1870)", len(message), s.limit), false
	}
	if !hasOnlyCRLF(message) {
		return refuse(PhaseData, "5.6.0", "the message has line ends other than CRLF"), false
	}
	return Outcome{}, true
}

// envelope says MAIL and RCPT. ok means that the relay agreed to both.
func (s *session) envelope(from, to string) (o Outcome, ok bool) {
	command := "MAIL FROM:<" + from + ">"
	if NeedsSMTPUTF8(to) || NeedsSMTPUTF8(from) {
		command += " BODY=8BITMIME SMTPUTF8"
	}
	if r := s.command(s.timeouts.Command, command); r.code/100 != 2 {
		return classify(PhaseMail, r), false
	}
	if r := s.command(s.timeouts.Command, "RCPT TO:<"+to+">"); r.code/100 != 2 {
		return classify(PhaseRcpt, r), false
	}
	return Outcome{}, true
}

// content says DATA and sends everything but the final dot. ok means that all of it was
// handed to the system.
func (s *session) content(message []byte) (o Outcome, ok bool) {
	if r := s.command(s.timeouts.Data, "DATA"); r.code != codeReady {
		return classify(PhaseData, r), false
	}
	s.deadline(s.timeouts.Block)
	err := s.writeStuffed(message)
	if err == nil {
		err = s.text.W.Flush()
	}
	if err == nil {
		return Outcome{}, true
	}
	// A relay that closes in the middle may have said why.
	o = classify(PhaseData, reply{err: fmt.Errorf("send the content: %w", err)})
	s.deadline(min(time.Second, s.timeouts.Quit))
	if r := s.read(); r.code/100 == 4 || r.code/100 == 5 {
		o.Code = r.code
		o.Enhanced, o.Reply = splitReply(r.code, r.text)
	}
	return o, false
}

// dot sends the final dot and reads the reply. From the first octet on, nobody can tell
// whether the relay got it until a reply comes: a failure is a doubt.
func (s *session) dot() Outcome {
	s.deadline(s.timeouts.Dot)
	_, err := s.text.W.WriteString(".\r\n")
	if err == nil {
		err = s.text.W.Flush()
	}
	if err != nil {
		return classify(PhaseDot, reply{err: fmt.Errorf("send the final dot: %w", err)})
	}
	return classify(PhaseDot, s.read())
}

// reset ends a transaction that was begun. If that fails, only the connection is lost.
func (s *session) reset() {
	if r := s.command(s.timeouts.Quit, "RSET"); r.code/100 != 2 {
		s.broken = true
	}
}

// command sends one line and reads the reply.
func (s *session) command(timeout time.Duration, line string) reply {
	s.deadline(timeout)
	w := s.text.W
	_, _ = w.WriteString(line) // an error of the buffer comes again from Flush
	_, _ = w.WriteString("\r\n")
	if err := w.Flush(); err != nil {
		return reply{err: err}
	}
	return s.read()
}

func (s *session) read() reply {
	code, text, err := s.text.ReadResponse(0)
	if err != nil {
		return reply{err: err}
	}
	return reply{code: code, text: text}
}

func (s *session) deadline(d time.Duration) { _ = s.tcp.SetDeadline(time.Now().Add(d)) }

// writeStuffed writes the message with its dots stuffed (RFC 5321 §4.5.2), in pieces as
// large as they come, and ends the last line.
func (s *session) writeStuffed(message []byte) error {
	w := s.text.W
	if bytes.HasPrefix(message, []byte(".")) {
		_ = w.WriteByte('.')
	}
	rest := message
	for {
		i := bytes.Index(rest, []byte("\r\n."))
		if i < 0 {
			break
		}
		_, _ = w.Write(rest[:i+2])
		_ = w.WriteByte('.')
		rest = rest[i+2:]
	}
	_, err := w.Write(rest)
	if err == nil && !bytes.HasSuffix(message, []byte("\r\n")) {
		_, err = w.WriteString("\r\n")
	}
	return err
}

// hasOnlyCRLF reports whether CR and LF come only as CRLF. Anything else is read one way
// here and another there, and lets a message smuggle in a second.
func hasOnlyCRLF(message []byte) bool {
	crs := bytes.Count(message, []byte("\r"))
	for rest := message; ; crs-- {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			return crs == 0
		}
		if i == 0 || rest[i-1] != '\r' {
			return false
		}
		rest = rest[i+1:]
	}
}

// Close says QUIT, if there is anybody to say it to, and closes the connection.
func (s *session) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	if !s.broken {
		_ = s.command(s.timeouts.Quit, "QUIT")
	}
	s.deadline(s.timeouts.Quit)
	_ = s.client.Close() // TLS takes leave too
	if err := s.tcp.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the connection: %w", err)
	}
	return nil
}
