package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// phase is what a load met with during one part of its time. Latencies are in milliseconds.
type phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	SignUps int     `json:"sign_ups"`
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
	Max     float64 `json:"max"`
}

func (p phase) rate() float64 { return float64(p.SignUps) / max(p.Seconds, 1e-9) }

// runLoad is the child that signs up new readers by HTTP, on each connection as fast as it is answered. Each line
// of its input begins a phase of that name, an empty one none, and is answered by the phase that it ended, null if
// there was none. At the input's end it stops.
func runLoad(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	f := flag.NewFlagSet(childLoad, flag.ContinueOnError)
	addr := f.String("addr", "", "")
	conns := f.Int("conns", 1, "")
	if err := f.Parse(args); err != nil {
		return err
	}
	l := &load{addr: *addr, failed: make(chan error, *conns)}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	for range *conns {
		c := &loadConnection{}
		l.conns = append(l.conns, c)
		all.Go(func() {
			if err := l.run(ctx, c); err != nil {
				l.failed <- err
			}
		})
	}
	answers := json.NewEncoder(out)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		ended := l.begin(lines.Text())
		select {
		case err := <-l.failed:
			return err
		default:
		}
		if err := answers.Encode(ended); err != nil {
			return err
		}
	}
	stop()
	all.Wait()
	return nil // what broke off after the last phase is nobody's
}

// load is all connections together.
type load struct {
	addr   string
	conns  []*loadConnection
	made   atomic.Int64 // readers
	failed chan error

	current string // phase; empty: none
	began   time.Time
}

// loadConnection is one of them.
type loadConnection struct {
	mu    sync.Mutex
	times []time.Duration // of the sign-ups that were answered in this phase
}

// begin ends the phase under way, which it returns, and begins another.
func (l *load) begin(name string) (ended *phase) {
	now := time.Now()
	var times []time.Duration
	for _, c := range l.conns {
		c.mu.Lock()
		times = append(times, c.times...)
		c.times = nil
		c.mu.Unlock()
	}
	if l.current != "" {
		p := summarise(l.current, now.Sub(l.began), times)
		ended = &p
	}
	l.current, l.began = name, now
	return ended
}

func summarise(name string, spent time.Duration, times []time.Duration) phase {
	p := phase{Name: name, Seconds: spent.Seconds(), SignUps: len(times)}
	if len(times) == 0 {
		return p
	}
	slices.Sort(times)
	at := func(share float64) float64 {
		return float64(times[int(share*float64(len(times)-1))]) / float64(time.Millisecond)
	}
	p.P50, p.P99, p.Max = at(0.5), at(0.99), at(1)
	return p
}

// run signs up until ctx ends.
func (l *load) run(ctx context.Context, c *loadConnection) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.addr)
	if err != nil {
		return err
	}
	defer conn.Close() // what was asked is answered
	answers := bufio.NewReader(conn)
	var request []byte
	for ctx.Err() == nil {
		request = appendSignUp(request[:0], l.addr, l.made.Add(1))
		start := time.Now()
		if _, err := conn.Write(request); err != nil {
			return err
		}
		if err := readAnswer(answers); err != nil {
			return err
		}
		c.mu.Lock()
		c.times = append(c.times, time.Since(start))
		c.mu.Unlock()
	}
	return nil
}

// appendSignUp appends the request of the n-th reader. Each comes from another network, because a network may
// only sign up so often.
func appendSignUp(b []byte, host string, n int64) []byte {
	body := fmt.Sprintf("email=%c%d%%40bench.example.org&newsletter=%s&website=", kindSignUp, n, slug)
	return fmt.Appendf(b, "POST /subscribe HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"X-Forwarded-For: 2001:%x:%x::1\r\nContent-Length: %d\r\n\r\n%s", host, n>>16&0xffff, n&0xffff, len(body), body)
}

// readAnswer reads an answer, which has to be the one of a sign-up that is recorded.
func readAnswer(r *bufio.Reader) error {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 303")) {
		return fmt.Errorf("a sign-up is answered by %q", line)
	}
	size := -1
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(bytes.ToLower(line), []byte("content-length:")); ok {
			if size, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if size < 0 {
		return errors.New("an answer does not say how long it is")
	}
	_, err = r.Discard(size)
	return err
}
