package web

import (
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/language"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
	"broadsheet/internal/words"
	"broadsheet/templates"
)

// maxAccept is the longest Accept-Language that is read, in octets. What is longer is nobody's browser.
const maxAccept = 200

// texts are the words of the pages in one language by key: those of the mails (dates, cadences) and
// those of the pages themselves (templates/web/words.de). Templates write {{.T.key}}.
type texts map[string]string

// tagKey is under what texts have the BCP 47 tag of their language. No file of words can set it.
const tagKey = "\x00tag"

// Tag returns the language (BCP 47).
func (t texts) Tag() string { return t[tagKey] }

// Text returns the words of a key with values put in for {name}: {{.T.Text "key" "name" .Value}}.
// It is plain text, which the template escapes for wherever it stands.
func (t texts) Text(key string, pairs ...any) (string, error) {
	return t.put(t[key], key, pairs, func(v any) string { return fmt.Sprint(v) })
}

// Say is Text as markup: values that are template.HTML (see bold, address, anchor) are put in as
// they are, everything else is escaped.
func (t texts) Say(key string, pairs ...any) (template.HTML, error) {
	said, err := t.put(template.HTMLEscapeString(t[key]), key, pairs, func(v any) string {
		if markup, ok := v.(template.HTML); ok {
			return string(markup)
		}
		return template.HTMLEscapeString(fmt.Sprint(v))
	})
	return template.HTML(said), err //nolint:gosec // each part is escaped, or is markup of our own
}

// Count returns the words for so many of something, in the language's plural form: those of
// key_one, key_other and so on, with {n} put in.
func (t texts) Count(key string, n int, pairs ...any) (string, error) {
	said := words.Phrases(t).Count(t.Tag(), key, n)
	return t.put(said, key, pairs, func(v any) string { return fmt.Sprint(v) })
}

// Label returns words as they stand before something: "Privacy policy:".
func (t texts) Label(said string) string { return words.Phrases(t).Label(said) }

func (t texts) put(said, key string, pairs []any, show func(any) string) (string, error) {
	if said == "" {
		return "", fmt.Errorf("words.%s of the pages lacks %q", t.Tag(), key)
	}
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("the words %q: a name without a value", key)
	}
	var list []string
	for pair := range slices.Chunk(pairs, 2) {
		list = append(list, "{"+fmt.Sprint(pair[0])+"}", show(pair[1]))
	}
	return strings.NewReplacer(list...).Replace(said), nil
}

// bold, address and anchor are what words have put in that is more than text.
func bold(s string) template.HTML {
	return template.HTML("<b>" + template.HTMLEscapeString(s) + "</b>") //nolint:gosec // escaped
}

func address(s string) template.HTML {
	return template.HTML(`<span class="address" dir="ltr">` + template.HTMLEscapeString(s) + "</span>") //nolint:gosec // escaped
}

// anchor is a link of our own making, to one of our own pages or a mailto: address.
func anchor(href, said string) template.HTML {
	return template.HTML(`<a href="` + template.HTMLEscapeString(href) + `">` + template.HTMLEscapeString(said) + "</a>") //nolint:gosec // escaped
}

// mailto is an address to write to.
func mailto(email string) template.HTML {
	escaped := template.HTMLEscapeString(email)
	return template.HTML(`<a class="address" dir="ltr" href="mailto:` + escaped + `">` + escaped + "</a>") //nolint:gosec // escaped
}

// inLanguage is words in another language than the page's, such as a newsletter's name.
func inLanguage(tag, said string) template.HTML {
	return template.HTML(`<bdi lang="` + template.HTMLEscapeString(tag) + `">` + template.HTMLEscapeString(said) + "</bdi>") //nolint:gosec // escaped
}

// languages are those that the pages are in, and how one is chosen.
type languages struct {
	tags    []string // English first
	texts   map[string]texts
	matcher language.Matcher
}

// loadLanguages reads the words of the pages: a language has its own file in web, and in mail the
// words that pages and mails share.
func loadLanguages(fsys fs.FS) (*languages, error) {
	mails, err := templates.Words(fsys, "mail")
	if err != nil {
		return nil, err
	}
	pages, err := templates.Words(fsys, "web")
	if err != nil {
		return nil, err
	}
	l := &languages{texts: map[string]texts{}}
	spoken := words.Languages(pages)
	for _, tag := range words.Languages(mails) { // de-AT has its own months, and the pages of de
		if base, _, _ := strings.Cut(tag, "-"); slices.Contains(spoken, base) && !slices.Contains(spoken, tag) {
			spoken = append(spoken, tag)
		}
	}
	var known []language.Tag
	for _, tag := range spoken {
		parsed, err := language.Parse(tag)
		if err != nil {
			return nil, fmt.Errorf("web template words.%.40s: %q is not a language such as de or pt-BR", tag, tag)
		}
		if tag == "en" { // alone it would be American
			parsed = language.BritishEnglish
		}
		shared, err := words.In(mails, "mail template", tag)
		if err != nil {
			return nil, err
		}
		own, err := words.In(pages, "web template", tag)
		if err != nil {
			return nil, err
		}
		shared.Add(own)
		l.texts[tag] = texts(shared)
		l.texts[tag][tagKey] = tag
		l.tags, known = append(l.tags, tag), append(known, parsed)
	}
	if l.texts["en"] == nil {
		return nil, errors.New("web template words.en is missing")
	}
	l.matcher = language.NewMatcher(known)
	return l, nil
}

