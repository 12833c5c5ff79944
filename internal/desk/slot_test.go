package desk_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// tick lets the schedule look at a time.
func tick(t *testing.T, r *newsroomtest.Newsroom, at time.Time) {
	t.Helper()
	r.Clock.Add(at.Sub(r.Clock.Now()))
	if err := r.Desk.RunSlots(t.Context(), newsletter.GraceTime); err != nil {
		t.Fatal(err)
	}
}

// slots returns the newsletter's editions, the oldest first, as "date slot state reason".
func slots(t *testing.T, r *newsroomtest.Newsroom, slug string) []string {
	t.Helper()
	list, err := r.Desk.Editions(t.Context(), slug, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for i := len(list) - 1; i >= 0; i-- {
		e := list[i]
		words = append(words, fmt.Sprintf("%s %s %s %s", e.Date, e.Slot, e.State, e.Reason))
	}
	return words
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the slots are\n%q, want\n%q", got, want)
	}
}

func at(day, hour, minute int) time.Time {
	return time.Date(2026, 11, day, hour, minute, 0, 0, time.UTC)
}

func TestSchedule_BuildsASlotOnceWhateverTicks(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	r.Feed.Publish("Harbour opens", at(20, 5, 0))
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 3)
	tick(t, r, at(20, 6, 59))
	same(t, slots(t, r, n.Slug))
	r.Clock.Add(time.Minute)
	var wg sync.WaitGroup
	for range 6 { // processes that tick together
		wg.Go(func() {
			if err := r.Desk.RunSlots(t.Context(), newsletter.GraceTime); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	same(t, slots(t, r, n.Slug), "2026-11-20 main frozen ")
	if _, tally := r.Tally(1); tally.Planned != 3 || tally.WaitingCount() != 3 {
		t.Errorf("planned %d, waiting %d", tally.Planned, tally.WaitingCount())
	}
	tick(t, r, at(20, 12, 0))
	same(t, slots(t, r, n.Slug), "2026-11-20 main frozen ")
}

func TestSchedule_MondayHasAllSinceFriday(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	r.Feed.Publish("Friday's", at(20, 5, 0))
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 1)
	tick(t, r, at(20, 7, 0))
	for day := 20; day <= 23; day++ {
		r.Clock.Add(at(day, 9, 0).Sub(r.Clock.Now()))
		if day == 23 {
			r.Clock.Add(at(day, 6, 0).Sub(r.Clock.Now()))
		}
		r.Feed.Publish(fmt.Sprintf("Of the %dth", day), r.Clock.Now())
		if _, err := r.Desk.FetchAll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tick(t, r, at(23, 7, 0))
	same(t, slots(t, r, n.Slug), "2026-11-20 main frozen ", "2026-11-23 main frozen ")
	if e, _ := r.Tally(2); e.Articles != 4 {
		t.Errorf("Monday's edition has %d articles, want 4", e.Articles)
	}
}

func TestSchedule_AMissedSlotIsMadeUpOnceOrRecorded(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	r.Feed.Publish("Harbour opens", at(20, 5, 0))
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 1)
	tick(t, r, at(20, 13, 1)) // more than six hours late
	same(t, slots(t, r, n.Slug), "2026-11-20 main skipped missed")
	tick(t, r, at(25, 12, 59)) // nobody was there on Monday and Tuesday; Wednesday's is made up
	same(t, slots(t, r, n.Slug), "2026-11-20 main skipped missed", "2026-11-23 main skipped missed",
		"2026-11-24 main skipped missed", "2026-11-25 main frozen ")
	if e, _ := r.Tally(4); e.Articles != 1 {
		t.Errorf("what was missed is lost: %d articles", e.Articles)
	}
}

func TestSchedule_SaysWhyASlotWasSkipped(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 1)
	tick(t, r, at(20, 7, 0))
	if _, err := r.Desk.SkipDate(t.Context(), n.Slug, newsletter.Date{Year: 2026, Month: 11, Day: 23}, ""); err != nil {
		t.Fatal(err)
	}
	r.Feed.Publish("Harbour opens", at(22, 5, 0))
	tick(t, r, at(23, 7, 0))
	if _, err := r.Desk.PauseNewsletter(t.Context(), n.Slug); err != nil {
		t.Fatal(err)
	}
	tick(t, r, at(24, 7, 0))
	same(t, slots(t, r, n.Slug), "2026-11-20 main skipped nothing_new", "2026-11-23 main skipped staff", "2026-11-24 main skipped newsletter_paused")
	if _, err := r.Desk.ResumeNewsletter(t.Context(), n.Slug); err != nil {
		t.Fatal(err)
	}
	tick(t, r, at(25, 7, 0))
	if e, _ := r.Tally(4); e.Articles != 1 {
		t.Errorf("after the pause %d articles", e.Articles)
	}
}

func TestSchedule_AManualSendTakesTheDaysSlot(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	r.Feed.Publish("Harbour opens", at(20, 5, 0))
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 1)
	r.Send(n.Slug) // at six
	r.Feed.Publish("Later", at(20, 6, 30))
	tick(t, r, at(20, 7, 0))
	same(t, slots(t, r, n.Slug), "2026-11-20 main sent ")

	r.Clock.Add(at(23, 6, 0).Sub(r.Clock.Now()))
	draft, err := r.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: n.Slug, Extra: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Desk.Start(t.Context(), draft, nil); err != nil {
		t.Fatal(err)
	}
	r.Feed.Publish("Just in", at(23, 6, 30))
	tick(t, r, at(23, 7, 0))
	same(t, slots(t, r, n.Slug), "2026-11-20 main sent ", "2026-11-23 extra-1 frozen ", "2026-11-23 main frozen ")
}

