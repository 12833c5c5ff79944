package web

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// tooMany is what a connection is told that there is no room for. The answer fits into the socket's
// buffer, so who does not read it does not hold us up.
const tooMany = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nCache-Control: no-store\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 51\r\n\r\nToo many connections at once. Please try again soon"

// Listener returns a listener that lets so many connections in as the limits say. Proxies that are
// trusted, this machine and private networks are no strangers: they bring everybody's connections,
// so for them only the sum counts.
func (l Limits) Listener(from net.Listener, trusted []netip.Prefix) net.Listener {
	return &gate{Listener: from, limits: l, trusted: trusted, clients: map[netip.Prefix]int{}}
}

type gate struct {
	net.Listener
	limits  Limits
	trusted []netip.Prefix

	mu      sync.Mutex
	all     int
	clients map[netip.Prefix]int
}

// Accept returns the next connection that there is room for; the others are told to come again.
func (g *gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		client := g.stranger(conn.RemoteAddr())
		if g.enter(client) {
			return &guest{Conn: conn, leave: sync.OnceFunc(func() { g.leave(client) })}, nil
		}
		_ = conn.SetDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(conn, tooMany)
		_ = conn.Close()
	}
}

func (g *gate) enter(client netip.Prefix) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all >= g.limits.Connections || client.IsValid() && g.clients[client] >= g.limits.PerClient {
		return false
	}
	g.all++
	if client.IsValid() {
		g.clients[client]++
	}
	return true
}

func (g *gate) leave(client netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all--
	if !client.IsValid() {
		return
	}
	if g.clients[client]--; g.clients[client] <= 0 {
		delete(g.clients, client)
	}
}

// stranger returns what counts as one client; it is not valid for who is none.
func (g *gate) stranger(a net.Addr) netip.Prefix {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	if !ip.IsValid() || ip.IsLoopback() || ip.IsPrivate() ||
		slices.ContainsFunc(g.trusted, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return netip.Prefix{}
	}
	bits := 64
	if ip.Is4() {
		bits = 32
	}
	client, _ := ip.Prefix(bits) // the number of bits fits
	return client
}

// guest is a connection that has come in.
type guest struct {
	net.Conn
	leave func()
}

// Close ends it, and makes room for another one.
func (c *guest) Close() error {
	err := c.Conn.Close()
	c.leave()
	return err
}

// CloseWrite ends our half of it: net/http does so that a client still reads the answer to a request
// that was not read to its end.
func (c *guest) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
