package main

import (
	"context"
	"fmt"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func editionRefresh(a *app) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "refresh ID",
		Short: "Take into a draft what came later",
		Long: `Asks the sources, and shows what taking it in would change in the draft: articles that are
owed to somebody since (they are put at the end), articles that were withdrawn, held or got
too old, and texts that changed at their source. Then it asks. What you dropped from the
draft stays out, and so do your own headlines.`,
		Example: `  broadsheet edition refresh 42
  broadsheet edition refresh 42 --yes`,
		Args: exactArgs("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionID(args[0])
			if err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error { return a.refresh(cmd.Context(), s, id, yes) })
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func (a *app) refresh(ctx context.Context, s *services, id int64, yes bool) error {
	r, err := s.desk.LookAfresh(ctx, id)
	if err != nil {
		return err
	}
	for _, w := range r.Warnings {
		a.warn("%s", w)
	}
	if r.Same() && !a.json {
		a.say("Nothing came since that is not in edition %d.", id)
		return nil
	}
	if !a.json {
		a.printRefreshed(r)
	}
	goOn, err := a.ask(ctx, yes || r.Same(), "Take it in?", fmt.Sprintf("change edition %d", id))
	if err != nil {
		return err
	}
	if !goOn {
		a.say("Nothing was changed.")
		return nil
	}
	draft, err := s.desk.KeepRefreshed(ctx, r)
	if err != nil {
		return err
	}
	return a.printDraft(ctx, s, draft)
}

func (a *app) printRefreshed(r desk.Refreshed) {
	var rows [][]string
	for _, c := range r.Added {
		rows = append(rows, []string{"added", fmt.Sprint(c.ID), cut(c.Headline, 70)})
	}
	for _, g := range r.Gone {
		rows = append(rows, []string{"gone: " + verdictWords(g.Why), fmt.Sprint(g.ID), cut(g.Headline, 70)})
	}
	for _, c := range r.Changed {
		rows = append(rows, []string{"changed", fmt.Sprint(c.ID), changeWords(c.Was, c.Now)})
	}
	if r.Sponsors > 0 {
		rows = append(rows, []string{"booked", "", counted(r.Sponsors, "sponsor's message", "sponsors' messages")})
	}
	a.printTable([]string{"WHAT", "ARTICLE", "HEADLINE"}, rows)
}

// changeWords says what of an article's text is new.
func changeWords(was, now newsletter.Item) string {
	if was.Headline != now.Headline {
		return cut(was.Headline, 60) + " → " + cut(now.Headline, 60)
	}
	if was.Summary != now.Summary {
		return cut(now.Headline, 60) + " (its summary)"
	}
	return cut(now.Headline, 60) + " (link, picture, author or label)"
}
