package web

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
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
	Write       template.HTML // whom to write to, where only staff can help
	Problems    []newsletter.Field
}

func (a *app) manage(c echo.Context) error {
	found, err := a.Readers.Manage(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	page, err := a.managePage(c, found)
	if err != nil {
		return err
	}
	for _, s := range page.Subscriptions {
		if s.Newsletter.Slug == c.QueryParam("saved") {
			page.Saved = s.Newsletter.Name
		}
	}
	return a.render(c, http.StatusOK, "manage", page)
}

func (a *app) managePage(c echo.Context, found readers.Managed) (managePage, error) {
	var list []newsletter.Newsletter
	for _, s := range found.Subscriptions {
		list = append(list, s.Newsletter)
	}
	page := managePage{frame: a.frame(c, list...), Masked: found.Masked, Silence: found.Silence, Action: a.path("/manage/" + c.Param("token"))}
	page.Action += page.Query
	for _, s := range found.Subscriptions {
		m, err := a.managed(page.T, s)
		if err != nil {
			return page, err
		}
		page.Subscriptions = append(page.Subscriptions, m)
	}
	return page, nil
}

func (a *app) managed(t texts, s readers.ManagedSubscription) (managedSubscription, error) {
	m := managedSubscription{
		ManagedSubscription: s,
		Left:                s.State == newsletter.Left,
		Paused:              s.State == newsletter.PausedSub,
		Unsubscribe:         a.path("/unsubscribe/" + s.UnsubscribeToken),
		SignUp:              a.path("/n/" + s.Newsletter.Slug),
	}
	var err error
	if m.Write, err = t.writeToUs(s.Newsletter); err != nil {
		return m, err
	}
	if !s.ByHand && !s.Next.At.IsZero() {
		if m.Next, err = t.Due(s.Next.At, s.Zone, a.Now()); err != nil {
			return m, err
		}
	}
	cadences, err := t.cadenceChoices(s.Newsletter, s.Cadence, s.Slot)
	if err != nil {
		return m, err
	}
	if !s.Newsletter.Offers(s.Cadence) { // not offered any more, and still theirs
		cadences = append(cadences, cadenceChoice{Value: string(s.Cadence), Word: t.Cadence(s.Cadence), Chosen: true})
	}
	if len(cadences) > 1 {
		m.Cadences = cadences
	}
	for _, section := range s.Sections {
		chosen := s.Subscription.Sections.Has(section)
		m.Choices = append(m.Choices, sectionChoice{section, chosen})
	}
	return m, nil
}

// writeToUs says that only staff can have a newsletter sent to an address again.
func (t texts) writeToUs(n newsletter.Newsletter) (template.HTML, error) {
	if n.Contact() == "" {
		return t.Say("silent_write")
	}
	return t.Say("silent_write_to", "address", mailto(n.Contact()))
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
	query := url.Values{}
	if newsletter.CheckSlug(slug) == nil {
		query.Set("saved", slug)
	}
	return c.Redirect(http.StatusSeeOther, a.path("/manage/"+token)+a.asking(c, query))
}

// changeAgain shows the page with what was wrong with a change.
func (a *app) changeAgain(c echo.Context, slug string, invalid error) error {
	found, err := a.Readers.Manage(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	page, err := a.managePage(c, found)
	if err != nil {
		return err
	}
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
