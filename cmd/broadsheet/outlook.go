package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
)

// outlook is what staff are told about an edition before they send it.
type outlook struct {
	findings    []newsletter.Finding
	differences []desk.Difference
	forecast    desk.Forecast
}

// outlook looks at an edition that is about to be sent.
func (s *sending) outlook(ctx context.Context, sv *services, draft *desk.Draft) (outlook, error) {
	l := outlook{findings: sv.desk.Gates(ctx, draft)}
	if s.checkLinks {
		s.note("Asking the links …")
		broken, err := sv.desk.CheckLinks(ctx, draft)
		if err != nil {
			return l, err
		}
		l.findings = append(l.findings, broken...)
	}
	var err error
	if l.differences, err = sv.desk.Differences(ctx, draft); err != nil {
		return l, err
	}
	l.forecast, err = sv.desk.Forecast(ctx, draft, sv.settings.SendRate)
	return l, err
}

// showOutlook prints it after the draft.
func (a *app) showOutlook(l outlook) {
	fmt.Fprintln(a.stdout)
	takes := l.forecast.From
	if l.forecast.Duration > 0 {
		takes = fmt.Sprintf("about %s, by %s", roughly(max(l.forecast.Duration, time.Second)), l.forecast.From)
	}
	var domains []string
	for _, d := range l.forecast.Domains {
		domains = append(domains, fmt.Sprintf("%s %d", d.Domain, d.Readers))
	}
	a.printFields([][2]string{{"Takes", takes}, {"Domains", strings.Join(domains, ", ")}})
	for _, d := range l.differences {
		fmt.Fprintln(a.stdout)
		printDifference(a.stdout, d)
	}
	if len(l.findings) > 0 {
		fmt.Fprintln(a.stdout)
		var rows [][]string
		for _, f := range l.findings {
			rows = append(rows, []string{string(f.Level), string(f.Gate), f.Message + "; " + f.Remedy})
		}
		a.printTable([]string{"GATES", "", ""}, rows)
	}
}

// printDifference says what is different, a line for each thing.
func printDifference(w io.Writer, d desk.Difference) {
	if d.OldHash == d.Hash {
		fmt.Fprintf(w, "Different from %s: nothing\n", d.From)
		return
	}
	fmt.Fprintf(w, "Different from %s:\n", d.From)
	if d.Subject != d.OldSubject {
		fmt.Fprintf(w, "  subject  %q, was %q\n", plain(d.Subject), plain(d.OldSubject))
	}
	for _, part := range []struct {
		word   string
		blocks []desk.DifferentBlock
	}{{"added", d.Added}, {"gone", d.Gone}, {"moved", d.Moved}, {"changed", d.Changed}} {
		for i, b := range part.blocks {
			if i == leftShown {
				fmt.Fprintf(w, "  %-8s … and %d more\n", part.word, len(part.blocks)-i)
				break
			}
			name := fmt.Sprintf("%s %d", b.Kind, b.Article)
			if b.Article == 0 {
				name = b.Kind + " " + b.ID
			}
			fmt.Fprintf(w, "  %-8s %s, %s\n", part.word, name, plain(cut(b.Headline, 60)))
		}
	}
	if len(d.Other) > 0 {
		fmt.Fprintf(w, "  %-8s %s\n", "changed", strings.Join(d.Other, ", "))
	}
	fmt.Fprintf(w, "  hash     %.12s, was %.12s\n", d.Hash, d.OldHash)
}

// showSeen tells on stderr what gates find and what is different, and keeps what is looked at. A
// preview is shown whatever becomes of that.
func (p *previewing) showSeen(ctx context.Context, sv *services, draft *desk.Draft) {
	for _, f := range sv.desk.Gates(ctx, draft) {
		p.warn("%s, %s: %s; %s", f.Gate, f.Level, f.Message, f.Remedy)
	}
	differences, err := sv.desk.Differences(ctx, draft)
	if err != nil {
		p.warn("what is different cannot be told: %v", err)
	}
	if !p.quiet && !p.json {
		for _, d := range differences {
			printDifference(p.stderr, d)
		}
	}
	if err := sv.desk.NotePreview(ctx, draft); err != nil {
		p.warn("the next preview cannot say what is different from this one: %v", err)
	}
}

type outlookView struct {
	draftView
	Findings    []gateView          `json:"findings"`
	Differences []differenceView    `json:"differences"`
	Domains     []domainReadersView `json:"domains"`
	Takes       *float64            `json:"takes_seconds"` // null: not known
	TakesFrom   string              `json:"takes_from"`
}

type gateView struct {
	Gate    string `json:"gate"`
	Level   string `json:"level"`
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
}

type domainReadersView struct {
	Domain  string `json:"domain"`
	Readers int    `json:"readers"`
}

type differenceView struct {
	From       string      `json:"from"`
	Hash       string      `json:"hash"`
	OldHash    string      `json:"old_hash"`
	Subject    string      `json:"subject"`
	OldSubject string      `json:"old_subject"`
	Added      []blockView `json:"added"`
	Gone       []blockView `json:"gone"`
	Moved      []blockView `json:"moved"`
	Changed    []blockView `json:"changed"`
	Other      []string    `json:"other"`
}

type blockView struct {
	Kind     string `json:"kind"`
	Article  int64  `json:"article,omitempty"`
	Block    string `json:"block,omitempty"`
	Headline string `json:"headline"`
}

func viewBlocks(blocks []desk.DifferentBlock) []blockView {
	views := []blockView{}
	for _, b := range blocks {
		views = append(views, blockView{b.Kind, b.Article, b.ID, b.Headline})
	}
	return views
}

func (l outlook) view(draft *desk.Draft) outlookView {
	v := outlookView{draftView: viewDraft(draft), Findings: []gateView{}, Differences: []differenceView{}, Domains: []domainReadersView{}, TakesFrom: l.forecast.From}
	for _, f := range l.findings {
		v.Findings = append(v.Findings, gateView{string(f.Gate), string(f.Level), f.Message, f.Remedy})
	}
	for _, d := range l.differences {
		v.Differences = append(v.Differences, differenceView{
			From: d.From, Hash: d.Hash, OldHash: d.OldHash, Subject: d.Subject, OldSubject: d.OldSubject,
			Added: viewBlocks(d.Added), Gone: viewBlocks(d.Gone), Moved: viewBlocks(d.Moved), Changed: viewBlocks(d.Changed), Other: list(d.Other),
		})
	}
	for _, d := range l.forecast.Domains {
		v.Domains = append(v.Domains, domainReadersView{d.Domain, d.Readers})
	}
	if l.forecast.Duration > 0 {
		seconds := l.forecast.Duration.Seconds()
		v.Takes = &seconds
	}
	return v
}
