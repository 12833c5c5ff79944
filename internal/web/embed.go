package web

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
	"broadsheet/internal/words"
)

// embedForm describes a newsletter's form for the element on a publisher's page (embed.js).
type embedForm struct {
	Newsletter string            `json:"newsletter"`
	Name       string            `json:"name"`
	Lang       string            `json:"lang"` // of the words, BCP 47
	Dir        string            `json:"dir"`
	Consent    string            `json:"consent"`
	Privacy    string            `json:"privacy"` // address of the privacy policy; may be empty
	Cadences   []embedChoice     `json:"cadences"`
	Sections   []embedChoice     `json:"sections"`
	Words      map[string]string `json:"words"`
}

type embedChoice struct {
	Value  string `json:"value"`
	Name   string `json:"name"`
	Lang   string `json:"lang"`
	Chosen bool   `json:"chosen"`
}

// embedWords are the words that the element says.
func embedWords() []string {
	return []string{
		"email", "how_often", "what_about", "sign_up_button", "sign_up_once", "leave_empty", "privacy", "check_inbox", "check_inbox_step",
		"from", "subject", "sending", "offline", "unreachable", "busy", "problem_email",
	}
}

// embedRoutes lists the addresses of the form on publishers' pages.
func (a *app) embedRoutes(e *echo.Echo, page func(string, echo.HandlerFunc, ...echo.MiddlewareFunc)) {
	page("/n/:newsletter/form", a.formToCopy)
	page("/embed.js", a.embedScript)
	page("/embed/:newsletter", a.embedFrame)
	e.POST("/embed/:newsletter", a.embedSubscribe, private, a.even())
	page("/embed/:newsletter/form.json", a.embedDescription)
}

// embedScript is kept for an hour only, so that it can be mended on every page that has it.
func (a *app) embedScript(c echo.Context) error {
	h := c.Response().Header()
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	return a.sendFor(c, a.assets.embed, "public, max-age=3600")
}

