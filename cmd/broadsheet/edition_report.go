package main

import (
	"fmt"
	"strings"
	"time"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func editionReport(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "report ID",
		Short: "Show what became of an edition, counted every way",
		Long: `Shows what became of every message of an edition: the ledger and its balance, how long it
took and how fast it went, the readers' domains, the relays' replies with an example of
each, and what was in doubt.

While an edition is being sent this is counted at once, which takes some seconds for a
million readers. When it is finished what was counted is kept, for ever; the rows of the
ledger, reader by reader, are kept for KEEP_DELIVERIES days.`,
		Example: `  broadsheet edition report 42
  broadsheet edition report 42 --json`,
		Args: exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionID(args[0])
			if err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				r, err := s.desk.Report(cmd.Context(), id)
				if err != nil {
					return err
				}
				c, canary, err := s.desk.Canary(cmd.Context(), id)
				if err != nil {
					return err
				}
				if a.json {
					v := viewReport(r, a.now())
					if canary {
						v.Canary = viewCanary(c)
					}
					return a.printJSON(v)
				}
				a.printReport(r, s.press.transport.Real())
				if canary {
					a.printCanary(c, r.Tally)
				}
				return nil
			})
		},
	}
}

func (a *app) printReport(r newsletter.Report, real bool) {
	e, now := r.Edition, a.now()
	state := string(e.State)
	if e.Reason != "" {
		state += ": " + e.Reason
	}
	fields := [][2]string{
		{"Edition", fmt.Sprintf("%d of %s, %s of %s (%s)", e.ID, e.Newsletter, e.Name(), e.Date, e.Slot)},
		{"State", state}, {"Subject", e.Subject}, {"Hash", e.Hash},
	}
	if !e.StartedAt.IsZero() {
		finished, took := local(e.FinishedAt), r.Duration(now).Round(time.Millisecond).String()
		if e.FinishedAt.IsZero() {
			finished, took = "", took+" until now"
		}
		took += ", pauses and later tries included"
		fields = append(fields, [2]string{"Started", local(e.StartedAt)}, [2]string{"Finished", finished},
			[2]string{"Took", took}, [2]string{"Rate", fmt.Sprintf("%.1f accepted a second in that time", r.Rate(now))})
	}
	a.printFields(append(fields, [2]string{"Rows", rowsLine(r)}))
	fmt.Fprintln(a.stdout)
	a.printIdentity(r.Tally, real, returnedLines(r))
	if d := r.Doubts; d.Ever > 0 {
		fmt.Fprintf(a.stdout, "\n%s in doubt at some time: %d sent again, %d still in doubt (broadsheet edition deliveries %d --doubted)\n",
			counted(d.Ever, "message was", "messages were"), d.Again, d.Now, e.ID)
	}
	a.printBreakdown(r)
}

// returnedLines are what stands under the messages that were accepted: what came back of them.
func returnedLines(r newsletter.Report) []string {
	if r.Returned == nil {
		return []string{"nothing ever came back, of no edition: see docs/bounces.md"}
	}
	line := func(name string, n int) string {
		return fmt.Sprintf("%-16s  %d  %s", name, n, newsletter.Percent(share(n, r.Tally.Counts[newsletter.Accepted])))
	}
	return []string{line("later bounced", r.Returned.Bounced), line("later complained", r.Returned.Complained)}
}

// share returns what part of a number another one is; 0 of nothing.
func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// rowsLine says what the edition's rows take, or that they are gone.
func rowsLine(r newsletter.Report) string {
	switch {
	case !r.PrunedAt.IsZero() && r.Rows == 0:
		return fmt.Sprintf("removed since %s; this is what they added up to", local(r.PrunedAt))
	case !r.PrunedAt.IsZero():
		return fmt.Sprintf("%d left, the others are being removed; this is what they added up to", r.Rows)
	}
	return fmt.Sprintf("%d of about %d bytes each, %.1f MB in all", r.Rows, r.RowBytes, float64(r.Rows)*float64(r.RowBytes)/1e6)
}

func (a *app) printBreakdown(r newsletter.Report) {
	header := []string{"DOMAIN", "PLANNED", "ACCEPTED", "REFUSED", "EXPIRED", "IN DOUBT", "WITHHELD", "WAITING"}
	var rows [][]string
	for _, d := range r.Domains {
		name := d.Domain
		if name == "" {
			name = "(erased)"
		}
		rows = append(rows, append([]string{name}, countCells(d.Counts)...))
	}
	if r.Other.Planned() > 0 {
		rows = append(rows, append([]string{"(other)"}, countCells(r.Other.Counts)...))
	}
	a.printSection(header, rows)
	rows = nil
	for _, reply := range r.Replies {
		rows = append(rows, []string{replyCode(reply), reply.State.String(), fmt.Sprint(reply.Count), cut(reply.Example, 70)})
	}
	a.printSection([]string{"REPLY", "STATE", "COUNT", "EXAMPLE"}, rows)
	rows = nil
	for _, relay := range r.Relays {
		rows = append(rows, append([]string{relay.Relay}, countCells(relay.Counts)...))
	}
	header = append([]string{"RELAY", "ASKED"}, header[2:]...)
	a.printSection(header, rows)
}

