package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"time"
)

// Transport is where messages go.
type Transport interface {
	// Connect opens a session. It ends early when ctx is cancelled. The error is a
	// *ConnectError.
	Connect(ctx context.Context) (Session, error)
	// String names the transport for people; it contains no password.
	String() string
	// Real reports whether mail given to it reaches readers; false for the outbox.
	Real() bool
}

// Session hands over messages one after the other. It is not safe for concurrent use.
type Session interface {
	// Send hands over one message to one recipient. from may be empty (the null
	// reverse-path). ctx is looked at before the first command only: a message in flight is
	// finished, within the deadlines of its phases.
	Send(ctx context.Context, from, to string, message []byte) Outcome
	// Close takes leave and closes the connection. It may be called twice.
	Close() error
}

// Timeouts are the longest times to wait in each phase; zero means the default, which is
// the minimum of RFC 5321 §4.5.3.2.
type Timeouts struct {
	Connect time.Duration // dialling and TLS: 30 s
	Command time.Duration // greeting, EHLO, AUTH, MAIL, RCPT: 5 min
	Data    time.Duration // the reply to DATA: 2 min
	Block   time.Duration // sending the content: 3 min
	Dot     time.Duration // the reply to the final dot: 10 min
	Quit    time.Duration // RSET and QUIT: 10 s
}

// Options are what ParseTransport cannot read from the URL.
type Options struct {
	RootCAs   *x509.CertPool // nil: the system's
	HelloName string         // for EHLO; empty: the address literal of our end
	Timeouts  Timeouts
	Now       func() time.Time // nil: time.Now; names the outbox's files
}

// ConnectError says why no session could be opened.
type ConnectError struct {
	Relay   string
	Outcome Outcome // State is Waiting, Broken is true
}

// Error names the relay, the phase, and what was answered.
func (e *ConnectError) Error() string { return "connect " + e.Relay }

// Unwrap returns the cause, if no reply came.
func (e *ConnectError) Unwrap() error { return e.Outcome.Err }

// ParseTransport reads the address of a transport: outbox:DIR,
// smtp://user:password@host:587 (STARTTLS) or smtps://… (TLS from the start). The port is
// 587 or 465 if it is left out. TLS is required and verified unless the host is loopback;
// ?tls=required, opportunistic (used when offered, not verified) or none says otherwise.
// The error is an Invalid one that says what would be right, without the password.
func ParseTransport(rawURL string, opts Options) (Transport, error) {
	return nil, errors.New("not written yet")
}
