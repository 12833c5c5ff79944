package delivery_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

// What operators are told, by kind.
const (
	toldDown  = `^a relay takes no mail;`
	toldFewer = `^a relay takes no more connections;`
	toldCut   = `^a connection ended within a message;`
	toldDoubt = `^a relay did not answer to a whole message:`
)

// fault is a line of the matrix: what goes wrong, and what comes of it.
type fault struct {
	name      string
	relay     smtptest.Options
	faults    []smtptest.Fault
	times     mail.Timeouts // the longest times to wait; zero: the usual ones
	meanwhile func(context.Context, *testing.T, *newsroomtest.Newsroom)
	mend      func(*newsroomtest.Newsroom) // once the edition is paused; nil: that cannot be mended
	ends      string                       // how the first try ends; empty: well
	told      []string                     // the kinds of lines in the log
	refused   int
	doubted   int // -1: it depends
	stuck     bool
}

// once makes a fault for each of the readers from … to, the first time only.
func once(f smtptest.Fault, from, to int) []smtptest.Fault {
	var list []smtptest.Fault
	f.Times = 1
	for i := from; i <= to; i++ {
		f.To = fmt.Sprintf("r%d@example.org", i)
		list = append(list, f)
	}
	return list
}

// short is how long a phase may last that hangs: others must not hit it on a busy machine.
const short = time.Second

func wellAgain(r *newsroomtest.Newsroom) { r.SMTP.SetFaults() }

// matrix returns every fault of the matrix. Whole lines are told where something is wrong
// with a relay or a connection; what is wrong with one reader is in the ledger.
func matrix() []fault {
	return append(connectFaults(), messageFaults()...)
}

// waits is how a try ends that leaves deliveries for a later one.
const waits = `is not finished: \d+ deliveries wait, the next try is at `

// messageFaults are those within a message.
func messageFaults() []fault {
	return []fault{
		{name: "451 once", ends: waits, faults: append(
			once(smtptest.Fault{At: smtptest.AtRcpt, Reply: "451 4.7.1 come back later"}, 1, 6),
			append(once(smtptest.Fault{At: smtptest.AtData, Reply: "451 4.3.0 later"}, 7, 9), once(smtptest.Fault{At: smtptest.AtDot, Reply: "452 4.3.1 full"}, 10, 12)...)...)},
		{name: "550", refused: 9, faults: append(
			once(smtptest.Fault{At: smtptest.AtRcpt, Reply: "550 5.1.1 no such user"}, 11, 15),
			once(smtptest.Fault{At: smtptest.AtDot, Reply: "554 5.7.1 not like this"}, 21, 24)...)},
		{name: "refused recipient, content asked for all the same", relay: smtptest.Options{DataAnyway: true}, refused: 6,
			faults: once(smtptest.Fault{At: smtptest.AtRcpt, Reply: "550 5.1.1 no such user"}, 11, 16)},
		{name: "421 at RCPT", ends: waits, told: []string{toldCut}, faults: once(smtptest.Fault{At: smtptest.AtRcpt, Reply: "421 4.3.2 closing"}, 11, 13)},
		{name: "421 after three messages of a connection", relay: smtptest.Options{MaxMessages: 3}},
		{name: "5xx at MAIL", ends: `is paused: it answered 550.* sender not allowed .*to mail; once that is mended`, mend: wellAgain,
			faults: []smtptest.Fault{{At: smtptest.AtMail, Skip: 8, Reply: "550 5.7.1 sender not allowed here"}}},
		{name: "421 within the content", ends: waits, told: []string{toldCut, toldDoubt}, doubted: -1,
			faults: once(smtptest.Fault{At: smtptest.AtBody, Octets: 2000, Reply: "421 4.3.2 closing"}, 5, 10)},
		{name: "421 and TCP reset within the content", ends: waits, told: []string{toldCut, toldDoubt}, doubted: -1,
			faults: once(smtptest.Fault{At: smtptest.AtBody, Octets: 2000, Action: smtptest.AnswerAndReset, Reply: "421 4.3.2 closing"}, 5, 10)},
		{name: "TCP reset within the content", ends: waits, told: []string{toldCut, toldDoubt}, doubted: -1,
			faults: once(smtptest.Fault{At: smtptest.AtBody, Octets: 4000, Action: smtptest.ResetTCP}, 5, 10)},
		{name: "421 to the final dot", ends: waits, told: []string{toldCut}, faults: once(smtptest.Fault{At: smtptest.AtDot, Reply: "421 4.3.2 closing"}, 5, 8)},
		{name: "closed after the final dot", ends: waits, told: []string{toldDoubt}, doubted: 6,
			faults: once(smtptest.Fault{At: smtptest.AtDot, Action: smtptest.HangUp, Count: true}, 5, 10)},
		{name: "reset after the final dot, not taken", ends: waits, told: []string{toldDoubt}, doubted: 6,
			faults: once(smtptest.Fault{At: smtptest.AtDot, Action: smtptest.ResetTCP}, 5, 10)},
		{name: "hang at MAIL", times: mail.Timeouts{Command: short}, told: []string{toldCut}, doubted: -1,
			faults: []smtptest.Fault{{At: smtptest.AtMail, Skip: 9, Times: 3, Action: smtptest.Stall}}},
		{name: "hang at RCPT", times: mail.Timeouts{Command: short}, ends: waits, told: []string{toldCut}, doubted: -1, faults: once(smtptest.Fault{At: smtptest.AtRcpt, Action: smtptest.Stall}, 5, 7)},
		{name: "hang at DATA", times: mail.Timeouts{Data: short}, ends: waits, told: []string{toldCut}, doubted: -1, faults: once(smtptest.Fault{At: smtptest.AtData, Action: smtptest.Stall}, 5, 7)},
		{name: "hang within the content", times: mail.Timeouts{Dot: short}, ends: waits, told: []string{toldDoubt}, doubted: -1, faults: once(smtptest.Fault{At: smtptest.AtBody, Octets: 1000, Action: smtptest.Stall}, 5, 7)},
		{name: "hang at the final dot, taken", times: mail.Timeouts{Dot: short}, ends: waits, told: []string{toldDoubt}, doubted: -1,
			faults: once(smtptest.Fault{At: smtptest.AtDot, Action: smtptest.Stall, Count: true}, 5, 7)},
		{name: "hang at the final dot, not taken", times: mail.Timeouts{Dot: short}, ends: waits, told: []string{toldDoubt}, doubted: -1,
			faults: once(smtptest.Fault{At: smtptest.AtDot, Action: smtptest.Stall}, 5, 7)},
		{name: "all at once", times: mail.Timeouts{Dot: short}, relay: smtptest.Options{MaxConnections: 4, MaxMessages: 7, Delay: time.Millisecond}, ends: ".*", doubted: -1, refused: -1,
			told: []string{`no mail;.*too busy`, `no mail;.*too many connections`, `no more connections.*too many connections`, `no mail;.*closing to mail`, `no more connections.*closing to mail`, `no more connections;.*too busy`, toldCut, toldDoubt}, faults: mixed(1)},
	}
}

