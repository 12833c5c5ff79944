package newsletter_test

import (
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

func TestImmediateRule_Due(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ hours, since, want string }{
		{"", "2026-11-20T03:00", "2026-11-20T03:10"},
		{"06:00-22:00", "2026-11-20T12:00", "2026-11-20T12:10"},
		{"06:00-22:00", "2026-11-20T05:55", "2026-11-20T06:05"},
		{"06:00-22:00", "2026-11-20T03:00", "2026-11-20T06:00"},
		{"06:00-22:00", "2026-11-20T21:55", "2026-11-21T06:00"},
		{"22:00-06:00", "2026-11-20T23:00", "2026-11-20T23:10"},
		{"22:00-06:00", "2026-11-20T12:00", "2026-11-20T22:00"},
		{"22:00-06:00", "2026-11-20T05:30", "2026-11-20T05:40"},
		{"01:30-22:00", "2027-03-28T00:30", "2027-03-28T02:00"}, // 01:30 is jumped over
	} {
		hours, err := newsletter.ParseHours(test.hours)
		if err != nil || hours.String() != test.hours {
			t.Fatalf("%q is read as %q, %v", test.hours, hours, err)
		}
		since, err := time.ParseInLocation("2006-01-02T15:04", test.since, zone)
		if err != nil {
			t.Fatal(err)
		}
		due := newsletter.ImmediateRule{Quiet: newsletter.DefaultQuiet, Hours: hours}.Due(since, zone)
		if got := due.At.In(zone).Format("2006-01-02T15:04"); got != test.want || due.Date.String() != test.want[:10] {
			t.Errorf("%s, since %s: %s (%s), want %s", test.hours, test.since, got, due.Date, test.want)
		}
	}
	// Half past one has been, and the clock was turned back since: nobody waits for what is past.
	again := time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)
	rule := newsletter.ImmediateRule{Quiet: newsletter.DefaultQuiet, Hours: newsletter.Hours{From: 90, Until: 22 * 60}}
	if due := rule.Due(again, zone); !due.At.Equal(again.Add(newsletter.DefaultQuiet)) {
		t.Errorf("after the clock was turned back: %s", due.At)
	}
	for _, wrong := range []string{"6-22", "06:00", "06:00-06:00", "24:00-06:00", "06:00-22:60"} {
		if _, err := newsletter.ParseHours(wrong); newsletter.KindOf(err) != newsletter.Invalid {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestImmediateRule_Wants(t *testing.T) {
	t.Parallel()
	exclusive := newsletter.Candidate{Article: newsletter.Article{Item: newsletter.Item{Label: "exclusive"}}}
	politics := newsletter.Candidate{Sections: 1}
	plain := newsletter.Candidate{Sections: 2}
	for _, test := range []struct {
		rule newsletter.ImmediateRule
		want [3]bool
	}{
		{newsletter.ImmediateRule{}, [3]bool{true, true, true}},
		{newsletter.ImmediateRule{Labels: []string{"Exclusive"}}, [3]bool{true, false, false}},
		{newsletter.ImmediateRule{Sections: 1}, [3]bool{false, true, false}},
		{newsletter.ImmediateRule{Labels: []string{"Exclusive"}, Sections: 1}, [3]bool{true, true, false}},
	} {
		if got := [3]bool{test.rule.Wants(exclusive), test.rule.Wants(politics), test.rule.Wants(plain)}; got != test.want {
			t.Errorf("%+v: %v, want %v", test.rule, got, test.want)
		}
	}
}
