package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"

	"github.com/spf13/cobra"
)

func TestPrintTable_IsAlignedAndHarmless(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &app{stdout: &out}
	a.printTable([]string{"NAME", "N", "LAST"}, [][]string{
		{"plain", "1", "x"},
		{"経済", "22", "two\nlines"},
		{"e\u0301", "3", "\x1b[31mred\x07\u202e"},
		{"", "4", ""},
	})
	want := "NAME   N   LAST\n" +
		"plain  1   x\n" +
		"経済   22  two lines\n" +
		"e\u0301      3   [31mred\n" +
		"       4\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err     error
		started bool
		want    int
	}{
		{nil, true, exitDone},
		{errors.New("disk full"), true, exitFailed},
		{errors.New("unknown flag: --x"), false, exitUsage},
		{newsletter.Invalidf("zone", "wrong"), true, exitUsage},
		{fmt.Errorf("send: %w", newsletter.Refusef("nothing_new", "nobody is owed anything")), true, exitRefused},
		{newsletter.NotFoundf("none"), true, exitFailed},
		{newsletter.Conflictf("taken"), true, exitFailed},
		{fmt.Errorf("send: %w", unfinishedf("more tomorrow")), true, exitUnfinished},
		{usagef("what?"), true, exitUsage},
		{context.Canceled, true, exitFailed},
	} {
		a := &app{started: tt.started}
		if got := a.exitCode(tt.err); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.err, got, tt.want)
		}
	}
}

func TestReport_Refusal_IsJSONForPrograms(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	a := &app{stdout: &stdout, stderr: &stderr, json: true, started: true}
	code := a.report(nil, fmt.Errorf("send: %w", newsletter.Refusef("nothing_new", "no reader is owed anything")))
	if code != exitRefused || strings.Join(strings.Fields(stdout.String()), "") != `{"error":"noreaderisowedanything","reason":"nothing_new"}` {
		t.Errorf("%d, %s", code, stdout.String())
	}
	if stderr.String() != "error: no reader is owed anything\n" {
		t.Errorf("stderr %q", stderr.String())
	}
}

func TestSplitList(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"": nil, " , ,": nil, "AI & Data, Retail ,": {"AI & Data", "Retail"}, `Food\, Drink,Law`: {"Food, Drink", "Law"},
	} {
		if got := splitList(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestRedactURLs_HidesWhatCouldBeAPassword(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"outbox:outbox": "outbox:outbox", "sqlite:broadsheet.db": "sqlite:broadsheet.db",
		"smtp://relay.example.org:25":               "smtp://relay.example.org:25",
		"smtp://u:s3cret@relay.example.org":         "smtp://u:xxxxx@relay.example.org",
		"smtps://u:s3cret@one, smtp://u:s3cret@two": "smtps://u:xxxxx@one,smtp://u:xxxxx@two",
		"u:s3cret@relay.example.org":                "(hidden)",
		"smtp://u:s3c%ret@relay.example.org":        "(hidden)",
		"smtp://u:s3,cret@relay.example.org":        "smtp://u:xxxxx@relay.example.org",
		"relay.example.org s3cret":                  "(hidden)",
		"smtp://relay.example.org?password=s3cret":  "smtp://relay.example.org?password=xxxxx",
		"smtp://relay.example.org?tls=none":         "smtp://relay.example.org?tls=none",
		"smtp://u:12,cret@relay.example.org":        "smtp://u:xxxxx@relay.example.org",
		"smtp://u:s3cret@one?rate=5,smtp://two":     "smtp://u:xxxxx@one?rate=5,smtp://two",
		"smtp://u:s3cret,smtp://u:s3cret@two":       "(hidden)",
	} {
		if got := redactURLs(text); got != want || strings.Contains(got, "s3cret") {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Every command promises something, and shows how it is used.
func TestCommands_AreExplained(t *testing.T) {
	t.Parallel()
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		if c.Short == "" || c.Long == "" || c.Example == "" && !c.HasSubCommands() {
			t.Errorf("%s has no short or long text, or no example", c.CommandPath())
		}
		for _, line := range strings.Split(c.Long, "\n") {
			if len([]rune(line)) > 100 && !strings.HasPrefix(line, " ") {
				t.Errorf("%s: a line of %d characters is too long for a terminal", c.CommandPath(), len([]rune(line)))
			}
		}
		for _, sub := range c.Commands() {
			check(sub)
		}
	}
	check(newRootCommand(&app{now: time.Now}))
}
