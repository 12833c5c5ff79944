package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
)

// pageNames lists the pages: each is a template file of its own.
func pageNames() []string {
	return []string{
		"home", "newsletter", "check_inbox", "confirm", "confirmed", "unsubscribe", "manage", "error",
		"link", "details", "receipt", "export", "erase",
		"mailbox", "mail", "archive", "edition", "approve", "embed", "form_page",
	}
}

// pages are the parsed templates by name.
type pages map[string]*template.Template

// loadPages parses every page with the layout and the shared parts.
func (a *app) loadPages(fsys fs.FS) (pages, error) {
	functions := template.FuncMap{
		"path":    a.path,
		"style":   func() string { return a.path("/assets/" + a.assets.style.name) },
		"copy":    func() string { return a.path("/assets/" + a.assets.copy.name) },
		"icon":    func() string { return a.path("/assets/" + a.assets.icon.name) },
		"count":   count,
		"linked":  linked,
		"pause":   pauseOf,
		"bold":    bold,
		"address": address,
		"anchor":  anchor,
		"mailto":  mailto,
		"in":      inLanguage,
		"archive": func() bool { return a.Archive != nil },
	}
	layout, err := template.New("layout.html").Option("missingkey=error").Funcs(functions).ParseFS(fsys, "web/layout.html", "web/form.html")
	if err != nil {
		return nil, fmt.Errorf("web templates: %w", err)
	}
	list := pages{}
	for _, name := range pageNames() {
		t, err := layout.Clone()
		if err == nil {
			t, err = t.ParseFS(fsys, "web/"+name+".html")
		}
		if err != nil {
			return nil, fmt.Errorf("web templates: %w", err)
		}
		list[name] = t
	}
	return list, nil
}

// render fills a page and sends it. It is filled first, so that a mistake in a template is
// a clean 500 and never half a page.
func (a *app) render(c echo.Context, status int, name string, page any) error {
	var b bytes.Buffer
	if err := a.pages[name].Execute(&b, page); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	return c.HTMLBlob(status, b.Bytes())
}

// frame is what the layout needs of a page. Every page embeds it; app.frame makes it.
type frame struct {
	T         texts
	Lang      string // BCP 47
	Dir       string // ltr or rtl
	Query     string // "?lang=de", to keep a language that was asked for; may be empty
	Languages []languageLink
	Publisher string // above the page; empty: nobody in particular
	Postal    string // below it
	Privacy   string // address of the privacy policy
}

// frameOf returns what a newsletter's pages have around them.
func frameOf(n newsletter.Newsletter) frame {
	return frame{Publisher: n.From.Name, Postal: n.PostalAddress, Privacy: n.PrivacyURL}
}

// commonFrame returns what several newsletters agree on.
func commonFrame(list []newsletter.Newsletter) frame {
	if len(list) == 0 {
		return frame{}
	}
	f := frameOf(list[0])
	for _, n := range list[1:] {
		other := frameOf(n)
		if other.Publisher != f.Publisher {
			f.Publisher = ""
		}
		if other.Postal != f.Postal {
			f.Postal = ""
		}
		if other.Privacy != f.Privacy {
			f.Privacy = ""
		}
	}
	return f
}

// errorPage says what went wrong and what to do.
type errorPage struct {
	frame
	Status  int
	Heading string
	Message string
	Fields  []newsletter.Field
	Wait    string // when to try again, in words
	Contact string // an address to write to; may be empty
}
