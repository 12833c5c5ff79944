package main

import (
	"fmt"
	"time"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

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
				approval, err := approvalLine(cmd.Context(), s, e)
				if err != nil {
					return err
				}
				a.printFields([][2]string{
					{"Edition", fmt.Sprintf("%d of %s, %s of %s (%s)", e.ID, e.Newsletter, e.Name(), e.Date, e.Slot)},
					{"State", string(e.State)}, {"Reason", e.Reason}, {"Subject", e.Subject},
					{"Due", local(e.DueAt)}, {"Frozen as of", whenKnown(e.AsOf)}, {"To be sent", whenKnown(e.SendAt)}, {"Begun", whenKnown(e.StartedAt)}, {"Finished", whenKnown(e.FinishedAt)},
					{"Hash", e.Hash}, {"Approval", approval},
				})
				if e.State == newsletter.EditionDraft {
					if err := a.showSheet(cmd.Context(), s, id); err != nil {
						return err
					}
				}
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

// whenKnown returns the time as people read it; nothing for none.
func whenKnown(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return local(t)
}
