package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
)

// approvalRoutes lists the addresses by which staff decide about a draft. The token in them stands
// for one draft, and works until its time is over.
func (a *app) approvalRoutes(e *echo.Echo, page func(string, echo.HandlerFunc, ...echo.MiddlewareFunc)) {
	if a.Approvals == nil {
		return
	}
	page("/staff/approve/:token", a.approving, private)
	page("/staff/approve/:token/mail", a.approvingMail, private)
	e.POST("/staff/approve/:token", a.decide, private, a.sameSite)
}

// approvePolicy is the policy of the page: as all pages, and a frame with the mail.
const approvePolicy = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// sameSite refuses a form that another site sends. The token alone keeps strangers out; this
// keeps out who has the link and not the wish.
func (a *app) sameSite(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Request().Header
		ours := true
		switch h.Get("Sec-Fetch-Site") {
		case "same-origin", "none":
		case "": // an old browser: with our Referrer-Policy its Origin is null
			origin := h.Get("Origin")
			ours = origin == "" || origin == "null" || origin == a.base.Scheme+"://"+a.base.Host
		default:
			ours = false
		}
		if !ours {
			return &statusError{http.StatusForbidden, "This form came from another site. Please open the page by the link in the mail, and decide there."}
		}
		return next(c)
	}
}

// approvePage is a draft with what staff can decide.
type approvePage struct {
	frame
	Title      string
	Newsletter newsletter.Newsletter
	Said       string // what was just done
	State      string // how it stands, in a sentence; empty: it waits
	Open       bool   // it can be changed and approved
	CanHold    bool
	CanApprove bool // it was approved, and is held
	Until      string
	Facts      []desk.Fact
	Warnings   []desk.Warning
	Stopped    bool // a gate fails
	Stories    []approveStory
	Dropped    []approveStory // that can be put back
	Seen       desk.Seen
	Subject    string // staff's own, as it is, or as it was typed
	WasSubject string // as it is
	Shown      string // the subject that most readers see
	Preheader  string
	For        string
	Nothing    string
	Problem    string
	Changes    []string // since the form was shown
	Name       string
	Action     string
	Mail       string // address of the edition as most readers get it
}

type approveStory struct {
	ID       int64
	Headline string
	Readers  int
	Drop     bool // or put back, of one that was dropped
	Lead     bool
}

func (a *app) approving(c echo.Context) error {
	found, err := a.findApproval(c)
	if err != nil {
		return err
	}
	page := a.approvePage(c, found)
	page.Said = map[string]string{
		"approved": "Approved.", "held": "It is held, and not sent before somebody approves it.", "changed": "Changed. This is how it is now.",
		"again": "Your changes are saved. This is how it is now: look at it, and approve it once more.", "same": "There was nothing to change.",
	}[c.QueryParam("said")]
	page.Name = newsletter.Who(c.QueryParam("name"))
	return a.showApproval(c, http.StatusOK, found, page)
}

func (a *app) findApproval(c echo.Context) (*desk.Approving, error) {
	id, err := a.Approvals.ApprovalOf(c.Request().Context(), c.Param("token"))
	if err != nil {
		return nil, err
	}
	return a.Approvals.Approving(c.Request().Context(), id)
}

// showApproval renders the page; of a link that has expired, only that.
func (a *app) showApproval(c echo.Context, status int, found *desk.Approving, page approvePage) error {
	c.Response().Header().Set("Content-Security-Policy", approvePolicy)
	if found.Draft == nil && found.State != newsletter.ApprovalApproved && status == http.StatusOK {
		status = http.StatusGone
	}
	return a.render(c, status, "approve", page)
}

