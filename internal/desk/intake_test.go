package desk_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"broadsheet/internal/feed"
	"broadsheet/internal/newsletter"
)

func TestAddSource_FetchesAtOnceAndTakesTheTitle(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.dailyNews()
	old := o.item("old")
	old.Published = o.now.Add(-90 * 24 * time.Hour)
	o.publisher.publish(feedURL, o.item("a"), old)
	added, err := o.AddSource(t.Context(), " https://News.example.org:443/feed#top ", "daily-news", "")
	if err != nil {
		t.Fatal(err)
	}
	if added.Source.URL != feedURL || added.Source.Name != "Example News" || !added.Attached || added.Intake != (newsletter.Intake{New: 1, Baseline: 1}) {
		t.Errorf("added %+v", added)
	}
	again, err := o.AddSource(t.Context(), feedURL, "daily-news", "")
	if err != nil || again.Attached || again.Source.ID != added.Source.ID || again.Intake.Known != 2 {
		t.Errorf("again: %+v, %v", again, err)
	}
}

func TestAddSource_FeedThatCannotBeRead_IsNotAdded(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.dailyNews()
	for _, url := range []string{feedURL, "not an address", "ftp://example.org/feed"} {
		if _, err := o.AddSource(t.Context(), url, "daily-news", ""); err == nil {
			t.Errorf("%s was added", url)
		}
	}
	if _, err := o.AddSource(t.Context(), feedURL, "nobody", ""); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("to an unknown newsletter: %v", err)
	}
	if all, err := o.Sources(t.Context(), ""); err != nil || len(all) != 0 {
		t.Errorf("sources %v, %v", all, err)
	}
}

func TestAddSource_KnownOne_IsAttachedEvenWhileItFails(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.dailyNews()
	_, err := o.CreateNewsletter(t.Context(), newsletter.Newsletter{Slug: "other", Name: "O", From: newsletter.Address{Email: "o@example.org"}, PostalAddress: "P"})
	if err != nil {
		t.Fatal(err)
	}
	o.publisher.publish(feedURL, o.item("a"))
	if _, err := o.AddSource(t.Context(), feedURL, "daily-news", ""); err != nil {
		t.Fatal(err)
	}
	o.publisher.fail(feedURL, &feed.Error{Kind: feed.KindStatus, Status: 503})
	added, err := o.AddSource(t.Context(), feedURL, "other", "")
	if err != nil || !added.Attached || added.Err == nil || !slices.Equal(added.Source.Newsletters, []string{"daily-news", "other"}) {
		t.Errorf("%+v, %v", added, err)
	}
}

func TestRemoveSource(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	n := o.dailyNews()
	o.publisher.publish(feedURL, o.item("a"))
	if _, err := o.AddSource(t.Context(), feedURL, "daily-news", ""); err != nil {
		t.Fatal(err)
	}
	src, err := o.RemoveSource(t.Context(), feedURL, "")
	if err != nil || len(src.Newsletters) != 0 {
		t.Fatalf("%+v, %v", src, err)
	}
	if all, err := o.Articles(t.Context(), newsletter.ArticleFilter{}); err != nil || len(all) != 1 {
		t.Errorf("its articles have to stay: %v, %v", all, err)
	}
	o.now = o.now.Add(24 * time.Hour)
	if polled, err := o.PollDue(t.Context()); err != nil || len(polled) != 0 {
		t.Errorf("a source of nobody is fetched: %v, %v", polled, err)
	}
	if fetched, err := o.FetchFor(t.Context(), n.ID); err != nil || len(fetched) != 0 {
		t.Errorf("for the edition: %v, %v", fetched, err)
	}
	_, err = o.RemoveSource(t.Context(), "1", "")
	wantKind(t, err, newsletter.Invalid)
	_, err = o.RemoveSource(t.Context(), "77", "daily-news")
	wantKind(t, err, newsletter.NotFound)
	_, err = o.RemoveSource(t.Context(), "what?", "daily-news")
	wantKind(t, err, newsletter.Invalid)
}

