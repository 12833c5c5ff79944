package mail

import "broadsheet/internal/newsletter"

// Phase is the step of the SMTP dialogue in which something happened.
type Phase string

// The phases, in the order of the dialogue.
const (
	PhaseConnect Phase = "connect" // dialling and the greeting
	PhaseHelo    Phase = "helo"
	PhaseTLS     Phase = "tls"
	PhaseAuth    Phase = "auth"
	PhaseMail    Phase = "mail"
	PhaseRcpt    Phase = "rcpt"
	PhaseData    Phase = "data" // from the DATA command to the last octet before the final dot
	PhaseDot     Phase = "dot"  // from the final dot to its reply
)

// Fault says whose fault it is that a message was not accepted.
type Fault int

// The faults, from the narrowest to the widest.
const (
	FaultNone       Fault = iota
	FaultMessage          // this recipient or this message: the row's
	FaultConnection       // this connection: use fewer, or another, later
	FaultRelay            // the relay will not take mail from us at all: use the next, or pause
)

// Outcome is what became of handing over one message, or of connecting.
type Outcome struct {
	// State is Accepted, Refused, Deferred or InDoubt. Waiting means that it was not the
	// row's fault and costs no attempt.
	State    newsletter.State
	Phase    Phase
	Code     int    // the SMTP reply code; 0 if no reply came
	Enhanced string // the enhanced status code, RFC 3463: "5.1.1"; may be empty
	Reply    string // the reply's text in one line, without the codes, capped
	Broken   bool   // the connection is not usable any more
	Fault    Fault
	Err      error // for the log, if no reply came
}
