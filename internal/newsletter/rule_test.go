package newsletter_test

import (
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

func TestParseRule_ReadsWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"mon-fri 07:00":           "mon-fri 07:00",
		"Mon-Fri 7:00":            "mon-fri 07:00",
		"fri 08:00":               "fri 08:00",
		"sat,sun 09:30":           "sat,sun 09:30",
		"daily 18:00":             "mon-sun 18:00",
		"monday, wednesday 06:05": "mon,wed 06:05",
		"fri-mon 00:00":           "mon,fri-sun 00:00",
		"tue,wed,thu,sat 23:59":   "tue-thu,sat 23:59",
		"":                        "",
		"   ":                     "",
		"mon,mon 07:00":           "mon 07:00",
		"sun-sun 12:00":           "sun 12:00",
		"thursday-saturday 12:00": "thu-sat 12:00",
		"every 10:00":             "mon-sun 10:00",
		" sat - sun   9:00 ":      "sat,sun 09:00",
	} {
		r, err := newsletter.ParseRule(in)
		if err != nil {
			t.Errorf("ParseRule(%q): %v", in, err)
			continue
		}
		if got := r.String(); got != want {
			t.Errorf("ParseRule(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParseRule_ExplainsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"07:00", "mon", "mon 25:00", "mon 7", "mon 07:60", "mon 07:0", "xyz 07:00", "mon-xyz 07:00", "mo 07:00",
		"mon 07:00 utc", "mon,,tue 07:00", "mon +7:00", "- 07:00", "mon 07:00:00", "mon -1:30",
	} {
		_, err := newsletter.ParseRule(in)
		if newsletter.KindOf(err) != newsletter.Invalid {
			t.Errorf("ParseRule(%q) = %v, want an Invalid error", in, err)
		}
	}
}

// The worst dates of six zones: clocks that jump at 01:00, 02:00 or midnight, by half an hour,
// or in the afternoon of the year.
func TestResolve_AtTheWorstDates(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ zone, date, clock, want, why string }{
		{"Europe/London", "2026-03-29", "01:30", "2026-03-29T01:00:00Z", "in the gap: the first instant after it"},
		{"Europe/London", "2026-03-29", "07:00", "2026-03-29T06:00:00Z", "after the change"},
		{"Europe/London", "2026-10-25", "01:30", "2026-10-25T00:30:00Z", "shown twice: the first time"},
		{"Europe/London", "2026-10-25", "07:00", "2026-10-25T07:00:00Z", "after the change"},
		{"America/New_York", "2026-03-08", "02:30", "2026-03-08T07:00:00Z", "in the gap"},
		{"America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30:00Z", "the first time"},
		{"Africa/Cairo", "2026-04-24", "00:30", "2026-04-23T22:00:00Z", "midnight does not exist: 01:00 summer time"},
		{"Africa/Cairo", "2026-10-29", "23:30", "2026-10-29T20:30:00Z", "the hour before midnight is shown twice: the first time"},
		{"Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30:00Z", "a gap of half an hour"},
		{"Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45:00Z", "half an hour shown twice: the first time"},
		{"America/Santiago", "2026-09-06", "00:00", "2026-09-06T04:00:00Z", "midnight does not exist"},
		{"America/Santiago", "2026-04-04", "23:30", "2026-04-05T02:30:00Z", "the last hour of the day is shown twice"},
		{"America/Havana", "2026-03-08", "00:00", "2026-03-08T05:00:00Z", "midnight does not exist"},
		{"America/Havana", "2026-11-01", "00:30", "2026-11-01T04:30:00Z", "the first hour is shown twice"},
		{"Pacific/Apia", "2011-12-30", "07:00", "2011-12-30T10:00:00Z", "the day does not exist"},
	} {
		zone, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		date, err := newsletter.ParseDate(test.date)
		if err != nil {
			t.Fatal(err)
		}
		clock, err := time.Parse("15:04", test.clock)
		if err != nil {
			t.Fatal(err)
		}
		got := newsletter.Resolve(date, clock.Hour(), clock.Minute(), zone).UTC().Format(time.RFC3339)
		if got != test.want {
			t.Errorf("%s %s %s (%s) = %s, want %s", test.zone, test.date, test.clock, test.why, got, test.want)
		}
	}
}

// Over two years in each zone, a rule at any hour is due exactly once on each of its dates,
// and in order.
func TestRule_EveryDateOnce(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Europe/London", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe", "America/Santiago", "America/Havana"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range []string{"daily 00:00", "daily 00:30", "daily 01:30", "daily 01:45", "daily 02:15", "daily 02:30", "daily 07:00", "daily 23:30", "daily 23:59"} {
			rule, err := newsletter.ParseRule(spec)
			if err != nil {
				t.Fatal(err)
			}
			now := time.Date(2025, 12, 31, 12, 0, 0, 0, time.UTC)
			want := newsletter.Date{Year: 2026, Month: 1, Day: 1}
			due, _ := rule.Next(now, zone)
			for ; due.Date.Before(want); due, _ = rule.Next(due.At, zone) {
			}
			for range 2 * 365 {
				if due.Date != want {
					t.Fatalf("%s %q: due on %s, want %s", name, spec, due.Date, want)
				}
				next, ok := rule.Next(due.At, zone)
				if !ok || !next.At.After(due.At) {
					t.Fatalf("%s %q: after %v comes %v", name, spec, due, next)
				}
				due, want = next, want.AddDays(1)
			}
		}
	}
}

func TestDueSlots_NotBeforeTheRuleWasSet(t *testing.T) {
	t.Parallel()
	rule, err := newsletter.ParseRule("daily 07:00")
	if err != nil {
		t.Fatal(err)
	}
	set := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
	s := newsletter.Schedule{Cadence: newsletter.Daily, Slot: newsletter.MainSlot, Rule: rule, SetAt: set}
	for _, test := range []struct {
		now  time.Time
		want int
	}{
		{set, 0},
		{set.Add(24*time.Hour - time.Millisecond), 0},
		{set.Add(24 * time.Hour), 1},
		{set.Add(72 * time.Hour), 3},
		{set.Add(365 * 24 * time.Hour), 31}, // not more than a month back
	} {
		if got := len(s.DueSlots(test.now, time.UTC)); got != test.want {
			t.Errorf("at %s %d slots, want %d", test.now, got, test.want)
		}
	}
}

func FuzzParseRule(f *testing.F) {
	for _, s := range []string{"mon-fri 07:00", "fri-mon 0:00", "daily 23:59", "x", "sun,sat-tue 12:34"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := newsletter.ParseRule(s)
		if err != nil {
			return
		}
		again, err := newsletter.ParseRule(r.String())
		if err != nil || again != r {
			t.Fatalf("%q reads as %q, which reads as %q (%v)", s, r, again, err)
		}
		if _, ok := r.Next(time.Unix(1e9, 0), time.UTC); ok == r.IsZero() {
			t.Fatalf("%q: Next and IsZero disagree", s)
		}
	})
}
