package store

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// In the statement that inserts planned rows, -1, -2 … in place of a variant withholds for the
// first, second … of its reasons.
const (
	planReasons    = 4 // that one statement can have
	planFixedCount = 3 + planReasons
)

var errReasons = errors.New("there are more reasons to withhold than one statement can have")

// insertPlanned writes rows of the ledger, hundreds in a statement: to bind a value costs far
// less than to run a statement, and the row's place is found faster in order.
func (t *tx) insertPlanned(e newsletter.Edition, rows []newsletter.PlannedDelivery, now time.Time) error {
	args := make([]any, planFixedCount, planFixedCount+2*512)
	args[0], args[planReasons+1], args[planReasons+2] = e.ID, millis(now), millis(e.ExpiresAt)
	for _, size := range []int{512, 32, 1} {
		if len(rows) < size {
			continue
		}
		query := insertPlannedQuery(size)
		for ; len(rows) >= size; rows = rows[size:] {
			var err error
			if args, err = appendPlanned(args[:planFixedCount], rows[:size]); err != nil {
				return err
			}
			if err := t.runQuery(query, args); err != nil {
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

// appendPlanned appends the pairs of the rows, and puts their reasons before them.
func appendPlanned(args []any, rows []newsletter.PlannedDelivery) ([]any, error) {
	var reasons [planReasons]string
	for _, r := range rows {
		variant := r.VariantID
		if r.Reason != "" {
			i := 0
			for i < planReasons && reasons[i] != "" && reasons[i] != r.Reason {
				i++
			}
			if i == planReasons {
				return nil, errReasons
			}
			reasons[i] = r.Reason
			variant = int64(-i - 1)
		}
		args = append(args, r.SubscriberID, variant)
	}
	for i, reason := range reasons {
		args[1+i] = nil
		if reason != "" {
			args[1+i] = reason
		}
	}
	return args, nil
}

// insertPlannedQuery returns the statement for so many rows, given as pairs of the subscriber
// and the variant.
func insertPlannedQuery(rows int) string {
	var b strings.Builder
	b.WriteString(insertPlannedHead)
	for i := range rows {
		first, second := strconv.Itoa(planFixedCount+2*i+1), strconv.Itoa(planFixedCount+2*i+2)
		if i == 0 { // its types are those of the columns
			b.WriteString("(CAST($" + first + " AS INTEGER), CAST($" + second + " AS INTEGER))")
			continue
		}
		b.WriteString(", ($" + first + ", $" + second + ")")
	}
	b.WriteString(`) planned`)
	return b.String()
}

const insertPlannedHead = `INSERT INTO deliveries (edition_id, subscriber_id, variant_id, state, reason, not_before, next_try, expires_at, updated_at)
	SELECT $1, column1, CASE WHEN column2 > 0 THEN column2 END, CASE WHEN column2 > 0 THEN 1 ELSE 8 END,
		CASE column2 WHEN -1 THEN $2 WHEN -2 THEN $3 WHEN -3 THEN $4 WHEN -4 THEN $5 END, $6, $6, $7, $6
	FROM (VALUES `
