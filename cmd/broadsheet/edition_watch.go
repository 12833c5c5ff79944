package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

// pulseEvery is how often an edition that is watched is looked at: a sender tells how it
// goes once a second.
const pulseEvery = time.Second

func editionWatch(a *app) *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "watch ID",
		Short: "Follow an edition that is being sent",
		Long: `Shows how an edition goes that another process sends, until it has ended: how many are
done, the rate, the connections, how long it still takes, and what relays answer other
than yes. On a terminal that is a bar, otherwise a line every ten seconds; --json prints
an object a second, one on each line.

It sends nothing itself, and Ctrl-C stops the watching only. Exit code 4 says that the
edition is not finished: it is paused, or nothing moved within --wait.`,
		Example: `  broadsheet edition watch 42
  broadsheet edition watch 42 --json --wait 5m`,
		Args: exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionID(args[0])
			if err != nil {
				return err
			}
			if wait < 0 {
				return newsletter.Invalidf("wait", "cannot be less than 0")
			}
			return a.withPress(cmd.Context(), func(s *services) error { return a.watchEdition(cmd.Context(), s, id, wait) })
		},
	}
	cmd.Flags().DurationVar(&wait, "wait", 0, "give up when nothing moved for so long (default: never)")
	return cmd
}

func (a *app) watchEdition(ctx context.Context, s *services, id int64, wait time.Duration) error {
	show := a.newProgress(a.stdout)
	warned, canary := false, ""
	err := s.desk.Watch(ctx, id, pulseEvery, wait, func(e newsletter.Edition, p newsletter.Pulse) error {
		c, first, err := s.store.Canary(ctx, id)
		if err != nil {
			return err
		}
		if a.json {
			return a.printPulse(e, p, c)
		}
		if words := canaryWords(c); first && words != canary {
			canary = words
			a.say("Canary: %s.", words)
		}
		if _, sends, err := s.store.Sender(); err == nil && !sends && e.State.Open() && !warned {
			warned = true
			a.say("Nobody is sending. To go on with it: broadsheet send --edition %d, or broadsheet serve", id)
		}
		show.tell(p, true)
		return nil
	})
	show.end()
	if kind := newsletter.KindOf(err); kind == newsletter.NotFound {
		return err
	}
	if !a.json && (err == nil || ctx.Err() == nil) {
		if printErr := a.printLedger(context.WithoutCancel(ctx), s, id); printErr != nil {
			return errors.Join(err, printErr)
		}
	}
	return watchEnd(ctx, id, err)
}

// watchEnd says why watching ended before the edition did.
func watchEnd(ctx context.Context, id int64, err error) error {
	if paused, ok := errors.AsType[*delivery.PausedError](err); ok {
		return unfinishedf("%w (or \"broadsheet edition resume %d\")", paused, id)
	}
	if unfinished, ok := errors.AsType[*delivery.UnfinishedError](err); ok {
		return unfinishedf("%w; nothing moved for as long as --wait says", unfinished)
	}
	if err != nil && ctx.Err() != nil {
		return unfinishedf("stopped watching; the edition goes on without it")
	}
	return err
}

// pulseView is how an edition goes, one object on a line.
type pulseView struct {
	ledgerView
	At          *time.Time     `json:"at"`
	Rate        float64        `json:"rate"`
	Connections int            `json:"connections"`
	ETA         *float64       `json:"eta_seconds"` // null: not known
	Replies     map[string]int `json:"replies"`     // other than acceptance, by code
	Relay       string         `json:"relay"`
	NextTry     *time.Time     `json:"next_try"`
	Canary      string         `json:"canary,omitempty"` // waiting, sending, holding, passed or stopped
	RestFrom    *time.Time     `json:"rest_from,omitempty"`
}

func (a *app) printPulse(e newsletter.Edition, p newsletter.Pulse, c newsletter.CanaryRun) error {
	v := pulseView{
		ledgerView: viewLedger(e, p.Tally), At: utc(p.At), Rate: p.Rate, Connections: p.Connections,
		Replies: p.Codes, Relay: p.Relay, NextTry: utc(p.NextTry),
	}
	if c.Share > 0 {
		v.Canary, v.RestFrom = canaryState(c), utc(c.Until())
	}
	if v.Replies == nil {
		v.Replies = map[string]int{}
	}
	if eta := p.ETA(); eta > 0 {
		seconds := eta.Seconds()
		v.ETA = &seconds
	}
	line, err := json.Marshal(v)
	if err == nil {
		_, err = fmt.Fprintf(a.stdout, "%s\n", line)
	}
	return err
}
