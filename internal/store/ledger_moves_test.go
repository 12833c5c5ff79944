package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// More rows than one transaction changes, and than one page has.
const manyRows = 2*moveChunk + 17

func TestEachDelivery_GoesThroughAllPagesInOrder(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	bigEdition(t, s, 2*deliveryPage+500)
	for _, c := range []struct {
		name        string
		filter      newsletter.DeliveryFilter
		n           int
		first, last int64
	}{
		{"all", newsletter.DeliveryFilter{}, 2500, 1, 2500},
		{"behind one", newsletter.DeliveryFilter{After: 2400}, 100, 2401, 2500},
		{"a page", newsletter.DeliveryFilter{Limit: deliveryPage}, deliveryPage, 1, deliveryPage},
		{"more than a page", newsletter.DeliveryFilter{Limit: deliveryPage + 1}, deliveryPage + 1, 1, deliveryPage + 1},
		{"more than there are", newsletter.DeliveryFilter{Limit: 9999}, 2500, 1, 2500},
		{"a state", newsletter.DeliveryFilter{State: newsletter.Refused}, 50, 1, 2402},
		{"doubted", newsletter.DeliveryFilter{Doubted: true}, 50, 5, 2406},
		{"a code", newsletter.DeliveryFilter{Code: 552}, 25, 2, 2402},
		{"a domain", newsletter.DeliveryFilter{Domain: "mail.example"}, 1250, 2, 2500},
		{"a reader", newsletter.DeliveryFilter{SubscriberID: 77}, 1, 77, 77},
		{"nothing", newsletter.DeliveryFilter{Domain: "nowhere.example"}, 0, 0, 0},
	} {
		c.filter.EditionID = 1
		var ids []int64
		err := s.EachDelivery(t.Context(), c.filter, func(d newsletter.Delivery) error {
			ids = append(ids, d.SubscriberID)
			return nil
		})
		if err != nil || len(ids) != c.n || !slices.IsSorted(ids) || c.n > 0 && (ids[0] != c.first || ids[c.n-1] != c.last) {
			t.Errorf("%s: %d rows (%v)", c.name, len(ids), err)
		}
	}
	stop := errors.New("enough")
	if err := s.EachDelivery(t.Context(), newsletter.DeliveryFilter{EditionID: 1}, func(newsletter.Delivery) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("it goes on: %v", err)
	}
}

func TestRetry_ReachesEveryRowOnceAndCountsThem(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	bigEdition(t, s, manyRows)
	must(t, s, `UPDATE deliveries SET state = 7 WHERE state = 3`)
	before := report(t, s, 1)
	if _, err := s.KeepTotals(t.Context(), before, noon); err != nil {
		t.Fatal(err)
	}
	f := newsletter.RetryFilter{EditionID: 1, State: newsletter.Expired}
	want := before.Tally.Counts[newsletter.Expired]
	if n, err := s.CountRetry(t.Context(), f); n != want || err != nil {
		t.Errorf("%d to retry, want %d (%v)", n, want, err)
	}
	r, err := s.RetryDeliveries(t.Context(), f, true, noon.Add(time.Hour), "ada", noon)
	if err != nil || r != (newsletter.Retried{Waiting: want}) {
		t.Fatalf("retried %+v, want %d (%v)", r, want, err)
	}
	after := before.Tally.Counts
	after[newsletter.Waiting], after[newsletter.Expired] = want, 0
	tallyIs(t, s, 1, after)
	if got := count(t, s, `SELECT COUNT(*) FROM edition_totals`); got != 0 {
		t.Errorf("%d totals are kept of what moves again", got)
	}
	if got := count(t, s, `SELECT COUNT(*) FROM deliveries WHERE state = 1 AND (attempts > 0 OR code IS NOT NULL OR relay_id IS NOT NULL OR expires_at <> `+sprint(millis(noon.Add(time.Hour)))+`)`); got != 0 {
		t.Errorf("%d retried rows still have what the last try left", got)
	}
	if got := count(t, s, `SELECT SUM(CAST(detail AS INTEGER)) FROM desk_events WHERE actor = 'ada' AND action = 'edition retried' AND edition_id = 1`); got != want {
		t.Errorf("the record says who did it for %d, want %d", got, want)
	}
}