func (a *app) approvePage(c echo.Context, found *desk.Approving) approvePage {
	e, now := found.Edition, a.Now()
	self := a.path("/staff/approve/" + c.Param("token"))
	page := approvePage{
		frame: a.staffFrame(),
		Title: fmt.Sprintf("%s, %s, %s", found.Newsletter.Name, e.Name(), e.Date), Newsletter: found.Newsletter,
		Until: found.In(found.Until(e)), Action: self, Mail: self + "/mail",
	}
	if found.Draft == nil {
		live := now.Before(found.Until(e))
		page.CanHold = live && e.State == newsletter.EditionFrozen && e.Waits(now)
		page.CanApprove = live && e.State == newsletter.EditionPaused && e.PlannedAt.IsZero()
		page.State = approvalStands(found, page.CanApprove, e.Waits(now))
		return page
	}
	page.Open, page.CanHold = true, found.State != newsletter.ApprovalHeld
	if !page.CanHold {
		page.State = fmt.Sprintf("It is held, by %s. It is sent if somebody approves it until %s.", whoWords(found.By), page.Until)
	}
	page.Facts, page.Warnings, page.Seen, page.Nothing = found.Facts(), found.Warnings(), found.Seen(), found.Nothing
	page.Stopped = slices.ContainsFunc(page.Warnings, func(w desk.Warning) bool { return w.Fails })
	page.WasSubject = found.Draft.Subject()
	page.Subject = page.WasSubject
	for i, s := range found.Stories() {
		page.Stories = append(page.Stories, approveStory{ID: s.ID, Headline: s.Headline, Readers: s.Readers, Lead: i == 0})
	}
	for _, s := range found.Dropped() {
		page.Dropped = append(page.Dropped, approveStory{ID: s.ID, Headline: s.Headline})
	}
	if found.Preview != nil {
		page.Shown, page.Preheader, page.For = found.Preview.Subject, found.Preview.Preheader, found.Preview.For
	}
	return page
}

// whoWords is who did something, without the word for the way by which they did.
func whoWords(actor string) string {
	if _, name, ok := strings.Cut(actor, ":"); ok {
		return name
	}
	return actor
}

// approvalStands says how an edition stands that is no draft any more.
func approvalStands(found *desk.Approving, held, waits bool) string {
	e := found.Edition
	switch {
	case held:
		return "It was approved, and is held now: " + e.Reason + "."
	case waits:
		return fmt.Sprintf("It is approved, by %s, and is sent at %s.", whoWords(found.By), found.In(e.SendAt))
	case e.State == newsletter.EditionSent:
		return "It is sent."
	case e.State == newsletter.EditionExpired && e.Reason == newsletter.ReasonNotApproved, e.State == newsletter.EditionDraft:
		return fmt.Sprintf("This link has expired: it could be approved until %s, and nobody did. Nothing was sent; what was in it is owed to its readers still.", found.In(found.Until(e)))
	case e.State == newsletter.EditionCancelled:
		return "It is cancelled, and is not sent."
	case found.State == newsletter.ApprovalApproved:
		return fmt.Sprintf("It was approved, by %s, and is %s.", whoWords(found.By), e.State)
	}
	return fmt.Sprintf("It is %s.", e.State)
}

// approvingMail sends the edition as most readers get it, for the frame on the page. Its own
// links lead nowhere, and those of its stories open in a window of their own.
func (a *app) approvingMail(c echo.Context) error {
	found, err := a.findApproval(c)
	if err != nil {
		return err
	}
	if found.Preview == nil {
		return echo.ErrNotFound
	}
	c.Response().Header().Set("Content-Security-Policy",
		"sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:; frame-ancestors 'self'")
	return c.HTML(http.StatusOK, strings.Replace(withBase(found.Preview.HTML), `<base target="_top">`, `<base target="_blank">`, 1))
}

// decision is what the form says.
type decision struct {
	act        string
	seen       desk.Seen
	subject    string
	wasSubject string
	drop, back []int64
	stories    []int64 // that the form showed, in order
	name       string
}

func readDecision(values url.Values) (decision, error) {
	d := decision{
		act: values.Get("act"), subject: strings.TrimSpace(values.Get("subject")), wasSubject: values.Get("was_subject"),
		seen: desk.Seen{Hash: values.Get("hash")}, name: newsletter.Who(values.Get("name")),
	}
	var err error
	if text := values.Get("revision"); text != "" {
		if d.seen.Revision, err = strconv.Atoi(text); err != nil {
			return d, newsletter.Invalidf("revision", "the form is not ours; please open the page again")
		}
	}
	if d.drop, err = articleIDs(values["drop"]); err == nil {
		d.back, err = articleIDs(values["back"])
	}
	if err == nil {
		d.stories, err = articleIDs(values["story"])
	}
	return d, err
}

