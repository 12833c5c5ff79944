package store

import "database/sql"

// How SQLite keeps a row: a byte for each column's type, one for their number, one for the
// length and two for its place on the page. Planning fills the pages and results fit into
// what was left of them: after sending they are found so full.
const (
	rowOverhead = 1 + 17 + 1 + 2
	pageFill    = 0.87
	sampleRows  = 500
)

// rowBytes estimates what a row of the edition takes in the database, from some of them.
func rowBytes(q querier, editionID int64) (int, error) {
	rows, err := q.query(`SELECT edition_id, subscriber_id, variant_id, state, attempts, doubts, doubted_at, not_before, next_try, expires_at,
			code, reply_id, relay_id, updated_at, COALESCE(reason, ''), COALESCE(enhanced, '')
		FROM deliveries WHERE edition_id = $1 ORDER BY subscriber_id LIMIT $2`, editionID, sampleRows)
	sizes, err := collect(rows, err, func(rows *sql.Rows) (int, error) {
		var numbers [14]sql.NullInt64
		var reason, enhanced string
		dest := make([]any, 0, len(numbers)+2)
		for i := range numbers {
			dest = append(dest, &numbers[i])
		}
		err := rows.Scan(append(dest, &reason, &enhanced)...)
		size := rowOverhead + len(reason) + len(enhanced)
		for _, n := range numbers {
			size += integerBytes(n)
		}
		return size, err
	})
	if err != nil || len(sizes) == 0 {
		return 0, err
	}
	all := 0
	for _, size := range sizes {
		all += size
	}
	return int(float64(all)/float64(len(sizes))/pageFill + 0.5), nil
}

// integerBytes is what SQLite stores a number in: nothing for NULL, 0 and 1, and then 1, 2, 3,
// 4, 6 or 8 bytes.
func integerBytes(n sql.NullInt64) int {
	v := n.Int64
	if v < 0 {
		v = ^v
	}
	switch {
	case !n.Valid || n.Int64 == 0 || n.Int64 == 1:
		return 0
	case v < 1<<7:
		return 1
	case v < 1<<15:
		return 2
	case v < 1<<23:
		return 3
	case v < 1<<31:
		return 4
	case v < 1<<47:
		return 6
	}
	return 8
}
