package main

import (
	"context"
	"fmt"
	"strings"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func editionCancel(a *app) *cobra.Command {
	var reason string
	var yes bool
	cmd := &cobra.Command{
		Use:   "cancel ID",
		Short: "Stop an edition for good",
		Long: `Stops an edition for good. What is not sent yet is withheld, and what it had is owed to
its readers again: the next edition brings it, unless the article is withdrawn or held.
What is being handed over is finished, and what is in doubt stays so. It cannot be undone.

It asks on a terminal and needs --yes without one.`,
		Example: `  broadsheet edition cancel 42 --reason "sent on the wrong day"
  broadsheet edition cancel 42 --yes`,
		Args: exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionID(args[0])
			if err != nil {
				return err
			}
			if err := checkReason(reason); err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				return a.cancelEdition(cmd.Context(), s, id, plain(reason), yes)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever reads status and the report")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func (a *app) cancelEdition(ctx context.Context, s *services, id int64, reason string, yes bool) error {
	e, tally, err := s.desk.Edition(ctx, id)
	if err != nil {
		return err
	}
	if e.State.Open() || e.State == newsletter.EditionPaused || e.State == newsletter.EditionDraft {
		question := fmt.Sprintf("Cancel edition %d of %s? %s not get it.", id, e.Newsletter, counted(tally.WaitingCount(), "reader will", "readers will"))
		if e.PlannedAt.IsZero() {
			question = fmt.Sprintf("Cancel edition %d of %s? It is %s, and nothing of it was sent.", id, e.Newsletter, e.State)
		}
		goOn, err := a.ask(ctx, yes, question, fmt.Sprintf("cancel edition %d", id))
		if err != nil {
			return err
		}
		if !goOn {
			a.say("Nothing was changed.")
			return nil
		}
	}
	n, err := s.desk.Cancel(ctx, id, reason)
	if err != nil {
		return err
	}
	e, tally, err = s.desk.Edition(ctx, id)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(viewEdition(e, tally))
	}
	a.say("Edition %d of %s is cancelled; %s withheld.", id, e.Newsletter, counted(n, "delivery was", "deliveries were"))
	if left := tally.WaitingCount(); left > 0 {
		a.say("%s being handed over, and finished.", counted(left, "message is", "messages are"))
	}
	if e.DueAt.After(a.now()) && !e.WasDraft() && !strings.HasPrefix(e.Slot, "extra-") {
		a.say("The schedule makes no other edition for its slot, %s of %s: \"broadsheet send %s\" sends what is owed, or the next edition brings it.",
			newsletter.SlotName(e.Cadence, e.Slot), e.Date, e.Newsletter)
	}
	return nil
}
