package smtptest_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/smtp"
	"strings"
	"syscall"
	"testing"
	"time"

	"broadsheet/internal/smtptest"
)

func start(t *testing.T, o smtptest.Options) *smtptest.Server {
	t.Helper()
	s, err := smtptest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// line is a client that says what it is told and reads one reply for each step.
type line struct {
	net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, s *smtptest.Server) *line {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &line{c, bufio.NewReader(c)}
}

// read returns the last line of the next reply.
func (l *line) read() (string, error) {
	for {
		s, err := l.r.ReadString('\n')
		if err != nil || len(s) > 3 && s[3] != '-' {
			return strings.TrimRight(s, "\r\n"), err
		}
	}
}

// say sends the text as it is and expects replies that begin so.
func (l *line) say(t *testing.T, text string, want ...string) {
	t.Helper()
	if _, err := io.WriteString(l, text); err != nil {
		t.Fatal(err)
	}
	for _, w := range want {
		if got, err := l.read(); err != nil || !strings.HasPrefix(got, w) {
			t.Fatalf("after %q: %q, %v, want %s", text, got, err, w)
		}
	}
}

func TestServer_TakesMail(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{EightBitMIME: true, Size: 1000, EnhancedStatusCodes: true})
	if err := smtp.SendMail(s.Addr(), nil, "a@example.org", []string{"b@example.org", "c@example.org"}, []byte("Subject: x\r\n\r\n.dot\r\nend")); err != nil {
		t.Fatal(err)
	}
	if err := s.WaitFor(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	for i, m := range s.Messages() {
		if m.From != "a@example.org" || m.To != []string{"b@example.org", "c@example.org"}[i] || string(m.Data) != "Subject: x\r\n\r\n.dot\r\nend\r\n" || m.Conn != 1 || m.At.IsZero() {
			t.Errorf("received %+v", m)
		}
	}
	if err := s.WaitIdle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if open, total := s.Connections(); open != 0 || total != 1 || s.ProtocolErrors() != nil {
		t.Errorf("%d open of %d, errors %q", open, total, s.ProtocolErrors())
	}
}

func TestServer_FindsWhatIsAgainstTheProtocol(t *testing.T) {
	t.Parallel()
	const hello, mail, rcpt = "EHLO me\r\n", "MAIL FROM:<a@b>\r\n", "RCPT TO:<c@d>\r\n"
	type step struct{ say, reply string }
	ready := []step{{hello, "250"}, {mail, "250"}, {rcpt, "250"}, {"DATA\r\n", "354"}}
	for name, c := range map[string]struct {
		steps []step
		says  string
	}{
		"MAIL first":      {[]step{{mail, "503"}}, "before EHLO"},
		"RCPT first":      {[]step{{hello, "250"}, {rcpt, "503"}}, "RCPT without MAIL"},
		"DATA first":      {[]step{{hello, "250"}, {mail, "250"}, {"DATA\r\n", "503"}}, "DATA without"},
		"MAIL twice":      {[]step{{hello, "250"}, {mail, "250"}, {mail, "503"}}, "within a transaction"},
		"no name":         {[]step{{"EHLO\r\n", "250"}}, "without a name"},
		"space":           {[]step{{hello, "250"}, {"MAIL FROM: <a@b>\r\n", "501"}}, "MAIL FROM: <a@b>"},
		"no brackets":     {[]step{{hello, "250"}, {"MAIL FROM:a@b\r\n", "501"}}, "MAIL FROM:a@b"},
		"parameter":       {[]step{{hello, "250"}, {"MAIL FROM:<a@b> SMTPUTF8\r\n", "555"}}, "not offered"},
		"8-bit address":   {[]step{{hello, "250"}, {"MAIL FROM:<ü@b>\r\n", "250"}}, "without SMTPUTF8"},
		"unknown":         {[]step{{"FROBNICATE\r\n", "500"}}, "unknown command"},
		"bare LF":         {[]step{{"EHLO me\n", "250"}}, "bare LF"},
		"long command":    {[]step{{"NOOP " + strings.Repeat("x", 600) + "\r\n", "250"}}, "a command of"},
		"pipeline":        {[]step{{hello, "250"}, {mail + rcpt, "250"}}, "without waiting"},
		"STARTTLS":        {[]step{{hello, "250"}, {"STARTTLS\r\n", "503"}}, "not offered"},
		"AUTH":            {[]step{{hello, "250"}, {"AUTH PLAIN\r\n", "503"}}, "not offered"},
		"content LF":      {append(ready, step{"a\nb\r\n.\r\n", "250"}), "bare LF in the content"},
		"content CR":      {append(ready, step{"a\rb\r\n.\r\n", "250"}), "bare CR in the content"},
		"content long":    {append(ready, step{strings.Repeat("a", 999) + "\r\n.\r\n", "250"}), "a line of 1001"},
		"content 8 bits":  {append(ready, step{"ü\r\n.\r\n", "250"}), "8 bits"},
		"content stuffed": {append(ready, step{".a\r\n.\r\n", "250"}), "one dot"},
		"content early":   {[]step{{hello, "250"}, {mail, "250"}, {rcpt, "250"}, {"DATA\r\na\r\n.\r\n", "354"}}, "after DATA"},
		"after the dot":   {append(ready, step{"a\r\n.\r\nRSET\r\n", "250"}), "after ."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, smtptest.Options{})
			l := dial(t, s)
			l.say(t, "", "220")
			for _, step := range c.steps {
				l.say(t, step.say, step.reply)
			}
			if got := s.ProtocolErrors(); len(got) == 0 || !strings.Contains(got[0], c.says) {
				t.Errorf("recorded %q, want %q", got, c.says)
			}
		})
	}
}

