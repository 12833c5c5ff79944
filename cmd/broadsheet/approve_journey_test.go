package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var approveLink = regexp.MustCompile(`/staff/approve/[A-Za-z0-9_-]+`)

// looksGood looks at the page that is open with axe-core, light and dark, wide and on a phone.
func (b *browser) looksGood(axe, name string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		prefers := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
		do(b, "prefer "+scheme, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, prefers)
			return err
		}))
		for _, width := range []int64{360, 1000} {
			do(b, "resize", chromedp.EmulateViewport(width, 800))
			for _, f := range b.axe(axe) {
				b.t.Errorf("%s, %s, %d: %s: %s: %s\n%s", name, scheme, width, f.ID, f.Help, f.Nodes[0].HTML, f.Nodes[0].Summary)
			}
			if wide := do(b, "measure", chromedp.Evaluate[int64](`document.documentElement.scrollWidth`)); wide > width {
				b.t.Errorf("%s is %d pixels wide where there are %d", name, wide, width)
			}
			if dir := os.Getenv("APPROVE_PICTURES"); dir != "" { // for people to look at
				file := filepath.Join(dir, fmt.Sprintf("%s-%s-%d.png", name, scheme, width))
				if err := os.WriteFile(file, do(b, "picture", chromedp.FullScreenshot(100)), 0o600); err != nil {
					b.t.Error(err)
				}
			}
		}
	}
}

