// Package sink is an SMTP server that takes every message and throws it away, as fast as it can: the yardstick
// that `make bench` holds everything against. It offers PIPELINING, 8BITMIME, SIZE, ENHANCEDSTATUSCODES and
// SMTPUTF8, and refuses nothing. It must never stand where real mail could reach it.
package sink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// Sink is such a server. Make one with Serve.
type Sink struct {
	listener net.Listener

	mu       sync.Mutex
	sessions map[*session]bool
	past     tally // of connections that are closed
	samples  map[byte][]byte
	opened   int
}

// Stats is what a sink took since it was started or reset.
type Stats struct {
	Accepted    int       `json:"accepted"`
	Distinct    int       `json:"distinct"` // recipients, told apart by a 64-bit hash
	Bytes       int64     `json:"bytes"`    // of bodies as they were on the wire, without the final dots
	First       time.Time `json:"first"`    // when the first message was accepted; zero: none was
	Last        time.Time `json:"last"`
	Connections int       `json:"connections"` // that were opened
	CPU         float64   `json:"cpu"`         // seconds of this process since it was started
}

// kinds is how many kinds of recipients are told apart: by the first byte of the address.
const kinds = 256

// tally is what one connection took, by kind.
type tally [kinds]struct {
	recipients  []uint64 // a hash for each message
	bytes       int64
	first, last time.Time
}

// Serve listens on a free port of the loopback and takes mail until Close.
func Serve(ctx context.Context) (*Sink, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	s := &Sink{listener: listener, sessions: map[*session]bool{}, samples: map[byte][]byte{}}
	go s.accept()
	return s, nil
}

// Addr returns host:port.
func (s *Sink) Addr() string { return s.listener.Addr().String() }

// Close stops listening. Connections that are open stay until their clients leave.
func (s *Sink) Close() error { return s.listener.Close() }

func (s *Sink) accept() {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(time.Millisecond) // out of file descriptors, most likely
			continue
		}
		c := &session{sink: s, conn: conn, in: make([]byte, inputSize)}
		s.mu.Lock()
		s.sessions[c] = true
		s.opened++
		s.mu.Unlock()
		go c.run()
	}
}

// closed keeps what a connection took that is over.
func (s *Sink) closed(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, c)
	c.mu.Lock()
	defer c.mu.Unlock()
	for kind := range c.took {
		s.past.add(&c.took, byte(kind))
	}
}

func (t *tally) add(other *tally, kind byte) {
	to, from := &t[kind], &other[kind]
	if len(from.recipients) == 0 {
		return
	}
	to.recipients = append(to.recipients, from.recipients...)
	to.bytes += from.bytes
	if to.first.IsZero() || from.first.Before(to.first) {
		to.first = from.first
	}
	if from.last.After(to.last) {
		to.last = from.last
	}
}

// Stats returns what came for recipients whose address begins with the byte.
func (s *Sink) Stats(kind byte) Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all tally
	all.add(&s.past, kind)
	for c := range s.sessions {
		c.mu.Lock()
		all.add(&c.took, kind)
		c.mu.Unlock()
	}
	of := &all[kind]
	stats := Stats{Accepted: len(of.recipients), Bytes: of.bytes, First: of.first, Last: of.last, Connections: s.opened, CPU: cpuSeconds()}
	slices.Sort(of.recipients)
	stats.Distinct = len(slices.Compact(of.recipients))
	return stats
}

// Sample returns the first message that came for such a recipient, as it was on the wire; nil: none came.
func (s *Sink) Sample(kind byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.samples[kind]
}

// Reset forgets what came. Connections stay.
func (s *Sink) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.past, s.samples, s.opened = tally{}, map[byte][]byte{}, 0
	for c := range s.sessions {
		c.mu.Lock()
		c.took = tally{}
		c.mu.Unlock()
	}
}

// wanted reports whether a sample of the kind is missing, and claims it for the caller.
func (s *Sink) wanted(kind byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.samples[kind]; ok {
		return false
	}
	s.samples[kind] = nil
	return true
}

func (s *Sink) keep(kind byte, message []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.samples[kind] = message
}
