package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// fault is something that is done to an edition, and what operators have to see of it.
type fault struct {
	name, what string
	sees       string // is in a line that the program prints; empty: nothing need be seen
	most       int    // how many such lines there may be; 0: one
	refused    bool   // some are refused
	do         func(context.Context, *site, *program, *result) error
	settings   []string
	disk       func(ctx context.Context, dir string) (undo func(), skipped string) // nil: an ordinary one
}

// faults returns all of them in the order in which they are done.
func faults() []fault {
	list := []fault{
		{name: "none", what: "nothing goes wrong", do: relayFault("{}")},
		{name: "kill", what: "SIGKILL at random instants of the delivery", sees: "they are in doubt", most: 1 << 20, do: kill},
	}
	list = append(list, relayFaults()...)
	return append(list, []fault{
		{name: "term", what: "SIGTERM and SIGHUP in the middle", sees: "stopped; ", most: 2, do: stopBySignal},
		{name: "stop", what: "SIGSTOP for 20 s, then SIGCONT", do: freeze},
		{name: "disk", what: "the disk is full for 5 s", sees: "results cannot be recorded now", do: fillDisk, disk: smallDisk},
		{name: "lock", what: "another process locks the database for 10 s", do: lockDatabase(10 * time.Second)},
		{name: "longlock", what: "another process locks the database for 25 s", sees: "held the database", most: 3, do: lockDatabase(25 * time.Second)},
		{name: "clock", what: "the clock jumps by hours", do: jumpClock},
		{name: "serve", what: "sign-ups and leaving while serve delivers", do: serveReaders, settings: []string{"LISTEN=127.0.0.1:0", "BASE_URL=http://localhost:8080"}},
	}...)
}

// relayFaults are those that mailsink makes. Each begins with the edition.
func relayFaults() []fault {
	const (
		cut   = "a connection ended within a message"
		doubt = "did not answer to a whole message"
		// A reset within the content may find the dot in the system's buffer: then it is in doubt.
		warned = "level=WARN"
	)
	return []fault{
		{name: "451", what: "451 to the first RCPT of a tenth of the readers", do: relayFault(`{"rcpt_temp":{"frac":0.1,"tries":1}}`)},
		{name: "550", what: "550 to RCPT for a twentieth of the readers", refused: true, do: relayFault(`{"rcpt_perm":{"frac":0.05}}`)},
		{name: "421-in-data", what: "421 within the content", sees: cut, do: relayFault(`{"data_421":{"frac":0.01,"tries":1}}`)},
		{name: "rst-in-data", what: "TCP reset within the content", sees: warned, most: 2, do: relayFault(`{"data_421":{"frac":0.01,"tries":1,"rst":true}}`)},
		{name: "452-at-dot", what: "452 to the final dot", do: relayFault(`{"data_reject":{"frac":0.1,"tries":1}}`)},
		{name: "closed-at-dot", what: "closed after the final dot, before the reply", sees: doubt, do: relayFault(`{"drop_before_250":{"frac":0.01,"tries":1}}`)},
		{name: "rst-at-dot", what: "reset after the final dot, before the reply", sees: doubt, do: relayFault(`{"drop_before_250":{"frac":0.01,"tries":1,"rst":true}}`)},
		{name: "slow", what: "2 ms before each reply", do: relayFault(`{"delay_ms":{"all":2}}`)},
		{name: "max-conns", what: "421 at connect beyond 4 connections", sees: "a relay takes no m", most: 2, do: relayFault(`{"max_conns":4,"delay_ms":{"eod":2}}`)},
		{name: "max-msgs", what: "421 after 50 messages of a connection", do: relayFault(`{"max_msgs_per_conn":50}`)},
		{name: "down", what: "the relay is down for 30 s", sees: "a relay takes no mail", do: relayFault(`{"down_s":30,"down_after":5000,"delay_ms":{"eod":2}}`)},
		{name: "all", what: "all of these at once", refused: true, sees: cut, do: relayFault(`{"rcpt_temp":{"frac":0.05,"tries":1},"rcpt_perm":{"frac":0.02},
			"data_421":{"frac":0.01,"tries":1},"data_reject":{"frac":0.02,"tries":1},"drop_before_250":{"frac":0.01,"tries":1},
			"delay_ms":{"eod":1},"max_conns":8,"max_msgs_per_conn":200,"down_s":3,"down_after":9000}`)},
	}
}

// do does one fault to a new edition, and settles the account.
func (s *site) do(ctx context.Context, f fault) result {
	r := result{fault: f}
	dir := filepath.Join(s.dir, f.name)
	if f.disk != nil {
		undo, skipped := f.disk(ctx, dir)
		if skipped != "" {
			r.skipped = skipped
			return r
		}
		defer undo()
	}
	p, err := s.place(ctx, dir, f.settings...)
	if err != nil {
		r.wrong("%v", err)
		return r
	}
	err = f.do(ctx, s, p, &r)
	if err == nil && r.skipped == "" {
		err = p.settle(ctx, &r)
	}
	if err != nil {
		r.wrong("%v", err)
	}
	if r.skipped != "" {
		return r
	}
	if (r.account.Refused > 0) != f.refused {
		r.wrong("%d are refused", r.account.Refused)
	}
	if f.sees == "" {
		return r
	}
	lines := p.said.lines(f.sees)
	if len(lines) == 0 {
		r.wrong("the operator does not see %q", f.sees)
		return r
	}
	r.lines = lines[:1]
	if len(lines) > max(1, f.most) {
		r.wrong("the operator sees it %d times", len(lines))
	}
	return r
}

// relayFault sends an edition to a relay that misbehaves.
func relayFault(settings string) func(context.Context, *site, *program, *result) error {
	return func(ctx context.Context, s *site, p *program, _ *result) error {
		if err := s.sink.setFaults(ctx, settings); err != nil {
			return err
		}
		run, err := p.send(ctx)
		if err != nil {
			return err
		}
		<-run.ended
		if run.err != nil {
			return fmt.Errorf("send ends with %w: %s", run.err, p.lastLine())
		}
		return nil
	}
}

func (p *program) lastLine() string {
	lines := p.said.lines("")
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}

// underWay starts an edition that lasts, and returns when so many are taken.
func (s *site) underWay(ctx context.Context, p *program, taken int) (*running, error) {
	if err := s.sink.setFaults(ctx, `{"delay_ms":{"eod":5}}`); err != nil {
		return nil, err
	}
	run, err := p.send(ctx)
	if err != nil {
		return nil, err
	}
	return run, s.waitTaken(ctx, run, taken)
}

// waitTaken returns when the relay has taken so many messages.
func (s *site) waitTaken(ctx context.Context, run *running, taken int) error {
	for {
		n, err := s.sink.accepted(ctx)
		switch {
		case err != nil:
			return err
		case n >= taken:
			return nil
		case run.isOver():
			return errors.New("the sender ended before its time")
		}
		pause(ctx, 5*time.Millisecond)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// finish waits for the sender, and starts it again as staff would if it has failed.
func (p *program) finish(ctx context.Context, run *running, r *result) error {
	for again := 0; ; again++ {
		<-run.ended
		if run.err == nil {
			if again > 0 {
				r.note += fmt.Sprintf("the same command was given %d more times", again)
			}
			return nil
		}
		if again == 5 || ctx.Err() != nil {
			return fmt.Errorf("send ends with %w: %s", run.err, p.lastLine())
		}
		pause(ctx, time.Second)
		var err error
		if run, err = p.send(ctx); err != nil {
			return err
		}
	}
}
