package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"
)

const (
	signUpConns = 32
	sendTime    = 10 * time.Minute // a send that takes longer hangs
)

// signUp measures sign-ups on a serve: alone, while it delivers an edition that another process planned, and
// while that is planned. All of them are durable, and each has its confirmation mail sent to the same sink.
func (b *bench) signUp(ctx context.Context) error {
	sink, err := startDiscard(ctx)
	if err != nil {
		return err
	}
	for range b.rounds {
		if err := b.signUpRound(ctx, sink); err != nil {
			return errors.Join(err, sink.close())
		}
	}
	return sink.close()
}

func (b *bench) signUpRound(ctx context.Context, t target) error {
	dir, err := b.site.copy(ctx, b.readers)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // so is the folder above it
	if err := t.reset(ctx); err != nil {
		return err
	}
	relay := []string{"SMTP_URL=smtp://" + t.addr(), fmt.Sprintf("SMTP_CONNECTIONS=%d", b.conns)}
	s, err := b.startServe(ctx, dir, relay...)
	if err != nil {
		return err
	}
	w := watch(s.cmd.Process.Pid)
	phases, err := b.signUpPhases(ctx, t, s, dir, relay)
	peak, _ := w.stop()
	if err := errors.Join(err, s.stop()); err != nil {
		return err
	}
	for _, p := range phases {
		b.report.add("signup", p.Name, "sign-ups/s", float64(p.SignUps)/p.Seconds)
		b.report.add("signup", p.Name, "p50 ms", p.P50)
		b.report.add("signup", p.Name, "p99 ms", p.P99)
		b.report.add("signup", p.Name, "max ms", p.Max)
		b.report.add("signup", p.Name, "lasted s", p.Seconds)
	}
	confirmations, err := t.stats(ctx, kindSignUp)
	if err != nil {
		return err
	}
	b.report.add("signup", "all of it", "confirmations sent", float64(confirmations.Accepted))
	b.report.add("signup", "all of it", "peak MB", float64(peak)/megabyte)
	return nil
}

// signUpPhases signs up while different things go on.
func (b *bench) signUpPhases(ctx context.Context, t target, s *service, dir string, relay []string) ([]phase, error) {
	cmd, err := child(ctx, childLoad, "-addr", s.addr, "-conns", strconv.Itoa(signUpConns))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	tell, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	err = b.tellPhases(ctx, t, s, dir, relay, tell)
	if err := errors.Join(err, tell.Close(), cmd.Wait()); err != nil {
		return nil, err
	}
	var phases []phase
	err = json.Unmarshal(out.Bytes(), &phases)
	return phases, err
}

// tellPhases tells the load what is going on now.
func (b *bench) tellPhases(ctx context.Context, t target, s *service, dir string, relay []string, tell io.Writer) error {
	if _, err := fmt.Fprintln(tell, "alone"); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(b.phase):
	}
	if _, err := fmt.Fprintln(tell, "while "+counted(b.readers, "reader")+" are planned"); err != nil {
		return err
	}
	b.site.feed.publish(true)
	send := b.site.command(ctx, dir, append(relay, "BASE_URL=http://"+s.addr), "send", slug, "--yes", "--json")
	ended := make(chan error, 1)
	go func() { ended <- runQuietly(send) }()
	if err := b.arrived(ctx, t, 1, ended); err != nil {
		return err
	}
	start := time.Now()
	if _, err := fmt.Fprintln(tell, "while they are sent to"); err != nil {
		return err
	}
	if err := b.arrived(ctx, t, b.readers, ended); err != nil {
		return err
	}
	b.report.add("signup", "the send meanwhile", "messages/s", float64(b.readers)/time.Since(start).Seconds())
	// What is left is the end of the command that watches, which is nobody's phase.
	if _, err := fmt.Fprintln(tell); err != nil {
		return err
	}
	return <-ended
}

func runQuietly(cmd *exec.Cmd) error {
	_, _, err := measure(cmd)
	return err
}

// arrived waits until so many digests are at the sink.
func (b *bench) arrived(ctx context.Context, t target, n int, ended chan error) error {
	for deadline := time.Now().Add(sendTime); time.Now().Before(deadline); {
		got, err := t.stats(ctx, kindReader)
		if err != nil || got.Accepted >= n {
			return err
		}
		select {
		case err := <-ended:
			if ended <- err; err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("less than %s arrived in %s", counted(n, "message"), sendTime)
}
