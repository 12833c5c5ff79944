package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"broadsheet/internal/bench/sink"
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
	cmd     *exec.Cmd
	to      io.WriteCloser
	from    *json.Decoder
	address string
}

func startDiscard(ctx context.Context) (*discard, error) {
	cmd, err := child(ctx, childSink)
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	to, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	from, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the sink: %w", err)
	}
	d := &discard{cmd: cmd, to: to, from: json.NewDecoder(from)}
	if err := d.from.Decode(&d.address); err != nil {
		return nil, errors.Join(fmt.Errorf("the sink does not start: %w", err), d.close())
	}
	return d, nil
}

func (d *discard) ask(question string, answer any) error {
	if _, err := fmt.Fprintln(d.to, question); err != nil {
		return fmt.Errorf("ask the sink: %w", err)
	}
	if err := d.from.Decode(answer); err != nil {
		return fmt.Errorf("the sink does not answer: %w", err)
	}
	return nil
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

func (d *discard) close() error {
	return errors.Join(d.to.Close(), d.cmd.Wait())
}

// mailsink is the sink of that name, which keeps count of every recipient and can make trouble.
type mailsink struct {
	cmd           *exec.Cmd
	address, http string
}

// startMailsink starts the program, or builds it first if a folder is given.
func startMailsink(ctx context.Context, path, dir string) (*mailsink, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("mailsink: %w", err)
	} else if info.IsDir() {
		program := filepath.Join(dir, "mailsink")
		build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
		build.Dir = path
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build mailsink: %w\n%s", err, out)
		}
		path = program
	}
	m := &mailsink{}
	var err error
	if m.address, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	if m.http, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	m.cmd = exec.CommandContext(ctx, path, "-smtp", m.address, "-http", m.http)
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start mailsink: %w", err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, err := m.stats(ctx, kindReader)
		if err == nil {
			return m, nil
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("mailsink does not start: %w", err), m.close())
		}
	}
}

func (m *mailsink) call(ctx context.Context, method, path string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+m.http+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() // it was read
	return json.NewDecoder(resp.Body).Decode(answer)
}

func (m *mailsink) name() string { return "mailsink" }

func (m *mailsink) addr() string { return m.address }

func (m *mailsink) reset(ctx context.Context) error {
	var nothing any
	return m.call(ctx, http.MethodPost, "/reset", &nothing)
}

func (m *mailsink) stats(ctx context.Context, _ byte) (sink.Stats, error) {
	var got struct {
		Accepted, Distinct, Bytes int
		First, Last               string
		ConnsOpened               int     `json:"conns_opened"`
		User                      float64 `json:"cpu_user_s"`
		System                    float64 `json:"cpu_sys_s"`
	}
	if err := m.call(ctx, http.MethodGet, "/stats", &got); err != nil {
		return sink.Stats{}, err
	}
	s := sink.Stats{Accepted: got.Accepted, Distinct: got.Distinct, Bytes: int64(got.Bytes), Connections: got.ConnsOpened, CPU: got.User + got.System}
	// They are empty before the first message.
	s.First, _ = time.Parse(time.RFC3339Nano, got.First)
	s.Last, _ = time.Parse(time.RFC3339Nano, got.Last)
	return s, nil
}

func (m *mailsink) sample(context.Context) ([]byte, error) { return nil, nil }

func (m *mailsink) close() error {
	err := m.cmd.Process.Kill()
	_ = m.cmd.Wait() // it says that it was killed
	return err
}

// freeAddress returns an address of the loopback that nobody listens on now.
func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
