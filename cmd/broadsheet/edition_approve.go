package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

// approvalFlags adds the flags for whether editions wait to be approved.
func approvalFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("approval", "", "manual: editions of its slots wait for staff; none: they do not (default none)")
	f.String("approval-lead", "", "how long before its slot an edition is drafted, and staff are asked (default 60m)")
	f.String("approval-deadline", "", "how long before its slot it has to be approved (default 0m, the slot itself)")
}

// approvalOf returns in a few words whether the newsletter's editions wait to be approved.
func approvalOf(n newsletter.Newsletter) string {
	if !n.Approval.Manual {
		return "none"
	}
	return fmt.Sprintf("manual, drafted %s and approved %s before its slot", minutes(n.Approval.Lead), minutes(n.Approval.Deadline))
}

// minutes writes a time as it is given: "60m", not "1h0m0s".
func minutes(d time.Duration) string { return fmt.Sprintf("%dm", int(d.Minutes())) }

// warnApproval warns where staff cannot be asked.
func (a *app) warnApproval(s *services, n newsletter.Newsletter) {
	if n.Approval.Manual && s.settings.Staff.Email == "" {
		a.warn("%sSTAFF_EMAIL is empty, so nobody gets a mail when an edition of %s waits to be approved", settingPrefix, n.Slug)
	}
}

func editionApprove(a *app) *cobra.Command {
	var yes, force bool
	cmd := &cobra.Command{
		Use:   "approve ID",
		Short: "Let the draft of a slot be sent",
		Long: `Approves the draft that the schedule made for a slot of a newsletter with --approval manual.
It is frozen as it is now, and sent at its slot's time, or at once if that has passed. What
comes after is for the next edition. The link in the mail to BROADSHEET_STAFF_EMAIL leads to
a page that does the same.

An edition that was approved, and held then, goes on.

It asks on a terminal and needs --yes without one.`,
		Example: `  broadsheet preview --edition 42
  broadsheet edition approve 42
  broadsheet edition approve 42 --yes`,
		Args: exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionID(args[0])
			if err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error { return a.approve(cmd.Context(), s, id, yes, force) })
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().BoolVar(&force, "force", false, "even if a gate fails; it is on record")
	return cmd
}

func (a *app) approve(ctx context.Context, s *services, id int64, yes, force bool) error {
	if err := s.refuseRestored(ctx); err != nil {
		return err
	}
	if err := s.refuseSending(ctx, s.press); err != nil {
		return err
	}
	found, err := s.desk.Approving(ctx, id)
	if err != nil {
		return err
	}
	var seen *desk.Seen
	question := fmt.Sprintf("Let edition %d of %s go on, which was approved and is held?", id, found.Edition.Newsletter)
	if found.Draft != nil {
		if !a.json {
			a.showApproving(found)
		}
		seen = new(found.Seen())
		question = fmt.Sprintf("Approve edition %d of %s, %q, for %s?", id, found.Edition.Newsletter, found.Draft.Edition.Subject,
			counted(found.Draft.Survey.Readers, "reader", "readers"))
	}
	goOn, err := a.ask(ctx, yes, question, fmt.Sprintf("approve edition %d", id))
	if err != nil {
		return err
	}
	if !goOn {
		a.say("Nothing was changed.")
		return nil
	}
	e, err := s.desk.Approve(ctx, id, seen, force)
	if err != nil {
		return err
	}
	if e.Waits(a.now()) {
		return a.sayWaits(ctx, s, e)
	}
	return a.printMoved(ctx, s, id)
}

// showApproving shows what staff should know before they decide.
func (a *app) showApproving(found *desk.Approving) {
	fields := [][2]string{}
	for _, f := range found.Facts() {
		fields = append(fields, [2]string{f.Name, f.Value})
	}
	if found.Preview != nil {
		fields = append(fields, [2]string{"Subject", found.Preview.Subject})
	}
	a.printFields(fields)
	for _, w := range found.Warnings() {
		a.warn("%s", strings.TrimSpace(w.Text))
	}
}

func editionHold(a *app) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "hold ID",
		Short: "Keep an edition from being sent until somebody approves it",
		Long: `Holds the draft of a slot: it is not sent before somebody approves it, and does not expire
at its deadline, only when the time is over in which an edition of its slot is delivered (a
day; of a weekly one, three). One that is approved already, and waits for its time, is held
as well. "broadsheet edition approve ID" lets it go on, "edition cancel ID" gives it up.`,
		Example: `  broadsheet edition hold 42 --reason "we check a fact"`,
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
				if err := s.desk.Hold(cmd.Context(), id, plain(reason)); err != nil {
					return err
				}
				e, tally, err := s.desk.Edition(cmd.Context(), id)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(viewEdition(e, tally))
				}
				a.say("Edition %d of %s is held. \"broadsheet edition approve %d\" lets it go on.", id, e.Newsletter, id)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for whoever reads the record")
	return cmd
}

// warnApprovals says of drafts of the newsletter that wait for staff that what is sent by hand now
// is not in them any more.
func (s *sending) warnApprovals(ctx context.Context, sv *services, slug string) error {
	list, err := sv.store.WaitingApprovals(ctx)
	for _, w := range list {
		if w.Edition.Newsletter == slug {
			s.warn("edition %d (%s, %s) waits to be approved; whoever gets a story by hand does not get it by that one. \"broadsheet edition approve %d\" sends that one", w.EditionID, w.Edition.Name(), w.Edition.Date, w.EditionID)
		}
	}
	return err
}

// approvalLine says where the approval of an edition stands; empty: nobody has to approve it.
func approvalLine(ctx context.Context, s *services, e newsletter.Edition) (string, error) {
	found, err := s.store.Approval(ctx, e.ID)
	if newsletter.KindOf(err) == newsletter.NotFound {
		return "", nil
	}
	line := string(found.State)
	if found.By != "" {
		line += ", by " + found.By + " at " + local(found.At)
	}
	if e.State == newsletter.EditionDraft {
		line += "; it can be approved until " + local(found.Until(e))
	}
	return line, err
}

// approvalView is a draft that waits for staff in JSON.
type approvalView struct {
	Edition    int64  `json:"edition"`
	Newsletter string `json:"newsletter"`
	State      string `json:"state"`
	Until      string `json:"until"`
	Mailed     bool   `json:"mailed"`
	line       string
}

func viewApprovals(list []newsletter.WaitingApproval) []approvalView {
	views := []approvalView{}
	for _, w := range list {
		v := approvalView{
			Edition: w.EditionID, Newsletter: w.Edition.Newsletter, State: string(w.State), Mailed: w.Mailed,
			Until: w.Until(w.Edition).UTC().Format("2006-01-02T15:04:05Z"),
		}
		verb := "waits to be approved"
		if w.State == newsletter.ApprovalHeld {
			verb = "is held by " + w.By
		}
		v.line = fmt.Sprintf("Edition %d of %s %s, until %s: \"broadsheet edition approve %d\"", v.Edition, v.Newsletter, verb, local(w.Until(w.Edition)), v.Edition)
		views = append(views, v)
	}
	return views
}
