package desk_test

import (
	"database/sql"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// found says which gates found something, each as "gate level".
func found(list []newsletter.Finding) []string {
	var names []string
	for _, f := range list {
		if name := string(f.Gate) + " " + string(f.Level); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func TestGates(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 2)
	for name, c := range map[string]struct {
		change  func(*desk.BuildOptions)
		publish string
		draft   func(*desk.Draft)
		want    string
	}{
		"nothing":       {},
		"own words":     {change: func(o *desk.BuildOptions) { o.Words.Subject = "TEST TEST TEST" }, want: "subject fail"},
		"places":        {change: func(o *desk.BuildOptions) { o.Words.Subject = "Hello {{name}}" }, want: "subject fail"},
		"a bare link":   {change: func(o *desk.BuildOptions) { o.Words.Intro = "See [the plans](http://intranet/plans)." }, want: "links fail"},
		"loopback":      {change: func(o *desk.BuildOptions) { o.Words.Intro = "See [the plans](http://127.0.0.1/plans)." }, want: "links fail"},
		"a vague link":  {change: func(o *desk.BuildOptions) { o.Words.Intro = "[Click here](https://www.example.org/)." }, want: "html fail"},
		"no legal text": {draft: func(d *desk.Draft) { d.Newsletter.LegalFooter = "" }, want: "legal fail"},
		"a lost note": {draft: func(d *desk.Draft) {
			d.Snapshot.Blocks = append(d.Snapshot.Blocks, digest.Block{Kind: digest.KindNote, Text: "What no part of the mail says."})
		}, want: "text fail"},
		"a picture":       {draft: func(d *desk.Draft) { d.Snapshot.Blocks[0].ImageURL = "https://www.example.org/a.png" }, want: "alt warn"},
		"a shortened one": {draft: func(d *desk.Draft) { d.Sample.Shortened = true }, want: "size warn"},
		"a lost way out": {draft: func(d *desk.Draft) {
			d.Sample.Text = strings.ReplaceAll(d.Sample.Text, newsletter.PlaceUnsubscribe, "")
		}, want: "html fail,text fail"},
	} {
		o := desk.BuildOptions{Newsletter: n.Slug}
		if c.change != nil {
			c.change(&o)
		}
		draft, err := r.Desk.Build(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if c.draft != nil {
			c.draft(draft)
		}
		list := r.Desk.Gates(t.Context(), draft)
		if got := strings.Join(found(list), ","); got != c.want {
			t.Errorf("%s: %q, want %q: %+v", name, got, c.want, list)
		}
	}
}

func TestGates_StartRefusesUnlessForced(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 2)
	draft, err := r.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: n.Slug, Words: digest.Words{Subject: "[TEST] Hello"}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Desk.Start(t.Context(), draft, nil)
	wantRefusal(t, err, "gate")
	if !strings.Contains(err.Error(), "looks like one for a try; write what the edition is about") {
		t.Errorf("it says %v", err)
	}
	if list, err := r.Desk.Editions(t.Context(), n.Slug, 0, 10); err != nil || len(list) != 0 {
		t.Errorf("there are editions %v (%v)", list, err)
	}
	draft.Force = true
	if _, err := r.Desk.Start(t.Context(), draft, nil); err != nil {
		t.Fatal(err)
	}
}

// TestGates_AHeadlineDoesNotStopTheSchedule: what editors have published goes out, unless it would
// do harm.
func TestGates_AHeadlineDoesNotStopTheSchedule(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	r.Feed.Publish("GATE OPENS AT LAST", newsroomtest.Start.Add(-time.Hour))
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 1)
	draft, err := r.Build("daily-news")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(found(r.Desk.Gates(t.Context(), draft)), ","); got != "subject warn" {
		t.Errorf("found %q", got)
	}
	if _, err := r.Desk.Start(t.Context(), draft, nil); err != nil {
		t.Error(err)
	}
}

func TestGates_WhatWasForcedIsOnRecord(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 2)
	draft, err := r.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: n.Slug, Words: digest.Words{Subject: "[TEST] Hello"}})
	if err != nil {
		t.Fatal(err)
	}
	draft.Force = true
	e, err := r.Desk.Start(t.Context(), draft, nil)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", "file:"+r.Store.Path()+"?_busy_timeout=5000")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() // it is only read
	var detail string
	err = db.QueryRowContext(t.Context(), `SELECT actor || ' ' || detail FROM desk_events WHERE action = 'gates forced' AND edition_id = $1`, e.ID).Scan(&detail)
	if err != nil || !strings.HasPrefix(detail, "test subject: the subject") {
		t.Errorf("the record says %q (%v)", detail, err)
	}
}

