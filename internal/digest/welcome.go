package digest

import (
	"maps"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/words"
)

// WelcomeMail is what somebody gets who has just confirmed.
type WelcomeMail struct {
	Newsletter newsletter.Newsletter
	Cadence    newsletter.Cadence
	Today      newsletter.Date // where the newsletter is at home
	First      time.Time       // when their first edition comes, in the zone in which it is said; zero: nobody can say
	BaseURL    string
	Templates  Templates
	// Latest is what the edition before was frozen as, whose headlines the mail has, without those of
	// Withdrawn; nil: there is none. Sections are those that the reader chose.
	Latest    *Snapshot
	Withdrawn map[int64]time.Time
	Sections  newsletter.Mask
	EditionAt string // where that edition is to be read; empty: nowhere
}

// RenderWelcome renders a mail of welcome in the newsletter's look. The stories of the edition before
// are links, as those are that a reader had by another newsletter: a headline gives nothing to anybody,
// so that no digest has to leave a story out that was named here. It has no advertising. The snapshot
// says who writes.
func RenderWelcome(w WelcomeMail) (Snapshot, Variant, error) {
	fixed, err := words.In(w.Templates, "mail template", w.Newsletter.Language)
	if err != nil {
		return Snapshot{}, Variant{}, err
	}
	said := fixed.With("{newsletter}", clean(w.Newsletter.Name))
	text, err := w.text(fixed)
	if err != nil {
		return Snapshot{}, Variant{}, err
	}
	s, err := New(Input{
		Newsletter: w.Newsletter, Date: w.Today, Cadence: w.Cadence, BaseURL: w.BaseURL, Templates: w.Templates,
		Words: Words{Subject: said["welcome_subject"], Preheader: said["welcome_preheader"], About: []int64{}},
		Notes: []Block{{ID: "n1", Headline: said["welcome_subject"], Text: text, Position: 1}},
	})
	if err != nil {
		return Snapshot{}, Variant{}, err
	}
	stories := w.stories()
	s.Blocks = slices.Concat(stories, s.Blocks)
	r, err := NewRenderer(s)
	if err != nil {
		return Snapshot{}, Variant{}, err
	}
	r.frame.T = maps.Clone(r.frame.T)
	r.frame.T["earlier"] = said["welcome_stories"]
	var shown newsletter.Copy
	for _, b := range stories {
		shown.Headlines = append(shown.Headlines, b.Article)
	}
	v, err := r.Render(shown)
	return s, v, err
}

// text returns what stands before the headlines, as Markdown.
func (w WelcomeMail) text(fixed words.Phrases) (string, error) {
	parts := []string{fixed["welcome_say"]}
	if w.First.IsZero() {
		parts = append(parts, fixed["welcome_first_open"])
	} else {
		day, err := fixed.Date(newsletter.DateOf(w.First))
		if err != nil {
			return "", err
		}
		parts = append(parts, fixed.With("{date}", day, "{time}", w.First.Format("15:04"))["welcome_first"])
	}
	if edition, ok := cleanURL(w.EditionAt); ok && w.Latest != nil {
		parts = append(parts, "["+fixed["welcome_edition"]+"]("+edition+")")
	}
	return strings.Join(parts, "\n\n"), nil
}

// stories returns the stories of the edition before that the reader would have got of it, as headlines.
func (w WelcomeMail) stories() []Block {
	if w.Latest == nil {
		return nil
	}
	var list []Block
	for _, b := range w.Latest.Blocks {
		_, gone := w.Withdrawn[b.Article]
		if b.Kind != KindArticle || gone || !w.Sections.Wants(b.Sections) || len(list) == w.Newsletter.MaxArticles {
			continue
		}
		b.Kind, b.Related = KindHeadline, nil
		list = append(list, b)
	}
	return list
}
