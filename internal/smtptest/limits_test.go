package smtptest_test

import (
	"net"
	"net/smtp"
	"strings"
	"testing"

	"broadsheet/internal/smtptest"
)

func TestServer_KeepsItsLimits(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{MaxConnections: 1, MaxMessages: 1})
	first, err := smtp.Dial(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close() // it is closed by the server
	if _, err := smtp.Dial(s.Addr()); err == nil || !strings.HasPrefix(err.Error(), "421") {
		t.Errorf("a second connection: %v", err)
	}
	for i, want := range []string{"", "421"} {
		err := first.Mail("a@b")
		if err == nil != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Fatalf("message %d: %v", i+1, err)
		}
		if err != nil {
			break
		}
		if err := first.Rcpt("c@d"); err != nil {
			t.Fatal(err)
		}
		w, err := first.Data()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("x\r\n")); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestServer_IsDownAndUpOnTheSamePort(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{})
	address := s.Addr()
	l := dial(t, s)
	if _, err := l.read(); err != nil {
		t.Fatal(err)
	}
	if err := s.Down(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.read(); err == nil {
		t.Error("an open connection outlives it")
	}
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("it takes connections while it is down")
	}
	if err := s.Up(); err != nil {
		t.Fatal(err)
	}
	if err := smtp.SendMail(address, nil, "a@b", []string{"c@d"}, []byte("x\r\n")); err != nil || len(s.Messages()) != 1 {
		t.Errorf("up again: %v", err)
	}
}

func TestServer_CutsTheContentAfterSoManyOctets(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{Faults: []smtptest.Fault{
		{At: smtptest.AtBody, Octets: 100, Action: smtptest.AnswerAndReset, Reply: "421 4.3.2 closing"},
	}})
	l := dial(t, s)
	for _, say := range []string{"", "EHLO x", "MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA", strings.Repeat("x\r\n", 30)} {
		if say != "" {
			if _, err := l.Write([]byte(say + "\r\n")); err != nil {
				t.Fatal(err)
			}
		}
		if strings.HasPrefix(say, "x") { // 92 octets: it listens on
			break
		}
		if _, err := l.read(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Write([]byte(strings.Repeat("y", 20) + "\r\n")); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := l.read(); err != nil {
			break
		}
	}
	if n := len(s.Messages()); n != 0 {
		t.Errorf("%d messages count", n)
	}
}

func TestServer_AsksForContentForNobody(t *testing.T) {
	t.Parallel()
	s := start(t, smtptest.Options{Pipelining: true, DataAnyway: true, Faults: []smtptest.Fault{{At: smtptest.AtRcpt, Reply: "550 no"}}})
	l := dial(t, s)
	for _, step := range []struct{ say, want string }{
		{"", "220"}, {"EHLO x\r\n", "250"}, {"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", "250"}, {"", "550"}, {"", "354"}, {".\r\n", "554"},
	} {
		if _, err := l.Write([]byte(step.say)); err != nil {
			t.Fatal(err)
		}
		if got, err := l.read(); err != nil || !strings.HasPrefix(got, step.want) {
			t.Fatalf("to %q: %s (%v)", step.say, got, err)
		}
	}
	if got := s.ProtocolErrors(); got != nil {
		t.Errorf("errors %q", got)
	}
}
