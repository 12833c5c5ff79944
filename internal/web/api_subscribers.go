package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// defaultPage is how many subscribers a page of the list has unless limit says otherwise.
const defaultPage = 100

// subscriberJSON is a subscriber in the API. Times are RFC 3339 in UTC.
type subscriberJSON struct {
	Subscriber    int64              `json:"subscriber"`
	Email         string             `json:"email"`
	Name          string             `json:"name"`
	TimeZone      string             `json:"time_zone"`
	CreatedAt     time.Time          `json:"created_at"`
	Subscriptions []subscriptionJSON `json:"subscriptions"`
}

type subscriptionJSON struct {
	Newsletter  string    `json:"newsletter"`
	State       string    `json:"state"`
	Cadence     string    `json:"cadence"`
	Slot        string    `json:"slot"`     // one of the cadence's; "main" is the first
	Sections    []string  `json:"sections"` // empty: everything
	CreatedAt   time.Time `json:"created_at"`
	JoinedAt    time.Time `json:"joined_at,omitzero"`
	LeftAt      time.Time `json:"left_at,omitzero"`
	PausedUntil time.Time `json:"paused_until,omitzero"`
}

// eventJSON is one entry of a subscriber's history: the proof of consent.
type eventJSON struct {
	Event        int64     `json:"event"`
	Newsletter   string    `json:"newsletter"`
	Kind         string    `json:"kind"`
	At           time.Time `json:"at"`
	Channel      string    `json:"channel"`
	Page         string    `json:"page,omitempty"`
	Placement    string    `json:"placement,omitempty"`
	IP           string    `json:"ip,omitempty"`
	UserAgent    string    `json:"user_agent,omitempty"`
	Actor        string    `json:"actor,omitempty"`
	Note         string    `json:"note,omitempty"`
	Edition      int64     `json:"edition,omitempty"` // whose link was followed
	Words        string    `json:"words,omitempty"`
	WordsVersion string    `json:"words_version,omitempty"`
}

// subscriberPage is the answer of GET /api/v1/subscribers.
type subscriberPage struct {
	Subscribers []subscriberJSON `json:"subscribers"`
	Next        *int64           `json:"next"` // for after; null: this is the last page
}

// subscriberDetail is the answer of GET /api/v1/subscribers/{id}.
type subscriberDetail struct {
	subscriberJSON
	Suppression   *suppressionJSON `json:"suppression"`     // why the address must not be mailed; null: it may be
	WaitingSignUp *waitingJSON     `json:"waiting_sign_up"` // null: none
	Events        []eventJSON      `json:"events"`
	Returns       []returnJSON     `json:"returns"` // what came back of messages, the newest first
}

func (a *app) apiSubscribers(c echo.Context) error {
	q, err := readQuery(c, "after", "limit", "newsletter", "state", "email")
	if err != nil {
		return err
	}
	after, err := number(q, "after", 0, 0, 1<<62)
	if err != nil {
		return err
	}
	limit, err := number(q, "limit", defaultPage, 1, readers.MaxPage)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	filter := readers.Filter{Newsletter: q.Get("newsletter"), State: q.Get("state"), EmailPrefix: q.Get("email")}
	list, err := a.Readers.Subscribers(ctx, filter, after, int(limit))
	if err != nil {
		return err
	}
	page := subscriberPage{Subscribers: []subscriberJSON{}}
	names := a.sectionNames()
	for _, s := range list {
		shown, err := subscriberOf(ctx, s, names)
		if err != nil {
			return err
		}
		page.Subscribers = append(page.Subscribers, shown)
	}
	if len(list) == int(limit) {
		page.Next = &list[len(list)-1].ID
		q.Set("after", strconv.FormatInt(*page.Next, 10))
		c.Response().Header().Set("Link", fmt.Sprintf("<%s?%s>; rel=\"next\"", a.link("/api/v1/subscribers"), q.Encode()))
	}
	return sendJSON(c, http.StatusOK, mimeJSON, page)
}

