package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// The limits of one request.
const (
	requestTime = 30 * time.Second
	maxBody     = 64 << 10 // octets
)

// Options is what the handler needs.
type Options struct {
	Readers Readers
	// BaseURL is the public address, without a slash at the end. It is where absolute links
	// point, whatever Host a request names. A path in it is taken off requests.
	BaseURL string
	// TrustedProxies are the peers whose X-Forwarded-For is believed; without any, the
	// client's address is the socket's.
	TrustedProxies []netip.Prefix
	// WriteRecord writes a record as JSON, for a reader who takes their data along; nil: there is none.
	WriteRecord func(ctx context.Context, record *readers.Record, w io.Writer) error
	Archive     Archive // below /archive/; nil: there is none
	// Approvals is the desk that staff decide at about drafts, below /staff/; nil: they do not here.
	Approvals *desk.Desk
	Mailbox   Mailbox // shown below /outbox/ on this machine only; nil: none
	Templates fs.FS   // with a folder web
	Logger    *slog.Logger
	Now       func() time.Time
	Health    func(context.Context) error // whether requests can be served, for /readyz
	Version   string                      // of the program, for /healthz
	Metrics   *Metrics                    // for /metrics; nil: there is none
	Hooks     *Hooks                      // below /hooks/; nil: there are none
}

// app is the handler's state. It does not change after New, the keys of Amazon SNS aside.
type app struct {
	Options
	base      *url.URL
	assets    assets
	languages *languages
	pages     pages
	meters    *meters // nil: nothing is counted
	sns       snsKeys
	step      time.Duration // see even.go
	sleep     func(context.Context, time.Duration)
}

// New returns the handler for every address of the service. It fails if the base URL cannot
// be read or a template is missing or wrong.
func New(o Options) (http.Handler, error) {
	a, err := newApp(o)
	if err != nil {
		return nil, err
	}
	return stripBase(a.base.Path, a.echo()), nil
}

func newApp(o Options) (*app, error) {
	base, err := url.Parse(o.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("the base URL %q is not an address such as https://news.example.org", o.BaseURL)
	}
	base.Path = strings.TrimRight(base.Path, "/")
	if o.Readers == nil || o.Templates == nil || o.Logger == nil || o.Now == nil || o.Health == nil {
		return nil, errors.New("web: an option is missing")
	}
	a := &app{Options: o, base: base, step: evenStep, sleep: sleep, sns: snsKeys{known: map[string]snsKey{}}}
	if a.assets, err = loadAssets(o.Templates); err != nil {
		return nil, err
	}
	if a.pages, err = a.loadPages(o.Templates); err != nil {
		return nil, err
	}
	if a.languages, err = loadLanguages(o.Templates); err != nil {
		return nil, err
	}
	if o.Metrics != nil {
		a.meters = newMeters(*o.Metrics, o.Version, o.Logger)
	}
	return a, nil
}

// echo returns all routes with what stands before each of them.
func (a *app) echo() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = clientIP(a.TrustedProxies)
	e.HTTPErrorHandler = a.handleError
	e.Use(a.observe, a.secure, middleware.ContextTimeout(requestTime), limitBody(bodyLimit))
	a.routes(e)
	return e
}

// routes lists every address. GET and HEAD never change anything (S22): link scanners
// follow every link of a mail.
func (a *app) routes(e *echo.Echo) {
	page := func(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) {
		e.Match([]string{http.MethodGet, http.MethodHead}, path, h, m...)
	}

	page("/", a.home)
	page("/n/:newsletter", a.newsletter)
	e.POST("/subscribe", a.subscribe, private, a.even())
	page("/check-inbox", a.checkInbox, private)

	// A token stands in the address: these pages are kept nowhere and indexed nowhere.
	page("/confirm/:token", a.confirmation, private)
	e.POST("/confirm/:token", a.confirm, private)
	e.POST("/confirm/:token/renew", a.renewConfirmation, private)
	page("/unsubscribe/:token", a.leaving, private)
	e.POST("/unsubscribe/:token", a.leave, private)
	e.POST("/unsubscribe/:token/undo", a.undoLeave, private)
	page("/manage/:token", a.manage, private)
	e.POST("/manage/:token", a.changeSubscription, private)
	e.POST("/manage/:token/pause", a.pauseByLink, private)
	e.POST("/manage/:token/resume", a.resumeByLink, private)
	e.POST("/manage/:token/leave", a.leaveByLink, private)
	e.POST("/manage/:token/undo", a.undoByLink, private)
	page("/link", a.lostLink, private)
	e.POST("/link", a.askLink, private, a.even())
	e.POST("/manage/:token/link", a.askLinkBy, private)
	a.ownRoutes(e, page)

	// No group: with middleware on it Echo answers 404 where 405 is due.
	read, write := a.authorised(newsletter.ScopeReadSubscribers), a.authorised(newsletter.ScopeWriteSubscribers)
	e.POST("/api/v1/subscribe", a.apiSubscribe, private, a.even())
	e.GET("/api/v1/subscribers", a.apiSubscribers, private, read)
	e.POST("/api/v1/subscribers", a.apiAddSubscriber, private, write)
	e.GET("/api/v1/subscribers/:id", a.apiSubscriber, private, read)
	e.PATCH("/api/v1/subscribers/:id", a.apiUpdateSubscriber, private, write)
	e.DELETE("/api/v1/subscribers/:id", a.apiRemoveSubscriber, private, write)
	readBarred, writeBarred := a.authorised(newsletter.ScopeReadSuppressions), a.authorised(newsletter.ScopeWriteSuppressions)
	e.GET("/api/v1/suppressions", a.apiSuppressions, private, readBarred)
	e.POST("/api/v1/suppressions", a.apiSuppress, private, writeBarred)
	e.DELETE("/api/v1/suppressions/:id", a.apiLiftSuppression, private, writeBarred)

	a.embedRoutes(e, page)
	a.archiveRoutes(page)
	a.approvalRoutes(e, page)
	a.hooks(e)

	page("/assets/:file", a.asset)
	page("/favicon.ico", a.favicon)
	page("/robots.txt", a.robots)
	page("/healthz", a.healthy)
	page("/readyz", a.ready)
	if a.meters != nil {
		page("/metrics", a.metrics, private, a.onlyMonitors)
	}

	if a.Mailbox != nil {
		page("/outbox", a.mailbox, private, onlyHere)
		page("/outbox/", a.mailbox, private, onlyHere)
		page("/outbox/:name", a.mail, private, onlyHere)
		page("/outbox/:name/body", a.mailBody, private, onlyHere)
		page("/outbox/:name/source", a.mailSource, private, onlyHere)
	}
}

// path returns the address of one of our own pages for a link or redirect: from the root,
// so that it depends on no Host header.
func (a *app) path(path string) string { return a.base.Path + path }

// link returns the absolute address of one of our own pages.
func (a *app) link(path string) string {
	return a.base.Scheme + "://" + a.base.Host + a.path(path)
}

// stripBase takes the base URL's path off requests, for a proxy that passes it on. Requests
// without it are served as they are: other proxies take it off themselves.
func stripBase(prefix string, next http.Handler) http.Handler {
	if prefix == "" {
		return next
	}
	strip := http.StripPrefix(prefix, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, prefix+"/") {
			strip.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
