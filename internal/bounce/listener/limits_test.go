package listener

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/bounce"
)

// visitor is the far end of a connection that comes from an address.
type visitor struct {
	net.Conn
	from     net.Addr
	deadline time.Time
}

func (v *visitor) RemoteAddr() net.Addr { return v.from }

func (v *visitor) SetReadDeadline(t time.Time) error {
	v.deadline = t
	return v.Conn.SetReadDeadline(t)
}

// door is a listener that lets visitors in as the test sends them.
type door chan net.Conn

func (d door) Accept() (net.Conn, error) {
	if c, ok := <-d; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (door) Close() error   { return nil }
func (door) Addr() net.Addr { return nil }

func TestGate_OneStrangerHasSoManyConnections(t *testing.T) {
	t.Parallel()
	visitors := make(door)
	g := &gate{Listener: visitors, most: 1000, each: maxFromOne, lifetime: lifetime, hosts: map[netip.Prefix]int{}}
	inside := make(chan net.Conn)
	go func() {
		defer close(inside)
		for {
			c, err := g.Accept()
			if err != nil {
				return
			}
			inside <- c
		}
	}()
	t.Cleanup(func() {
		close(visitors)
		for range inside { // until the gate has ended
		}
	})
	// come returns the connection as the gate lets it in, or what it is told.
	come := func(ip string) (net.Conn, string) {
		here, there := net.Pipe()
		t.Cleanup(func() { _ = here.Close() })
		visitors <- &visitor{Conn: there, from: &net.TCPAddr{IP: net.ParseIP(ip), Port: 4321}}
		said := make(chan string, 1)
		go func() {
			words, _ := io.ReadAll(here)
			said <- string(words)
		}()
		select {
		case c := <-inside:
			return c, ""
		case words := <-said:
			return nil, words
		}
	}
	for _, stranger := range []struct{ ip, same, other string }{
		{"192.0.2.7", "192.0.2.7", "192.0.2.8"},
		{"2001:db8:1:2::3", "2001:db8:1:2:ffff::4", "2001:db8:1:3::3"}, // a /64 is one
	} {
		var first net.Conn
		for i := range maxFromOne {
			c, said := come(stranger.ip)
			if c == nil {
				t.Fatalf("%s: connection %d is refused: %s", stranger.ip, i+1, said)
			}
			if i == 0 {
				first = c
			}
		}
		if c, said := come(stranger.same); c != nil || !strings.HasPrefix(said, "421 ") {
			t.Fatalf("%s: one more is let in, or told %q", stranger.same, said)
		}
		if c, said := come(stranger.other); c == nil {
			t.Fatalf("%s is refused for %s: %s", stranger.other, stranger.ip, said)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		if c, said := come(stranger.same); c == nil {
			t.Fatalf("%s: there is room again, and it is refused: %s", stranger.same, said)
		}
	}
	for range maxFromOne + 5 { // this machine's own mail system
		if c, said := come("127.0.0.1"); c == nil {
			t.Fatal(said)
		}
	}
}

func TestGuest_EndsAtItsTimeWhateverIsSaid(t *testing.T) {
	t.Parallel()
	here, there := net.Pipe()
	t.Cleanup(func() { _ = here.Close() })
	until := time.Now().Add(lifetime)
	v := &visitor{Conn: there}
	c := &guest{Conn: v, until: until, leave: func() {}}
	for _, asked := range []time.Time{{}, until.Add(time.Hour)} {
		if err := c.SetReadDeadline(asked); err != nil || !v.deadline.Equal(until) {
			t.Errorf("asked for %v it ends at %v, not %v: %v", asked, v.deadline, until, err)
		}
	}
	if soon := until.Add(-time.Hour); c.SetReadDeadline(soon) != nil || !v.deadline.Equal(soon) {
		t.Errorf("an earlier end is %v", v.deadline)
	}
}

func TestSession_HoldsNoMoreThanAllMay(t *testing.T) {
	t.Parallel()
	s := &Server{}
	s.memory.Store(100)
	one, two := &session{server: s}, &session{server: s}
	message, done, err := one.read(strings.NewReader(strings.Repeat("x", 60)))
	if err != nil || len(message) != 60 {
		t.Fatal(len(message), err)
	}
	if _, _, err := two.read(strings.NewReader(strings.Repeat("x", 60))); !errors.Is(err, errFull) {
		t.Fatalf("more than may be held: %v", err)
	}
	if left := s.memory.Load(); left != 40 {
		t.Errorf("what was refused still counts: %d are left, not 40", left)
	}
	done()
	if _, done, err := two.read(strings.NewReader(strings.Repeat("x", 60))); err != nil {
		t.Errorf("there is room again: %v", err)
	} else {
		done()
	}
	if left := s.memory.Load(); left != 100 {
		t.Errorf("%d are left", left)
	}
}

// counter counts what it takes.
type counter int

func (*counter) Owns(string) bool { return true }

func (n *counter) Take(context.Context, bounce.Incoming) (bounce.Taken, error) {
	*n++
	return bounce.Taken{Known: true}, nil
}

func TestSession_TakesNothingOnceItIsStopped(t *testing.T) {
	t.Parallel()
	var taken counter
	s := &Server{Options: Options{Taker: &taken, Logger: slog.New(slog.DiscardHandler)}, stopped: true}
	if err := (&session{server: s, ctx: t.Context()}).take(nil, "b+x@example.org"); !errors.Is(err, errRecord) || taken != 0 {
		t.Errorf("%v, taken %d", err, taken)
	}
}

// To read a message takes long; the same path given a hundred times is one.
func TestSession_OneRecipientOnce(t *testing.T) {
	t.Parallel()
	var taken counter
	s := &Server{Options: Options{Domain: "example.org", Taker: &taken, Logger: slog.New(slog.DiscardHandler)}}
	s.memory.Store(1000)
	one := &session{server: s, ctx: t.Context()}
	for _, to := range []string{"b+a@example.org", "B+A@Example.org", "b+a@example.org.", "b+b@example.org"} {
		if err := one.Rcpt(to, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := one.Data(strings.NewReader("Subject: report\r\n\r\n")); err != nil || taken != 2 {
		t.Errorf("%v, taken %d times, not 2", err, taken)
	}
	if err := one.Data(strings.NewReader("Subject: another\r\n\r\n")); err != nil || taken != 4 {
		t.Errorf("%v, taken %d times, not 4", err, taken)
	}
}
