package digest

import (
	"cmp"
	"fmt"
	htmltemplate "html/template"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// Archived is a whole edition for a page of the archive: everything that it has, for nobody in
// particular. It has no place for anything personal.
type Archived struct {
	Title    string // the subject; names no story that was withdrawn
	Language string // BCP 47
	Dir      string // "ltr" or "rtl"
	Name     string // of the newsletter, when the edition was frozen
	Date     string // in words
	Stories  int    // those withdrawn included
	Intro    []htmltemplate.HTML
	Blocks   []ArchivedBlock // in reading order
}

// The kinds of blocks that only the archive has.
const (
	KindHeading   = "heading"
	KindWithdrawn = "withdrawn"
)

// ArchivedBlock is one thing on the page. Only what its kind has is set.
type ArchivedBlock struct {
	Kind     string // KindHeading, KindArticle, KindHeadline, KindWithdrawn, KindNote, KindSponsor or KindCorrection
	Lead     bool   // the first story
	Headline string // or the heading; may be empty for notes and sponsors
	URL      string
	Label    string
	Section  string // of the lead
	Summary  string
	Byline   string
	Image    string
	Alt      string
	Body     htmltemplate.HTML // of a note, a sponsor's message or a correction: without styles
	Word     string            // "Advertisement"; of what was withdrawn: that, and when
	PaidBy   string
	Related  []ArchivedLink // older stories under an article
	LinkText string         // of a link that has no headline
}

// ArchivedLink is a link to an older story.
type ArchivedLink struct{ Word, Headline, URL string }

// Archive returns the whole edition. Of a story that was withdrawn, by the ids of articles, nothing is left
// but that it was there.
func (r *Renderer) Archive(withdrawn map[int64]time.Time) (Archived, error) {
	all := newsletter.Copy{Articles: r.s.Articles()}
	for _, b := range r.s.Blocks {
		if _, gone := withdrawn[b.Article]; b.Kind == KindCorrection && !gone {
			all.Corrections = append(all.Corrections, b.Article)
		}
	}
	return r.ArchivedCopy(all, withdrawn)
}

// ArchivedCopy returns what a group of readers got, as Archive returns the whole.
func (r *Renderer) ArchivedCopy(c newsletter.Copy, withdrawn map[int64]time.Time) (Archived, error) {
	gone := func(id int64) bool { _, ok := withdrawn[id]; return ok }
	c.Headlines = slices.DeleteFunc(slices.Clone(c.Headlines), gone)
	c.Corrections = slices.DeleteFunc(slices.Clone(c.Corrections), gone)
	if len(c.Articles)+len(c.Headlines)+len(c.Corrections) == 0 && !r.s.hasNotes() {
		return Archived{Title: r.s.Newsletter.Name, Language: r.frame.Lang, Dir: r.frame.Dir, Name: r.s.Newsletter.Name, Date: r.date}, nil
	}
	chosen, err := r.s.choose(c)
	if err != nil {
		return Archived{}, fmt.Errorf("archive: %w", err)
	}
	p := r.newPage(chosen, maxArchivedSummary)
	a := Archived{
		Language: p.Lang, Dir: p.Dir, Name: p.Name, Date: p.Date, Stories: len(chosen.articles),
	}
	if a.Title, err = r.archiveTitle(chosen, withdrawn); err != nil {
		return Archived{}, err
	}
	for _, line := range p.Intro {
		a.Intro = append(a.Intro, htmltemplate.HTML("<p>"+htmltemplate.HTMLEscapeString(line)+"</p>")) //nolint:gosec // it is escaped
	}
	if opening := p.Opening.Bare(); opening != "" {
		a.Intro = append(a.Intro, opening)
	}
	words, err := r.tombstones(withdrawn)
	a.lay(p, words)
	return a, err
}

// maxArchivedSummary is more characters than a summary can have: a page has no clipping to fear.
const maxArchivedSummary = 1 << 20

// archiveTitle returns the subject for those stories that were not withdrawn, or the newsletter's
// name where there is no other.
func (r *Renderer) archiveTitle(c chosen, withdrawn map[int64]time.Time) (string, error) {
	var left []Block
	for _, b := range c.articles {
		if _, gone := withdrawn[b.Article]; !gone {
			left = append(left, b)
		}
	}
	had := len(c.articles)
	c.articles = left
	switch {
	case r.s.Subject != "" && r.s.speaksOf(left):
		return r.s.Subject, nil
	case len(left) == 0 && had > 0:
		return r.s.Newsletter.Name, nil
	}
	return r.templates.short(r.templates.files.subject, r.newPage(c, maxArchivedSummary), subjectLength)
}

// tombstones returns what stands in the place of stories that were withdrawn, by the newsletter's
// clocks and in its language. What was frozen before there were words for it says so in English.
func (r *Renderer) tombstones(withdrawn map[int64]time.Time) (map[int64]string, error) {
	zone, err := time.LoadLocation(r.s.Newsletter.Zone)
	if err != nil {
		zone = time.UTC
	}
	words := make(map[int64]string, len(withdrawn))
	for id, at := range withdrawn {
		at = at.In(zone)
		if words[id], err = r.frame.T.Moment("withdrawn", at); err != nil {
			return nil, err
		}
		words[id] = cmp.Or(words[id], "This story was withdrawn on "+at.Format("2 January 2006, 15:04")+".")
	}
	return words, nil
}

// lay fills the blocks; gone says of stories that were withdrawn what stands in their place.
func (a *Archived) lay(p page, gone map[int64]string) {
	a.addItems(p.Before, gone)
	if p.Lead != nil {
		a.add(archivedStory(*p.Lead, gone))
		a.Blocks[len(a.Blocks)-1].Lead = true
	}
	if len(p.Items) > 0 {
		a.addItems(p.Items, gone)
	} else { // an edition without a design
		for _, g := range p.Groups {
			a.add(ArchivedBlock{Kind: KindHeading, Headline: g.Heading})
			for _, st := range g.Stories {
				a.add(archivedStory(st, gone))
			}
		}
	}
	for i, st := range p.Headlines {
		if i == 0 {
			a.add(ArchivedBlock{Kind: KindHeading, Headline: p.T["earlier"]})
		}
		a.add(ArchivedBlock{Kind: KindHeadline, Headline: st.Headline, URL: st.URL})
	}
	for i, m := range p.Corrections {
		if i == 0 {
			a.add(ArchivedBlock{Kind: KindHeading, Headline: p.T["corrections"]})
		}
		a.add(archivedMessage(KindCorrection, m))
	}
	if p.More != "" {
		a.add(ArchivedBlock{Kind: KindHeadline, Headline: p.More, URL: p.MoreURL})
	}
}

func (a *Archived) add(b ArchivedBlock) { a.Blocks = append(a.Blocks, b) }

func (a *Archived) addItems(items []item, gone map[int64]string) {
	for _, it := range items {
		switch {
		case it.Story != nil:
			a.add(archivedStory(*it.Story, gone))
		case it.Note != nil:
			a.add(archivedMessage(KindNote, *it.Note))
		case it.Sponsor != nil:
			a.add(archivedMessage(KindSponsor, *it.Sponsor))
		default:
			a.add(ArchivedBlock{Kind: KindHeading, Headline: it.Heading})
		}
	}
}

func archivedStory(st story, gone map[int64]string) ArchivedBlock {
	if word, ok := gone[st.article]; ok {
		return ArchivedBlock{Kind: KindWithdrawn, Word: word}
	}
	var links []ArchivedLink
	for _, other := range st.Related {
		if _, ok := gone[other.article]; !ok {
			links = append(links, ArchivedLink{other.Word, other.Headline, other.URL})
		}
	}
	return ArchivedBlock{
		Kind: KindArticle, Related: links, Headline: st.Headline, URL: st.URL, Label: st.Label, Section: st.Section,
		Summary: st.Summary, Byline: st.Byline, Image: st.Image, Alt: st.Alt,
	}
}

func archivedMessage(kind string, m message) ArchivedBlock {
	return ArchivedBlock{
		Kind: kind, Headline: m.Headline, URL: m.URL, Body: m.Body.Bare(), Word: m.T["advertisement"],
		PaidBy: m.PaidBy, LinkText: m.LinkText, Image: m.Image, Alt: m.Alt,
	}
}
