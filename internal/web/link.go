package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
)

// linkPage mails a fresh link: to an address that is typed, or by one button to whom a link is of.
type linkPage struct {
	frame
	Stale   bool // something needs a link that is fresher
	Sent    bool
	Masked  string
	Email   string // as it was typed
	Problem string // with it
	Action  string
	Again   string
}

// lostLink asks for the address, or says that a mail is on its way. It says so to everybody (S27).
func (a *app) lostLink(c echo.Context) error {
	page := linkPage{frame: a.frame(c), Sent: c.QueryParam("sent") != ""}
	page.Action, page.Again = a.path("/link")+page.Query, a.path("/link")+page.Query
	return a.render(c, http.StatusOK, "link", page)
}

func (a *app) askLink(c echo.Context) error {
	values, err := readForm(c)
	if err != nil {
		return err
	}
	if values.Get("website") != "" { // a program filled in what nobody sees
		return a.linkSent(c)
	}
	err = a.Readers.AskLink(c.Request().Context(), values.Get("email"), origin(c, "form"))
	if newsletter.KindOf(err) == newsletter.Invalid {
		e, _ := errors.AsType[*newsletter.Error](err)
		page := linkPage{frame: a.frame(c), Email: clip(values.Get("email"), maxReferrer)}
		page.Action = a.path("/link") + page.Query
		for _, f := range page.T.problems(e.Fields) {
			page.Problem = f.Message
		}
		return a.render(c, http.StatusUnprocessableEntity, "link", page)
	}
	if err != nil {
		return err
	}
	return a.linkSent(c)
}

func (a *app) askLinkBy(c echo.Context) error {
	if err := a.Readers.AskLinkBy(c.Request().Context(), c.Param("token"), origin(c, "link")); err != nil {
		return err
	}
	return a.linkSent(c)
}

func (a *app) linkSent(c echo.Context) error {
	return c.Redirect(http.StatusSeeOther, a.path("/link")+a.asking(c, url.Values{"sent": {"1"}}))
}
