package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/readers"
	"broadsheet/internal/web"
	"broadsheet/templates"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// host is a publisher's site with a strict policy, and the service on another origin.
type host struct {
	newsroom *newsroomtest.Newsroom
	base     string // of the service
	site     string
	pages    map[string]string

	mu     sync.Mutex
	answer func(w http.ResponseWriter, r *http.Request) bool // instead of the service, if it returns true
}

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{newsroom: newsroomtest.New(t, newsroomtest.Options{}), pages: map[string]string{}}
	fsys, err := templates.FS("")
	if err != nil {
		t.Fatal(err)
	}
	mails, err := templates.Mail(fsys)
	if err != nil {
		t.Fatal(err)
	}
	service := httptest.NewUnstartedServer(nil)
	h.base = "http://" + service.Listener.Addr().String()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", fmt.Sprintf(
			"default-src 'none'; script-src %[1]s; connect-src %[1]s; frame-src %[1]s; form-action %[1]s; style-src 'self'; require-trusted-types-for 'script'; base-uri 'none'", h.base))
		h.mu.Lock()
		defer h.mu.Unlock()
		fmt.Fprint(w, h.pages[r.URL.Path])
	}))
	t.Cleanup(site.Close)
	_, port, err := net.SplitHostPort(site.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	h.site = "http://localhost:" + port // another origin than 127.0.0.1
	n := h.newsroom.Newsletter("daily-news", func(n *newsletter.Newsletter) { n.Origins = []string{h.site} })
	for _, s := range []newsletter.Section{{Slug: "town", Name: "Town"}, {Slug: "sport", Name: "Sport", Match: []string{"Football"}}} {
		s.NewsletterID = n.ID
		if _, err := h.newsroom.Store.AddSection(t.Context(), s, "test", h.newsroom.Clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	handler, err := web.New(web.Options{
		Readers: readers.New(h.newsroom.Store, readers.Options{
			BaseURL: h.base, Keys: h.newsroom.Keys, Suppression: h.newsroom.Barred, Templates: digest.Templates(mails), Now: h.newsroom.Clock.Now,
		}),
		BaseURL: h.base, Templates: fsys, Logger: slog.New(slog.DiscardHandler), Now: h.newsroom.Clock.Now, Health: func(context.Context) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	service.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		answer := h.answer
		h.mu.Unlock()
		if answer == nil || !answer(w, r) {
			handler.ServeHTTP(w, r)
		}
	})
	service.Start()
	t.Cleanup(service.Close)
	return h
}

func (h *host) page(path, body string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pages[path] = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Ferry</title>
		<meta property="article:section" content="Football">
		<script src="` + h.base + `/embed.js" async></script></head><body><main><h1>Ferry</h1>` + body + `</main></body></html>`
}

func (h *host) instead(f func(w http.ResponseWriter, r *http.Request) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = f
}

// signedUp returns how a reader signed up.
func (h *host) signedUp(t *testing.T, email string) newsletter.Event {
	t.Helper()
	sub, err := h.newsroom.Store.SubscriberByKey(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	events, err := h.newsroom.Store.Events(t.Context(), sub.ID)
	if err != nil || len(events) == 0 {
		t.Fatal(events, err)
	}
	return events[0]
}

// in runs JavaScript with root, the shadow root of the n-th element, and returns what it gives.
func (b *browser) in(n int, js string) string {
	b.t.Helper()
	return do(b, js, chromedp.Evaluate[string](fmt.Sprintf(
		`(() => { const root = document.querySelectorAll("broadsheet-signup")[%d]?.shadowRoot; return root ? String(%s) : "" })()`, n, js)))
}

func (b *browser) until(n int, js, want string) {
	b.t.Helper()
	newsroomtest.Until(b.t.Context(), b.t, js+" is "+want, func() bool { return strings.Contains(b.in(n, js), want) })
}

// TestEmbed_OnAPublishersPage is the element on a page with a strict policy, in a real browser: twice on
// the page, by keyboard alone, wrong, too often, too busy, offline, and without the service.
func TestEmbed_OnAPublishersPage(t *testing.T) {
	t.Parallel()
	h, b := newHost(t), newBrowser(t)
	complained := b.complaints()

	h.page("/ferry", `<broadsheet-signup newsletter="daily-news" placement="column"><p id="plain">Plain</p></broadsheet-signup>
		<broadsheet-signup newsletter="daily-news" placement="footer" lang="de"></broadsheet-signup>`)
	b.open(h.site + "/ferry?utm_source=x#top")
	b.until(0, `root.querySelector("button").textContent`, "Sign up")
	b.until(1, `root.querySelector("button").textContent`, "Anmelden")
	if first := b.in(0, `root.querySelector("input[name=section]").value`); first != "sport" {
		t.Errorf("the page's section is not offered first, but %q", first)
	}
	if got := do(b, "axe", chromedp.Evaluate[string](`document.title`)); got != "Ferry" {
		t.Fatal(got)
	}
	if found := b.axe(axeSource(t)); len(found) > 0 {
		t.Errorf("axe-core finds %+v", found)
	}

	// By keyboard alone: an address that is none, then a right one.
	do(b, "tab", chromedp.KeyEvent("\t"))
	do(b, "type", chromedp.KeyEvent("vera"))
	do(b, "enter", chromedp.KeyEvent("\r"))
	b.until(0, `root.querySelector("#problem").hidden ? "" : root.querySelector("#problem").textContent`, "@")
	b.until(0, `root.activeElement.getAttribute("aria-invalid") + root.activeElement.getAttribute("aria-describedby")`, "trueproblem")
	do(b, "type", chromedp.KeyEvent("@example.org\r"))
	b.until(0, `root.querySelector(".done")?.textContent`, "Please confirm: Daily News")
	b.until(0, `root.activeElement.textContent`, "Check your inbox")
	if e := h.signedUp(t, "vera@example.org"); e.Page != h.site+"/ferry" || e.Placement != "column" || e.Channel != "form" {
		t.Errorf("the consent says %+v", e)
	}

	// Too often, and too busy until the second try.
	submit := func(n int, email string) {
		b.in(n, `(root.querySelector("input").value = "`+email+`", root.querySelector("button").click())`)
	}
	h.instead(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/subscribe" {
			return false
		}
		w.Header().Set("Access-Control-Allow-Origin", h.site)
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"detail": "Zu oft. Bitte in 7 Minuten."}`)
		return true
	})
	submit(1, "anna@example.org")
	b.until(1, `root.querySelector("[role=status]").textContent`, "in 7 Minuten")
	tries := 0
	h.instead(func(w http.ResponseWriter, r *http.Request) bool {
		if tries++; r.URL.Path != "/subscribe" || tries > 1 {
			return false
		}
		w.Header().Set("Access-Control-Allow-Origin", h.site)
		w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	submit(1, "anna@example.org")
	b.until(1, `root.querySelector(".done")?.textContent`, "Bitte sehen Sie in Ihr Postfach")
	if e := h.signedUp(t, "anna@example.org"); e.Placement != "footer" {
		t.Errorf("the consent says %+v", e)
	}
	h.instead(nil)
	for _, text := range complained() {
		// The browser itself notes these, and asks for an icon.
		if !strings.Contains(text, "422") && !strings.Contains(text, "429") && !strings.Contains(text, "503") && !strings.Contains(text, "favicon.ico") {
			t.Errorf("the console says %q", text)
		}
	}

	// Offline: nothing is lost of what was typed.
	b.open(h.site + "/ferry")
	b.until(0, `root.querySelector("button").textContent`, "Sign up")
	command(b, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	h.instead(func(w http.ResponseWriter, _ *http.Request) bool {
		panic(http.ErrAbortHandler) // nothing comes through
	})
	submit(0, "paul@example.org")
	b.until(0, `root.querySelector("[role=status]").textContent`, "You are offline")
	if typed := b.in(0, `root.querySelector("input").value`); typed != "paul@example.org" {
		t.Errorf("the form has %q", typed)
	}
}

// TestEmbed_WithoutTheElement is the form in a frame and as plain HTML, without JavaScript, on a page
// of 320 pixels, in the dark; and on a site that the newsletter does not know.
func TestEmbed_WithoutTheElement(t *testing.T) {
	t.Parallel()
	h, b := newHost(t), newBrowser(t)
	do(b, "phone", chromedp.EmulateViewport(320, 700))
	command(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	command(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	h.page("/plain", `<broadsheet-signup newsletter="daily-news"><form method="post" action="`+h.base+`/subscribe"><input type="hidden" name="newsletter" value="daily-news">
		<label>E-mail <input type="email" name="email"></label> <button>Go</button></form></broadsheet-signup>`)
	h.page("/frame", `<iframe src="`+h.base+`/embed/daily-news?page=`+h.site+`/frame" title="Daily News by e-mail" width="300" height="600"></iframe>`)
	b.open(h.site + "/plain")
	do(b, "type", chromedp.SendKeys(chromedp.CSS("input[type=email]"), "plain@example.org\r"))
	b.see("Check your inbox")
	h.signedUp(t, "plain@example.org")

	b.open(h.base + "/embed/daily-news?page=" + h.site + "/frame")
	b.see("Your e-mail address")
	if wide := do(b, "width", chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); wide > 320 {
		t.Errorf("the frame is %d wide", wide)
	}
	do(b, "type", chromedp.SendKeys(chromedp.CSS("input[type=email]"), "frame\r"))
	b.see("Please look at this again")
	b.open(h.base + "/embed/daily-news?page=" + h.site + "/frame")
	do(b, "type", chromedp.SendKeys(chromedp.CSS("input[type=email]"), "frame@example.org\r"))
	b.see("Check your inbox")
	if e := h.signedUp(t, "frame@example.org"); e.Page != h.site+"/frame" || e.Placement != "frame" {
		t.Errorf("the consent says %+v", e)
	}
	// It is shown in a frame of the site that the newsletter names, and of no other.
	command(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false})
	complained := b.complaints()
	other := strings.Replace(h.site, "localhost", "127.0.0.1", 1)
	shown := make(chan string, 10)
	h.instead(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/embed/daily-news" {
			shown <- r.URL.Path
		}
		return false
	})
	b.open(h.site + "/frame")
	<-shown
	if list := complained(); len(list) > 0 {
		t.Errorf("on the newsletter's site the console says %q", list)
	}
	b.open(other + "/frame")
	<-shown
	newsroomtest.Until(b.ctx, t, "the browser refuses the frame", func() bool {
		return slices.ContainsFunc(complained(), func(text string) bool { return strings.Contains(text, "frame-ancestors") })
	})
}

// TestFormToCopy_IsLiveAndFits is the page where staff copy the form: the element draws itself under the
// page's own policy, each code has its button, axe-core finds nothing, it fits on a phone in the dark,
// and without JavaScript the text is there.
func TestFormToCopy_IsLiveAndFits(t *testing.T) {
	t.Parallel()
	h, b := newHost(t), newBrowser(t)
	axe, complained := axeSource(t), b.complaints()
	address := h.base + "/n/daily-news/form?lang=de&placement=column"
	for _, v := range []struct {
		width  int64
		colour string
	}{{1100, "light"}, {320, "dark"}} {
		do(b, "size", chromedp.EmulateViewport(v.width, 800))
		command(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.colour}}})
		b.open(address)
		b.until(0, `root.querySelector("button").textContent`, "Anmelden")
		do(b, "open what is folded", chromedp.Evaluate[bool](`(document.querySelector("details").open = true)`))
		for _, f := range b.axe(axe) {
			t.Errorf("%s: axe-core finds %+v", v.colour, f)
		}
		if wide := do(b, "width", chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); wide > v.width {
			t.Errorf("the page is %d wide in a window of %d", wide, v.width)
		}
	}
	buttons := `[...document.querySelectorAll("textarea + p button")].map(b => b.getAttribute("aria-label")).join(", ")`
	if got := do(b, "buttons", chromedp.Evaluate[string](buttons)); got != "Copy the code of the element, Copy the code of the frame, Copy the code of the plain form" {
		t.Errorf("the buttons are %q", got)
	}
	b.press("textarea + p button")
	newsroomtest.Until(b.ctx, t, "it says that it is copied, or marked", func() bool {
		return do(b, "said", chromedp.Evaluate[string](`document.querySelector("textarea + p [role=status]").textContent`)) != ""
	})
	if list := complained(); len(list) > 0 {
		t.Errorf("the console says %q", list)
	}

	command(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.open(address)
	b.see("The plain form")
	if n := do(b, "without scripts", chromedp.Evaluate[int](`document.querySelectorAll("textarea[readonly]").length * 10 + document.querySelectorAll("textarea + p button").length`)); n != 30 {
		t.Errorf("without JavaScript there are %d texts to copy and %d buttons", n/10, n%10)
	}
	do(b, "type into the preview", chromedp.SendKeys(chromedp.CSS("broadsheet-signup input[type=email]"), "staff@example.org\r"))
	b.see("Bitte sehen Sie in Ihr Postfach")
	if e := h.signedUp(t, "staff@example.org"); e.Placement != "column" {
		t.Errorf("the consent says %+v", e)
	}
}

// complaints returns what the browser's console has said so far.
func (b *browser) complaints() func() []string {
	b.t.Helper()
	var mu sync.Mutex
	var list []string
	note := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		list = append(list, text)
	}
	said, thrown := chromedp.Events(b.ctx, log.EntryAdded), chromedp.Events(b.ctx, runtime.ExceptionThrown)
	go func() {
		for e, err := range said {
			if err != nil {
				return
			}
			note(e.Entry.Text)
		}
	}()
	go func() {
		for e, err := range thrown {
			if err != nil {
				return
			}
			note(fmt.Sprint(e.ExceptionDetails))
		}
	}()
	command(b, log.Enable, cdp.Empty{})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(list)
	}
}

// command sends the tab a command of the protocol.
func command[P, R any](b *browser, c cdp.Command[P, R], params P) {
	b.t.Helper()
	do(b, c.Method, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	}))
}