// connectFaults are those that no message has a part in.
func connectFaults() []fault {
	return []fault{
		{name: "421 at connect", told: []string{toldDown}, faults: []smtptest.Fault{{At: smtptest.AtConnect, Times: 3, Reply: "421 4.3.2 too busy"}}},
		{name: "hang up at connect", told: []string{toldDown}, faults: []smtptest.Fault{{At: smtptest.AtConnect, Times: 3, Action: smtptest.HangUp}}},
		{name: "hang at connect", times: mail.Timeouts{Command: short}, told: []string{toldDown}, faults: []smtptest.Fault{{At: smtptest.AtConnect, Times: 3, Action: smtptest.Stall}}},
		{name: "hang at EHLO", times: mail.Timeouts{Command: short}, told: []string{toldDown}, faults: []smtptest.Fault{{At: smtptest.AtEhlo, Times: 3, Action: smtptest.Stall}}},
		{name: "too many connections", relay: smtptest.Options{MaxConnections: 2, Delay: 5 * time.Millisecond}, told: []string{toldDown, toldFewer}},
		{name: "slow relay", relay: smtptest.Options{Delay: 5 * time.Millisecond}},
		{name: "relay down for a while", ends: waits, doubted: 5, told: []string{toldDown, toldFewer, toldDoubt}, meanwhile: downForAWhile,
			faults: []smtptest.Fault{{At: smtptest.AtDot, Skip: 10, Times: 5, Action: smtptest.Stall, Count: true}}},
		{name: "expired certificate", relay: smtptest.Options{TLS: smtptest.ImplicitTLS, Expired: true}, stuck: true,
			ends: `is paused: connect to smtps://.*: tls: .*certificate has expired.*; once that is mended`},
		{name: "wrong password", relay: smtptest.Options{User: "u", Password: "p"}, mend: wellAgain,
			faults: []smtptest.Fault{{At: smtptest.AtAuth, Reply: "535 5.7.8 wrong user or password"}},
			ends:   `is paused: connect to smtp://u@.*: auth: 535 5.7.8 wrong user or password; once that is mended`},
	}
}

// downForAWhile ends every connection while all of them wait for an answer to a whole message,
// and refuses new ones until the operator was told of it.
func downForAWhile(ctx context.Context, t *testing.T, r *newsroomtest.Newsroom) {
	if err := r.SMTP.WaitStalled(ctx, 5); err != nil {
		t.Error(err)
	}
	if err := r.SMTP.Down(); err != nil {
		t.Error(err)
	}
	newsroomtest.Until(ctx, t, "the operator is told", func() bool {
		return slices.ContainsFunc(r.Log.Told(), regexp.MustCompile(toldDown).MatchString)
	})
	if err := r.SMTP.Up(); err != nil {
		t.Error(err)
	}
}

