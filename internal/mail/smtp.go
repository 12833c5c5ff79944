package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"broadsheet/internal/newsletter"
)

// session is a connection to a relay, ready for messages. go-mail's client greeted the
// relay, began TLS and authenticated; the messages are written here, because its way to
// write content goes octet by octet, and does not tell whether the final dot was sent.
type session struct {
	tcp        net.Conn // beneath TLS: deadlines on it hold for TLS too
	client     *smtp.Client
	text       *textproto.Conn
	timeouts   Timeouts
	pipelining bool   // PIPELINING is offered, RFC 2920
	utf8       bool   // SMTPUTF8 is offered, RFC 6531
	limit      int    // octets of a message, 0: none named
	ahead      bool   // the next envelope went out with the last final dot; its replies are still to be read
	inContent  bool   // the relay reads content: the only way back is to close
	postmark   bool   // see postmarkField
	field      []byte // goes before the content of the message that was opened
	broken     bool
	closed     bool
}

func newSession(tcp net.Conn, client *smtp.Client, t Timeouts) *session {
	utf8, _ := client.Extension("SMTPUTF8")
	pipelining, _ := client.Extension("PIPELINING")
	return &session{
		tcp: tcp, client: client, text: client.Text, timeouts: t,
		pipelining: pipelining, utf8: utf8, limit: sizeLimit(client),
	}
}

// Send hands over one message; see Session.
func (s *session) Send(ctx context.Context, from, to string, message []byte) Outcome {
	if err := ctx.Err(); err != nil {
		return Outcome{State: newsletter.Waiting, Phase: PhaseMail, Err: err}
	}
	content, err := Stuff(nil, message)
	if err != nil {
		return refuse(PhaseData, "5.6.0", "%w", err)
	}
	o, ok := s.Open(Envelope{From: from, To: to, Size: len(message)})
	if ok {
		o = s.Finish(content, nil)
	}
	return o
}

// Open begins a message; see Session.
func (s *session) Open(e Envelope) (o Outcome, ok bool) {
	if s.broken || s.closed {
		return Outcome{State: newsletter.Waiting, Phase: PhaseMail, Fault: FaultConnection, Broken: true, Err: net.ErrClosed}, false
	}
	if o, ok := s.check(e); !ok {
		return o, false
	}
	if s.postmark {
		s.field = postmarkField(e.From)
	}
	if s.pipelining {
		if !s.ahead {
			s.deadline(s.timeouts.Command)
			_, _ = s.text.W.Write(appendEnvelope(nil, e))
			_ = s.text.W.Flush() // an error comes again when the reply is read
		}
		o, ok = s.readEnvelope()
	} else {
		o, ok = s.sayEnvelope(e)
	}
	s.broken = s.broken || o.Broken
	s.inContent = ok
	if !ok && !s.broken && o.Phase != PhaseMail {
		s.reset()
	}
	o.Broken = s.broken
	return o, ok
}

// check refuses, before a word is said, what can never be handed over.
func (s *session) check(e Envelope) (Outcome, bool) {
	if err := checkEmail(e.To); err != nil {
		return refuse(PhaseRcpt, "5.1.3", "recipient %q: %w", e.To, err), false
	}
	if err := checkEmail(e.From); err != nil && e.From != "" {
		return unfit("5.1.7", "sender %q: %w", e.From, err), false
	}
	if !s.utf8 && e.needsSMTPUTF8() {
		return refuse(PhaseMail, "5.6.7", "the address needs SMTPUTF8, which the relay does not offer (RFC 6531)"), false
	}
	if s.limit > 0 && e.Size > s.limit {
		return unfit("5.3.4", "the message has %d octets, the relay takes %d (RFC 1870)", e.Size, s.limit), false
	}
	return Outcome{}, true
}

// appendEnvelope appends MAIL, RCPT and DATA, to go out as one group (RFC 2920 §3.1).
func appendEnvelope(dst []byte, e Envelope) []byte {
	dst = appendMail(dst, e)
	dst = appendRcpt(dst, e)
	return append(dst, "DATA\r\n"...)
}

func appendMail(dst []byte, e Envelope) []byte {
	dst = append(dst, "MAIL FROM:<"...)
	dst = append(dst, e.From...)
	dst = append(dst, '>')
	if e.needsSMTPUTF8() {
		dst = append(dst, " BODY=8BITMIME SMTPUTF8"...)
	}
	return append(dst, "\r\n"...)
}

func appendRcpt(dst []byte, e Envelope) []byte {
	dst = append(dst, "RCPT TO:<"...)
	dst = append(dst, e.To...)
	return append(dst, ">\r\n"...)
}

