package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	signUpConns = 32
	looks       = 20 // how often a sustained load is looked at
)

// loader is the child that signs up, as whoever started it sees it.
type loader struct {
	*helper
	at  int           // the process that answers
	cpu time.Duration // that it had used when the phase began
}

// served is a phase, with the CPU time of the process that answered.
type served struct {
	phase
	cpu time.Duration
}

func startLoad(ctx context.Context, addr string, pid int) (*loader, error) {
	h, err := startHelper(ctx, childLoad, "-addr", addr, "-conns", strconv.Itoa(signUpConns))
	if err != nil {
		return nil, fmt.Errorf("start the load: %w", err)
	}
	return &loader{helper: h, at: pid}, nil
}

// next begins a phase, none if the name is empty, and returns the one that ends with that.
func (l *loader) next(name string) (served, error) {
	var ended *phase
	if err := l.ask(name, &ended); err != nil {
		return served{}, err
	}
	before := l.cpu
	l.cpu, _ = processCPU(l.at) // 0 where it is not known
	if ended == nil {
		return served{}, nil
	}
	return served{*ended, l.cpu - before}, nil
}

// alone runs one phase of that length.
func (l *loader) alone(ctx context.Context, name string, d time.Duration) (served, error) {
	if _, err := l.next(name); err != nil {
		return served{}, err
	}
	select {
	case <-ctx.Done():
		return served{}, ctx.Err()
	case <-time.After(d):
	}
	return l.next("")
}

// sustained signs up for as long as is asked for, and prints at intervals what the service and its files have come
// to, which has to stay flat, the database aside.
func (b *bench) sustained(ctx context.Context, s *service, l *loader, dir string) error {
	b.say("sustained for %s:", b.sustain)
	b.say("%10s %12s %8s %8s %10s %8s %12s", "after", "sign-ups/s", "p99 ms", "max ms", "memory MB", "log MB", "database MB")
	for i := range looks {
		p, err := l.alone(ctx, "sustained", b.sustain/looks)
		if err != nil {
			return err
		}
		size, sizeErr := os.Stat(filepath.Join(dir, "broadsheet.db"))
		wal, walErr := os.Stat(filepath.Join(dir, "broadsheet.db-wal"))
		if err := errors.Join(sizeErr, walErr); err != nil {
			return err
		}
		memory, log := float64(s.memory())/megabyte, float64(wal.Size())/megabyte
		after := b.sustain * time.Duration(i+1) / looks
		b.say("%10s %12s %8.1f %8.1f %10.1f %8.1f %12s", after, number(p.rate()), p.P99, p.Max, memory, log, number(float64(size.Size())/megabyte))
		b.tell(p)
		b.report.add("signup", "sustained", "memory MB", memory)
		b.report.add("signup", "sustained", "log MB", log)
	}
	return nil
}
