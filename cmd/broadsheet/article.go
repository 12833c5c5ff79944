package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"

	"github.com/spf13/cobra"
)

func newArticleCommand(a *app) *cobra.Command {
	return newGroup("article", "Articles that came in, and holding them back",
		`An article is one published story, whichever sources carry it. A held article is in no
edition until it is released; articles that are dated more than seven days before they
came in are held by themselves.`, groupThings,
		articleList(a), articleShow(a),
		articleChange(a, "hold", "Keep an article out of editions until it is released",
			`Keeps an article out of every edition that is made from now on, until it is released.
An edition that is frozen keeps it. It can be repeated.`, (*desk.Desk).HoldArticle),
		articleChange(a, "release", "Let a held or back-dated article be sent",
			`Makes an article new from now on that was held, back-dated, or known from before its
source was yours. One that is held and under embargo keeps the embargo; releasing it once
more lifts that too. Readers who had the article do not get it again.`, (*desk.Desk).ReleaseArticle),
		articleWithdraw(a), articleCorrections(a), articleCorrect(a))
}

func articleList(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list [--newsletter SLUG] [--held]",
		Short: "Show articles, the newest first",
		Long: `Shows the articles that came in, the newest first, and what becomes of each:

  ready       part of the next digest of readers who did not have it
  embargo     waits for the date that its source gives
  held        held by staff
  back_dated  held because of its old date
  baseline    known from before its source was yours: never sent
  withdrawn   taken back

To see more, give the last number that was shown as --after.`,
		Example: `  broadsheet article list --newsletter daily-news
  broadsheet article list --held
  broadsheet article list --since 24h --json`,
		Args: cobra.NoArgs,
	}
	slug := newsletterFlag(cmd)
	held := cmd.Flags().Bool("held", false, "only those that are held")
	since := cmd.Flags().Duration("since", 0, "only those that came in within this time, such as 24h")
	after := cmd.Flags().Int64("after", 0, "go on after the article with this number")
	limit := cmd.Flags().Int("limit", newsletter.DefaultPage, fmt.Sprintf("how many, at most %d", newsletter.MaxPage))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		f := newsletter.ArticleFilter{Newsletter: *slug, Held: *held, After: *after, Limit: *limit}
		switch {
		case *since < 0:
			return newsletter.Invalidf("since", "has to be a time such as 24h")
		case *limit < 1:
			return newsletter.Invalidf("limit", "%d is not possible; use 1 to %d", *limit, newsletter.MaxPage)
		case *since > 0:
			f.Since = a.now().Add(-*since)
		}
		return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
			articles, err := s.desk.Articles(cmd.Context(), f)
			if err != nil {
				return err
			}
			return a.printArticles(articles)
		})
	}
	return cmd
}

func (a *app) printArticles(articles []newsletter.Article) error {
	now := a.now()
	if a.json {
		views := []articleView{}
		for _, art := range articles {
			views = append(views, viewArticle(art, now))
		}
		return a.printJSON(views)
	}
	if len(articles) == 0 {
		a.say("There is no such article.")
		return nil
	}
	var rows [][]string
	for _, art := range articles {
		rows = append(rows, []string{
			strconv.FormatInt(art.ID, 10), local(art.FirstSeen), stateWithTime(art, now), titleOf(art.Item), strings.Join(art.Categories, ", "),
		})
	}
	a.printTable([]string{"ARTICLE", "FIRST SEEN", "STATE", "HEADLINE", "CATEGORIES"}, rows)
	return nil
}

// titleOf returns the headline with the label, short enough for a table.
func titleOf(i newsletter.Item) string {
	if i.Label != "" {
		return i.Label + ": " + cut(i.Headline, 80)
	}
	return cut(i.Headline, 80)
}

// stateOf says in a word what becomes of an article.
func stateOf(art newsletter.Article, now time.Time) string {
	switch {
	case !art.WithdrawnAt.IsZero():
		return "withdrawn"
	case art.Hold == newsletter.HeldBackDate:
		return "back_dated"
	case art.Hold != "":
		return "held"
	case art.Baseline || art.OwedFrom.IsZero():
		return "baseline"
	case art.OwedFrom.After(now):
		return "embargo"
	}
	return "ready"
}

func stateWithTime(art newsletter.Article, now time.Time) string {
	state := stateOf(art, now)
	if state == "embargo" {
		return state + " until " + local(art.OwedFrom)
	}
	return state
}

func articleShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show ARTICLE",
		Short: "Show all of an article, its earlier texts included",
		Long: `Shows an article with its sources, the newsletters that take it, and the texts that it
had before its source changed it.`,
		Example: `  broadsheet article show 7`,
		Args:    exactArgs("ARTICLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseArticle(args[0])
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
				detail, err := s.desk.Article(cmd.Context(), id)
				if err != nil {
					return err
				}
				return a.printArticle(detail)
			})
		},
	}
}

