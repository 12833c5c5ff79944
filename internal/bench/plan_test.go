package main

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// readersOf returns how many readers a benchmark has.
func readersOf(b *testing.B) int {
	b.Helper()
	text := os.Getenv(readersVariable)
	if text == "" {
		return 10_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// crowd returns a newsroom with readers of one newsletter and something to send to them.
func crowd(t testing.TB, readers int) *newsroomtest.Newsroom {
	t.Helper()
	room := newsroomtest.New(t, newsroomtest.Options{})
	n := room.Newsletter("daily-news", nil)
	// One by one it would take longer than all that is measured.
	now := room.Clock.Now().UnixMilli()
	room.Exec(`WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < $1)
		INSERT INTO subscribers (email, email_key, name, time_zone, created_at, updated_at)
		SELECT 'r' || n || '@example.org', 'r' || n || '@example.org', '', '', $2, $2 FROM r`, readers, now)
	room.Exec(`INSERT INTO subscriptions (newsletter_id, subscriber_id, state, cadence, sections, joined_at, created_at, updated_at)
		SELECT $1, id, 'active', $2, 0, $3, $3, $3 FROM subscribers`, n.ID, string(newsletter.Daily), now)
	room.Clock.Add(time.Minute)
	for i := range 12 {
		room.Feed.Publish(fmt.Sprintf("Story %d", i), room.Clock.Now())
	}
	return room
}

// BenchmarkSurvey asks the source, decides for every reader what is owed, and renders a sample.
func BenchmarkSurvey(b *testing.B) {
	readers := readersOf(b)
	room := crowd(b, readers)
	for b.Loop() {
		if _, err := room.Build("daily-news"); err != nil {
			b.Fatal(err)
		}
	}
	reportRows(b, b.Elapsed(), readers)
}

// BenchmarkPlan freezes an edition and writes the ledger, durably.
func BenchmarkPlan(b *testing.B) {
	readers := readersOf(b)
	var spent time.Duration
	for range b.N {
		spent += planOnce(b, readers)
	}
	reportRows(b, spent, readers)
}

// planOnce returns how long planning takes in a newsroom of its own.
func planOnce(t testing.TB, readers int) time.Duration {
	t.Helper()
	room := crowd(t, readers)
	draft, err := room.Build("daily-news")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	e, err := room.Desk.Start(t.Context(), draft, nil)
	if err != nil {
		t.Fatal(err)
	}
	spent := time.Since(start)
	if _, tally := room.Tally(e.ID); tally.Planned != readers {
		t.Fatalf("%d rows were planned for %d readers", tally.Planned, readers)
	}
	return spent
}

func reportRows(b *testing.B, spent time.Duration, readers int) {
	b.Helper()
	b.ReportMetric(spent.Seconds()/float64(b.N), "s")
	b.ReportMetric(float64(readers), "rows")
	b.ReportMetric(float64(readers*b.N)/spent.Seconds(), "rows/s")
}

func TestPlanOnce_PlansEverybody(t *testing.T) {
	t.Parallel()
	if spent := planOnce(t, 100); spent <= 0 {
		t.Errorf("planning took %v", spent)
	}
}
