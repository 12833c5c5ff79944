package desk_test

import (
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
