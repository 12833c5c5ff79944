package desk

import (
	"context"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
)

// CorrectionStore keeps what staff say about articles that were sent.
type CorrectionStore interface {
	Changes(ctx context.Context, f newsletter.ChangeFilter) ([]newsletter.Change, error)
	CorrectArticle(ctx context.Context, id int64, actor string, now time.Time, decide func(newsletter.Article, []time.Time) (newsletter.Correction, error)) (newsletter.Correction, error)
	Corrections(ctx context.Context, since time.Time) ([]newsletter.Correction, error)
	EditionCorrections(ctx context.Context, editionID int64) ([]newsletter.Correction, error)
}

// Changes returns articles whose headline or summary is another one than an edition was frozen
// with, and about which staff have said nothing since, the newest first. A Limit of 0 is
// newsletter.DefaultPage.
func (d *Desk) Changes(ctx context.Context, f newsletter.ChangeFilter) ([]newsletter.Change, error) {
	if f.Limit == 0 {
		f.Limit = newsletter.DefaultPage
	}
	if f.Limit < 1 || f.Limit > newsletter.MaxPage {
		return nil, newsletter.Invalidf("limit", "%d is not possible; use 1 to %d", f.Limit, newsletter.MaxPage)
	}
	var list []newsletter.Change
	page := f
	for {
		changes, err := d.o.Press.Store.Changes(ctx, page)
		if err != nil {
			return nil, err
		}
		for _, c := range changes { // another picture or category is no change that readers need to know of
			if newsletter.TextChanged(c.Sent, c.Article.Item) {
				list = append(list, c)
			}
		}
		if len(changes) < page.Limit || len(list) >= f.Limit {
			return list[:min(len(list), f.Limit)], nil
		}
		page.After = changes[len(changes)-1].Article.ID
	}
}

// Corrected is a correction that was made, and how many readers have the article.
type Corrected struct {
	newsletter.Correction
	Readers int
}

// Correct puts a correction of an article on record. It stands at once in the archive, in the
// editions that have the original, and is told once to every reader who received the original,
// in the next edition that they get anyway. Where the article itself did not change, that is
// everybody who has it. A later correction takes the place of an earlier one.
//
// It is a Conflict if no edition with the original was made, or the article was withdrawn, or
// too many corrections are being told; Invalid, naming note, if the text cannot be mailed.
func (d *Desk) Correct(ctx context.Context, articleID int64, note string) (Corrected, error) {
	note = strings.TrimSpace(note)
	if note == "" {
		return Corrected{}, newsletter.Invalidf("note", "it is empty; say what was wrong and what is right")
	}
	if err := digest.CheckCorrection("note", note); err != nil {
		return Corrected{}, err
	}
	return d.correct(ctx, articleID, note)
}

// DismissChange puts on record that an article's change needs no correction: Changes has it no
// more, until it changes again. If it did not change since it was sent the error is a Conflict.
func (d *Desk) DismissChange(ctx context.Context, articleID int64) (Corrected, error) {
	return d.correct(ctx, articleID, "")
}

func (d *Desk) correct(ctx context.Context, articleID int64, note string) (Corrected, error) {
	now := d.now()
	c, err := d.o.Press.Store.CorrectArticle(ctx, articleID, d.o.Actor, now, func(a newsletter.Article, freezes []time.Time) (newsletter.Correction, error) {
		return newsletter.CorrectionOf(a, freezes, note, now)
	})
	if err != nil {
		return Corrected{}, err
	}
	editions, err := d.o.Press.Store.ReadersWith(ctx, articleID)
	readers := 0
	for _, n := range editions {
		readers += n
	}
	return Corrected{c, readers}, err
}

// addOpenCorrections gives the draft all corrections that anybody may have to be told.
func (d *Desk) addOpenCorrections(ctx context.Context, draft *Draft) (err error) {
	draft.corrections, err = d.o.Press.Store.Corrections(ctx, draft.Edition.AsOf.Add(-newsletter.MaxLookBack))
	return err
}

// keepToldCorrections keeps those that a reader of the draft is told: the others are none of this
// newsletter's.
func (draft *Draft) keepToldCorrections() {
	told := map[int64]bool{}
	for _, v := range draft.Survey.Variants {
		for _, article := range v.Corrections {
			told[article] = true
		}
	}
	draft.corrections = slices.DeleteFunc(draft.corrections, func(c newsletter.Correction) bool { return !told[c.ArticleID] })
}

// correctionBlocks returns the corrections as an edition has them.
func correctionBlocks(list []newsletter.Correction) []digest.Block {
	var blocks []digest.Block
	for _, c := range list {
		blocks = append(blocks, digest.Block{Kind: digest.KindCorrection, Article: c.ArticleID, Headline: c.Headline, URL: c.URL, Text: c.Note})
	}
	return blocks
}
