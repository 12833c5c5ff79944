package main

import (
	"time"

	"github.com/spf13/cobra"
)

func editionLog(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "log ID",
		Short: "Show who did what to an edition, and when",
		Long: `Shows what was done to an edition, the newest last: who did it (cli:ada is Ada at the
command line, api: a token of the API, schedule the service itself), what, and when.
Nothing is ever taken out of this record.`,
		Example: `  broadsheet edition log 42
  broadsheet edition log 42 --json`,
		Args: exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionID(args[0])
			if err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				entries, err := s.desk.EditionLog(cmd.Context(), id)
				if err != nil {
					return err
				}
				type view struct {
					At     time.Time `json:"at"`
					Actor  string    `json:"actor"`
					Action string    `json:"action"`
					Detail string    `json:"detail"`
				}
				views, rows := []view{}, [][]string{}
				for _, e := range entries {
					views = append(views, view{e.At, e.Actor, e.Action, e.Detail})
					rows = append(rows, []string{local(e.At), e.Actor, e.Action, cut(e.Detail, 90)})
				}
				if a.json {
					return a.printJSON(views)
				}
				a.printTable([]string{"WHEN", "WHO", "WHAT", "DETAIL"}, rows)
				return nil
			})
		},
	}
}
