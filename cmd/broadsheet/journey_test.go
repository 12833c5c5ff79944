package main

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsroomtest"

	"github.com/chromedp/chromedp"
)

// browser is a headless Chromium on one tab.
type browser struct {
	t   *testing.T
	ctx context.Context
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("the tests need the browser chromium; \"make test\" installs it")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true),
		// A page that scrolls smoothly is elsewhere by the time of the click.
		chromedp.Flag("force-prefers-reduced-motion", true), chromedp.WSURLReadTimeout(time.Minute))
	allocator, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(stop)
	ctx, stopTab := chromedp.NewContext(allocator)
	t.Cleanup(stopTab)
	// The browser lives as long as the context of its first action, so that has no time limit.
	if _, err := chromedp.Run(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return &browser{t, ctx}
}

// step is how long one thing in the browser may take, on a slow machine under load.
const step = time.Minute

func do[T any](b *browser, what string, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, step)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
	return v
}

func (b *browser) open(address string) {
	b.t.Helper()
	do(b, "open "+address, chromedp.Navigate(address))
}

// see waits until the page says the text.
func (b *browser) see(text string) {
	b.t.Helper()
	var page string
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(step); ; {
		// One look can hang in a document that is going away, so each has its own time.
		look, cancel := context.WithTimeout(b.ctx, 5*time.Second)
		page, _ = chromedp.Run(look, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
		cancel()
		if strings.Contains(page, text) {
			return
		}
		select {
		case <-deadline:
			b.t.Fatalf("the page does not say %q but\n%s", text, page)
		case <-tick.C:
		}
	}
}

// press presses the button or follows the link.
func (b *browser) press(selector string) {
	b.t.Helper()
	do(b, "press "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// openMail opens the newest mail to the address whose subject has the words, as text.
func (b *browser) openMail(mailbox, to, subject string) {
	b.t.Helper()
	find := `(() => { for (const a of document.querySelectorAll(".mails a")) {
		if (a.textContent.includes(` + "`" + to + "`" + `) && a.textContent.includes(` + "`" + subject + "`" + `)) return a.href } return "" })()`
	newsroomtest.Until(b.t.Context(), b.t, "a mail about "+subject+" to "+to, func() bool {
		b.open(mailbox)
		link := do(b, "look for the mail", chromedp.Evaluate[string](find))
		if link != "" {
			b.open(link + "?view=text")
		}
		return link != ""
	})
}

// link returns the address on the page that has the path in it.
func (b *browser) link(path string) string {
	b.t.Helper()
	address := do(b, "find a link to "+path, chromedp.Evaluate[string](
		`(() => { const a = document.querySelector('a[href*="`+path+`"]'); return a ? a.href : "" })()`))
	if address == "" {
		b.t.Fatalf("there is no link to %s", path)
	}
	return address
}

func publishStory(t *testing.T, site string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.TrimSuffix(site, "/")+"/publish", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := bodyOf(resp)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("publish: %s %v", resp.Status, err)
	}
	return strings.TrimSpace(strings.TrimPrefix(body, "Published: "))
}

// A reader signs up on an article page and gets the digest, leaves, and is left out: in a
// real browser, against the real program.
func TestJourney_FromTheArticlePageToLeaving(t *testing.T) {
	t.Parallel()
	const reader = "journey@readers.example.org"
	p := newProgram(t)
	keep := filepath.Join(p.dir, "kept")
	_, printed := p.start("demo", "--keep", keep)
	newsroomtest.Until(t.Context(), t, "the demo invites", func() bool { return strings.Contains(printed.String(), "Ctrl-C ends the demo") })
	article, site, mailbox := printed.after("Article"), printed.after("Front page"), printed.after("Mailbox")
	send := func() string { return p.run("send", demoDaily, "--yes", "--env-file", filepath.Join(keep, "demo.env")) }

	b := newBrowser(t)
	b.open(article)
	column := `form:has(input[name="placement"][value="column"])`
	do(b, "type the address", chromedp.SendKeys(chromedp.CSS(column+` input[name="email"]`), reader))
	b.press(column + ` button`)
	b.see("hello@news.example.org")
	if where := do(b, "where", chromedp.Location()); !strings.Contains(where, "/check-inbox") || strings.Contains(where, "journey") {
		t.Errorf("after the form the browser is at %s", where)
	}

	b.openMail(mailbox, reader, "onfirm")
	b.open(b.link("/confirm/"))
	b.see("Morning Edition")
	b.press(`form[action*="/confirm/"] button`)
	b.see("first")

	headline := publishStory(t, site)
	if out := send(); !strings.Contains(out, "planned   6") || !strings.Contains(out, "accepted  6") {
		t.Errorf("the second send says\n%s", out)
	}
	b.openMail(mailbox, reader, "")
	b.see(headline)
	b.open(b.link("/unsubscribe/"))
	b.see("j…@readers.example.org")
	b.press(`main form button`)
	b.see("Undo")

	publishStory(t, site)
	if out := send(); !strings.Contains(out, "planned   5") || !strings.Contains(out, "accepted  5") {
		t.Errorf("the third send says\n%s", out)
	}
	if out := p.run("subscriber", "show", reader, "--json", "--env-file", filepath.Join(keep, "demo.env")); !strings.Contains(out, `"state": "left"`) || !strings.Contains(out, `"placement": "column"`) {
		t.Errorf("on record is\n%s", out)
	}
}

func TestDemo_OnceEndsWithABalancedLedgerAndKeepsNothing(t *testing.T) {
	t.Parallel()
	p := newProgram(t, "DATABASE_URL=sqlite:/nonexistent/settings-are-not-read.db")
	temp := t.TempDir()
	p.env = append(p.env, "TMPDIR="+temp)
	out := p.run("demo", "--once")
	if !strings.Contains(out, "planned   5\n  accepted  5  by the relay") {
		t.Errorf("it says\n%s", out)
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		t.Errorf("it leaves %v (%v)", left, err)
	}
}
