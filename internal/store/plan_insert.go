package store

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// plannedRun is rows of subscribers with one id after the other, who get the same.
type plannedRun struct {
	newsletter.PlannedDelivery // of the first one
	length                     int
}

// A statement multiplies a run by a list of that many numbers, so no run is longer, and in a
// run shorter than this on average most of the list would be read in vain.
const (
	longestRun  = 128
	worthyOfRun = 16
)

// insertPlanned writes rows of the ledger. To run a statement costs far more than to bind a
// value, so there are many rows in each; and where many readers in a row get the same, few
// values stand for them. The rows are in order, so that pages fill up one after the other.
func (t *tx) insertPlanned(e newsletter.Edition, rows []newsletter.PlannedDelivery, now time.Time) error {
	shared := []any{e.ID, millis(now), millis(e.ExpiresAt)}
	if runs := plannedRuns(rows); len(rows) >= worthyOfRun*len(runs) {
		return t.insertBatches(shared, insertRunsQuery, len(runs), 32, func(args []any, i int) []any {
			r := &runs[i]
			if r.Reason != "" {
				return append(args, r.SubscriberID, r.length, nil, int(newsletter.Withheld), r.Reason)
			}
			return append(args, r.SubscriberID, r.length, r.VariantID, int(newsletter.Waiting), nil)
		})
	}
	reasons := reasonsOf(rows)
	if len(reasons) == 0 {
		return t.insertBatches(shared, insertWaitingQuery, len(rows), 512, func(args []any, i int) []any {
			return append(args, rows[i].SubscriberID, rows[i].VariantID)
		})
	}
	if len(reasons) > maxReasons {
		return fmt.Errorf("rows are withheld for %d reasons, the statement has %d", len(reasons), maxReasons)
	}
	for i := range maxReasons {
		shared = append(shared, nil)
		if i < len(reasons) {
			shared[len(shared)-1] = reasons[i]
		}
	}
	return t.insertBatches(shared, insertMixedQuery, len(rows), 512, func(args []any, i int) []any {
		if r := rows[i]; r.Reason != "" {
			return append(args, r.SubscriberID, -1-slices.Index(reasons, r.Reason))
		}
		return append(args, rows[i].SubscriberID, rows[i].VariantID)
	})
}

// maxReasons is how many reasons planning has to withhold a row.
const maxReasons = 4

// reasonsOf returns the different reasons of the rows.
func reasonsOf(rows []newsletter.PlannedDelivery) []string {
	var reasons []string
	for i := range rows {
		if r := rows[i].Reason; r != "" && !slices.Contains(reasons, r) {
			reasons = append(reasons, r)
		}
	}
	return reasons
}

// plannedRuns puts rows that are alike together.
func plannedRuns(rows []newsletter.PlannedDelivery) []plannedRun {
	var runs []plannedRun
	for _, r := range rows {
		if n := len(runs); n > 0 {
			last := &runs[n-1]
			if last.length < longestRun && r.SubscriberID == last.SubscriberID+int64(last.length) && r.VariantID == last.VariantID && r.Reason == last.Reason {
				last.length++
				continue
			}
		}
		runs = append(runs, plannedRun{r, 1})
	}
	return runs
}

// insertBatches runs the query for n things, most of them at once, and one by one at the end:
// so only a few statements need to be prepared. add appends the values of one thing to those
// that all share.
func (t *tx) insertBatches(shared []any, query func(things int) string, n, most int, add func(args []any, i int) []any) error {
	args := shared
	for done := 0; done < n; most = max(1, most/8) {
		if n-done < most {
			continue
		}
		text := query(most)
		for ; n-done >= most; done += most {
			args = args[:len(shared)]
			for i := done; i < done+most; i++ {
				args = add(args, i)
			}
			if err := t.runQuery(text, args); err != nil {
				return err
			}
		}
	}
	return nil
}

// runQuery runs a statement that returns no rows. As a query all its values are bound in one
// call of the engine; exec needs a call for each.
func (t *tx) runQuery(query string, args []any) error {
	rows, err := t.query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close() // rows.Err has what matters
	rows.Next()
	return rows.Err()
}

func insertRunsQuery(runs int) string {
	var numbers strings.Builder
	for i := range longestRun {
		numbers.WriteString(", (" + strconv.Itoa(i) + ")")
	}
	return `INSERT INTO deliveries (edition_id, not_before, next_try, updated_at, expires_at, subscriber_id, variant_id, state, reason)
		SELECT $1, $2, $2, $2, $3, r.column1 + n.column1, r.column3, r.column4, r.column5
		FROM (VALUES ` + places(3, runs, "INTEGER", "INTEGER", "INTEGER", "INTEGER", "TEXT") + `) r
		CROSS JOIN (VALUES ` + numbers.String()[2:] + `) n WHERE n.column1 < r.column2`
}

func insertWaitingQuery(rows int) string {
	return `INSERT INTO deliveries (edition_id, not_before, next_try, updated_at, expires_at, state, subscriber_id, variant_id)
		SELECT $1, $2, $2, $2, $3, 1, r.column1, r.column2 FROM (VALUES ` + places(3, rows, "INTEGER", "INTEGER") + `) r`
}

// In place of the variant, -1, -2 … are for the first, second … of the reasons.
func insertMixedQuery(rows int) string {
	return `INSERT INTO deliveries (edition_id, not_before, next_try, updated_at, expires_at, reason, state, variant_id, subscriber_id)
		SELECT $1, $2, $2, $2, $3, CASE r.column2 WHEN -1 THEN $4 WHEN -2 THEN $5 WHEN -3 THEN $6 WHEN -4 THEN $7 END,
			CASE WHEN r.column2 > 0 THEN 1 ELSE 8 END, CASE WHEN r.column2 > 0 THEN r.column2 END, r.column1
		FROM (VALUES ` + places(3+maxReasons, rows, "INTEGER", "INTEGER") + `) r`
}

// places returns so many lines of places for values of these types, after so many others.
func places(others, lines int, types ...string) string {
	var b strings.Builder
	for line := range lines {
		for column, t := range types {
			others++
			switch place := "$" + strconv.Itoa(others); {
			case line == 0: // it says of which types all are
				b.WriteString(", CAST(" + place + " AS " + t + ")")
			case column == 0:
				b.WriteString("), (" + place)
			default:
				b.WriteString(", " + place)
			}
		}
	}
	return "(" + b.String()[2:] + ")"
}
