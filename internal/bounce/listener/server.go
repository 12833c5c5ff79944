// Package listener takes what comes back by SMTP (RFC 5321) or LMTP (RFC 2033): from a mail
// system that passes the bounce domain's mail on, or as that domain's own MX. It takes mail for
// return paths of ours and nothing else, so it relays nothing and knows no mailboxes; a message
// is answered with 250 only after what it says is on record.
package listener

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"broadsheet/internal/bounce"

	"github.com/emersion/go-smtp"
)

// Channel is how what came in here is recorded.
const Channel = "smtp"

// The limits of what strangers may do.
const (
	MaxSize        = 10 << 20 // octets of one message
	maxMemory      = 48 << 20 // octets of all messages that are coming in at once
	maxConnections = 50
	maxFromOne     = 10 // connections of one stranger
	maxRecipients  = 100
	// maxLine is more than RFC 5321 §4.5.3.1.6 allows: a report may hold what broke that rule.
	maxLine   = 1 << 20
	readTime  = 5 * time.Minute // for one command, or for all of one message
	writeTime = time.Minute
	lifetime  = 30 * time.Minute // of a connection
	takeTime  = time.Minute      // to put one message on record
)

// Taker is what messages are handed to; *bounce.Service is one.
type Taker interface {
	// Owns reports whether the address is a return path that we made.
	Owns(address string) bool
	// Take has the message on record before it returns.
	Take(ctx context.Context, in bounce.Incoming) (bounce.Taken, error)
}

// Options are what a Server needs.
type Options struct {
	Address Address
	Domain  string // that return paths are at, as A-labels
	Taker   Taker
	Logger  *slog.Logger
}

// Server takes messages that come back.
type Server struct {
	Options
	listener net.Listener
	smtp     *smtp.Server
	memory   atomic.Int64 // octets that may still be held

	busy    sync.RWMutex // is read-locked while a message is put on record
	stopped bool
}

// Listen opens the address. Serve has to be called next.
func Listen(ctx context.Context, o Options) (*Server, error) {
	l, err := listen(ctx, o.Address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", o.Address, err)
	}
	s := &Server{Options: o, listener: l}
	s.memory.Store(maxMemory)
	return s, nil
}

// Addr returns where it listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Close closes a server that was never served.
func (s *Server) Close() error { return s.listener.Close() }

// Serve takes messages until ctx ends. When it returns, nothing is being put on record any
// more; who got no answer sends the message again, which changes nothing twice.
func (s *Server) Serve(ctx context.Context) error {
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{server: s, ctx: ctx}, nil
	}))
	s.smtp.LMTP, s.smtp.Domain = s.Address.LMTP, s.Domain
	s.smtp.MaxRecipients, s.smtp.MaxMessageBytes, s.smtp.MaxLineLength = maxRecipients, MaxSize, maxLine
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = readTime, writeTime
	s.smtp.EnableSMTPUTF8 = true    // a report about such an address may come as one (RFC 6533)
	s.smtp.AllowInsecureAuth = true // there is no AUTH, so it must not ask for TLS first
	s.smtp.ErrorLog = debugLog{s.Logger}
	stopped := make(chan struct{})
	running := context.AfterFunc(ctx, func() {
		defer close(stopped)
		s.stop()
	})
	err := s.smtp.Serve(&gate{Listener: s.listener, most: maxConnections, each: maxFromOne, lifetime: lifetime, hosts: map[netip.Prefix]int{}})
	if running() { // it ended by itself
		s.stop()
		return fmt.Errorf("%s: %w", s.Address, err)
	}
	<-stopped
	return nil
}

// stop ends all connections, and waits for what is being put on record.
func (s *Server) stop() {
	if err := s.smtp.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		s.Logger.Debug("a listener for what comes back did not end well", "error", err)
	}
	_ = s.listener.Close() // it may not have come to serving it yet
	s.busy.Lock()
	defer s.busy.Unlock()
	s.stopped = true
}

// debugLog keeps what strangers do wrong out of the log of a service in use.
type debugLog struct{ *slog.Logger }

// Printf logs it.
func (l debugLog) Printf(format string, args ...any) {
	l.Debug("bounce listener: " + strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// Println logs it.
func (l debugLog) Println(args ...any) {
	l.Debug("bounce listener: " + strings.TrimSpace(fmt.Sprintln(args...)))
}
