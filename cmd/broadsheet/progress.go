package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"broadsheet/internal/newsletter"

	"github.com/schollz/progressbar/v3"
)

// lineEvery is how often progress is a line where there is no terminal to draw a bar on.
const lineEvery = 10 * time.Second

// progress shows how an edition goes: by a bar on a terminal, otherwise by a line now and
// then. With --json and --quiet it shows nothing.
type progress struct {
	a       *app
	out     io.Writer
	bar     *progressbar.ProgressBar
	linedAt time.Time
}

func (a *app) newProgress(out io.Writer) *progress { return &progress{a: a, out: out} }

// tell shows the pulse. What is being watched, another process sends.
func (p *progress) tell(pulse newsletter.Pulse, watching bool) {
	t := pulse.Tally
	if p.a.json || p.a.quiet || t.Planned == 0 {
		return
	}
	what := "sending"
	if watching {
		what = "watching: another process sends"
	}
	if !isTerminal(p.out) {
		p.line(pulse, what)
		return
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(t.Planned,
			progressbar.OptionSetWriter(p.out), progressbar.OptionShowCount(), progressbar.OptionThrottle(200*time.Millisecond),
			progressbar.OptionSetPredictTime(false), progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish())
	}
	if p.bar.GetMax() != t.Planned { // it may have been seen while it was being planned
		p.bar.ChangeMax(t.Planned)
	}
	p.bar.Describe(plain(strings.Join(append([]string{what}, pulseWords(pulse, p.a.now())...), ", ")))
	// A bar that cannot be drawn is no reason to stop sending.
	_ = p.bar.Set(t.Planned - t.WaitingCount())
}

// line prints a line unless one was printed a moment ago. The first comes after a while: what
// is done by then needs none.
func (p *progress) line(pulse newsletter.Pulse, what string) {
	now := p.a.now()
	if p.linedAt.IsZero() {
		p.linedAt = now
	}
	if now.Sub(p.linedAt) < lineEvery {
		return
	}
	p.linedAt = now
	fmt.Fprintln(p.out, pulseLine(pulse, what, now))
}

// pulseLine says in one line how the edition goes.
func pulseLine(pulse newsletter.Pulse, what string, now time.Time) string {
	t := pulse.Tally
	words := append([]string{fmt.Sprintf("%s edition %d: %s, %d of %d done", now.UTC().Format("15:04:05 UTC"), pulse.EditionID, what,
		t.Planned-t.WaitingCount(), t.Planned)}, pulseWords(pulse, now)...)
	return plain(strings.Join(words, ", "))
}

// pulseWords says what there is to say beside the count: rate, connections, what is left, and
// what relays answered other than yes.
func pulseWords(pulse newsletter.Pulse, now time.Time) []string {
	var words []string
	if pulse.Rate > 0 {
		words = append(words, fmt.Sprintf("%.0f/s", pulse.Rate))
	}
	if pulse.Connections > 0 {
		words = append(words, counted(pulse.Connections, "connection", "connections"))
	}
	if eta := pulse.ETA(); eta > 0 {
		words = append(words, "about "+roughly(eta)+" left")
	}
	for i, code := range orderedKeys(pulse.Codes) {
		if i == 3 {
			words = append(words, "other replies too")
			break
		}
		words = append(words, fmt.Sprintf("%s: %d", code, pulse.Codes[code]))
	}
	if pulse.Relay != "" {
		words = append(words, "the relay: "+cut(pulse.Relay, 60))
	}
	if wait := pulse.NextTry.Sub(now); !pulse.NextTry.IsZero() && wait > time.Second && pulse.Rate == 0 {
		words = append(words, "next try in "+roughly(wait))
	}
	return words
}

// roughly returns a duration as people say it.
func roughly(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", max(1, int(d.Round(time.Second)/time.Second)))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute)/time.Minute))
	}
	return fmt.Sprintf("%d h", int(d.Round(time.Hour)/time.Hour))
}

func (p *progress) end() {
	if p.bar == nil {
		return
	}
	_ = p.bar.Clear()
	_ = p.bar.Exit()
}