func TestServer_AllowsPipelinesWhereOffered(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{Pipelining: true, Faults: []smtptest.Fault{{At: smtptest.AtMail, Skip: 2, Action: smtptest.Answer, Reply: "451 later"}}})
	l := dial(t, s)
	const group = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
	l.say(t, "", "220")
	l.say(t, "EHLO me\r\n", "250")
	l.say(t, group, "250", "250", "354")
	l.say(t, "x\r\n.\r\n"+group, "250", "250", "250", "354")
	l.say(t, "y\r\n.\r\n"+group, "250", "451", "503", "554")
	l.say(t, "RSET\r\nNOOP\r\n", "250", "250")
	l.say(t, "QUIT\r\n", "221")
	if got := s.ProtocolErrors(); got != nil || len(s.Messages()) != 2 {
		t.Errorf("errors %q, %d messages", got, len(s.Messages()))
	}
}

func TestServer_Misbehaves(t *testing.T) {
	t.Parallel()
	send := func(s *smtptest.Server) error {
		return smtp.SendMail(s.Addr(), nil, "a@b", []string{"c@d"}, []byte("x\r\n"))
	}
	points := []smtptest.Point{smtptest.AtConnect, smtptest.AtEhlo, smtptest.AtMail, smtptest.AtRcpt, smtptest.AtData, smtptest.AtBody, smtptest.AtDot}
	for _, at := range points {
		for action, check := range map[smtptest.Action]func(error) bool{
			smtptest.HangUp: func(err error) bool {
				return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
			},
			smtptest.ResetTCP: func(err error) bool {
				return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE)
			},
			smtptest.Answer: func(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "451") },
			smtptest.Stall:  func(err error) bool { return err == nil },
		} {
			f := smtptest.Fault{At: at, Times: 1, Action: action, Reply: "451 no"}
			if at == smtptest.AtEhlo && action == smtptest.Answer {
				f.Times = 2 // the client goes on with HELO
			}
			t.Run(at.String(), func(t *testing.T) {
				t.Parallel()
				s := start(t, smtptest.Options{Faults: []smtptest.Fault{f}})
				if action == smtptest.Stall {
					done := make(chan error, 1)
					go func() { done <- send(s) }()
					if err := s.WaitStalled(t.Context(), 1); err != nil {
						t.Fatal(err)
					}
					s.Release()
					if err := <-done; !check(err) {
						t.Errorf("after the release: %v", err)
					}
					return
				}
				if err := send(s); !check(err) {
					t.Errorf("%v", err)
				}
				if n := len(s.Messages()); n != 0 {
					t.Errorf("%d messages count", n)
				}
				s.SetFaults()
				if err := send(s); err != nil || len(s.Messages()) != 1 {
					t.Errorf("without the fault: %v, %d messages", err, len(s.Messages()))
				}
			})
		}
	}
}

func TestServer_CountsAMessageThatItDoesNotAcknowledge(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{Faults: []smtptest.Fault{{At: smtptest.AtDot, To: "c@d", Action: smtptest.HangUp, Count: true}}})
	if err := smtp.SendMail(s.Addr(), nil, "a@b", []string{"x@d"}, []byte("x\r\n")); err != nil {
		t.Errorf("another recipient: %v", err)
	}
	if err := smtp.SendMail(s.Addr(), nil, "a@b", []string{"c@d"}, []byte("x\r\n")); err == nil || len(s.Messages()) != 2 {
		t.Errorf("%v, %d messages", err, len(s.Messages()))
	}
}

func TestServer_TLSAndAuth(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{"PLAIN", "CRAM-MD5"} {
		s := start(t, smtptest.Options{TLS: smtptest.StartTLS, User: "u", Password: "p", Mechanisms: []string{mechanism}})
		for password, ok := range map[string]bool{"p": true, "wrong": false} {
			c, err := smtp.Dial(s.Addr())
			if err != nil {
				t.Fatal(err)
			}
			if err := c.StartTLS(&tls.Config{RootCAs: s.CertPool(), ServerName: "localhost"}); err != nil {
				t.Fatal(err)
			}
			if err := c.Mail("a@b"); err == nil || !strings.HasPrefix(err.Error(), "530") {
				t.Errorf("MAIL without AUTH: %v", err)
			}
			auth := smtp.PlainAuth("", "u", password, "127.0.0.1")
			if mechanism == "CRAM-MD5" {
				auth = smtp.CRAMMD5Auth("u", password)
			}
			if err := c.Auth(auth); (err == nil) != ok {
				t.Errorf("%s with %s: %v", mechanism, password, err)
			}
			if ok {
				if err := c.Mail("a@b"); err != nil {
					t.Error(err)
				}
			}
			_ = c.Close()
		}
		if got := s.ProtocolErrors(); got != nil {
			t.Errorf("errors %q", got)
		}
	}
	if want := "smtps://u:p%40@127.0.0.1:"; !strings.HasPrefix(start(t, smtptest.Options{TLS: smtptest.ImplicitTLS, User: "u", Password: "p@"}).URL(), want) {
		t.Errorf("the URL does not begin with %s", want)
	}
}

func TestServer_CloseEndsWhatIsStalled(t *testing.T) {
	t.Parallel()
	s, err := smtptest.Start(smtptest.Options{Faults: []smtptest.Fault{{At: smtptest.AtConnect, Action: smtptest.Stall}}})
	if err != nil {
		t.Fatal(err)
	}
	l := dial(t, s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := l.read(); err == nil {
		t.Error("the connection is still open")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s.WaitFor(ctx, 1) == nil {
		t.Error("WaitFor found a message")
	}
	if _, err := smtptest.Start(smtptest.Options{Addr: "192.0.2.1:0"}); err == nil {
		t.Error("an address that is not loopback was taken")
	}
}
