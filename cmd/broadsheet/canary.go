package main

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

// canaryFlags adds the flags for who gets a newsletter's editions first.
func canaryFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("canary", "", "share of the readers who get an edition first: 1%; none: all at once (default none)")
	f.String("canary-hold", "", "how long the others wait then (default 10m)")
}

// canary reads --canary and --hold; nil: they were not given, so the newsletter's holds.
func (s *sending) readCanary(given, holdGiven bool) (*newsletter.Canary, error) {
	if !given {
		if holdGiven {
			return nil, usagef("--hold goes with --canary: say which share of the readers gets it first")
		}
		return nil, nil //nolint:nilnil // nothing was said
	}
	share, err := newsletter.ParseCanary(s.canary)
	if err != nil {
		return nil, err
	}
	if err := newsletter.CheckCanaryHold(s.hold); err != nil {
		return nil, err
	}
	return &newsletter.Canary{Share: share, Hold: s.hold}, nil
}

// showCanary says who gets a draft first.
func (s *sending) showCanary(d *desk.Draft) {
	if d.Canary.Share == 0 || d.Survey.Canary == 0 {
		return
	}
	s.say("\nFirst to %s (%s), and %s later to the rest, if nothing is wrong.",
		counted(d.Survey.Canary, "reader", "readers"), d.Canary.Word(), d.Canary.HoldWord())
}

// waitFor is how long the command waits for the next try: where the rest waits for its canary,
// until that is over, unless --wait says otherwise.
func (s *sending) waitFor(ctx context.Context, sv *services, id int64) (time.Duration, error) {
	if s.waitSet {
		return s.wait, nil
	}
	c, ok, err := sv.desk.Canary(ctx, id)
	if err != nil || !ok || !c.OverAt.IsZero() {
		return s.wait, err
	}
	return max(s.wait, c.Hold+time.Minute), nil
}

// canaryStaff returns the subscribers who are in every canary: staff, as far as they read something.
func (s *services) canaryStaff(ctx context.Context) ([]int64, error) {
	if s.settings.Staff.Email == "" {
		return nil, nil
	}
	_, key, err := mail.ParseAddress(s.settings.Staff.Email)
	if err != nil {
		return nil, err
	}
	found, err := s.store.SubscriberByKey(ctx, key)
	if newsletter.KindOf(err) == newsletter.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []int64{found.ID}, nil
}

// canaryView is an edition's canary in JSON.
type canaryView struct {
	Share       float64    `json:"share"` // of the readers, 0 to 1
	HoldSeconds float64    `json:"hold_seconds"`
	Readers     int        `json:"readers"`
	State       string     `json:"state"`    // waiting, sending, holding, passed or stopped
	SentAt      *time.Time `json:"sent_at"`  // each of them was tried
	UntilAt     *time.Time `json:"until_at"` // the rest goes on then, if nothing is wrong; null: not known yet
	OverAt      *time.Time `json:"over_at"`
	Stopped     string     `json:"stopped"` // why the rest did not go on
	countsView
	Bounced    int `json:"bounced"`
	Complained int `json:"complained"`
}

func viewCanary(c desk.CanaryStatus) *canaryView {
	return &canaryView{
		Share: c.Share, HoldSeconds: c.Hold.Seconds(), Readers: c.Size, State: canaryState(c.CanaryRun), SentAt: utc(c.SentAt),
		UntilAt: utc(c.Until()), OverAt: utc(c.OverAt), Stopped: c.Stopped, countsView: viewCounts(c.Tally.Counts),
		Bounced: c.Tally.Bounced, Complained: c.Tally.Complained,
	}
}

func canaryState(c newsletter.CanaryRun) string {
	switch {
	case c.Stopped != "":
		return "stopped"
	case !c.OverAt.IsZero():
		return "passed"
	case !c.SentAt.IsZero():
		return "holding"
	case !c.PickedAt.IsZero():
		return "sending"
	}
	return "waiting"
}

// canaryWords says how far a canary is.
func canaryWords(c newsletter.CanaryRun) string {
	switch canaryState(c) {
	case "stopped":
		return fmt.Sprintf("%s (%s) had it first, and that stopped the rest at %s: %s", counted(c.Size, "reader", "readers"), c.Word(), local(c.OverAt), c.Stopped)
	case "passed":
		return fmt.Sprintf("%s (%s) had it first; the rest from %s on", counted(c.Size, "reader", "readers"), c.Word(), local(c.OverAt))
	case "holding":
		return fmt.Sprintf("%s (%s) had it; the rest waits until %s", counted(c.Size, "reader", "readers"), c.Word(), local(c.Until()))
	case "sending":
		return fmt.Sprintf("it goes to %s (%s) first; the rest waits %s then", counted(c.Size, "reader", "readers"), c.Word(), c.HoldWord())
	}
	return fmt.Sprintf("%s of the readers get it first", c.Word())
}

// printCanary shows the canary of an edition under its ledger, and what is left beside it.
func (a *app) printCanary(c desk.CanaryStatus, all newsletter.Tally) {
	fmt.Fprintf(a.stdout, "\nCanary: %s\n", canaryWords(c.CanaryRun))
	if c.Gone || c.PickedAt.IsZero() {
		return
	}
	rest := map[newsletter.State]int{}
	for state, n := range all.Counts {
		rest[state] = n - c.Tally.Counts[state]
	}
	header := []string{"", "PLANNED", "ACCEPTED", "REFUSED", "EXPIRED", "IN DOUBT", "WITHHELD", "WAITING", "BOUNCED", "COMPLAINED"}
	a.printTable(header, [][]string{
		append(append([]string{"canary"}, countCells(c.Tally.Counts)...), fmt.Sprint(c.Tally.Bounced), fmt.Sprint(c.Tally.Complained)),
		append([]string{"rest"}, countCells(rest)...),
	})
}