// readEnvelope reads the replies to a group of MAIL, RCPT and DATA. All of them are read
// whatever the first says, and a relay that wants the content of a message without a
// recipient gets none: a lone dot, which it refuses (RFC 2920 §3.1).
func (s *session) readEnvelope() (o Outcome, ok bool) {
	s.ahead = false
	s.deadline(s.timeouts.Command)
	mail := s.read()
	if mail.err != nil || mail.code == codeClosing {
		return classify(PhaseMail, mail), false
	}
	rcpt := s.read()
	if mail.code/100 == 2 && (rcpt.err != nil || rcpt.code == codeClosing) {
		return classify(PhaseRcpt, rcpt), false
	}
	s.deadline(s.timeouts.Data)
	data := s.read()
	switch {
	case mail.code/100 != 2:
		o = classify(PhaseMail, mail)
	case rcpt.code/100 != 2:
		o = classify(PhaseRcpt, rcpt)
	case data.code != codeReady:
		return classify(PhaseData, data), false
	default:
		return Outcome{}, true
	}
	if data.code == codeReady {
		data = s.command(s.timeouts.Data, []byte(finalDot))
		if data.code/100 == 2 { // it took an empty message, for whoever it had as recipient: leave it alone
			o.Broken = true
		}
	}
	o.Broken = o.Broken || data.err != nil || data.code == codeClosing
	return o, false
}

// sayEnvelope says MAIL, RCPT and DATA one after the other.
func (s *session) sayEnvelope(e Envelope) (o Outcome, ok bool) {
	if r := s.command(s.timeouts.Command, appendMail(nil, e)); r.code/100 != 2 {
		return classify(PhaseMail, r), false
	}
	if r := s.command(s.timeouts.Command, appendRcpt(nil, e)); r.code/100 != 2 {
		return classify(PhaseRcpt, r), false
	}
	if r := s.command(s.timeouts.Data, []byte("DATA\r\n")); r.code != codeReady {
		return classify(PhaseData, r), false
	}
	return Outcome{}, true
}

// finalDot ends the content (RFC 5321 §4.1.1.4).
const finalDot = ".\r\n"

// FinishSpace is how much capacity behind the content Finish has use for.
const FinishSpace = 1024

// Finish sends the content and the final dot; see Session. Once the system has taken the
// dot, nobody can tell whether the relay got it until a reply comes: a failure is a doubt. So
// if the relay has spoken, or closed, before, nothing is sent any more.
//
// All of it, with the next envelope, is one write: each write wakes the relay up.
func (s *session) Finish(content []byte, next *Envelope) Outcome {
	if s.unexpected() {
		return s.contentFailed(errors.New("the relay ended the connection before the content"))
	}
	data := content
	if len(s.field) > 0 {
		data = slices.Concat(s.field, content)
	}
	data = append(data, finalDot...)
	end := len(data)
	if next != nil && s.pipelining {
		if _, fits := s.check(*next); fits {
			data = appendEnvelope(data, *next)
			s.ahead = true
		}
	}
	s.deadline(s.timeouts.Block)
	n, err := s.text.W.Write(data)
	if err == nil {
		err = s.text.W.Flush()
	}
	if sent := n - s.text.W.Buffered(); err != nil && sent < end {
		return s.contentFailed(fmt.Errorf("send the content: %w", err))
	}
	s.inContent = false
	s.deadline(s.timeouts.Dot)
	answer := reply{err: err}
	if err == nil {
		answer = s.read()
	}
	o := classify(PhaseDot, answer)
	s.broken = s.broken || o.Broken
	return o
}

// contentFailed is the outcome of a connection that ended before the final dot was sent. A
// relay that closes may have said why.
func (s *session) contentFailed(cause error) Outcome {
	s.broken = true
	o := classify(PhaseData, reply{err: cause})
	s.deadline(min(time.Second, s.timeouts.Quit))
	if r := s.read(); r.code/100 == 4 || r.code/100 == 5 {
		o.Code = r.code
		o.Enhanced, o.Reply = splitReply(r.code, r.text)
	}
	return o
}

// reset ends a transaction that was begun. If that fails, only the connection is lost.
func (s *session) reset() {
	if r := s.command(s.timeouts.Quit, []byte("RSET\r\n")); r.code/100 != 2 {
		s.broken = true
	}
}

// command sends one line and reads the reply.
func (s *session) command(timeout time.Duration, line []byte) reply {
	s.deadline(timeout)
	_, _ = s.text.W.Write(line) // an error of the buffer comes again from Flush
	if err := s.text.W.Flush(); err != nil {
		return reply{err: err}
	}
	return s.read()
}

func (s *session) deadline(d time.Duration) { _ = s.tcp.SetDeadline(time.Now().Add(d)) }

// Close says QUIT, if there is anybody to say it to, and closes the connection. A message
// whose content was not finished is not delivered: RFC 5321 §4.1.1.4 has the relay discard
// what no final dot ends.
func (s *session) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	if s.ahead && !s.broken {
		s.timeouts.Command, s.timeouts.Data = s.timeouts.Quit, s.timeouts.Quit
		o, ready := s.readEnvelope()
		s.inContent = ready
		s.broken = o.Broken
	}
	if !s.broken && !s.inContent {
		_ = s.command(s.timeouts.Quit, []byte("QUIT\r\n"))
	}
	s.deadline(s.timeouts.Quit)
	_ = s.client.Close() // TLS takes leave too
	if err := s.tcp.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the connection: %w", err)
	}
	return nil
}