func (a *app) printArticle(d newsletter.ArticleDetail) error {
	if a.json {
		return a.printJSON(viewArticleDetail(d, a.now()))
	}
	published := ""
	if !d.Published.IsZero() {
		published = local(d.Published)
	}
	a.printFields([][2]string{
		{"article", strconv.FormatInt(d.ID, 10)}, {"headline", d.Headline}, {"label", d.Label}, {"summary", d.Summary},
		{"author", d.Author}, {"address", d.URL}, {"image", d.Image.URL}, {"image text", d.Image.Alt},
		{"categories", strings.Join(d.Categories, ", ")}, {"published", published}, {"first seen", local(d.FirstSeen)},
		{"state", stateWithTime(d.Article, a.now())}, {"newsletters", strings.Join(d.Newsletters, ", ")},
	})
	for _, src := range d.Sources {
		a.printFields([][2]string{{"source     ", fmt.Sprintf("%d  %s  since %s  guid %s", src.SourceID, src.Name, local(src.SeenAt), src.GUID)}})
	}
	for _, r := range d.Revisions {
		fmt.Fprintf(a.stdout, "\nUntil %s it was:\n", local(r.ReplacedAt))
		a.printFields([][2]string{{"headline", r.Item.Headline}, {"label", r.Item.Label}, {"summary", r.Item.Summary}, {"address", r.Item.URL}})
	}
	return nil
}

func articleChange(a *app, verb, short, long string, change func(*desk.Desk, context.Context, int64) (newsletter.Article, error)) *cobra.Command {
	return &cobra.Command{
		Use:     verb + " ARTICLE",
		Short:   short,
		Long:    long,
		Example: "  broadsheet article " + verb + " 7",
		Args:    exactArgs("ARTICLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseArticle(args[0])
			if err != nil {
				return err
			}
			return a.with(cmd.Context(), store.ExistingOnly, func(s *services) error {
				art, err := change(s.desk, cmd.Context(), id)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(viewArticle(art, a.now()))
				}
				a.say("Article %d, %q, is %s now.", art.ID, cut(art.Headline, 60), stateWithTime(art, a.now()))
				return nil
			})
		},
	}
}

type articleView struct {
	Article     int64      `json:"article"`
	URL         string     `json:"url"`
	Headline    string     `json:"headline"`
	Summary     string     `json:"summary"`
	Author      string     `json:"author"`
	Label       string     `json:"label"`
	ImageURL    string     `json:"image_url"`
	ImageAlt    string     `json:"image_alt"`
	Categories  []string   `json:"categories"`
	State       string     `json:"state"`
	PublishedAt *time.Time `json:"published_at"`
	FirstSeen   *time.Time `json:"first_seen"`
	OwedFrom    *time.Time `json:"owed_from"`
	UpdatedAt   *time.Time `json:"updated_at"`
}

func viewArticle(art newsletter.Article, now time.Time) articleView {
	return articleView{
		Article: art.ID, URL: art.URL, Headline: art.Headline, Summary: art.Summary, Author: art.Author, Label: art.Label,
		ImageURL: art.Image.URL, ImageAlt: art.Image.Alt, Categories: list(art.Categories), State: stateOf(art, now),
		PublishedAt: utc(art.Published), FirstSeen: utc(art.FirstSeen), OwedFrom: utc(art.OwedFrom), UpdatedAt: utc(art.UpdatedAt),
	}
}

type articleDetailView struct {
	articleView
	Newsletters []string            `json:"newsletters"`
	Sources     []articleSourceView `json:"sources"`
	Revisions   []revisionView      `json:"revisions"`
}

type articleSourceView struct {
	Source int64      `json:"source"`
	Name   string     `json:"name"`
	GUID   string     `json:"guid"`
	SeenAt *time.Time `json:"seen_at"`
}

type revisionView struct {
	ReplacedAt *time.Time `json:"replaced_at"`
	URL        string     `json:"url"`
	Headline   string     `json:"headline"`
	Summary    string     `json:"summary"`
	Label      string     `json:"label"`
}

func viewArticleDetail(d newsletter.ArticleDetail, now time.Time) articleDetailView {
	v := articleDetailView{articleView: viewArticle(d.Article, now), Newsletters: list(d.Newsletters), Sources: []articleSourceView{}, Revisions: []revisionView{}}
	for _, s := range d.Sources {
		v.Sources = append(v.Sources, articleSourceView{s.SourceID, s.Name, s.GUID, utc(s.SeenAt)})
	}
	for _, r := range d.Revisions {
		v.Revisions = append(v.Revisions, revisionView{utc(r.ReplacedAt), r.Item.URL, r.Item.Headline, r.Item.Summary, r.Item.Label})
	}
	return v
}
