package delivery_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// BenchmarkPlan measures the survey and the planning of an edition. BROADSHEET_READERS says
// for how many readers; cpu-s is the time of the processor, which other programs stretch less.
func BenchmarkPlan(b *testing.B) {
	readers := 20_000
	if n, err := strconv.Atoi(os.Getenv("BROADSHEET_READERS")); err == nil {
		readers = n
	}
	for _, c := range []planCase{
		{name: "first edition"},
		{name: "sections", sections: true},
		{name: "7 past", past: 7},
		{name: "30 past", past: 30},
		{name: "7 past, sections", past: 7, sections: true},
		{name: "7 past, suppressions", past: 7, suppressed: 1000},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.readers = readers
			for range b.N {
				c.run(b)
			}
		})
	}
}

type planCase struct {
	name       string
	readers    int
	past       int  // daily editions that everybody got
	sections   bool // random choices of five sections, and times of joining
	suppressed int
}

func (c planCase) run(b *testing.B) {
	b.StopTimer()
	r := newsroomtest.New(b, newsroomtest.Options{})
	n := r.Newsletter("daily-news", nil)
	c.subscribe(r, n)
	for i := range c.past {
		r.Clock.Add(24 * time.Hour)
		c.publish(r, i)
		e := r.Begin(n.Slug)
		r.Exec(`UPDATE deliveries SET state = 3, attempts = 1, code = 250, relay_id = 1 WHERE edition_id = $1 AND state = 1`, e.ID)
		r.Exec(`UPDATE editions SET state = 'sent' WHERE id = $1`, e.ID)
	}
	r.Clock.Add(24 * time.Hour)
	c.publish(r, c.past)
	r.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
	before := fileSize(r.Store.Path())
	wall, cpu := time.Now(), cpuTime()
	draft, err := r.Build(n.Slug)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(wall).Seconds(), "survey-s")
	b.ReportMetric((cpuTime() - cpu).Seconds(), "survey-cpu-s")
	b.StartTimer()
	wall, cpu = time.Now(), cpuTime()
	var wal int64
	e, err := r.Desk.Start(b.Context(), draft, func(int) { wal = max(wal, fileSize(r.Store.Path()+"-wal")) })
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(wall).Seconds(), "plan-s")
	b.ReportMetric((cpuTime() - cpu).Seconds(), "plan-cpu-s")
	b.StopTimer()
	b.ReportMetric(float64(wal)/1e6, "wal-MB")
	b.ReportMetric(float64(fileSize(r.Store.Path())-before)/1e6, "grown-MB")
	b.ReportMetric(float64(len(draft.Survey.Variants)), "variants")
	if e.Planned != c.readers || draft.Survey.Planned() != c.readers || draft.Survey.Readers < c.readers/2 {
		b.Fatalf("%d rows for %d readers, of whom %d get it", e.Planned, c.readers, draft.Survey.Readers)
	}
	wall = time.Now()
	page, err := r.Store.WaitingDeliveries(b.Context(), e.ID, int64(c.readers/2), 1000)
	if err != nil || len(page) == 0 {
		b.Fatal(len(page), err)
	}
	b.ReportMetric(time.Since(wall).Seconds()*1e3, "page-ms")
}

func (c planCase) publish(r *newsroomtest.Newsroom, day int) {
	for i := range 5 {
		r.Feed.Publish(fmt.Sprintf("Story %d of day %d", i, day), r.Clock.Now(), fmt.Sprintf("Section %d", i))
	}
}

// subscribe makes the readers in a few statements: one by one would take longer than all that
// is measured.
func (c planCase) subscribe(r *newsroomtest.Newsroom, n newsletter.Newsletter) {
	c.subscribers(r)
	c.subscribeTo(r, n, 5)
	for i := range c.suppressed {
		hash := r.Barred.Hash(fmt.Sprintf("r%d@example.org", 1+rand.IntN(c.readers)))
		r.Exec(`INSERT INTO suppressions (hash, reason, created_at) VALUES ($1, 'hard_bounce', $2) ON CONFLICT DO NOTHING`, hash, i)
	}
}

func (c planCase) subscribers(r *newsroomtest.Newsroom) {
	r.Exec(`WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < $1)
		INSERT INTO subscribers (id, email, email_key, created_at, updated_at)
		SELECT n, 'r' || n || '@example.org', 'r' || n || '@example.org', $2, $2 FROM r`, c.readers, r.Clock.Now().UnixMilli())
}

// subscribeTo subscribes all of them to a newsletter with so many sections.
func (c planCase) subscribeTo(r *newsroomtest.Newsroom, n newsletter.Newsletter, sections int) {
	now := r.Clock.Now().UnixMilli()
	mask, joined := "0", "$3"
	if c.sections {
		for i := range sections {
			r.Exec(`INSERT INTO sections (newsletter_id, bit, slug, name, categories, position, created_at) VALUES ($1, $2, $3, $4, '[]', $2, 0)`,
				n.ID, i, fmt.Sprintf("section-%d", i), fmt.Sprintf("Section %d", i))
		}
		mask, joined = fmt.Sprintf("abs(random()) %% %d", 1<<sections), "$3 - abs(random()) % (60 * 86400000)"
	}
	r.Exec(`INSERT INTO subscriptions (newsletter_id, subscriber_id, state, cadence, sections, joined_at, created_at, updated_at)
		SELECT $1, id, 'active', $2, `+mask+`, `+joined+`, $3, $3 FROM subscribers ORDER BY id`, n.ID, string(newsletter.Daily), now)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
