package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

// unsubscribeLink is where one-click unsubscribing is posted to (RFC 8058).
var unsubscribeLink = regexp.MustCompile(`(?s)List-Unsubscribe:\s*<[a-z]+://[^/]+(/unsubscribe/[^>]+)>`)

// leavers leave by the one-click links of what they got, as it comes in, until told to stop.
type leavers struct {
	t       *testing.T
	relay   *smtptest.Server
	address string
	mu      sync.Mutex
	left    map[string]bool // whose leaving was acknowledged
	tried   map[string]bool
	stop    chan struct{}
	done    sync.WaitGroup
}

func startLeavers(t *testing.T, relay *smtptest.Server, address string) *leavers {
	l := &leavers{t: t, relay: relay, address: address, left: map[string]bool{}, tried: map[string]bool{}, stop: make(chan struct{})}
	l.done.Go(func() {
		for n := 0; ; {
			select {
			case <-l.stop:
				return
			default:
			}
			messages := relay.Messages()
			if n == len(messages) {
				if relay.WaitFor(t.Context(), n+1) != nil {
					return
				}
				continue
			}
			if n%3 == 0 {
				l.leave(messages[n].To, string(messages[n].Data))
			}
			n++
		}
	})
	return l
}

func (l *leavers) leave(reader, message string) {
	link := unsubscribeLink.FindStringSubmatch(message)
	if link == nil {
		l.t.Errorf("no link to leave in\n%s", message)
		return
	}
	l.mu.Lock()
	l.tried[reader] = true
	l.mu.Unlock()
	resp, err := http.PostForm(l.address+link[1], url.Values{"List-Unsubscribe": {"One-Click"}})
	if err != nil {
		return // the service was killed
	}
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		l.mu.Lock()
		l.left[reader] = true
		l.mu.Unlock()
	}
}

func (l *leavers) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.left)
}

// ended waits until they have stopped; the next message wakes them up for that.
func (l *leavers) ended() { l.done.Wait() }

// A backup is made while an edition goes out and readers leave; the service is killed; the
// backup comes back. Nobody who left is mailed, nothing that was sent is sent again, and
// nothing at all is sent before the restore is confirmed.
func TestRestore_AfterABackupUnderLoadAndAKill(t *testing.T) {
	t.Parallel()
	const readers, backupAt, killAt = 240, 60, 160
	relay := relayFor(t, smtptest.Options{Pipelining: true})
	journal := filepath.Join(t.TempDir(), "journal")
	p := newProgram(t, "SMTP_URL="+relay.URL(), "SMTP_CONNECTIONS=3", "SEND_RATE=150", "JOURNAL="+journal, anyPort)
	feed := newsroomtest.NewFeed(t)
	feed.Publish("Harbour opens a second gate", time.Now().Add(-time.Hour))
	list := p.listWith(feed, readers)

	service, _, address := p.serve()
	leavers := startLeavers(t, relay, address)
	watching, _ := p.start("send", "daily-news", "--yes")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(relay.WaitFor(t.Context(), backupAt))
	p.run("backup", "copy.db")
	before := leavers.count()
	must(relay.WaitFor(t.Context(), killAt))
	must(service.Process.Kill())
	must(watching.Process.Kill())
	_, _ = service.Process.Wait()
	_, _ = watching.Process.Wait()
	close(leavers.stop)
	sent := len(relay.Messages())
	if sent >= readers || before == 0 || leavers.count() <= before {
		t.Fatalf("%d sent, %d had left at the backup and %d at the kill: nothing is tested", sent, before, leavers.count())
	}
	// The crash cut a line of the journal off.
	file, err := os.OpenFile(journal, os.O_APPEND|os.O_WRONLY, 0)
	must(err)
	_, err = file.WriteString(`0badc0de {"v":1,"seq":99999,"kind":"jo`)
	must(err)
	must(file.Close())

	if out, code := p.try("restore", "copy.db", "--yes"); code != 0 || !strings.Contains(out, "in doubt, which are not sent again") {
		t.Fatalf("exit %d\n%s", code, out)
	}
	// Staff start the service; readers sign up; something new is published. Nothing is sent.
	service, _, address = p.serve()
	resp, err := http.PostForm(address+"/subscribe", url.Values{"email": {"eva@example.org"}, "newsletter": {"daily-news"}})
	must(err)
	must(resp.Body.Close())
	feed.Publish("Tunnel open again", time.Now())
	for range 3 {
		var status struct {
			Mails  int `json:"mails_waiting"`
			Alarms []struct{ Kind string }
		}
		out, _ := p.try("status", "--json")
		must(json.NewDecoder(strings.NewReader(out)).Decode(&status))
		if status.Mails != 1 || !strings.Contains(fmt.Sprint(status.Alarms), "restored") {
			t.Errorf("the status is %+v", status)
		}
	}
	if _, code := p.try("send", "daily-news", "--yes"); code != exitRefused {
		t.Errorf("send ends with %d", code)
	}
	if n := len(relay.Messages()); n != sent {
		t.Fatalf("%d messages were sent before the restore was confirmed", n-sent)
	}
	p.run("restore", "--confirm", "--yes")
	p.run("send", "daily-news", "--extra", "--yes")
	newsroomtest.Until(t.Context(), t, "the confirmation is sent", func() bool { return tookEach(relay)["eva@example.org"] == 1 })
	must(service.Process.Kill())
	leavers.ended()

	harbour, tunnel := map[string]int{}, map[string]int{}
	for _, m := range relay.Messages() {
		text := string(m.Data)
		harbour[m.To] += min(1, strings.Count(text, "Harbour opens"))
		tunnel[m.To] += min(1, strings.Count(text, "Tunnel open"))
	}
	for _, r := range list {
		switch {
		case harbour[r] > 1:
			t.Errorf("%s got the first edition %d times", r, harbour[r])
		case leavers.left[r] && tunnel[r] > 0:
			t.Errorf("%s left and was mailed after the restore", r)
		case !leavers.tried[r] && tunnel[r] != 1:
			t.Errorf("%s got what is new %d times", r, tunnel[r])
		}
	}
	var still []struct{ Email string }
	must(json.Unmarshal([]byte(p.run("subscriber", "list", "--newsletter", "daily-news", "--state", "left", "--limit", "1000", "--json")), &still))
	if len(still) < leavers.count() {
		t.Errorf("%d have left, %d were told so", len(still), leavers.count())
	}
}

// listWith is listOf with a feed of the test's own.
func (p *program) listWith(feed *newsroomtest.Feed, readers int) []string {
	p.t.Helper()
	p.run("newsletter", "create", "daily-news", "--name", "Daily News", "--from", "Example News <news@example.org>",
		"--postal-address", "1 High Street, London", "--zone", "Europe/London", "--daily", "mon-fri 07:00")
	p.run("source", "add", feed.URL, "--newsletter", "daily-news")
	var list []string
	file := "email\n"
	for i := range readers {
		list = append(list, fmt.Sprintf("r%d@example.org", i))
		file += list[i] + "\n"
	}
	if err := os.WriteFile(filepath.Join(p.dir, "list.csv"), []byte(file), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.run("subscriber", "import", "list.csv", "--newsletter", "daily-news", "--consent", "test")
	return list
}
