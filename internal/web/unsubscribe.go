package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// unsubscribePage shows a button that leaves, or that somebody has left.
type unsubscribePage struct {
	frame
	readers.Leaving
	Left   bool
	Undone bool // leaving was just taken back
	Action string
	Undo   string
	Manage string
	SignUp string
}

func (a *app) leaving(c echo.Context) error {
	l, err := a.Readers.Leaving(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	return a.showLeaving(c, l, false)
}

func (a *app) showLeaving(c echo.Context, l readers.Leaving, undone bool) error {
	undone = undone && !l.Nobody
	self := a.path("/unsubscribe/" + c.Param("token"))
	page := unsubscribePage{
		frame: a.frame(c, l.Newsletter), Leaving: l, Left: l.State == newsletter.Left, Undone: undone,
		Action: self, Undo: self + "/undo", SignUp: a.path("/n/" + l.Newsletter.Slug),
	}
	page.Action, page.Undo = page.Action+page.Query, page.Undo+page.Query
	if l.ManageToken != "" {
		page.Manage = a.path("/manage/" + l.ManageToken)
	}
	return a.render(c, http.StatusOK, "unsubscribe", page)
}

// leave ends a subscription at once: by the button of the page, or by the one click of a
// mail program (RFC 8058 §3.2), which sends no cookie, follows no redirect and expects 200.
func (a *app) leave(c echo.Context) error {
	values, err := readForm(c)
	if tooLarge(err) {
		return err
	}
	// Whoever POSTs here wants to leave, however the body was put: only who asked is told apart.
	channel := "link"
	if values.Get("List-Unsubscribe") == "One-Click" {
		channel = "one_click"
	}
	l, err := a.Readers.Leave(c.Request().Context(), c.Param("token"), origin(c, channel))
	if err != nil {
		return err
	}
	return a.showLeaving(c, l, false)
}

func (a *app) undoLeave(c echo.Context) error {
	l, err := a.Readers.UndoLeave(c.Request().Context(), c.Param("token"), origin(c, "link"))
	if err != nil {
		return err
	}
	return a.showLeaving(c, l, true)
}
