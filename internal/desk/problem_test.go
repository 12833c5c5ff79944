package desk_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

// kinds returns what is wrong as "missed daily-news/daily/2026-11-20".
func kinds(t *testing.T, r *newsroomtest.Newsroom) string {
	t.Helper()
	exact, err := r.Desk.Status(t.Context(), r.Store)
	if err != nil {
		t.Fatal(err)
	}
	quick, err := r.Desk.QuickStatus(t.Context(), r.Store)
	if err != nil {
		t.Fatal(err)
	}
	var lists [2][]string
	for i, s := range [][]newsletter.Alarm{exact.Problems, quick.Problems} {
		for _, a := range s {
			lists[i] = append(lists[i], string(a.Kind)+" "+a.Subject)
		}
	}
	if fmt.Sprint(lists[0]) != fmt.Sprint(lists[1]) {
		t.Errorf("Status finds %q, QuickStatus %q", lists[0], lists[1])
	}
	return strings.Join(lists[0], ", ")
}

func TestSchedule_TellsNothingPublishedFromNothingForAnybody(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(*newsroomtest.Newsroom, newsletter.Newsletter)
		reason  string
	}{
		"no article, no reader": {func(*newsroomtest.Newsroom, newsletter.Newsletter) {}, newsletter.SkippedNothingNew},
		"no article": {func(r *newsroomtest.Newsroom, n newsletter.Newsletter) {
			r.Readers(n, 1, 1)
		}, newsletter.SkippedNothingNew},
		"an article, no reader": {func(r *newsroomtest.Newsroom, _ newsletter.Newsletter) {
			r.Feed.Publish("Harbour opens", at(20, 6, 30))
		}, newsletter.SkippedNoReaders},
		"an article that is back-dated": {func(r *newsroomtest.Newsroom, n newsletter.Newsletter) {
			r.Readers(n, 1, 1)
			r.Feed.Publish("Long ago", at(1, 6, 0))
		}, newsletter.SkippedNothingOwed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newsroomtest.New(t, newsroomtest.Options{})
			n := r.Newsletter("daily-news", nil)
			test.prepare(r, n)
			tick(t, r, at(20, 7, 0))
			same(t, slots(t, r, n.Slug), "2026-11-20 main skipped "+test.reason)
			if got := kinds(t, r); got != "" {
				t.Errorf("that is wrong: %s", got)
			}
			if last, err := r.Desk.LastHandled(t.Context(), r.Store); err != nil || !last.Equal(at(20, 7, 0)) {
				t.Errorf("handled at %s, %v", last, err)
			}
		})
	}
}

func TestSchedule_ASourceThatFailsIsNotADayWithoutNews(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 1)
	r.Feed.SetDown(true)
	tick(t, r, at(20, 7, 0))
	tick(t, r, at(20, 7, 10))
	if got := kinds(t, r); got != "late daily-news/daily" {
		t.Errorf("while it waits: %s", got)
	}
	tick(t, r, at(20, 13, 1))
	same(t, slots(t, r, n.Slug), "2026-11-20 main skipped "+newsletter.SkippedSourceFailed)
	if got := kinds(t, r); got != "missed daily-news/daily/2026-11-20" {
		t.Errorf("after it: %s", got)
	}
	if last, err := r.Desk.LastHandled(t.Context(), r.Store); err != nil || !last.IsZero() {
		t.Errorf("handled at %s, %v", last, err)
	}
	r.Feed.SetDown(false)
	r.Feed.Publish("Harbour opens", r.Clock.Now())
	r.Send(n.Slug) // what was missed goes out by hand
	if got := kinds(t, r); got != "" {
		t.Errorf("after it was made up for: %s", got)
	}
}

