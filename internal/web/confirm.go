package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// confirmPage shows what a confirmation link would do, or why it does nothing any more.
type confirmPage struct {
	frame
	readers.Confirmation
	Action string // where the button posts to
	Again  string // where to sign up anew
}

// confirmedPage welcomes a reader and says when the first edition comes.
type confirmedPage struct {
	frame
	First  []firstEdition
	Manage string
	Masked string
}

type firstEdition struct {
	Newsletter newsletter.Newsletter
	When       string // empty: there is no fixed time
}

func (a *app) confirmation(c echo.Context) error {
	found, err := a.Readers.Confirmation(c.Request().Context(), c.Param("token"), a.textsFor(c).Tag())
	if err != nil {
		return err
	}
	return a.showConfirmation(c, http.StatusOK, found)
}

func (a *app) showConfirmation(c echo.Context, status int, found readers.Confirmation) error {
	list := make([]newsletter.Newsletter, len(found.Choices))
	for i, choice := range found.Choices {
		list[i] = choice.Newsletter
	}
	// The words and the page around them are in one language.
	c.Set(readerLanguage, found.Words.Language)
	page := confirmPage{
		frame: a.frame(c, list...), Confirmation: found,
		Action: a.path("/confirm/" + c.Param("token")), Again: a.path("/"),
	}
	if found.State == readers.StateExpired {
		page.Action += "/renew"
	}
	page.Action += page.Query
	if len(list) == 1 {
		page.Again = a.path("/n/" + list[0].Slug)
	}
	return a.render(c, status, "confirm", page)
}

func (a *app) confirm(c echo.Context) error {
	ctx, token := c.Request().Context(), c.Param("token")
	values, err := readForm(c)
	if tooLarge(err) {
		return err
	}
	language := values.Get("words") // a button without it is one of an older page
	if err != nil || language == "" {
		language = "en"
	}
	done, err := a.Readers.Confirm(ctx, token, language, origin(c, "link"))
	if newsletter.ReasonOf(err) == readers.StateExpired {
		found, err := a.Readers.Confirmation(ctx, token, language)
		if err != nil {
			return err
		}
		return a.showConfirmation(c, http.StatusGone, found)
	}
	if err != nil {
		return err
	}
	if len(done.First) == 0 { // it was used before
		return a.showConfirmation(c, http.StatusOK, done.Confirmation)
	}
	var list []newsletter.Newsletter
	for _, f := range done.First {
		list = append(list, f.Newsletter)
	}
	page := confirmedPage{frame: a.frame(c, list...), Masked: done.Masked}
	for _, f := range done.First {
		first := firstEdition{Newsletter: f.Newsletter}
		if !f.ByHand {
			if first.When, err = page.T.Due(f.Due.At, f.Zone, a.Now()); err != nil {
				return err
			}
		}
		page.First = append(page.First, first)
	}
	if done.ManageToken != "" {
		page.Manage = a.path("/manage/" + done.ManageToken)
	}
	return a.render(c, http.StatusOK, "confirmed", page)
}

func (a *app) renewConfirmation(c echo.Context) error {
	sent, err := a.Readers.RenewConfirmation(c.Request().Context(), c.Param("token"), origin(c, "link"))
	if err != nil {
		return err
	}
	values := map[string][]string{}
	for _, n := range sent.Newsletters {
		values["newsletter"] = append(values["newsletter"], n.Slug)
	}
	return a.subscribed(c, values)
}
