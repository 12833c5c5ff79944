package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"broadsheet/internal/bench/sink"
	"broadsheet/internal/trial"
)

// shot is one run of somebody who sends.
type shot struct {
	usage
	took    sink.Stats    // what arrived
	sinkCPU time.Duration // that the sink used meanwhile
	others  float64       // how much of all cores other processes of the machine took meanwhile, 0 to 1
	before  time.Duration // until the first message was accepted
	size    int64         // bytes of a message
	edition int64         // of the sender
	report  []byte        // the sender's own, as JSON
}

// rate returns messages a second, from the first that was accepted to the last.
func (s shot) rate() float64 {
	return float64(s.took.Accepted) / max(s.took.Last.Sub(s.took.First), time.Microsecond).Seconds()
}

// work returns microseconds a message of CPU time on both sides of the connection. Where both share the cores, it
// decides the rate.
func (s shot) work() float64 { return s.perMessage(s.CPU + s.sinkCPU) }

// perMessage returns microseconds a message.
func (s shot) perMessage(d time.Duration) float64 {
	return float64(d) / float64(time.Microsecond) / float64(max(1, s.took.Accepted))
}

// shoot runs a command that sends so many messages to the sink, and checks that they arrived, each for another
// recipient if distinct is set.
func (b *bench) shoot(ctx context.Context, t target, cmd *exec.Cmd, messages int, distinct bool) (shot, error) {
	var s shot
	if err := t.reset(ctx); err != nil {
		return s, err
	}
	before, err := t.stats(ctx, kindReader)
	if err != nil {
		return s, err
	}
	start, busy := time.Now(), machineCPU()
	own, err := ownCPU()
	if err != nil {
		return s, err
	}
	if s.usage, s.report, err = measure(cmd); err != nil {
		return s, err
	}
	busy = machineCPU() - busy
	ownAfter, err := ownCPU()
	if err != nil {
		return s, err
	}
	if s.took, err = t.stats(ctx, kindReader); err != nil {
		return s, err
	}
	s.sinkCPU = time.Duration((s.took.CPU - before.CPU) * float64(time.Second))
	s.others = max(0, float64(busy-s.CPU-s.sinkCPU-(ownAfter-own))/float64(s.Wall)/float64(runtime.NumCPU()))
	s.before = s.took.First.Sub(start)
	s.size = s.took.Bytes / int64(max(1, s.took.Accepted))
	if s.took.Accepted != messages || distinct && s.took.Distinct != messages {
		return s, fmt.Errorf("%d messages for %d recipients arrived at the sink instead of %d", s.took.Accepted, s.took.Distinct, messages)
	}
	return s, nil
}

// sender sends an edition to so many readers by the program, and holds the ledger against the sink. It returns the
// folder of the database as well.
func (b *bench) sender(ctx context.Context, t target, readers int, settings ...string) (shot, string, error) {
	dir, err := b.site.copy(ctx, readers)
	if err != nil {
		return shot{}, "", err
	}
	b.site.feed.publish(true)
	settings = append(settings, "SMTP_URL=smtp://"+t.addr(), fmt.Sprintf("SMTP_CONNECTIONS=%d", b.conns))
	s, err := b.shoot(ctx, t, b.site.command(ctx, dir, settings, "send", slug, "--yes", "--json"), readers, true)
	if err != nil {
		return s, dir, err
	}
	var ledger struct {
		Edition           int64
		Planned, Accepted int
	}
	if err := json.Unmarshal(s.report, &ledger); err != nil {
		return s, dir, fmt.Errorf("what send prints: %w", err)
	}
	if s.edition = ledger.Edition; ledger.Planned != readers || ledger.Accepted != readers {
		return s, dir, fmt.Errorf("the ledger has %d planned and %d accepted, the sink %d", ledger.Planned, ledger.Accepted, s.took.Accepted)
	}
	return s, dir, nil
}

// send runs everybody who sends against each sink, in turn.
func (b *bench) send(ctx context.Context) error {
	targets, end, err := b.targets(ctx)
	if err != nil {
		return err
	}
	defer end()
	key, err := newSigner()
	if err != nil {
		return err
	}
	size, signs, err := b.probe(ctx, targets[0], key)
	if err != nil {
		return err
	}
	b.say("A message has %s bytes; %s to each contender, %d connections.", number(float64(size)), counted(b.readers, "message"), b.conns)
	if !signs {
		b.say("This program does not sign, so nothing is measured signed.")
	}
	for range b.rounds {
		signing, err := key.measure(b, int(size))
		if err != nil {
			return err
		}
		for _, t := range targets {
			if err := b.round(ctx, t, size, key, signs, signing); err != nil {
				return err
			}
		}
	}
	return nil
}