func articleIDs(texts []string) ([]int64, error) {
	if len(texts) > newsletter.LimitArticles {
		return nil, newsletter.Invalidf("drop", "these are too many stories")
	}
	var ids []int64
	for _, text := range texts {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, newsletter.Invalidf("drop", "the form is not ours; please open the page again")
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (d decision) changes() bool { return len(d.drop)+len(d.back) > 0 || d.subject != d.wasSubject }

// decide does what staff decided, and shows how it stands then.
func (a *app) decide(c echo.Context) error {
	values, err := readForm(c)
	if err != nil {
		return err
	}
	form, err := readDecision(values)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	id, err := a.Approvals.ApprovalOf(ctx, c.Param("token"))
	if err != nil {
		return err
	}
	who := form.name
	if who == "" {
		who = "staff"
	}
	d := a.Approvals.By("page:"+who, c.RealIP())
	said := ""
	switch {
	case form.act == "hold":
		said, err = "held", d.Hold(ctx, id, "")
	case form.act != "approve" && form.act != "change":
		return newsletter.Invalidf("act", "the form is not ours; please open the page again")
	case form.changes():
		if said = "changed"; form.act == "approve" {
			said = "again"
		}
		_, err = d.ChangeDraft(ctx, id, form.seen.Revision, desk.DraftChange{Subject: form.subject, Drop: form.drop, PutBack: form.back})
	case form.act == "approve":
		said = "approved"
		_, err = d.Approve(ctx, id, &form.seen, false)
	default:
		said = "same"
	}
	if newsletter.KindOf(err) != newsletter.Internal && err != nil {
		return a.decideAgain(c, form, err)
	}
	if err != nil {
		return err
	}
	query := url.Values{"said": {said}}
	if form.name != "" {
		query.Set("name", form.name)
	}
	return c.Redirect(http.StatusSeeOther, a.path("/staff/approve/"+c.Param("token"))+"?"+query.Encode())
}

// decideAgain shows the page as it is now, with what stands in the way of the decision, and what
// was typed.
func (a *app) decideAgain(c echo.Context, form decision, refused error) error {
	found, err := a.findApproval(c)
	if err != nil {
		return err
	}
	page := a.approvePage(c, found)
	page.Problem, page.Name = sentence(refused.Error()), form.name
	if found.Draft != nil {
		page.Subject = page.WasSubject
		if form.subject != form.wasSubject {
			page.Subject = form.subject
		}
		for i, s := range page.Stories {
			page.Stories[i].Drop = slices.Contains(form.drop, s.ID)
		}
		for i, s := range page.Dropped {
			page.Dropped[i].Drop = slices.Contains(form.back, s.ID)
		}
		if newsletter.ReasonOf(refused) == "changed" {
			page.Problem = "It has changed since you opened this page, so nothing was done."
			page.Changes = changesSince(form, page, found)
		}
	}
	return a.showApproval(c, failureOf(refused).status, found, page)
}

// changesSince says what is different from what the form showed.
func changesSince(form decision, page approvePage, found *desk.Approving) []string {
	var list, names []string
	var now []int64
	for _, s := range page.Stories {
		now = append(now, s.ID)
		if !slices.Contains(form.stories, s.ID) {
			list = append(list, fmt.Sprintf("“%s” is new in it.", s.Headline))
		}
	}
	for _, id := range form.stories {
		if !slices.Contains(now, id) {
			names = append(names, fmt.Sprintf("“%s”", found.Draft.Headline(id)))
		}
	}
	if len(names) > 0 {
		list = append(list, strings.Join(names, ", ")+" is not in it any more.")
	}
	if form.wasSubject != page.WasSubject {
		list = append(list, fmt.Sprintf("The subject is “%s” now.", page.Shown))
	}
	if len(list) == 0 && !slices.Equal(now, form.stories) {
		list = append(list, "The stories stand in another order.")
	}
	if len(list) == 0 {
		list = append(list, "A text in it, a sponsor's message or a setting of the newsletter is another one.")
	}
	by, at := found.Draft.ChangedBy()
	return append(list, fmt.Sprintf("The draft was last changed by %s, at %s.", whoWords(by), found.In(at)))
}
