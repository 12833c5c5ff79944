package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

// What status looks at outside the database.
const (
	relayTime   = 10 * time.Second // to wait for a relay
	lowDisk     = 500 << 20        // free bytes that are too few
	bytesPerMiB = 1 << 20
)

func newStatusCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		GroupID: groupOperation,
		Short:   "Show how things stand; exit code 1 if something is late or failing",
		Long: `Shows when each newsletter is due next and what became of its last slot, its last edition
with the ledger, the mail that waits, the sources, the relay, the disk, and who sends.

What is late or failing is said at the end: what, since when, and what to do. It makes the
exit code 1. These are the alarms that "broadsheet serve" tells by BROADSHEET_STAFF_EMAIL
and BROADSHEET_ALARM_URL.`,
		Example: `  broadsheet status
  broadsheet status --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
				p, err := s.newPress(s.usableTemplates())
				if err != nil {
					return err
				}
				v, err := a.status(cmd.Context(), s, p)
				if err != nil {
					return err
				}
				if a.json {
					err = a.printJSON(v)
				} else {
					a.printStatus(v)
				}
				if err == nil && len(v.Problems) > 0 {
					return &exitError{exitFailed, fmt.Errorf("%s", counted(len(v.Problems), "thing is late or failing", "things are late or failing"))}
				}
				return err
			})
		},
	}
}

type statusView struct {
	Slots     []slotView     `json:"slots"`
	Editions  []editionView  `json:"editions"`
	Approvals []approvalView `json:"approvals"` // drafts that wait for staff
	Mails     int            `json:"mails_waiting"`
	SignUps   int            `json:"sign_ups_last_hour"`
	PutOff    int            `json:"mails_put_off"` // confirmation mails in the slow lane, or within the hour after another
	Sources   []sourceState  `json:"sources"`
	Relay     string         `json:"relay"`
	RelayOK   bool           `json:"relay_ok"`
	Database  string         `json:"database"`
	Size      int64          `json:"database_bytes"`
	Free      int64          `json:"disk_free_bytes"`
	Sender    string         `json:"sender"`
	Problems  []string       `json:"problems"` // the texts of the alarms
	Alarms    []alarmView    `json:"alarms"`
}

type alarmView struct {
	Kind     newsletter.AlarmKind `json:"kind"`
	Subject  string               `json:"subject"`
	Severity newsletter.Severity  `json:"severity"`
	Text     string               `json:"text"`
	Since    *time.Time           `json:"since"` // null: not known
}

type slotView struct {
	Newsletter string     `json:"newsletter"`
	Status     string     `json:"status"`
	Cadence    string     `json:"cadence"`
	Slot       string     `json:"slot"`
	Rule       string     `json:"rule"`
	Zone       string     `json:"zone"`
	NextAt     *time.Time `json:"next_at"`
	LastDueAt  *time.Time `json:"last_due_at"`  // null: there was none yet
	Last       string     `json:"last"`         // the state of the last slot's edition
	LastReason string     `json:"last_reason"`  // why it was skipped or paused
	LastWords  string     `json:"last_outcome"` // the two in words
	next, last string
}

type sourceState struct {
	Source    int64      `json:"source"`
	Name      string     `json:"name"`
	LastOKAt  *time.Time `json:"last_ok_at"`
	Failures  int        `json:"failures"`
	LastError string     `json:"last_error"`
}

func (a *app) status(ctx context.Context, s *services, p *press) (statusView, error) {
	st, err := s.desk.Status(ctx, s.store)
	if err != nil {
		return statusView{}, err
	}
	v := statusView{Mails: st.Mails, SignUps: st.SignUps.All, PutOff: st.SignUps.PutOff, Database: s.store.Path(), Slots: []slotView{}, Editions: []editionView{}, Sources: []sourceState{}, Approvals: viewApprovals(st.Approvals)}
	for _, slot := range st.Slots {
		v.Slots = append(v.Slots, viewSlot(slot))
	}
	for _, e := range st.Editions {
		view := viewEdition(e.Edition, e.Tally)
		view.GoesOn = utc(e.GoesOn)
		if e.Canary != nil {
			view.canary = canaryWords(*e.Canary)
		}
		v.Editions = append(v.Editions, view)
	}
	for _, src := range st.Sources {
		v.Sources = append(v.Sources, sourceState{src.ID, src.Name, utc(src.LastOKAt), src.Failures, src.LastError})
	}
	if st.Sends {
		v.Sender = fmt.Sprintf("broadsheet %s, process %d, since %s", st.Sender.Command, st.Sender.PID, local(st.Sender.Since))
	}
	if v.Size, v.Free, err = s.store.Disk(); err != nil {
		return v, err
	}
	low, err := s.lowDisks()
	if err != nil {
		return v, err
	}
	var box []newsletter.Alarm
	var asking sync.WaitGroup
	asking.Go(func() { box = s.newBounceBox().ask(ctx) })
	broken := p.askRelays(ctx)
	asking.Wait()
	v.Relay, v.RelayOK = p.transport.String(), len(broken) == 0
	unsafe, err := s.unsafe(ctx)
	if err != nil {
		return v, err
	}
	err = s.viewAlarms(ctx, &v, slices.Concat(unsafe, st.Problems, low, broken, box))
	return v, err
}

// viewAlarms shows the alarms. Since when one is that does not know it, the service does if
// it has told of it.
func (s *services) viewAlarms(ctx context.Context, v *statusView, alarms []newsletter.Alarm) error {
	told, err := s.store.UnsettledAlarms(ctx)
	if err != nil {
		return err
	}
	since := map[newsletter.AlarmKey]time.Time{}
	for _, r := range told {
		if !r.Over() {
			since[r.Key()] = r.Since
		}
	}
	v.Problems, v.Alarms = []string{}, []alarmView{}
	for _, alarm := range alarms {
		if alarm.Since.IsZero() {
			alarm.Since = since[alarm.Key()]
		}
		v.Problems = append(v.Problems, alarm.Text())
		v.Alarms = append(v.Alarms, alarmView{alarm.Kind, alarm.Subject, alarm.Kind.Severity(), alarm.Text(), utc(alarm.Since)})
	}
	return nil
}

func viewSlot(slot desk.SlotStatus) slotView {
	n := slot.Newsletter
	v := slotView{
		Newsletter: n.Slug, Status: string(n.Status), Cadence: string(slot.Schedule.Cadence), Slot: slot.Schedule.Slot,
		Rule: slot.Schedule.Rule.String(), Zone: n.Zone, NextAt: utc(slot.Next.At),
	}
	if slot.Schedule.Cadence == newsletter.Immediate {
		v.Rule = ruleOf(n, slot.Schedule)
	}
	zone, err := n.Location()
	switch {
	case n.Status != newsletter.Open:
		v.next = "no: the newsletter is " + string(n.Status)
	case slot.Schedule.Cadence == newsletter.Immediate:
		v.next = "when a story comes"
	case slot.Next.At.IsZero():
		v.next = "no: it is sent by hand"
	case err == nil:
		v.next = inZone(slot.Next.At, zone)
	}
	if last := slot.Last; last.ID != 0 && err == nil {
		v.LastDueAt, v.Last, v.LastReason, v.LastWords = utc(last.DueAt), string(last.State), last.Reason, last.Outcome()
		v.last = last.DueAt.In(zone).Format("Mon 2 Jan 15:04") + ": " + v.LastWords
	}
	return v
}

func (a *app) printStatus(v statusView) {
	var rows [][]string
	for _, s := range v.Slots {
		rows = append(rows, []string{s.Newsletter, newsletter.SlotName(newsletter.Cadence(s.Cadence), s.Slot), s.Rule, s.next, s.last})
	}
	a.printTable([]string{"NEWSLETTER", "CADENCE", "RULE", "NEXT", "LAST"}, rows)
	for _, e := range v.Editions {
		fmt.Fprintf(a.stdout, "\nEdition %d of %s, %s of %s: %s\n", e.Edition, e.Newsletter, e.Cadence, e.Date, e.State)
		fmt.Fprintf(a.stdout, "  planned %d = accepted %d + refused %d + expired %d + in doubt %d + withheld %d + waiting %d\n",
			e.Planned, e.Accepted, e.Refused, e.Expired, e.InDoubt, e.Withheld, e.Waiting)
		if e.canary != "" {
			fmt.Fprintf(a.stdout, "  canary: %s\n", e.canary)
		}
		if e.GoesOn != nil {
			fmt.Fprintf(a.stdout, "  warm-up %s: today's share is sent, it goes on at %s\n", e.WarmUp, e.GoesOn.Format("15:04 MST on 2 January"))
		}
	}
	for _, w := range v.Approvals {
		fmt.Fprintf(a.stdout, "\n%s\n", w.line)
	}
	if len(v.Sources) > 0 {
		fmt.Fprintln(a.stdout)
		rows = nil
		for _, s := range v.Sources {
			state := "fine"
			if s.Failures > 0 {
				state = fmt.Sprintf("failed %d times: %s", s.Failures, cut(s.LastError, 60))
			}
			ok := "never"
			if s.LastOKAt != nil {
				ok = local(*s.LastOKAt)
			}
			rows = append(rows, []string{cut(s.Name, 40), ok, state})
		}
		a.printTable([]string{"SOURCE", "LAST READ", "STATE"}, rows)
	}
	relay := "answers"
	if !v.RelayOK {
		relay = "does not answer well"
	}
	sender := v.Sender
	if sender == "" {
		sender = "nobody"
	}
	fmt.Fprintln(a.stdout)
	a.printFields([][2]string{
		{"Mail waiting", counted(v.Mails, "confirmation", "confirmations")},
		{"Sign-ups", signUpWords(v)},
		{"Sender role", sender},
		{"Relay", v.Relay + ", " + relay},
		{"Database", fmt.Sprintf("%s, %.1f MiB", v.Database, float64(v.Size)/bytesPerMiB)},
		{"Disk", fmt.Sprintf("%d MiB free", v.Free/bytesPerMiB)},
	})
	for _, p := range v.Problems {
		fmt.Fprintf(a.stdout, "\n! %s", plain(p))
	}
	if len(v.Problems) > 0 {
		fmt.Fprintln(a.stdout)
	}
}

func signUpWords(v statusView) string {
	words := fmt.Sprintf("%d in the last hour", v.SignUps)
	if v.PutOff > 0 {
		words += fmt.Sprintf(", %s put off", counted(v.PutOff, "confirmation mail", "confirmation mails"))
	}
	return words
}
