package main

import (
	"context"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

// maxReason is how long a reason of staff can be, in characters.
const maxReason = 200

func checkReason(reason string) error {
	if len([]rune(reason)) > maxReason {
		return newsletter.Invalidf("reason", "can have %d characters", maxReason)
	}
	return nil
}

func editionPause(a *app) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "pause ID",
		Short: "Stop sending an edition until it is resumed",
		Long: `Stops the sending of an edition, whichever process sends it, within a second. What is
being handed over is finished. Its time goes on: what is not sent before it is over
expires.

"broadsheet edition resume ID" and "broadsheet send --edition ID" go on with it.`,
		Example: `  broadsheet edition pause 42 --reason "wrong headline"`,
		Args:    exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionID(args[0])
			if err != nil {
				return err
			}
			if err := checkReason(reason); err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				if err := s.desk.Pause(cmd.Context(), id, plain(reason)); err != nil {
					return err
				}
				return a.printMoved(cmd.Context(), s, id)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever reads status and the report")
	return cmd
}

func editionResume(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "resume ID",
		Short: "Let a paused edition go on",
		Long: `Lets an edition go on that was paused, by staff or by itself because the relay refused too
much or too many readers complained. It sends nothing itself: "broadsheet serve" does, or
"broadsheet send --edition ID".

An edition that was paused by BRAKE_REFUSED or BRAKE_COMPLAINTS is not stopped again by the
next refusal or complaint, only when the share is once more as far above where it was.`,
		Example: `  broadsheet edition resume 42`,
		Args:    exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionID(args[0])
			if err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				if err := s.desk.Resume(cmd.Context(), id); err != nil {
					return err
				}
				if err := a.printMoved(cmd.Context(), s, id); err != nil {
					return err
				}
				if err := a.sayBrakes(cmd.Context(), s, id); err != nil {
					return err
				}
				a.sayWhoSends(cmd.Context(), s, id)
				return nil
			})
		},
	}
}

// printMoved prints an edition after staff changed its state.
func (a *app) printMoved(ctx context.Context, s *services, id int64) error {
	e, tally, err := s.desk.Edition(ctx, id)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(viewEdition(e, tally))
	}
	a.say("Edition %d of %s is %s now, with %d waiting.", e.ID, e.Newsletter, e.State, tally.WaitingCount())
	return nil
}
