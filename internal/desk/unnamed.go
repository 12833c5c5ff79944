package desk

import (
	"context"
	"errors"

	"broadsheet/internal/newsletter"
)

// PauseUnnamed pauses the open editions of newsletters that may not be mailed. They were frozen
// while that was allowed, on this machine for example.
func (d *Desk) PauseUnnamed(ctx context.Context) error {
	open, err := d.o.Press.Store.OpenEditions(ctx)
	if err != nil {
		return err
	}
	var failures []error
	for _, e := range open {
		n, err := d.Newsletter(ctx, e.Newsletter)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		why := n.MayMail(d.o.BaseURL)
		if why == nil {
			continue
		}
		d.o.Logger.Warn("an edition is paused: its newsletter may not be mailed", "edition", e.ID, "newsletter", e.Newsletter, "error", why)
		failures = append(failures, d.o.Press.Store.MoveEdition(ctx, e.ID,
			[]newsletter.EditionState{newsletter.EditionFrozen, newsletter.EditionSending}, newsletter.EditionPaused, why.Error(), d.o.Actor, d.now()))
	}
	return errors.Join(failures...)
}
