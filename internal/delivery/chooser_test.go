package delivery

import (
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/store"
)

// Choosing goes over classes of readers and packed plans. Whatever has happened, every reader
// must get what newsletter.Owed says when it is asked for this reader alone, from the ledger's
// rows.
func TestChooser_DecidesAsOwedDoesForEachReader(t *testing.T) {
	t.Parallel()
	for i := range 2 {
		seed := uint64(time.Now().UnixNano()) + uint64(i)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, seed)
			for _, real := range []bool{true, false} {
				w.compare(t, real)
			}
		})
	}
}

const day = 24 * time.Hour

// world is a random past: editions of two newsletters that share articles, and what became of
// each delivery.
type world struct {
	*rand.Rand
	seed       uint64
	store      *store.Store
	db         *sql.DB
	asOf       time.Time
	key        newsletter.SuppressionKey
	candidates []newsletter.Candidate
	editions   []worldEdition
	readers    []newsletter.PlanReader // that are to be planned, in order
	all        []int64                 // every subscriber
}

type worldEdition struct {
	newsletter.Edition
	variants [][]int64 // ids of articles
	ids      []int64
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "broadsheet.db")
	s, err := store.Open(t.Context(), path, store.CreateIfMissing)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	db, err := sql.Open("sqlite3", "file:"+path+"?_busy_timeout=5000&_synchronous=OFF")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{
		Rand: rand.New(rand.NewPCG(seed, 1)), seed: seed, store: s, db: db, key: []byte("a key of the test"),
		asOf: time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC),
	}
	for id := 1; id <= 2; id++ {
		w.exec(t, `INSERT INTO newsletters (id, slug, name, from_name, from_email, postal_address, language, zone, min_articles, max_articles, status, created_at, updated_at)
			VALUES ($1, $2, 'N', 'N', 'n@example.org', 'A street', 'en', 'UTC', 1, 9, 'open', 0, 0)`, id, fmt.Sprint("n", id))
	}
	w.exec(t, `INSERT INTO sources (id, url, name, kind, created_at, next_fetch_at) VALUES (1, 'https://example.org/feed', 'F', 'feed', 0, 0)`)
	w.exec(t, `INSERT INTO relays (id, name) VALUES (1, 'relay.example.net:587')`)
	w.makeArticles(t)
	w.makeEditions(t)
	w.makeReaders(t)
	for _, e := range w.editions {
		w.makeDeliveries(t, e)
	}
	return w
}

func (w *world) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := w.db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("seed %d: %v", w.seed, err)
	}
}

// ago returns a time up to so many days ago, to the millisecond.
func (w *world) ago(days int) time.Time {
	return w.asOf.Add(-time.Duration(w.Int64N(int64(days)*day.Milliseconds())) * time.Millisecond)
}

func (w *world) makeArticles(t *testing.T) {
	t.Helper()
	for id := range int64(24) {
		owed := w.ago(10)
		if w.IntN(2) == 0 {
			owed = w.ago(33)
		}
		c := newsletter.Candidate{
			Article:  newsletter.Article{ID: id + 1, OwedFrom: owed, FirstSeen: owed},
			Sections: newsletter.Mask(w.IntN(8)),
		}
		switch w.IntN(12) {
		case 0:
			c.FirstSeen = w.ago(50).Add(-40 * day) // released late
		case 1:
			c.Hold = newsletter.HeldByStaff
		}
		w.candidates = append(w.candidates, c)
		w.exec(t, `INSERT INTO articles (id, source_id, guid, url, headline, summary, author, image_url, image_alt, label, first_seen, owed_from, hash, updated_at)
			VALUES ($1, 1, $2, $2, '', '', '', '', '', '', $3, $4, '', 0)`, c.ID, fmt.Sprint("https://example.org/", c.ID), c.FirstSeen.UnixMilli(), owed.UnixMilli())
	}
	newsletter.Arrange(w.candidates)
}

