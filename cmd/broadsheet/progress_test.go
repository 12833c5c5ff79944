package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

func TestPulseLine_SaysRateConnectionsRestAndReplies(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
	tally := newsletter.Tally{Planned: 10_000, Counts: map[newsletter.State]int{newsletter.Accepted: 3_000, newsletter.Waiting: 6_500, newsletter.Deferred: 500}}
	for _, c := range []struct {
		name  string
		pulse newsletter.Pulse
		want  string
	}{
		{"at full speed", newsletter.Pulse{EditionID: 4, Rate: 700, Connections: 20, Tally: tally},
			"07:00:00 UTC edition 4: sending, 3000 of 10000 done, 700/s, 20 connections, about 10 s left"},
		{"with refusals", newsletter.Pulse{EditionID: 4, Rate: 1, Connections: 1, Tally: tally, Codes: map[string]int{"451 4.7.1": 30, "550 5.1.1": 2, "552": 1, "421": 1}},
			"07:00:00 UTC edition 4: sending, 3000 of 10000 done, 1/s, 1 connection, about 117 min left, 451 4.7.1: 30, 550 5.1.1: 2, 421: 1, other replies too"},
		{"at rest", newsletter.Pulse{EditionID: 4, Tally: tally, Relay: "connection refused\x1b[31m", NextTry: now.Add(5 * time.Minute)},
			"07:00:00 UTC edition 4: sending, 3000 of 10000 done, the relay: connection refused[31m, next try in 5 min"},
	} {
		if got := pulseLine(c.pulse, "sending", now); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestProgress_IsALineEveryTenSecondsWithoutATerminal(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	a := &app{now: func() time.Time { return now }}
	p := a.newProgress(&out)
	for range 25 {
		p.tell(newsletter.Pulse{EditionID: 4, Tally: newsletter.Tally{Planned: 10, Counts: map[newsletter.State]int{newsletter.Waiting: 10}}}, true)
		now = now.Add(time.Second)
	}
	p.end()
	if got := strings.Count(out.String(), "\n"); got != 2 || !strings.Contains(out.String(), "watching: another process sends, 0 of 10 done") {
		t.Errorf("in 25 seconds it prints\n%s", out.String())
	}
	for name, quiet := range map[string]*app{"--json": {json: true, now: a.now}, "--quiet": {quiet: true, now: a.now}} {
		out.Reset()
		p := quiet.newProgress(&out)
		for range 25 {
			p.tell(newsletter.Pulse{Tally: newsletter.Tally{Planned: 10}}, false)
			now = now.Add(time.Second)
		}
		if out.Len() > 0 {
			t.Errorf("%s prints\n%s", name, out.String())
		}
	}
}

func TestNoFormula_GuardsWhatASpreadsheetWouldRun(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "ada@example.org": "ada@example.org", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM": "'@SUM", "\t=1": "'\t=1", "\r=1": "'\r=1",
	} {
		if got := noFormula(text); got != want {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}