// tellsTheSame has both editions tell of one correction.
const tellsTheSame = `INSERT INTO corrections (id, article_id, note, changed_at, made_by, made_at) VALUES (1, 1, 'x', 0, 'x', 0);
	INSERT INTO edition_corrections (edition_id, correction_id) VALUES (1, 1), (2, 1);
	INSERT INTO variant_corrections (variant_id, correction_id) VALUES (1, 1), (2, 1)`

// An article that was withdrawn, or that another edition gave, is not sent again; the outbox
// gives nothing to real readers.
func TestRetry_LooksAtWhatOthersGave(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		articles string           // of the other edition
		state    newsletter.State // of its delivery to the reader
		also     string
		want     newsletter.Retried
		repeats  newsletter.Repeats
	}{
		"nothing shared":             {"3", newsletter.Accepted, "", newsletter.Retried{Waiting: 1}, ""},
		"one article shared":         {"2,3", newsletter.Accepted, "", newsletter.Retried{HadOtherwise: 1}, ""},
		"shared, on its way":         {"2,3", newsletter.Waiting, "", newsletter.Retried{HadOtherwise: 1}, ""},
		"shared, in doubt":           {"2,3", newsletter.InDoubt, "", newsletter.Retried{HadOtherwise: 1}, ""},
		"shared, and refused too":    {"1,2", newsletter.Refused, "", newsletter.Retried{Waiting: 1}, ""},
		"shared, and withheld":       {"1,2", newsletter.Withheld, "", newsletter.Retried{Waiting: 1}, ""},
		"shared, with somebody else": {"1,2", newsletter.Accepted, `UPDATE deliveries SET subscriber_id = 2 WHERE edition_id = 2`, newsletter.Retried{Waiting: 1}, ""},
		"shared, into the outbox":    {"1,2", newsletter.Accepted, `UPDATE deliveries SET relay_id = 0 WHERE edition_id = 2`, newsletter.Retried{Waiting: 1}, ""},
		"repeated, from a daily":     {"1,2", newsletter.Accepted, `UPDATE editions SET cadence = 'weekly' WHERE id = 1`, newsletter.Retried{Waiting: 1}, newsletter.RepeatAlways},
		"repeated, of another slot":  {"1,2", newsletter.Accepted, `UPDATE editions SET for_slot = 'evening' WHERE id = 1`, newsletter.Retried{Waiting: 1}, newsletter.RepeatAlways},
		"repeated, by one like it":   {"1,2", newsletter.Accepted, ``, newsletter.Retried{HadOtherwise: 1}, newsletter.RepeatAlways},
		"repeated, by one for all":   {"1,2", newsletter.Accepted, `UPDATE editions SET for_slot = 'all' WHERE id = 2`, newsletter.Retried{HadOtherwise: 1}, newsletter.RepeatAlways},
		"the same correction":        {"3", newsletter.Accepted, tellsTheSame, newsletter.Retried{HadOtherwise: 1}, ""},
		"the same, and refused too":  {"3", newsletter.Refused, tellsTheSame, newsletter.Retried{Waiting: 1}, ""},
		"as links, from a daily":     {"1,2", newsletter.Accepted, `UPDATE editions SET cadence = 'weekly' WHERE id = 1`, newsletter.Retried{HadOtherwise: 1}, newsletter.RepeatAsHeadlines},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openTest(t)
			smallLedger(t, s)
			must(t, s, `INSERT INTO articles (id, source_id, guid, url, headline, summary, author, image_url, image_alt, label, first_seen, owed_from, hash, updated_at)
				VALUES (3, 1, 'c', 'https://www.example.org/c', 'C', '', '', '', '', '', 0, 0, 'z', 0)`)
			must(t, s, smallEdition(2, c.articles, "sent")...)
			row(t, s, 1, 1, newsletter.Refused)
			row(t, s, 2, 1, c.state)
			for statement := range splitStatements(c.also) {
				must(t, s, statement)
			}
			r, err := s.RetryDeliveries(t.Context(), newsletter.RetryFilter{EditionID: 1, Repeats: c.repeats}, true, noon, "test", noon)
			if err != nil || r != c.want {
				t.Errorf("retried %+v, want %+v (%v)", r, c.want, err)
			}
		})
	}
}