func TestPollDue_OneFailingSource_DoesNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	n := o.dailyNews()
	const sources = 9
	for i := range sources {
		url := fmt.Sprintf("https://news.example.org/feed/%d", i)
		o.publisher.publish(url)
		if _, err := o.AddSource(t.Context(), url, "daily-news", ""); err != nil {
			t.Fatal(err)
		}
		o.publisher.publish(url, o.item(fmt.Sprint("article-", i)))
	}
	o.publisher.fail("https://news.example.org/feed/0", &feed.Error{Kind: feed.KindStatus, Status: 429, RetryAfter: 3 * time.Hour})
	o.publisher.fail("https://news.example.org/feed/1", errors.New("broken off"))
	o.publisher.feeds["https://news.example.org/feed/2"] = func(feed.Request) (*feed.Feed, error) { panic("hostile") }

	if polled, err := o.PollDue(t.Context()); err != nil || len(polled) != 0 {
		t.Errorf("fetched before the interval has passed: %v, %v", polled, err)
	}
	o.now = o.now.Add(newsletter.FetchInterval)
	polled, err := o.PollDue(t.Context())
	if err != nil || len(polled) != sources {
		t.Fatalf("%d polled, %v", len(polled), err)
	}
	newOnes := 0
	for i, f := range polled {
		newOnes += f.Intake.New
		if (f.Err != nil) != (i < 3) || f.Source.ID != int64(i+1) {
			t.Errorf("source %d: %v", f.Source.ID, f.Err)
		}
	}
	if newOnes != sources-3 {
		t.Errorf("%d new articles, want %d", newOnes, sources-3)
	}
	if next := polled[0].Source.NextFetchAt; !next.Equal(o.now.Add(3 * time.Hour)) {
		t.Errorf("asked again at %v, though it asked for three hours", next)
	}
	// For an edition also those are asked that back off.
	if fetched, err := o.FetchFor(t.Context(), n.ID); err != nil || len(fetched) != sources {
		t.Errorf("%d fetched, %v", len(fetched), err)
	}
}

func TestPollDue_AsksAFewAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.dailyNews()
	var now, most atomic.Int32
	together := make(chan struct{})
	for i := range 12 {
		url := fmt.Sprintf("https://news.example.org/feed/%d", i)
		o.publisher.publish(url)
		if _, err := o.AddSource(t.Context(), url, "daily-news", ""); err != nil {
			t.Fatal(err)
		}
		o.publisher.feeds[url] = func(feed.Request) (*feed.Feed, error) {
			n := now.Add(1)
			defer now.Add(-1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			if n == 4 { // all of the first four are here at once
				close(together)
			}
			<-together
			return &feed.Feed{}, nil
		}
	}
	o.now = o.now.Add(newsletter.FetchInterval)
	if _, err := o.PollDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if most.Load() != 4 {
		t.Errorf("%d at once, want 4", most.Load())
	}
}

func TestFetch_SendsWhatTheSourceGaveLastTime(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.dailyNews()
	o.publisher.publish(feedURL, o.item("a"))
	if _, err := o.AddSource(t.Context(), feedURL, "daily-news", ""); err != nil {
		t.Fatal(err)
	}
	o.publisher.feeds[feedURL] = func(req feed.Request) (*feed.Feed, error) {
		return &feed.Feed{NotModified: true, ETag: req.ETag}, nil
	}
	f, err := o.FetchSource(t.Context(), "1")
	if err != nil || !f.NotModified || f.Source.Items != 1 {
		t.Errorf("%+v, %v", f, err)
	}
	if last := o.publisher.asked[len(o.publisher.asked)-1]; last.ETag != "v1" {
		t.Errorf("asked with %+v", last)
	}
}

func TestFetch_ThatIsCancelled_IsNoFailureOfTheSource(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.dailyNews()
	o.publisher.publish(feedURL, o.item("a"))
	if _, err := o.AddSource(t.Context(), feedURL, "daily-news", ""); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	o.publisher.feeds[feedURL] = func(feed.Request) (*feed.Feed, error) {
		cancel()
		return nil, ctx.Err()
	}
	if _, err := o.FetchSource(ctx, "1"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if src, err := o.FindSource(t.Context(), "1"); err != nil || src.Failures != 0 {
		t.Errorf("%+v, %v", src, err)
	}
}

func TestArticles_HoldAndRelease(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.dailyNews()
	o.publisher.publish(feedURL, o.item("a"))
	if _, err := o.AddSource(t.Context(), feedURL, "daily-news", ""); err != nil {
		t.Fatal(err)
	}
	_, err := o.ReleaseArticle(t.Context(), 1)
	wantKind(t, err, newsletter.Conflict)
	for range 2 {
		if a, err := o.HoldArticle(t.Context(), 1); err != nil || a.Hold != newsletter.HeldByStaff || !a.OwedFrom.IsZero() {
			t.Errorf("%+v, %v", a, err)
		}
	}
	o.now = o.now.Add(time.Hour)
	if a, err := o.ReleaseArticle(t.Context(), 1); err != nil || a.Hold != "" || !a.OwedFrom.Equal(o.now) {
		t.Errorf("%+v, %v", a, err)
	}
	// What the source sends again does not undo what staff decided.
	if _, err := o.HoldArticle(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	changed := o.item("a")
	changed.Headline = "Changed"
	o.publisher.publish(feedURL, changed)
	if _, err := o.FetchSource(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	d, err := o.Article(t.Context(), 1)
	if err != nil || d.Hold != newsletter.HeldByStaff || d.Headline != "Changed" {
		t.Errorf("%+v, %v", d, err)
	}
	_, err = o.HoldArticle(t.Context(), 9)
	wantKind(t, err, newsletter.NotFound)
	_, err = o.Articles(t.Context(), newsletter.ArticleFilter{Limit: newsletter.MaxPage + 1})
	wantKind(t, err, newsletter.Invalid)
}
