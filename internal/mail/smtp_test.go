package mail_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/smtptest"
)

const (
	from    = "news@example.org"
	to      = "jane@example.net"
	content = "Subject: x\r\n\r\n.\r\n..\r\n.dot\r\ntext\r\n.\r\n"
)

// everything is a server with all extensions.
func everything() smtptest.Options {
	return smtptest.Options{Pipelining: true, EightBitMIME: true, SMTPUTF8: true, EnhancedStatusCodes: true, Size: 64 << 20}
}

// serve starts a server; at its end, no client may have broken the protocol or left a
// connection open.
func serve(t *testing.T, o smtptest.Options) *smtptest.Server {
	t.Helper()
	s, err := smtptest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.WaitIdle(ctx); err != nil {
			t.Errorf("a connection was left open: %v", err)
		}
		if got := s.ProtocolErrors(); got != nil {
			t.Errorf("against the protocol: %q", got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// soon are time-outs for a server that stalls.
var soon = mail.Timeouts{
	Connect: 300 * time.Millisecond, Command: 300 * time.Millisecond, Data: 300 * time.Millisecond,
	Block: 300 * time.Millisecond, Dot: 300 * time.Millisecond, Quit: 300 * time.Millisecond,
}

func transport(t *testing.T, url string, o mail.Options) mail.Transport {
	t.Helper()
	tr, err := mail.ParseTransport(url, o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func connect(t *testing.T, s *smtptest.Server, o mail.Options) mail.Session {
	t.Helper()
	session, err := transport(t, s.URL(), o).Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	})
	return session
}

func TestSend_DeliversTheBytes(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]smtptest.Options{"plain": {}, "everything": everything()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, o)
			session := connect(t, s, mail.Options{})
			messages := []string{content, ".", "\r\n", "a\r\n.b", strings.Repeat(strings.Repeat("x", 76)+"\r\n", 20_000), ".\r\n.\r\n"}
			for _, m := range messages {
				got := session.Send(t.Context(), from, to, []byte(m))
				if got.State != newsletter.Accepted || got.Phase != mail.PhaseDot || got.Code != 250 || got.Broken || got.Err != nil {
					t.Fatalf("%.20q: %+v", m, got)
				}
			}
			if got := session.Send(t.Context(), "", to, []byte(content)); got.State != newsletter.Accepted {
				t.Errorf("null sender: %s", got)
			}
			for i, m := range s.Messages()[:len(messages)] {
				want := messages[i]
				if !strings.HasSuffix(want, "\r\n") {
					want += "\r\n"
				}
				if m.From != from || m.To != to || string(m.Data) != want {
					t.Errorf("received %q from %q to %q, want %q", m.Data, m.From, m.To, want)
				}
			}
		})
	}
}

