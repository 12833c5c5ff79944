package listener

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// crowd is a listener whose connections come from where a test says.
type crowd struct {
	net.Listener
	come chan net.Conn
}

func (c *crowd) Accept() (net.Conn, error) { return <-c.come, nil }

// from is a connection whose other end is at an address of the net.
type from struct {
	net.Conn
	ip string
}

func (f from) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(f.ip), Port: 25} }

// One stranger gets ten connections; the eleventh is told to come again, and others go on.
func TestGate_TheEleventhOfOneStrangerIsRefused(t *testing.T) {
	t.Parallel()
	c := &crowd{come: make(chan net.Conn, 1)}
	g := &gate{Listener: c, most: maxConnections, each: maxFromOne, lifetime: time.Minute, hosts: map[netip.Prefix]int{}}
	arrive := func(ip string) net.Conn {
		ours, theirs := net.Pipe()
		t.Cleanup(func() { _ = ours.Close(); _ = theirs.Close() })
		c.come <- from{ours, ip}
		return theirs
	}
	for range maxFromOne {
		arrive("192.0.2.1")
		if _, err := g.Accept(); err != nil {
			t.Fatal(err)
		}
	}
	refused := arrive("192.0.2.1")
	said := make(chan string, 1)
	go func() {
		b := make([]byte, 100)
		n, _ := refused.Read(b)
		said <- string(b[:n])
		arrive("192.0.2.2")
	}()
	next, err := g.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if got := <-said; !strings.HasPrefix(got, "421 4.3.2") {
		t.Errorf("the eleventh is told %q", got)
	}
	if got := network(next.RemoteAddr()).String(); got != "192.0.2.2/32" {
		t.Errorf("the one who came in is %s", got)
	}
}
