package web

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// receiptPage is what a reader agreed to, what changed, and what was sent.
type receiptPage struct {
	ownPage
	Today string
	Lines []receiptLine
	Sent  []receiptEdition
	Older string // where the list goes on; may be empty
}

// receiptLine is something that happened.
type receiptLine struct {
	Said, Page, Note, Words string
}

type receiptEdition struct {
	newsletter.SentEdition
	Day, State, Copy string
}

func (a *app) receipt(c echo.Context, own ownPage) error {
	before := int64(0)
	if raw := c.QueryParam("before"); raw != "" {
		var err error
		if before, err = editionNumber(raw); err != nil {
			return err
		}
	}
	found, err := a.Readers.Receipt(c.Request().Context(), c.Param("token"), before)
	if err != nil {
		return err
	}
	page := receiptPage{ownPage: own}
	zone := found.Subscriber.TimeZone
	if page.Today, err = page.T.Day(newsletter.DateOf(a.Now()), true); err != nil {
		return err
	}
	for _, e := range found.Events {
		line, err := a.receiptLine(page.T, e, found.About, zone)
		if err != nil {
			return err
		}
		page.Lines = append(page.Lines, line)
	}
	for _, e := range found.Editions {
		line, err := a.receiptEdition(page.T, e, zone)
		if err != nil {
			return err
		}
		page.Sent = append(page.Sent, line)
	}
	if found.More {
		page.Older = page.Action + "/receipt?before=" + strconv.FormatInt(found.Editions[readers.ReceiptSize-1].EditionID, 10)
	}
	return a.render(c, http.StatusOK, "receipt", page)
}

// receiptLine says what happened. What staff noted is not shown: it may be about others too.
func (a *app) receiptLine(t texts, e newsletter.Event, about []newsletter.Newsletter, zone string) (receiptLine, error) {
	name := e.Newsletter
	for _, n := range about {
		if n.Slug == e.Newsletter {
			name = n.Name
		}
	}
	line := receiptLine{Page: e.Page, Words: e.Words}
	if e.Channel == "link" {
		line.Note = e.Note
	}
	day, err := t.date(e.At, zone, a.Now())
	if err == nil {
		line.Said, err = t.Text("receipt_"+string(e.Kind), "date", day, "newsletter", name)
	}
	return line, err
}

func (a *app) receiptEdition(t texts, e newsletter.SentEdition, zone string) (receiptEdition, error) {
	line := receiptEdition{SentEdition: e}
	date, err := newsletter.ParseDate(e.Date)
	if err != nil {
		return line, err
	}
	if line.Day, err = t.Day(date, true); err != nil {
		return line, err
	}
	key := "receipt_waiting"
	switch e.State {
	case newsletter.Accepted:
		if key = "receipt_accepted"; e.Returned != 0 {
			key = "receipt_returned"
		}
	case newsletter.Refused, newsletter.Expired:
		key = "receipt_refused"
	case newsletter.InDoubt:
		key = "receipt_doubt"
	case newsletter.Unplanned, newsletter.Waiting, newsletter.Sending, newsletter.Deferred, newsletter.Withheld:
	}
	day, err := t.date(e.At, zone, a.Now())
	if err == nil {
		line.State, err = t.Text(key, "date", day)
	}
	if e.Key != "" && a.Archive != nil && (e.State == newsletter.Accepted || e.State == newsletter.InDoubt) {
		line.Copy = a.path("/archive/" + e.Newsletter + "/copy/" + e.Key)
	}
	return line, err
}
