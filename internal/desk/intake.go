package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/feed"
	"broadsheet/internal/newsletter"

	"golang.org/x/sync/errgroup"
)

// fetchers is how many sources are fetched at once.
const fetchers = 4

// Fetched is what a fetch of one source brought.
type Fetched struct {
	Source      newsletter.Source // as it is after the fetch
	Intake      newsletter.Intake
	NotModified bool // the source said that nothing changed
	Items       []newsletter.Item
	Broken      []feed.Broken
	Dropped     int // items that were left out because the feed has too many
	// Err says why the source could not be read; nothing else changed then. Nil: it was read.
	Err error
}

// FetchSource fetches the source that an id or an address names now, whatever the interval
// and whatever went wrong before. That the source cannot be read stands in Fetched.Err.
func (d *Desk) FetchSource(ctx context.Context, idOrURL string) (Fetched, error) {
	src, err := d.FindSource(ctx, idOrURL)
	if err != nil {
		return Fetched{}, err
	}
	f, err := d.fetch(ctx, src)
	if err != nil {
		return f, err
	}
	return f, d.recordFetch(ctx, f)
}

// FetchAll fetches all sources that newsletters have now.
func (d *Desk) FetchAll(ctx context.Context) ([]Fetched, error) {
	all, err := d.store.Sources(ctx, 0)
	if err != nil {
		return nil, err
	}
	list, err := d.fetchEach(ctx, attached(all))
	if err != nil {
		return list, err
	}
	for _, f := range list {
		err = errors.Join(err, d.recordFetch(ctx, f))
	}
	return list, err
}

func attached(all []newsletter.Source) []newsletter.Source {
	var list []newsletter.Source
	for _, src := range all {
		if len(src.Newsletters) > 0 {
			list = append(list, src)
		}
	}
	return list
}

// recordFetch leaves a line about a fetch that somebody asked for.
func (d *Desk) recordFetch(ctx context.Context, f Fetched) error {
	detail := fmt.Sprintf("source %d: %d new", f.Source.ID, f.Intake.New)
	if f.Err != nil {
		detail = fmt.Sprintf("source %d: failed", f.Source.ID)
	}
	return d.store.RecordDeskEvent(ctx, "source fetched", 0, detail, d.o.Actor, d.now())
}

// PollDue fetches the sources whose time has come. One that fails does not hold up the
// others, and is asked less and less often. The error is about the database or the context,
// never about a source.
func (d *Desk) PollDue(ctx context.Context) ([]Fetched, error) {
	due, err := d.store.DueSources(ctx, d.now())
	if err != nil {
		return nil, err
	}
	return d.fetchEach(ctx, due)
}

// FetchFor fetches all sources of a newsletter, whatever their interval, so that the edition
// that is built next has everything. Sources that fail stand in the result with Err, and do
// not keep the edition from being built.
func (d *Desk) FetchFor(ctx context.Context, newsletterID int64) ([]Fetched, error) {
	list, err := d.store.Sources(ctx, newsletterID)
	if err != nil {
		return nil, err
	}
	return d.fetchEach(ctx, list)
}

// fetchEach fetches the feeds among the sources, a few at once, and returns the results in
// their order.
func (d *Desk) fetchEach(ctx context.Context, list []newsletter.Source) ([]Fetched, error) {
	var feeds []newsletter.Source
	for _, src := range list {
		if src.Kind == "feed" {
			feeds = append(feeds, src)
		}
	}
	results := make([]Fetched, len(feeds))
	var g errgroup.Group
	g.SetLimit(fetchers)
	for i, src := range feeds {
		g.Go(func() (err error) {
			results[i], err = d.fetch(ctx, src)
			return err
		})
	}
	return results, g.Wait()
}

// fetch asks the source and takes in what it gives. A source that cannot be read is no error
// here: Fetched.Err says why, and it is recorded.
func (d *Desk) fetch(ctx context.Context, src newsletter.Source) (Fetched, error) {
	started := d.now()
	got, err := d.safeFetch(ctx, feed.Request{URL: src.URL, ETag: src.ETag, LastModified: src.LastModified})
	if err == nil {
		return d.save(ctx, src, got, started)
	}
	if ctx.Err() != nil { // we gave up; the source is not to blame
		return Fetched{Source: src}, fmt.Errorf("fetch source %d: %w", src.ID, ctx.Err())
	}
	var retryAfter time.Duration
	if e, ok := errors.AsType[*feed.Error](err); ok {
		retryAfter = e.RetryAfter
	}
	d.o.Logger.WarnContext(ctx, "source failed", "source", src.ID, "name", src.Name, "error", err)
	if err := d.store.FailFetch(ctx, src.ID, err.Error(), started, retryAfter, d.now()); err != nil {
		return Fetched{Source: src}, err
	}
	after, readErr := d.store.Source(ctx, src.ID)
	return Fetched{Source: after, Err: err}, readErr
}

// safeFetch is Fetch with a panic as an error: what a stranger wrote into a feed must not
// end the service.
func (d *Desk) safeFetch(ctx context.Context, req feed.Request) (f *feed.Feed, err error) {
	defer func() {
		if p := recover(); p != nil {
			d.o.Logger.ErrorContext(ctx, "panic while reading a feed", "panic", p)
			err = &feed.Error{Kind: feed.KindMalformed, Detail: "reading it failed"}
		}
	}()
	return d.fetcher.Fetch(ctx, req)
}

// save takes in what the source gave.
func (d *Desk) save(ctx context.Context, src newsletter.Source, got *feed.Feed, started time.Time) (Fetched, error) {
	f := Fetched{NotModified: got.NotModified, Items: got.Items, Broken: got.Broken, Dropped: got.Dropped}
	meta := newsletter.FetchMeta{
		Started: started, NotModified: got.NotModified, Broken: len(got.Broken),
		ETag: got.ETag, LastModified: got.LastModified,
	}
	var err error
	if f.Intake, err = d.store.SaveFetch(ctx, src.ID, got.Items, meta, d.now()); err != nil {
		return Fetched{Source: src}, err
	}
	if f.Source, err = d.store.Source(ctx, src.ID); err != nil {
		return Fetched{Source: src}, err
	}
	d.o.Logger.InfoContext(ctx, "source fetched", "source", src.ID, "name", src.Name, "not_modified", f.NotModified,
		"new", f.Intake.New, "updated", f.Intake.Updated, "known", f.Intake.Known, "broken", len(f.Broken))
	if !f.Intake.TurnedOver {
		return f, nil
	}
	// The warning on the source goes with its next fetch; this line stays.
	d.o.Logger.WarnContext(ctx, "source turned over completely: articles may have been missed", "source", src.ID, "name", src.Name)
	return f, d.store.RecordDeskEvent(ctx, "source turned over", 0, fmt.Sprintf("source %d", src.ID), d.o.Actor, d.now())
}
