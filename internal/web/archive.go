package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
)

// Archive knows the editions that were sent; *desk.Archive is one.
type Archive interface {
	// Editions returns those before an id (0: all), the newest first, and whether there are more.
	Editions(ctx context.Context, newsletterID, before int64, limit int) (list []desk.ArchivedEdition, more bool, err error)
	// Edition returns one, or a NotFound error.
	Edition(ctx context.Context, newsletterID, id int64) (desk.ArchivedEdition, error)
	// Copy returns what a group of readers got, by the key in their mails, or a NotFound error.
	Copy(ctx context.Context, newsletterID int64, key string) (e desk.ArchivedEdition, archived bool, err error)
}

// How many editions there are on a page of the archive, and in its feed.
const (
	archivePageSize = 20
	archiveFeedSize = 30
)

// archivePolicy is the policy of pages with an edition: our own style sheet, and the pictures
// of its stories, wherever the publisher has them. There are no scripts, and no forms.
const archivePolicy = "default-src 'none'; style-src 'self'; img-src 'self' http: https:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// archiveRoutes lists the addresses of the archive. Nothing in it is about a person.
func (a *app) archiveRoutes(page func(string, echo.HandlerFunc, ...echo.MiddlewareFunc)) {
	if a.Archive == nil {
		return
	}
	page("/archive/:newsletter", a.archive)
	page("/archive/:newsletter/feed.atom", a.archiveFeed)
	page("/archive/:newsletter/:edition", a.archivedEdition)
	page("/archive/:newsletter/copy/:key", a.archivedCopy)
}

// archivePage is the list of a newsletter's editions.
type archivePage struct {
	frame
	Newsletter newsletter.Newsletter
	Editions   []desk.ArchivedEdition
	Newest     bool   // it begins with the newest
	Older      string // where the list goes on; may be empty
	Canonical  string
	Feed       string
}

// archiveOf returns the newsletter that the request names, if it has an archive, and tells search
// engines what it wants them to know.
func (a *app) archiveOf(c echo.Context) (newsletter.Newsletter, error) {
	n, _, err := a.Readers.Newsletter(c.Request().Context(), c.Param("newsletter"))
	if err != nil {
		return n, err
	}
	if n.Archive.Off() {
		return n, echo.ErrNotFound
	}
	if robots := n.Archive.Robots(); robots != "" {
		c.Response().Header().Set("X-Robots-Tag", robots)
	}
	return n, nil
}

func (a *app) archive(c echo.Context) error {
	n, err := a.archiveOf(c)
	if err != nil {
		return err
	}
	var before int64
	if c.QueryParam("before") != "" {
		if before, err = editionNumber(c.QueryParam("before")); err != nil {
			return err
		}
	}
	list, more, err := a.Archive.Editions(c.Request().Context(), n.ID, before, archivePageSize)
	if err != nil {
		return err
	}
	self := "/archive/" + n.Slug
	page := archivePage{
		frame: a.frame(c, n), Newsletter: n, Editions: list, Newest: before == 0,
		Canonical: a.link(self), Feed: a.path(self + "/feed.atom"),
	}
	if before > 0 {
		page.Canonical += "?before=" + strconv.FormatInt(before, 10)
	}
	if more {
		page.Older = a.path(self) + "?before=" + strconv.FormatInt(list[len(list)-1].ID, 10)
	}
	return a.renderKept(c, "archive", page, latest(list))
}

// editionPage is an edition in the archive.
type editionPage struct {
	frame
	Newsletter newsletter.Newsletter
	Edition    desk.ArchivedEdition
	Canonical  string // may be empty
	Feed       string // may be empty
	Robots     string // what search engines are asked; may be empty
}

func (a *app) archivedEdition(c echo.Context) error {
	n, err := a.archiveOf(c)
	if err != nil {
		return err
	}
	id, err := editionNumber(c.Param("edition"))
	if err != nil {
		return err
	}
	e, err := a.Archive.Edition(c.Request().Context(), n.ID, id)
	if err != nil {
		return err
	}
	return a.showEdition(c, editionPage{
		Newsletter: n, Edition: e, Robots: n.Archive.Robots(), Feed: a.path("/archive/" + n.Slug + "/feed.atom"), Canonical: a.canonical(n, id),
	})
}

// archivedCopy is a mail in a browser. It says nothing about who got it, and is for nobody else.
func (a *app) archivedCopy(c echo.Context) error {
	const longest = 64
	n, _, err := a.Readers.Newsletter(c.Request().Context(), c.Param("newsletter"))
	if err != nil {
		return err
	}
	if len(c.Param("key")) > longest {
		return echo.ErrNotFound
	}
	e, archived, err := a.Archive.Copy(c.Request().Context(), n.ID, c.Param("key"))
	if err != nil {
		return err
	}
	page := editionPage{Newsletter: n, Edition: e, Robots: "noindex"}
	c.Response().Header().Set("X-Robots-Tag", page.Robots)
	if archived && !n.Archive.Off() {
		page.Canonical = a.canonical(n, e.ID)
	}
	return a.showEdition(c, page)
}

// canonical is the address of an edition that search engines are told.
func (a *app) canonical(n newsletter.Newsletter, id int64) string {
	return n.Archive.EditionAt(id, a.link(editionPath(n, id)))
}

func (a *app) showEdition(c echo.Context, page editionPage) error {
	page.frame = a.frame(c, page.Newsletter)
	c.Response().Header().Set("Content-Security-Policy", archivePolicy)
	return a.renderKept(c, "edition", page, page.Edition.Updated)
}

func editionPath(n newsletter.Newsletter, id int64) string {
	return "/archive/" + n.Slug + "/" + strconv.FormatInt(id, 10)
}

// editionNumber reads the number of an edition in an address, which has one spelling.
func editionNumber(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != s {
		return 0, echo.ErrNotFound
	}
	return id, nil
}

// latest returns when the last of the editions changed.
func latest(list []desk.ArchivedEdition) time.Time {
	var at time.Time
	for _, e := range list {
		if e.Updated.After(at) {
			at = e.Updated
		}
	}
	return at
}

// renderKept fills a page that anybody may keep for a while.
func (a *app) renderKept(c echo.Context, name string, page any, updated time.Time) error {
	var b bytes.Buffer
	if err := a.pages[name].Execute(&b, page); err != nil {
		return err
	}
	return sendKept(c, echo.MIMETextHTMLCharsetUTF8, b.Bytes(), updated)
}

// sendKept sends what anybody may keep for five minutes, and then asks for again: a story can
// be withdrawn. Whoever has it already is told so. Only the ETag knows of a change of the page
// around an edition; the date is for those who do not know ETags.
func sendKept(c echo.Context, contentType string, body []byte, updated time.Time) error {
	sum := sha256.Sum256(body)
	h := c.Response().Header()
	h.Set("Content-Type", contentType)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	h.Set("Cache-Control", "public, max-age=300")
	r := c.Request()
	r.Header.Del("Range") // a part of a page is of no use to anybody
	http.ServeContent(c.Response(), r, "", updated.UTC().Truncate(time.Second), bytes.NewReader(body))
	return nil
}

// tagOf returns what names a thing for ever (RFC 4151): the host and path that the service had,
// the day, and what it is.
func tagOf(base string, day newsletter.Date, what string) string {
	_, base, _ = strings.Cut(base, "://")
	host, path, _ := strings.Cut(base, "/")
	host, _, _ = strings.Cut(host, ":")
	if path != "" {
		path += "/"
	}
	return "tag:" + host + "," + day.String() + ":" + path + what
}