// embedDescription is what the element needs to know before it is drawn. A language is asked for by
// the page that has it.
func (a *app) embedDescription(c echo.Context) error {
	n, sections, err := a.embeddable(c)
	if err != nil {
		return err
	}
	c.Response().Header().Add("Vary", "Origin")
	a.allowOrigin(c, []newsletter.Newsletter{n})
	t := a.languages.choose(c.QueryParam("lang"), n.Language)
	bare := n
	bare.PrivacyURL = "" // a link of its own
	consent, err := a.Readers.ConsentWords(t.Tag(), bare)
	if err != nil {
		return err
	}
	choices, err := t.cadenceChoices(n, n.Schedules[0].Cadence, "")
	if err != nil {
		return err
	}
	v := embedForm{
		Newsletter: n.Slug, Name: n.Name, Lang: t.Tag(), Dir: words.Direction(t.Tag()), Consent: consent.Text, Privacy: n.PrivacyURL,
		Cadences: []embedChoice{}, Sections: []embedChoice{}, Words: map[string]string{},
	}
	for i, choice := range choices {
		name := choice.Word
		if choice.When != "" {
			name = t.Label(name) + " " + choice.When
		}
		v.Cadences = append(v.Cadences, embedChoice{choice.Value, name, t.Tag(), i == 0})
	}
	for _, s := range sectionsFirst(sections, c.QueryParam("section")) {
		v.Sections = append(v.Sections, embedChoice{s.Slug, s.Name, n.Language, false})
	}
	for _, key := range embedWords() {
		if v.Words[key] = t[key]; t[key] == "" {
			return errors.New("words." + t.Tag() + " of the pages lacks " + key)
		}
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=300")
	return sendJSON(c, http.StatusOK, mimeJSON, v)
}

// embeddable returns the newsletter that a form is for.
func (a *app) embeddable(c echo.Context) (newsletter.Newsletter, []newsletter.Section, error) {
	n, sections, err := a.Readers.Newsletter(c.Request().Context(), c.Param("newsletter"))
	if err == nil && (n.Status == newsletter.Closed || n.MayMail(a.BaseURL) != nil) {
		err = newsletter.Conflictf("Nobody can sign up for this newsletter now.")
	}
	return n, sections, err
}

// sectionsFirst returns the sections with that of a page before the others. A page calls it by its
// slug, its name or one of the feed's categories.
func sectionsFirst(list []newsletter.Section, page string) []newsletter.Section {
	page = strings.ToLower(strings.TrimSpace(clip(page, maxReferrer)))
	if page == "" {
		return list
	}
	own := func(s newsletter.Section) bool {
		return s.Slug == page || strings.ToLower(s.Name) == page ||
			slices.ContainsFunc(s.Match, func(m string) bool { return strings.ToLower(m) == page })
	}
	return slices.SortedStableFunc(slices.Values(list), func(a, b newsletter.Section) int {
		switch {
		case own(a) == own(b):
			return 0
		case own(a):
			return -1
		}
		return 1
	})
}

// allowOrigin lets the page of a site read the answer, if all of the newsletters allow the site. No
// cookie or log-in is ever asked for, so there is nothing else to allow (Fetch §3.2).
func (a *app) allowOrigin(c echo.Context, list []newsletter.Newsletter) bool {
	site := c.Request().Header.Get(echo.HeaderOrigin)
	if site == "" || len(list) == 0 || slices.ContainsFunc(list, func(n newsletter.Newsletter) bool { return !n.Allows(site) }) {
		return false
	}
	c.Response().Header().Set(echo.HeaderAccessControlAllowOrigin, site)
	c.Response().Header().Set(echo.HeaderAccessControlExposeHeaders, "Retry-After")
	return true
}

// fromKnownSite lets the page of a site read the answer if the newsletters of its form allow the site.
// If they name their sites and it is none of them, the form is refused. Browsers that do not say where
// a form stood are believed.
func (a *app) fromKnownSite(c echo.Context, slugs []string) error {
	c.Response().Header().Add("Vary", "Origin")
	site := c.Request().Header.Get(echo.HeaderOrigin)
	if site == "" || site == "null" || site == a.base.Scheme+"://"+a.base.Host {
		return nil
	}
	var list []newsletter.Newsletter
	for i, slug := range slugs {
		if n, _, err := a.Readers.Newsletter(c.Request().Context(), slug); err == nil && i < readers.MaxNewsletters {
			list = append(list, n)
		}
	}
	if a.allowOrigin(c, list) || !slices.ContainsFunc(list, func(n newsletter.Newsletter) bool { return len(n.Origins) > 0 && !n.Allows(site) }) {
		return nil
	}
	return &statusError{http.StatusForbidden, "This form stands on a site that the newsletter does not know. Please sign up on the newsletter's own page."}
}

// wantsJSON reports whether the element sent the form, and not a browser that shows a page.
func wantsJSON(r *http.Request) bool { return r.Header.Get("Accept") == mimeJSON }

// subscribedJSON tells the element what a page tells: nothing of it depends on whether the address is
// known (S27).
func subscribedJSON(c echo.Context, s readers.SignedUp) error {
	names := []string{}
	for _, n := range s.Newsletters {
		names = append(names, n.Slug)
	}
	return sendJSON(c, http.StatusAccepted, mimeJSON, map[string]any{
		"status": "check_inbox", "newsletters": names, "from": s.From.String(), "subject": s.Subject,
	})
}

// embedPage is the form in a frame, or what is told after it.
type embedPage struct {
	frame
	Newsletter newsletter.Newsletter
	Form       signUpForm
	Done       bool
	From       newsletter.Address
	Subject    string
}

// embedFrame is the form for a frame on a publisher's page. It needs no script.
func (a *app) embedFrame(c echo.Context) error {
	page, err := a.embedPage(c, signUpForm{Page: c.QueryParam("page"), Placement: cmp.Or(c.QueryParam("placement"), "frame")})
	if err != nil {
		return err
	}
	return a.render(c, http.StatusOK, "embed", page)
}

func (a *app) embedPage(c echo.Context, form signUpForm) (embedPage, error) {
	n, sections, err := a.embeddable(c)
	if err != nil {
		return embedPage{}, err
	}
	c.Response().Header().Set("Content-Security-Policy", framePolicy(n))
	page := embedPage{frame: a.frame(c, n), Newsletter: n, Form: form}
	shown, err := a.Readers.ConsentWords(page.Lang, n)
	if err != nil {
		return page, err
	}
	page.Form.Words = shown.Text
	return page, page.Form.offerOne(page.T, n, sectionsFirst(sections, c.QueryParam("section")))
}

// framePolicy is the policy of the form in a frame: as that of all pages, but that the newsletter's
// sites may frame it.
func framePolicy(n newsletter.Newsletter) string {
	return strings.Replace(policy, "frame-ancestors 'none'", strings.TrimSpace("frame-ancestors 'self' "+strings.Join(n.Origins, " ")), 1)
}

// embedSubscribe takes the form of a frame, and answers in it.
func (a *app) embedSubscribe(c echo.Context) error {
	values, err := readForm(c)
	if err != nil {
		return err
	}
	form := typed(values)
	values["newsletter"] = []string{c.Param("newsletter")}
	page, err := a.embedPage(c, form)
	if err != nil {
		return err
	}
	var told readers.SignedUp
	if values.Get("website") == "" {
		told, err = a.Readers.SignUp(c.Request().Context(), form.request(values, origin(c, "form")))
	} else {
		told, err = a.Readers.Expect(c.Request().Context(), values["newsletter"])
	}
	if newsletter.KindOf(err) == newsletter.Invalid {
		e, _ := errors.AsType[*newsletter.Error](err)
		page.Form.explain(e.Fields)
		return a.render(c, http.StatusUnprocessableEntity, "embed", page)
	}
	if err != nil {
		return err
	}
	page.Done, page.From, page.Subject = true, told.From, told.Subject
	return a.render(c, http.StatusOK, "embed", page)
}
