package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"broadsheet/internal/bounce"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

// exitTryAgain tells a mail system to keep the message and to try again (EX_TEMPFAIL of
// sysexits.h). At any other code it would give the report up.
const exitTryAgain = 75

func newBounceCommand(a *app) *cobra.Command {
	var explain bool
	var to []string
	c := &cobra.Command{
		Use:     "bounce < MESSAGE",
		Short:   "Take a message that came back, or say how it is read",
		GroupID: groupOperation,
		Long: `Reads one message from standard input: a report of non-delivery, a complaint, an automatic
answer. It is for the pipe of a mail system that gets the mail of BROADSHEET_BOUNCE_DOMAIN.
What it says is put on record and has its effect, as docs/bounces.md describes it, if a
return path of ours is among the addresses it was sent to; anything else is counted and
changes nothing. The same message again changes nothing either.

If it cannot be put on record the exit code is 75, at which mail systems keep the message
and try again.

With --explain it only says how the message is read, and for which reason. That changes
nothing and needs no database.`,
		Example: `  broadsheet bounce < message.eml
  broadsheet bounce --to "$RECIPIENT" < message.eml
  broadsheet bounce --explain < message.eml
  broadsheet bounce --explain --json < message.eml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("a message is read from standard input: broadsheet bounce < %s", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if explain {
				if len(to) > 0 {
					return usagef("--to has no use with --explain: leave one of them out")
				}
				return a.explainBounce()
			}
			return a.takeBounce(cmd, to)
		},
	}
	c.Flags().BoolVar(&explain, "explain", false, "only say how the message is read")
	c.Flags().StringArrayVar(&to, "to", nil, "the address it was delivered to, if the mail system knows it; several times for several")
	return c
}

// message reads the message from standard input. What is beyond the bound is read as well, and
// forgotten: a mail system takes a pipe that is not emptied for a failure.
func (a *app) message() ([]byte, error) {
	if isTerminal(a.stdin) {
		return nil, usagef("give a message on standard input: broadsheet bounce < message.eml")
	}
	data, err := io.ReadAll(io.LimitReader(a.stdin, bounce.MaxMessage))
	if err == nil {
		_, err = io.Copy(io.Discard, a.stdin)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the message: %w", err)
	case len(bytes.TrimSpace(data)) == 0:
		return nil, usagef("there is no message on standard input: broadsheet bounce < message.eml")
	}
	return data, nil
}

// bounceView is how a message is read, in JSON.
type bounceView struct {
	Kind       string        `json:"kind"`
	Recipients []bouncedView `json:"recipients"`
}

type bouncedView struct {
	Address string `json:"address"`
	Status  string `json:"status"` // empty: none is given
	Code    int    `json:"code"`   // 0: none is given
	Reason  string `json:"reason"`
	Kind    string `json:"kind"`
}

// explainBounce says how a message is read.
func (a *app) explainBounce() error {
	data, err := a.message()
	if err != nil {
		return err
	}
	report, err := bounce.Read(bytes.NewReader(data))
	if err != nil {
		return err
	}
	view := bounceView{Kind: string(report.Kind), Recipients: []bouncedView{}}
	for _, r := range report.Recipients {
		view.Recipients = append(view.Recipients, bouncedView{r.Address, r.Status, r.Code, r.Reason, string(r.Kind)})
	}
	if a.json {
		return a.printJSON(view)
	}
	fmt.Fprintf(a.stdout, "%s: %s\n", view.Kind, kindMeaning(report.Kind))
	if len(view.Recipients) == 0 {
		return nil
	}
	rows := make([][]string, 0, len(view.Recipients))
	for i, r := range view.Recipients {
		code := ""
		if r.Code > 0 {
			code = strconv.Itoa(r.Code)
		}
		rows = append(rows, []string{r.Address, r.Kind, r.Reason, code, r.Status, cut(report.Recipients[i].Diagnostic, 100)})
	}
	fmt.Fprintln(a.stdout)
	a.printTable([]string{"ADDRESS", "KIND", "REASON", "CODE", "STATUS", "WHAT THE OTHER SYSTEM SAID"}, rows)
	return nil
}

// kindMeaning says in a sentence what a kind means.
func kindMeaning(kind newsletter.ReturnKind) string {
	switch kind {
	case newsletter.ReturnHard:
		return "an address is bad for good"
	case newsletter.ReturnSoft:
		return "it did not arrive, and the address need not be bad"
	case newsletter.ReturnComplaint:
		return "a person reported the message as spam"
	case newsletter.ReturnAutoReply:
		return "a machine answered, so the address is good"
	}
	return "it says nothing of an address"
}

// takenView is what became of a message, in JSON.
type takenView struct {
	Kind       string `json:"kind"`
	Reason     string `json:"reason"`
	Known      bool   `json:"known"` // it has a return path of ours
	Again      bool   `json:"again"` // it was on record already
	Edition    int64  `json:"edition"`
	Subscriber int64  `json:"subscriber"`
	Effect     string `json:"effect"`
}

// takeBounce puts a message that came back on record.
func (a *app) takeBounce(cmd *cobra.Command, to []string) error {
	data, err := a.message()
	if err != nil {
		return tryAgain(err)
	}
	return tryAgain(a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
		taken, err := s.newBounces().Take(cmd.Context(), bounce.Incoming{Message: data, To: to, Channel: "pipe"})
		if err != nil {
			return err
		}
		if a.json {
			r := taken.Return
			return a.printJSON(takenView{string(taken.Kind), r.Reason, taken.Known, taken.Again, r.EditionID, r.SubscriberID, taken.Effect})
		}
		a.say("%s", takenSentence(taken))
		return nil
	}))
}

// takenSentence says what became of a message.
func takenSentence(t bounce.Taken) string {
	switch {
	case !t.Known:
		return fmt.Sprintf("It is read as %s and has no return path of ours, so it is counted and changes nothing.", t.Kind)
	case t.Again:
		return "It was on record already, so nothing is changed."
	case t.Effect == "":
		return fmt.Sprintf("It is on record as %s and changes nothing else.", t.Kind)
	}
	return fmt.Sprintf("It is on record as %s: %s.", t.Kind, t.Effect)
}

// tryAgain makes a mail system keep the message, unless it is the command that is wrong.
func tryAgain(err error) error {
	if e, ok := errors.AsType[*exitError](err); err == nil || ok && e.code == exitUsage {
		return err
	}
	return &exitError{exitTryAgain, err}
}
