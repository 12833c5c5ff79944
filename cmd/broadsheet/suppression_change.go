package main

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"

	"github.com/spf13/cobra"
)

func suppressionAdd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add ADDRESS|@DOMAIN [--reason REASON] [--note WHY]",
		Short: "Never mail an address, or a whole domain",
		Long: `Suppresses an address, at once: what is waiting for it is withheld. A domain is written
@example.org; it stands for every address at example.org, and for none at a domain below
it. Subscriptions stay as they are. It can be repeated: a reason that is as strong or
stronger stays.`,
		Example: `  broadsheet suppression add vera@example.org --note "asked by telephone never to be written to"
  broadsheet suppression add vera@example.org --reason complaint
  broadsheet suppression add @example.org --note "the company asked for it, ticket 512"`,
		Args: exactArgs("ADDRESS|@DOMAIN"),
	}
	reason := cmd.Flags().String("reason", "", "complaint, staff, erased, left, hard_bounce or soft_bounces (default staff)")
	note := cmd.Flags().String("note", "", "why, for the record")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withReaders(cmd.Context(), func(s *services, r *readers.Service) error {
			st, added, err := r.Suppress(cmd.Context(), args[0], *reason, s.origin(*note))
			if err != nil {
				return asTarget(err)
			}
			if a.json {
				return a.printJSON(struct {
					suppressionView
					Added bool `json:"added"`
				}{viewSuppression(st.Own), added})
			}
			if !added {
				a.say("%s is suppressed already: %s.", st.Target, suppressionWords(st.Own))
				return nil
			}
			a.say("Suppressed %s (%s): nothing is sent there any more.", st.Target, st.Own.Reason)
			return nil
		})
	}
	return cmd
}

func suppressionRemove(a *app) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "remove ADDRESS|@DOMAIN|NUMBER [--note WHY]",
		Short: "Let an address, or a domain, be mailed again",
		Long: `Lifts a suppression by hand. --note says why and stays on record, with who did it and when;
after a complaint, for what staff suppressed, and for a whole domain it is compulsory. Lift
a complaint only if the person asked you to.

Subscriptions stay as they are: who reported a message as spam has none any more, and has to
sign up again.
If the person signed up meanwhile, the confirmation mail that they wait for goes out now.

It asks on a terminal and needs --yes without one.`,
		Example: `  broadsheet suppression remove vera@example.org --note "the mailbox works again, she wrote to us"
  broadsheet suppression remove @example.org --note "ticket 530" --yes
  broadsheet suppression remove 42 --note "the wrong line of the import"`,
		Args: exactArgs("ADDRESS|@DOMAIN|NUMBER"),
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	note := cmd.Flags().String("note", "", "why, for the record")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.withReaders(cmd.Context(), func(s *services, r *readers.Service) error {
			return asTarget(a.removeSuppression(cmd.Context(), r, args[0], s.origin(*note), yes))
		})
	}
	return cmd
}

func (a *app) removeSuppression(ctx context.Context, r *readers.Service, who string, origin newsletter.Origin, yes bool) error {
	st, err := r.Standing(ctx, who)
	if err != nil {
		return err
	}
	if st.Own.Reason != "" {
		st.Own.Email = st.Target
		question := fmt.Sprintf("%s is suppressed: %s. Let it be mailed again?", whoIs(st.Own), suppressionWords(st.Own))
		goOn, err := a.ask(ctx, yes, plain(question), "lift the suppression of "+whoIs(st.Own))
		if err != nil {
			return err
		}
		if !goOn {
			a.say("Nothing was changed.")
			return nil
		}
	}
	lifted, err := r.LiftSuppression(ctx, who, origin)
	if err != nil {
		return err
	}
	if a.json {
		var mailAt *time.Time
		if lifted.MailQueued {
			mailAt = utc(lifted.MailAt)
		}
		return a.printJSON(struct {
			suppressionView
			Lifted         bool       `json:"lifted"`
			ConfirmationAt *time.Time `json:"confirmation_at"` // when the mail of a waiting sign-up goes out; null: none waits
		}{viewSuppression(lifted.Suppression), true, mailAt})
	}
	a.say("%s may be mailed again; the reason was %s.", whoIs(lifted.Suppression), lifted.Reason)
	if lifted.MailQueued {
		a.say("A sign-up waited for this: its confirmation mail goes out at %s.", local(lifted.MailAt))
	}
	return nil
}
