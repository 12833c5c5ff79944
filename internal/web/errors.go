package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"broadsheet/internal/newsletter"
)

// statusError is a mistake that only HTTP knows, with a sentence for whoever made it.
type statusError struct {
	status  int
	message string
}

func (e *statusError) Error() string { return e.message }

// failure is an error as it is shown.
type failure struct {
	status     int
	title      string // for a page
	message    string
	reason     string // for a program; may be empty
	fields     []newsletter.Field
	retryAfter int    // seconds; 0: nothing is known
	contact    string // who can help; empty: nobody in particular
	wait       string // when to try again, in words; empty: the message says it, or nobody knows
	internal   bool
}

// handleError is the one place where errors become answers.
func (a *app) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		if !gone(c, err) {
			a.Logger.Error("request failed after the answer had begun", "route", c.Path(), "error", err)
		}
		return
	}
	f := failureOf(err)
	if f.internal && !gone(c, err) {
		a.Logger.Error("request failed", "method", knownMethod(c.Request().Method), "route", c.Path(), "error", err)
	}
	h := c.Response().Header()
	if f.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	h.Set("Cache-Control", "no-store")
	var sendErr error
	if isAPI(c.Request()) || wantsJSON(c.Request()) {
		if wantsJSON(c.Request()) && !isAPI(c.Request()) {
			a.translate(c, &f)
		}
		sendErr = sendProblem(c, f)
	} else {
		sendErr = a.render(c, f.status, "error", a.errorPage(c, f))
	}
	if sendErr != nil && !gone(c, sendErr) {
		a.Logger.Error("error page", "route", c.Path(), "error", sendErr)
	}
}

// translate puts what went wrong into the language of the page that has the form.
func (a *app) translate(c echo.Context, f *failure) {
	t := a.textsFor(c)
	if said := t["fail_"+strconv.Itoa(f.status)]; f.message == statusFailure(f.status).message && said != "" {
		f.message = said
	}
	f.fields = t.problems(f.fields)
}

// problems says what is wrong with fields in the reader's language. In English it is what the program
// says, which knows more; in others what is said of the field.
func (t texts) problems(fields []newsletter.Field) []newsletter.Field {
	var list []newsletter.Field
	for _, f := range fields {
		f.Message = sentence(f.Message)
		if said := t["problem_"+f.Name]; said != "" && t.Tag() != "en" && t.Tag() != "en-US" {
			f.Message = said
		}
		list = append(list, f)
	}
	return list
}

// errorPage says what went wrong in the reader's language.
func (a *app) errorPage(c echo.Context, f failure) errorPage {
	page := errorPage{frame: a.frame(c), Status: f.status, Message: sentence(f.message), Contact: f.contact}
	page.Fields = page.T.problems(f.fields)
	key := "fail_" + strconv.Itoa(f.status)
	if page.T[key] == "" {
		key = "fail_400"
	}
	page.Heading = page.T[key+"_title"]
	if f.message == statusFailure(f.status).message {
		page.Message = page.T[key]
	}
	if f.wait != "" {
		page.Wait = page.T["fail_again"]
	}
	return page
}

// failureOf says how an error is shown. What is not meant for people becomes a plain 500.
func failureOf(err error) failure {
	if e, ok := errors.AsType[*newsletter.Error](err); ok {
		return domainFailure(e)
	}
	if e, ok := errors.AsType[*statusError](err); ok {
		f := statusFailure(e.status)
		f.message = e.message
		return f
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return statusFailure(http.StatusRequestEntityTooLarge)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		f := statusFailure(http.StatusServiceUnavailable)
		f.internal = true
		return f
	}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok && e.Code >= 400 && e.Code < 500 {
		return statusFailure(e.Code)
	}
	f := statusFailure(http.StatusInternalServerError)
	f.internal = true
	return f
}

func domainFailure(e *newsletter.Error) failure {
	status := map[newsletter.Kind]int{
		newsletter.Invalid:     http.StatusUnprocessableEntity,
		newsletter.NotFound:    http.StatusNotFound,
		newsletter.Conflict:    http.StatusConflict,
		newsletter.Forbidden:   http.StatusForbidden,
		newsletter.RateLimited: http.StatusTooManyRequests,
		newsletter.Busy:        http.StatusServiceUnavailable,
	}[e.Kind]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	f := statusFailure(status)
	f.internal = e.Kind == newsletter.Internal
	if f.internal {
		return f
	}
	f.reason, f.fields, f.contact = e.Reason, e.Fields, e.Contact
	if e.Message != "" {
		f.message = e.Message
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		f.retryAfter, f.wait = max(e.RetryAfter, 1), "" // the message says it
	}
	return f
}

// statusFailure returns the words for a status that nobody has said more about.
func statusFailure(status int) failure {
	f := failure{status: status}
	switch status {
	case http.StatusNotFound:
		f.title = "There is no such page"
		f.message = "The address may have been cut short on its way, or the page has gone. If you came by a link in a mail, please try the link again in the mail itself."
	case http.StatusMethodNotAllowed:
		f.title = "That does not work here"
		f.message = "This address cannot be used in that way. If you came by a link, please go back and try again."
	case http.StatusRequestEntityTooLarge:
		f.title = "That was too much"
		f.message = "What was sent is larger than this address takes."
	case http.StatusTooManyRequests:
		f.title = "One moment, please"
		f.message = "This was tried very often in a short time. Nothing is lost; please try again later."
	case http.StatusConflict:
		f.title = "That is not possible now"
		f.message = "Something else has changed in the meantime. Please look again."
	case http.StatusForbidden:
		f.title = "That is not possible"
		f.message = "You cannot do this."
	case http.StatusUnprocessableEntity:
		f.title = "Something is not right yet"
		f.message = "Please look at what is named below and try again."
	case http.StatusUnauthorized:
		f.title = "Please say who you are"
		f.message = "Send a valid API token: Authorization: Bearer …"
	case http.StatusUnsupportedMediaType:
		f.title = "That cannot be read"
		f.message = "What was sent is of a kind that this address does not take."
	case http.StatusServiceUnavailable:
		f.title = "This takes too long"
		f.message = "We are very busy at the moment. Nothing is lost."
		f.retryAfter = 60
		f.wait = "in a minute"
	case http.StatusInternalServerError:
		f.title = "Something went wrong"
		f.message = "The mistake is ours, and it has been noted. Please try again in a few minutes."
	default:
		f.title = "That did not work"
		f.message = "Please go back and try again."
	}
	return f
}
