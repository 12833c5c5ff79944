package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// homePage lists the newsletters that can be subscribed to, with a form.
type homePage struct {
	frame
	Form signUpForm
}

// newsletterPage is about one newsletter, with its form.
type newsletterPage struct {
	frame
	Newsletter newsletter.Newsletter
	NotYet     bool // it lacks what readers must be told before they sign up
	Form       signUpForm
}

// checkInboxPage says what to look for. No address stands on it or in its URL.
type checkInboxPage struct {
	frame
	Newsletters []newsletter.Newsletter
	From        newsletter.Address
	Subject     string
	Again       string // where to try again
	Contact     string // who can help; empty: nobody is known
}

func (a *app) home(c echo.Context) error {
	page, err := a.homePage(c, signUpForm{}, nil)
	if err != nil {
		return err
	}
	return a.render(c, http.StatusOK, "home", page)
}

func (a *app) homePage(c echo.Context, form signUpForm, chosen []string) (homePage, error) {
	list, err := a.Readers.Newsletters(c.Request().Context())
	if err != nil {
		return homePage{}, err
	}
	if len(list) == 1 && len(chosen) == 0 {
		chosen = []string{list[0].Slug}
	}
	page := homePage{a.frame(c, list...), form}
	page.Form.offer(page.T, list, chosen)
	return page, nil
}

func (a *app) newsletter(c echo.Context) error {
	page, err := a.newsletterPage(c, c.Param("newsletter"), signUpForm{})
	if err != nil {
		return err
	}
	return a.render(c, http.StatusOK, "newsletter", page)
}

func (a *app) newsletterPage(c echo.Context, slug string, form signUpForm) (newsletterPage, error) {
	n, sections, err := a.Readers.Newsletter(c.Request().Context(), slug)
	if err != nil {
		return newsletterPage{}, err
	}
	page := newsletterPage{a.frame(c, n), n, n.MayMail(a.BaseURL) != nil, form}
	words, err := a.Readers.ConsentWords(page.Lang, n)
	if err != nil {
		return page, err
	}
	page.Form.Words = words.Text
	return page, page.Form.offerOne(page.T, n, sections)
}

// subscribe takes the sign-up form, from our own pages and from publishers' pages alike.
func (a *app) subscribe(c echo.Context) error {
	values, err := readForm(c)
	if err != nil {
		return err
	}
	form := typed(values)
	if err := a.fromKnownSite(c, values["newsletter"]); err != nil {
		return err
	}
	if values.Get("website") != "" {
		// Nobody sees this field; a program filled it in. It is told what everybody is told.
		if told, err := a.Readers.Expect(c.Request().Context(), values["newsletter"]); err == nil && wantsJSON(c.Request()) {
			return subscribedJSON(c, told)
		}
		return a.subscribed(c, values)
	}
	o := origin(c, "form")
	if form.Page == "" {
		form.Page = referrer(c.Request())
	}
	told, err := a.Readers.SignUp(c.Request().Context(), form.request(values, o))
	if err == nil && wantsJSON(c.Request()) {
		return subscribedJSON(c, told)
	}
	if newsletter.KindOf(err) == newsletter.Invalid && !wantsJSON(c.Request()) {
		return a.again(c, form, values, err)
	}
	if err != nil {
		return err
	}
	return a.subscribed(c, values)
}

// subscribed leads on, in the same way for known and unknown addresses (S27). The address is
// not in the URL: from there it would reach histories and logs.
func (a *app) subscribed(c echo.Context, values url.Values) error {
	if to, ok := a.ownAddress(values.Get("return")); ok {
		return c.Redirect(http.StatusSeeOther, to)
	}
	to := a.path("/check-inbox")
	query := url.Values{}
	for i, slug := range values["newsletter"] {
		if i < readers.MaxNewsletters && newsletter.CheckSlug(slug) == nil {
			query.Add("newsletter", slug)
		}
	}
	return c.Redirect(http.StatusSeeOther, to+a.asking(c, query))
}

// again shows the form with what was typed and what was wrong.
func (a *app) again(c echo.Context, form signUpForm, values url.Values, invalid error) error {
	chosen := values["newsletter"]
	e, _ := errors.AsType[*newsletter.Error](invalid)
	if len(chosen) == 1 && !slices.ContainsFunc(e.Fields, func(f newsletter.Field) bool { return f.Name == "newsletter" }) {
		page, err := a.newsletterPage(c, chosen[0], form)
		if err == nil {
			page.Form.explain(e.Fields)
			return a.render(c, http.StatusUnprocessableEntity, "newsletter", page)
		}
	}
	page, err := a.homePage(c, form, chosen)
	if err != nil {
		return err
	}
	page.Form.explain(e.Fields)
	return a.render(c, http.StatusUnprocessableEntity, "home", page)
}

func (a *app) checkInbox(c echo.Context) error {
	ctx := c.Request().Context()
	open, err := a.Readers.Newsletters(ctx)
	if err != nil {
		return err
	}
	wanted := c.QueryParams()["newsletter"]
	var list []newsletter.Newsletter
	var slugs []string
	for _, n := range open {
		// A form need not name the only newsletter that there is.
		asked := slices.Contains(wanted, n.Slug) || len(wanted) == 0 && len(open) == 1
		if asked && len(list) < readers.MaxNewsletters {
			list, slugs = append(list, n), append(slugs, n.Slug)
		}
	}
	page := checkInboxPage{frame: a.frame(c, list...), Again: a.path("/")}
	if len(list) > 0 {
		mail, err := a.Readers.Expect(ctx, slugs)
		if err != nil {
			return err
		}
		page.From, page.Subject, page.Newsletters = mail.From, mail.Subject, mail.Newsletters
		page.Contact = mail.Newsletters[0].Contact()
	}
	if len(list) == 1 {
		page.Again = a.path("/n/" + list[0].Slug)
	}
	return a.render(c, http.StatusOK, "check_inbox", page)
}

// ownAddress returns where a form wants its reader to be led, if that is one of our own
// addresses (S33). Anything else is ignored: we are nobody's open redirect.
func (a *app) ownAddress(raw string) (string, bool) {
	if raw == "" || len(raw) > 2000 || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }) {
		return "", false
	}
	ref, err := url.Parse(raw)
	if err != nil {
		return "", false
	}
	to := a.base.ResolveReference(ref)
	if to.Scheme != a.base.Scheme || !strings.EqualFold(to.Host, a.base.Host) || to.User != nil {
		return "", false
	}
	return to.String(), true
}

// referrer returns the page that a form stood on, as the browser tells it, without its query.
func referrer(r *http.Request) string {
	ref, err := url.Parse(r.Referer())
	if err != nil || ref.Scheme != "https" && ref.Scheme != "http" || len(r.Referer()) > maxReferrer {
		return ""
	}
	return (&url.URL{Scheme: ref.Scheme, Host: ref.Host, Path: ref.Path}).String()
}
