package digest

import (
	"fmt"
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
	maxSubject  = 200 // of the editors' own
	maxName     = 200 // of a newsletter
)

// New takes the snapshot of an edition: the candidates in their order become its blocks. It
// removes from all text whatever could be taken for a personal place, and adds the
// newsletter's link parameters to article links. A value that cannot be mailed is a
// newsletter.Error of kind Invalid that names it.
func New(n newsletter.Newsletter, sections []newsletter.Section, candidates []newsletter.Candidate,
	date newsletter.Date, cadence newsletter.Cadence, baseURL string, words Words, t Templates, composer string,
) (Snapshot, error) {
	s := Snapshot{
		Composer:      composer,
		Newsletter:    infoOf(n),
		BaseURL:       strings.TrimRight(baseURL, "/"),
		Date:          date.String(),
		Cadence:       cadence,
		Subject:       clean(words.Subject),
		Intro:         cleanLines(words.Intro),
		Sections:      make([]Section, 0, len(sections)),
		Blocks:        make([]Block, 0, len(candidates)),
		TemplatesHash: t.Hash(),
		Templates:     t,
	}
	if err := s.check(); err != nil {
		return Snapshot{}, err
	}
	for _, sec := range sections {
		if sec.Bit < 0 || sec.Bit >= newsletter.MaxSections {
			return Snapshot{}, newsletter.Invalidf("section", "section %q has the bit %d, which is none", sec.Slug, sec.Bit)
		}
		s.Sections = append(s.Sections, Section{Bit: sec.Bit, Slug: sec.Slug, Name: clean(sec.Name)})
	}
	seen := make(map[int64]bool, len(candidates))
	for _, c := range candidates {
		if seen[c.ID] {
			return Snapshot{}, newsletter.Invalidf("article", "article %d is in the edition twice", c.ID)
		}
		seen[c.ID] = true
		b, err := blockOf(c, s.Newsletter.LinkParams)
		if err != nil {
			return Snapshot{}, err
		}
		s.Blocks = append(s.Blocks, b)
	}
	return s, nil
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
	case len([]rune(s.Subject)) > maxSubject:
		return newsletter.Invalidf("subject", "a subject has at most %d characters; readers see the first 50 or so", maxSubject)
	}
	if _, ok := cleanURL(s.BaseURL); !ok {
		return newsletter.Invalidf("base_url", "%q is not an address of the web; write it as https://news.example.org", s.BaseURL)
	}
	if n.PrivacyURL != "" {
		if _, ok := cleanURL(n.PrivacyURL); !ok {
			return newsletter.Invalidf("privacy-url", "%q is not an address of the web", n.PrivacyURL)
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
