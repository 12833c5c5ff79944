package digest

import (
	"fmt"
	"slices"

	"broadsheet/internal/newsletter"
)

// Variant is the edition as one group of readers gets it. HTML and Text contain
// newsletter.PlaceUnsubscribe and newsletter.PlaceManage, each on a line of its own; lines
// end in \n.
type Variant struct {
	Subject   string
	Preheader string
	HTML      string
	Text      string
	Articles  []int64 // in full, in the order of the edition
}

// The most characters of what the templates make of subject and preheader.
const (
	subjectLength   = 110
	preheaderLength = 140
)

// Renderer renders the variants of one snapshot. It can be used by several goroutines.
type Renderer struct {
	s         Snapshot
	templates *mailTemplates
	frame     frame // without subject and preheader
	date      string
}

// NewRenderer parses the snapshot's templates.
func NewRenderer(s Snapshot) (*Renderer, error) {
	n := s.Newsletter
	templates, err := parseMail(s.Templates, "digest", ".subject", ".preheader")
	if err != nil {
		return nil, err
	}
	words, err := phrasesFor(s.Templates, n.Language)
	if err != nil {
		return nil, err
	}
	day, err := newsletter.ParseDate(s.Date)
	if err != nil {
		return nil, err
	}
	date, err := words.date(day)
	if err != nil {
		return nil, err
	}
	f := newFrame(n.Language, words.with("{newsletter}", n.Name))
	f.Sender, f.PrivacyURL = n.From.Name, n.PrivacyURL
	f.Postal, f.Legal = splitLines(n.PostalAddress), splitLines(n.LegalFooter)
	if f.Sender == "" {
		f.Sender = n.Name
	}
	return &Renderer{s: s, templates: templates, frame: f, date: date}, nil
}

// newFrame returns the frame of a mail in the language (BCP 47; empty: English).
func newFrame(language string, words phrases) frame {
	if language == "" {
		language = "en"
	}
	return frame{Lang: language, Dir: direction(language), T: words, Outlook: forOutlook()}
}

// Render renders the variant for readers with this copy; in which order its articles are given
// does not matter. It is an error if there are none, or one that the edition does not have.
// Summaries are shortened where the HTML part would be too large otherwise, see MaxHTML.
func (r *Renderer) Render(c newsletter.Copy) (Variant, error) {
	blocks, err := r.s.choose(c.Articles)
	if err != nil {
		return Variant{}, err
	}
	return r.fit(blocks)
}

// Render renders one variant. Whoever renders several uses a Renderer.
func Render(s Snapshot, c newsletter.Copy) (Variant, error) {
	r, err := NewRenderer(s)
	if err != nil {
		return Variant{}, err
	}
	return r.Render(c)
}

// choose returns the blocks of the articles in the order of the edition.
func (s Snapshot) choose(articles []int64) ([]Block, error) {
	if len(articles) == 0 {
		return nil, fmt.Errorf("render: a variant needs an article")
	}
	var blocks []Block
	for _, b := range s.Blocks {
		if b.Kind == KindArticle && slices.Contains(articles, b.Article) {
			blocks = append(blocks, b)
		}
	}
	for i, id := range articles {
		if slices.Contains(articles[:i], id) {
			return nil, fmt.Errorf("render: article %d is asked for twice", id)
		}
		if !slices.ContainsFunc(blocks, func(b Block) bool { return b.Article == id }) {
			return nil, fmt.Errorf("render: the edition does not have article %d", id)
		}
	}
	return blocks, nil
}

// speaksOf reports whether a copy with these blocks has all articles that the editors' subject
// and preheader are about.
func (s Snapshot) speaksOf(blocks []Block) bool {
	for _, id := range s.About {
		if !slices.ContainsFunc(blocks, func(b Block) bool { return b.Article == id }) {
			return false
		}
	}
	return true
}

// render renders the blocks with summaries of at most so many characters.
func (r *Renderer) render(blocks []Block, maxSummary int) (Variant, error) {
	p := r.newPage(blocks, maxSummary)
	var v Variant
	var err error
	if r.s.speaksOf(blocks) {
		v.Subject, v.Preheader = r.s.Subject, r.s.Preheader
	}
	if v.Subject == "" {
		if v.Subject, err = r.templates.short(".subject", p, subjectLength); err != nil {
			return Variant{}, err
		}
	}
	if v.Preheader == "" {
		if v.Preheader, err = r.templates.short(".preheader", p, preheaderLength); err != nil {
			return Variant{}, err
		}
	}
	p.Subject, p.Preheader = v.Subject, v.Preheader
	if v.HTML, err = r.templates.htmlPart(p); err != nil {
		return Variant{}, err
	}
	if v.Text, err = r.templates.textPart(p); err != nil {
		return Variant{}, err
	}
	if err := checkPlaces("HTML", v.HTML); err != nil {
		return Variant{}, err
	}
	if err := checkPlaces("text", v.Text); err != nil {
		return Variant{}, err
	}
	for _, b := range blocks {
		v.Articles = append(v.Articles, b.Article)
	}
	return v, nil
}