func TestStatus_AnEditionIsStuckOnlyIfSomethingCouldBeDone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		faults []smtptest.Fault
		after  time.Duration
		want   string
	}{
		"one of many put off":            {[]smtptest.Fault{{At: smtptest.AtRcpt, To: "r3@example.org", Reply: "451 later"}}, 2 * time.Hour, ""},
		"all put off for a moment":       {[]smtptest.Fault{{At: smtptest.AtRcpt, Reply: "451 later"}}, 11 * time.Minute, ""},
		"all put off for more than that": {[]smtptest.Fault{{At: smtptest.AtRcpt, Reply: "451 later"}}, time.Hour, "stuck edition/1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newsroomtest.New(t, newsroomtest.Options{SMTP: smtptest.Options{Pipelining: true, Faults: test.faults}})
			n := r.Newsletter("daily-news", nil)
			r.Readers(n, 1, 20)
			r.Feed.Publish("Harbour opens", r.Clock.Now())
			e := r.Begin(n.Slug)
			_ = r.Desk.Carry(t.Context(), e.ID, 0, nil) // it is not finished
			_, tally := r.Tally(e.ID)
			if tally.Counts[newsletter.Deferred] == 0 {
				t.Fatalf("nothing is put off: %v", tally.Counts)
			}
			role, err := r.Store.TakeSender("test", r.Clock.Now()) // who sends, and waits for the next try
			if err != nil || role == nil {
				t.Fatal(role, err)
			}
			defer role.Close() // the process's end closes it too
			if err := r.Store.NoteProgress(t.Context(), e.ID, tally.Counts[newsletter.Accepted], false, r.Clock.Now()); err != nil {
				t.Fatal(err)
			}
			r.Clock.Add(test.after)
			r.Exec(`UPDATE deliveries SET next_try = ? WHERE state = 5`, r.Clock.Now().Add(time.Minute).UnixMilli())
			if got := kinds(t, r); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestStatus_SaysWhatIsWrongWithALedger(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 4)
	r.Feed.Publish("Harbour opens", r.Clock.Now())
	e, _ := r.Send(n.Slug)
	again := func() {
		r.Exec(`UPDATE editions SET totals_at = NULL`) // the rows are counted, not the totals
		r.Clock.Add(6 * time.Minute)                   // QuickStatus counts again after five
	}
	states := func(list ...newsletter.State) {
		for i, s := range list {
			r.Exec(`UPDATE deliveries SET state = ? WHERE edition_id = ? AND subscriber_id = ?`, int(s), e.ID, i+1)
		}
		again()
	}
	for _, test := range []struct {
		states []newsletter.State
		want   string
	}{
		{[]newsletter.State{newsletter.Accepted, newsletter.Refused, newsletter.Withheld, newsletter.Accepted}, ""},
		{[]newsletter.State{newsletter.Refused, newsletter.Refused, newsletter.Withheld, newsletter.Refused}, "refused edition/1"},
		{[]newsletter.State{newsletter.Accepted, newsletter.InDoubt, newsletter.Expired, newsletter.Accepted}, "in_doubt edition/1, expired edition/1"},
	} {
		states(test.states...)
		if got := kinds(t, r); got != test.want {
			t.Errorf("%v: %s, want %s", test.states, got, test.want)
		}
	}
	r.Exec(`DELETE FROM deliveries WHERE subscriber_id IN (2, 3)`)
	again()
	if got := kinds(t, r); got != "imbalance edition/1" {
		t.Errorf("after rows are gone: %s", got)
	}
}

func TestStatus_TellsOfManyComplaints(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	r.Feed.Publish("Harbour opens", at(20, 5, 0))
	r.Readers(r.Newsletter("daily-news", nil), 1, 20)
	e, _ := r.Send("daily-news")
	for reader := int64(1); reader <= 3; reader++ {
		if got := kinds(t, r); got != "" {
			t.Errorf("after %d complaints there is %q", reader-1, got)
		}
		_, err := r.Store.TakeReturn(t.Context(), newsletter.Return{
			EditionID: e.ID, SubscriberID: reader, Kind: newsletter.ReturnComplaint, Channel: "test", At: r.Clock.Now(),
		}, newsletter.DefaultSoftLimit())
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, want := kinds(t, r), fmt.Sprintf("complaints edition/%d", e.ID); got != want {
		t.Errorf("there is %q, want %q", got, want)
	}
}

// What is in doubt is not settled by the next edition: it stays wrong until somebody does.
func TestStatus_ADoubtOutlastsTheNextEdition(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 4)
	r.Feed.Publish("Harbour opens", r.Clock.Now())
	e, _ := r.Send(n.Slug)
	r.Exec(`UPDATE deliveries SET state = 6 WHERE edition_id = ? AND subscriber_id = 2`, e.ID)
	r.Exec(`UPDATE editions SET on_doubt = 'hold' WHERE id = ?`, e.ID)
	r.Exec(`UPDATE editions SET totals_at = NULL`)
	r.Clock.Add(6 * time.Minute)
	r.Feed.Publish("Harbour closes", r.Clock.Now())
	r.Send(n.Slug)
	if got := kinds(t, r); got != "in_doubt edition/1" {
		t.Errorf("after the next edition: %s", got)
	}
	if _, err := r.Desk.Resolve(t.Context(), newsletter.ResolveFilter{EditionID: e.ID}, newsletter.Arrived); err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(6 * time.Minute)
	if got := kinds(t, r); got != "" {
		t.Errorf("after it was settled: %s", got)
	}
}

// An edition whose warm-up is through with the day is not stuck, though nobody sends.
func TestStatus_AWarmUpIsNoAlarm(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 10)
	r.Feed.Publish("Harbour opens", r.Clock.Now())
	e := r.Begin(n.Slug)
	r.Exec(`UPDATE editions SET warm_up = '3/day x1' WHERE id = ?`, e.ID)
	err := r.Desk.Carry(t.Context(), e.ID, 0, nil)
	if err == nil || !strings.Contains(err.Error(), "the warm-up's share of today is sent (3/day x1), it goes on at 00:00 UTC on") {
		t.Fatal(err)
	}
	if got := kinds(t, r); got != "" {
		t.Errorf("on the first day: %s", got)
	}
	r.Clock.Add(24 * time.Hour)
	if got := kinds(t, r); !strings.Contains(got, "stuck edition/1") {
		t.Errorf("on the second day: %s", got)
	}
}
