package main

import (
	"context"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/store"
)

// restoredDesk leaves the slots alone while a restored database waits to be confirmed: after
// that they are built, or recorded as missed, as after a time in which nobody served.
type restoredDesk struct {
	*desk.Desk
	store *store.Store
}

// RunSlots builds the slots that are due, unless the database waits to be confirmed.
func (d restoredDesk) RunSlots(ctx context.Context, grace time.Duration) error {
	state, err := d.store.JournalState(ctx)
	if err != nil || !state.RestoredAt.IsZero() {
		return err
	}
	return d.Desk.RunSlots(ctx, grace)
}