// Each fault, at each place, and the outcome for the message; then the next message.
func TestSend_Faults(t *testing.T) {
	t.Parallel()
	const (
		accepted, refused, deferred = newsletter.Accepted, newsletter.Refused, newsletter.Deferred
		doubt, waiting              = newsletter.InDoubt, newsletter.Waiting
	)
	answer := func(at smtptest.Point, reply string) smtptest.Fault {
		return smtptest.Fault{At: at, Times: 1, Action: smtptest.Answer, Reply: reply}
	}
	do := func(at smtptest.Point, a smtptest.Action) smtptest.Fault {
		return smtptest.Fault{At: at, Times: 1, Action: a}
	}
	for name, c := range map[string]struct {
		fault  smtptest.Fault
		state  newsletter.State
		phase  mail.Phase
		whose  mail.Fault
		broken bool
	}{
		"421 MAIL":   {answer(smtptest.AtMail, "421 4.3.2 closing"), waiting, mail.PhaseMail, mail.FaultConnection, true},
		"451 MAIL":   {answer(smtptest.AtMail, "451 4.3.0 later"), waiting, mail.PhaseMail, mail.FaultConnection, false},
		"550 MAIL":   {answer(smtptest.AtMail, "550 5.7.1 not you"), waiting, mail.PhaseMail, mail.FaultRelay, false},
		"hang MAIL":  {do(smtptest.AtMail, smtptest.HangUp), waiting, mail.PhaseMail, mail.FaultConnection, true},
		"stall MAIL": {do(smtptest.AtMail, smtptest.Stall), waiting, mail.PhaseMail, mail.FaultConnection, true},

		"421 RCPT":   {answer(smtptest.AtRcpt, "421 4.3.2 closing"), deferred, mail.PhaseRcpt, mail.FaultConnection, true},
		"451 RCPT":   {answer(smtptest.AtRcpt, "451 4.7.1 greylisted"), deferred, mail.PhaseRcpt, mail.FaultMessage, false},
		"550 RCPT":   {answer(smtptest.AtRcpt, "550 5.1.1 unknown"), refused, mail.PhaseRcpt, mail.FaultMessage, false},
		"hang RCPT":  {do(smtptest.AtRcpt, smtptest.HangUp), deferred, mail.PhaseRcpt, mail.FaultConnection, true},
		"reset RCPT": {do(smtptest.AtRcpt, smtptest.ResetTCP), deferred, mail.PhaseRcpt, mail.FaultConnection, true},
		"stall RCPT": {do(smtptest.AtRcpt, smtptest.Stall), deferred, mail.PhaseRcpt, mail.FaultConnection, true},
		"odd RCPT":   {answer(smtptest.AtRcpt, "354 what?"), deferred, mail.PhaseRcpt, mail.FaultConnection, true},

		"421 DATA":   {answer(smtptest.AtData, "421 4.3.2 closing"), deferred, mail.PhaseData, mail.FaultConnection, true},
		"451 DATA":   {answer(smtptest.AtData, "451 4.3.0 later"), deferred, mail.PhaseData, mail.FaultMessage, false},
		"554 DATA":   {answer(smtptest.AtData, "554 5.7.1 no"), refused, mail.PhaseData, mail.FaultMessage, false},
		"554 none":   {answer(smtptest.AtData, "554 no valid recipients"), refused, mail.PhaseData, mail.FaultMessage, false},
		"hang DATA":  {do(smtptest.AtData, smtptest.HangUp), deferred, mail.PhaseData, mail.FaultConnection, true},
		"stall DATA": {do(smtptest.AtData, smtptest.Stall), deferred, mail.PhaseData, mail.FaultConnection, true},

		"451 dot":     {answer(smtptest.AtDot, "451 4.3.0 later"), deferred, mail.PhaseDot, mail.FaultMessage, false},
		"421 dot":     {answer(smtptest.AtDot, "421 4.3.2 closing"), deferred, mail.PhaseDot, mail.FaultConnection, true},
		"552 dot":     {answer(smtptest.AtDot, "552 5.3.4 too big"), refused, mail.PhaseDot, mail.FaultMessage, false},
		"garbage dot": {answer(smtptest.AtDot, "banana"), doubt, mail.PhaseDot, mail.FaultConnection, true},
		"hang dot":    {do(smtptest.AtDot, smtptest.HangUp), doubt, mail.PhaseDot, mail.FaultConnection, true},
		"reset dot":   {do(smtptest.AtDot, smtptest.ResetTCP), doubt, mail.PhaseDot, mail.FaultConnection, true},
		"stall dot":   {do(smtptest.AtDot, smtptest.Stall), doubt, mail.PhaseDot, mail.FaultConnection, true},
		"count dot": {
			smtptest.Fault{At: smtptest.AtDot, Times: 1, Action: smtptest.HangUp, Count: true},
			doubt, mail.PhaseDot, mail.FaultConnection, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := everything()
			o.Faults = []smtptest.Fault{c.fault}
			s := serve(t, o)
			timeouts := soon
			if c.fault.Action != smtptest.Stall {
				timeouts = mail.Timeouts{}
			}
			session := connect(t, s, mail.Options{Timeouts: timeouts})
			got := session.Send(t.Context(), from, to, []byte(content))
			if got.State != c.state || got.Phase != c.phase || got.Fault != c.whose || got.Broken != c.broken {
				t.Errorf("%s, fault %s, broken %v", got, got.Fault, got.Broken)
			}
			if code, _, _ := strings.Cut(c.fault.Reply, " "); c.whose == mail.FaultMessage && got.Reply == "" || !c.broken && code[0] != byte('0'+got.Code/100) {
				t.Errorf("code %d, reply %q", got.Code, got.Reply)
			}
			next := session.Send(t.Context(), from, to, []byte(content))
			if !c.broken && next.State != accepted {
				t.Errorf("the next message: %s", next)
			}
			if c.broken && (next.State != waiting || !next.Broken || next.Fault != mail.FaultConnection) {
				t.Errorf("the next message on a broken connection: %s", next)
			}
		})
	}
}