func (a *app) apiSubscriber(c echo.Context) error {
	id, err := subscriberID(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	s, events, err := a.Readers.Subscriber(ctx, strconv.FormatInt(id, 10))
	if err != nil {
		return err
	}
	shown, err := subscriberOf(ctx, s, a.sectionNames())
	if err != nil {
		return err
	}
	detail := subscriberDetail{subscriberJSON: shown, Events: []eventJSON{}}
	if err := a.standingOf(ctx, s, &detail); err != nil {
		return err
	}
	for _, e := range events {
		detail.Events = append(detail.Events, eventJSON{
			Event: e.ID, Newsletter: e.Newsletter, Kind: string(e.Kind), At: e.At.UTC(), Channel: e.Channel,
			Page: e.Page, Placement: e.Placement, IP: e.IP, UserAgent: e.UserAgent, Actor: e.Actor,
			Note: e.Note, Edition: e.EditionID, Words: e.Words, WordsVersion: e.WordsVersion,
		})
	}
	if detail.Returns, err = a.returnsOf(ctx, s.ID); err != nil {
		return err
	}
	return sendJSON(c, http.StatusOK, mimeJSON, detail)
}

// addRequest is the body of POST /api/v1/subscribers.
type addRequest struct {
	Email       string   `json:"email"`
	Name        string   `json:"name"`
	Newsletters []string `json:"newsletters"`
	Cadence     string   `json:"cadence"`
	Slot        string   `json:"slot"`
	Sections    []string `json:"sections"`
	TimeZone    string   `json:"time_zone"`
	Consent     string   `json:"consent"` // where the consent was given; compulsory
}

func (a *app) apiAddSubscriber(c echo.Context) error {
	var r addRequest
	if err := readJSON(c, &r); err != nil {
		return err
	}
	o := staffOrigin(c)
	o.Note = r.Consent
	ctx := c.Request().Context()
	s, err := a.Readers.Add(ctx, readers.Added{
		Email: r.Email, Name: r.Name, Newsletters: r.Newsletters, Cadence: r.Cadence, Slot: r.Slot,
		Sections: r.Sections, TimeZone: r.TimeZone,
	}, o)
	if err != nil {
		return apiNames(err)
	}
	c.Response().Header().Set(echo.HeaderLocation, a.path("/api/v1/subscribers/"+strconv.FormatInt(s.ID, 10)))
	return a.sendSubscriber(c, http.StatusCreated, s)
}

// updateRequest is the body of PATCH /api/v1/subscribers/{id}; what it lacks stays.
type updateRequest struct {
	Name     *string `json:"name"`
	TimeZone *string `json:"time_zone"`
}

func (a *app) apiUpdateSubscriber(c echo.Context) error {
	id, err := subscriberID(c)
	if err != nil {
		return err
	}
	var r updateRequest
	if err := readJSON(c, &r); err != nil {
		return err
	}
	s, err := a.Readers.Update(c.Request().Context(), id, readers.Patch{Name: r.Name, TimeZone: r.TimeZone}, staffOrigin(c))
	if err != nil {
		return err
	}
	return a.sendSubscriber(c, http.StatusOK, s)
}

// apiRemoveSubscriber ends subscriptions: all of them, or that to ?newsletter=SLUG. The
// subscriber stays with the history, so the answer shows what is now.
func (a *app) apiRemoveSubscriber(c echo.Context) error {
	id, err := subscriberID(c)
	if err != nil {
		return err
	}
	q, err := readQuery(c, "newsletter")
	if err != nil {
		return err
	}
	if q.Has("newsletter") && q.Get("newsletter") == "" {
		// Empty means all to the service; here it is more likely a mistake.
		return newsletter.Invalidf("newsletter", "name a newsletter, or leave this out to end all subscriptions")
	}
	s, err := a.Readers.Remove(c.Request().Context(), strconv.FormatInt(id, 10), q.Get("newsletter"), staffOrigin(c))
	if err != nil {
		return err
	}
	return a.sendSubscriber(c, http.StatusOK, s)
}

func (a *app) sendSubscriber(c echo.Context, status int, s newsletter.Subscriber) error {
	shown, err := subscriberOf(c.Request().Context(), s, a.sectionNames())
	if err != nil {
		return err
	}
	return sendJSON(c, status, mimeJSON, shown)
}

// subscriberID returns the id in the address. Addresses of people are not taken there: they
// would stand in every log on the way.
func subscriberID(c echo.Context) (int64, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, newsletter.NotFoundf("subscribers are addressed by number; find it with GET /api/v1/subscribers?email=…")
	}
	return id, nil
}

// readQuery returns the query, of which only these names are known, each once.
func readQuery(c echo.Context, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return nil, &statusError{http.StatusBadRequest, "The query could not be read."}
	}
	allowed := map[string]bool{}
	for _, name := range known {
		allowed[name] = true
	}
	for name, values := range q {
		if !allowed[name] {
			return nil, newsletter.Invalidf(clip(name, 100), "there is no such parameter here")
		}
		if len(values) > 1 {
			return nil, newsletter.Invalidf(name, "give this once")
		}
	}
	return q, nil
}

func number(q url.Values, name string, otherwise, low, high int64) (int64, error) {
	if !q.Has(name) {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(q.Get(name), 10, 64)
	if err != nil || n < low || n > high {
		return 0, newsletter.Invalidf(name, "write a whole number from %d to %d", low, high)
	}
	return n, nil
}

// sectionNames returns a function that names the sections of a subscription. It asks for
// each newsletter once.
func (a *app) sectionNames() func(context.Context, newsletter.Subscription) ([]string, error) {
	known := map[string][]newsletter.Section{}
	return func(ctx context.Context, s newsletter.Subscription) ([]string, error) {
		names := []string{}
		if s.Sections == 0 {
			return names, nil
		}
		sections, ok := known[s.NewsletterSlug]
		if !ok {
			var err error
			if _, sections, err = a.Readers.Newsletter(ctx, s.NewsletterSlug); err != nil {
				return nil, err
			}
			known[s.NewsletterSlug] = sections
		}
		for _, section := range sections {
			if s.Sections.Has(section) {
				names = append(names, section.Slug)
			}
		}
		return names, nil
	}
}

func subscriberOf(ctx context.Context, s newsletter.Subscriber, names func(context.Context, newsletter.Subscription) ([]string, error)) (subscriberJSON, error) {
	shown := subscriberJSON{
		Subscriber: s.ID, Email: s.Email, Name: s.Name, TimeZone: s.TimeZone, CreatedAt: s.CreatedAt.UTC(),
		Subscriptions: []subscriptionJSON{},
	}
	for _, sub := range s.Subscriptions {
		sections, err := names(ctx, sub)
		if err != nil {
			return subscriberJSON{}, err
		}
		shown.Subscriptions = append(shown.Subscriptions, subscriptionJSON{
			Newsletter: sub.NewsletterSlug, State: string(sub.State), Cadence: string(sub.Cadence), Slot: sub.Slot, Sections: sections,
			CreatedAt: sub.CreatedAt.UTC(), JoinedAt: sub.JoinedAt, LeftAt: sub.LeftAt, PausedUntil: sub.PausedUntil,
		})
	}
	return shown, nil
}
