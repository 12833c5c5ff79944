package web

import (
	"encoding/xml"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
)

// atomFeed is an Atom feed (RFC 4287).
type atomFeed struct {
	XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Language string      `xml:"xml:lang,attr,omitempty"`
	ID       string      `xml:"id"`
	Title    string      `xml:"title"`
	Subtitle string      `xml:"subtitle,omitempty"`
	Updated  string      `xml:"updated"`
	Author   string      `xml:"author>name"`
	Links    []atomLink  `xml:"link"`
	Entries  []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID        string   `xml:"id"`
	Title     string   `xml:"title"`
	Link      atomLink `xml:"link"`
	Published string   `xml:"published"`
	Updated   string   `xml:"updated"`
	Summary   string   `xml:"summary"`
}

// archiveFeed is the newsletter's newest editions for feed readers.
func (a *app) archiveFeed(c echo.Context) error {
	n, err := a.archiveOf(c)
	if err != nil {
		return err
	}
	list, _, err := a.Archive.Editions(c.Request().Context(), n.ID, 0, archiveFeedSize)
	if err != nil {
		return err
	}
	updated := latest(list)
	if updated.IsZero() {
		updated = n.CreatedAt // Atom wants a date of an empty feed too
	}
	feed := a.newFeed(n, updated)
	for _, e := range list {
		feed.Entries = append(feed.Entries, atomEntry{
			ID:    tagOf(e.BaseURL, e.Day, editionPath(n, e.ID)[1:]),
			Title: e.Title, Link: atomLink{Rel: "alternate", Type: "text/html", Href: a.link(editionPath(n, e.ID))},
			Published: atomTime(e.Sent), Updated: atomTime(e.Updated), Summary: feedSummary(e),
		})
	}
	body, err := xml.Marshal(feed)
	if err != nil {
		return err
	}
	return sendKept(c, "application/atom+xml; charset=utf-8", append([]byte(xml.Header), body...), updated)
}

func (a *app) newFeed(n newsletter.Newsletter, updated time.Time) atomFeed {
	author := n.From.Name
	if author == "" {
		author = n.Name
	}
	self := a.link("/archive/" + n.Slug)
	return atomFeed{
		Language: n.Language, ID: tagOf(a.BaseURL, newsletter.DateOf(n.CreatedAt), "archive/"+n.Slug),
		Title: n.Name, Subtitle: n.Description, Updated: atomTime(updated), Author: author,
		Links: []atomLink{
			{Rel: "self", Type: "application/atom+xml", Href: self + "/feed.atom"},
			{Rel: "alternate", Type: "text/html", Href: self},
		},
	}
}

// feedSummary lists the edition's headlines, those of stories that were withdrawn left out.
func feedSummary(e desk.ArchivedEdition) string {
	if list := e.Headlines(); len(list) > 0 {
		return strings.Join(list, " · ")
	}
	return e.Title
}

func atomTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