// mixed gives every other reader a fault of some kind, the same for the same seed.
func mixed(seed uint64) []smtptest.Fault {
	random := rand.New(rand.NewPCG(seed, 0))
	kinds := []smtptest.Fault{
		{At: smtptest.AtRcpt, Reply: "451 4.7.1 later"},
		{At: smtptest.AtRcpt, Reply: "550 5.1.1 no such user"},
		{At: smtptest.AtRcpt, Reply: "421 4.3.2 closing"},
		{At: smtptest.AtData, Reply: "451 4.3.0 later"},
		{At: smtptest.AtData, Action: smtptest.HangUp},
		{At: smtptest.AtBody, Octets: 500, Reply: "421 4.3.2 closing"},
		{At: smtptest.AtBody, Octets: 3000, Action: smtptest.ResetTCP},
		{At: smtptest.AtDot, Reply: "554 5.7.1 no"},
		{At: smtptest.AtDot, Reply: "452 4.3.1 full"},
		{At: smtptest.AtDot, Action: smtptest.HangUp, Count: true},
		{At: smtptest.AtDot, Action: smtptest.ResetTCP},
		{At: smtptest.AtDot, Action: smtptest.Stall, Count: true},
	}
	faults := []smtptest.Fault{{At: smtptest.AtConnect, Times: 2, Reply: "421 4.3.2 too busy"}, {At: smtptest.AtMail, Skip: 5, Times: 3, Reply: "421 4.3.2 closing"}}
	for i := 1; i <= faultReaders; i += 2 {
		faults = append(faults, once(kinds[random.IntN(len(kinds))], i, i)...)
	}
	return faults
}

// faultReaders is how many readers a fault has.
const faultReaders = 48

// After every fault, with pipelining and without: the ledger balances, ledger and relay agree
// reader by reader, nobody is lost, and the operator is told in one line for each kind.
func TestFaults_LedgerAndRelayAgreeAndNobodyIsLost(t *testing.T) {
	t.Parallel()
	for _, f := range matrix() {
		for _, dialogue := range []string{"pipelined", "plain"} {
			t.Run(f.name+", "+dialogue, func(t *testing.T) {
				t.Parallel()
				f.run(t, dialogue == "pipelined")
			})
		}
	}
}

func (f fault) run(t *testing.T, pipelined bool) {
	f.relay.Pipelining, f.relay.EnhancedStatusCodes = pipelined, pipelined
	o := newsroomtest.Options{Connections: 5, SMTP: f.relay, Timeouts: f.times}
	r, _, readers := newsroom(t, o, faultReaders)
	r.SMTP.SetFaults(f.faults...)
	e := r.Begin("daily-news")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if f.stuck {
		f.checkFirst(t, r.Desk.Carry(ctx, e.ID, time.Second, nil))
		toldOnce(t, r.Log.Told())
		tally := agree(t, r, e.ID, r.SMTP)
		want(t, tally, fmt.Sprintf("planned %d accepted 0 refused 0 expired 0 in_doubt 0 withheld 0 waiting %[1]d", faultReaders))
		leftNothing(ctx, t, r.SMTP)
		return
	}
	beside := make(chan struct{})
	go func() {
		defer close(beside)
		if f.meanwhile != nil {
			f.meanwhile(ctx, t, r)
		}
	}()
	var mend func()
	if f.mend != nil {
		mend = func() { f.mend(r) }
	}
	first := carryOn(ctx, t, r, e.ID, mend)
	<-beside
	f.checkFirst(t, first)
	toldOnce(t, r.Log.Told(), f.told...)
	tally := agree(t, r, e.ID, r.SMTP)
	refused := f.refused
	if refused < 0 {
		refused = tally.Counts[newsletter.Refused]
	}
	want(t, tally, fmt.Sprintf("planned %d accepted %d refused %d expired 0 in_doubt 0 withheld 0 waiting 0", faultReaders, faultReaders-refused, refused))
	if f.doubted >= 0 && tally.Doubted != f.doubted {
		t.Errorf("%d on record as doubted, want %d", tally.Doubted, f.doubted)
	}
	if got := len(r.Received()); got != faultReaders-refused {
		t.Errorf("%d of %d readers got it", got, len(readers)-refused)
	}
	leftNothing(ctx, t, r.SMTP)
}

func (f fault) checkFirst(t *testing.T, err error) {
	t.Helper()
	text := ""
	if err != nil {
		text = err.Error()
	}
	if (f.ends == "") != (err == nil) && f.ends != ".*" || !regexp.MustCompile(f.ends).MatchString(text) {
		t.Errorf("the first try ends with %q, want %s", text, f.ends)
	}
}