// match returns the language for what a browser prefers (RFC 9110 §12.5.4); ok is false if there is
// none of them.
func (l *languages) match(accept string) (tag string, ok bool) {
	if accept == "" || len(accept) > maxAccept {
		return "", false
	}
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return "", false
	}
	_, i, sure := l.matcher.Match(wanted...)
	return l.tags[i], sure >= language.High
}

// choose returns the words for the first preference that there are words for, else English.
func (l *languages) choose(preferences ...string) texts {
	for _, p := range preferences {
		if t, ok := l.texts[p]; ok {
			return t
		}
		if tag, ok := l.match(p); ok {
			return l.texts[tag]
		}
	}
	return l.texts["en"]
}

// readerLanguage is where a handler that knows the reader leaves their language for the frame.
const readerLanguage = "reader-language"

// textsFor returns the words for a request: what its address asks for (?lang=de), else the reader's
// own language, else what the browser prefers, else the newsletter's.
func (a *app) textsFor(c echo.Context, list ...newsletter.Newsletter) texts {
	reader, _ := c.Get(readerLanguage).(string)
	preferences := []string{c.QueryParam("lang"), reader, c.Request().Header.Get("Accept-Language")}
	for _, n := range list {
		preferences = append(preferences, n.Language)
	}
	return a.languages.choose(preferences...)
}

// frame returns the frame of a page about some newsletters, or about none: what they agree on, in
// the language of the request.
func (a *app) frame(c echo.Context, list ...newsletter.Newsletter) frame {
	f := commonFrame(list)
	f.T = a.textsFor(c, list...)
	f.Lang, f.Dir = f.T.Tag(), words.Direction(f.T.Tag())
	f.Query, f.Languages = a.asked(c), a.otherLanguages(c, f.Lang)
	h := c.Response().Header()
	h.Add("Vary", "Accept-Language")
	h.Set("Content-Language", f.Lang)
	return f
}

// asked returns the language that the address asks for, as what is put behind another address of ours
// to keep it; empty: it asks for none that there is.
func (a *app) asked(c echo.Context) string {
	if _, ok := a.languages.texts[c.QueryParam("lang")]; !ok {
		return ""
	}
	return "?lang=" + c.QueryParam("lang")
}

// asking returns a query with the language that the address asks for, "?" before it; empty: nothing.
func (a *app) asking(c echo.Context, query url.Values) string {
	if a.asked(c) != "" {
		query.Set("lang", c.QueryParam("lang"))
	}
	if len(query) == 0 {
		return ""
	}
	return "?" + query.Encode()
}

// otherLanguages returns the links by which a page is read in another language. The answer to a form
// has none: its address shows nothing by itself.
func (a *app) otherLanguages(c echo.Context, now string) []languageLink {
	if c.Request().Method != http.MethodGet && c.Request().Method != http.MethodHead {
		return nil
	}
	var list []languageLink
	query := url.Values{}
	for _, name := range []string{"newsletter", "saved"} { // nothing that a stranger put there
		for _, slug := range c.QueryParams()[name] {
			if _, _, err := a.Readers.Newsletter(c.Request().Context(), slug); err == nil && len(query[name]) < readers.MaxNewsletters {
				query.Add(name, slug)
			}
		}
	}
	if before, err := editionNumber(c.QueryParam("before")); err == nil {
		query.Set("before", strconv.FormatInt(before, 10))
	}
	for _, tag := range a.languages.tags {
		base, _, regional := strings.Cut(tag, "-")
		if regional {
			continue
		}
		query.Set("lang", tag)
		current, _, _ := strings.Cut(now, "-")
		list = append(list, languageLink{tag, a.languages.texts[tag]["language_name"], "?" + query.Encode(), base == current})
	}
	return list
}

// languageLink leads to the same page in a language.
type languageLink struct {
	Tag, Name, Address string
	Current            bool
}

// staffFrame returns the frame of pages for staff, which are in English.
func (a *app) staffFrame() frame {
	return frame{T: a.languages.texts["en"], Lang: "en", Dir: "ltr"}
}
