package desk

import (
	"context"

	"broadsheet/internal/newsletter"
)

// EditionLog returns who did what to the edition, and when, the newest last. Nothing in it is
// ever changed.
func (d *Desk) EditionLog(ctx context.Context, id int64) ([]newsletter.LogEntry, error) {
	if _, err := d.o.Press.Store.Edition(ctx, id); err != nil {
		return nil, err
	}
	return d.o.Press.Store.EditionLog(ctx, id)
}
