package web

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// Suppressions is who must not be mailed, for staff.
type Suppressions interface {
	Suppressions(ctx context.Context, f readers.SuppressionFilter, after int64, limit int) ([]newsletter.Suppression, error)
	Standing(ctx context.Context, addressDomainOrID string) (readers.Standing, error)
	Suppress(ctx context.Context, addressOrDomain, reason string, origin newsletter.Origin) (readers.Standing, bool, error)
	LiftSuppression(ctx context.Context, addressDomainOrID string, origin newsletter.Origin) (newsletter.LiftedSuppression, error)
	// Waiting returns a subscriber's sign-up that is not confirmed; ok is false if there is none.
	Waiting(ctx context.Context, sub newsletter.Subscriber) (w readers.Waiting, ok bool, err error)
}

// suppressionJSON is a suppression in the API.
type suppressionJSON struct {
	Suppression int64     `json:"suppression"`
	Hash        string    `json:"hash"`
	Email       string    `json:"email,omitempty"`
	Domain      string    `json:"domain,omitempty"`
	Reason      string    `json:"reason"`
	Note        string    `json:"note"`
	Actor       string    `json:"actor"`
	CreatedAt   time.Time `json:"created_at"`
}

func suppressionOf(s newsletter.Suppression) suppressionJSON {
	return suppressionJSON{
		Suppression: s.ID, Hash: hex.EncodeToString(s.Hash), Email: s.Email, Domain: s.Domain,
		Reason: string(s.Reason), Note: s.Note, Actor: s.Actor, CreatedAt: s.CreatedAt.UTC(),
	}
}

// suppressionPage is the answer of GET /api/v1/suppressions.
type suppressionPage struct {
	Suppressions []suppressionJSON `json:"suppressions"`
	Next         *int64            `json:"next"` // for after; null: this is the last page
}

// apiSuppressions lists suppressions, or those that one address falls under.
func (a *app) apiSuppressions(c echo.Context) error {
	q, err := readQuery(c, "after", "limit", "reason", "addresses", "email")
	if err != nil {
		return err
	}
	if q.Has("email") {
		return a.apiStanding(c, q.Get("email"))
	}
	after, err := number(q, "after", 0, 0, 1<<62)
	if err != nil {
		return err
	}
	limit, err := number(q, "limit", defaultPage, 1, readers.MaxPage)
	if err != nil {
		return err
	}
	f := readers.SuppressionFilter{Reason: q.Get("reason")}
	if q.Has("addresses") {
		if f.Addresses, err = strconv.ParseBool(q.Get("addresses")); err != nil {
			return newsletter.Invalidf("addresses", "write true or false")
		}
	}
	list, err := a.Readers.Suppressions(c.Request().Context(), f, after, int(limit))
	if err != nil {
		return err
	}
	page := suppressionPage{Suppressions: []suppressionJSON{}}
	for _, s := range list {
		page.Suppressions = append(page.Suppressions, suppressionOf(s))
	}
	if len(list) == int(limit) {
		page.Next = &list[len(list)-1].ID
		q.Set("after", strconv.FormatInt(*page.Next, 10))
		c.Response().Header().Set("Link", fmt.Sprintf("<%s?%s>; rel=\"next\"", a.link("/api/v1/suppressions"), q.Encode()))
	}
	return sendJSON(c, http.StatusOK, mimeJSON, page)
}

// apiStanding lists what one address, or domain, falls under: its own suppression, and that of
// its whole domain.
func (a *app) apiStanding(c echo.Context, email string) error {
	st, err := a.Readers.Standing(c.Request().Context(), email)
	if err != nil {
		return err
	}
	page := suppressionPage{Suppressions: []suppressionJSON{}}
	for _, s := range []newsletter.Suppression{st.Own, st.ByDomain} {
		if s.Reason != "" {
			page.Suppressions = append(page.Suppressions, suppressionOf(s))
		}
	}
	return sendJSON(c, http.StatusOK, mimeJSON, page)
}

// suppressRequest is the body of POST /api/v1/suppressions.
type suppressRequest struct {
	Email  string `json:"email"`
	Domain string `json:"domain"` // in place of email: all of it
	Reason string `json:"reason"` // empty: staff
	Note   string `json:"note"`
}

// apiSuppress answers 201, or 200 with what stands already if that is as strong.
func (a *app) apiSuppress(c echo.Context) error {
	var r suppressRequest
	if err := readJSON(c, &r); err != nil {
		return err
	}
	who := r.Email
	if r.Domain != "" {
		if r.Email != "" {
			return newsletter.Invalidf("domain", "give an address or a domain, not both")
		}
		who = "@" + r.Domain
	}
	o := staffOrigin(c)
	o.Note = r.Note
	st, added, err := a.Readers.Suppress(c.Request().Context(), who, r.Reason, o)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if added {
		status = http.StatusCreated
	}
	return sendJSON(c, status, mimeJSON, suppressionOf(st.Own))
}

// liftedJSON is the answer of DELETE /api/v1/suppressions/{id}: what stood until now.
type liftedJSON struct {
	suppressionJSON
	ConfirmationAt *time.Time `json:"confirmation_at"` // when the mail of a waiting sign-up goes out; null: none waits
}

// apiLiftSuppression ends a suppression by its number; ?note= says why.
func (a *app) apiLiftSuppression(c echo.Context) error {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil || id <= 0 {
		return newsletter.NotFoundf("suppressions are addressed by number; find it with GET /api/v1/suppressions?email=…")
	}
	q, err := readQuery(c, "note")
	if err != nil {
		return err
	}
	o := staffOrigin(c)
	o.Note = q.Get("note")
	lifted, err := a.Readers.LiftSuppression(c.Request().Context(), strconv.FormatInt(id, 10), o)
	if err != nil {
		return err
	}
	answer := liftedJSON{suppressionJSON: suppressionOf(lifted.Suppression)}
	if lifted.MailQueued {
		at := lifted.MailAt.UTC()
		answer.ConfirmationAt = &at
	}
	return sendJSON(c, http.StatusOK, mimeJSON, answer)
}

// waitingJSON is a subscriber's sign-up that is not confirmed.
type waitingJSON struct {
	CreatedAt   time.Time `json:"created_at"`
	Newsletters []string  `json:"newsletters"`
	Why         string    `json:"why"`
}

// standingOf adds to a subscriber's details whether the address may be mailed, and what waits.
func (a *app) standingOf(ctx context.Context, s newsletter.Subscriber, detail *subscriberDetail) error {
	st, err := a.Readers.Standing(ctx, s.Email)
	if err != nil {
		return err
	}
	if st.Suppressed() {
		detail.Suppression = new(suppressionOf(st.Strongest()))
	}
	w, ok, err := a.Readers.Waiting(ctx, s)
	if err != nil || !ok {
		return err
	}
	detail.WaitingSignUp = &waitingJSON{w.CreatedAt.UTC(), w.Newsletters, w.Why}
	return nil
}