// What was waiting already is not the retry's, and what came back of a message that is sent
// anew is not held against it.
func TestRetry_TouchesAndCountsItsOwnRowsOnly(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	smallLedger(t, s)
	row(t, s, 1, 1, newsletter.Refused)
	row(t, s, 1, 2, newsletter.Waiting)
	row(t, s, 1, 3, newsletter.Refused)
	must(t, s, `UPDATE deliveries SET returned = 1`)
	r, err := s.RetryDeliveries(t.Context(), newsletter.RetryFilter{EditionID: 1}, true, noon, "ada", noon)
	if err != nil || r != (newsletter.Retried{Waiting: 2}) {
		t.Errorf("retried %+v, want two that wait (%v)", r, err)
	}
	tallyIs(t, s, 1, map[newsletter.State]int{newsletter.Waiting: 3})
	if n := count(t, s, `SELECT COUNT(*) FROM deliveries WHERE returned IS NOT NULL AND subscriber_id <> 2`); n != 0 {
		t.Errorf("%d retried rows still count as come back", n)
	}
}

// Rows that are picked may be far apart: each transaction goes through few of those between.
func TestEach_ATransactionSpansFewSubscribers(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	smallLedger(t, s)
	ids := []int64{1, 2, moveSpan, moveSpan + 1, 3 * moveSpan, 90 * moveSpan, 91*moveSpan - 1}
	for _, id := range ids {
		row(t, s, 1, id, newsletter.Waiting)
	}
	var spans [][2]int64
	pick := rowPick{editionID: 1, states: [2]newsletter.State{newsletter.Waiting, newsletter.Deferred}}
	err := s.each(t.Context(), pick, func(_ *tx, first, last int64) error {
		spans = append(spans, [2]int64{first, last})
		return nil
	})
	want := [][2]int64{{1, moveSpan}, {moveSpan + 1, moveSpan + 1}, {3 * moveSpan, 3 * moveSpan}, {90 * moveSpan, 91*moveSpan - 1}}
	if err != nil || !slices.Equal(spans, want) {
		t.Errorf("it went over %v, want %v (%v)", spans, want, err)
	}
	n, err := s.ExpireDeliveries(t.Context(), 1, noon.Add(2*time.Hour))
	if err != nil || n != len(ids) {
		t.Errorf("%d of %d expired (%v)", n, len(ids), err)
	}
}

// What cannot be put on record is not done.
func TestRetryAndResolve_AreOnRecordWithWhatTheyDid(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	smallLedger(t, s)
	row(t, s, 1, 1, newsletter.Refused)
	row(t, s, 1, 2, newsletter.InDoubt)
	must(t, s, `CREATE TRIGGER full BEFORE INSERT ON desk_events BEGIN SELECT RAISE(ABORT, 'full'); END`)
	if _, err := s.RetryDeliveries(t.Context(), newsletter.RetryFilter{EditionID: 1}, true, noon, "ada", noon); err == nil {
		t.Error("it is retried")
	}
	if _, err := s.ResolveDoubts(t.Context(), newsletter.ResolveFilter{EditionID: 1}, newsletter.Arrived, noon, "ada", noon); err == nil {
		t.Error("it is resolved")
	}
	tallyIs(t, s, 1, map[newsletter.State]int{newsletter.Refused: 1, newsletter.InDoubt: 1})
}