// Staff are asked by mail, follow its link, change the draft on the page, approve it, and readers
// get what they saw: in a real browser, against the real program.
func TestApprove_FromTheProofMailToTheSentMail(t *testing.T) {
	t.Parallel()
	const staff = "editors@example.org"
	axe := axeSource(t)
	relay := relayFor(t, smtptest.Options{Pipelining: true})
	p := newProgram(t, "SMTP_URL="+relay.URL(), "STAFF_EMAIL="+staff, anyPort)
	list := p.listOf(3)
	due := time.Now().UTC().Add(30 * time.Minute)
	p.run("newsletter", "edit", "daily-news", "--zone", "UTC", "--daily", "daily "+due.Format("15:04"), "--approval", "manual")
	_, _, address := p.serve()
	if err := relay.WaitFor(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	asked := relay.Messages()[0]
	subject, text, html, err := mail.Parts(asked.Data)
	if err != nil || asked.To != staff || !strings.HasPrefix(subject, "Approve by ") || !strings.Contains(subject, "Harbour opens a second gate") {
		t.Fatalf("to %s came %q (%v)", asked.To, subject, err)
	}
	path := approveLink.FindString(text)
	if path == "" || !strings.Contains(html, path) || !strings.Contains(text, "3 of the 3 readers") || !strings.Contains(html, "Harbour opens a second gate") {
		t.Fatalf("the mail says\n%s", text)
	}

	b := newBrowser(t)
	b.open(address + path)
	b.see("Harbour opens a second gate")
	newsroomtest.Until(t.Context(), t, "the frame shows the edition", func() bool {
		return do(b, "look at the frame", chromedp.Evaluate[int](`performance.getEntriesByType("resource").filter(r => r.name.endsWith("/mail") && r.responseStatus == 200).length`)) > 0
	})
	b.looksGood(axe, "waits")
	b.press(`button[value="hold"]`)
	b.see("It is held, by staff.")
	do(b, "type a subject", chromedp.SendKeys(chromedp.CSS(`#subject`), "All about the harbour"))
	do(b, "type a name", chromedp.SendKeys(chromedp.CSS(`#name`), "Ada"))
	// Somebody else is quicker.
	edit := filepath.Join(p.dir, "sheet")
	sheet := strings.Replace(p.run("edition", "edit", "1", "--print"), "Preheader:", "Preheader: Ships go in twice as fast", 1)
	if err := os.WriteFile(edit, []byte(sheet), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run("edition", "edit", "1", "--file", edit)
	b.press(`button[value="approve"]`)
	b.see("nothing was done")
	b.looksGood(axe, "changed")
	b.press(`button[value="approve"]`)
	b.see("approve it once more")
	b.press(`button[value="approve"]`)
	b.see("Approved.")
	b.looksGood(axe, "approved")
	if n := len(relay.Messages()); n != 1 {
		t.Fatalf("%d messages went out before the time", n)
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(p.dir, "broadsheet.db")+"?_busy_timeout=20000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() // the statement is committed
	// The time has come.
	if _, err := db.ExecContext(t.Context(), `UPDATE editions SET send_at = $1 WHERE id = 1 AND state = 'frozen' AND planned = 0`, time.Now().UnixMilli()-1000); err != nil {
		t.Fatal(err)
	}
	newsroomtest.Until(t.Context(), t, "the edition is sent", func() bool {
		return strings.Contains(p.run("edition", "show", "1", "--json"), `"state": "sent"`)
	})
	for _, r := range list {
		if n := tookEach(relay)[r]; n != 1 {
			t.Errorf("%s got it %d times", r, n)
		}
	}
	if subject, _, _, err := mail.Parts(relay.Messages()[1].Data); subject != "All about the harbour" {
		t.Errorf("sent was %q (%v)", subject, err)
	}
	log := p.run("edition", "log", "1")
	for _, want := range []string{"approval asked for", "page:staff", "edition held", "page:Ada", "edition approved", "from 127.0.0.1"} {
		if !strings.Contains(log, want) {
			t.Errorf("on record is no %q:\n%s", want, log)
		}
	}
}

// A service that is killed and started again asks once, and the commands decide without it.
func TestApprove_ByCommandsAndThroughAKill(t *testing.T) {
	t.Parallel()
	const staff = "editors@example.org"
	relay := relayFor(t, smtptest.Options{Pipelining: true})
	p := newProgram(t, "SMTP_URL="+relay.URL(), "STAFF_EMAIL="+staff, anyPort)
	p.listOf(3)
	due := time.Now().UTC().Add(30 * time.Minute)
	p.run("newsletter", "edit", "daily-news", "--zone", "UTC", "--daily", "daily "+due.Format("15:04"), "--approval", "manual")
	relay.SetFaults(smtptest.Fault{At: smtptest.AtDot, To: staff, Times: 1, Action: smtptest.Stall})
	first, _, _ := p.serve()
	if err := relay.WaitStalled(t.Context(), 1); err != nil { // the mail is on its way
		t.Fatal(err)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	relay.Release()
	second, _, _ := p.serve()
	newsroomtest.Until(t.Context(), t, "staff are asked", func() bool { return strings.Contains(p.status(), `"mailed": true`) })
	if err := second.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = second.Wait()
	if list := p.run("edition", "list", "--json"); strings.Count(list, `"edition":`) != 1 {
		t.Errorf("the editions are\n%s", list)
	}
	if n := tookEach(relay)[staff]; n > 2 { // one, or one in doubt and its second
		t.Errorf("staff are asked %d times", n)
	}
	if out := p.run("edition", "hold", "1", "--reason", "a fact is checked"); !strings.Contains(out, "is held") {
		t.Errorf("hold says %s", out)
	}
	if out := p.run("edition", "show", "1"); !strings.Contains(out, "held, by cli:") || !strings.Contains(out, "it can be approved until") {
		t.Errorf("show says %s", out)
	}
	if out := p.status(); !strings.Contains(out, `"state": "held"`) {
		t.Errorf("status says %s", out)
	}
	if out, code := p.try("edition", "approve", "1"); code != 2 || !strings.Contains(out, "say --yes") || !strings.Contains(out, "3 of the 3 readers") {
		t.Errorf("approve exits with %d and says\n%s", code, out)
	}
	byHand, printed := p.start("send", "daily-news", "--dry-run")
	if err := byHand.Wait(); err != nil || !strings.Contains(printed.String(), "edition 1 (daily, ") || !strings.Contains(printed.String(), "waits to be approved") {
		t.Errorf("who sends by hand reads (%v)\n%s", err, printed)
	}
	if out := p.run("edition", "approve", "1", "--yes"); !strings.Contains(out, "is frozen, and waits until") {
		t.Errorf("approve says\n%s", out)
	}
	if out, code := p.try("edition", "approve", "1", "--yes"); code != 1 || !strings.Contains(out, "is frozen, not a draft") {
		t.Errorf("approve again exits with %d and says\n%s", code, out)
	}
	if out := p.run("edition", "hold", "1"); !strings.Contains(out, "is held") {
		t.Errorf("hold says %s", out)
	}
	p.run("edition", "approve", "1", "--yes")
	p.run("edition", "cancel", "1", "--yes")
	if _, code := p.try("edition", "approve", "1", "--yes"); code != 1 {
		t.Errorf("approve after cancel exits with %d", code)
	}
	if n := len(tookEach(relay)); n != 1 {
		t.Errorf("%d addresses got something", n)
	}
}

// status returns how things stand, as JSON, also where something is wrong.
func (p *program) status() string {
	p.t.Helper()
	out, _ := p.try("status", "--json")
	return out
}
