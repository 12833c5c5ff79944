package desk_test

import (
	"context"
	"testing"

	"broadsheet/internal/desk"
	"broadsheet/internal/store"
)

// countedSnapshots counts how often a snapshot is read.
type countedSnapshots struct {
	*store.Store
	read int
}

func (c *countedSnapshots) EditionSnapshot(ctx context.Context, id int64) (snapshot, templates []byte, err error) {
	c.read++
	return c.Store.EditionSnapshot(ctx, id)
}

func TestArchive_RendersAgainOnlyWhatChanged(t *testing.T) {
	r, n := newsroomWith(t, 1)
	e, _ := r.Send("daily-news")
	counted := &countedSnapshots{Store: r.Store}
	archive := &desk.Archive{Store: counted}
	look := func(stories, read int) {
		t.Helper()
		list, more, err := archive.Editions(t.Context(), n.ID, 0, 10)
		if err != nil || more || len(list) != 1 || len(list[0].Headlines()) != stories || list[0].Stories != 2 {
			t.Fatalf("%+v, %v", list, err)
		}
		if one, err := archive.Edition(t.Context(), n.ID, e.ID); err != nil || one.Title != list[0].Title {
			t.Fatalf("%+v, %v", one, err)
		}
		if counted.read != read {
			t.Errorf("the snapshot was read %d times, want %d", counted.read, read)
		}
	}
	look(2, 1)
	look(2, 1)
	if _, err := r.Desk.Withdraw(t.Context(), 1, 0); err != nil {
		t.Fatal(err)
	}
	look(1, 2)
}
