package demo

import (
	"embed"
	"fmt"
	"html/template"
	"slices"
	"time"
)

//go:embed site
var site embed.FS

// load reads the templates and draws what every page needs.
func (p *Publisher) load() error {
	layout, err := template.ParseFS(site, "site/layout.html", "site/parts.html")
	if err != nil {
		return fmt.Errorf("layout: %w", err)
	}
	p.pages = map[string]*template.Template{}
	for _, name := range []string{"front", "article", "missing"} {
		t, err := layout.Clone()
		if err != nil {
			return fmt.Errorf("page %s: %w", name, err)
		}
		if p.pages[name], err = t.ParseFS(site, "site/"+name+".html"); err != nil {
			return fmt.Errorf("page %s: %w", name, err)
		}
	}
	if p.stylesheet, err = site.ReadFile("site/styles.css"); err != nil {
		return err
	}
	p.favicon, err = drawFavicon()
	return err
}

// frame is what all pages have around their contents.
type frame struct {
	Magazine    string
	Tagline     string
	Title       string
	Description string
	Address     string // of this page, absolute
	Image       string // for previews, absolute; may be empty
	Today       string
	Year        int
	Feed        string
	Sections    []section
	Footer      signUp
}

type section struct {
	Name, ID string
	Stories  []story
}

// signUp is one sign-up form. Its placement is also the prefix of its ids.
type signUp struct {
	Action      string
	Page        string
	Placement   string
	AskName     bool
	Newsletters []Newsletter
}

type frontPage struct {
	frame
	Lead   story
	Second []story
	Latest []latest
	Grid   []story
}

type articlePage struct {
	frame
	Story   story
	Column  signUp
	Related []story
	Latest  []latest
}

type missingPage struct {
	frame
	Latest []latest
}

// latest is a line in the list of what just came in.
type latest struct {
	story
	When string
}

func (p *Publisher) frame(address, title, description string, stories []story, now time.Time) frame {
	f := frame{
		Magazine: Name, Tagline: tagline, Title: title, Description: description, Address: address,
		Today: today(now), Year: now.Year(), Feed: p.FeedURL(),
		Footer: p.signUp(address, "footer"),
	}
	for _, name := range sections() {
		s := section{Name: name, ID: sectionID(name)}
		for _, o := range stories {
			if slices.Contains(o.Categories, name) && len(s.Stories) < 4 {
				s.Stories = append(s.Stories, o)
			}
		}
		f.Sections = append(f.Sections, s)
	}
	return f
}

func (p *Publisher) signUp(page, placement string) signUp {
	return signUp{
		Action: p.subscribe + "/subscribe", Page: page, Placement: placement,
		AskName: placement == "footer", Newsletters: p.newsletters,
	}
}

func (p *Publisher) frontPage(stories []story, now time.Time) frontPage {
	return frontPage{
		frame:  p.frame(p.FrontPageURL(), Name+": "+tagline, description, stories, now),
		Lead:   stories[0],
		Second: stories[1:3],
		Latest: newest(stories[1:], now, 9),
		Grid:   stories[3:],
	}
}

const description = "News and opinion for the people who run the technology in shops: payments, data, supply chains and stores."

func (p *Publisher) articlePage(s story, stories []story, now time.Time) articlePage {
	address := p.base + s.Path()
	page := articlePage{
		frame:   p.frame(address, s.Headline+" – "+Name, s.Standfirst, stories, now),
		Story:   s,
		Column:  p.signUp(address, "column"),
		Related: related(s, stories, 3),
		Latest:  newest(without(s, stories), now, 5),
	}
	page.Image = p.base + s.Picture()
	return page
}

func (p *Publisher) missingPage(stories []story, now time.Time) missingPage {
	return missingPage{
		frame:  p.frame(p.FrontPageURL(), "Page not found – "+Name, "", stories, now),
		Latest: newest(stories, now, 6),
	}
}

func without(s story, stories []story) []story {
	return slices.DeleteFunc(slices.Clone(stories), func(o story) bool { return o.Slug == s.Slug })
}

func newest(stories []story, now time.Time, n int) []latest {
	var list []latest
	for _, s := range stories[:min(n, len(stories))] {
		list = append(list, latest{s, s.Short(now)})
	}
	return list
}
