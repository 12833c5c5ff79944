package mail

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"broadsheet/internal/newsletter"
)

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

// String returns the fault as a word for a log.
func (f Fault) String() string {
	switch f {
	case FaultNone:
		return "none"
	case FaultMessage:
		return "message"
	case FaultConnection:
		return "connection"
	case FaultRelay:
		return "relay"
	}
	return "fault(" + strconv.Itoa(int(f)) + ")"
}

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

// String describes the outcome in one line, for a log or a terminal.
func (o Outcome) String() string {
	parts := []string{o.State.String() + " at " + string(o.Phase)}
	if o.Code != 0 {
		parts = append(parts, strconv.Itoa(o.Code))
	}
	for _, s := range []string{o.Enhanced, o.Reply} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if o.Err != nil {
		parts = append(parts, o.Err.Error())
	}
	return strings.Join(parts, " ")
}

// reply is what the relay answered to one command, or why no answer came.
type reply struct {
	code int    // 0: none
	text string // lines separated by LF, the enhanced status codes still in it
	err  error  // the connection ended, timed out, or said what is no reply
}

// The codes with a meaning of their own.
const (
	codeReady   = 354 // go on with the content
	codeClosing = 421 // and the connection ends
	codeFailed  = 554
)

// classify says what the reply to a command, or its absence, means for the message: whose
// fault it is, and where its delivery stands. It is a pure function of the phase and the
// reply, "Whose fault is it" and the ledger's table in docs/design.md; a reply that means
// "go on" is not for it, except to the final dot.
func classify(phase Phase, r reply) Outcome {
	o := Outcome{Phase: phase, Code: r.code, Err: plain(r.err)}
	o.Enhanced, o.Reply = splitReply(r.code, r.text)
	class := r.code / 100
	if r.code == 0 || class != 2 && class != 4 && class != 5 || class == 2 && phase != PhaseDot {
		return o.withoutReply()
	}
	o.Broken = r.code == codeClosing || o.isConnecting()
	switch {
	case class == 2:
		o.State = newsletter.Accepted
	case o.isConnecting():
		// Greeting and EHLO: the relay has no time for us. TLS and AUTH: it never will,
		// unless it says that it is a passing trouble.
		o.State, o.Fault = newsletter.Waiting, FaultConnection
		if class == 5 && (phase == PhaseTLS || phase == PhaseAuth) {
			o.Fault = FaultRelay
		}
	case phase == PhaseMail && class == 5:
		o.State, o.Fault = newsletter.Waiting, FaultRelay
	case phase == PhaseMail:
		o.State, o.Fault = newsletter.Waiting, FaultConnection
	case class == 5:
		o.State, o.Fault = newsletter.Refused, FaultMessage
	case r.code == codeClosing:
		o.State, o.Fault = newsletter.Deferred, FaultConnection
	default:
		o.State, o.Fault = newsletter.Deferred, FaultMessage
	}
	return o
}

// withoutReply completes an outcome for which no reply came, or one that cannot be
// understood. The connection is of no use any more.
func (o Outcome) withoutReply() Outcome {
	o.Broken, o.Fault = true, FaultConnection
	switch {
	case o.Phase == PhaseDot:
		o.State = newsletter.InDoubt
	case o.isConnecting(), o.Phase == PhaseMail: // the message was not spoken of yet
		o.State = newsletter.Waiting
	default:
		o.State = newsletter.Deferred
	}
	return o
}

// isConnecting reports whether no message was handed over yet.
func (o Outcome) isConnecting() bool {
	switch o.Phase {
	case PhaseConnect, PhaseHelo, PhaseTLS, PhaseAuth:
		return true
	case PhaseMail, PhaseRcpt, PhaseData, PhaseDot:
	}
	return false
}

// splitReply divides a reply's text into its enhanced status code and the rest, in one line
// of printable text.
func splitReply(code int, text string) (enhanced, rest string) {
	if isOneLine(text) { // as nearly all are
		if status, after, _ := strings.Cut(text, " "); isEnhanced(code, status) {
			return status, after
		}
		return "", text
	}
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		status, after, _ := strings.Cut(line, " ")
		if isEnhanced(code, status) {
			enhanced, line = status, after
		}
		lines = append(lines, line)
	}
	rest = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(strings.Join(lines, " "), "?"))
	rest = strings.Join(strings.Fields(rest), " ")
	if len(rest) > newsletter.MaxReply {
		cut := newsletter.MaxReply
		for !utf8.RuneStart(rest[cut]) {
			cut--
		}
		rest = rest[:cut]
	}
	return enhanced, rest
}

// isOneLine reports whether the text can be kept as it is: one line of printable ASCII with
// single spaces within it.
func isOneLine(text string) bool {
	before := byte(' ')
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c > '~' || c == ' ' && before == ' ' {
			return false
		}
		before = c
	}
	return len(text) <= newsletter.MaxReply && (text == "" || before != ' ')
}

// isEnhanced reports whether s is an enhanced status code of the reply code's class
// (RFC 3463 §2).
func isEnhanced(code int, s string) bool {
	class, rest, _ := strings.Cut(s, ".")
	subject, detail, dotted := strings.Cut(rest, ".")
	if len(class) != 1 || int(class[0]-'0') != code/100 || !dotted {
		return false
	}
	for _, p := range [...]string{subject, detail} {
		if p == "" || len(p) > 3 || strings.Trim(p, "0123456789") != "" {
			return false
		}
	}
	return true
}