func TestSend_HangUpInTheContent_IsDeferredBeforeTheDotAndInDoubtAfter(t *testing.T) {
	t.Parallel()
	for _, action := range []smtptest.Action{smtptest.HangUp, smtptest.ResetTCP, smtptest.Stall} {
		o := everything()
		o.Faults = []smtptest.Fault{{At: smtptest.AtBody, Action: action}}
		s := serve(t, o)
		// More than the system buffers: the writing fails before the dot.
		large := bytes.Repeat([]byte(strings.Repeat("x", 76)+"\r\n"), 200_000)
		got := connect(t, s, mail.Options{Timeouts: soon}).Send(t.Context(), from, to, large)
		if got.State != newsletter.Deferred || got.Phase != mail.PhaseData || !got.Broken || got.Fault != mail.FaultConnection {
			t.Errorf("a large message: %s", got)
		}
		s.Release() // what is stalled with content to read does not notice that we are gone
		// A small one fits: whether the dot left is not known.
		got = connect(t, s, mail.Options{Timeouts: soon}).Send(t.Context(), from, to, []byte(content))
		if got.State != newsletter.InDoubt && got.State != newsletter.Deferred || !got.Broken {
			t.Errorf("a small message: %s", got)
		}
		s.Release()
		if n := len(s.Messages()); n != 0 {
			t.Errorf("%d messages were received", n)
		}
	}
}

func TestSend_421InTheContent_SaysWhy(t *testing.T) {
	t.Parallel()
	o := everything()
	o.Faults = []smtptest.Fault{{At: smtptest.AtBody, Action: smtptest.Answer, Reply: "421 4.3.2 shutting down"}}
	s := serve(t, o)
	got := connect(t, s, mail.Options{}).Send(t.Context(), from, to, []byte(content))
	if got.State != newsletter.Deferred && got.State != newsletter.InDoubt || !got.Broken {
		t.Errorf("%s", got)
	}
}

