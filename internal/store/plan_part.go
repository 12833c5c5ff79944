package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"broadsheet/internal/newsletter"
)

// NextPlanPart returns the part of the edition's plan that speaks for the subscriber after the
// given one; its Last is math.MaxInt64 if nobody is left. Where a plan was made before parts
// were kept, it is put together from the ledger's rows. Its Runs are appended to runs.
func (s *Store) NextPlanPart(ctx context.Context, runs []newsletter.PlanRun, editionID, after int64) (newsletter.PlanPart, error) {
	part := newsletter.PlanPart{Last: math.MaxInt64, Runs: runs}
	var packed []byte
	q := s.read(ctx)
	err := q.row(`SELECT starts_after, last, runs FROM plan_parts WHERE edition_id = $1 AND last > $2 ORDER BY last LIMIT 1`,
		editionID, after).Scan(&part.After, &part.Last, &packed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		part, err = rowsPart(q, runs, editionID, after, math.MaxInt64)
	case err == nil && part.After > after:
		part, err = rowsPart(q, runs, editionID, after, part.After)
	case err == nil:
		part.Runs, err = unpackRuns(runs, packed, part.After)
	}
	if err != nil {
		return part, fmt.Errorf("plan of edition %d after subscriber %d: %w", editionID, after, err)
	}
	return part, nil
}

// partRows is how many rows of the ledger stand in for one part.
const partRows = 10_000

// rowsPart makes a part from the ledger's rows of the subscribers after one up to another; it
// may end earlier.
func rowsPart(q querier, runs []newsletter.PlanRun, editionID, after, last int64) (newsletter.PlanPart, error) {
	part := newsletter.PlanPart{After: after, Last: last, Runs: runs}
	n := 0
	rows, err := q.query(`SELECT subscriber_id, variant_id FROM deliveries
		WHERE edition_id = $1 AND subscriber_id > $2 AND subscriber_id <= $3 AND variant_id IS NOT NULL
		ORDER BY subscriber_id LIMIT $4`, editionID, after, last, partRows)
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var subscriber, variant int64
		err := rows.Scan(&subscriber, &variant)
		part.Runs = addToRuns(part.Runs, subscriber, variant)
		n++
		return struct{}{}, err
	})
	if n == partRows {
		part.Last = part.Runs[len(part.Runs)-1].Last
	}
	return part, err
}

// addToRuns adds a subscriber who comes after all that are in the runs.
func addToRuns(runs []newsletter.PlanRun, subscriber, variant int64) []newsletter.PlanRun {
	if n := len(runs); n > 0 && runs[n-1].Last == subscriber-1 && runs[n-1].VariantID == variant {
		runs[n-1].Last = subscriber
		return runs
	}
	return append(runs, newsletter.PlanRun{First: subscriber, Last: subscriber, VariantID: variant})
}

// Runs are kept as varints, two bytes or three each where choices are mixed: the gap before
// the run, doubled, plus one if it is longer than one; then the length less two, if it is;
// then the variant, as the difference to that of the run before.

func packRuns(runs []newsletter.PlanRun, after int64) []byte {
	packed := []byte{} // no runs are not NULL
	variant := int64(0)
	for _, r := range runs {
		gap, length := uint64(r.First-after-1), uint64(r.Last-r.First+1)
		if length == 1 {
			packed = binary.AppendUvarint(packed, gap<<1)
		} else {
			packed = binary.AppendUvarint(packed, gap<<1|1)
			packed = binary.AppendUvarint(packed, length-2)
		}
		packed = binary.AppendVarint(packed, r.VariantID-variant)
		after, variant = r.Last, r.VariantID
	}
	return packed
}

var errPacked = errors.New("the packed runs are damaged")

func unpackRuns(runs []newsletter.PlanRun, packed []byte, after int64) ([]newsletter.PlanRun, error) {
	runs = slices.Grow(runs, len(packed)/3)
	variant := int64(0)
	for len(packed) > 0 {
		gap, n := binary.Uvarint(packed)
		if n <= 0 {
			return nil, errPacked
		}
		packed = packed[n:]
		length := uint64(1)
		if gap&1 != 0 {
			if length, n = binary.Uvarint(packed); n <= 0 {
				return nil, errPacked
			}
			packed = packed[n:]
			length += 2
		}
		change, n := binary.Varint(packed)
		if n <= 0 {
			return nil, errPacked
		}
		packed = packed[n:]
		variant += change
		first := after + 1 + int64(gap>>1)
		after = first + int64(length) - 1
		if after < first {
			return nil, errPacked
		}
		runs = append(runs, newsletter.PlanRun{First: first, Last: after, VariantID: variant})
	}
	return runs, nil
}

// Released returns the subscribers from first to last whose delivery of the edition does not
// keep its articles from being owed to them again, in order. With real set, deliveries to the
// outbox are among them.
func (s *Store) Released(ctx context.Context, editionID, first, last int64, real bool) ([]int64, error) {
	rows, err := s.read(ctx).query(releasedQuery, editionID, first, last, real)
	list, err := collect(rows, err, scanID)
	if err != nil {
		return nil, fmt.Errorf("what edition %d released: %w", editionID, err)
	}
	return list, nil
}

// The second and third lines are those of the index deliveries_released, word for word.
const releasedQuery = `SELECT subscriber_id FROM deliveries WHERE edition_id = $1 AND subscriber_id BETWEEN $2 AND $3
	AND variant_id IS NOT NULL
	AND (state = 4 OR state = 7 OR state = 8 OR relay_id = 0)
	AND (state = 4 OR state = 7 OR state = 8 OR CAST($4 AS INTEGER) <> 0) ORDER BY subscriber_id`
