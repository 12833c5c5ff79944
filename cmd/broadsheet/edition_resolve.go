package main

import (
	"context"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func editionResolve(a *app) *cobra.Command {
	var f newsletter.ResolveFilter
	var as, subscriber string
	var all bool
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

Who said so is on record.`,
		Example: `  broadsheet edition deliveries 42 --state in_doubt
  broadsheet edition resolve 42 --as arrived --subscriber ada@example.org
  broadsheet edition resolve 42 --as resend --all`,
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
				return a.resolveDoubts(cmd.Context(), s, f, settlement)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&as, "as", "", "what is known: arrived, not-arrived or resend")
	flags.StringVar(&subscriber, "subscriber", "", "only this reader's, by e-mail address")
	flags.BoolVar(&all, "all", false, "all that are in doubt")
	return cmd
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