func TestSend_RefusesUnsentWhatCannotBeSent(t *testing.T) {
	t.Parallel()
	s := serve(t, smtptest.Options{Size: 1000})
	session := connect(t, s, mail.Options{})
	for name, c := range map[string]struct{ from, to, content, enhanced string }{
		"SMTPUTF8":       {from, "jürgen@example.net", content, "5.6.7"},
		"size":           {from, to, strings.Repeat("x", 1001), "5.3.4"},
		"recipient":      {from, "a@b>\r\nRSET", content, "5.1.3"},
		"no recipient":   {from, "", content, "5.1.3"},
		"sender":         {"a@b> X=Y", to, content, "5.1.7"},
		"bare LF":        {from, to, "a\n.\r\nb", "5.6.0"},
		"bare CR":        {from, to, "a\r.\r\nb", "5.6.0"},
		"CR LF mixed up": {from, to, "a\n\rb", "5.6.0"},
	} {
		got := session.Send(t.Context(), c.from, c.to, []byte(c.content))
		state, fault := newsletter.Refused, mail.FaultMessage
		if name == "size" || name == "sender" { // no reader's fault: this relay takes no message like it
			state, fault = newsletter.Waiting, mail.FaultRelay
		}
		if got.State != state || got.Fault != fault || got.Enhanced != c.enhanced || got.Broken || got.Err == nil {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := session.Send(t.Context(), from, to, []byte(content)); got.State != newsletter.Accepted {
		t.Errorf("the next message: %s", got)
	}
}

func TestSend_SMTPUTF8_OnlyWhereNeeded(t *testing.T) {
	t.Parallel()
	s := serve(t, everything()) // it would record 8 bits without SMTPUTF8
	session := connect(t, s, mail.Options{})
	for _, to := range []string{"jürgen@example.net", "jane@example.net"} {
		if got := session.Send(t.Context(), from, to, []byte(content)); got.State != newsletter.Accepted {
			t.Errorf("%s: %s", to, got)
		}
	}
	if got := s.Messages()[0].To; got != "jürgen@example.net" {
		t.Errorf("received for %q", got)
	}
}

func TestSend_CancelledContext_FinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	for _, at := range []smtptest.Point{smtptest.AtMail, smtptest.AtData, smtptest.AtDot} {
		o := everything()
		o.Faults = []smtptest.Fault{{At: at, Times: 1, Action: smtptest.Stall}}
		s := serve(t, o)
		session := connect(t, s, mail.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan mail.Outcome, 1)
		go func() { done <- session.Send(ctx, from, to, []byte(content)) }()
		if err := s.WaitStalled(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		cancel()
		s.Release()
		if got := <-done; got.State != newsletter.Accepted {
			t.Errorf("%s: %s", at, got)
		}
		got := session.Send(ctx, from, to, []byte(content))
		if got.State != newsletter.Waiting || got.Broken || got.Fault != mail.FaultNone || !errors.Is(got.Err, context.Canceled) {
			t.Errorf("after cancelling: %s", got)
		}
	}
}

func TestConnect_TLSAndAuth(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server smtptest.Options
		query  string
		phase  mail.Phase // "": it connects
		whose  mail.Fault
	}{
		"STARTTLS":              {server: smtptest.Options{TLS: smtptest.StartTLS}, query: "?tls=required"},
		"implicit":              {server: smtptest.Options{TLS: smtptest.ImplicitTLS}},
		"opportunistic":         {server: smtptest.Options{TLS: smtptest.StartTLS, Expired: true}},
		"opportunistic without": {server: smtptest.Options{}},
		"none":                  {server: smtptest.Options{TLS: smtptest.StartTLS}, query: "?tls=none"},
		"required, not offered": {smtptest.Options{}, "?tls=required", mail.PhaseTLS, mail.FaultRelay},
		"expired":               {smtptest.Options{TLS: smtptest.StartTLS, Expired: true}, "?tls=required", mail.PhaseTLS, mail.FaultRelay},
		"expired implicit":      {smtptest.Options{TLS: smtptest.ImplicitTLS, Expired: true}, "", mail.PhaseTLS, mail.FaultRelay},
		"PLAIN":                 {server: smtptest.Options{TLS: smtptest.StartTLS, User: "u", Password: "p/ä:@"}, query: "?tls=required"},
		"PLAIN in the clear":    {server: smtptest.Options{User: "u", Password: "p", Mechanisms: []string{"PLAIN"}}},
		"LOGIN":                 {server: smtptest.Options{User: "u", Password: "p", Mechanisms: []string{"LOGIN"}}},
		"CRAM-MD5":              {server: smtptest.Options{User: "u", Password: "p", Mechanisms: []string{"CRAM-MD5"}}},
		"unknown mechanism":     {smtptest.Options{User: "u", Password: "p", Mechanisms: []string{"X-OWN"}}, "", mail.PhaseAuth, mail.FaultRelay},
		"454 at AUTH": {
			smtptest.Options{User: "u", Password: "p", Faults: []smtptest.Fault{{At: smtptest.AtAuth, Reply: "454 4.7.0 later"}}},
			"", mail.PhaseAuth, mail.FaultConnection,
		},
		"535 at AUTH": {
			smtptest.Options{User: "u", Password: "p", Faults: []smtptest.Fault{{At: smtptest.AtAuth, Reply: "535 5.7.8 wrong"}}},
			"", mail.PhaseAuth, mail.FaultRelay,
		},
		"454 at STARTTLS": {
			smtptest.Options{TLS: smtptest.StartTLS, Faults: []smtptest.Fault{{At: smtptest.AtStartTLS, Reply: "454 4.7.0 later"}}},
			"", mail.PhaseTLS, mail.FaultConnection,
		},
		"554 at STARTTLS": {
			smtptest.Options{TLS: smtptest.StartTLS, Faults: []smtptest.Fault{{At: smtptest.AtStartTLS, Reply: "554 5.7.0 never"}}},
			"", mail.PhaseTLS, mail.FaultRelay,
		},
		"421 at connect": {
			smtptest.Options{Faults: []smtptest.Fault{{At: smtptest.AtConnect, Reply: "421 4.3.2 too many"}}},
			"", mail.PhaseConnect, mail.FaultConnection,
		},
		"554 at connect": {
			smtptest.Options{Faults: []smtptest.Fault{{At: smtptest.AtConnect, Reply: "554 go away"}}},
			"", mail.PhaseConnect, mail.FaultConnection,
		},
		"421 at EHLO": {
			smtptest.Options{Faults: []smtptest.Fault{{At: smtptest.AtEhlo, Reply: "421 4.3.2 closing"}}},
			"", mail.PhaseHelo, mail.FaultConnection,
		},
		"hang-up at EHLO": {
			smtptest.Options{Faults: []smtptest.Fault{{At: smtptest.AtEhlo, Action: smtptest.HangUp}}},
			"", mail.PhaseHelo, mail.FaultConnection,
		},
		"hang-up at AUTH": {
			smtptest.Options{User: "u", Password: "p", Faults: []smtptest.Fault{{At: smtptest.AtAuth, Action: smtptest.HangUp}}},
			"", mail.PhaseAuth, mail.FaultConnection,
		},
		"hang-up at STARTTLS": {
			smtptest.Options{TLS: smtptest.StartTLS, Faults: []smtptest.Fault{{At: smtptest.AtStartTLS, Action: smtptest.HangUp}}},
			"", mail.PhaseTLS, mail.FaultConnection,
		},
		"EHLO unknown": {server: smtptest.Options{Faults: []smtptest.Fault{{At: smtptest.AtEhlo, Times: 1, Reply: "502 5.5.1 what?"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, c.server)
			session, err := transport(t, s.URL()+c.query, mail.Options{RootCAs: s.CertPool()}).Connect(t.Context())
			if c.phase == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got := session.Send(t.Context(), from, to, []byte(content)); got.State != newsletter.Accepted {
					t.Errorf("%s", got)
				}
				if err := errors.Join(session.Close(), session.Close()); err != nil {
					t.Error(err)
				}
				return
			}
			ce, ok := errors.AsType[*mail.ConnectError](err)
			if !ok || ce.Outcome.Phase != c.phase || ce.Outcome.Fault != c.whose || ce.Outcome.State != newsletter.Waiting || !ce.Outcome.Broken {
				t.Errorf("%v: %+v", err, ce)
			}
			if p := c.server.Password; ok && p != "" && strings.Contains(ce.Error(), ":"+p+"@") {
				t.Errorf("the error tells the password: %v", ce)
			}
		})
	}
}

func TestConnect_WrongPassword(t *testing.T) {
	t.Parallel()
	s := serve(t, smtptest.Options{User: "u", Password: "p", EnhancedStatusCodes: true})
	_, err := transport(t, strings.Replace(s.URL(), ":p@", ":wrong@", 1), mail.Options{}).Connect(t.Context())
	ce, ok := errors.AsType[*mail.ConnectError](err)
	if !ok || ce.Outcome.Code != 535 || ce.Outcome.Enhanced != "5.7.8" || ce.Outcome.Fault != mail.FaultRelay || !strings.Contains(err.Error(), "auth: 535 5.7.8 wrong user or password") {
		t.Errorf("%v", err)
	}
}

func TestConnect_NobodyThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = transport(t, "smtp://"+addr, mail.Options{}).Connect(t.Context())
	ce, ok := errors.AsType[*mail.ConnectError](err)
	if !ok || ce.Outcome.Phase != mail.PhaseConnect || ce.Outcome.Fault != mail.FaultConnection || ce.Outcome.Err == nil {
		t.Errorf("%v", err)
	}
}

