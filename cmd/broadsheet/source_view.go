package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
)

// sayFetched tells what came of a fetch.
func (a *app) sayFetched(f desk.Fetched) {
	if f.Err != nil {
		a.warn("%s: %v", f.Source.Name, f.Err)
		return
	}
	if f.NotModified {
		a.say("%s: nothing changed since %s.", f.Source.Name, "the last fetch")
		return
	}
	i := f.Intake
	var parts []string
	for _, p := range []struct {
		n    int
		text string
	}{
		{i.New, "new"}, {i.Updated, "updated"}, {i.Known, "known"}, {i.Baseline, "older than 48 hours, so never sent"},
		{i.BackDated, "held because they are back-dated"}, {i.Held, "held because of an impossible date"},
		{i.Embargoed, "under embargo until their date"}, {len(f.Broken), "broken, so skipped"}, {f.Dropped, "too many, so left out"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.text))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "no articles")
	}
	a.say("%s: %s.", f.Source.Name, strings.Join(parts, ", "))
	for n, b := range f.Broken {
		if n == 3 {
			a.say("  … and %d more broken items", len(f.Broken)-n)
			break
		}
		a.say("  item %d %q is broken: %s", b.Index+1, cut(b.Title, 60), b.Why)
	}
	if i.TurnedOver {
		a.warn("%s turned over completely since the last fetch: articles may have been missed", f.Source.Name)
	}
}

// shownItems is how many articles of a new source are shown.
const shownItems = 10

// sayItems shows the first articles of a feed.
func (a *app) sayItems(items []newsletter.Item) {
	if a.json || a.quiet || len(items) == 0 {
		return
	}
	var rows [][]string
	for _, i := range items[:min(len(items), shownItems)] {
		date := "no date"
		if !i.Published.IsZero() {
			date = local(i.Published)
		}
		headline := cut(i.Headline, 90)
		if i.Label != "" {
			headline = i.Label + ": " + headline
		}
		rows = append(rows, []string{date, headline})
	}
	fmt.Fprintln(a.stdout)
	a.printTable([]string{"PUBLISHED", "HEADLINE"}, rows)
	if more := len(items) - shownItems; more > 0 {
		a.say("… and %d more", more)
	}
}

// safeURL returns an address without its password.
func safeURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(an address that cannot be read)"
	}
	return u.Redacted()
}

type sourceView struct {
	Source      int64      `json:"source"`
	Name        string     `json:"name"`
	URL         string     `json:"url"`
	Newsletters []string   `json:"newsletters"`
	LastFetchAt *time.Time `json:"last_fetch_at"`
	LastOKAt    *time.Time `json:"last_ok_at"`
	NextFetchAt *time.Time `json:"next_fetch_at"`
	LastError   string     `json:"last_error"`
	Failures    int        `json:"failures"`
	Items       int        `json:"items"`
	BrokenItems int        `json:"broken_items"`
	TurnedOver  bool       `json:"turned_over"`
}

func viewSource(s newsletter.Source) sourceView {
	v := sourceView{
		Source: s.ID, Name: s.Name, URL: safeURL(s.URL), Newsletters: list(s.Newsletters),
		LastFetchAt: utc(s.LastFetchAt), LastOKAt: utc(s.LastOKAt), LastError: s.LastError, Failures: s.Failures,
		Items: s.Items, BrokenItems: s.BrokenItems, TurnedOver: s.TurnedOver,
	}
	if len(s.Newsletters) > 0 {
		v.NextFetchAt = utc(s.NextFetchAt)
	}
	return v
}

func viewSources(sources []newsletter.Source) []sourceView {
	views := []sourceView{}
	for _, s := range sources {
		views = append(views, viewSource(s))
	}
	return views
}

type fetchedView struct {
	sourceView
	NotModified bool   `json:"not_modified"`
	Error       string `json:"error,omitempty"`
	New         int    `json:"new"`
	Updated     int    `json:"updated"`
	Known       int    `json:"known"`
	Baseline    int    `json:"baseline"`
	BackDated   int    `json:"back_dated"`
	Embargoed   int    `json:"embargoed"`
	Held        int    `json:"held"`
	Broken      int    `json:"broken"`
	Dropped     int    `json:"dropped"`
}

func viewFetched(f desk.Fetched) fetchedView {
	v := fetchedView{
		sourceView: viewSource(f.Source), NotModified: f.NotModified,
		New: f.Intake.New, Updated: f.Intake.Updated, Known: f.Intake.Known, Baseline: f.Intake.Baseline,
		BackDated: f.Intake.BackDated, Embargoed: f.Intake.Embargoed, Held: f.Intake.Held,
		Broken: len(f.Broken), Dropped: f.Dropped,
	}
	if f.Err != nil {
		v.Error = f.Err.Error()
	}
	return v
}
