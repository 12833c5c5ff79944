package delivery_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// BenchmarkMorning plans the editions of three newsletters one after the other, all of the same
// source, for readers who have all three, each with sections of their own out of ten: what one
// gives them, the next does not. BROADSHEET_READERS says for how many. Beside it stands how long it
// takes to write as many rows, which are there already, into another table, 10,000 at a time.
func BenchmarkMorning(b *testing.B) {
	readers := 20_000
	if n, err := strconv.Atoi(os.Getenv("BROADSHEET_READERS")); err == nil {
		readers = n
	}
	for range b.N {
		morning(b, readers)
	}
}

func morning(b *testing.B, readers int) {
	const past, stories = 2, 12
	b.StopTimer()
	r := newsroomtest.New(b, newsroomtest.Options{})
	slugs := []string{"ideas", "news", "review"}
	for i, slug := range slugs {
		n := r.Newsletter(slug, func(n *newsletter.Newsletter) { n.MaxArticles = 8 })
		c := planCase{readers: readers, sections: true}
		if i == 0 {
			c.subscribers(r)
		}
		c.subscribeTo(r, n, 10)
	}
	publish := func(day int) {
		for i := range stories {
			r.Feed.Publish(fmt.Sprintf("Story %d of day %d", i, day), r.Clock.Now(), fmt.Sprintf("Section %d", i%10))
		}
	}
	for day := range past {
		r.Clock.Add(24 * time.Hour)
		publish(day)
		for _, slug := range slugs {
			e := r.Begin(slug)
			r.Exec(`UPDATE deliveries SET state = 3, attempts = 1, code = 250, relay_id = 1 WHERE edition_id = $1 AND state = 1`, e.ID)
			r.Exec(`UPDATE editions SET state = 'sent' WHERE id = $1`, e.ID)
		}
	}
	r.Clock.Add(24 * time.Hour)
	publish(past)
	runtime.GC()
	stop := watchHeap()
	wall, cpu := time.Now(), cpuTime()
	b.StartTimer()
	variants, planned := 0, 0
	var survey, surveyCPU float64 // to find out what is owed to whom, before anything is frozen
	for _, slug := range slugs {
		began, used := time.Now(), cpuTime()
		draft, err := r.Build(slug)
		if err != nil {
			b.Fatal(err)
		}
		survey, surveyCPU = survey+time.Since(began).Seconds(), surveyCPU+(cpuTime()-used).Seconds()
		e, err := r.Desk.Start(b.Context(), draft, nil)
		if err != nil {
			b.Fatal(err)
		}
		variants, planned = variants+len(draft.Survey.Variants), planned+e.Planned
	}
	b.StopTimer()
	took, spent := time.Since(wall).Seconds(), (cpuTime() - cpu).Seconds()
	b.ReportMetric(took, "morning-s")
	b.ReportMetric(spent, "morning-cpu-s")
	b.ReportMetric(survey, "survey-s")
	b.ReportMetric(surveyCPU, "survey-cpu-s")
	b.ReportMetric(float64(stop())/1e6, "peak-MB")
	raw, rawCPU := bareRows(r, readers, past*len(slugs))
	b.ReportMetric(took/raw, "times-bare")
	b.ReportMetric(spent/rawCPU, "times-bare-cpu")
	b.ReportMetric(float64(variants), "variants")
	if planned != 3*readers {
		b.Fatalf("%d rows for %d readers of three newsletters", planned, readers)
	}
}

// bareRows copies the rows of the editions after one into a table of their own, and returns how long
// that took, and of the processor's time.
func bareRows(r *newsroomtest.Newsroom, readers, after int) (seconds, cpu float64) {
	const chunk = 10_000
	r.Exec(`CREATE TABLE bare (edition_id INTEGER NOT NULL, subscriber_id INTEGER NOT NULL, variant_id INTEGER, state INTEGER NOT NULL, reason TEXT,
		not_before INTEGER NOT NULL, next_try INTEGER NOT NULL, expires_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
		PRIMARY KEY (edition_id, subscriber_id)) STRICT, WITHOUT ROWID`)
	wall, before := time.Now(), cpuTime()
	for edition := after + 1; edition <= after+3; edition++ {
		for first := 0; first < readers; first += chunk {
			r.Exec(`INSERT INTO bare SELECT edition_id, subscriber_id, variant_id, state, reason, not_before, next_try, expires_at, updated_at
				FROM deliveries WHERE edition_id = $1 AND subscriber_id > $2 AND subscriber_id <= $3`, edition, first, first+chunk)
		}
	}
	return time.Since(wall).Seconds(), (cpuTime() - before).Seconds()
}

// watchHeap looks at the memory that Go has from the system, until the function that it returns
// is called, which tells the most.
func watchHeap() (stop func() uint64) {
	done, most := make(chan struct{}), make(chan uint64)
	go func() {
		var top uint64
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			top = max(top, m.Sys-m.HeapReleased)
			select {
			case <-done:
				most <- top
				return
			case <-tick.C:
			}
		}
	}()
	return func() uint64 {
		close(done)
		return <-most
	}
}
