package smtptest

import "time"

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
	Pipelining          bool   // RFC 2920
	EightBitMIME        bool   // RFC 6152
	SMTPUTF8            bool   // RFC 6531
	EnhancedStatusCodes bool   // RFC 2034
	Size                int    // the SIZE limit in octets, RFC 1870; 0: not offered
	TLS                 TLSMode
	Expired             bool   // the certificate is
	User, Password      string // with a user, AUTH is offered and needed
	// MaxConnections and MaxMessages are limits: a connection beyond those that may be open
	// at once gets 421 at connect, and MAIL after so many messages of one connection gets 421;
	// 0: no limit.
	MaxConnections, MaxMessages int
	// Delay is before each reply.
	Delay time.Duration
	// DataAnyway answers 354 to a DATA without an accepted recipient, where RFC 2920 §3.1
	// allows it; the lone dot that has to follow is refused.
	DataAnyway bool
	// Mechanisms are those of AUTH that are offered; nil: PLAIN, LOGIN and CRAM-MD5, which
	// are all there are.
	Mechanisms []string
	// OnMessage is called for each message, before its final dot is answered, by the
	// connection's goroutine.
	OnMessage func(Received)
	Faults    []Fault
}

// Point is where in the dialogue a fault strikes.
type Point int

// The points, each in place of the server's reply to the command.
const (
	AtConnect Point = iota
	AtEhlo
	AtStartTLS
	AtAuth
	AtMail
	AtRcpt
	AtData
	AtBody // within the content: after its first line, or after Octets of it
	AtDot  // when the final dot was received
	AtReset
	AtQuit
)

// Action is what a fault does.
type Action int

// The actions.
const (
	Answer         Action = iota // with Reply
	HangUp                       // close the connection without a reply
	ResetTCP                     // close it by a TCP reset
	Stall                        // say nothing until Release or Close, or until the client is gone
	AnswerAndReset               // answer with Reply, and close by a TCP reset
)

// Fault is one misbehaviour.
type Fault struct {
	At    Point
	To    string // only for this recipient (AtRcpt and later); empty: for all
	Skip  int    // let so many pass first
	Times int    // strike so many times; 0: always
	// Action and, for Answer, the reply, such as "451 4.7.1 come back later". 421 closes the
	// connection, what does not begin with a 2 or 3 makes the command fail.
	Action Action
	Reply  string
	// Octets of the content are read before AtBody strikes, as far as there are so many.
	Octets int
	// Count says that a message counts as received although its final dot gets no answer
	// or a bad one.
	Count bool
}

// faultState is a fault with how often its place was passed.
type faultState struct {
	Fault
	seen int
}

// strike returns the first fault for the point and recipients whose turn it is.
func (s *Server) strike(at Point, to ...string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		f := &s.faults[i]
		if f.At != at || f.To != "" && !contains(to, f.To) {
			continue
		}
		f.seen++
		if n := f.seen - f.Skip; n >= 1 && (f.Times == 0 || n <= f.Times) {
			return f.Fault, true
		}
	}
	return Fault{}, false
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// SetFaults replaces the faults, and counts from the beginning.
func (s *Server) SetFaults(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	for _, f := range faults {
		s.faults = append(s.faults, faultState{Fault: f})
	}
}
