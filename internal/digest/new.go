package digest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// The most characters of a text of a block; feeds are bounded at intake, this holds whatever
// comes from elsewhere.
const (
	maxHeadline = 300
	maxSummary  = 1000
	maxByline   = 200
	maxLabel    = 40
	maxName     = 200 // of a newsletter
)

// Input is what a snapshot is taken of.
type Input struct {
	Newsletter newsletter.Newsletter
	Sections   []newsletter.Section
	Articles   []newsletter.Candidate // in reading order, see newsletter.Lay; may be none if there is a note
	Headlines  []newsletter.Candidate // that nobody gets in full, only as links
	Owed       []newsletter.Candidate // that nobody gets at all, although some are owed them: they are only counted
	// Related are the stories that stand under an article, by its id. Those that cannot be mailed are left out.
	Related map[int64][]newsletter.Candidate
	// Corrections, Notes and Sponsors need not say their kind. A correction has its article and
	// that one's headline and URL; notes and sponsors have an ID and a position.
	Corrections []Block
	Notes       []Block
	Sponsors    []Block
	Date        newsletter.Date
	Cadence     newsletter.Cadence
	BaseURL     string
	Words       Words
	Templates   Templates
	Composer    string // version of the composing code
	// Secret makes a secret of the snapshot's hash, the same for the same hash; nil: there is no
	// link to the mail in a browser. See Snapshot.ViewKey.
	Secret func(hash string) string
}

// New takes the snapshot of an edition. It removes from all text whatever could be taken for a
// personal place, and adds the newsletter's link parameters to article links. A value that
// cannot be mailed is a newsletter.Error of kind Invalid that names it.
func New(in Input) (Snapshot, error) {
	s := Snapshot{
		Composer:      in.Composer,
		Newsletter:    infoOf(in.Newsletter),
		BaseURL:       strings.TrimRight(in.BaseURL, "/"),
		Date:          in.Date.String(),
		Cadence:       in.Cadence,
		Subject:       clean(in.Words.Subject),
		Preheader:     clean(in.Words.Preheader),
		Intro:         cleanText(in.Words.Intro),
		Sections:      make([]Section, 0, len(in.Sections)),
		Blocks:        make([]Block, 0, len(in.Articles)),
		TemplatesHash: in.Templates.Hash(),
		Templates:     in.Templates,
	}
	if err := s.check(); err != nil {
		return Snapshot{}, err
	}
	for _, sec := range in.Sections {
		if sec.Bit < 0 || sec.Bit >= newsletter.MaxSections {
			return Snapshot{}, newsletter.Invalidf("section", "section %q has the bit %d, which is none", sec.Slug, sec.Bit)
		}
		s.Sections = append(s.Sections, Section{Bit: sec.Bit, Slug: sec.Slug, Name: clean(sec.Name)})
	}
	if err := CheckMarkdown("intro", s.Intro); err != nil {
		return Snapshot{}, err
	}
	if err := s.addArticles(in); err != nil {
		return Snapshot{}, err
	}
	if err := s.addTexts(in); err != nil {
		return Snapshot{}, err
	}
	if len(s.Articles()) == 0 && len(in.Headlines) == 0 && s.Subject == "" {
		return Snapshot{}, newsletter.Invalidf("subject", "an edition without articles needs a subject")
	}
	if err := s.setAbout(in.Words); err != nil {
		return Snapshot{}, err
	}
	if in.Secret != nil {
		s.ViewSecret = in.Secret(s.Hash())
	}
	return s, nil
}

func (s *Snapshot) addArticles(in Input) error {
	seen := make(map[int64]bool, len(in.Articles)+len(in.Headlines))
	for _, list := range []struct {
		kind       string
		candidates []newsletter.Candidate
	}{{KindArticle, in.Articles}, {KindHeadline, in.Headlines}} {
		for _, c := range list.candidates {
			if seen[c.ID] {
				return newsletter.Invalidf("article", "article %d is in the edition twice", c.ID)
			}
			seen[c.ID] = true
			b, err := blockOf(c, s.Newsletter.LinkParams)
			if err != nil {
				return err
			}
			if b.Kind = list.kind; b.Kind == KindArticle {
				b.Related = relatedOf(in.Related[c.ID], s.Newsletter.LinkParams)
			}
			s.Blocks = append(s.Blocks, b)
		}
	}
	for _, c := range in.Owed {
		s.Blocks = append(s.Blocks, Block{Kind: KindOwed, Article: c.ID, Sections: c.Sections})
	}
	s.rank(in)
	return nil
}

// relatedOf returns the links to the stories.
func relatedOf(stories []newsletter.Candidate, params string) []Related {
	var list []Related
	for _, c := range stories {
		if b, err := blockOf(c, params); err == nil {
			list = append(list, Related{Article: b.Article, Headline: b.Headline, URL: b.URL})
		}
	}
	return list
}

// rank gives the blocks their places in the order of choosing, in which other articles have none.
func (s *Snapshot) rank(in Input) {
	all := slices.Concat(in.Articles, in.Headlines, in.Owed)
	slices.SortStableFunc(all, newsletter.ByRank)
	ranks := make(map[int64]int, len(all))
	for i, c := range all {
		ranks[c.ID] = i + 1
	}
	for i, b := range s.Blocks {
		s.Blocks[i].Rank = ranks[b.Article]
	}
}

