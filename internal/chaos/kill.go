package main

import (
	"context"
	"fmt"
	"time"
)

// kill kills the sender at random instants. Each kill falls into the delivery: the relay has
// taken something since the last one, and the edition is not finished.
func kill(ctx context.Context, s *site, p *program, r *result) error {
	// An edition that would last 25 s: half of it goes on between two kills, on average.
	const lasts = 25 * time.Second
	perMessage := lasts * time.Duration(s.connections) / time.Duration(s.readers)
	if err := s.sink.setFaults(ctx, fmt.Sprintf(`{"delay_ms":{"eod":%d}}`, perMessage.Milliseconds())); err != nil {
		return err
	}
	mean := lasts * 8 / 10 / time.Duration(s.kills)
	kills, before := 0, 0
	for kills < s.kills {
		run, err := p.send(ctx)
		if err != nil {
			return err
		}
		if err := s.waitTaken(ctx, run, before+1); err != nil {
			return fmt.Errorf("after %d kills: %w: %s", kills, err, p.lastLine())
		}
		pause(ctx, time.Duration(s.random.Int64N(int64(2*mean))))
		if run.isOver() {
			return fmt.Errorf("the edition was finished after %d kills", kills)
		}
		if err := run.cmd.Process.Kill(); err != nil {
			return err
		}
		<-run.ended
		kills++
		if before, err = s.sink.accepted(ctx); err != nil {
			return err
		}
	}
	run, err := p.send(ctx)
	if err != nil {
		return err
	}
	<-run.ended
	if run.err != nil {
		return fmt.Errorf("the last send ends with %w: %s", run.err, p.lastLine())
	}
	doubted, err := p.rows(ctx, "--doubted")
	if err != nil {
		return err
	}
	got, err := s.sink.recipients(ctx)
	if err != nil {
		return err
	}
	twice := 0
	for _, t := range got {
		twice += t.count - 1
	}
	r.note = fmt.Sprintf("killed %d times, the last time with %d of %d taken; at most %d may be twice", kills, before, s.readers, kills*s.connections)
	if twice > kills*s.connections || len(doubted) > kills*s.connections {
		r.wrong("%d twice, %d doubted", twice, len(doubted))
	}
	return nil
}
