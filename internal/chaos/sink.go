package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// sink is mailsink, which counts what each recipient gets and makes trouble when told to.
type sink struct {
	cmd        *exec.Cmd
	smtp, http string
}

// startSink starts the program, or builds it first if path is the folder of its source.
func startSink(ctx context.Context, path, dir string) (*sink, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("mailsink is missing: %w; say MAILSINK=path of the program or of its source", err)
	}
	if info.IsDir() {
		program := filepath.Join(dir, "mailsink")
		build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", program, ".")
		build.Dir = path
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build mailsink: %w\n%s", err, out)
		}
		path = program
	}
	s := &sink{}
	if s.smtp, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	if s.http, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	s.cmd = exec.CommandContext(ctx, path, "-smtp", s.smtp, "-http", s.http)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start mailsink: %w", err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		_, err := s.accepted(ctx)
		if err == nil {
			return s, nil
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("mailsink does not start: %w", err), s.close())
		}
		pause(ctx, 10*time.Millisecond)
	}
}

func (s *sink) close() error {
	err := s.cmd.Process.Kill()
	_ = s.cmd.Wait() // it says that it was killed
	return err
}

func (s *sink) call(ctx context.Context, method, path, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.http+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() // it was read
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("mailsink: %s %s: %s", path, resp.Status, data)
	}
	return data, err
}

func (s *sink) reset(ctx context.Context) error {
	_, err := s.call(ctx, http.MethodPost, "/reset", "")
	return err
}

func (s *sink) setFaults(ctx context.Context, faults string) error {
	_, err := s.call(ctx, http.MethodPost, "/faults", faults)
	return err
}

// accepted returns how many messages it has taken.
func (s *sink) accepted(ctx context.Context) (int, error) {
	var stats struct{ Accepted int }
	data, err := s.call(ctx, http.MethodGet, "/stats", "")
	if err == nil {
		err = json.Unmarshal(data, &stats)
	}
	return stats.Accepted, err
}

// taken is what one recipient got.
type taken struct {
	count int
	same  bool // all with one Message-ID
}

func (s *sink) recipients(ctx context.Context) (map[string]taken, error) {
	data, err := s.call(ctx, http.MethodGet, "/recipients?full=1", "")
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("mailsink: %w", err)
	}
	got := map[string]taken{}
	for _, row := range rows[1:] {
		n, err := strconv.Atoi(row[1])
		if err != nil {
			return nil, fmt.Errorf("mailsink: %w", err)
		}
		got[row[0]] = taken{n, row[5] == row[6]}
	}
	return got, nil
}

// freeAddress returns an address of the loopback that nobody listens on now.
func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
