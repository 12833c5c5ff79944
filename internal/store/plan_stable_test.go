package store

import (
	"path/filepath"
	"strings"
	"testing"
)

// A statement is not prepared anew for each value that is bound to it: else the partial index, which
// is of use for one value of b only, would be used for it.
func TestStore_KeepsThePlanOfAStatement(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "b.db"), CreateIfMissing)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	err = s.write(t.Context(), func(tx *tx) error {
		if _, err := tx.exec(`CREATE TABLE planned (a INTEGER, b INTEGER)`); err != nil {
			return err
		}
		_, err := tx.exec(`CREATE INDEX planned_by_a ON planned (a) WHERE b = 7`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var id, parent, unused int
	var plan string
	row := s.read(t.Context()).row(`EXPLAIN QUERY PLAN SELECT a FROM planned WHERE a = $1 AND b = $2`, 1, 7)
	if err := row.Scan(&id, &parent, &unused, &plan); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(plan, "SCAN") {
		t.Errorf("the plan goes by the value: %s", plan)
	}
}
