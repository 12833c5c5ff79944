package desk_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"
)

// A year of slots in the zones whose clocks change in the oddest ways, two a day, where one can be
// inside the hours that the clock jumps over or shows twice. Two processes on one database tick
// in turn or together, one of them is started anew now and then, and some nights none is there.
// Each slot is on record exactly once, at its time, and as missed only if nobody was there. YEARS is
// how many of the zones have one: make test has them all without the race detector, and one with it.
func TestSchedule_AYearOfSlotsInTheWorstZones(t *testing.T) {
	t.Parallel()
	for i, test := range []struct{ zone, first, second string }{
		{"Australia/Lord_Howe", "02:15", "01:45"}, // half an hour
		{"Pacific/Chatham", "03:00", "03:30"},     // at 02:45 and 03:45
		{"Africa/Casablanca", "02:30", "02:00"},   // around Ramadan
		{"Africa/Cairo", "00:30", "23:30"},        // at midnight
		{"America/Santiago", "00:00", "23:30"},
		{"Antarctica/Troll", "01:30", "02:00"}, // two hours
	} {
		if i >= fromEnvironment(t, "YEARS", 6) {
			break
		}
		t.Run(test.zone, func(t *testing.T) {
			t.Parallel()
			y := newYear(t, test.zone, test.first, test.second)
			y.live()
			y.check()
		})
	}
}

// year is a newsletter with two daily slots over a year.
type year struct {
	*propertyWorld
	zone  *time.Location
	first time.Time // of the year
	times map[string]string
	ticks []time.Time
	other *desk.Desk
	close func()
	n     newsletter.Newsletter
}

func newYear(t *testing.T, zone, first, second string) *year {
	t.Helper()
	y := &year{propertyWorld: newPropertyWorld(t, 1), times: map[string]string{newsletter.MainSlot: first, "second": second}}
	y.Rand = rand.New(rand.NewPCG(5, 22))
	var err error
	y.zone, err = time.LoadLocation(zone)
	y.must(err)
	y.first = time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	y.clock.Add(y.first.Sub(y.clock.Now()))
	y.feeds = []*propertyFeed{{}}
	y.publish(true)
	y.n = newsletter.Newsletter{
		Slug: "daily-news", Name: "News", From: newsletter.Address{Name: "Example News", Email: "news@example.org"},
		PrivacyURL: "https://www.example.org/privacy", LegalFooter: "Registered in England.",
		PostalAddress: "1 Example Street, London", Language: "en", Zone: zone, MinArticles: 1, MaxArticles: 12, Status: newsletter.Open,
	}
	for _, slot := range []string{newsletter.MainSlot, "second"} {
		rule, err := newsletter.ParseRule("daily " + y.times[slot])
		y.must(err)
		y.n.Schedules = append(y.n.Schedules, newsletter.Schedule{Cadence: newsletter.Daily, Slot: slot, Rule: rule})
	}
	y.n, err = y.desk.CreateNewsletter(t.Context(), y.n)
	y.must(err)
	_, err = y.desk.AddSource(t.Context(), y.feeds[0].url(), y.n.Slug, "Feed")
	y.must(err)
	for slot := range y.times {
		email := slot + "@example.org"
		_, err := y.store.AddSubscriptions(t.Context(), newsletter.Addition{
			Email: email, EmailKey: email, Suppression: y.barred.Hashes(email), Origin: newsletter.Origin{Channel: "staff", Note: "test"},
			Choices: []newsletter.SignUpChoice{{NewsletterID: y.n.ID, Cadence: newsletter.Daily, Slot: slot}},
		}, y.clock.Now())
		y.must(err)
	}
	y.restart()
	t.Cleanup(func() { y.close() })
	return y
}

// restart starts the other process anew.
func (y *year) restart() {
	if y.close != nil {
		y.close()
	}
	s, err := store.Open(y.t.Context(), y.store.Path(), store.ExistingOnly)
	y.must(err)
	y.close = func() { _ = s.Close() }
	y.other = y.newDesk(s, s)
}

