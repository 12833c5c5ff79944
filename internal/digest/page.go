package digest

import (
	htmltemplate "html/template"
	"slices"
	"strings"
	"unicode/utf8"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/words"
)

// page is what the templates of a digest are given.
type page struct {
	frame
	Name        string   // of the newsletter
	Date        string   // in words
	Intro       []string // of an edition without a design: plain lines
	Opening     *rich    // the editors' intro; nil: none
	Before      []item   // notes before the lead
	Lead        *story   // nil: the copy has no story
	Items       []item   // what comes after the lead, in reading order
	Groups      []group  // the stories after the lead alone, by section
	Next        []string // the headlines after the lead's, in the order of the edition
	Headlines   []story  // that the reader had before
	Corrections []message
	More        string // "And 3 more stories on our site"; may be empty
	MoreURL     string
	Unsubscribe htmltemplate.URL
	Manage      htmltemplate.URL
	SignUpURL   string
	ViewURL     string // of this copy in a browser; may be empty
}

// frame is what the templates of every mail are given.
type frame struct {
	Lang       string
	Dir        string // "ltr" or "rtl"
	T          words.Phrases
	Subject    string
	Preheader  string
	Sender     string   // the name of who sends it
	Postal     []string // lines of the postal address
	Legal      []string
	PrivacyURL string
	Outlook    outlook
	Look       look
}

// Filler returns blanks that keep the first words of the mail out of the preview that
// clients show after the preheader.
func (f frame) Filler() htmltemplate.HTML {
	const previewLength = 140
	n := max(0, previewLength-utf8.RuneCountInString(f.Preheader))
	return htmltemplate.HTML(strings.Repeat("&#847; ", n)) //nolint:gosec // a constant
}

// outlook is what only Outlook's Word engine reads: html/template would strip the comments.
type outlook struct{ Head, Open, Close htmltemplate.HTML }

func forOutlook() outlook {
	return outlook{
		Head:  `<!--[if mso]><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml><![endif]-->`,
		Open:  `<!--[if mso]><table role="presentation" width="600" align="center" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->`,
		Close: `<!--[if mso]></td></tr></table><![endif]-->`,
	}
}

// group is some stories under a heading.
type group struct {
	Heading string
	Stories []story
	section int // its index
}

// story is an article in the mail.
type story struct {
	Number   int    // in reading order, from 1
	First    bool   // of its group
	Section  string // name of the first section it is in, where no heading says it; may be empty
	URL      string
	Headline string
	Summary  string
	Byline   string // "By Ana Novak"; may be empty
	Label    string
	Image    string
	Alt      string
	Look     look
	Related  []related
	article  int64
}

// related is a link to an older story.
type related struct {
	Word     string // "Related:"
	Headline string
	URL      string
	article  int64
}

// newPage lays the blocks out in the order of the edition: the lead, and then the others under
// the first of the newsletter's sections that they are in.
func (r *Renderer) newPage(c chosen, maxSummary int) page {
	n := r.s.Newsletter
	p := page{
		frame:       r.frame,
		Name:        n.Name,
		Date:        r.date,
		Unsubscribe: newsletter.PlaceUnsubscribe,
		Manage:      newsletter.PlaceManage,
		SignUpURL:   r.s.BaseURL + "/n/" + n.Slug,
	}
	if key := r.s.ViewKey(c.asked); key != "" {
		p.ViewURL = r.s.BaseURL + "/archive/" + n.Slug + "/copy/" + key
	}
	r.layStories(&p, c, maxSummary)
	if n.Design == "" {
		p.Intro = splitLines(r.s.Intro)
		return p
	}
	p.Opening = r.texts[r.s.Intro]
	r.layItems(&p, c)
	for _, b := range c.headlines {
		p.Headlines = append(p.Headlines, r.newStory(b, 0))
	}
	for _, b := range c.corrections {
		p.Corrections = append(p.Corrections, *r.newMessage(b))
	}
	if c.more > 0 {
		if p.More = r.frame.T.Count(n.Language, "more_on_site", c.more); c.more >= newsletter.MaxMore {
			p.More = r.frame.T["more_on_site"]
		}
		if p.MoreURL = n.SiteURL; p.MoreURL == "" {
			p.MoreURL = p.SignUpURL
		}
	}
	return p
}