// The alarm about an edition that is paused begins when it was paused.
func TestLastMoved_IsThePause(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	smallLedger(t, s)
	row(t, s, 1, 1, newsletter.Refused)
	if at, err := s.LastMoved(t.Context(), 1); err != nil || !at.IsZero() {
		t.Errorf("before: %v (%v)", at, err)
	}
	if err := s.MoveEdition(t.Context(), 1, []newsletter.EditionState{newsletter.EditionSending}, newsletter.EditionPaused, "x", "ada", noon); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RetryDeliveries(t.Context(), newsletter.RetryFilter{EditionID: 1}, true, noon, "ada", noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if at, err := s.LastMoved(t.Context(), 1); err != nil || !at.Equal(noon) {
		t.Errorf("paused at %v, want %v (%v)", at, noon, err)
	}
}

func TestPrune_RemovesEveryRowAndGoesOnAfterACut(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	bigEdition(t, s, manyRows)
	if _, err := s.KeepTotals(t.Context(), report(t, s, 1), noon); err != nil {
		t.Fatal(err)
	}
	before := report(t, s, 1)
	must(t, s, `UPDATE editions SET pruned_at = 1`, `DELETE FROM deliveries WHERE subscriber_id < 100`) // it was cut off here
	half := report(t, s, 1)
	if half.Rows != manyRows-99 || half.Tally.Planned != manyRows {
		t.Errorf("half removed, it has %d rows of %d", half.Rows, half.Tally.Planned)
	}
	if n, err := s.PruneDeliveries(t.Context(), noon, noon); n != manyRows-99 || err != nil {
		t.Errorf("%d rows removed (%v)", n, err)
	}
	tallyIs(t, s, 1, before.Tally.Counts)
	if n, err := s.PruneDeliveries(t.Context(), noon, noon); n != 0 || err != nil {
		t.Errorf("%d rows removed once more (%v)", n, err)
	}
	_, err := s.ResolveDoubts(t.Context(), newsletter.ResolveFilter{EditionID: 1}, newsletter.Arrived, noon, "test", noon)
	if err != nil {
		t.Errorf("to settle nothing: %v", err)
	}
	if r := report(t, s, 1); r.CountedAt.IsZero() {
		t.Error("its totals are gone, and they were all that was left")
	}
}

// Cut off after its last row, the plan goes too the next time.
func TestPrune_LeavesNoPlanBehind(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	bigEdition(t, s, 100)
	if _, err := s.KeepTotals(t.Context(), report(t, s, 1), noon); err != nil {
		t.Fatal(err)
	}
	must(t, s, `UPDATE editions SET pruned_at = 1`, `DELETE FROM deliveries`,
		`INSERT INTO plan_parts (edition_id, starts_after, last, runs) VALUES (1, 0, 100, X'00')`)
	if n, err := s.PruneDeliveries(t.Context(), noon, noon); n != 0 || err != nil {
		t.Errorf("%d rows removed (%v)", n, err)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM plan_parts`); n != 0 {
		t.Errorf("%d parts of a plan stay", n)
	}
}

// Whatever staff do while rows are being removed, the totals stay.
func TestPrune_NothingMovesAnyMore(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	bigEdition(t, s, 100)
	if _, err := s.KeepTotals(t.Context(), report(t, s, 1), noon); err != nil {
		t.Fatal(err)
	}
	must(t, s, `UPDATE editions SET pruned_at = 1`)
	_, retry := s.RetryDeliveries(t.Context(), newsletter.RetryFilter{EditionID: 1}, true, noon, "test", noon)
	_, resolve := s.ResolveDoubts(t.Context(), newsletter.ResolveFilter{EditionID: 1}, newsletter.NotArrived, noon, "test", noon)
	for what, err := range map[string]error{"retry": retry, "resolve": resolve} {
		if newsletter.ReasonOf(err) != "rows_gone" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if r := report(t, s, 1); r.CountedAt.IsZero() {
		t.Error("its totals are gone")
	}
}

// BenchmarkLedgerMoves_AMillion moves every row of an edition of a million, and removes them.
func BenchmarkLedgerMoves_AMillion(b *testing.B) {
	for b.Loop() {
		s, err := Open(b.Context(), filepath.Join(b.TempDir(), "b.db"), CreateIfMissing)
		if err != nil {
			b.Fatal(err)
		}
		bigEdition(b, s, 1_000_000)
		must(b, s, `UPDATE deliveries SET state = 7`)
		step := func(name string, f func() (int, error)) {
			start := time.Now()
			n, err := f()
			if err != nil || n != 1_000_000 {
				b.Fatalf("%s: %d rows (%v)", name, n, err)
			}
			b.ReportMetric(time.Since(start).Seconds(), fmt.Sprintf("s/%s", name))
		}
		step("retry", func() (int, error) {
			r, err := s.RetryDeliveries(b.Context(), newsletter.RetryFilter{EditionID: 1}, true, noon, "test", noon)
			return r.Waiting, err
		})
		must(b, s, `UPDATE editions SET state = 'cancelled'`)
		step("cancel", func() (int, error) { return s.WithholdCancelled(b.Context(), 1, noon) })
		r, err := s.Report(b.Context(), 1)
		if err == nil {
			_, err = s.KeepTotals(b.Context(), r, noon)
		}
		if err != nil {
			b.Fatal(err)
		}
		step("prune", func() (int, error) { return s.PruneDeliveries(b.Context(), noon.Add(time.Hour), noon) })
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
