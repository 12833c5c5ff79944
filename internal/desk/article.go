package desk

import (
	"context"

	"broadsheet/internal/newsletter"
)

// Articles returns the articles that the filter chooses, the newest first. A Limit of 0 is
// newsletter.DefaultPage.
func (d *Desk) Articles(ctx context.Context, f newsletter.ArticleFilter) ([]newsletter.Article, error) {
	if f.Limit == 0 {
		f.Limit = newsletter.DefaultPage
	}
	if f.Limit < 1 || f.Limit > newsletter.MaxPage {
		return nil, newsletter.Invalidf("limit", "%d is not possible; use 1 to %d", f.Limit, newsletter.MaxPage)
	}
	return d.store.Articles(ctx, f)
}

// Article returns an article with its sources, newsletters and earlier texts, or a NotFound
// error.
func (d *Desk) Article(ctx context.Context, id int64) (newsletter.ArticleDetail, error) {
	return d.store.Article(ctx, id)
}

// HoldArticle keeps an article out of every edition that is made from now on, until it is
// released. An edition that is frozen already keeps it.
func (d *Desk) HoldArticle(ctx context.Context, id int64) (newsletter.Article, error) {
	return d.store.ChangeArticle(ctx, id, "article held", d.o.Actor, d.now(), newsletter.HoldBack)
}

// ReleaseArticle makes an article owed from now on that was held, back-dated, under embargo,
// or known from before. One that is held and under embargo keeps the embargo. Readers who
// had it do not get it again. If it is owed already the error is a Conflict.
func (d *Desk) ReleaseArticle(ctx context.Context, id int64) (newsletter.Article, error) {
	now := d.now()
	return d.store.ChangeArticle(ctx, id, "article released", d.o.Actor, now, func(a newsletter.Article) (newsletter.Article, error) {
		return newsletter.LetGo(a, now)
	})
}
