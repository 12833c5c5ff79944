package digest

import (
	"cmp"
	"fmt"
	htmltemplate "html/template"
	"math"
	"slices"
	"strings"
	"sync"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/words"
)

// item is one thing in the reading order of a mail; one of its fields is set.
type item struct {
	Heading string // of the stories that follow
	Story   *story
	Note    *message
	Sponsor *message
}

// message is a note, a sponsor's message or a correction in the mail.
type message struct {
	Headline string // may be empty
	URL      string // may be empty
	Body     *rich  // may be nil
	PaidBy   string // "Paid for by Leaf Ltd"; only of a sponsor's message
	LinkText string // of a link that has no headline
	Image    string
	Alt      string
	T        words.Phrases
	Look     look
}

// look is how the newsletter's mails look.
type look struct {
	Accent htmltemplate.CSS // the brand colour, on light paper
	Dark   htmltemplate.CSS // the same for dark paper
	Face   htmltemplate.CSS // letters of headlines
	Logo   string
}

// The letters of headlines, all on readers' devices. Names of several words need no quotation
// marks, which a style attribute would write in five characters each.
const (
	serifFace = "Georgia,Times New Roman,serif"
	sansFace  = "-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif"
)

// lookOf returns the newsletter's look. A colour that cannot be read never comes here: it is
// checked when it is set. Should it come all the same, ours is taken.
func lookOf(n NewsletterInfo) look {
	brand, err := newsletter.CheckBrandColour(n.BrandColour)
	if err != nil {
		brand = newsletter.DefaultBrandColour
	}
	face := serifFace
	if n.Typeface == newsletter.Sans {
		face = sansFace
	}
	return look{
		Accent: htmltemplate.CSS(brand), Dark: htmltemplate.CSS(newsletter.DarkAccent(brand)), //nolint:gosec // both are six hexadecimal digits
		Face: htmltemplate.CSS(face), Logo: n.LogoURL, //nolint:gosec // a constant
	}
}

// plainLook is the look without settings.
var plainLook = sync.OnceValue(func() look { return lookOf(NewsletterInfo{}) })

// readTexts reads what editors wrote. In an edition without a design the intro is plain lines.
func (r *Renderer) readTexts() error {
	if r.s.Newsletter.Design == "" {
		return nil
	}
	read := func(name, source string) (err error) {
		if r.texts[source], err = newRich(source, string(r.frame.Look.Accent)); err != nil {
			return fmt.Errorf("render: %s, %w", name, err)
		}
		return nil
	}
	if err := read("intro", r.s.Intro); err != nil {
		return err
	}
	for _, b := range r.s.Blocks {
		if err := read(nameOf(b), b.Text); err != nil {
			return err
		}
	}
	return nil
}

func (r *Renderer) newMessage(b Block) *message {
	m := &message{Headline: b.Headline, URL: b.URL, Body: r.texts[b.Text], Image: b.ImageURL, Alt: b.ImageAlt, T: r.frame.T, Look: r.frame.Look}
	if m.LinkText, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimPrefix(b.URL, "https://"), "http://"), "/"); b.Kind == KindSponsor {
		sponsor := strings.NewReplacer("{sponsor}", b.Sponsor)
		m.PaidBy, m.LinkText = sponsor.Replace(r.frame.T["paid_by"]), sponsor.Replace(r.frame.T["visit"])
	}
	return m
}

// layItems sets what comes before and after the lead. A note can come before it, and all do
// where there is no story; advertising cannot, or it would be taken for the lead.
func (r *Renderer) layItems(p *page, c chosen) {
	blocks := slices.Concat(c.notes, c.sponsors)
	place := func(b Block) int {
		if b.Kind == KindSponsor {
			return max(b.Position, 2)
		}
		return b.Position
	}
	slices.SortStableFunc(blocks, func(a, b Block) int { return cmp.Compare(place(a), place(b)) })
	var flat []item // stories and headings after the lead
	for _, g := range p.Groups {
		flat = append(flat, item{Heading: g.Heading})
		for i := range g.Stories {
			flat = append(flat, item{Story: &g.Stories[i]})
		}
	}
	next := 0
	insert := func(until int) {
		for ; next < len(blocks) && place(blocks[next]) <= until; next++ {
			m := r.newMessage(blocks[next])
			switch {
			case blocks[next].Kind == KindSponsor:
				p.Items = append(p.Items, item{Sponsor: m})
			case place(blocks[next]) <= 1 || len(c.articles) == 0:
				p.Before = append(p.Before, item{Note: m})
			default:
				p.Items = append(p.Items, item{Note: m})
			}
		}
	}
	insert(1)
	number := 1
	for _, it := range flat {
		// What stands before the first story of a section stands before its heading.
		if it.Heading != "" || it.Story != nil && !it.Story.First {
			insert(number + 1)
		}
		if it.Story != nil {
			number++
			if n := len(p.Items); n > 0 && p.Items[n-1].Sponsor != nil {
				it.Story.First = true // advertising has a frame, so there is no rule after it
			}
		}
		p.Items = append(p.Items, it)
	}
	insert(math.MaxInt)
}
