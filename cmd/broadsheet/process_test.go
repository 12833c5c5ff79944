package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

// program runs broadsheet as a process of its own, with settings and a folder of its own.
type program struct {
	t   *testing.T
	dir string
	env []string

	feed string // of listOf
}

func newProgram(t *testing.T, settings ...string) *program {
	t.Helper()
	p := &program{t: t, dir: t.TempDir()}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, settingPrefix) {
			p.env = append(p.env, e)
		}
	}
	p.env = append(p.env, runAsProgram+"=1", "GORACE=atexit_sleep_ms=0", settingPrefix+"ALLOW_PRIVATE_FEEDS=true")
	for _, s := range settings {
		p.env = append(p.env, settingPrefix+s)
	}
	return p
}

func (p *program) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Dir, cmd.Env = p.dir, p.env
	return cmd
}

// run runs a command to its end, which has to be good, and returns what it printed.
func (p *program) run(args ...string) string {
	p.t.Helper()
	out, code := p.try(args...)
	if code != 0 {
		p.t.Fatalf("broadsheet %s: exit %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// try runs a command to its end and returns what it printed and its exit code.
func (p *program) try(args ...string) (string, int) {
	p.t.Helper()
	cmd := p.command(p.t.Context(), args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out) + stderr.String(), exit.ExitCode()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Log(stderr.String())
	return string(out), 0
}

// start starts a command that goes on, and returns it with what it prints, line by line.
func (p *program) start(args ...string) (*exec.Cmd, *lines) {
	p.t.Helper()
	cmd := p.command(context.WithoutCancel(p.t.Context()), args...)
	l := &lines{}
	cmd.Stdout, cmd.Stderr = l, l
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if p.t.Failed() {
			p.t.Logf("broadsheet %s printed:\n%s", strings.Join(args, " "), l)
		}
	})
	return cmd, l
}

// lines collects what a process prints.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// after returns the rest of the first line that has the text in it, "" if there is none.
func (l *lines) after(text string) string {
	s := bufio.NewScanner(strings.NewReader(l.String()))
	for s.Scan() {
		if _, rest, ok := strings.Cut(s.Text(), text); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// listOf makes a newsletter with a feed and so many readers, and returns their addresses.
func (p *program) listOf(readers int) []string {
	p.t.Helper()
	feed := newsroomtest.NewFeed(p.t)
	feed.Publish("Harbour opens a second gate", time.Now().Add(-time.Hour))
	p.feed = feed.URL
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

type printedLedger struct {
	Planned, Accepted, Refused, Expired, Withheld, Waiting int
	InDoubt                                                int `json:"in_doubt"`
}

func relayFor(t *testing.T, o smtptest.Options) *smtptest.Server {
	t.Helper()
	server, err := smtptest.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func tookEach(server *smtptest.Server) map[string]int {
	took := map[string]int{}
	for _, m := range server.Messages() {
		took[m.To]++
	}
	return took
}

// Killed again and again in the middle of a send, the same command goes on: every reader has
// the digest, and whoever has it twice is on record as having been in doubt.
func TestSend_KilledMidSend_LosesNobody(t *testing.T) {
	t.Parallel()
	const readers, kills, connections = 300, 6, 4
	relay := relayFor(t, smtptest.Options{Pipelining: true})
	p := newProgram(t, "SMTP_URL="+relay.URL(), fmt.Sprintf("SMTP_CONNECTIONS=%d", connections))
	list := p.listOf(readers)
	for i := range kills {
		cmd, _ := p.start("send", "daily-news", "--yes")
		if err := relay.WaitFor(t.Context(), (i+1)*readers/(kills+2)); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
	var ledger printedLedger
	if err := json.Unmarshal([]byte(p.run("send", "daily-news", "--yes", "--json")), &ledger); err != nil {
		t.Fatal(err)
	}
	if ledger != (printedLedger{Planned: readers, Accepted: readers}) {
		t.Errorf("the ledger is %+v", ledger)
	}
	var doubted []struct{ Email string }
	if err := json.Unmarshal([]byte(p.run("edition", "deliveries", "1", "--doubted", "--json")), &doubted); err != nil {
		t.Fatal(err)
	}
	if len(doubted) > kills*connections {
		t.Errorf("%d in doubt after %d kills with %d connections", len(doubted), kills, connections)
	}
	onRecord := map[string]bool{}
	for _, d := range doubted {
		onRecord[d.Email] = true
	}
	took := tookEach(relay)
	for _, r := range list {
		if took[r] == 0 {
			t.Errorf("%s was lost", r)
		}
		if took[r] > 1 && !onRecord[r] {
			t.Errorf("%s got it %d times and is not on record", r, took[r])
		}
	}
}

// A command that is asked to stop finishes what is in flight, and says how it goes on.
func TestSend_StoppedBySignal_GoesOn(t *testing.T) {
	t.Parallel()
	const readers = 200
	relay := relayFor(t, smtptest.Options{Faults: []smtptest.Fault{{At: smtptest.AtDot, Skip: 20, Times: 1, Action: smtptest.Stall}}})
	p := newProgram(t, "SMTP_URL="+relay.URL(), "SMTP_CONNECTIONS=1")
	list := p.listOf(readers)
	cmd, printed := p.start("send", "daily-news", "--yes")
	if err := relay.WaitStalled(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	relay.Release()
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != exitUnfinished {
		t.Errorf("it ends with %v", err)
	}
	if !strings.Contains(printed.String(), "stopped; the same command") {
		t.Errorf("it says\n%s", printed)
	}
	p.run("send", "daily-news", "--yes")
	took := tookEach(relay)
	for _, r := range list {
		if took[r] != 1 {
			t.Errorf("%s got it %d times", r, took[r])
		}
	}
	if out := p.run("edition", "deliveries", "1", "--doubted"); !strings.Contains(out, "no such deliveries") {
		t.Errorf("in doubt: %s", out)
	}
}

// freePort is where a service of a test listens; the next one asks for another.
const anyPort = "LISTEN=127.0.0.1:0"

// serve starts the service and waits until it listens; it returns its address.
func (p *program) serve() (*exec.Cmd, *lines, string) {
	p.t.Helper()
	cmd, printed := p.start("serve")
	var address string
	newsroomtest.Until(p.t.Context(), p.t, "the service listens", func() bool {
		address, _, _ = strings.Cut(printed.after("msg=serving address="), " ")
		return address != "" || cmd.ProcessState != nil
	})
	return cmd, printed, address
}

func TestServeAndSendTogether_EveryReaderOnce(t *testing.T) {
	t.Parallel()
	const readers = 200
	relay := relayFor(t, smtptest.Options{Pipelining: true})
	p := newProgram(t, "SMTP_URL="+relay.URL(), "SMTP_CONNECTIONS=3", anyPort)
	list := p.listOf(readers)

	// The command sends; a service starts, takes over, and is stopped and killed on the way.
	relay.SetFaults(smtptest.Fault{At: smtptest.AtDot, Skip: 30, Times: 1, Action: smtptest.Stall})
	send, printed := p.start("send", "daily-news", "--yes")
	if err := relay.WaitStalled(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	service, _, address := p.serve()
	resp, err := http.Get(address + "/readyz")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("the service is not ready: %v", err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	relay.Release()
	if err := send.Wait(); err != nil {
		t.Fatalf("send ends with %v\n%s", err, printed)
	}
	if !strings.Contains(printed.String(), "accepted  200") {
		t.Errorf("send says\n%s", printed)
	}
	took := tookEach(relay)
	for _, r := range list {
		if took[r] != 1 {
			t.Errorf("%s got it %d times", r, took[r])
		}
	}
	if err := service.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := service.Wait(); err != nil {
		t.Errorf("serve ends with %v", err)
	}
}

// The service sends what was planned before it was killed.
func TestServe_GoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	const readers = 120
	relay := relayFor(t, smtptest.Options{Faults: []smtptest.Fault{{At: smtptest.AtDot, Skip: 20, Times: 1, Action: smtptest.Stall}}})
	p := newProgram(t, "SMTP_URL="+relay.URL(), "SMTP_CONNECTIONS=2", anyPort)
	list := p.listOf(readers)
	first, _, _ := p.serve()
	watch, _ := p.start("send", "daily-news", "--yes")
	if err := relay.WaitStalled(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range []*exec.Cmd{watch, first} {
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
	relay.Release()
	p.serve()
	newsroomtest.Until(t.Context(), t, "everybody has it", func() bool { return len(tookEach(relay)) == readers })
	newsroomtest.Until(t.Context(), t, "the edition is finished", func() bool {
		return strings.Contains(p.run("edition", "list", "--json"), `"state": "sent"`)
	})
	for _, r := range list {
		if n := tookEach(relay)[r]; n < 1 {
			t.Errorf("%s got it %d times", r, n)
		}
	}
}
