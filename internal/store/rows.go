package store

import (
	"database/sql"
	"slices"
	"strconv"
	"strings"
)

// maxRows is how many rows one statement inserts. Each number has a prepared statement of its own:
// a group of 13 sign-ups by three statements a table, for 8, 4 and 1, took a third longer.
const maxRows = 32

// insertRows runs a statement with a list of rows in its middle, such as INSERT … VALUES (…), (…)
// ON CONFLICT …, for at most maxRows rows at a time. All rows have the same length.
func (t *tx) insertRows(before string, rows [][]any, after string) error {
	return inChunks(rows, func(part [][]any) error {
		query, args := valuesOf(before, part, after)
		_, err := t.exec(query, args...)
		return err
	})
}

// queryRows is insertRows for a statement that returns rows.
func queryRows[T any](t *tx, before string, rows [][]any, after string, scan func(*sql.Rows) (T, error)) (list []T, err error) {
	err = inChunks(rows, func(part [][]any) error {
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

// inChunks calls f with parts of the list of at most maxRows.
func inChunks[T any](list []T, f func(part []T) error) error {
	for part := range slices.Chunk(list, maxRows) {
		if err := f(part); err != nil {
			return err
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