func TestSchedule_ANewRuleDoesNotReachBackNorSendTwice(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	r.Feed.Publish("Harbour opens", at(20, 5, 0))
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 1)
	tick(t, r, at(20, 7, 0))
	rule := "mon-fri 08:00"
	if _, err := r.Desk.EditNewsletter(t.Context(), n.Slug, desk.NewsletterEdit{Daily: &rule}); err != nil {
		t.Fatal(err)
	}
	r.Feed.Publish("Later", at(20, 7, 30))
	tick(t, r, at(20, 8, 0)) // the day has its slot
	rule = "mon-fri 06:00"
	r.Clock.Add(at(23, 7, 0).Sub(r.Clock.Now()))
	if _, err := r.Desk.EditNewsletter(t.Context(), n.Slug, desk.NewsletterEdit{Daily: &rule}); err != nil {
		t.Fatal(err)
	}
	tick(t, r, at(23, 7, 1)) // Monday's 06:00 passed before the rule was set
	tick(t, r, at(24, 6, 0))
	same(t, slots(t, r, n.Slug), "2026-11-20 main frozen ", "2026-11-24 main frozen ")
}

// Two weeks around the change of clocks, ticking every half hour: one slot a day, in every
// zone, whatever the change does to the due time.
func TestSchedule_OneSlotADayAroundClockChanges(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		zone, rule string
		change     time.Time
	}{
		{"Europe/London", "daily 01:30", time.Date(2027, 3, 28, 1, 0, 0, 0, time.UTC)},
		{"Europe/London", "daily 01:30", time.Date(2027, 10, 31, 1, 0, 0, 0, time.UTC)},
		{"America/New_York", "daily 02:30", time.Date(2027, 3, 14, 7, 0, 0, 0, time.UTC)},
		{"Africa/Cairo", "daily 00:30", time.Date(2027, 4, 29, 22, 0, 0, 0, time.UTC)},
		{"Australia/Lord_Howe", "daily 02:15", time.Date(2027, 10, 2, 15, 30, 0, 0, time.UTC)},
		{"America/Santiago", "daily 00:00", time.Date(2027, 9, 5, 4, 0, 0, 0, time.UTC)},
		{"America/Havana", "daily 00:00", time.Date(2027, 3, 14, 5, 0, 0, 0, time.UTC)},
	} {
		t.Run(test.zone+" "+test.change.Format(time.DateOnly), func(t *testing.T) {
			t.Parallel()
			r := newsroomtest.New(t, newsroomtest.Options{})
			begin := test.change.Add(-7 * 24 * time.Hour)
			r.Clock.Add(begin.Sub(r.Clock.Now()))
			n := r.Newsletter("daily-news", func(n *newsletter.Newsletter) {
				rule, err := newsletter.ParseRule(test.rule)
				if err != nil {
					t.Fatal(err)
				}
				n.Zone, n.Schedules[0].Rule = test.zone, rule
			})
			zone, err := n.Location()
			if err != nil {
				t.Fatal(err)
			}
			for now := begin; now.Before(begin.Add(14 * 24 * time.Hour)); now = now.Add(30 * time.Minute) {
				tick(t, r, now)
			}
			list, err := r.Desk.Editions(t.Context(), n.Slug, 0, 100)
			if err != nil {
				t.Fatal(err)
			}
			if len(list) < 13 || len(list) > 15 {
				t.Fatalf("%d slots in two weeks", len(list))
			}
			for i := 1; i < len(list); i++ { // the newest first
				if list[i].Date.AddDays(1) != list[i-1].Date {
					t.Errorf("after %s comes %s", list[i].Date, list[i-1].Date)
				}
			}
			for _, e := range list {
				if e.Reason != newsletter.SkippedNothingNew || newsletter.DateOf(e.DueAt.In(zone)) != e.Date {
					t.Errorf("%s %s is due at %s", e.Date, e.Reason, e.DueAt.In(zone))
				}
			}
		})
	}
}

// A feed that is down when the slot is due gets its chance within the grace time.
func TestSchedule_WaitsForASourceThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 1)
	r.Feed.Publish("Harbour opens", at(20, 6, 30))
	r.Feed.SetDown(true)
	tick(t, r, at(20, 7, 0))
	tick(t, r, at(20, 7, 1))
	same(t, slots(t, r, n.Slug))
	r.Feed.SetDown(false)
	tick(t, r, at(20, 7, 10))
	same(t, slots(t, r, n.Slug), "2026-11-20 main frozen ")
}

func TestStatus_SaysWhatIsLateWhenNobodyServes(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 1)
	r.Feed.Publish("Harbour opens", at(20, 5, 0))
	problems := func() []string {
		t.Helper()
		s, err := r.Desk.Status(t.Context(), r.Store)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, p := range s.Problems {
			texts = append(texts, p.Text())
		}
		return texts
	}
	if p := problems(); len(p) > 0 {
		t.Errorf("at the beginning: %v", p)
	}
	r.Clock.Add(at(24, 14, 0).Sub(r.Clock.Now()))
	if p := problems(); len(p) != 1 || !strings.Contains(p[0], "due and not built (3 slots in all), since Tue 24 Nov 07:00 GMT") {
		t.Errorf("after three days: %v", p)
	}
	tick(t, r, at(25, 7, 0))
	if p := problems(); len(p) != 1 || !strings.Contains(strings.Join(p, " "), "nobody sends") {
		t.Errorf("with an edition that nobody sends: %v", p)
	}
	r.Clock.Add(48 * time.Hour)
	if err := r.Desk.Carry(t.Context(), 4, time.Second, nil); err != nil {
		t.Fatal(err)
	}
	if p := strings.Join(problems(), " "); !strings.Contains(p, "was not delivered in time to 1 reader") {
		t.Errorf("after it expired: %v", p)
	}
}
