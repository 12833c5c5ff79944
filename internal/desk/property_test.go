package desk_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
)

// The worlds of the property test: so many, so long.
const (
	propertyWorlds = 12
	propertyDays   = 60
)

// Whatever happens over months, nobody gets an article twice; every article that is owed to a
// reader reaches them once, or a reason is on record; and every row is accounted for.
//
// The worlds are the same ones each time, so that a change is held against what stood before it.
// PROPERTY_SEED runs one world, PROPERTY_FROM others from a seed on ("now": nobody has seen them),
// PROPERTY_WORLDS and PROPERTY_DAYS set how many and how long.
func TestProperty_EveryArticleReachesEveryReaderOnce(t *testing.T) {
	t.Parallel()
	worlds, days := fromEnvironment(t, "PROPERTY_WORLDS", propertyWorlds), fromEnvironment(t, "PROPERTY_DAYS", propertyDays)
	base := firstSeed(t)
	if s := os.Getenv("PROPERTY_SEED"); s != "" {
		var err error
		if base, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
		worlds = 1
	}
	var mu sync.Mutex
	all := propertyCount{lost: map[string]int{}}
	var pool errgroup.Group
	pool.SetLimit(8) // they wait for the disk most of the time
	for i := range worlds {
		seed := base + uint64(i)
		pool.Go(func() error {
			t.Run(fmt.Sprint("PROPERTY_SEED=", seed), func(t *testing.T) {
				w := newPropertyWorld(t, seed)
				w.live(days)
				mu.Lock()
				defer mu.Unlock()
				all.add(w.model.count)
			})
			return nil
		})
	}
	_ = pool.Wait() // none fails: the worlds tell the test
	t.Logf("%d worlds from seed %d: %d days, %d editions, %d rows, %d messages (%d of them once more after a doubt), %d articles given, %d told of again, %d copies without what was withdrawn, %d plans cut off, %d senders killed",
		worlds, base, all.days, all.editions, all.rows, all.messages, all.twice, all.owed, all.again, all.recopied, all.cuts, all.kills)
	for _, why := range slices.Sorted(maps.Keys(all.lost)) {
		t.Logf("not owed any more: %-60s %d", why, all.lost[why])
	}
}

