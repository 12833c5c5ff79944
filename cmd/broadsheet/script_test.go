package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/template"
	"time"

	"broadsheet/internal/smtptest"

	"github.com/rogpeppe/go-internal/testscript"
)

// runAsProgram is set for a process that tests start and kill.
const runAsProgram = "BROADSHEET_TEST_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(runAsProgram) != "" {
		main()
	}
	testscript.Main(m, map[string]func(){"broadsheet": main})
}

// TestScripts runs the scripts in testdata against the program. Beside testscript's own
// commands they have
//
//	publish FOLDER VAR    serves the folder as a publisher's site; its address goes to $VAR
//	exits CODE COMMAND…   runs the command, which has to exit with just that code
//	relay VAR [FAULT…]    starts an SMTP server; its URL goes to $VAR. A fault is ADDRESS=REPLY,
//	                      the answer to the first RCPT for that address
//	received ADDRESS N    checks that the relay took N messages for the address, * for all
//	sender ADDRESS VAR    the envelope sender of the last message for the address goes to $VAR
//	readers N FILE        writes a list to import with the readers r1@example.org … rN@example.org
//
// The race detector takes most of the time of programs as short as these, so they run without it:
// it watches the same code in the tests of each package, and in those that start "send" and
// "serve" as processes.
//
// In what a publisher serves, {{ago "2h"}} and {{ahead "2h"}} are times as feeds write them.
func TestScripts(t *testing.T) {
	t.Parallel()
	folder := ""
	if raced {
		folder = buildProgram(t)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("BROADSHEET_ALLOW_PRIVATE_FEEDS", "true")
			e.Setenv("USER", "ada")
			e.Setenv("TZ", "UTC")
			if folder != "" {
				e.Setenv("PATH", folder+string(filepath.ListSeparator)+e.Getenv("PATH"))
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"publish":  publish,
			"exits":    exits,
			"relay":    relay,
			"received": received,
			"sender":   sender,
			"readers":  writeReaders,
		},
	})
}

// buildProgram builds the program without the race detector and returns its folder.
func buildProgram(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(folder, "broadsheet"), ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return folder
}

func publish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: publish FOLDER VAR")
	}
	folder := ts.MkAbs(args[0])
	now := time.Now()
	times := template.FuncMap{
		"ago":   func(d string) (string, error) { return shifted(now, d, -1) },
		"ahead": func(d string) (string, error) { return shifted(now, d, 1) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := filepath.Join(folder, filepath.FromSlash(filepath.Clean("/"+r.URL.Path)))
		data, err := os.ReadFile(name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		page, err := template.New(name).Funcs(times).Parse(string(data))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		var out bytes.Buffer
		if err := page.Execute(&out, nil); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(out.Bytes()))
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[1], server.URL)
}

func shifted(now time.Time, duration string, direction time.Duration) (string, error) {
	d, err := time.ParseDuration(duration)
	return now.Add(direction * d).UTC().Format(time.RFC1123Z), err
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if err != nil {
		code = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if code != args[0] {
		ts.Fatalf("it exits with %s, not %s", code, args[0])
	}
}

func relay(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: relay VAR [ADDRESS=REPLY…]")
	}
	o := smtptest.Options{Pipelining: true, EightBitMIME: true, EnhancedStatusCodes: true}
	for _, f := range args[1:] {
		to, reply, _ := strings.Cut(f, "=")
		o.Faults = append(o.Faults, smtptest.Fault{At: smtptest.AtRcpt, To: to, Times: 1, Reply: reply})
	}
	server, err := smtptest.Start(o)
	ts.Check(err)
	ts.Defer(func() { _ = server.Close() })
	ts.Setenv(args[0], server.URL())
	relays.Store(ts.Getenv("WORK"), server)
}

// relays has each script's relay, by its work folder.
var relays sync.Map

func received(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: received ADDRESS N")
	}
	server, ok := relays.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("there is no relay")
	}
	n := 0
	for _, m := range server.(*smtptest.Server).Messages() {
		if args[0] == "*" || m.To == args[0] {
			n++
		}
	}
	if fmt.Sprint(n) != args[1] {
		ts.Fatalf("the relay took %d messages for %s, not %s", n, args[0], args[1])
	}
	if problems := server.(*smtptest.Server).ProtocolErrors(); len(problems) > 0 {
		ts.Fatalf("against the protocol: %v", problems)
	}
}

func sender(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sender ADDRESS VAR")
	}
	server, ok := relays.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("there is no relay")
	}
	from := ""
	for _, m := range server.(*smtptest.Server).Messages() {
		if m.To == args[0] {
			from = m.From
		}
	}
	if from == "" {
		ts.Fatalf("the relay took no message for %s", args[0])
	}
	ts.Setenv(args[1], from)
}

func writeReaders(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	if neg || len(args) != 2 || err != nil {
		ts.Fatalf("usage: readers N FILE")
	}
	list := "email\n"
	for i := range n {
		list += fmt.Sprintf("r%d@example.org\n", i+1)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(list), 0o600))
}
