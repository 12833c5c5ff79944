package web

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
)

// formPage is where staff copy the form for their own site, and see what it looks like.
type formPage struct {
	frame
	Newsletter newsletter.Newsletter
	Shut       bool // nobody can sign up, so there is nothing to copy
	Code       formCode
	Options    []languageLink // languages of the form
	Sections   []newsletter.Section
	Element    string // each of these is to be copied
	Framed     string
	Plain      string
	Preview    template.HTML // Plain
	FrameAt    string        // of the preview
	ScriptAt   string
	Origin     string // of the service, for a site's policy
	Command    string // by which a site is allowed
	Properties [][2]string
	Parts      [][2]string
}

// formCode is what the form to copy is made of.
type formCode struct {
	Base, Slug, Name string
	Email, Button    string // words
	Consent, Privacy string
	PrivacyWord      string
	Once             string
	// What was chosen; empty: what the page around the form says.
	Lang, Section, Placement string
	Spoken                   string // the language of the words
	Frame                    string // the address of the form in a frame
	Plain                    template.HTML
}

// formPolicy is the policy of the page: as all pages, and the element's script, the one that copies,
// and a frame with the form.
const formPolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// formToCopy shows how to have a newsletter's form on another site. Nothing on it is secret, since each
// page that has the form shows the same; it is no page for readers, though.
func (a *app) formToCopy(c echo.Context) error {
	n, sections, err := a.Readers.Newsletter(c.Request().Context(), c.Param("newsletter"))
	if err != nil {
		return err
	}
	page := formPage{
		frame: a.staffFrame(), Newsletter: n, Sections: sections, ScriptAt: a.path("/embed.js"), Origin: a.base.Scheme + "://" + a.base.Host,
		Shut: n.Status == newsletter.Closed || n.MayMail(a.BaseURL) != nil, Command: originCommand(n),
	}
	page.Properties, page.Parts = formParts()
	for _, tag := range a.languages.tags {
		if t := a.languages.texts[tag]; !strings.Contains(tag, "-") {
			page.Options = append(page.Options, languageLink{Tag: tag, Name: t["language_name"]})
		}
	}
	if !page.Shut {
		if page.Code, err = a.formCode(c, n, sections); err != nil {
			return err
		}
		if err := a.write(&page); err != nil {
			return err
		}
	}
	c.Response().Header().Set("Content-Security-Policy", formPolicy)
	c.Response().Header().Set("X-Robots-Tag", "noindex")
	return a.render(c, http.StatusOK, "form_page", page)
}

// formCode reads what was chosen. What there is not is as if nothing was chosen.
func (a *app) formCode(c echo.Context, n newsletter.Newsletter, sections []newsletter.Section) (formCode, error) {
	code := formCode{
		Base: strings.TrimRight(a.BaseURL, "/"), Slug: n.Slug, Name: n.Name, Privacy: n.PrivacyURL,
		Placement: strings.TrimSpace(clip(c.QueryParam("placement"), maxPlacement)),
	}
	if _, ok := a.languages.texts[c.QueryParam("lang")]; ok {
		code.Lang = c.QueryParam("lang")
	}
	if slices.ContainsFunc(sections, func(s newsletter.Section) bool { return s.Slug == c.QueryParam("section") }) {
		code.Section = c.QueryParam("section")
	}
	t := a.languages.choose(code.Lang, n.Language)
	code.Spoken, code.Email, code.Button = t.Tag(), t["email"], t["sign_up_button"]
	code.Once, code.PrivacyWord = t["sign_up_once"], t["privacy"]
	n.PrivacyURL = "" // a link of its own
	consent, err := a.Readers.ConsentWords(t.Tag(), n)
	if err != nil {
		return code, err
	}
	code.Consent = consent.Text
	query := url.Values{}
	for name, value := range map[string]string{"lang": code.Lang, "section": code.Section, "placement": code.Placement} {
		if value != "" {
			query.Set(name, value)
		}
	}
	code.Frame = "/embed/" + n.Slug
	if len(query) > 0 {
		code.Frame += "?" + query.Encode()
	}
	return code, nil
}

// maxPlacement is the longest name of a place that is recorded, in octets.
const maxPlacement = 100

// write fills in what is to be copied.
func (a *app) write(page *formPage) error {
	var err error
	fill := func(name string) string {
		var b bytes.Buffer
		if err == nil {
			err = a.pages["form_page"].ExecuteTemplate(&b, name, page.Code)
		}
		return strings.TrimSpace(b.String())
	}
	page.Plain = fill("plain-code")
	page.Preview = template.HTML(page.Plain)                                      //nolint:gosec // html/template made it
	page.Code.Plain = template.HTML(strings.ReplaceAll(page.Plain, "\n", "\n  ")) //nolint:gosec // the same
	page.Element, page.Framed, page.FrameAt = fill("element-code"), fill("frame-code"), a.path(page.Code.Frame)
	if err != nil {
		return fmt.Errorf("the form to copy: %w", err)
	}
	return nil
}

// originCommand is how the form is let onto one more site. The option replaces the list, so it names
// those that there are.
func originCommand(n newsletter.Newsletter) string {
	command := "broadsheet newsletter edit " + n.Slug
	for _, origin := range n.Origins {
		command += " --origin " + origin
	}
	return command + " --origin https://www.example.org"
}

// formParts are the custom properties and parts by which a site styles the element, and what they are for.
func formParts() (properties, parts [][2]string) {
	return [][2]string{
			{"--broadsheet-accent", "the button, what is chosen, and the ring around what has the keyboard"},
			{"--broadsheet-button-ink", "the words on the button"},
			{"--broadsheet-line", "the edge of the field"},
			{"--broadsheet-field", "the ground of the field; none unless it is set"},
			{"--broadsheet-radius", "the corners of field and button"},
			{"--broadsheet-wrong", "what is wrong, and the field that is"},
		}, [][2]string{
			{"form", "all of it"},
			{"label", "the words above the field"},
			{"input", "the field"},
			{"button", "the button"},
			{"choices", "how often, and what about"},
			{"problem", "what is wrong with the address"},
			{"status", "what goes on: sending, offline, too busy"},
			{"consent", "what the reader agrees to"},
			{"once", "that a mail comes first"},
			{"done", "what is shown after it"},
		}
}
