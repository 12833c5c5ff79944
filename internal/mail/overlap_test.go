package mail_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/smtptest"
)

// stuffed is the content as it goes over the wire.
func stuffed(t *testing.T, message string) []byte {
	t.Helper()
	data, err := mail.Stuff(nil, []byte(message))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Messages in parts, each envelope going out with the dot before it where that is allowed:
// the results, and what arrives, are those of messages sent one by one.
func TestSession_PartsOverlapAndGiveTheSameResults(t *testing.T) {
	t.Parallel()
	recipients := []string{"a@example.net", "refused@example.net", "later@example.net", "b@example.net", "dot@example.net", "c@example.net"}
	want := []newsletter.State{newsletter.Accepted, newsletter.Refused, newsletter.Deferred, newsletter.Accepted, newsletter.Refused, newsletter.Accepted}
	for name, o := range map[string]smtptest.Options{"plain": {}, "pipelining": everything()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Faults = []smtptest.Fault{
				{At: smtptest.AtRcpt, To: "refused@example.net", Action: smtptest.Answer, Reply: "550 5.1.1 no such user"},
				{At: smtptest.AtRcpt, To: "later@example.net", Action: smtptest.Answer, Reply: "451 4.7.1 later"},
				{At: smtptest.AtDot, To: "dot@example.net", Action: smtptest.Answer, Reply: "554 5.6.0 not this"},
			}
			s := serve(t, o)
			session := connect(t, s, mail.Options{})
			envelopes := make([]mail.Envelope, len(recipients))
			for i, to := range recipients {
				envelopes[i] = mail.Envelope{From: from, To: to}
			}
			for i := range recipients {
				got, ok := session.Open(envelopes[i])
				if ok {
					var next *mail.Envelope
					if i+1 < len(envelopes) {
						next = &envelopes[i+1]
					}
					got = session.Finish(stuffed(t, content), next)
				}
				if got.State != want[i] || got.Broken {
					t.Errorf("%s: %s, want %s", recipients[i], got, want[i])
				}
			}
			var arrived []string
			for _, m := range s.Messages() {
				arrived = append(arrived, m.To)
				if string(m.Data) != content {
					t.Errorf("%s got %q", m.To, m.Data)
				}
			}
			if got := strings.Join(arrived, " "); got != "a@example.net b@example.net c@example.net" {
				t.Errorf("it arrived at %s", got)
			}
		})
	}
}

// What was not finished is not delivered, and the connection is closed without a word that
// the relay would take for content.
func TestSession_ClosedWithinTheContentDeliversNothing(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]smtptest.Options{"plain": {}, "pipelining": everything()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, o)
			session := connect(t, s, mail.Options{})
			first, second := mail.Envelope{From: from, To: to}, mail.Envelope{From: from, To: "b@example.net"}
			if o, ok := session.Open(first); !ok {
				t.Fatal(o)
			}
			if o := session.Finish(stuffed(t, content), &second); o.State != newsletter.Accepted {
				t.Fatal(o)
			}
			// The second envelope may be agreed to by now, and its content awaited.
			if err := session.Close(); err != nil {
				t.Fatal(err)
			}
			again := connect(t, s, mail.Options{})
			if o, ok := again.Open(first); !ok {
				t.Fatal(o)
			}
			if err := again.Close(); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			if err := s.WaitIdle(ctx); err != nil {
				t.Fatal(err)
			}
			if n := len(s.Messages()); n != 1 {
				t.Errorf("%d messages arrived", n)
			}
		})
	}
}

// A relay that has spoken, or closed, before the content has not got it: the message is
// deferred with the relay's words, and not in doubt.
func TestFinish_ARelayThatSpokeBeforeTheContentIsNoDoubt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault smtptest.Fault
		code  int
	}{
		{smtptest.Fault{At: smtptest.AtBody, Times: 1, Action: smtptest.Answer, Reply: "421 4.3.2 going down"}, 421},
		{smtptest.Fault{At: smtptest.AtBody, Times: 1, Action: smtptest.HangUp}, 0},
		{smtptest.Fault{At: smtptest.AtBody, Times: 1, Action: smtptest.ResetTCP}, 0},
	} {
		for name, o := range map[string]smtptest.Options{"plain": {}, "TLS": {TLS: smtptest.ImplicitTLS}} {
			o.Faults = []smtptest.Fault{c.fault}
			s := serve(t, o)
			session, err := transport(t, s.URL()+"?tls=opportunistic", mail.Options{}).Connect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if o, ok := session.Open(mail.Envelope{From: from, To: to}); !ok {
				t.Fatal(o)
			}
			// A first line, so that the fault strikes; then it has spoken and gone.
			mail.WriteRaw(session, "X-First: line\r\n")
			if err := s.WaitIdle(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := session.Finish(stuffed(t, content), nil)
			if got.State != newsletter.Deferred || got.Code != c.code || !got.Broken {
				t.Errorf("%s, %v: %s", name, c.fault.Action, got)
			}
			if err := session.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
