package mail

import (
	"errors"
	"io"
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

// The table of the design: whose fault is it, and where does the delivery stand.
func TestClassify(t *testing.T) {
	t.Parallel()
	const (
		accepted, refused, deferred = newsletter.Accepted, newsletter.Refused, newsletter.Deferred
		doubt, waiting              = newsletter.InDoubt, newsletter.Waiting
	)
	for _, c := range []struct {
		phase  Phase
		code   int
		text   string
		state  newsletter.State
		fault  Fault
		broken bool
	}{
		{PhaseDot, 250, "2.0.0 queued", accepted, FaultNone, false},
		{PhaseDot, 252, "odd, but yes", accepted, FaultNone, false},
		{PhaseDot, 550, "5.7.1 spam", refused, FaultMessage, false},
		{PhaseDot, 552, "too big", refused, FaultMessage, false},
		{PhaseDot, 451, "4.7.1 greylisted", deferred, FaultMessage, false},
		{PhaseDot, 421, "4.3.2 closing", deferred, FaultConnection, true},
		{PhaseDot, 0, "", doubt, FaultConnection, true},
		{PhaseDot, 354, "what?", doubt, FaultConnection, true},
		{PhaseDot, 199, "what?", doubt, FaultConnection, true},
		{PhaseDot, 650, "what?", doubt, FaultConnection, true},

		{PhaseRcpt, 550, "5.1.1 no such user", refused, FaultMessage, false},
		{PhaseRcpt, 554, "relay access denied", refused, FaultMessage, false},
		{PhaseRcpt, 450, "4.2.1 busy", deferred, FaultMessage, false},
		{PhaseRcpt, 452, "4.2.2 full", deferred, FaultMessage, false},
		{PhaseRcpt, 421, "closing", deferred, FaultConnection, true},
		{PhaseRcpt, 0, "", deferred, FaultConnection, true},
		{PhaseRcpt, 354, "what?", deferred, FaultConnection, true},

		{PhaseData, 451, "4.3.0 later", deferred, FaultMessage, false},
		{PhaseData, 421, "closing", deferred, FaultConnection, true},
		{PhaseData, 554, "5.5.1 Error: No valid recipients", refused, FaultMessage, false},
		{PhaseData, 554, "5.7.1 not you", refused, FaultMessage, false},
		{PhaseData, 502, "not implemented", refused, FaultMessage, false},
		{PhaseData, 250, "what?", deferred, FaultConnection, true},
		{PhaseData, 0, "", deferred, FaultConnection, true},

		{PhaseMail, 421, "too many", waiting, FaultConnection, true},
		{PhaseMail, 451, "4.3.0 later", waiting, FaultConnection, false},
		{PhaseMail, 530, "5.7.0 authenticate", waiting, FaultRelay, false},
		{PhaseMail, 550, "5.7.1 sender not allowed", waiting, FaultRelay, false},
		{PhaseMail, 0, "", waiting, FaultConnection, true},

		{PhaseConnect, 0, "", waiting, FaultConnection, true},
		{PhaseConnect, 421, "too many", waiting, FaultConnection, true},
		{PhaseConnect, 554, "go away", waiting, FaultConnection, true},
		{PhaseHelo, 550, "bad name", waiting, FaultConnection, true},
		{PhaseHelo, 0, "", waiting, FaultConnection, true},
		{PhaseTLS, 454, "not now", waiting, FaultConnection, true},
		{PhaseTLS, 554, "never", waiting, FaultRelay, true},
		{PhaseTLS, 0, "", waiting, FaultConnection, true},
		{PhaseAuth, 535, "5.7.8 wrong", waiting, FaultRelay, true},
		{PhaseAuth, 454, "4.7.0 later", waiting, FaultConnection, true},
		{PhaseAuth, 0, "", waiting, FaultConnection, true},
	} {
		r := reply{code: c.code, text: c.text}
		if c.code == 0 {
			r.err = io.EOF
		}
		o := classify(c.phase, r)
		if o.State != c.state || o.Fault != c.fault || o.Broken != c.broken || o.Phase != c.phase || o.Code != c.code || !errors.Is(o.Err, r.err) {
			t.Errorf("%s %d %s: %s, fault %s, broken %v; want %s, %s, %v", c.phase, c.code, c.text, o, o.Fault, o.Broken, c.state, c.fault, c.broken)
		}
		if c.state != newsletter.Accepted && o.Fault == FaultNone {
			t.Errorf("%s %d is nobody's fault", c.phase, c.code)
		}
		if !newsletter.CanMove(newsletter.Sending, o.State) {
			t.Errorf("%s %d: the ledger has no way from sending to %s", c.phase, c.code, o.State)
		}
	}
}

func TestSplitReply(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code                 int
		text, enhanced, rest string
	}{
		{250, "2.0.0 Ok: queued as 4F", "2.0.0", "Ok: queued as 4F"},
		{550, "5.1.1 no such user\n5.1.1 see https://example.org", "5.1.1", "no such user see https://example.org"},
		{550, "4.1.1 another class", "", "4.1.1 another class"},
		{550, "no code", "", "no code"},
		{550, "5.1.1", "5.1.1", ""},
		{550, "5.1.1000 x", "", "5.1.1000 x"},
		{451, "tab\there \x1b[31m \xff", "", "tab here [31m ?"},
		{0, "", "", ""},
		{550, strings.Repeat("ä", 400), "", strings.Repeat("ä", 150)},
	} {
		enhanced, rest := splitReply(c.code, c.text)
		if enhanced != c.enhanced || rest != c.rest {
			t.Errorf("%q gives %q and %q, want %q and %q", c.text, enhanced, rest, c.enhanced, c.rest)
		}
	}
}
