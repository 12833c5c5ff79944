package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode"

	"broadsheet/internal/newsletter"

	"golang.org/x/text/unicode/norm"
)

// The limits of what a section can match.
const (
	maxMatches  = 200
	maxCategory = 200 // characters
)

// unmappedAge is how far back UnmappedCategories looks.
const unmappedAge = 90 * 24 * time.Hour

// Sections returns the newsletter's sections in the order in which readers see them.
func (d *Desk) Sections(ctx context.Context, slug string) ([]newsletter.Section, error) {
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return nil, err
	}
	return d.store.Sections(ctx, n.ID)
}

// AddSection adds a section that has the articles of the given feed categories, and of a
// category with its own name. Its slug is made from the name. The error is Invalid, NotFound
// for the newsletter, or a Conflict if there is a section like it.
func (d *Desk) AddSection(ctx context.Context, slug, name string, match []string) (newsletter.Section, error) {
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return newsletter.Section{}, err
	}
	s := newsletter.Section{NewsletterID: n.ID, Slug: sectionSlug(clean(name)), Name: clean(name), Match: cleanMatches(match)}
	if err := checkSection(s); err != nil {
		return newsletter.Section{}, err
	}
	return d.store.AddSection(ctx, s, d.o.Actor, d.now())
}

// SectionEdit is what to change of a section; nil leaves it as it is.
type SectionEdit struct {
	Name     *string
	Match    *[]string
	Position *int // among the newsletter's sections, from 1
}

// EditSection changes the section; its slug, and so its address, stays. Articles are counted
// to sections when an edition is made, so a changed match counts for the next one.
func (d *Desk) EditSection(ctx context.Context, slug, section string, e SectionEdit) (newsletter.Section, error) {
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return newsletter.Section{}, err
	}
	return d.store.ChangeSection(ctx, n.ID, section, d.o.Actor, d.now(), func(s *newsletter.Section) error {
		if e.Name != nil {
			s.Name = clean(*e.Name)
		}
		if e.Match != nil {
			s.Match = cleanMatches(*e.Match)
		}
		if e.Position != nil {
			if *e.Position < 1 || *e.Position > newsletter.MaxSections {
				return newsletter.Invalidf("position", "%d is not possible; use 1 to %d", *e.Position, newsletter.MaxSections)
			}
			s.Position = *e.Position
		}
		return checkSection(*s)
	})
}

// RemoveSection takes a section away. If readers chose it the error is a Conflict with their
// number.
func (d *Desk) RemoveSection(ctx context.Context, slug, section string) error {
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return err
	}
	return d.store.RemoveSection(ctx, n.ID, section, d.o.Actor, d.now())
}

// UnmappedCategories returns the feed categories of the last 90 days that no section of the
// newsletter matches, the most frequent first. Spellings that differ in case are one.
func (d *Desk) UnmappedCategories(ctx context.Context, slug string) ([]newsletter.UnmappedCategory, error) {
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return nil, err
	}
	sections, err := d.store.Sections(ctx, n.ID)
	if err != nil {
		return nil, err
	}
	all, err := d.store.Categories(ctx, n.ID, d.now().Add(-unmappedAge))
	if err != nil {
		return nil, err
	}
	var list []newsletter.UnmappedCategory
	place := map[string]int{}
	for _, c := range all {
		if newsletter.SectionsOf(sections, []string{c.Name}) != 0 {
			continue
		}
		key := strings.ToLower(c.Name)
		i, ok := place[key]
		if !ok {
			place[key] = len(list)
			list = append(list, c)
			continue
		}
		list[i].Articles += c.Articles
		if c.LastSeen.After(list[i].LastSeen) {
			list[i].LastSeen = c.LastSeen
		}
	}
	slices.SortStableFunc(list, func(a, b newsletter.UnmappedCategory) int { return b.Articles - a.Articles })
	return list, nil
}

func checkSection(s newsletter.Section) error {
	var c checks
	c.text("name", s.Name, true, maxName, false)
	if len(s.Match) > maxMatches {
		c.wrong("match", "%d categories are too many; at most %d are possible", len(s.Match), maxMatches)
	}
	for _, m := range s.Match {
		c.text("match", m, true, maxCategory, false)
	}
	return c.err("the section cannot be like this")
}

// clean returns the text with single spaces and no space around it.
func clean(s string) string { return strings.Join(strings.Fields(s), " ") }

// cleanMatches returns the categories without empty ones and without doubles.
func cleanMatches(list []string) []string {
	out := []string{}
	for _, m := range list {
		m = clean(m)
		same := func(o string) bool { return strings.EqualFold(o, m) }
		if m != "" && !slices.ContainsFunc(out, same) {
			out = append(out, m)
		}
	}
	return out
}

// Slugify makes of a name what can stand in an address: "AI & Data" becomes "ai-data",
// "Économie" becomes "economie". It is empty if the name has no Latin letter and no digit.
func Slugify(name string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case unicode.IsMark(r) || r == '\'' || r == '’':
		default:
			gap = true
		}
	}
	slug := b.String()
	return strings.TrimRight(slug[:min(len(slug), maxSlug)], "-")
}

// maxSlug is how long a slug can be; see newsletter.CheckSlug.
const maxSlug = 60

// sectionSlug returns the slug of a section of that name. A name in another script gets one
// that says nothing, and is always the same.
func sectionSlug(name string) string {
	if slug := Slugify(name); slug != "" || name == "" {
		return slug
	}
	sum := sha256.Sum256([]byte(name))
	return "section-" + hex.EncodeToString(sum[:4])
}
