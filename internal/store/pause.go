package store

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// PauseSubscriptions pauses the subscriber's active and paused subscriptions until a time, zero
// for until they go on, or lets the paused ones go on if until is now or earlier: of one
// newsletter, or of all if its id is 0. It returns how many are different now. note says in
// words what was done, for the history.
//
// paused_at and paused_until stay when a pause is over: what came between them is what the reader
// missed. A pause that begins before the last one is forgotten goes on with it: what the catch-up
// left of that is not owed anew.
func (s *Store) PauseSubscriptions(ctx context.Context, subscriberID, newsletterID int64, until time.Time, note string, origin newsletter.Origin, now time.Time) (changed int, err error) {
	err = s.write(ctx, func(t *tx) error {
		changed = 0
		subs, err := subscriptionsOf(t, subscriberID)
		if err != nil {
			return err
		}
		state := newsletter.PausedSub
		if !until.IsZero() && !until.After(now) {
			state, until = newsletter.Active, now
		}
		for _, u := range subs {
			paused := u.PausedAt(now)
			if newsletterID != 0 && u.NewsletterID != newsletterID || u.State != newsletter.Active && u.State != newsletter.PausedSub ||
				state == newsletter.Active && !paused || state == newsletter.PausedSub && paused && u.PausedUntil.Equal(until) {
				continue
			}
			before, err := t.wasNow(u.NewsletterID, subscriberID)
			if err != nil {
				return err
			}
			goesOn := state == newsletter.Active || paused || u.PausedUntil.After(now.Add(-newsletter.MaxLookBack))
			if _, err := t.exec(`UPDATE subscriptions SET state = $1, paused_until = $2, paused_at = CASE WHEN $3 THEN paused_at ELSE $4 END, updated_at = $4
				WHERE newsletter_id = $5 AND subscriber_id = $6`,
				string(state), nullMillis(until), goesOn, millis(now), u.NewsletterID, subscriberID); err != nil {
				return err
			}
			origin.Note = note
			if err := t.subscriptionEvent(subscriberID, u.NewsletterID, newsletter.EventChanged, origin, 0, 0, now); err != nil {
				return err
			}
			if err := t.noteWas(u.NewsletterID, subscriberID, before); err != nil {
				return err
			}
			changed++
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("pause of subscriber %d: %w", subscriberID, err)
	}
	return changed, nil
}
