// Package smtptest is a real SMTP server on a loopback port, for tests and the demo. It can
// answer, hang up, reset or stall at each step of the dialogue, and it holds its clients
// strictly to the protocol.
package smtptest

import (
	"context"
	"crypto/x509"
	"errors"
	"time"
)

// Received is one message for one recipient.
type Received struct {
	From string // of the envelope, without angle brackets
	To   string
	Data []byte // with CRLF, dots unstuffed
	At   time.Time
	Conn int // the number of the connection, from 1
}

// TLSMode is when TLS begins.
type TLSMode int

// The ways to begin TLS.
const (
	NoTLS TLSMode = iota
	StartTLS
	ImplicitTLS
)

// Options say how the server behaves. The zero Options is a server without extensions.
type Options struct {
	Addr                string // a loopback address; empty: 127.0.0.1, any port
	Pipelining          bool
	EightBitMIME        bool
	SMTPUTF8            bool
	EnhancedStatusCodes bool
	Size                int // the SIZE limit in octets; 0: not offered
	TLS                 TLSMode
	Expired             bool   // the certificate is
	User, Password      string // with a user, AUTH is offered and needed
	Mechanisms          []string
	// OnMessage is called for each message, before its final dot is answered, by the
	// connection's goroutine.
	OnMessage func(Received)
	Faults    []Fault
}

// Point is where in the dialogue a fault strikes.
type Point int

// The points, each before the server's reply to the command.
const (
	AtConnect Point = iota
	AtEhlo
	AtStartTLS
	AtAuth
	AtMail
	AtRcpt
	AtData
	AtBody // in the middle of the content
	AtDot  // when the final dot was received
	AtReset
	AtQuit
)

// Action is what a fault does.
type Action int

// The actions.
const (
	Answer Action = iota // with Reply
	HangUp               // close the connection without a reply
	Reset                // close it by a TCP reset
	Stall                // say nothing until Release or Close
)

// Fault is one misbehaviour.
type Fault struct {
	At     Point
	To     string // only for this recipient (AtRcpt and later); empty: for all
	Skip   int    // let it pass so many times first
	Times  int    // strike so many times; 0: always
	Action Action
	Reply  string // "451 4.7.1 come back later"; 421 closes the connection after it
	Count  bool   // AtDot, unless answered: the message counts as received nevertheless
}

// Server is a running SMTP server.
type Server struct{}

// Start listens and serves until Close.
func Start(o Options) (*Server, error) { return nil, errors.New("not written yet") }

// Addr is host and port.
func (s *Server) Addr() string { return "" }

// URL is the server's address as SMTP_URL wants it, with user and password if it has any.
func (s *Server) URL() string { return "" }

// CertPool trusts the server's certificate.
func (s *Server) CertPool() *x509.CertPool { return nil }

// Messages returns what was received so far, in order.
func (s *Server) Messages() []Received { return nil }

// WaitFor returns when at least n messages have been received, or ctx's error.
func (s *Server) WaitFor(ctx context.Context, n int) error { return nil }

// SetFaults replaces the faults.
func (s *Server) SetFaults(faults ...Fault) {}

// Release lets everything that is stalled go on.
func (s *Server) Release() {}

// Connections returns how many connections are open, and how many there have been.
func (s *Server) Connections() (open, total int) { return 0, 0 }

// WaitIdle returns when no connection is open, or ctx's error.
func (s *Server) WaitIdle(ctx context.Context) error { return nil }

// ProtocolErrors returns what clients did against the protocol, RFC 5321 and RFC 2920.
func (s *Server) ProtocolErrors() []string { return nil }

// Close ends all connections and waits for them.
func (s *Server) Close() error { return nil }
