package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

const sendTime = 10 * time.Minute // a send that takes longer hangs

// signUp measures sign-ups on a serve: at a bare Echo that answers the same, alone, while it delivers an edition
// that another process planned, and while that is planned. All of them are durable, each comes from another client
// as a trusted proxy says, and each has its confirmation mail sent to the same sink, or put off if there are many.
func (b *bench) signUp(ctx context.Context) error {
	sink, err := startDiscard(ctx)
	if err != nil {
		return err
	}
	for i := range b.rounds {
		err := b.signUpRound(ctx, sink, i == b.rounds-1)
		if err == nil {
			err = b.noneLater(ctx, sink)
		}
		if err != nil {
			return errors.Join(err, sink.close())
		}
	}
	return sink.close()
}

func (b *bench) signUpRound(ctx context.Context, t target, last bool) error {
	dir, err := b.site.copy(ctx, b.readers)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // so is the folder above it
	if err := t.reset(ctx); err != nil {
		return err
	}
	relay := b.relay(t)
	s, err := b.startServe(ctx, dir, relay...)
	if err != nil {
		return err
	}
	w := watch(s.cmd.Process.Pid)
	err = b.signUpPhases(ctx, t, s, dir, relay, last)
	peak, _ := w.stop()
	if err := errors.Join(err, s.stop()); err != nil {
		return err
	}
	confirmations, err := t.stats(ctx, kindSignUp)
	if err != nil {
		return err
	}
	b.report.add("signup", "all of it", "confirmations sent", float64(confirmations.Accepted))
	b.report.add("signup", "all of it", "peak MB", float64(peak)/megabyte)
	return nil
}

func (b *bench) relay(t target) []string {
	return []string{"SMTP_URL=smtp://" + t.addr(), fmt.Sprintf("SMTP_CONNECTIONS=%d", b.conns)}
}

// noneLater signs up where no confirmation mail is ever put off, so that they are carried meanwhile.
func (b *bench) noneLater(ctx context.Context, t target) error {
	dir, err := b.site.copy(ctx, b.readers)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // so is the folder above it
	s, err := b.startServe(ctx, dir, append(b.relay(t), "SIGNUPS_PER_HOUR=1000000000", "NEWSLETTER_SIGNUPS_PER_HOUR=1000000000")...)
	if err != nil {
		return err
	}
	l, err := startLoad(ctx, s.addr, s.cmd.Process.Pid)
	if err != nil {
		return errors.Join(err, s.stop())
	}
	p, err := l.alone(ctx, "alone, and no mail is put off", b.phase)
	if err == nil {
		b.tell(p)
	}
	return errors.Join(err, l.close(), s.stop())
}

// tell records a phase.
func (b *bench) tell(p served) {
	b.report.add("signup", p.Name, "sign-ups/s", p.rate())
	b.report.add("signup", p.Name, "p50 ms", p.P50)
	b.report.add("signup", p.Name, "p99 ms", p.P99)
	b.report.add("signup", p.Name, "max ms", p.Max)
	b.report.add("signup", p.Name, "CPU µs", float64(p.cpu)/float64(time.Microsecond)/float64(max(p.SignUps, 1)))
	b.report.add("signup", p.Name, "lasted s", p.Seconds)
}

// signUpPhases signs up while different things go on.
func (b *bench) signUpPhases(ctx context.Context, t target, s *service, dir string, relay []string, last bool) error {
	bare, err := b.bareEcho(ctx, s)
	if err != nil {
		return err
	}
	l, err := startLoad(ctx, s.addr, s.cmd.Process.Pid)
	if err != nil {
		return err
	}
	alone, err := l.alone(ctx, "alone", b.phase)
	if err == nil {
		b.tell(alone)
		b.report.add("signup", "alone", "of bare Echo", alone.rate()/bare.rate())
		err = b.whileSending(ctx, t, s, l, dir, relay)
	}
	if err == nil && last && b.sustain > 0 {
		err = b.sustained(ctx, s, l, dir)
	}
	return errors.Join(err, l.close())
}

// whileSending signs up while an edition is planned and while it is sent.
func (b *bench) whileSending(ctx context.Context, t target, s *service, l *loader, dir string, relay []string) error {
	if _, err := l.next("while " + counted(b.readers, "reader") + " are planned"); err != nil {
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
	p, err := l.next("while they are sent to")
	if err != nil {
		return err
	}
	b.tell(p)
	if err := b.arrived(ctx, t, b.readers, ended); err != nil {
		return err
	}
	b.report.add("signup", "the send meanwhile", "messages/s", float64(b.readers)/time.Since(start).Seconds())
	// What is left is the end of the command that watches, which is nobody's phase.
	if p, err = l.next(""); err != nil {
		return err
	}
	b.tell(p)
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
