package listener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// socketMode lets the mail system connect, which runs as a user of its own. Whoever can reach
// the socket can only hand in reports about messages of ours.
const socketMode = 0o666

// listen opens the address. A socket that a killed service left behind is replaced; one that
// somebody listens on is not.
func listen(ctx context.Context, a Address) (net.Listener, error) {
	config := &net.ListenConfig{}
	l, err := config.Listen(ctx, a.Network, a.Address)
	if err != nil && a.Network == "unix" && abandoned(ctx, a.Address) {
		if err := os.Remove(a.Address); err != nil {
			return nil, err
		}
		l, err = config.Listen(ctx, a.Network, a.Address)
	}
	if err != nil || a.Network != "unix" {
		return l, err
	}
	if err := os.Chmod(a.Address, socketMode); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// abandoned reports whether the file is a socket that nobody listens on.
func abandoned(ctx context.Context, file string) bool {
	info, err := os.Lstat(file)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", file)
	if err == nil {
		_ = conn.Close()
		return false
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// gate lets so many connections in at once, and so many from one network of a stranger; the
// others are told to come again.
type gate struct {
	net.Listener
	most, each int
	lifetime   time.Duration // of one connection

	mu    sync.Mutex
	all   int
	hosts map[netip.Prefix]int
}

// Accept returns the next connection that may come in.
func (g *gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host := network(conn.RemoteAddr())
		if g.enter(host) {
			return &guest{Conn: conn, until: time.Now().Add(g.lifetime), leave: sync.OnceFunc(func() { g.leave(host) })}, nil
		}
		// The answer fits into the socket's buffer; who does not read it does not hold us up.
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		_, _ = fmt.Fprint(conn, "421 4.3.2 too many connections at once; come again later\r\n")
		_ = conn.Close()
	}
}

func (g *gate) enter(host netip.Prefix) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all >= g.most || host.IsValid() && g.hosts[host] >= g.each {
		return false
	}
	g.all++
	if host.IsValid() {
		g.hosts[host]++
	}
	return true
}

func (g *gate) leave(host netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all--
	if !host.IsValid() {
		return
	}
	if g.hosts[host]--; g.hosts[host] <= 0 {
		delete(g.hosts, host)
	}
}

// network returns what counts as one stranger: an IPv4 address, or a /64 of IPv6. This
// machine's own mail system, and one in a private network, is no stranger: it is not valid.
func network(a net.Addr) netip.Prefix {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip, ok := netip.AddrFromSlice(tcp.IP)
	ip = ip.Unmap()
	if !ok || ip.IsLoopback() || ip.IsPrivate() {
		return netip.Prefix{}
	}
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	prefix, _ := ip.Prefix(bits) // the number of bits fits
	return prefix
}

// guest is a connection that has come in. It ends at a time, whatever is said on it.
type guest struct {
	net.Conn
	until time.Time
	leave func()
}

// Close ends it.
func (c *guest) Close() error {
	c.leave()
	return c.Conn.Close()
}

// SetReadDeadline is not later than the connection's end.
func (c *guest) SetReadDeadline(t time.Time) error {
	if t.IsZero() || t.After(c.until) {
		t = c.until
	}
	return c.Conn.SetReadDeadline(t)
}
