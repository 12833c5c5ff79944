package main

import (
	"fmt"
	"strconv"
	"time"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func newEditionCommand(a *app) *cobra.Command {
	return newGroup("edition", "Show editions and what became of every message",
		`An edition is one issue of a newsletter for a slot, or an extra one. Its ledger has a row
for every reader; every row is in exactly one state, so that

  planned = accepted + refused + expired + in doubt + withheld + waiting`, groupThings,
		editionList(a), editionShow(a), editionDeliveries(a))
}

type editionView struct {
	ledgerView
	Date       string         `json:"date"`
	Slot       string         `json:"slot"`
	Reason     string         `json:"reason"`
	Subject    string         `json:"subject"`
	DueAt      *time.Time     `json:"due_at"`
	AsOf       *time.Time     `json:"as_of"`
	StartedAt  *time.Time     `json:"started_at"`
	FinishedAt *time.Time     `json:"finished_at"`
	ExpiresAt  *time.Time     `json:"expires_at"`
	Doubted    int            `json:"doubted"`
	Reasons    map[string]int `json:"withheld_reasons"`
}

func viewEdition(e newsletter.Edition, t newsletter.Tally) editionView {
	return editionView{
		ledgerView: viewLedger(e, t), Date: e.Date.String(), Slot: e.Slot, Reason: e.Reason, Subject: e.Subject,
		DueAt: utc(e.DueAt), AsOf: utc(e.AsOf), StartedAt: utc(e.StartedAt), FinishedAt: utc(e.FinishedAt), ExpiresAt: utc(e.ExpiresAt),
		Doubted: t.Doubted, Reasons: t.Reasons,
	}
}

func editionList(a *app) *cobra.Command {
	var slug string
	var before int64
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show editions, the newest first",
		Long: `Shows editions with their ledgers, the newest first, those that were skipped included.
--before goes on with older ones.`,
		Example: `  broadsheet edition list --newsletter daily-news
  broadsheet edition list --before 40 --limit 100 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 || limit > 1000 {
				return newsletter.Invalidf("limit", "can be from 1 to 1000")
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				editions, err := s.desk.Editions(cmd.Context(), slug, before, limit)
				if err != nil {
					return err
				}
				views := []editionView{}
				for _, e := range editions {
					_, tally, err := s.desk.Edition(cmd.Context(), e.ID)
					if err != nil {
						return err
					}
					views = append(views, viewEdition(e, tally))
				}
				if a.json {
					return a.printJSON(views)
				}
				a.printEditions(views)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&slug, "newsletter", "", "only of this newsletter")
	cmd.Flags().Int64Var(&before, "before", 0, "only editions before this id")
	cmd.Flags().IntVar(&limit, "limit", 20, "at most so many")
	return cmd
}

func (a *app) printEditions(views []editionView) {
	if len(views) == 0 {
		a.say("There are no editions yet. Make one: broadsheet send NEWSLETTER")
		return
	}
	var rows [][]string
	for _, v := range views {
		state := v.State
		if v.Reason != "" {
			state += ": " + cut(v.Reason, 40)
		}
		rows = append(rows, []string{
			fmt.Sprint(v.Edition), v.Newsletter, v.Cadence, v.Date, v.Slot, state, fmt.Sprint(v.Planned),
			fmt.Sprint(v.Accepted), fmt.Sprint(v.Refused), fmt.Sprint(v.Waiting), cut(v.Subject, 48),
		})
	}
	a.printTable([]string{"EDITION", "NEWSLETTER", "CADENCE", "DATE", "SLOT", "STATE", "PLANNED", "ACCEPTED", "REFUSED", "WAITING", "SUBJECT"}, rows)
}

func editionID(arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id < 1 {
		return 0, newsletter.Invalidf("edition", "%q is not the number of an edition; \"broadsheet edition list\" shows them", arg)
	}
	return id, nil
}

func editionShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show one edition, its ledger, and why each article was taken or left",
		Long: `Shows one edition: its ledger, its hash, which is over everything that goes into its
bytes, and every article that was considered with the reason why it was taken or left.`,
		Example: `  broadsheet edition show 42`,
		Args:    exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionID(args[0])
			if err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				e, tally, err := s.desk.Edition(cmd.Context(), id)
				if err != nil {
					return err
				}
				verdicts, err := s.desk.Verdicts(cmd.Context(), id)
				if err != nil {
					return err
				}
				type verdictView struct {
					Article  int64  `json:"article"`
					Headline string `json:"headline"`
					Verdict  string `json:"verdict"`
				}
				considered := []verdictView{}
				for _, v := range verdicts {
					article, err := s.desk.Article(cmd.Context(), v.ArticleID)
					if err != nil {
						return err
					}
					considered = append(considered, verdictView{v.ArticleID, article.Headline, string(v.Verdict)})
				}
				if a.json {
					return a.printJSON(struct {
						editionView
						Considered []verdictView `json:"considered"`
					}{viewEdition(e, tally), considered})
				}
				a.printFields([][2]string{
					{"Edition", fmt.Sprintf("%d of %s, %s of %s (%s)", e.ID, e.Newsletter, e.Cadence, e.Date, e.Slot)},
					{"State", string(e.State)}, {"Reason", e.Reason}, {"Subject", e.Subject},
					{"Due", local(e.DueAt)}, {"Frozen as of", local(e.AsOf)}, {"Finished", local(e.FinishedAt)},
					{"Hash", e.Hash},
				})
				if e.Planned > 0 {
					fmt.Fprintln(a.stdout)
					a.printTally(tally, s.press.transport.Real())
				}
				if len(considered) > 0 {
					fmt.Fprintln(a.stdout)
					var rows [][]string
					for _, v := range considered {
						why := "taken"
						if v.Verdict != string(newsletter.Taken) {
							why = verdictWords(newsletter.Verdict(v.Verdict))
						}
						rows = append(rows, []string{fmt.Sprint(v.Article), why, cut(v.Headline, 70)})
					}
					a.printTable([]string{"ARTICLE", "WHY", "HEADLINE"}, rows)
				}
				return nil
			})
		},
	}
}

type deliveryView struct {
	Edition    int64      `json:"edition"`
	Subscriber int64      `json:"subscriber"`
	Email      string     `json:"email"`
	State      string     `json:"state"`
	Reason     string     `json:"reason"`
	Attempts   int        `json:"attempts"`
	Doubts     int        `json:"doubts"`
	DoubtedAt  *time.Time `json:"doubted_at"`
	NextTry    *time.Time `json:"next_try"`
	ExpiresAt  *time.Time `json:"expires_at"`
	Code       int        `json:"code"`
	Enhanced   string     `json:"enhanced_code"`
	Reply      string     `json:"reply"`
	Relay      string     `json:"relay"`
	UpdatedAt  *time.Time `json:"updated_at"`
}

func viewDelivery(d newsletter.Delivery) deliveryView {
	v := deliveryView{
		Edition: d.EditionID, Subscriber: d.SubscriberID, Email: d.Email, State: d.State.String(), Reason: d.Reason,
		Attempts: d.Attempts, Doubts: d.Doubts, DoubtedAt: utc(d.DoubtedAt), ExpiresAt: utc(d.ExpiresAt),
		Code: d.Code, Enhanced: d.Enhanced, Reply: d.Reply, Relay: d.Relay, UpdatedAt: utc(d.UpdatedAt),
	}
	if d.State == newsletter.Waiting || d.State == newsletter.Deferred {
		v.NextTry = utc(d.NextTry)
	}
	return v
}

func editionDeliveries(a *app) *cobra.Command {
	var state string
	var doubted bool
	var after int64
	var limit int
	cmd := &cobra.Command{
		Use:   "deliveries ID",
		Short: "Show an edition's ledger, reader by reader",
		Long: `Shows the rows of an edition's ledger in order of the subscribers' ids. --doubted shows
those that were in doubt at some time: the final dot was sent and no answer came, so
nobody can know whether the message arrived; they may have come twice.

At most --limit rows are shown; --after goes on behind a subscriber.`,
		Example: `  broadsheet edition deliveries 42 --state refused
  broadsheet edition deliveries 42 --doubted --json`,
		Args: exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionID(args[0])
			if err != nil {
				return err
			}
			f := newsletter.DeliveryFilter{EditionID: id, Doubted: doubted, After: after, Limit: limit}
			if limit < 1 || limit > 100_000 {
				return newsletter.Invalidf("limit", "can be from 1 to 100000")
			}
			if state != "" {
				if f.State, err = newsletter.ParseState(state); err != nil {
					return err
				}
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				rows, err := s.desk.Deliveries(cmd.Context(), f)
				if err != nil {
					return err
				}
				return a.printDeliveries(rows, limit)
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only in this state: waiting, sending, deferred, accepted, refused, expired, in_doubt or withheld")
	cmd.Flags().BoolVar(&doubted, "doubted", false, "only those that were in doubt at some time")
	cmd.Flags().Int64Var(&after, "after", 0, "only behind this subscriber")
	cmd.Flags().IntVar(&limit, "limit", 1000, "at most so many")
	return cmd
}

func (a *app) printDeliveries(rows []newsletter.Delivery, limit int) error {
	if a.json {
		views := []deliveryView{}
		for _, d := range rows {
			views = append(views, viewDelivery(d))
		}
		return a.printJSON(views)
	}
	if len(rows) == 0 {
		a.say("There are no such deliveries.")
		return nil
	}
	var table [][]string
	for _, d := range rows {
		why := reasonWords(d.Reason)
		if d.Code > 0 || d.Reply != "" {
			why = cut(fmt.Sprintf("%d %s %s", d.Code, d.Enhanced, d.Reply), 70)
		}
		table = append(table, []string{fmt.Sprint(d.SubscriberID), d.Email, d.State.String(), fmt.Sprint(d.Attempts), fmt.Sprint(d.Doubts), local(d.UpdatedAt), why})
	}
	a.printTable([]string{"SUBSCRIBER", "EMAIL", "STATE", "ATTEMPTS", "DOUBTS", "SINCE", "WHY"}, table)
	if len(rows) == limit {
		a.say("There may be more: --after %d goes on.", rows[len(rows)-1].SubscriberID)
	}
	return nil
}
