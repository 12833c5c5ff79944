package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"broadsheet/internal/bench/sink"
	"broadsheet/internal/trial"
)

// The kinds of recipients, by the first byte of their addresses.
const (
	kindReader = 'r'
	kindSignUp = 's'
)

// target is a sink that runs as a process of its own.
type target interface {
	name() string
	addr() string
	reset(ctx context.Context) error
	stats(ctx context.Context, kind byte) (sink.Stats, error)
	sample(ctx context.Context) ([]byte, error) // a digest as it came; nil: this sink keeps none
	close() error
}

// runSink is the child: it prints its address, and then answers a line of JSON to each line of its input.
func runSink(ctx context.Context, in io.Reader, out io.Writer) error {
	s, err := sink.Serve(ctx)
	if err != nil {
		return err
	}
	defer s.Close() // the process ends
	answers := json.NewEncoder(out)
	if err := answers.Encode(s.Addr()); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var answer any
		switch verb, kind, _ := strings.Cut(lines.Text(), " "); {
		case verb == "reset":
			s.Reset()
		case verb == "stats" && kind != "":
			answer = s.Stats(kind[0])
		case verb == "sample" && kind != "":
			answer = s.Sample(kind[0])
		default:
			return fmt.Errorf("sink: what is %q?", lines.Text())
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	return nil // whoever started it is gone
}

// discard is our own sink.
type discard struct {
	*helper
	address string
}

func startDiscard(ctx context.Context) (*discard, error) {
	h, err := startHelper(ctx, childSink)
	if err != nil {
		return nil, fmt.Errorf("start the sink: %w", err)
	}
	d := &discard{helper: h}
	if err := d.from.Decode(&d.address); err != nil {
		return nil, errors.Join(fmt.Errorf("the sink does not start: %w", err), d.close())
	}
	return d, nil
}

func (d *discard) name() string { return "discard" }

func (d *discard) addr() string { return d.address }

func (d *discard) reset(context.Context) error {
	var nothing any
	return d.ask("reset", &nothing)
}

func (d *discard) stats(_ context.Context, kind byte) (s sink.Stats, err error) {
	err = d.ask("stats "+string(rune(kind)), &s)
	return s, err
}

func (d *discard) sample(context.Context) (message []byte, err error) {
	err = d.ask("sample "+string(rune(kindReader)), &message)
	return message, err
}

// mailsink is the sink of that name.
type mailsink struct{ *trial.Mailsink }

func (m mailsink) name() string { return "mailsink" }

func (m mailsink) addr() string { return m.SMTP }

func (m mailsink) reset(ctx context.Context) error { return m.Reset(ctx) }

func (m mailsink) stats(ctx context.Context, _ byte) (sink.Stats, error) {
	var got struct {
		Accepted, Distinct, Bytes int
		First, Last               string
		ConnsOpened               int     `json:"conns_opened"`
		User                      float64 `json:"cpu_user_s"`
		System                    float64 `json:"cpu_sys_s"`
	}
	data, err := m.Call(ctx, http.MethodGet, "/stats", "")
	if err == nil {
		err = json.Unmarshal(data, &got)
	}
	if err != nil {
		return sink.Stats{}, err
	}
	s := sink.Stats{Accepted: got.Accepted, Distinct: got.Distinct, Bytes: int64(got.Bytes), Connections: got.ConnsOpened, CPU: got.User + got.System}
	// They are empty before the first message.
	s.First, _ = time.Parse(time.RFC3339Nano, got.First)
	s.Last, _ = time.Parse(time.RFC3339Nano, got.Last)
	return s, nil
}

func (m mailsink) sample(context.Context) ([]byte, error) { return nil, nil }

func (m mailsink) close() error { return m.Close() }
