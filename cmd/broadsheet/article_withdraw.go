package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func articleWithdraw(a *app) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "withdraw ARTICLE",
		Short: "Take an article back for good",
		Long: `Takes an article back: no edition takes it any more, and messages with it that are not
sent yet are withheld. The other articles of those messages are owed to their readers
again, so the next edition brings them. What was sent already cannot be called back.

It asks on a terminal and needs --yes without one. To keep an article out for a while,
use "broadsheet article hold".`,
		Example: `  broadsheet article withdraw 7
  broadsheet article withdraw 7 --yes --json`,
		Args: exactArgs("ARTICLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseArticle(args[0])
			if err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				return a.withdrawArticle(cmd.Context(), s, id, yes)
			})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func (a *app) withdrawArticle(ctx context.Context, s *services, id int64, yes bool) error {
	detail, err := s.desk.Article(ctx, id)
	if err != nil {
		return err
	}
	question := fmt.Sprintf("Withdraw article %d, %q, for good?", id, cut(plain(detail.Headline), 60))
	if goOn, err := a.ask(ctx, yes, question, fmt.Sprintf("withdraw article %d", id)); !goOn {
		if err == nil {
			a.say("Nothing was changed.")
		}
		return err
	}
	w, err := s.desk.Withdraw(ctx, id)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(struct {
			articleView
			Withheld int `json:"withheld"`
			Had      int `json:"had"`
		}{viewArticle(w.Article, a.now()), w.Withheld, w.Had})
	}
	a.say("Article %d, %q, is withdrawn; %s withheld.", id, cut(w.Article.Headline, 60), counted(w.Withheld, "message was", "messages were"))
	if w.Had > 0 {
		a.say("%s it already.", counted(w.Had, "reader has", "readers have"))
	}
	return nil
}
