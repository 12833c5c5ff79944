package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// ownRoutes lists what only a fresh link opens. Digests are passed on: their links do not (S33).
func (a *app) ownRoutes(e *echo.Echo, page func(string, echo.HandlerFunc, ...echo.MiddlewareFunc)) {
	page("/manage/:token/details", a.own(a.details), private)
	e.POST("/manage/:token/details", a.own(a.changeDetails), private)
	page("/manage/:token/receipt", a.own(a.receipt), private)
	page("/manage/:token/export", a.own(a.export), private)
	page("/manage/:token/export/:file", a.own(a.exportFile), private)
	page("/manage/:token/erase", a.own(a.erasing), private)
	e.POST("/manage/:token/erase", a.own(a.erase), private)
}

// ownPage is what every page behind a fresh link has.
type ownPage struct {
	frame
	readers.Own
	Action string // the reader's page, without the query
}

// own lets a request through with a fresh link. With an older one it offers to mail another.
func (a *app) own(h func(echo.Context, ownPage) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		own, err := a.Readers.Own(c.Request().Context(), c.Param("token"))
		if err == nil {
			c.Set(readerLanguage, own.Subscriber.Language)
			err = h(c, ownPage{a.frame(c, own.About...), own, a.path("/manage/" + c.Param("token"))})
		}
		if newsletter.ReasonOf(err) != readers.ErrStale {
			return err
		}
		found, err := a.Readers.Manage(c.Request().Context(), c.Param("token"))
		if err != nil {
			return err
		}
		c.Set(readerLanguage, found.Language)
		page := linkPage{frame: a.frame(c), Stale: true, Masked: found.Masked}
		page.Action = a.path("/manage/"+c.Param("token")+"/link") + page.Query
		return a.render(c, http.StatusForbidden, "link", page)
	}
}

// detailsPage has what we call the reader, and in which language.
type detailsPage struct {
	ownPage
	Choices []languageLink
	Saved   bool
	Problem string // with the name
}

func (a *app) detailsPage(own ownPage) detailsPage {
	page := detailsPage{ownPage: own}
	for _, tag := range a.languages.tags {
		if !strings.Contains(tag, "-") {
			page.Choices = append(page.Choices, languageLink{Tag: tag, Name: a.languages.texts[tag]["language_name"], Current: tag == own.Subscriber.Language})
		}
	}
	return page
}

func (a *app) details(c echo.Context, own ownPage) error {
	page := a.detailsPage(own)
	page.Saved = c.QueryParam("saved") != ""
	return a.render(c, http.StatusOK, "details", page)
}

func (a *app) changeDetails(c echo.Context, own ownPage) error {
	values, err := readForm(c)
	if err != nil {
		return err
	}
	name, language := values.Get("name"), values.Get("language")
	if a.languages.texts[language] == nil {
		language = ""
	}
	err = a.Readers.ChangeOwn(c.Request().Context(), c.Param("token"), readers.Patch{Name: &name, Language: &language}, origin(c, "link"))
	if newsletter.KindOf(err) == newsletter.Invalid {
		e, _ := errors.AsType[*newsletter.Error](err)
		page := a.detailsPage(own)
		page.Subscriber.Name = clip(name, maxReferrer)
		for _, f := range page.T.problems(e.Fields) {
			page.Problem = f.Message
		}
		return a.render(c, http.StatusUnprocessableEntity, "details", page)
	}
	if err != nil {
		return err
	}
	// Not with the language that the address asks for: the reader has just chosen one.
	return c.Redirect(http.StatusSeeOther, own.Action+"/details?saved=1")
}

// exportPage offers all that is held about the reader as files.
type exportPage struct {
	ownPage
	JSON bool
}

func (a *app) export(c echo.Context, own ownPage) error {
	return a.render(c, http.StatusOK, "export", exportPage{own, a.WriteRecord != nil})
}

// exportFile sends a file. It is written as it is read, so what goes wrong on the way ends the
// connection: a file that was cut off must not look like a whole one.
func (a *app) exportFile(c echo.Context, _ ownPage) error {
	write, kind := (*readers.Record).WriteHTML, echo.MIMETextHTMLCharsetUTF8
	switch c.Param("file") {
	case "your-data.html":
	case "your-data.json":
		kind = echo.MIMEApplicationJSON
		write = func(r *readers.Record, ctx context.Context, w io.Writer) error { return a.WriteRecord(ctx, r, w) }
		if a.WriteRecord == nil {
			return echo.ErrNotFound
		}
	default:
		return echo.ErrNotFound
	}
	record, err := a.Readers.OwnRecord(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, kind)
	h.Set(echo.HeaderContentDisposition, `attachment; filename="`+c.Param("file")+`"`)
	if c.Request().Method == http.MethodHead {
		return c.NoContent(http.StatusOK)
	}
	c.Response().WriteHeader(http.StatusOK)
	if err := write(record, c.Request().Context(), c.Response()); err != nil {
		if !gone(c, err) {
			a.Logger.Error("an export was cut off", "error", err)
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}

// erasePage says what erasing takes and what stays, or that it is done.
type erasePage struct {
	ownPage
	Done, Problem bool
}

func (a *app) erasing(c echo.Context, own ownPage) error {
	return a.render(c, http.StatusOK, "erase", erasePage{ownPage: own})
}

func (a *app) erase(c echo.Context, own ownPage) error {
	values, err := readForm(c)
	if err != nil {
		return err
	}
	if values.Get("sure") == "" {
		return a.render(c, http.StatusUnprocessableEntity, "erase", erasePage{ownPage: own, Problem: true})
	}
	if err := a.Readers.EraseOwn(c.Request().Context(), c.Param("token"), origin(c, "link")); err != nil {
		return err
	}
	return a.render(c, http.StatusOK, "erase", erasePage{ownPage: own, Done: true})
}
