package store

import (
	"io/fs"
	"strings"
	"testing"

	"broadsheet/migrations"
)

// Cut into statements by goose, making a database costs five times the CPU.
func TestMigrations_AreHandedOverWhole(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(migrations.SQLite, "sqlite/*.sql")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		step, err := fs.ReadFile(migrations.SQLite, name)
		if err != nil {
			t.Fatal(err)
		}
		text := string(step)
		if !strings.HasPrefix(text, "-- +goose Up\n-- +goose StatementBegin\n") || !strings.HasSuffix(text, "\n-- +goose StatementEnd\n") {
			t.Errorf("%s has to begin with \"-- +goose Up\" and \"-- +goose StatementBegin\", and to end with \"-- +goose StatementEnd\", each a line", name)
		}
	}
}
