package listener_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/textproto"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"broadsheet/internal/bounce"
	"broadsheet/internal/bounce/listener"
	"broadsheet/internal/newsroomtest"
)

const domain = "bounces.example.org"

// taker takes return paths whose local part begins with "b+good".
type taker struct {
	mu    sync.Mutex
	taken []bounce.Incoming
	fail  string // recipients that cannot be put on record
}

func (k *taker) Owns(address string) bool { return strings.HasPrefix(address, "b+good") }

func (k *taker) Take(_ context.Context, in bounce.Incoming) (bounce.Taken, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != "" && in.To[0] == k.fail {
		return bounce.Taken{}, errors.New("disk full")
	}
	k.taken = append(k.taken, in)
	return bounce.Taken{Known: true}, nil
}

func (k *taker) all() []bounce.Incoming {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]bounce.Incoming(nil), k.taken...)
}

// start serves until the test ends, and returns where.
func start(t *testing.T, address string, k listener.Taker) net.Addr {
	t.Helper()
	a, err := listener.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	s, err := listener.Listen(t.Context(), listener.Options{Address: a, Domain: domain, Taker: k, Logger: slog.New(newsroomtest.NewLog(t))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s.Addr()
}

// peer is a mail system that says what a test wants.
type peer struct {
	*textproto.Conn
	t *testing.T
}

func dial(t *testing.T, a net.Addr) peer {
	t.Helper()
	c, err := textproto.Dial(a.Network(), a.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return peer{c, t}
}

// say sends lines and expects the reply to begin so.
func (p peer) say(lines, want string) {
	p.t.Helper()
	if lines != "" {
		if err := p.PrintfLine("%s", lines); err != nil {
			p.t.Fatal(err)
		}
	}
	p.hear(want)
}

func (p peer) hear(want string) {
	p.t.Helper()
	code, message, err := p.ReadResponse(0)
	if code == 0 {
		p.t.Fatal(err)
	}
	if got := fmt.Sprintf("%d %s", code, message); !strings.HasPrefix(got, want) {
		p.t.Fatalf("the answer is %q, not %q", got, want)
	}
}

func TestSMTP_TakesOnlyReturnPathsOfOurs(t *testing.T) {
	t.Parallel()
	k := &taker{}
	p := dial(t, start(t, "smtp://127.0.0.1:0", k))
	p.say("", "220 "+domain)
	p.say("EHLO mx.example.net", "250")
	p.say("VRFY ada", "252")
	p.say("AUTH PLAIN AGEAYg==", "504")
	p.say("MAIL FROM:<>", "250")
	p.say("RCPT TO:<ada@example.net>", "550 5.7.1")
	p.say("RCPT TO:<b+good@example.net>", "550 5.7.1")
	p.say("RCPT TO:<b+bad@"+domain+">", "550 5.1.1")
	p.say("DATA", "502")
	p.say("RCPT TO:<b+good1@BOUNCES.example.org>", "250")
	p.say("RCPT TO:<b+good2@"+domain+">", "250")
	p.say("DATA", "354")
	p.say("Subject: gone\r\n\r\n..dot\r\n"+strings.Repeat("long ", 10_000)+"\r\n.", "250")
	got := k.all()
	if len(got) != 2 || got[0].To[0] != "b+good1@BOUNCES.example.org" || got[1].To[0] != "b+good2@"+domain || got[0].Channel != "smtp" {
		t.Fatalf("it took %d: %.200v", len(got), got)
	}
	if !strings.Contains(string(got[0].Message), "\r\n.dot\r\nlong long") {
		t.Errorf("the message is %.100q", got[0].Message)
	}
}

func TestSMTP_AsksToTryAgainWhatIsNotOnRecord(t *testing.T) {
	t.Parallel()
	k := &taker{fail: "b+good1@" + domain}
	p := dial(t, start(t, "smtp://127.0.0.1:0", k))
	p.say("", "220")
	p.say("EHLO mx.example.net", "250")
	p.say("MAIL FROM:<>", "250")
	p.say("RCPT TO:<b+good1@"+domain+">", "250")
	p.say("DATA", "354")
	p.say("Subject: gone\r\n\r\n.", "451 4.3.0")
	if len(k.all()) != 0 {
		t.Error("it took something")
	}
	// The next message has its own recipients only.
	p.say("MAIL FROM:<>", "250")
	p.say("RCPT TO:<b+good2@"+domain+">", "250")
	p.say("RSET", "250")
	p.say("MAIL FROM:<>", "250")
	p.say("RCPT TO:<b+good3@"+domain+">", "250")
	p.say("DATA", "354")
	p.say("Subject: gone\r\n\r\n.", "250")
	if got := k.all(); len(got) != 1 || got[0].To[0] != "b+good3@"+domain {
		t.Errorf("it took %+v", got)
	}
}

func TestLMTP_AnswersForEachRecipient(t *testing.T) {
	t.Parallel()
	k := &taker{fail: "b+good2@" + domain}
	socket := filepath.Join(t.TempDir(), "bounce.sock")
	abandon(t, socket)
	p := dial(t, start(t, "lmtp+unix://"+socket, k))
	p.say("", "220")
	p.say("EHLO mx.example.net", "500")
	p.say("LHLO mx.example.net", "250")
	p.say("MAIL FROM:<mailer-daemon@example.net>", "250")
	for _, to := range []string{"b+good1@", "b+good2@", "b+good1@"} {
		p.say("RCPT TO:<"+to+domain+">", "250")
	}
	p.say("DATA", "354")
	p.say("Subject: gone\r\n\r\n.", "250")
	p.hear("451")
	p.hear("250")
	if len(k.all()) != 1 { // what is the same for two is taken once
		t.Errorf("it took %d", len(k.all()))
	}
}

// abandon leaves a socket behind as a killed service does.
func abandon(t *testing.T, file string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: file, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestListen_LeavesAnotherServiceItsSocket(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "bounce.sock")
	start(t, "lmtp+unix://"+socket, &taker{})
	a, err := listener.ParseAddress("lmtp+unix://" + socket)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := listener.Listen(t.Context(), listener.Options{Address: a}); err == nil {
		_ = s.Close()
		t.Error("it took the socket of a service that listens")
	}
}

func TestSMTP_RefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	k := &taker{}
	p := dial(t, start(t, "smtp://127.0.0.1:0", k))
	p.say("", "220")
	p.say("EHLO mx.example.net", "250")
	p.say(fmt.Sprintf("MAIL FROM:<> SIZE=%d", listener.MaxSize+1), "552")
	p.say("MAIL FROM:<>", "250")
	p.say("RCPT TO:<b+good@"+domain+">", "250")
	p.say("DATA", "354")
	line := strings.Repeat("x", 998)
	for range listener.MaxSize/1000 + 2 {
		if err := p.PrintfLine("%s", line); err != nil {
			t.Fatal(err)
		}
	}
	p.say(".", "552")
	if len(k.all()) != 0 {
		t.Error("it took something")
	}
}

// Sent again it would be as long: its sender must not try for days.
func TestSMTP_RefusesALineWithoutEnd(t *testing.T) {
	t.Parallel()
	p := dial(t, start(t, "smtp://127.0.0.1:0", &taker{}))
	p.say("", "220")
	p.say("EHLO mx.example.net", "250")
	p.say("MAIL FROM:<>", "250")
	p.say("RCPT TO:<b+good@"+domain+">", "250")
	p.say("DATA", "354")
	if err := p.PrintfLine("%s", strings.Repeat("x", 1<<20+10)); err != nil {
		t.Fatal(err)
	}
	p.hear("554 5.6.0")
}

func TestSMTP_TooManyConnections_OthersAreToldToComeAgain(t *testing.T) {
	t.Parallel()
	a := start(t, "smtp://127.0.0.1:0", &taker{})
	var first peer
	for i := range 50 {
		p := dial(t, a)
		p.say("", "220")
		if i == 0 {
			first = p
		}
	}
	dial(t, a).say("", "421")
	first.say("QUIT", "221")
	if _, err := first.ReadLine(); err == nil {
		t.Fatal("it goes on after QUIT")
	}
	newsroomtest.Until(t.Context(), t, "there is room again", func() bool {
		p := dial(t, a)
		code, _, _ := p.ReadResponse(0)
		return code == 220
	})
}

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"smtp://0.0.0.0:2525", "lmtp://127.0.0.1:2424", "smtp://[::]:25", "lmtp+unix:///run/broadsheet/bounce.sock"} {
		if a, err := listener.ParseAddress(good); err != nil || a.String() != good {
			t.Errorf("%s: %v, %v", good, a, err)
		}
	}
	for _, bad := range []string{"", "25", "smtp://", "smtp://host", "http://127.0.0.1:25", "lmtp+unix://run/x", "lmtp+unix:///", "smtp://a:b@127.0.0.1:25", "smtp://127.0.0.1:99999"} {
		if a, err := listener.ParseAddress(bad); err == nil {
			t.Errorf("%q is read as %v", bad, a)
		}
	}
}

// A service that is stopped before it has begun ends all the same.
func TestServe_StoppedBeforeItBegan(t *testing.T) {
	t.Parallel()
	a, err := listener.ParseAddress("smtp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		s, err := listener.Listen(t.Context(), listener.Options{Address: a, Domain: domain, Taker: &taker{}, Logger: slog.New(newsroomtest.NewLog(t))})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := s.Serve(ctx); err != nil {
			t.Fatal(err)
		}
	}
}
