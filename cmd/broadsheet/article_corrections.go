package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func articleCorrections(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "corrections [--newsletter SLUG]",
		Short: "Show articles that changed after they were sent",
		Long: `Shows articles whose headline or summary their source changed after an edition was made
with them, the newest first: what readers were sent, and what it says now. Tell the readers
with "broadsheet article correct", or say that the change needs no correction:
"broadsheet article correct 7 --dismiss". Either takes it off this list, until it changes
again.

To see more, give the last number that was shown as --after.`,
		Example: `  broadsheet article corrections
  broadsheet article corrections --newsletter daily-news --json`,
		Args: cobra.NoArgs,
	}
	slug := newsletterFlag(cmd)
	after := cmd.Flags().Int64("after", 0, "go on after the article with this number")
	limit := cmd.Flags().Int("limit", newsletter.DefaultPage, fmt.Sprintf("how many, at most %d", newsletter.MaxPage))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *limit < 1 {
			return newsletter.Invalidf("limit", "%d is not possible; use 1 to %d", *limit, newsletter.MaxPage)
		}
		f := newsletter.ChangeFilter{Newsletter: *slug, After: *after, Limit: *limit}
		return a.withPress(cmd.Context(), func(s *services) error {
			changes, err := s.desk.Changes(cmd.Context(), f)
			if err != nil {
				return err
			}
			return a.printChanges(changes)
		})
	}
	return cmd
}

// changeView is a changed article in --json.
type changeView struct {
	Article   int64      `json:"article"`
	URL       string     `json:"url"`
	Sent      changeText `json:"sent"`
	Now       changeText `json:"now"`
	ChangedAt *time.Time `json:"changed_at"`
	Editions  []int64    `json:"editions"`
	Readers   int        `json:"readers"`
}

type changeText struct {
	Headline string `json:"headline"`
	Summary  string `json:"summary"`
}

func (a *app) printChanges(changes []newsletter.Change) error {
	if a.json {
		views := []changeView{}
		for _, c := range changes {
			views = append(views, changeView{
				c.Article.ID, c.Article.URL, changeText{c.Sent.Headline, c.Sent.Summary}, changeText{c.Article.Headline, c.Article.Summary},
				utc(c.Article.UpdatedAt), list(c.Editions), c.Readers,
			})
		}
		return a.printJSON(views)
	}
	if len(changes) == 0 {
		a.say("No article that was sent has changed.")
		return nil
	}
	for i, c := range changes {
		if i > 0 {
			a.say("")
		}
		a.say("Article %s, changed on %s; %s it.", strconv.FormatInt(c.Article.ID, 10), local(c.Article.UpdatedAt), counted(c.Readers, "reader has", "readers have"))
		a.sayChange("Headline", c.Sent.Headline, c.Article.Headline)
		a.sayChange("Summary", c.Sent.Summary, c.Article.Summary)
	}
	return nil
}

func (a *app) sayChange(name, before, after string) {
	if before != after {
		a.say("  %s\n    - %s\n    + %s", name, plain(before), plain(after))
	}
}

func articleCorrect(a *app) *cobra.Command {
	var note string
	var dismiss bool
	cmd := &cobra.Command{
		Use:   "correct ARTICLE --note FILE | --dismiss",
		Short: "Tell those who received an article what was wrong",
		Long: `Puts a correction of an article that was sent on record. It stands in the archive at once,
in the editions that have the original, and every reader who received the original is told
once, in the next edition that they get anyway: a correction alone makes no edition. Nobody
else is told. It is told for 30 days. A later correction of the same article takes the place
of an earlier one.

The note is Markdown: say what was wrong and what is right. If the article itself did not
change, everybody who has it is told. With --dismiss the change needs no correction, and
"broadsheet article corrections" does not show it any more.`,
		Example: `  broadsheet article correct 7 --note correction.md
  echo 'It is **Tuesday**, not Monday.' | broadsheet article correct 7 --note -
  broadsheet article correct 7 --dismiss`,
		Args: exactArgs("ARTICLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseArticle(args[0])
			switch {
			case err != nil:
				return err
			case dismiss && note != "":
				return newsletter.Invalidf("dismiss", "a change that is dismissed has no note; give one of them")
			case !dismiss && note == "":
				return newsletter.Invalidf("note", "say which file has the correction, or use --dismiss")
			}
			text, err := a.readText("note", note)
			if err != nil {
				return err
			}
			return a.withPress(cmd.Context(), func(s *services) error {
				return a.correctArticle(cmd.Context(), s, id, text)
			})
		},
	}
	cmd.Flags().StringVar(&note, "note", "", "a file with the correction, in Markdown; - reads standard input")
	cmd.Flags().BoolVar(&dismiss, "dismiss", false, "the change needs no correction")
	return cmd
}

func (a *app) correctArticle(ctx context.Context, s *services, id int64, text string) error {
	correct := s.desk.DismissChange
	if text != "" {
		correct = func(ctx context.Context, id int64) (desk.Corrected, error) { return s.desk.Correct(ctx, id, text) }
	}
	c, err := correct(ctx, id)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(struct {
			Article    int64      `json:"article"`
			Correction int64      `json:"correction"`
			Note       string     `json:"note"`
			ChangedAt  *time.Time `json:"changed_at"`
			MadeAt     *time.Time `json:"made_at"`
			Readers    int        `json:"readers"`
		}{c.ArticleID, c.ID, c.Note, utc(c.ChangedAt), utc(c.MadeAt), c.Readers})
	}
	if c.Note == "" {
		a.say("The change of article %d, %q, is dismissed.", id, cut(plain(c.Headline), 60))
		return nil
	}
	a.say("Article %d, %q, is corrected in the archive. %s it; those with the original are told in their next edition.",
		id, cut(plain(c.Headline), 60), counted(c.Readers, "reader has", "readers have"))
	return nil
}