// live lets the year pass.
func (y *year) live() {
	ctx := y.t.Context()
	for y.clock.Now().Before(y.first.AddDate(1, 0, 0)) {
		step := 4*time.Hour + time.Duration(y.IntN(130))*time.Minute // a slot is made up for six hours
		if y.clockChanges() {
			step = 10*time.Minute + time.Duration(y.IntN(100))*time.Minute
		}
		if y.chance(15) {
			step = 9*time.Hour + time.Duration(y.IntN(40))*time.Hour // nobody is there
		}
		y.clock.Add(step)
		if y.chance(15) {
			y.publish(true)
		}
		if y.chance(5) {
			y.restart()
		}
		y.ticks = append(y.ticks, y.clock.Now())
		desks := []*desk.Desk{y.desk, y.other}
		switch y.IntN(10) {
		case 0, 1: // one after the other at the same time
		default:
			desks = desks[y.IntN(2):][:1]
		}
		for _, d := range desks {
			y.must(d.RunSlots(ctx, newsletter.GraceTime))
		}
	}
}

// clockChanges reports whether the clock of the zone is turned within a day and a half.
func (y *year) clockChanges() bool {
	_, before := y.clock.Now().Add(-36 * time.Hour).In(y.zone).Zone()
	_, after := y.clock.Now().Add(36 * time.Hour).In(y.zone).Zone()
	return before != after
}

// due returns when a slot is due: as soon as a clock in the zone shows its time, or a later one,
// under any date. The minutes are tried one quarter after the other.
func (y *year) due(date newsletter.Date, clock string) time.Time {
	wanted := fmt.Sprintf("%s %s", date, clock)
	day := time.Date(date.Year, date.Month, date.Day, 0, 0, 0, 0, time.UTC)
	for at := day.Add(-15 * time.Hour); ; at = at.Add(15 * time.Minute) {
		if at.In(y.zone).Format("2006-01-02 15:04") >= wanted {
			return at
		}
	}
}

// check holds what is on record against what the ticks must have made of it.
func (y *year) check() {
	t := y.t
	list, err := y.desk.Editions(t.Context(), y.n.Slug, 0, 1000)
	y.must(err)
	last, counts := y.ticks[len(y.ticks)-1], map[string]int{}
	for slot, clock := range y.times {
		found := map[newsletter.Date][]newsletter.Edition{}
		for _, e := range list {
			if e.Slot == slot {
				found[e.Date] = append(found[e.Date], e)
			}
		}
		days := 0
		for date := newsletter.DateOf(y.first.In(y.zone)).AddDays(-1); ; date = date.AddDays(1) {
			due, next := y.due(date, clock), y.due(date.AddDays(1), clock)
			if due.After(last) {
				break
			}
			if !due.After(y.first) {
				continue
			}
			days++
			if len(found[date]) != 1 {
				t.Errorf("%s of %s is there %d times", slot, date, len(found[date]))
				continue
			}
			e := found[date][0]
			if !e.DueAt.Equal(due) {
				t.Errorf("%s of %s is due at %s, want %s", slot, date, e.DueAt.In(y.zone), due.In(y.zone))
			}
			seen := y.firstTick(due)
			missed := seen.Sub(due) > newsletter.GraceTime || !next.After(seen)
			if missed != (e.Reason == newsletter.SkippedMissed) || !e.AsOf.Equal(seen) {
				t.Errorf("%s of %s, due at %s: %s %q at %s; somebody was there at %s", slot, date, due, e.State, e.Reason, e.AsOf, seen)
			}
			counts[string(e.State)+" "+e.Reason]++
		}
		if len(found) != days || days < 360 {
			t.Errorf("%s: %d slots on %d days", slot, len(found), days)
		}
	}
	if counts["frozen "] < 10 || counts["skipped missed"] < 10 || counts["skipped nothing_new"] < 200 {
		t.Errorf("too little happened: %v", counts)
	}
	var twice int
	y.must(y.db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM (SELECT 1 FROM deliveries d JOIN variant_articles a ON a.variant_id = d.variant_id
		GROUP BY d.subscriber_id, a.article_id HAVING COUNT(*) > 1) twice`).Scan(&twice))
	if twice > 0 {
		t.Errorf("%d articles are given twice", twice)
	}
}

// firstTick returns when somebody looked for the first time after a slot was due.
func (y *year) firstTick(due time.Time) time.Time {
	for _, at := range y.ticks {
		if !at.Before(due) {
			return at
		}
	}
	return time.Time{}
}