// targets starts the sinks; call end when done.
func (b *bench) targets(ctx context.Context) (list []target, end func(), err error) {
	end = func() {
		for _, t := range list {
			_ = t.close() // all that it had to say was said
		}
	}
	d, err := startDiscard(ctx)
	if err != nil {
		return nil, end, err
	}
	list = append(list, d)
	if b.mailsink == "" {
		return list, end, nil
	}
	m, err := trial.StartMailsink(ctx, b.mailsink, b.site.dir)
	if err != nil {
		end()
		return nil, end, err
	}
	return append(list, mailsink{m}), end, nil
}

// probe sends to one reader, and returns the size of the message, and whether the program signs when it is told
// to; a signature that is wrong is an error.
func (b *bench) probe(ctx context.Context, t target, key *signer) (size int64, signs bool, err error) {
	settings, err := key.settings(b.site.dir)
	if err != nil {
		return 0, false, err
	}
	if _, _, err := b.sender(ctx, t, 1, settings...); err != nil {
		return 0, false, err
	}
	message, err := t.sample(ctx)
	if err != nil {
		return 0, false, err
	}
	if signs, err = key.verify(message); err != nil {
		return 0, signs, err
	}
	s, _, err := b.sender(ctx, t, 1)
	return s.size, signs, err
}

// round measures everybody once.
func (b *bench) round(ctx context.Context, t target, size int64, key *signer, signs bool, signing time.Duration) error {
	var plain shot
	for _, mode := range []string{rawPlain, rawPipelined, rawAcross} {
		cmd, err := child(ctx, childRaw, "-addr", t.addr(), "-mode", mode, "-messages", strconv.Itoa(b.readers),
			"-conns", strconv.Itoa(b.conns), "-size", strconv.FormatInt(size, 10))
		if err != nil {
			return err
		}
		s, err := b.shoot(ctx, t, cmd, b.readers, true)
		if err != nil {
			return fmt.Errorf("raw client, %s: %w", mode, err)
		}
		if mode == rawPlain {
			plain = s
		}
		b.record(t, "raw client, "+mode, s, plain)
	}
	if err := b.smtpSources(ctx, t, size, plain); err != nil {
		return err
	}
	s, dir, err := b.sender(ctx, t, b.readers)
	if err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	b.record(t, "sender", s, plain)
	b.recordSender(t, "sender", s)
	if !signs {
		return os.RemoveAll(dir)
	}
	settings, err := key.settings(b.site.dir)
	if err != nil {
		return err
	}
	s, signed, err := b.sender(ctx, t, b.readers, settings...)
	if err != nil {
		return fmt.Errorf("sender, signed: %w", err)
	}
	what := "sender, signed"
	b.record(t, what, s, plain)
	b.recordSender(t, what, s)
	most := float64(b.report.Machine.Cores) / signing.Seconds()
	b.report.add("send", label(t, what), "of cores÷signature", s.rate()/most)
	b.report.add("send", label(t, what), "that by CPU", micros(signing)/s.work())
	if err := os.RemoveAll(signed); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// smtpSources runs Postfix's client, if there is one.
func (b *bench) smtpSources(ctx context.Context, t target, size int64, plain shot) error {
	program, err := exec.LookPath(b.smtpSource)
	if err != nil {
		return nil // it is left out, as its help says
	}
	host, port, err := net.SplitHostPort(t.addr())
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, "-d", "-s", strconv.Itoa(b.conns), "-m", strconv.Itoa(b.readers),
		"-l", strconv.FormatInt(size, 10), "-f", "news@bench.example.org", "-t", string(rune(kindReader))+"@bench.example.org",
		net.JoinHostPort(host, port))
	s, err := b.shoot(ctx, t, cmd, b.readers, false)
	if err != nil {
		return fmt.Errorf("smtp-source: %w", err)
	}
	b.record(t, "smtp-source -d", s, plain)
	return nil
}

func label(t target, what string) string { return t.name() + ": " + what }

// record records what all contenders have; plain is the raw client without pipelining in the same round.
func (b *bench) record(t target, what string, s, plain shot) {
	what = label(t, what)
	b.report.add("send", what, "messages/s", s.rate())
	b.report.add("send", what, "of plain", s.rate()/plain.rate())
	b.report.add("send", what, "of plain by CPU", plain.work()/s.work())
	b.report.add("send", what, "CPU µs", s.perMessage(s.CPU))
	b.report.add("send", what, "sink µs", s.perMessage(s.sinkCPU))
	b.report.add("send", what, "others %", 100*s.others)
}

// recordSender records what a ledger adds.
func (b *bench) recordSender(t target, what string, s shot) {
	what = label(t, what)
	b.report.add("send", what, "delivering µs", s.perMessage(s.since(s.took.First)))
	b.report.add("send", what, "peak MB", float64(s.Peak)/megabyte)
	b.report.add("send", what, "before first s", s.before.Seconds())
	b.report.add("send", what, "whole s", s.Wall.Seconds())
}

// counted writes a number with its noun.
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return grouped(strconv.Itoa(n)) + " " + noun
}
