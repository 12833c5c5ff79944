package web

import (
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// mailboxSize is how many mails the list shows.
const mailboxSize = 200

// mailboxPage lists the mails of the outbox folder or the demo.
type mailboxPage struct {
	frame
	Entries []mailboxLine
	More    bool // there may be older ones
}

type mailboxLine struct {
	MailboxEntry
	Address string // of the page with the mail
	When    string
}

// The views of one mail.
const (
	viewMail    = "mail"
	viewPhone   = "phone"
	viewText    = "text"
	viewHeaders = "headers"
)

// mailPage shows one mail in one of its views.
type mailPage struct {
	frame
	MailboxMail
	Self     string // address of this page
	View     string
	When     string
	Body     string // address of the HTML part; empty: there is none
	Source   string // address of the source
	LeaveURL string // where one click unsubscribes, as a mail program does it; empty: it cannot
	Linked   template.HTML
}

func (a *app) mailbox(c echo.Context) error {
	entries, err := a.Mailbox.List(mailboxSize)
	if err != nil {
		return err
	}
	page := mailboxPage{frame: a.staffFrame(), More: len(entries) >= mailboxSize}
	for _, e := range entries {
		page.Entries = append(page.Entries, mailboxLine{e, a.path("/outbox/" + url.PathEscape(e.Name)), mailTime(e.Date, a.Now())})
	}
	return a.render(c, http.StatusOK, "mailbox", page)
}

// openMail returns the mail that the address names.
func (a *app) openMail(c echo.Context) (name string, mail MailboxMail, err error) {
	name, err = url.PathUnescape(c.Param("name"))
	if err != nil {
		return "", MailboxMail{}, echo.ErrNotFound
	}
	mail, err = a.Mailbox.Open(name)
	return name, mail, err
}

func (a *app) mail(c echo.Context) error {
	name, mail, err := a.openMail(c)
	if err != nil {
		return err
	}
	self := a.path("/outbox/" + url.PathEscape(name))
	page := mailPage{
		frame:       a.staffFrame(),
		MailboxMail: mail, Self: self, View: c.QueryParam("view"), When: mailTime(mail.Date, a.Now()),
		Source: self + "/source", Linked: linked(mail.Text),
	}
	if mail.HTML != "" {
		page.Body = self + "/body"
	}
	switch page.View {
	case viewText, viewHeaders:
	case viewPhone, viewMail:
		if page.Body == "" {
			page.View = viewText
		}
	default:
		page.View = viewMail
		if page.Body == "" {
			page.View = viewText
		}
	}
	allowed := "'self'"
	if mail.OneClick && strings.HasPrefix(mail.UnsubscribeURL, a.link("/unsubscribe/")) {
		page.LeaveURL = mail.UnsubscribeURL
		allowed += " " + a.base.Scheme + "://" + a.base.Host
	}
	c.Response().Header().Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action "+allowed+"; base-uri 'none'; frame-ancestors 'none'")
	return a.render(c, http.StatusOK, "mail", page)
}

// mailBody sends the HTML part by itself, for the frame on the mail's page. A mail is a
// stranger's page: it runs nothing, sends nothing, and only its pictures are fetched. Its
// links open in the window, because our own pages refuse to be framed.
func (a *app) mailBody(c echo.Context) error {
	_, mail, err := a.openMail(c)
	if err != nil {
		return err
	}
	if mail.HTML == "" {
		return echo.ErrNotFound
	}
	c.Response().Header().Set("Content-Security-Policy",
		"sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; default-src 'none'; style-src 'unsafe-inline'; img-src http: https: data:; frame-ancestors 'self'")
	return c.HTML(http.StatusOK, withBase(mail.HTML))
}

func (a *app) mailSource(c echo.Context) error {
	_, mail, err := a.openMail(c)
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "text/plain; charset=utf-8", mail.Raw)
}

// withBase makes the links of an HTML mail open in the window.
func withBase(html string) string {
	const base = `<base target="_top">`
	if at := headTag.FindStringIndex(html); at != nil {
		return html[:at[1]] + base + html[at[1]:]
	}
	return base + html
}

var (
	headTag = regexp.MustCompile(`(?i)<head(\s[^>]*)?>`)
	webLink = regexp.MustCompile(`https?://[^\s<>"']+[^\s<>"'.,;:!?)\]]`)
)

// linked returns a text as HTML in which addresses of the web are links.
func linked(text string) template.HTML {
	var b strings.Builder
	last := 0
	for _, at := range webLink.FindAllStringIndex(text, -1) {
		to := template.HTMLEscapeString(text[at[0]:at[1]])
		b.WriteString(template.HTMLEscapeString(text[last:at[0]]))
		b.WriteString(`<a href="` + to + `">` + to + `</a>`)
		last = at[1]
	}
	b.WriteString(template.HTMLEscapeString(text[last:]))
	return template.HTML(b.String()) // every part of it was escaped above
}

// mailTime says when a mail was written, shorter for today's.
func mailTime(at, now time.Time) string {
	if at.IsZero() {
		return ""
	}
	at = at.In(now.Location())
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return "Today " + at.Format("15:04")
	}
	return at.Format("2 Jan 2006, 15:04")
}
