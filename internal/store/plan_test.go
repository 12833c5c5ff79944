package store

import (
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// planned makes edition 1, whose planning has not begun.
func planned(t *testing.T, s *Store) newsletter.Edition {
	t.Helper()
	must(t, s,
		`INSERT INTO newsletters (id, slug, name, from_name, from_email, postal_address, language, zone, min_articles, max_articles, status, created_at, updated_at)
			VALUES (1, 'daily-news', 'Daily News', '', 'news@example.org', 'x', 'en', 'UTC', 1, 12, 'open', 0, 0)`,
		`INSERT INTO editions (id, newsletter_id, cadence, local_date, slot, state, due_at, as_of, created_at, expires_at)
			VALUES (1, 1, 'daily', '2026-11-20', 'main', 'frozen', 0, 0, 0, 9)`)
	e, err := s.Edition(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestPlanPart_RunsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	big := int64(math.MaxInt64 - 10)
	for name, runs := range map[string][]newsletter.PlanRun{
		"none":          {},
		"one reader":    {{First: 8, Last: 8, VariantID: 3}},
		"the next ones": {{First: 8, Last: 9, VariantID: 3}, {First: 10, Last: 10, VariantID: 2}},
		"everybody":     {{First: 8, Last: 1_000_000, VariantID: 1}},
		"large numbers": {{First: 9, Last: 9, VariantID: 1 << 50}, {First: big, Last: big + 2, VariantID: 1}},
	} {
		got, err := unpackRuns(nil, packRuns(runs, 7), 7)
		if err != nil || !slices.Equal(got, runs) {
			t.Errorf("%s: %v, want %v (%v)", name, got, runs, err)
		}
	}
	whole := packRuns([]newsletter.PlanRun{{First: 300, Last: 3000, VariantID: 700}}, 7)
	for n := 1; n < len(whole); n++ {
		if runs, err := unpackRuns(nil, whole[:n], 7); err == nil {
			t.Errorf("the first %d of %d bytes are read as %v", n, len(whole), runs)
		}
	}
}

// What is written about each reader is in the ledger's row and in the packed plan alike,
// whatever the size of the chunks.
func TestSavePlan_RowsAndPartsSayTheSame(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	e := planned(t, s)
	reasons := []string{newsletter.ReasonNothingNew, newsletter.ReasonTooFew, newsletter.ReasonPaused, newsletter.ReasonSuppressed}
	want := map[int64]newsletter.PlannedDelivery{}
	var first, last int64
	for i, chunk := range []struct {
		size  int
		gap   int // one id in so many is left out
		alike int // so many get the same
		held  int // one of so many groups is withheld; 0: none
	}{
		{1, 2, 1, 0}, {33, 2, 1, 2}, {700, 3, 7, 5}, {1100, 9, 1, 0}, {31, 2, 1, 1}, {1000, 400, 300, 0}, {1000, 400, 300, 2},
	} {
		rows := make([]newsletter.PlannedDelivery, chunk.size)
		for j := range rows {
			if last++; rand.IntN(chunk.gap) == 0 {
				last++
			}
			group := j / chunk.alike
			rows[j] = newsletter.PlannedDelivery{SubscriberID: last, VariantID: 1 + int64(group%3)}
			if chunk.held > 0 && group%chunk.held == 0 {
				rows[j] = newsletter.PlannedDelivery{SubscriberID: last, Reason: reasons[group%4]}
			}
			want[last] = rows[j]
		}
		if err := s.SavePlan(t.Context(), e, rows, i == 6, noon); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := s.Deliveries(t.Context(), newsletter.DeliveryFilter{EditionID: 1, Limit: len(want) + 1})
	if err != nil || len(rows) != len(want) {
		t.Fatalf("%d rows, want %d (%v)", len(rows), len(want), err)
	}
	for _, d := range rows {
		if p := want[d.SubscriberID]; d.VariantID != p.VariantID || d.Reason != p.Reason || (d.State == newsletter.Waiting) != (p.Reason == "") {
			t.Fatalf("the row of %d is %+v, want %+v", d.SubscriberID, d, p)
		}
	}
	given := partsOf(t, s, first)
	must(t, s, `DELETE FROM plan_parts`) // as an edition that was planned before there were any
	if without := partsOf(t, s, first); !slices.Equal(given, without) {
		t.Error("the parts and the rows do not say the same")
	}
	for _, g := range given {
		if want[g.SubscriberID].VariantID != g.VariantID {
			t.Fatalf("the plan gives %d to %d, want %d", g.VariantID, g.SubscriberID, want[g.SubscriberID].VariantID)
		}
	}
	if edition, err := s.Edition(t.Context(), 1); err != nil || edition.Planned != len(want) || edition.PlannedAt.IsZero() {
		t.Errorf("the edition is %+v (%v)", edition, err)
	}
}

// partsOf returns who is given what by the edition's parts.
func partsOf(t *testing.T, s *Store, after int64) []newsletter.PlannedDelivery {
	t.Helper()
	var given []newsletter.PlannedDelivery
	for after < math.MaxInt64 {
		part, err := s.NextPlanPart(t.Context(), nil, 1, after)
		if err != nil || part.Last <= after {
			t.Fatalf("the part after %d is %+v (%v)", after, part, err)
		}
		for _, r := range part.Runs {
			for id := r.First; id <= r.Last; id++ {
				given = append(given, newsletter.PlannedDelivery{SubscriberID: id, VariantID: r.VariantID})
			}
		}
		after = part.Last
	}
	return given
}

func TestSavePlan_NobodyTwice(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	e := planned(t, s)
	rows := func(ids ...int64) []newsletter.PlannedDelivery {
		var list []newsletter.PlannedDelivery
		for _, id := range ids {
			list = append(list, newsletter.PlannedDelivery{SubscriberID: id, VariantID: 1})
		}
		return list
	}
	if err := s.SavePlan(t.Context(), e, rows(1, 2, 5), false, noon); err != nil {
		t.Fatal(err)
	}
	for name, chunk := range map[string][]newsletter.PlannedDelivery{
		"again":         rows(5, 6),
		"one before":    rows(4, 6),
		"out of order":  rows(8, 7),
		"twice in once": rows(8, 8),
	} {
		if err := s.SavePlan(t.Context(), e, chunk, false, noon); err == nil {
			t.Errorf("%s: saved", name)
		}
	}
	if to, err := s.PlannedTo(t.Context(), 1); to != 5 || err != nil {
		t.Errorf("planned to %d (%v)", to, err)
	}
	tallyIs(t, s, 1, map[newsletter.State]int{newsletter.Waiting: 3})
}

func TestReleased_ByStateAndRelay(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	e := planned(t, s)
	var rows []newsletter.PlannedDelivery
	for id := int64(1); id <= 16; id++ {
		rows = append(rows, newsletter.PlannedDelivery{SubscriberID: id, VariantID: 1})
	}
	rows = append(rows, newsletter.PlannedDelivery{SubscriberID: 17, Reason: newsletter.ReasonNothingNew})
	if err := s.SavePlan(t.Context(), e, rows, true, noon); err != nil {
		t.Fatal(err)
	}
	var outbox int64
	err := s.write(t.Context(), func(t *tx) error {
		id, err := t.internRelay(newsletter.OutboxRelay)
		outbox = id.Int64
		return err
	})
	if err != nil || outbox != 0 {
		t.Fatalf("the outbox is relay %d, which the index does not know (%v)", outbox, err)
	}
	must(t, s, `INSERT INTO relays (id, name) VALUES (3, 'relay.example.net')`,
		`UPDATE deliveries SET state = 1 + (subscriber_id - 1) % 8, relay_id = CASE WHEN subscriber_id <= 8 THEN 3 ELSE 0 END WHERE subscriber_id <= 16`)
	for _, test := range []struct {
		first, last int64
		real        bool
		want        []int64
	}{
		{1, 99, false, []int64{4, 7, 8, 12, 15, 16}},
		{1, 99, true, []int64{4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
		{5, 9, true, []int64{7, 8, 9}},
	} {
		if got, err := s.Released(t.Context(), 1, test.first, test.last, test.real); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("from %d to %d, real %v: %v, want %v (%v)", test.first, test.last, test.real, got, test.want, err)
		}
	}
}

// Of a million rows there are few to be found, so the query must use their index.
func TestReleased_UsesItsIndex(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	bigEdition(t, s, 2000)
	for _, statistics := range []string{``, `ANALYZE`} {
		if statistics != "" {
			must(t, s, statistics)
		}
		rows, err := s.read(t.Context()).query(`EXPLAIN QUERY PLAN `+releasedQuery, 1, 1, 10_000, true)
		how, err := collect(rows, err, func(rows *sql.Rows) (detail string, err error) {
			var ignored [3]int
			err = rows.Scan(&ignored[0], &ignored[1], &ignored[2], &detail)
			return detail, err
		})
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(how, "; "); !strings.Contains(text, "deliveries_released") || strings.Contains(text, "TEMP B-TREE") {
			t.Errorf("after %q it goes by: %s", statistics, text)
		}
	}
}

func TestPlanReaders_ThoseWhoAreSubscribedInOrder(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	planned(t, s)
	states := []string{"'active', 'daily', NULL", "'paused', 'daily', NULL", "'paused', 'daily', 1000", "'paused', 'daily', 1001", "'left', 'daily', NULL", "'active', 'weekly', NULL", "'pending', 'daily', NULL"}
	for i, state := range states {
		must(t, s, fmt.Sprintf(`INSERT INTO subscribers (id, email, email_key, created_at, updated_at) VALUES (%d, 'r%[1]d@example.org', '"a,b p"%[1]d@example.org', 0, 0)`, i+1),
			fmt.Sprintf(`INSERT INTO subscriptions (newsletter_id, subscriber_id, state, cadence, paused_until, sections, joined_at, created_at, updated_at)
				VALUES (1, %d, %s, %d, %s, 0, 0)`, i+1, state, int64(i)<<58, []string{"NULL", "0", "-5", "1700000000000"}[i%4]))
	}
	key := newsletter.SuppressionKey("a key of the test")
	for _, barredOne := range []bool{false, true} {
		if barredOne {
			must(t, s, fmt.Sprintf(`INSERT INTO suppressions (hash, reason, created_at) VALUES (x'%x', 'left', 0)`, key.Hash(`"a,b p"3@example.org`)))
		}
		barred, err := s.Barred(t.Context(), key)
		if err != nil || barred.Empty() == barredOne {
			t.Fatal(barred.Empty(), err)
		}
		all := []newsletter.PlanReader{
			{SubscriberID: 1},
			{SubscriberID: 2, Sections: 1 << 58, JoinedAt: fromMillis(0), Paused: true},
			{SubscriberID: 3, Sections: 2 << 58, JoinedAt: fromMillis(-5), ResumedAt: fromMillis(1000), PausedAt: fromMillis(0), Suppressed: barredOne},
			{SubscriberID: 4, Sections: 3 << 58, JoinedAt: fromMillis(1700000000000), Paused: true},
		}
		for after := range int64(5) {
			for limit := 1; limit < 6; limit++ {
				for _, early := range []time.Time{fromMillis(-9), fromMillis(0), fromMillis(1800000000000)} {
					got, err := s.PlanReaders(t.Context(), nil, newsletter.PlanReaders{NewsletterID: 1, Cadence: newsletter.Daily, Slot: newsletter.MainSlot, Early: early, Barred: barred, Now: fromMillis(1000)}, after, limit)
					want := slices.Clone(all[after:min(after+int64(limit), 4)])
					for i := range want {
						if !want[i].JoinedAt.IsZero() && want[i].JoinedAt.Before(early) {
							want[i].JoinedAt = early
						}
					}
					if err != nil || !slices.Equal(got, want) {
						t.Fatalf("after %d, up to %d: %+v, want %+v (%v)", after, limit, got, want, err)
					}
				}
			}
		}
	}
}

// An edition is the one before if somebody got it or may get it yet, by its rows or its totals.
func TestFreezeBefore_ByWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	for name, c := range map[string]struct {
		state  newsletter.EditionState
		row    newsletter.State // 0: there is none
		then   string
		counts bool
	}{
		"being planned":                {newsletter.EditionFrozen, 0, `UPDATE editions SET planned_at = NULL`, true},
		"paused while it was planned":  {newsletter.EditionPaused, newsletter.Refused, `UPDATE editions SET planned_at = NULL`, true},
		"waiting":                      {newsletter.EditionSending, newsletter.Waiting, ``, true},
		"for nobody":                   {newsletter.EditionSending, newsletter.Withheld, ``, false},
		"cancelled in the planning":    {newsletter.EditionCancelled, 0, `UPDATE editions SET planned_at = NULL`, false},
		"cancelled":                    {newsletter.EditionCancelled, newsletter.Withheld, ``, false},
		"cancelled, in doubt":          {newsletter.EditionCancelled, newsletter.InDoubt, ``, true},
		"cancelled, being handed over": {newsletter.EditionCancelled, newsletter.Sending, ``, true},
		"expired":                      {newsletter.EditionExpired, newsletter.Expired, ``, false},
		"refused":                      {newsletter.EditionSent, newsletter.Refused, ``, false},
		"sent":                         {newsletter.EditionSent, newsletter.Accepted, ``, true},
		"sent, only the totals kept":   {newsletter.EditionSent, newsletter.Accepted, `DELETE FROM deliveries; UPDATE editions SET pruned_at = 1`, true},
		"expired, the same":            {newsletter.EditionExpired, newsletter.Expired, `DELETE FROM deliveries; UPDATE editions SET pruned_at = 1`, false},
		"an announcement":              {newsletter.EditionSent, newsletter.Accepted, `DELETE FROM edition_articles`, false},
		"skipped":                      {newsletter.EditionSkipped, newsletter.Accepted, ``, false},
	} {
		smallLedger(t, s)
		must(t, s, `INSERT INTO edition_articles (edition_id, article_id, verdict) VALUES (1, 1, 'taken')`,
			`UPDATE editions SET as_of = 5000, state = '`+string(c.state)+`'`)
		if c.row != 0 {
			row(t, s, 1, 1, c.row)
		}
		if strings.Contains(c.then, "pruned") {
			if kept, err := s.KeepTotals(t.Context(), report(t, s, 1), noon); err != nil || !kept {
				t.Fatal(kept, err)
			}
		}
		for statement := range splitStatements(c.then) {
			must(t, s, statement)
		}
		want := time.Time{}
		if c.counts {
			want = fromMillis(5000)
		}
		at, err := s.FreezeBefore(t.Context(), 1, newsletter.Daily, newsletter.AllSlots, fromMillis(9000))
		if err != nil || !at.Equal(want) {
			t.Errorf("%s: frozen at %s, want %s (%v)", name, at, want, err)
		}
		past, err := s.PastEditions(t.Context(), fromMillis(0), nil)
		if err != nil || len(past) > 1 || len(past) == 1 && past[0].News != c.counts {
			t.Errorf("%s: past editions %+v (%v)", name, past, err)
		}
		must(t, s, `UPDATE subscriptions SET joined_at = 9000`)
		inTx(t, s, func(t *tx) error { return t.keepOwed(1, newsletter.Daily, "", 1, 2) })
		owed := 9000 - int(newsletter.LookBack.Milliseconds())
		if c.counts {
			owed = 5001
		}
		if got := count(t, s, `SELECT COUNT(*) FROM subscriptions WHERE owed_since = `+sprint(int64(owed))); got != 2 {
			t.Errorf("%s: %d are owed what came since %d", name, got, owed)
		}
	}
}