// layStories sets the lead, the groups and what numbers they have.
func (r *Renderer) layStories(p *page, c chosen, maxSummary int) {
	blocks := c.articles
	if len(blocks) == 0 {
		return
	}
	lead := r.s.leadOf(blocks)
	st := r.newStory(blocks[lead], maxSummary)
	st.Related = r.relatedTo(blocks[lead], c.asked.Gone)
	st.Number, p.Lead = 1, &st
	blocks = slices.Delete(slices.Clone(blocks), lead, lead+1)
	for _, b := range blocks {
		p.Next = append(p.Next, b.Headline)
	}
	if !r.s.ranked() {
		slices.SortStableFunc(blocks, func(a, b Block) int { return r.s.sectionOf(a) - r.s.sectionOf(b) })
	}
	for i, b := range blocks {
		st, section := r.newStory(b, maxSummary), len(r.s.Sections)
		st.Number, st.Related = i+2, r.relatedTo(b, c.asked.Gone)
		if r.grouped {
			section, st.Section = r.s.sectionOf(b), "" // the heading says it
		}
		if n := len(p.Groups); n == 0 || p.Groups[n-1].section != section {
			st.First = true
			p.Groups = append(p.Groups, group{Heading: r.heading(section), section: section})
		}
		g := &p.Groups[len(p.Groups)-1]
		g.Stories = append(g.Stories, st)
	}
}

// relatedTo returns the older stories that stand under the article, without those that are gone.
func (r *Renderer) relatedTo(b Block, gone []int64) []related {
	var list []related
	for _, other := range b.Related {
		if !slices.Contains(gone, other.Article) {
			list = append(list, related{Word: r.frame.T.Label(r.frame.T["related"]), Headline: other.Headline, URL: other.URL, article: other.Article})
		}
	}
	return list
}

// heading returns what stands above the stories of a section.
func (r *Renderer) heading(section int) string {
	if section < len(r.s.Sections) {
		return r.s.Sections[section].Name
	}
	return r.frame.T["more_news"]
}

// leadOf returns the index of the block that leads a copy with these: the edition's own lead,
// else the first with a leading label, else the first.
func (s Snapshot) leadOf(blocks []Block) int {
	if blocks[0].Article == s.Blocks[0].Article {
		return 0
	}
	return max(0, slices.IndexFunc(blocks, func(b Block) bool { return newsletter.Leads(b.Label) }))
}

// ranked reports whether the blocks stand in reading order. Builds before froze them in the order
// of choosing, and put them in that of the sections when they rendered them.
func (s Snapshot) ranked() bool { return len(s.Blocks) == 0 || s.Blocks[0].Rank > 0 }

// groupedBySection reports whether the stories after the lead stand section by section. Where
// staff put them in another order, that is the order of the mail, without headings.
func (s Snapshot) groupedBySection() bool {
	if !s.ranked() {
		return true
	}
	ended, last := map[int]bool{}, -1
	for i, b := range s.Blocks {
		at := s.sectionOf(b)
		switch {
		case i == 0 || b.Kind != KindArticle || at == last:
			continue
		case ended[at]:
			return false
		}
		ended[last] = true
		last = at
	}
	return true
}

// sectionOf returns the index of the first section that the block is in, or their number.
func (s Snapshot) sectionOf(b Block) int {
	for i, sec := range s.Sections {
		if b.Sections.Has(newsletter.Section{Bit: sec.Bit}) {
			return i
		}
	}
	return len(s.Sections)
}

func (r *Renderer) newStory(b Block, maxSummary int) story {
	st := story{
		URL: b.URL, Headline: b.Headline, Summary: cut(b.Summary, maxSummary),
		Label: b.Label, Image: b.ImageURL, Alt: b.ImageAlt, Look: r.frame.Look,
		article: b.Article,
	}
	if at := r.s.sectionOf(b); at < len(r.s.Sections) {
		st.Section = r.s.Sections[at].Name
	}
	if b.Author != "" {
		st.Byline = strings.NewReplacer("{author}", b.Author).Replace(r.frame.T["by"])
	}
	return st
}

func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}
