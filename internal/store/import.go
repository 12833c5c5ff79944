package store

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// ImportChunk writes the chunk in one transaction, all of it or nothing, and returns a
// verdict for each row. Pending subscriptions become active; those that are active or paused
// stay as they are; nobody who left or is suppressed comes back (S26).
func (s *Store) ImportChunk(ctx context.Context, c newsletter.ImportChunk, now time.Time) ([]newsletter.ImportVerdict, error) {
	var verdicts []newsletter.ImportVerdict
	err := s.write(ctx, func(t *tx) error {
		verdicts = make([]newsletter.ImportVerdict, 0, len(c.Rows))
		for _, r := range c.Rows {
			v, err := t.importRow(c.NewsletterID, r, c.Origin, now)
			if err != nil {
				return err
			}
			verdicts = append(verdicts, v)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("import into newsletter %d: %w", c.NewsletterID, err)
	}
	return verdicts, nil
}

func (t *tx) importRow(newsletterID int64, r newsletter.ImportRow, origin newsletter.Origin, now time.Time) (newsletter.ImportVerdict, error) {
	stands, err := suppression(t, r.Suppression)
	if err != nil {
		return 0, err
	}
	if stands.Reason != "" {
		return newsletter.ImportSuppressed, nil
	}
	id, err := findSubscriber(t, r.EmailKey)
	if err != nil {
		return 0, err
	}
	if id == 0 {
		if id, err = t.insertSubscriber(r.Email, r.EmailKey, r.Name, r.TimeZone, now); err != nil {
			return 0, err
		}
	} else {
		u, _, err := subscriptionTo(t, newsletterID, id)
		if err != nil {
			return 0, err
		}
		switch u.State {
		case newsletter.Active, newsletter.PausedSub:
			return newsletter.ImportAlready, nil
		case newsletter.Left:
			return newsletter.ImportLeft, nil
		case newsletter.Pending:
		}
	}
	if err := t.activate(id, newsletter.SignUpChoice{NewsletterID: newsletterID, Cadence: r.Cadence, Slot: r.Slot, Sections: r.Sections}, now); err != nil {
		return 0, err
	}
	return newsletter.ImportAdded, t.subscriptionEvent(id, newsletterID, newsletter.EventImported, origin, 0, 0, now)
}
