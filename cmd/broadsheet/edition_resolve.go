package main

import (
	"context"
	"fmt"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func editionResolve(a *app) *cobra.Command {
	var f newsletter.ResolveFilter
	var as, subscriber string
	var all, yes bool
	cmd := &cobra.Command{
		Use:   "resolve ID --as arrived|not-arrived|resend",
		Short: "Settle messages of which nobody can know whether they arrived",
		Long: `Settles deliveries that are in doubt: the final dot was sent and no answer came. Editions
that are sent with --on-doubt hold keep them for you; the others send such a message once
more by themselves, at most three times.

Ask the relay's log, by the Message-ID or the address, or ask the reader. Then say

  arrived      it is accepted
  not-arrived  it is refused, and what it had is owed to the reader again
  resend       it is sent once more, with the same Message-ID; it may come twice

Who said so is on record. With --all it asks on a terminal and needs --yes without one: what
is settled cannot be taken back.`,
		Example: `  broadsheet edition deliveries 42 --state in_doubt
  broadsheet edition resolve 42 --as arrived --subscriber ada@example.org
  broadsheet edition resolve 42 --as resend --all --yes`,
		Args: exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if f.EditionID, err = editionID(args[0]); err != nil {
				return err
			}
			switch {
			case as == "":
				return usagef("say what is known with --as: arrived, not-arrived or resend")
			case all == (subscriber != ""):
				return usagef("give --subscriber ADDRESS or --all")
			}
			settlement, err := newsletter.ParseSettlement(as)
			if err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				if subscriber != "" {
					if f.SubscriberID, err = s.desk.SubscriberID(cmd.Context(), subscriber); err != nil {
						return err
					}
				}
				if all {
					if goOn, err := a.askToResolve(cmd.Context(), s, f.EditionID, settlement, yes); !goOn || err != nil {
						return err
					}
				}
				return a.resolveDoubts(cmd.Context(), s, f, settlement)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&as, "as", "", "what is known: arrived, not-arrived or resend")
	flags.StringVar(&subscriber, "subscriber", "", "only this reader's, by e-mail address")
	flags.BoolVar(&all, "all", false, "all that are in doubt")
	flags.BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// askToResolve asks whether to settle all of the edition's doubts; there is nothing to ask if
// it has none.
func (a *app) askToResolve(ctx context.Context, s *services, id int64, as newsletter.Settlement, yes bool) (bool, error) {
	_, tally, err := s.desk.Edition(ctx, id)
	if err != nil || tally.Counts[newsletter.InDoubt] == 0 {
		return err == nil, err
	}
	question := fmt.Sprintf("Settle %s of edition %d as %s?", counted(tally.Counts[newsletter.InDoubt], "delivery", "deliveries"), id, settledWords(as))
	goOn, err := a.ask(ctx, yes, question, fmt.Sprintf("settle all doubts of edition %d", id))
	if err == nil && !goOn {
		a.say("Nothing was changed.")
	}
	return goOn, err
}

func (a *app) resolveDoubts(ctx context.Context, s *services, f newsletter.ResolveFilter, as newsletter.Settlement) error {
	n, err := s.desk.Resolve(ctx, f, as)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(struct {
			Edition  int64  `json:"edition"`
			As       string `json:"as"`
			Resolved int    `json:"resolved"`
		}{f.EditionID, string(as), n})
	}
	a.say("%s of edition %d %s now.", counted(n, "delivery", "deliveries"), f.EditionID, settledWords(as))
	if as == newsletter.Resend {
		a.sayWhoSends(ctx, s, f.EditionID)
	}
	return nil
}

func settledWords(as newsletter.Settlement) string {
	switch as {
	case newsletter.Arrived:
		return "accepted"
	case newsletter.NotArrived:
		return "refused"
	case newsletter.Resend:
	}
	return "to be sent once more"
}