func (w *world) makeEditions(t *testing.T) {
	t.Helper()
	for id := range int64(20) {
		e := worldEdition{Edition: newsletter.Edition{ID: id + 1, NewsletterID: 1, Cadence: newsletter.Daily, AsOf: w.ago(34), ExpiresAt: w.asOf}}
		if w.IntN(4) == 0 {
			e.AsOf = e.AsOf.Add(-20 * day) // it matters only for articles that were released late
		}
		var known []int64
		for len(known) == 0 {
			for _, c := range w.candidates {
				if !c.FirstSeen.After(e.AsOf) {
					known = append(known, c.ID)
				}
			}
			if len(known) == 0 {
				e.AsOf = w.ago(5)
			}
		}
		state := "sent"
		switch w.IntN(6) {
		case 0, 1:
			e.NewsletterID = 2
		case 2:
			e.Cadence = newsletter.Weekly
		case 3:
			if w.IntN(3) == 0 {
				state = "skipped"
			}
		}
		e.State = newsletter.EditionState(state)
		w.exec(t, `INSERT INTO editions (id, newsletter_id, cadence, local_date, slot, state, due_at, as_of, created_at, expires_at)
			VALUES ($1, $2, $3, '2026-11-01', $4, $5, 0, $6, 0, 0)`, e.ID, e.NewsletterID, string(e.Cadence), fmt.Sprint("extra-", id), state, e.AsOf.UnixMilli())
		blocks := map[int64]bool{}
		for range 1 + w.IntN(3) {
			var articles []int64
			for _, i := range w.Perm(len(known))[:min(len(known), 1+w.IntN(8))] {
				articles = append(articles, known[i])
				blocks[known[i]] = true
			}
			e.variants = append(e.variants, articles)
			ids, err := w.store.SaveVariants(t.Context(), e.ID, []newsletter.NewVariant{{Copy: newsletter.Copy{Articles: articles}, Message: []byte("m")}})
			if err != nil {
				t.Fatal(err)
			}
			e.ids = append(e.ids, ids...)
		}
		for i, article := range slices.Sorted(maps.Keys(blocks)) {
			w.exec(t, `INSERT INTO blocks (edition_id, position, kind, article_id) VALUES ($1, $2, 'article', $3)`, e.ID, i, article)
			w.exec(t, `INSERT INTO edition_articles (edition_id, article_id, verdict) VALUES ($1, $2, 'taken')`, e.ID, article)
		}
		w.editions = append(w.editions, e)
	}
}

// joining returns a time of joining, often one that a rule could be wrong about by a millisecond.
func (w *world) joining() time.Time {
	at := w.ago(60)
	switch w.IntN(4) {
	case 0:
		at = w.editions[w.IntN(len(w.editions))].AsOf
	case 1:
		at = w.candidates[w.IntN(len(w.candidates))].OwedFrom
	case 2:
		at = w.asOf.Add(-[]time.Duration{newsletter.LookBack, newsletter.MaxLookBack, 0}[w.IntN(3)])
	}
	return at.Add(time.Duration(w.IntN(3)-1) * time.Millisecond)
}