// TestGates_TheScheduleHoldsAndTells: nobody is there who could force it, so the slot waits until
// it is mended, and staff are told.
func TestGates_TheScheduleHoldsAndTells(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 2)
	r.Exec(`UPDATE newsletters SET privacy_url = 'http://intranet/privacy'`)
	tick(t, r, at(20, 7, 1))
	tick(t, r, at(20, 7, 7))
	same(t, slots(t, r, n.Slug))
	status, err := r.Desk.Status(t.Context(), r.Store)
	if err != nil || len(status.Problems) == 0 {
		t.Fatalf("nobody is told (%v)", err)
	}
	told := status.Problems[0].Text()
	for _, want := range []string{"the daily edition of daily-news is held, and nothing is sent", "readers cannot reach http://intranet/privacy", `"broadsheet send daily-news --force"`} {
		if !strings.Contains(told, want) {
			t.Errorf("staff are told %q, without %q", told, want)
		}
	}
	r.Exec(`UPDATE newsletters SET privacy_url = 'https://www.example.org/privacy'`)
	tick(t, r, at(20, 7, 10))
	same(t, slots(t, r, n.Slug), "2026-11-20 main frozen ")
	if status, err = r.Desk.Status(t.Context(), r.Store); err != nil || len(status.Problems) > 0 && strings.Contains(status.Problems[0].What, "held") {
		t.Errorf("it is still told: %v (%v)", status.Problems, err)
	}
}

func TestCheckLinks(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 1)
	site := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(site.Close)
	draft, err := r.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: n.Slug})
	if err != nil {
		t.Fatal(err)
	}
	// All other links are of the example domain, which a test does not ask.
	draft.Sample.HTML = `<a href="` + site.URL + `/gone">a</a><a href="` + site.URL + `/gone">b</a><a href="` + r.Feed.URL + `">c</a><a href="` + newsletter.PlaceManage + `">d</a>`
	draft.Snapshot.Blocks = nil
	list, err := r.Desk.CheckLinks(t.Context(), draft)
	if err != nil || len(list) != 1 || list[0].Level != newsletter.LevelWarn || !strings.Contains(list[0].Message, "/gone answers with status 404") {
		t.Errorf("found %+v (%v)", list, err)
	}
}

// A slot that was held until its time was over is told apart from one that nobody looked after,
// and what held it is on record.
func TestGates_WhatHeldASlotForTooLongIsSaid(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 2)
	r.Exec(`UPDATE newsletters SET privacy_url = 'http://intranet/privacy'`)
	tick(t, r, at(20, 7, 1))
	tick(t, r, at(20, 13, 1))
	same(t, slots(t, r, n.Slug), "2026-11-20 main skipped held")
	status, err := r.Desk.Status(t.Context(), r.Store)
	if err != nil || len(status.Problems) != 1 {
		t.Fatalf("%v, %v", status.Problems, err)
	}
	const want = "was held until it was too late, and nothing was sent: "
	if told := status.Problems[0].Text(); !strings.Contains(told, want) || !strings.Contains(told, "readers cannot reach http://intranet/privacy") {
		t.Errorf("staff are told %q", told)
	}
	log, err := r.Desk.EditionLog(t.Context(), 1)
	if err != nil || len(log) != 1 || !strings.HasPrefix(log[0].Detail, "held: ") || !strings.Contains(log[0].Detail, "http://intranet/privacy") {
		t.Errorf("the record says %+v, %v", log, err)
	}
}
