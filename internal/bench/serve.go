package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"broadsheet/internal/trial"
)

// service is a serve that runs.
type service struct {
	cmd    *exec.Cmd
	addr   string
	log    *os.File
	start  time.Duration // until it answered
	exited chan error
}

// startServe starts serve on the database of a folder, and waits until it answers. Its log is in the folder.
func (b *bench) startServe(ctx context.Context, dir string, settings ...string) (*service, error) {
	addr, err := trial.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "serve.log"))
	if err != nil {
		return nil, err
	}
	settings = append([]string{"LISTEN=" + addr, "BASE_URL=http://" + addr, "TRUSTED_PROXIES=127.0.0.1/32"}, settings...)
	s := &service{cmd: b.site.command(ctx, dir, settings, "serve"), addr: addr, log: log, exited: make(chan error, 1)}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	begun := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { s.exited <- s.cmd.Wait() }()
	for begun.Add(30 * time.Second).After(time.Now()) {
		if s.healthy(ctx) {
			s.start = time.Since(begun)
			return s, nil
		}
		select {
		case err := <-s.exited:
			return nil, fmt.Errorf("serve ended: %w\n%s", err, fileText(log.Name()))
		case <-time.After(time.Millisecond):
		}
	}
	return nil, fmt.Errorf("serve does not answer\n%s", fileText(log.Name()))
}

func (s *service) healthy(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/healthz", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close() // nothing of it is wanted
	return resp.StatusCode == http.StatusOK
}

// memory returns the bytes that it has in memory now.
func (s *service) memory() int64 { return processMemory(s.cmd.Process.Pid, "VmRSS") }

// stop ends it in good order.
func (s *service) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := <-s.exited; err != nil {
		return fmt.Errorf("serve ended with %w\n%s", err, fileText(s.log.Name()))
	}
	return s.log.Close()
}

// serve measures the start, and the memory of a service that has nothing to do.
func (b *bench) serve(ctx context.Context) error {
	for range b.rounds {
		for _, readers := range []int{1, b.readers} {
			dir, err := b.site.copy(ctx, readers)
			if err != nil {
				return err
			}
			s, err := b.startServe(ctx, dir)
			if err != nil {
				return err
			}
			what := counted(readers, "reader")
			b.report.add("serve", what, "start ms", float64(s.start)/float64(time.Millisecond))
			select {
			case <-ctx.Done():
			case <-time.After(b.idle):
			}
			b.report.add("serve", what, "idle MB", float64(s.memory())/megabyte)
			if err := s.stop(); err != nil {
				return err
			}
		}
	}
	return nil
}
