package feed

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"broadsheet/internal/newsletter"
)

const (
	maxGUID       = 500 // bytes; a longer one is replaced by its hash
	maxCategories = 20
	maxCategory   = 100 // runes
)

// item makes an Item of an entry. If none can be made of it, why says so.
func (c *Client) item(e entry, base *url.URL) (item newsletter.Item, why string) {
	headline := plainText(e.Title)
	if !readable(headline) {
		return item, "no headline"
	}
	link, err := e.link(base)
	if err != nil {
		return item, "no usable link: " + err.Error()
	}
	item.URL = link
	item.GUID = guid(e.GUID, link)
	item.Categories = categories(e.Categories)
	c.labels.applyLabel(&item, headline, []string{plainText(e.Description), plainText(e.Content)})
	item.Author = author(e.authors)
	item.Image = e.image(base)
	item.Published = published(e.Item)
	item.Updated = date(e.UpdatedParsed, e.Updated)
	return item, ""
}

// link returns the address of the article. The guid is a last resort, and only where it does
// not say that it is no link. The error is that of the first candidate.
func (e entry) link(base *url.URL) (string, error) {
	var candidates []string
	for _, original := range e.Extensions["feedburner"]["origLink"] { // the link without the detour
		candidates = append(candidates, original.Value)
	}
	candidates = append(candidates, e.pages...)
	candidates = append(candidates, e.Link)
	if len(e.pages) == 0 {
		candidates = append(candidates, e.Links...)
	}
	if e.guidIsLink && isWeb(e.GUID) {
		candidates = append(candidates, e.GUID)
	}
	first := errNoLink
	for _, raw := range candidates {
		link, err := CanonicalURL(raw, base)
		if err == nil {
			return link, nil
		}
		if errors.Is(first, errNoLink) {
			first = err
		}
	}
	return "", first
}

func isWeb(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s))
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

// guid returns what identifies the item in its feed: its own guid, else its address. (The
// address is never missing: without one the item is broken.)
func guid(raw, link string) string {
	id := newsletter.StripPlaces(tidy(raw))
	switch {
	case id == "":
		return link
	case len(id) > maxGUID:
		sum := sha256.Sum256([]byte(id))
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	return id
}

// categories cleans the categories and removes those that are there already.
func categories(raw []string) []string {
	var out []string
	for _, r := range raw {
		name := plain(r, maxCategory)
		if !readable(name) || slices.ContainsFunc(out, func(c string) bool { return strings.EqualFold(c, name) }) {
			continue
		}
		if out = append(out, name); len(out) == maxCategories {
			break
		}
	}
	return out
}

var (
	mailWithName = regexp.MustCompile(`^\S+@\S+\s+\((.+)\)$`)         // RSS: jo@example.org (Jo Doe)
	nameWithMail = regexp.MustCompile(`^(.+?)\s*[(<]\s*\S+@\S+[)>]$`) // Jo Doe <jo@example.org>
	mailOnly     = regexp.MustCompile(`^\S+@\S+$`)
)

// author returns the names of the authors, without their e-mail addresses.
func author(raw []string) string {
	var names []string
	for _, r := range raw {
		name := plain(r, maxAuthor)
		if m := mailWithName.FindStringSubmatch(name); m != nil {
			name = m[1]
		} else if m := nameWithMail.FindStringSubmatch(name); m != nil {
			name = m[1]
		}
		if rest, ok := cutFold(name, "by"); ok && strings.HasPrefix(rest, " ") {
			name = rest
		}
		name = strings.Trim(name, ` ,;"`)
		if readable(name) && !mailOnly.MatchString(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
		if len(names) == 10 {
			break
		}
	}
	return cut(strings.Join(names, ", "), maxAuthor)
}