func TestConnect_EndsWhenCancelledOrStalled(t *testing.T) {
	t.Parallel()
	for _, at := range []smtptest.Point{smtptest.AtConnect, smtptest.AtEhlo, smtptest.AtStartTLS, smtptest.AtAuth} {
		o := smtptest.Options{TLS: smtptest.StartTLS, User: "u", Password: "p", Faults: []smtptest.Fault{{At: at, Action: smtptest.Stall}}}
		s := serve(t, o)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := transport(t, s.URL(), mail.Options{RootCAs: s.CertPool()}).Connect(ctx)
			done <- err
		}()
		if err := s.WaitStalled(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		cancel()
		err := <-done
		if ce, ok := errors.AsType[*mail.ConnectError](err); !ok || !errors.Is(err, context.Canceled) || ce.Outcome.Fault != mail.FaultNone {
			t.Errorf("%s, cancelled: %v", at, err)
		}
		_, err = transport(t, s.URL(), mail.Options{RootCAs: s.CertPool(), Timeouts: soon}).Connect(t.Context())
		if e, ok := errors.AsType[net.Error](err); !ok || !e.Timeout() {
			t.Errorf("%s, stalled: %v", at, err)
		}
	}
}

func BenchmarkSend(b *testing.B) {
	// A sink that only answers, so that the client is measured.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go sink(l)
	tr, err := mail.ParseTransport("smtp://"+l.Addr().String(), mail.Options{})
	if err != nil {
		b.Fatal(err)
	}
	session, err := tr.Connect(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer session.Close()
	message := bytes.Repeat([]byte(strings.Repeat("x", 76)+"\r\n"), 22_000/78)
	b.ReportAllocs()
	for b.Loop() {
		if got := session.Send(b.Context(), from, to, message); got.State != newsletter.Accepted {
			b.Fatal(got)
		}
	}
}

// sink answers what a client of one message at a time needs.
func sink(l net.Listener) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	buf := make([]byte, 64<<10)
	_, _ = io.WriteString(c, "220 sink\r\n")
	for inContent := false; ; {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		switch {
		case inContent && bytes.HasSuffix(buf[:n], []byte(".\r\n")):
			inContent = false
			_, _ = io.WriteString(c, "250 taken\r\n")
		case inContent:
		case bytes.Equal(buf[:n], []byte("DATA\r\n")):
			inContent = true
			_, _ = io.WriteString(c, "354 go\r\n")
		default:
			_, _ = io.WriteString(c, "250 ok\r\n")
		}
	}
}