func (w *world) makeReaders(t *testing.T) {
	t.Helper()
	tx, err := w.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	id := int64(0)
	for range 1000 {
		id += 1 + int64(w.IntN(8)/7*w.IntN(4))
		w.all = append(w.all, id)
		email := fmt.Sprintf("r%d@example.org", id)
		r := newsletter.PlanReader{SubscriberID: id, Sections: newsletter.Mask(w.IntN(8) * min(1, w.IntN(4))), JoinedAt: w.joining()}
		state, cadence := newsletter.Active, newsletter.Daily
		var until sql.NullInt64
		switch w.IntN(20) {
		case 0:
			state, r.Paused = newsletter.PausedSub, true
		case 1:
			state, until = newsletter.PausedSub, sql.NullInt64{Int64: w.asOf.UnixMilli() + int64(w.IntN(3)) - 1 - int64(w.IntN(2))*w.Int64N(20*day.Milliseconds()), Valid: true}
			if r.Paused = until.Int64 > w.asOf.UnixMilli(); !r.Paused {
				r.ResumedAt = time.UnixMilli(until.Int64).UTC()
				r.PausedAt = r.ResumedAt.Add(-time.Duration(w.Int64N(int64(20 * day)))).Truncate(time.Millisecond)
				if w.IntN(4) == 0 { // it was not kept then
					r.PausedAt = time.UnixMilli(0).UTC()
				}
			}
		case 2:
			state = newsletter.Left
		case 3:
			cadence = newsletter.Weekly
		case 4:
			r.JoinedAt = time.Time{}
		case 5:
			r.Suppressed = true
		}
		paused := sql.NullInt64{Int64: r.PausedAt.UnixMilli(), Valid: r.PausedAt.UnixMilli() > 0}
		joined := sql.NullInt64{Int64: r.JoinedAt.UnixMilli(), Valid: !r.JoinedAt.IsZero()}
		for _, do := range []struct {
			statement string
			args      []any
		}{
			{`INSERT INTO subscribers (id, email, email_key, created_at, updated_at) VALUES ($1, $2, $2, 0, 0)`, []any{id, email}},
			{`INSERT INTO subscriptions (newsletter_id, subscriber_id, state, cadence, sections, joined_at, paused_until, paused_at, created_at, updated_at)
				VALUES (1, $1, $2, $3, $4, $5, $6, $7, 0, 0)`, []any{id, string(state), string(cadence), int64(r.Sections), joined, until, paused}},
		} {
			if _, err := tx.ExecContext(t.Context(), do.statement, do.args...); err != nil {
				t.Fatal(err)
			}
		}
		if r.Suppressed {
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO suppressions (hash, reason, created_at) VALUES ($1, 'left', 0)`, w.key.Hash(email)); err != nil {
				t.Fatal(err)
			}
		}
		if state != newsletter.Left && cadence == newsletter.Daily {
			w.readers = append(w.readers, r)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// makeDeliveries plans an edition part by part, for readers in runs or one by one, loses some
// of the parts, as plans of before have none, and lets anything become of the rows.
func (w *world) makeDeliveries(t *testing.T, e worldEdition) {
	t.Helper()
	alike := w.IntN(2) == 0
	var rows []newsletter.PlannedDelivery
	variant := 0
	for i, id := range w.all {
		if w.IntN(12) == 0 {
			continue // they were not subscribed
		}
		if !alike || w.IntN(200) == 0 {
			variant = w.IntN(len(e.ids) + 1)
		}
		row := newsletter.PlannedDelivery{SubscriberID: id, Reason: newsletter.ReasonNothingNew}
		if variant < len(e.ids) {
			row.VariantID, row.Reason = e.ids[variant], ""
		}
		if rows = append(rows, row); len(rows) > 400 || i == len(w.all)-1 {
			if err := w.store.SavePlan(t.Context(), e.Edition, rows, false, w.asOf); err != nil {
				t.Fatal(err)
			}
			rows = nil
		}
	}
	switch w.IntN(4) {
	case 0:
		w.exec(t, `DELETE FROM plan_parts WHERE edition_id = $1`, e.ID)
	case 1:
		w.exec(t, `DELETE FROM plan_parts WHERE edition_id = $1 AND last = (SELECT MIN(last) FROM plan_parts WHERE edition_id = $1)`, e.ID)
	}
	w.exec(t, `UPDATE deliveries SET relay_id = CASE abs(random()) % 8 WHEN 0 THEN 0 WHEN 1 THEN NULL ELSE 1 END,
		state = CASE WHEN abs(random()) % 3 = 0 AND variant_id IS NOT NULL THEN 1 + abs(random()) % 8 ELSE state END WHERE edition_id = $1`, e.ID)
}

// compare holds what is chosen against what is decided for each reader alone.
func (w *world) compare(t *testing.T, real bool) {
	t.Helper()
	held := w.held(t, real)
	edition := Edition{
		NewsletterID: 1, Cadence: newsletter.Daily, AsOf: w.asOf, MinArticles: 2, MaxArticles: 4,
		Candidates: w.candidates, Real: real, Key: w.key,
	}
	want := Survey{Withheld: map[string]int{}, Verdicts: map[int64]map[newsletter.Verdict]int{}}
	for _, c := range w.candidates {
		want.Verdicts[c.ID] = map[newsletter.Verdict]int{}
	}
	c, err := newChooser(t.Context(), w.store, edition)
	if err != nil {
		t.Fatal(err)
	}
	var got []choice
	err = c.each(t.Context(), 0, func(choices []choice) error {
		got = append(got, choices...)
		return nil
	})
	if err != nil || len(got) != len(w.readers) {
		t.Fatalf("seed %d: %d choices for %d readers (%v)", w.seed, len(got), len(w.readers), err)
	}
	kinds := map[string]bool{}
	for i, r := range w.readers {
		articles, reason := w.alone(r, held[r.SubscriberID], edition, &want)
		if got[i].subscriber != r.SubscriberID || got[i].reason != reason || !slices.Equal(got[i].copy.Articles, articles) {
			t.Fatalf("seed %d, real %v: reader %+v is given %v %q, want %v %q",
				w.seed, real, r, got[i].copy.Articles, got[i].reason, articles, reason)
		}
		kinds[fmt.Sprint(articles, reason)] = true
	}
	if len(kinds) < 3 {
		t.Errorf("seed %d: only %d different outcomes: does the test still say anything?", w.seed, len(kinds))
	}
	survey, err := Look(t.Context(), w.store, edition)
	if err != nil || survey.Readers != want.Readers || !maps.Equal(survey.Withheld, want.Withheld) {
		t.Fatalf("seed %d: the survey is %d, %v, want %d, %v (%v)", w.seed, survey.Readers, survey.Withheld, want.Readers, want.Withheld, err)
	}
	for id, verdicts := range want.Verdicts {
		if !maps.Equal(survey.Verdicts[id], verdicts) {
			t.Errorf("seed %d: the verdicts about article %d are %v, want %v", w.seed, id, survey.Verdicts[id], verdicts)
		}
	}
}

// holding is a row of the ledger that holds its articles.
type holding struct {
	edition  worldEdition
	articles []int64
}

// held reads from the ledger's rows what deliveries hold for each subscriber.
func (w *world) held(t *testing.T, real bool) map[int64][]holding {
	t.Helper()
	rows, err := w.db.QueryContext(t.Context(), `SELECT d.edition_id, d.subscriber_id, d.state, COALESCE(r.name, ''), v.articles
		FROM deliveries d JOIN variants v ON v.id = d.variant_id LEFT JOIN relays r ON r.id = d.relay_id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	held := map[int64][]holding{}
	for rows.Next() {
		var edition, subscriber int64
		var state newsletter.State
		var relay, articles string
		if err := rows.Scan(&edition, &subscriber, &state, &relay, &articles); err != nil {
			t.Fatal(err)
		}
		if !state.Holds() || real && relay == newsletter.OutboxRelay || w.editions[edition-1].State == newsletter.EditionSkipped {
			continue
		}
		h := holding{edition: w.editions[edition-1]}
		for _, a := range strings.Split(articles, ",") {
			var id int64
			if _, err := fmt.Sscan(a, &id); err != nil {
				t.Fatal(err)
			}
			h.articles = append(h.articles, id)
		}
		held[subscriber] = append(held[subscriber], h)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return held
}

// matters reports whether the edition is looked at: it is not old, or it has an article that
// was released late.
func (w *world) matters(e worldEdition) bool {
	since := w.asOf.Add(-newsletter.MaxLookBack)
	if e.State == newsletter.EditionSkipped {
		return false
	}
	for _, articles := range e.variants {
		for _, c := range w.candidates {
			if c.FirstSeen.Before(since) && slices.Contains(articles, c.ID) {
				return true
			}
		}
	}
	return !e.AsOf.Before(since)
}

// alone decides for one reader, by the rule and the ledger, and adds to the survey.
func (w *world) alone(r newsletter.PlanReader, held []holding, e Edition, s *Survey) (articles []int64, reason string) {
	switch {
	case r.Suppressed:
		s.Withheld[newsletter.ReasonSuppressed]++
		return nil, newsletter.ReasonSuppressed
	case r.Paused:
		s.Withheld[newsletter.ReasonPaused]++
		return nil, newsletter.ReasonPaused
	}
	reader := newsletter.Reader{Sections: r.Sections, JoinedAt: r.JoinedAt, ResumedAt: r.ResumedAt, PausedAt: r.PausedAt}
	for _, e := range w.editions {
		if e.State != newsletter.EditionSkipped && e.NewsletterID == 1 && e.Cadence == newsletter.Daily && e.AsOf.Before(r.JoinedAt) && e.AsOf.After(reader.JoinedAfter) {
			reader.JoinedAfter = e.AsOf
		}
	}
	for _, h := range held {
		if w.matters(h.edition) && h.edition.NewsletterID == 1 && h.edition.AsOf.After(reader.LastGot) {
			reader.LastGot = h.edition.AsOf
		}
		if w.matters(h.edition) && h.edition.NewsletterID == 1 && !r.ResumedAt.IsZero() && !h.edition.AsOf.Before(r.ResumedAt) {
			reader.CaughtUp = true
		}
	}
	reader.Had = func(article int64) bool {
		return slices.ContainsFunc(held, func(h holding) bool { return slices.Contains(h.articles, article) })
	}
	var visible []int64
	verdicts := map[int64]newsletter.Verdict{}
	for _, c := range w.candidates {
		if verdicts[c.ID] = newsletter.Owed(c, reader, e.AsOf); verdicts[c.ID] == newsletter.Taken {
			visible = append(visible, c.ID)
		}
	}
	articles = visible[:min(len(visible), e.MaxArticles)]
	left := newsletter.OverCap
	switch {
	case len(visible) == 0:
		reason = newsletter.ReasonNothingNew
	case len(visible) < e.MinArticles:
		reason, articles, left = newsletter.ReasonTooFew, nil, newsletter.BelowMinimum
	}
	for _, id := range visible[len(articles):] {
		verdicts[id] = left
	}
	for id, v := range verdicts {
		s.Verdicts[id][v]++
	}
	if reason != "" {
		s.Withheld[reason]++
	} else {
		s.Readers++
	}
	return articles, reason
}
