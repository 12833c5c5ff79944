package main

import (
	"context"
	"fmt"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func editionRetry(a *app) *cobra.Command {
	var f newsletter.RetryFilter
	var state, subscriber string
	var yes bool
	cmd := &cobra.Command{
		Use:   "retry ID",
		Short: "Try again what was refused or has expired",
		Long: `Lets deliveries of an edition that were refused or have expired be tried once more, with
the same Message-ID and Date, for a day (three days for a weekly edition). The edition is
open again until then.

What was refused or has expired is owed to its reader, so a later edition may have brought
it; that reader's delivery is withheld instead: nobody gets an article twice. An edition
that gives again what others gave (--repeats always) goes out all the same, unless one like
it brought the article. It asks on a terminal and needs --yes without one. Exit code 3 with
the reason nothing_to_retry says that there is no such delivery.`,
		Example: `  broadsheet edition retry 42
  broadsheet edition retry 42 --state refused --code 550 --yes
  broadsheet edition retry 42 --subscriber ada@example.org`,
		Args: exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if f.EditionID, err = editionID(args[0]); err != nil {
				return err
			}
			if err := checkRetry(&f, state); err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				if subscriber != "" {
					if f.SubscriberID, err = s.desk.SubscriberID(cmd.Context(), subscriber); err != nil {
						return err
					}
				}
				return a.retryEdition(cmd.Context(), s, f, yes)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&state, "state", "", "only in this state: refused or expired (default both)")
	flags.IntVar(&f.Code, "code", 0, "only those whose last reply has this SMTP code, such as 550")
	flags.StringVar(&subscriber, "subscriber", "", "only this reader's, by e-mail address")
	flags.BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func checkRetry(f *newsletter.RetryFilter, state string) error {
	if state != "" {
		s, err := newsletter.ParseState(state)
		if err != nil || !newsletter.CanMove(s, newsletter.Waiting) || s == newsletter.Sending {
			return newsletter.Invalidf("state", "%q cannot be tried again; use refused or expired", state)
		}
		f.State = s
	}
	return checkCode(f.Code)
}

func (a *app) retryEdition(ctx context.Context, s *services, f newsletter.RetryFilter, yes bool) error {
	n, err := s.desk.CountRetry(ctx, f)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("try %s again", counted(n, "delivery", "deliveries"))
	if goOn, err := a.ask(ctx, yes, fmt.Sprintf("Try %s of edition %d again?", counted(n, "delivery", "deliveries"), f.EditionID), what); !goOn {
		if err == nil {
			a.say("Nothing was changed.")
		}
		return err
	}
	r, err := s.desk.Retry(ctx, f)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(struct {
			Edition      int64 `json:"edition"`
			Waiting      int   `json:"waiting"`
			HadOtherwise int   `json:"had_otherwise"`
			Withdrawn    int   `json:"withdrawn"`
		}{f.EditionID, r.Waiting, r.HadOtherwise, r.Withdrawn})
	}
	a.say("%s of edition %d to be tried again.", counted(r.Waiting, "delivery", "deliveries"), f.EditionID)
	if r.HadOtherwise > 0 {
		a.say("%s withheld: the reader got an article of it by another edition.", counted(r.HadOtherwise, "is", "are"))
	}
	if r.Withdrawn > 0 {
		a.say("%s withheld: all articles of it were withdrawn.", counted(r.Withdrawn, "is", "are"))
	}
	if r.Waiting > 0 {
		a.sayWhoSends(ctx, s, f.EditionID)
	}
	return nil
}

// sayWhoSends says which command goes on with an edition that is open.
func (a *app) sayWhoSends(ctx context.Context, s *services, id int64) {
	if e, _, err := s.desk.Edition(ctx, id); err == nil && e.State == newsletter.EditionPaused {
		a.say("Edition %d is paused: \"broadsheet edition resume %d\" lets it go on", id, id)
		return
	}
	if service, err := s.store.ServiceRuns(ctx); err == nil && service {
		a.say("broadsheet serve goes on with it; to follow it: broadsheet edition watch %d", id)
		return
	}
	a.say("To go on with it: broadsheet send --edition %d (so does broadsheet serve, once it runs)", id)
}
