package web

import (
	"cmp"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// managePage is a reader's subscriptions with what can be changed.
type managePage struct {
	frame
	zone          string // the reader's own; empty: it is not known
	Masked        string
	Fresh         bool // the link opens all of the page
	Subscriptions []managedSubscription
	Others        []newsletter.Newsletter
	Action        string // where forms post to, without the query
	Done          template.HTML
	Undo          int64 // the moment of what was done, to take it back; 0: it cannot be
	Silence       readers.Silence
	Problems      []newsletter.Field // of what is about all newsletters
	Several       bool               // there are several that come or pause
	Tomorrow      string             // the first day until which a pause can be, and the last
	Latest        string
}

type managedSubscription struct {
	readers.ManagedSubscription
	Left        bool
	Paused      bool
	PausedWords string // until when; empty: until they come back
	Cadences    []cadenceChoice
	Choices     []sectionChoice
	Next        string // in words; empty: there is no fixed time
	Unsubscribe string
	SignUp      string
	Write       template.HTML // whom to write to, where only staff can help
	Joined      string        // how and when it came to be
	Problems    []newsletter.Field
}

// pauseChoices are the ways to pause one newsletter, or all.
type pauseChoices struct {
	T                    texts
	ID, Tomorrow, Latest string
}

func pauseOf(p managePage, slug string) pauseChoices {
	return pauseChoices{p.T, cmp.Or(slug, "all"), p.Tomorrow, p.Latest}
}

func (a *app) manage(c echo.Context) error {
	page, err := a.managePage(c)
	if err != nil {
		return err
	}
	if c.QueryParam("undone") != "" {
		page.Done, err = page.T.Say("done_undone")
	} else if ms, wrong := strconv.ParseInt(c.QueryParam("done"), 10, 64); wrong == nil && ms > 0 {
		err = a.tellDone(c, &page, time.UnixMilli(ms).UTC())
	}
	if err != nil {
		return err
	}
	return a.render(c, http.StatusOK, "manage", page)
}

func (a *app) tellDone(c echo.Context, page *managePage, at time.Time) error {
	done, err := a.Readers.DoneAt(c.Request().Context(), c.Param("token"), at)
	if err != nil {
		return err
	}
	return page.tell(done, a.Now())
}

// tell puts what was just done on the page.
func (p *managePage) tell(done readers.Done, now time.Time) error {
	if done.Kind == "" {
		return nil
	}
	names, err := p.T.Names(done.Of)
	if err != nil {
		return err
	}
	key, until := "done_"+done.Kind, ""
	switch {
	case done.Kind == "paused" && !done.Until.IsZero():
		key += "_until"
		if until, err = p.T.date(done.Until, cmp.Or(p.zone, done.Of[0].Zone), now); err != nil {
			return err
		}
	case done.Kind == "changed" && p.Silence != readers.NotSilent:
		key = "done_changed_silent"
	}
	if p.Done, err = p.T.Say(key, "newsletters", names, "until", until); err != nil {
		return err
	}
	if done.CanUndo {
		p.Undo = done.At.UnixMilli()
	}
	return nil
}

func (a *app) managePage(c echo.Context) (managePage, error) {
	found, err := a.Readers.Manage(c.Request().Context(), c.Param("token"))
	if err != nil {
		return managePage{}, err
	}
	var list []newsletter.Newsletter
	come := 0
	for _, s := range found.Subscriptions {
		list = append(list, s.Newsletter)
		if s.State != newsletter.Left {
			come++
		}
	}
	c.Set(readerLanguage, found.Language)
	today := newsletter.DateOf(a.Now())
	page := managePage{
		frame: a.frame(c, list...), Masked: found.Masked, Silence: found.Silence, Action: a.path("/manage/" + c.Param("token")),
		zone: found.TimeZone, Fresh: !found.FreshUntil.IsZero(), Others: found.Others, Several: come > 1, Tomorrow: today.AddDays(1).String(), Latest: today.AddDays(365).String(),
	}
	for _, s := range found.Subscriptions {
		m, err := a.managed(page.T, s, found.TimeZone)
		if err != nil {
			return page, err
		}
		page.Subscriptions = append(page.Subscriptions, m)
	}
	return page, nil
}

func (a *app) managed(t texts, s readers.ManagedSubscription, readerZone string) (managedSubscription, error) {
	m := managedSubscription{
		ManagedSubscription: s,
		Left:                s.State == newsletter.Left,
		Paused:              s.PausedAt(a.Now()),
		Unsubscribe:         a.path("/unsubscribe/" + s.UnsubscribeToken),
		SignUp:              a.path("/n/" + s.Newsletter.Slug),
	}
	var err error
	if m.Write, err = t.writeToUs(s.Newsletter); err != nil {
		return m, err
	}
	if m.Joined, err = t.joined(s.Why, s.Newsletter, a.Now()); err != nil {
		return m, err
	}
	if m.Paused && !s.PausedUntil.IsZero() {
		if m.PausedWords, err = t.date(s.PausedUntil, cmp.Or(readerZone, s.Newsletter.Zone), a.Now()); err != nil {
			return m, err
		}
	}
	if !s.ByHand && !s.Next.At.IsZero() {
		if m.Next, err = t.dueFor(s.Next.At, s.Zone, readerZone, a.Now()); err != nil {
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

// joined says how somebody came to get a newsletter. Of the page only the site is named: whoever gets
// a forwarded digest sees this too.
func (t texts) joined(w readers.Why, n newsletter.Newsletter, now time.Time) (string, error) {
	if w.At.IsZero() {
		return "", nil
	}
	day, err := t.date(w.At, n.Zone, now)
	if err != nil {
		return "", err
	}
	key, site := "joined_"+string(w.Kind), ""
	if page, err := url.Parse(w.Page); err == nil && page.Host != "" && w.Kind == newsletter.EventConfirmed {
		key, site = key+"_on", page.Host
	}
	return t.Text(key, "date", day, "site", site)
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
	slug := values.Get("newsletter")
	change := readers.Change{Newsletter: slug, Cadence: values.Get("cadence"), Slot: values.Get("slot"), Sections: values["section"]}
	_, err = a.Readers.ChangeSubscription(c.Request().Context(), c.Param("token"), change, origin(c, "link"))
	return a.managedAs(c, slug, err)
}

func (a *app) pauseByLink(c echo.Context) error {
	values, err := readForm(c)
	if err != nil {
		return err
	}
	until := values.Get("until")
	if until == "date" {
		until = values.Get("date")
	}
	err = a.Readers.PauseByLink(c.Request().Context(), c.Param("token"), values.Get("newsletter"), until, origin(c, "link"))
	return a.managedAs(c, values.Get("newsletter"), err)
}

func (a *app) resumeByLink(c echo.Context) error {
	values, err := readForm(c)
	if err != nil {
		return err
	}
	err = a.Readers.ResumeByLink(c.Request().Context(), c.Param("token"), values.Get("newsletter"), origin(c, "link"))
	return a.managedAs(c, values.Get("newsletter"), err)
}

func (a *app) leaveByLink(c echo.Context) error {
	values, err := readForm(c)
	if err != nil {
		return err
	}
	// To leave everything is said, and not what a form without a newsletter comes to.
	slug := values.Get("newsletter")
	if slug == "" && values.Get("all") == "" {
		return &statusError{http.StatusBadRequest, ""}
	}
	err = a.Readers.LeaveByLink(c.Request().Context(), c.Param("token"), slug, origin(c, "link"))
	return a.managedAs(c, slug, err)
}

func (a *app) undoByLink(c echo.Context) error {
	values, err := readForm(c)
	if err != nil {
		return err
	}
	at, err := strconv.ParseInt(values.Get("at"), 10, 64)
	if err != nil {
		return &statusError{http.StatusBadRequest, ""}
	}
	if err := a.Readers.UndoByLink(c.Request().Context(), c.Param("token"), time.UnixMilli(at).UTC(), origin(c, "link")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, a.path("/manage/"+c.Param("token"))+a.asking(c, url.Values{"undone": {"1"}}))
}

// managedAs leads back to the page, which tells what was done, or shows it with what was wrong.
func (a *app) managedAs(c echo.Context, slug string, err error) error {
	if newsletter.KindOf(err) == newsletter.Invalid {
		return a.changeAgain(c, slug, err)
	}
	if err != nil {
		return err
	}
	done, err := a.Readers.DoneAt(c.Request().Context(), c.Param("token"), time.Time{})
	if err != nil {
		return err
	}
	query := url.Values{}
	// What was done at another time is not told: this time nothing was different.
	if since := a.Now().Sub(done.At); done.Kind != "" && since >= 0 && since < requestTime {
		query.Set("done", strconv.FormatInt(done.At.UnixMilli(), 10))
	}
	return c.Redirect(http.StatusSeeOther, a.path("/manage/"+c.Param("token"))+a.asking(c, query))
}

// changeAgain shows the page with what was wrong with a change.
func (a *app) changeAgain(c echo.Context, slug string, invalid error) error {
	page, err := a.managePage(c)
	if err != nil {
		return err
	}
	e, _ := errors.AsType[*newsletter.Error](invalid)
	problems := page.T.problems(e.Fields)
	i := slices.IndexFunc(page.Subscriptions, func(s managedSubscription) bool { return s.Newsletter.Slug == slug })
	switch {
	case i >= 0:
		page.Subscriptions[i].Problems = problems
	case slug == "":
		page.Problems = problems
	default:
		return invalid
	}
	return a.render(c, http.StatusUnprocessableEntity, "manage", page)
}