// firstSeed returns the seed of the first world.
func firstSeed(t *testing.T) uint64 {
	t.Helper()
	const usual = 20261123
	switch from := os.Getenv("PROPERTY_FROM"); from {
	case "":
		return usual
	case "now":
		return uint64(time.Now().UnixNano())
	default:
		n, err := strconv.ParseUint(from, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

func fromEnvironment(t *testing.T, name string, otherwise int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (c *propertyCount) add(o propertyCount) {
	c.days += o.days
	c.editions += o.editions
	c.rows += o.rows
	c.messages += o.messages
	c.twice += o.twice
	c.owed += o.owed
	c.again += o.again
	c.recopied += o.recopied
	c.cuts += o.cuts
	c.kills += o.kills
	for why, n := range o.lost {
		c.lost[why] += n
	}
}

// live lets the days pass. In the last weeks nobody changes anything, so that what is owed comes.
func (w *propertyWorld) live(days int) {
	w.found()
	for day := range days {
		calm := day > days-16
		begin := w.clock.Now()
		w.publish(calm)
		if !calm {
			w.readersAct()
			w.staffAct()
		}
		for _, at := range w.dueUntil(begin.Add(24 * time.Hour)) {
			if !calm && w.chance(30) {
				continue // nobody was there
			}
			if at.After(w.clock.Now()) {
				w.clock.Add(at.Sub(w.clock.Now()))
			}
			w.pass(5 * time.Minute)
			if !calm && w.chance(50) {
				w.pass(7 * time.Hour)
			}
			w.tick(calm)
			if !calm && w.chance(100) {
				w.readersAct() // between planning and sending
			}
			w.carry(calm)
		}
		if rest := begin.Add(24 * time.Hour).Sub(w.clock.Now()); rest > 0 {
			w.clock.Add(rest)
		}
		w.model.count.days++
		if w.told {
			return
		}
	}
	w.model.finish()
}

// found makes newsletters, sources, sections and the first readers.
func (w *propertyWorld) found() {
	for i := range 1 + w.IntN(3) {
		w.feeds = append(w.feeds, &propertyFeed{id: i})
	}
	w.publish(false)
	zones := []string{"Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca", "Pacific/Chatham", "UTC"}
	for i := range []int{1, 1, 1, 1, 2, 2, 2, 3}[w.IntN(8)] {
		n := newsletter.Newsletter{
			Slug: fmt.Sprint("n", i), Name: "News", From: newsletter.Address{Name: "Example News", Email: "news@example.org"},
			PrivacyURL: "https://www.example.org/privacy", LegalFooter: "Registered in England.",
			PostalAddress: "1 Example Street, London", Language: "en", Zone: zones[w.IntN(len(zones))],
			MinArticles: 1 + w.IntN(4)/3, MaxArticles: []int{3, 6, 12}[w.IntN(3)], Status: newsletter.Open,
			Repeats: []newsletter.Repeats{newsletter.RepeatNever, newsletter.RepeatNever, newsletter.RepeatAsHeadlines, newsletter.RepeatAlways}[w.IntN(4)],
		}
		rules := map[newsletter.Cadence]newsletter.Rule{}
		clock := fmt.Sprintf("%02d:%02d", w.IntN(24), 15*w.IntN(4))
		for cadence, days := range map[newsletter.Cadence][]string{newsletter.Daily: {"tue,fri", "daily", "sat"}, newsletter.Weekly: {"mon", "sat"}} {
			rule, err := newsletter.ParseRule(days[i%len(days)] + " " + clock)
			w.must(err)
			rules[cadence] = rule
		}
		for _, cadence := range [][]newsletter.Cadence{{newsletter.Daily, newsletter.Weekly}, {newsletter.Weekly}, {newsletter.Daily}, {newsletter.Weekly}}[w.IntN(4)] {
			n.Schedules = append(n.Schedules, newsletter.Schedule{Cadence: cadence, Slot: newsletter.MainSlot, Rule: rules[cadence]})
			if w.chance(300) { // and once more on the same days
				rule, err := newsletter.ParseRule(fmt.Sprintf("%s %02d:%02d", strings.Fields(rules[cadence].String())[0], w.IntN(24), 15*w.IntN(4)))
				w.must(err)
				n.Schedules = append(n.Schedules, newsletter.Schedule{Cadence: cadence, Slot: "second", Rule: rule})
			}
		}
		if w.chance(300) {
			w.offerImmediate(&n)
		}
		n, err := w.desk.CreateNewsletter(w.t.Context(), n)
		w.must(err)
		for _, name := range []string{"alpha", "beta", "gamma"} {
			_, err := w.store.AddSection(w.t.Context(), newsletter.Section{NewsletterID: n.ID, Slug: name, Name: name}, "test", w.clock.Now())
			w.must(err)
		}
		w.model.letters = append(w.model.letters, &propertyLetter{Newsletter: n, feeds: map[int]time.Time{}})
		w.attach(w.model.letters[i], w.feeds[i%len(w.feeds)])
		w.attach(w.model.letters[i], w.feeds[w.IntN(len(w.feeds))])
	}
	for range 3 + w.IntN(5) {
		w.join()
	}
}

// offerImmediate lets readers choose to get each story as it comes, or some of them.
func (w *propertyWorld) offerImmediate(n *newsletter.Newsletter) {
	n.Schedules = append(n.Schedules, newsletter.Schedule{Cadence: newsletter.Immediate, Slot: newsletter.MainSlot})
	n.Immediate.Quiet = []time.Duration{10 * time.Minute, 3 * time.Hour}[w.IntN(2)]
	switch w.IntN(4) {
	case 0:
		n.Immediate.Labels = []string{"exclusive"}
	case 1:
		n.Immediate.Sections = 1 // the first that is made
	case 2:
		n.Immediate.Hours = newsletter.Hours{From: 6 * 60, Until: 22 * 60}
	}
}

// polls returns when sources are asked before a time, so that what they have goes out at once.
func (w *propertyWorld) polls(end time.Time) []time.Time {
	if !slices.ContainsFunc(w.model.letters, func(n *propertyLetter) bool { return n.isImmediate() }) {
		return nil
	}
	at := w.clock.Now().Add(time.Duration(w.IntN(int(end.Sub(w.clock.Now())/time.Second))) * time.Second)
	list := []time.Time{at, at.Add(20 * time.Minute), at.Add(4 * time.Hour)}
	return slices.DeleteFunc(list, func(at time.Time) bool { return !at.Before(end) })
}

func (w *propertyWorld) attach(n *propertyLetter, f *propertyFeed) {
	if _, ok := n.feeds[f.id]; ok {
		return
	}
	f.down = false
	w.pass(time.Minute)
	_, err := w.desk.AddSource(w.t.Context(), f.url(), n.Slug, "Feed")
	w.must(err)
	n.feeds[f.id] = w.clock.Now()
}

// publish adds stories to the sources; some come late, some have no date, or one to come.
func (w *propertyWorld) publish(calm bool) {
	for range w.IntN(4) {
		f := w.feeds[w.IntN(len(w.feeds))]
		a := &propertyArticle{number: len(w.model.articles), feed: f.id, published: w.clock.Now().Add(-time.Duration(w.IntN(30*3600)) * time.Second)}
		switch n := w.IntN(40); {
		case n == 0:
			a.published = time.Time{}
		case n == 1:
			a.published = w.clock.Now().Add(-time.Duration(5+w.IntN(6)) * 24 * time.Hour)
		case n == 2:
			a.published = w.clock.Now().Add(time.Duration(w.IntN(9*24)) * time.Hour)
		}
		item := newsletter.Item{
			GUID: fmt.Sprint("story-", a.number), URL: fmt.Sprint("https://www.example.org/", a.number),
			Headline: fmt.Sprintf("Story%dx", a.number), Published: a.published,
		}
		if a.exclusive = w.chance(40); a.exclusive {
			item.Label = "Exclusive"
		}
		for bit, name := range []string{"alpha", "beta", "gamma"} {
			if w.chance(400) {
				item.Categories = append(item.Categories, name)
				a.sections |= 1 << bit
			}
		}
		w.model.articles = append(w.model.articles, a)
		f.items = append([]newsletter.Item{item}, f.items[:min(len(f.items), 25)]...)
		f.changed = true
	}
	for _, f := range w.feeds {
		f.down = !calm && w.chance(30) || f.down && !calm && w.chance(500)
	}
}

// dueUntil returns when slots are due until a time, in order.
func (w *propertyWorld) dueUntil(end time.Time) []time.Time {
	var list []time.Time
	for _, n := range w.model.letters {
		zone, err := n.Location()
		w.must(err)
		for _, s := range n.Schedules {
			if s.Cadence == newsletter.Immediate {
				continue
			}
			if due, ok := s.Rule.Next(w.clock.Now(), zone); ok && due.At.Before(end) {
				list = append(list, due.At)
			}
		}
	}
	list = append(list, w.polls(end)...)
	slices.SortFunc(list, time.Time.Compare)
	return slices.CompactFunc(list, time.Time.Equal)
}

// tick is the schedule's look at what is due. Now and then the process is killed meanwhile.
func (w *propertyWorld) tick(calm bool) {
	ctx := w.t.Context()
	w.press.lives = -1
	if calm || w.chance(700) { // else what was cut off stays so for a while
		w.must(w.desk.FinishPlanning(ctx, nil))
		w.model.learn()
	}
	if !calm && w.chance(80) {
		w.press.lives = 1 + w.IntN(4)
	}
	if w.chance(500) { // the schedule polls every ten minutes
		_, err := w.desk.FetchAll(ctx)
		w.must(err)
	}
	err := w.desk.RunSlots(ctx, newsletter.GraceTime)
	w.model.checkSlots()
	if errors.Is(err, errKilled) {
		w.model.count.cuts++
	} else {
		w.must(err)
	}
	if !calm && w.chance(40) {
		w.sendByHand()
		w.must(w.db.QueryRowContext(ctx, `SELECT COALESCE(MAX(id), 0) FROM editions`).Scan(&w.model.lastSlot))
	}
	w.press.lives = -1
	w.model.learn()
}

func (w *propertyWorld) sendByHand() {
	ctx := w.t.Context()
	n := w.model.letters[w.IntN(len(w.model.letters))]
	slot := n.Schedules[w.IntN(len(n.Schedules))]
	o := desk.BuildOptions{Newsletter: n.Slug, Cadence: slot.Cadence, Slot: slot.Slot, Extra: w.chance(500)}
	if w.chance(200) {
		o.Slot = newsletter.AllSlots
	}
	if w.chance(300) {
		o.OnDoubt = newsletter.DoubtHold
	}
	draft, err := w.desk.Build(ctx, o)
	if err == nil {
		w.pass(10 * time.Minute) // they think about it
		_, err = w.desk.Start(ctx, draft, nil)
	}
	if err != nil && newsletter.KindOf(err) != newsletter.Forbidden && newsletter.KindOf(err) != newsletter.Conflict && !errors.Is(err, errKilled) {
		w.must(err)
	}
}

// carry carries what is planned, as far as the relay lets it. Now and then the sender is killed
// when intents are on record, and the relay has the messages or has not.
func (w *propertyWorld) carry(calm bool) {
	ctx := w.t.Context()
	open, err := w.store.OpenEditions(ctx)
	w.must(err)
	for _, e := range open {
		if e.PlannedAt.IsZero() {
			continue
		}
		if !calm && w.chance(30) {
			w.killSender(e)
		}
		for range 2 {
			err := w.desk.Carry(ctx, e.ID, time.Nanosecond, nil)
			if err == nil {
				break
			}
			if !strings.Contains(err.Error(), "not carried") && newsletter.KindOf(err) == 0 && !isUnfinished(err) {
				w.must(err)
			}
			w.pass(40 * time.Minute)
		}
	}
	w.model.learn()
}

// killSender leaves rows as a sender does that is killed in the middle of a message.
func (w *propertyWorld) killSender(e newsletter.Edition) {
	w.model.count.kills++
	rows := w.model.editions[e.ID].rows
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		row := rows[id]
		sub := row.reader.subs[e.NewsletterID]
		if row.state != newsletter.Waiting || sub.state != newsletter.Active || row.reader.suppressed || w.withdrawn(row) || !e.ExpiresAt.After(w.clock.Now()) {
			continue
		}
		w.exec(`UPDATE editions SET state = 'sending' WHERE id = $1`, e.ID)
		w.exec(`UPDATE deliveries SET state = 2 WHERE edition_id = $1 AND subscriber_id = $2`, e.ID, row.reader.id)
		if w.chance(500) {
			w.model.arrived(e.ID, row.reader.email, row.shown())
		}
		return
	}
}

func (w *propertyWorld) withdrawn(row *propertyRow) bool {
	return slices.ContainsFunc(row.shown(), func(n int) bool { return w.model.articles[n].withdrawn })
}
