package store

import (
	"database/sql"
	"slices"
	"strconv"
	"strings"
)

// insertRows runs a statement with a list of rows in its middle, such as INSERT … VALUES (…), (…)
// ON CONFLICT …, for at most maxTogether rows at a time. The parts are powers of two, so that there
// are few different statements to prepare. All rows have the same length.
func (t *tx) insertRows(before string, rows [][]any, after string) error {
	return inPowers(rows, func(part [][]any) error {
		query, args := valuesOf(before, part, after)
		_, err := t.exec(query, args...)
		return err
	})
}

// queryRows is insertRows for a statement that returns rows.
func queryRows[T any](t *tx, before string, rows [][]any, after string, scan func(*sql.Rows) (T, error)) (list []T, err error) {
	err = inPowers(rows, func(part [][]any) error {
		query, args := valuesOf(before, part, after)
		found, err := t.query(query, args...)
		some, err := collect(found, err, scan)
		list = append(list, some...)
		return err
	})
	return list, err
}

// valuesOf returns the statement and its arguments.
func valuesOf(before string, rows [][]any, after string) (query string, args []any) {
	var b strings.Builder
	b.Grow(len(before) + len(after) + len(rows)*len(rows[0])*6)
	b.WriteString(before)
	args = make([]any, 0, len(rows)*len(rows[0]))
	for i, row := range rows {
		between := "("
		if i > 0 {
			between = ", ("
		}
		for _, value := range row {
			args = append(args, value)
			b.WriteString(between)
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(len(args)))
			between = ", "
		}
		b.WriteByte(')')
	}
	b.WriteString(after)
	return b.String(), args
}

// inPowers calls f with parts of the list whose lengths are powers of two.
func inPowers[T any](list []T, f func(part []T) error) error {
	for size := maxTogether; len(list) > 0; size /= 2 {
		for len(list) >= size {
			if err := f(list[:size]); err != nil {
				return err
			}
			list = list[size:]
		}
	}
	return nil
}

// inParts calls f with parts of the list that are short enough for appendList.
func inParts[T any](list []T, f func(part []T) error) error {
	for part := range slices.Chunk(list, maxTogether) {
		if err := f(part); err != nil {
			return err
		}
	}
	return nil
}
