package main

import (
	"fmt"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

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
		if v.SendAt != nil && v.StartedAt == nil {
			state += ", for " + local(*v.SendAt)
		}
		rows = append(rows, []string{
			fmt.Sprint(v.Edition), v.Newsletter, v.Cadence, v.Date, v.Slot, state, fmt.Sprint(v.Planned),
			fmt.Sprint(v.Accepted), fmt.Sprint(v.Refused), fmt.Sprint(v.Expired), fmt.Sprint(v.InDoubt), fmt.Sprint(v.Withheld), fmt.Sprint(v.Waiting), cut(v.Subject, 40),
		})
	}
	a.printTable([]string{"EDITION", "NEWSLETTER", "CADENCE", "DATE", "SLOT", "STATE", "PLANNED", "ACCEPTED", "REFUSED", "EXPIRED", "IN DOUBT", "WITHHELD", "WAITING", "SUBJECT"}, rows)
}
