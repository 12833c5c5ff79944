package main

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func articleWithdraw(a *app) *cobra.Command {
	var yes bool
	var edition int64
	cmd := &cobra.Command{
		Use:   "withdraw ARTICLE",
		Short: "Take an article back for good",
		Long: `Takes an article back: no edition takes it any more, and readers whose message is not sent
yet get a copy without it, with a subject of its own; nothing is sent to those of whose copy
no story is left. In the archive stands that it was withdrawn. What was sent already cannot
be called back: "broadsheet edition deliveries ID --article ARTICLE" lists who has it, and
"article correct" tells them.

With --edition it is taken out of that edition alone, which has to be frozen or on its way;
those who did not get it are owed it by the next one.

It asks on a terminal and needs --yes without one. To keep an article out for a while,
use "broadsheet article hold"; to take it out of a draft, "broadsheet edition edit".`,
		Example: `  broadsheet article withdraw 7
  broadsheet article withdraw 7 --edition 42
  broadsheet article withdraw 7 --yes --json`,
		Args: exactArgs("ARTICLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseArticle(args[0])
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("edition") && edition < 1 {
				return newsletter.Invalidf("edition", "has to be the number of an edition")
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				return a.withdrawArticle(cmd.Context(), s, id, edition, yes)
			})
		},
	}
	cmd.Flags().Int64Var(&edition, "edition", 0, "take it out of this edition alone")
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func (a *app) withdrawArticle(ctx context.Context, s *services, id, edition int64, yes bool) error {
	detail, err := s.desk.Article(ctx, id)
	if err != nil {
		return err
	}
	question := fmt.Sprintf("Withdraw article %d, %q, for good?", id, cut(plain(detail.Headline), 60))
	if edition != 0 {
		question = fmt.Sprintf("Withdraw article %d, %q, from edition %d?", id, cut(plain(detail.Headline), 60), edition)
	}
	if goOn, err := a.ask(ctx, yes, question, fmt.Sprintf("withdraw article %d", id)); !goOn {
		if err == nil {
			a.say("Nothing was changed.")
		}
		return err
	}
	w, err := s.desk.Withdraw(ctx, id, edition)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(viewWithdrawal(w, edition, a.now()))
	}
	from := ""
	if edition != 0 {
		from = fmt.Sprintf(" from edition %d", edition)
	}
	a.say("Article %d, %q, is withdrawn%s.", id, cut(plain(w.Article.Headline), 60), from)
	for _, e := range w.Editions {
		if e.Recopied > 0 {
			a.say("Edition %d: %s a copy without it.", e.Edition, counted(e.Recopied, "reader who waits gets", "readers who wait get"))
		}
		if e.Withheld > 0 {
			a.say("Edition %d: of %s nothing is left; nothing is sent to them.", e.Edition, counted(e.Withheld, "reader's copy", "readers' copies"))
		}
		if e.Had > 0 {
			a.say("Edition %d: %s it already (\"broadsheet edition deliveries %d --article %d\" lists them).", e.Edition, counted(e.Had, "reader has", "readers have"), e.Edition, id)
		}
	}
	return nil
}

type withdrawalView struct {
	articleView
	From     int64                  `json:"edition,omitempty"` // it was withdrawn from that edition alone
	Editions []withdrawnEditionView `json:"editions"`
}

type withdrawnEditionView struct {
	Edition  int64 `json:"edition"`
	Recopied int   `json:"recopied"` // readers who wait and get a copy without it
	Withheld int   `json:"withheld"`
	Had      int   `json:"had"`
}

func viewWithdrawal(w desk.Withdrawal, edition int64, now time.Time) withdrawalView {
	v := withdrawalView{articleView: viewArticle(w.Article, now), From: edition, Editions: []withdrawnEditionView{}}
	for _, e := range w.Editions {
		v.Editions = append(v.Editions, withdrawnEditionView{e.Edition, e.Recopied, e.Withheld, e.Had})
	}
	return v
}
