package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Mailsink is the relay of that name, a process of its own: it keeps count of every recipient
// and makes trouble when told to.
type Mailsink struct {
	SMTP string // where it takes mail
	http string
	cmd  *exec.Cmd
}

// How long it may take to start, and how often it is asked whether it has.
const (
	startTime = 10 * time.Second
	startPoll = 10 * time.Millisecond
)

// StartMailsink starts the program at path, or builds it in dir first if path is the folder
// of its source.
func StartMailsink(ctx context.Context, path, dir string) (*Mailsink, error) {
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
	m := &Mailsink{}
	if m.SMTP, err = FreeAddress(ctx); err != nil {
		return nil, err
	}
	if m.http, err = FreeAddress(ctx); err != nil {
		return nil, err
	}
	m.cmd = exec.CommandContext(ctx, path, "-smtp", m.SMTP, "-http", m.http)
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start mailsink: %w", err)
	}
	if err := m.wait(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("mailsink does not start: %w", err), m.Close())
	}
	return m, nil
}

// wait returns when it answers.
func (m *Mailsink) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	poll := time.NewTicker(startPoll)
	defer poll.Stop()
	for {
		_, err := m.Call(ctx, http.MethodGet, "/stats", "")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-poll.C:
		}
	}
}

// Call asks it something; its README has what there is. An answer other than 200 is an error.
func (m *Mailsink) Call(ctx context.Context, method, path, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+m.http+path, strings.NewReader(body))
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

// Reset makes it forget what it has counted.
func (m *Mailsink) Reset(ctx context.Context) error {
	_, err := m.Call(ctx, http.MethodPost, "/reset", "")
	return err
}

// Close ends the process.
func (m *Mailsink) Close() error {
	err := m.cmd.Process.Kill()
	_ = m.cmd.Wait() // it says that it was killed
	return err
}