// setAbout notes for which copies the editors' subject and preheader are.
func (s *Snapshot) setAbout(w Words) error {
	if s.Subject == "" && s.Preheader == "" {
		return nil
	}
	articles := s.Articles()
	if w.About == nil && len(articles) > 0 {
		s.About = articles[:1:1]
		return nil
	}
	for _, id := range w.About {
		if !slices.Contains(articles, id) {
			return newsletter.Invalidf("about", "article %d is not in the edition, so its subject and preheader cannot be about it", id)
		}
	}
	s.About = slices.Clone(w.About)
	return nil
}

// infoOf returns what an edition needs to know of the newsletter, cleaned.
func infoOf(n newsletter.Newsletter) NewsletterInfo {
	limit := n.MaxArticles
	if limit <= 0 {
		limit = newsletter.DefaultMaxArticles
	}
	return NewsletterInfo{
		Slug:          n.Slug,
		Name:          clean(n.Name),
		From:          AddressInfo{clean(n.From.Name), clean(n.From.Email)},
		ReplyTo:       AddressInfo{clean(n.ReplyTo.Name), clean(n.ReplyTo.Email)},
		PostalAddress: cleanLines(n.PostalAddress),
		Language:      clean(n.Language),
		Zone:          n.Zone,
		PrivacyURL:    strings.TrimSpace(n.PrivacyURL),
		LegalFooter:   cleanLines(n.LegalFooter),
		LinkParams:    strings.TrimLeft(strings.TrimSpace(n.LinkParams), "?&"),
		MinArticles:   n.MinArticles,
		MaxArticles:   limit,
		Repeats:       n.Repeats,
		Design:        newsletter.OrDesign(n.Design),
		BrandColour:   n.BrandColour,
		LogoURL:       strings.TrimSpace(n.LogoURL),
		Typeface:      newsletter.OrTypeface(n.Typeface),
		SiteURL:       strings.TrimSpace(n.SiteURL),
	}
}

// check returns an error that names the first value of the snapshot's head that is wrong.
func (s Snapshot) check() error {
	n := s.Newsletter
	switch {
	case n.Name == "":
		return newsletter.Invalidf("name", "the newsletter has no name")
	case len([]rune(n.Name)) > maxName:
		return newsletter.Invalidf("name", "the name of a newsletter has at most %d characters", maxName)
	case !strings.Contains(n.From.Email, "@"):
		return newsletter.Invalidf("from", "%q is not an address to send from", n.From.Email)
	case len([]rune(s.Intro)) > maxText:
		return newsletter.Invalidf("intro", "it has %d characters; at most %d are possible", len([]rune(s.Intro)), maxText)
	}
	if err := errors.Join(newsletter.CheckOwnSubject(s.Subject), newsletter.CheckOwnPreheader(s.Preheader)); err != nil {
		return err
	}
	if _, ok := cleanURL(s.BaseURL); !ok {
		return newsletter.Invalidf("base_url", "%q is not an address of the web; write it as https://news.example.org", s.BaseURL)
	}
	for _, f := range []struct{ name, value string }{
		{"privacy-url", n.PrivacyURL}, {"logo-url", n.LogoURL}, {"site-url", n.SiteURL},
	} {
		if _, ok := cleanURL(f.value); !ok && f.value != "" {
			return newsletter.Invalidf(f.name, "%q is not an address of the web", f.value)
		}
	}
	if !validParams(n.LinkParams) {
		return newsletter.Invalidf("link-params", "%q cannot be added to a link; write it as utm_source=newsletter&utm_medium=email", n.LinkParams)
	}
	if _, err := newsletter.ParseDate(s.Date); err != nil {
		return err
	}
	return nil
}

// blockOf returns the article as a block, cleaned.
func blockOf(c newsletter.Candidate, params string) (Block, error) {
	b := Block{
		Kind:      KindArticle,
		Article:   c.ID,
		Headline:  cut(clean(c.Headline), maxHeadline),
		Summary:   cut(clean(c.Summary), maxSummary),
		Author:    cut(clean(c.Author), maxByline),
		Label:     cut(clean(c.Label), maxLabel),
		Published: c.Published.UTC().Truncate(time.Millisecond),
		Sections:  c.Sections,
	}
	if b.Headline == "" {
		return Block{}, newsletter.Invalidf("article", "article %d has no headline; hold it to send the others", c.ID)
	}
	link, ok := cleanURL(c.URL)
	if !ok {
		return Block{}, newsletter.Invalidf("article", "article %d has the link %s, which cannot be mailed; hold it to send the others", c.ID, quoteShort(c.URL))
	}
	b.URL = addParams(link, params)
	if image, ok := cleanURL(c.Image.URL); ok {
		b.ImageURL, b.ImageAlt = image, cut(clean(c.Image.Alt), maxHeadline)
	}
	return b, nil
}

func quoteShort(s string) string { return fmt.Sprintf("%q", cut(s, 120)) }
