package web

import (
	"errors"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// managePage is a reader's subscriptions with what can be changed.
type managePage struct {
	frame
	Masked        string
	Subscriptions []managedSubscription
	Action        string
	Saved         string // name of the newsletter that was just changed
	Silence       readers.Silence
}

type managedSubscription struct {
	readers.ManagedSubscription
	Left        bool
	Paused      bool
	Cadences    []cadenceChoice
	Choices     []sectionChoice
	Next        string // in words; empty: there is no fixed time
	Unsubscribe string
	SignUp      string
	Problems    []newsletter.Field
}

func (a *app) manage(c echo.Context) error {
	found, err := a.Readers.Manage(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	page := a.managePage(c, found)
	for _, s := range page.Subscriptions {
		if s.Newsletter.Slug == c.QueryParam("saved") {
			page.Saved = s.Newsletter.Name
		}
	}
	return a.render(c, http.StatusOK, "manage", page)
}

func (a *app) managePage(c echo.Context, found readers.Managed) managePage {
	page := managePage{Masked: found.Masked, Silence: found.Silence, Action: a.path("/manage/" + c.Param("token"))}
	var list []newsletter.Newsletter
	for _, s := range found.Subscriptions {
		list = append(list, s.Newsletter)
		page.Subscriptions = append(page.Subscriptions, a.managed(s))
	}
	page.frame = a.frame(c, list...)
	return page
}

func (a *app) managed(s readers.ManagedSubscription) managedSubscription {
	m := managedSubscription{
		ManagedSubscription: s,
		Left:                s.State == newsletter.Left,
		Paused:              s.State == newsletter.PausedSub,
		Unsubscribe:         a.path("/unsubscribe/" + s.UnsubscribeToken),
		SignUp:              a.path("/n/" + s.Newsletter.Slug),
	}
	if !s.ByHand && !s.Next.At.IsZero() {
		m.Next = dueWords(s.Next.At, s.Zone, a.Now())
	}
	cadences := cadenceChoices(s.Newsletter, s.Cadence, s.Slot)
	if !s.Newsletter.Offers(s.Cadence) { // not offered any more, and still theirs
		cadences = append(cadences, cadenceChoice{Value: string(s.Cadence), Cadence: s.Cadence, Chosen: true})
	}
	if len(cadences) > 1 {
		m.Cadences = cadences
	}
	for _, section := range s.Sections {
		chosen := s.Subscription.Sections.Has(section)
		m.Choices = append(m.Choices, sectionChoice{section, chosen})
	}
	return m
}

func (a *app) changeSubscription(c echo.Context) error {
	values, err := readForm(c)
	if err != nil {
		return err
	}
	ctx, token, slug := c.Request().Context(), c.Param("token"), values.Get("newsletter")
	change := readers.Change{Newsletter: slug, Cadence: values.Get("cadence"), Slot: values.Get("slot"), Sections: values["section"]}
	_, err = a.Readers.ChangeSubscription(ctx, token, change, origin(c, "link"))
	if newsletter.KindOf(err) == newsletter.Invalid {
		return a.changeAgain(c, slug, err)
	}
	if err != nil {
		return err
	}
	to := a.path("/manage/" + token)
	if newsletter.CheckSlug(slug) == nil {
		to += "?saved=" + slug
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// changeAgain shows the page with what was wrong with a change.
func (a *app) changeAgain(c echo.Context, slug string, invalid error) error {
	found, err := a.Readers.Manage(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	page := a.managePage(c, found)
	e, _ := errors.AsType[*newsletter.Error](invalid)
	i := slices.IndexFunc(page.Subscriptions, func(s managedSubscription) bool { return s.Newsletter.Slug == slug })
	if i < 0 {
		return invalid
	}
	for _, f := range e.Fields {
		page.Subscriptions[i].Problems = append(page.Subscriptions[i].Problems, newsletter.Field{Name: f.Name, Message: sentence(f.Message)})
	}
	return a.render(c, http.StatusUnprocessableEntity, "manage", page)
}
