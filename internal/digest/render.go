package digest

import (
	"fmt"
	"slices"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/words"
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
	Shortened bool    // its longest summaries were, so that the HTML part is not clipped
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
	texts     map[string]*rich // what editors wrote, read once for all variants
	grouped   bool             // stories stand under the names of their sections
}

// NewRenderer returns a renderer of the snapshot, or says what is wrong with its templates or words.
func NewRenderer(s Snapshot) (*Renderer, error) {
	n := s.Newsletter
	templates, err := parsedMail(s.Templates, designFiles(n.Design))
	if err != nil {
		return nil, err
	}
	fixed, err := words.In(s.Templates, "mail template", n.Language)
	if err != nil {
		return nil, err
	}
	day, err := newsletter.ParseDate(s.Date)
	if err != nil {
		return nil, err
	}
	date, err := fixed.Date(day)
	if err != nil {
		return nil, err
	}
	f := newFrame(n.Language, fixed.With("{newsletter}", n.Name))
	f.Sender, f.PrivacyURL = n.From.Name, n.PrivacyURL
	f.Postal, f.Legal = splitLines(n.PostalAddress), splitLines(n.LegalFooter)
	f.Look = lookOf(n)
	if f.Sender == "" {
		f.Sender = n.Name
	}
	r := &Renderer{s: s, templates: templates, frame: f, date: date, texts: map[string]*rich{}, grouped: s.groupedBySection()}
	err = r.readTexts()
	return r, err
}

// newFrame returns the frame of a mail in the language (BCP 47; empty: English).
func newFrame(language string, fixed words.Phrases) frame {
	if language == "" {
		language = "en"
	}
	return frame{Lang: language, Dir: words.Direction(language), T: fixed, Outlook: forOutlook(), Look: plainLook()}
}

// Render renders the variant for readers with this copy; in which order its articles are given
// does not matter. It is an error if there is nothing in it, or something that the edition does
// not have. Summaries are shortened where the HTML part would be too large otherwise, see MaxHTML.
func (r *Renderer) Render(c newsletter.Copy) (Variant, error) {
	chosen, err := r.s.choose(c)
	if err != nil {
		return Variant{}, err
	}
	return r.fit(chosen)
}

// Render renders one variant. Whoever renders several uses a Renderer.
func Render(s Snapshot, c newsletter.Copy) (Variant, error) {
	r, err := NewRenderer(s)
	if err != nil {
		return Variant{}, err
	}
	return r.Render(c)
}

// chosen are the blocks of a copy, each list in the order of the edition.
type chosen struct {
	articles, headlines, corrections, notes, sponsors []Block
	more                                              int
	asked                                             newsletter.Copy
}

// choose returns the blocks that the copy shows.
func (s Snapshot) choose(c newsletter.Copy) (chosen, error) {
	list := chosen{more: max(c.More, 0), asked: c}
	var err error
	if list.articles, err = s.blocks("article", c.Articles, KindArticle); err != nil {
		return list, err
	}
	if s.Newsletter.Design == "" { // it has articles only
		if len(list.articles) == 0 {
			err = fmt.Errorf("render: a variant needs an article")
		}
		return list, err
	}
	for _, id := range c.Headlines {
		if slices.Contains(c.Articles, id) {
			return list, fmt.Errorf("render: article %d is asked for in full and as a headline", id)
		}
	}
	if list.headlines, err = s.blocks("article", c.Headlines, KindArticle, KindHeadline); err != nil {
		return list, err
	}
	if list.corrections, err = s.blocks("correction of article", c.Corrections, KindCorrection); err != nil {
		return list, err
	}
	for _, b := range s.Blocks {
		switch b.Kind {
		case KindNote:
			list.notes = append(list.notes, b)
		case KindSponsor:
			list.sponsors = append(list.sponsors, b)
		}
	}
	if len(list.articles)+len(list.headlines)+len(list.notes)+len(list.corrections) == 0 {
		return list, fmt.Errorf("render: a variant needs an article, a headline, a note or a correction")
	}
	return list, nil
}

// hasNotes reports whether the edition has notes, which all copies have.
func (s Snapshot) hasNotes() bool {
	return slices.ContainsFunc(s.Blocks, func(b Block) bool { return b.Kind == KindNote })
}

// blocks returns the blocks of these kinds and ids.
func (s Snapshot) blocks(what string, ids []int64, kinds ...string) ([]Block, error) {
	var list []Block
	for _, b := range s.Blocks {
		if slices.Contains(kinds, b.Kind) && slices.Contains(ids, b.Article) {
			list = append(list, b)
		}
	}
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			return nil, fmt.Errorf("render: %s %d is asked for twice", what, id)
		}
		if !slices.ContainsFunc(list, func(b Block) bool { return b.Article == id }) {
			return nil, fmt.Errorf("render: the edition does not have %s %d", what, id)
		}
	}
	return list, nil
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

// Words returns the subject and preheader of the variant with this copy, without the rest.
func (r *Renderer) Words(c newsletter.Copy) (subject, preheader string, err error) {
	chosen, err := r.s.choose(c)
	if err != nil {
		return "", "", err
	}
	return r.words(chosen, r.newPage(chosen, maxSummary))
}

// words returns the subject and preheader of a page: the editors' own if they speak of it, else
// those of the templates.
func (r *Renderer) words(c chosen, p page) (subject, preheader string, err error) {
	if r.s.speaksOf(c.articles) {
		subject, preheader = r.s.Subject, r.s.Preheader
	}
	files := r.templates.files
	if subject == "" {
		if subject, err = r.templates.short(files.subject, p, subjectLength); err != nil {
			return "", "", err
		}
	}
	if preheader == "" {
		preheader, err = r.templates.short(files.preheader, p, preheaderLength)
	}
	return subject, preheader, err
}

// render renders the blocks with summaries of at most so many characters.
func (r *Renderer) render(c chosen, maxSummary int) (Variant, error) {
	p := r.newPage(c, maxSummary)
	files := r.templates.files
	var v Variant
	var err error
	if v.Subject, v.Preheader, err = r.words(c, p); err != nil {
		return Variant{}, err
	}
	p.Subject, p.Preheader = v.Subject, v.Preheader
	if v.HTML, err = r.templates.htmlPart(p); err != nil {
		return Variant{}, err
	}
	if v.Text, err = r.templates.textPart(p); err != nil {
		return Variant{}, err
	}
	if err := checkPlaces(files.html[len(files.html)-1], v.HTML); err != nil {
		return Variant{}, err
	}
	if err := checkPlaces(files.text[len(files.text)-1], v.Text); err != nil {
		return Variant{}, err
	}
	for _, b := range c.articles {
		v.Articles = append(v.Articles, b.Article)
	}
	return v, nil
}
