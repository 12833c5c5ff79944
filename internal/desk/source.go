package desk

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"broadsheet/internal/feed"
	"broadsheet/internal/newsletter"
)

// AddedSource is a source that AddSource attached, and what its first fetch brought.
type AddedSource struct {
	Fetched
	Attached bool // false: it was the newsletter's already
}

// AddSource makes the feed at the address a source of the newsletter. It is fetched at once;
// a feed that is new to us and cannot be read is not added, and the error says why. name may
// be empty: then the feed's title is taken. A feed that another newsletter has already is
// one source of both. Its articles are known from its first fetch on, so a new source floods
// nobody: see newsletter.Admit.
func (d *Desk) AddSource(ctx context.Context, rawURL, slug, name string) (AddedSource, error) {
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return AddedSource{}, err
	}
	address, err := sourceURL(rawURL)
	if err != nil {
		return AddedSource{}, err
	}
	name = clean(name)
	var c checks
	if c.text("name", name, false, maxName, false); len(c) > 0 {
		return AddedSource{}, c.err("")
	}
	known, err := d.store.SourceByURL(ctx, address)
	switch {
	case err == nil:
		return d.attachKnown(ctx, known, n, name)
	case newsletter.KindOf(err) != newsletter.NotFound:
		return AddedSource{}, err
	}
	started := d.now()
	got, err := d.fetcher.Fetch(ctx, feed.Request{URL: address})
	if err != nil {
		return AddedSource{}, err
	}
	if name == "" {
		name = sourceName(got, address)
	}
	now := d.now()
	id, attached, err := d.store.AttachSource(ctx, newsletter.Source{URL: address, Name: name}, n.ID, d.o.Actor, now)
	if err != nil {
		return AddedSource{}, err
	}
	f, err := d.save(ctx, newsletter.Source{ID: id, URL: address, Name: name}, got, started)
	return AddedSource{Fetched: f, Attached: attached}, err
}

// attachKnown attaches a source that is there already. That it cannot be fetched now is no
// reason against it.
func (d *Desk) attachKnown(ctx context.Context, src newsletter.Source, n newsletter.Newsletter, name string) (AddedSource, error) {
	_, attached, err := d.store.AttachSource(ctx, newsletter.Source{URL: src.URL, Name: name}, n.ID, d.o.Actor, d.now())
	if err != nil {
		return AddedSource{}, err
	}
	f, err := d.fetch(ctx, src)
	return AddedSource{Fetched: f, Attached: attached}, err
}

// sourceURL returns the address in the one form under which a source is kept.
func sourceURL(raw string) (string, error) {
	if err := feed.CheckURL(raw); err != nil {
		return "", err
	}
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return "", newsletter.Invalidf("url", "this is not a web address; copy it from the browser, with https://")
	}
	u.Fragment, u.RawFragment = "", ""
	u.Host = strings.ToLower(u.Host)
	if port := u.Port(); port == "443" && u.Scheme == "https" || port == "80" && u.Scheme == "http" {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), nil
}

// sourceName returns what to call a feed: its title, or its host.
func sourceName(f *feed.Feed, address string) string {
	if title := []rune(clean(f.Title)); len(title) > 0 {
		return string(title[:min(len(title), maxName)])
	}
	if u, err := url.Parse(address); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "feed"
}

// Sources returns the sources of a newsletter, or of all if slug is empty, those that no
// newsletter takes articles from any more included.
func (d *Desk) Sources(ctx context.Context, slug string) ([]newsletter.Source, error) {
	if slug == "" {
		return d.store.Sources(ctx, 0)
	}
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return nil, err
	}
	return d.store.Sources(ctx, n.ID)
}

// FindSource returns the source that an id or an address names, or a NotFound error.
func (d *Desk) FindSource(ctx context.Context, idOrURL string) (newsletter.Source, error) {
	if id, err := strconv.ParseInt(idOrURL, 10, 64); err == nil {
		return d.store.Source(ctx, id)
	}
	address, err := sourceURL(idOrURL)
	if err != nil {
		return newsletter.Source{}, newsletter.Invalidf("source", "%q is neither the number nor the address of a source; \"broadsheet source list\" shows both", idOrURL)
	}
	return d.store.SourceByURL(ctx, address)
}

// RemoveSource takes a source from the newsletter. Its articles stay; nothing new comes from
// it. A source that no newsletter has any more is not fetched. slug may be empty if the
// source belongs to one newsletter only.
func (d *Desk) RemoveSource(ctx context.Context, idOrURL, slug string) (newsletter.Source, error) {
	src, err := d.FindSource(ctx, idOrURL)
	if err != nil {
		return src, err
	}
	if slug == "" {
		if len(src.Newsletters) != 1 {
			return src, newsletter.Invalidf("newsletter", "source %d belongs to %d newsletters (%s); say from which one to take it",
				src.ID, len(src.Newsletters), strings.Join(src.Newsletters, ", "))
		}
		slug = src.Newsletters[0]
	}
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return src, err
	}
	if err := d.store.DetachSource(ctx, src.ID, n.ID, d.o.Actor, d.now()); err != nil {
		return src, err
	}
	return d.store.Source(ctx, src.ID)
}