// printSection prints a table after an empty line, if it has rows.
func (a *app) printSection(header []string, rows [][]string) {
	if len(rows) > 0 {
		fmt.Fprintln(a.stdout)
		a.printTable(header, rows)
	}
}

func replyCode(r newsletter.ReplyTotal) string {
	if r.Code == 0 {
		return "none"
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", r.Code, r.Enhanced))
}

func countCells(counts map[newsletter.State]int) []string {
	v := viewCounts(counts)
	var cells []string
	for _, n := range []int{v.Planned, v.Accepted, v.Refused, v.Expired, v.InDoubt, v.Withheld, v.Waiting} {
		cells = append(cells, fmt.Sprint(n))
	}
	return cells
}

// countsView counts deliveries as the ledger does: waiting counts deferred and sending too.
type countsView struct {
	Planned  int `json:"planned"`
	Accepted int `json:"accepted"`
	Refused  int `json:"refused"`
	Expired  int `json:"expired"`
	InDoubt  int `json:"in_doubt"`
	Withheld int `json:"withheld"`
	Waiting  int `json:"waiting"`
	Deferred int `json:"deferred"` // of those waiting
}

func viewCounts(counts map[newsletter.State]int) countsView {
	t := newsletter.Tally{Counts: counts}
	v := countsView{
		Accepted: counts[newsletter.Accepted], Refused: counts[newsletter.Refused], Expired: counts[newsletter.Expired],
		InDoubt: counts[newsletter.InDoubt], Withheld: counts[newsletter.Withheld], Waiting: t.WaitingCount(), Deferred: counts[newsletter.Deferred],
	}
	v.Planned = v.Accepted + v.Refused + v.Expired + v.InDoubt + v.Withheld + v.Waiting
	return v
}

type reportView struct {
	editionView
	Duration     float64           `json:"duration_seconds"`
	Rate         float64           `json:"rate"`
	Bounced      *int              `json:"bounced"`        // null: nothing ever came back, of no edition
	Complained   *int              `json:"complained"`     // null: as before
	Complaints   *float64          `json:"complaint_rate"` // of those accepted, 0 to 1; null: as before
	SentAgain    int               `json:"sent_again"`
	Domains      []domainView      `json:"domains"`
	OtherDomains countsView        `json:"other_domains"`
	Replies      []replyView       `json:"replies"`
	Relays       []relayCountsView `json:"relays"`
	Rows         int               `json:"rows"`
	RowBytes     int               `json:"row_bytes"`
	CountedAt    *time.Time        `json:"counted_at"`
	RemovedAt    *time.Time        `json:"rows_removed_at"`
	Canary       *canaryView       `json:"canary"` // null: everybody got it at once
}

type domainView struct {
	Domain string `json:"domain"`
	countsView
}

type relayCountsView struct {
	Relay string `json:"relay"`
	countsView
}

type replyView struct {
	Code     int    `json:"code"`
	Enhanced string `json:"enhanced_code"`
	State    string `json:"state"`
	Count    int    `json:"count"`
	Example  string `json:"example"`
}

func viewReport(r newsletter.Report, now time.Time) reportView {
	v := reportView{
		editionView: viewEdition(r.Edition, r.Tally), Duration: r.Duration(now).Seconds(), Rate: r.Rate(now), SentAgain: r.Doubts.Again,
		Domains: []domainView{}, OtherDomains: viewCounts(r.Other.Counts), Replies: []replyView{}, Relays: []relayCountsView{},
		Rows: r.Rows, RowBytes: r.RowBytes, CountedAt: utc(r.CountedAt), RemovedAt: utc(r.PrunedAt),
	}
	if r.Returned != nil {
		rate := share(r.Returned.Complained, r.Tally.Counts[newsletter.Accepted])
		v.Bounced, v.Complained, v.Complaints = &r.Returned.Bounced, &r.Returned.Complained, &rate
	}
	for _, d := range r.Domains {
		v.Domains = append(v.Domains, domainView{d.Domain, viewCounts(d.Counts)})
	}
	for _, reply := range r.Replies {
		v.Replies = append(v.Replies, replyView{reply.Code, reply.Enhanced, reply.State.String(), reply.Count, reply.Example})
	}
	for _, relay := range r.Relays {
		v.Relays = append(v.Relays, relayCountsView{relay.Relay, viewCounts(relay.Counts)})
	}
	return v
}
