package smtptest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"
)

// Server is a running SMTP server.
type Server struct {
	options Options
	address string
	tls     *tls.Config
	pool    *x509.CertPool
	done    chan struct{} // closed by Close
	running sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener // nil while it is down
	faults   []faultState
	messages []Received
	errors   []string
	open     map[*conn]struct{}
	total    int
	stalled  int
	closed   bool
	changed  chan struct{} // closed and replaced whenever something above changes
	released chan struct{} // closed and replaced by Release
}

// Start listens and serves until Close.
func Start(o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(o.Addr)
	if err != nil {
		return nil, fmt.Errorf("smtptest: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("smtptest: %s is not a loopback address", host)
	}
	if o.Mechanisms == nil {
		o.Mechanisms = []string{"PLAIN", "LOGIN", "CRAM-MD5"}
	}
	s := &Server{
		options: o,
		done:    make(chan struct{}), changed: make(chan struct{}), released: make(chan struct{}),
		open: map[*conn]struct{}{},
	}
	s.SetFaults(o.Faults...)
	if o.TLS != NoTLS {
		if s.tls, s.pool, err = selfSigned(o.Expired); err != nil {
			return nil, fmt.Errorf("smtptest: %w", err)
		}
	}
	s.address = o.Addr
	if err := s.Up(); err != nil {
		return nil, err
	}
	return s, nil
}

// Up listens again after Down, on the same port.
func (s *Server) Up() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.listener != nil {
		return nil
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", s.address)
	if err != nil {
		return fmt.Errorf("smtptest: %w", err)
	}
	s.listener, s.address = l, l.Addr().String()
	s.running.Go(func() { s.accept(l) })
	return nil
}

// Down ends all connections, as they are, and refuses new ones until Up.
func (s *Server) Down() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return nil
	}
	err := s.listener.Close()
	s.listener = nil
	for c := range s.open {
		_ = c.tcp.Close()
	}
	return err
}

func (s *Server) accept(l net.Listener) {
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed || s.listener != l {
			s.mu.Unlock()
			_ = nc.Close()
			return
		}
		s.total++
		c := newConn(s, nc, s.total)
		c.tooMany = s.options.MaxConnections > 0 && s.admitted() >= s.options.MaxConnections
		s.open[c] = struct{}{}
		s.notify()
		s.mu.Unlock()
		s.running.Go(func() {
			c.serve()
			_ = c.tcp.Close()
			s.mu.Lock()
			delete(s.open, c)
			s.notify()
			s.mu.Unlock()
		})
	}
}

// admitted returns how many connections are open that were not too many. s.mu is held.
func (s *Server) admitted() int {
	n := 0
	for c := range s.open {
		if !c.tooMany {
			n++
		}
	}
	return n
}

// notify wakes those who wait for a change. s.mu is held.
func (s *Server) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// wait returns when the condition, looked at with s.mu held, is true.
func (s *Server) wait(ctx context.Context, condition func() bool) error {
	for {
		s.mu.Lock()
		ok, changed := condition(), s.changed
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-s.done:
			return errors.New("smtptest: the server is closed")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Addr is host and port.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// URL is the server's address as SMTP_URL wants it, with user and password if it has any.
func (s *Server) URL() string {
	u := url.URL{Scheme: "smtp", Host: s.Addr()}
	if s.options.TLS == ImplicitTLS {
		u.Scheme = "smtps"
	}
	if s.options.User != "" {
		u.User = url.UserPassword(s.options.User, s.options.Password)
	}
	return u.String()
}

// CertPool trusts the server's certificate; nil if it has none.
func (s *Server) CertPool() *x509.CertPool { return s.pool }

// Messages returns what was received so far, in order.
func (s *Server) Messages() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// WaitFor returns when at least n messages have been received, or with ctx's error.
func (s *Server) WaitFor(ctx context.Context, n int) error {
	return s.wait(ctx, func() bool { return len(s.messages) >= n })
}

// Connections returns how many connections are open, and how many there have been.
func (s *Server) Connections() (open, total int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open), s.total
}

// WaitIdle returns when no connection is open, or with ctx's error: a client that leaks
// one is found by it.
func (s *Server) WaitIdle(ctx context.Context) error {
	return s.wait(ctx, func() bool { return len(s.open) == 0 })
}

// WaitStalled returns when n connections are stalled by a fault, or with ctx's error.
func (s *Server) WaitStalled(ctx context.Context, n int) error {
	return s.wait(ctx, func() bool { return s.stalled >= n })
}

// ProtocolErrors returns what clients did against the protocol.
func (s *Server) ProtocolErrors() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.errors)
}

// Release lets everything that is stalled go on.
func (s *Server) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.released)
	s.released = make(chan struct{})
}

// Close stops listening, ends all connections and waits for them.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.done)
	var err error
	if s.listener != nil {
		err = s.listener.Close()
		s.listener = nil
	}
	for c := range s.open {
		_ = c.tcp.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
	return err
}
