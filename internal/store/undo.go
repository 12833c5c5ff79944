package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"broadsheet/internal/journal"
	"broadsheet/internal/newsletter"
)

// was is a subscription before a reader changed it, as an event keeps it.
type was struct {
	State       newsletter.SubscriptionState `json:"state"`
	Cadence     newsletter.Cadence           `json:"cadence"`
	Slot        string                       `json:"slot"`
	Sections    int64                        `json:"sections"`
	PausedUntil *int64                       `json:"paused_until,omitempty"`
	PausedAt    *int64                       `json:"paused_at,omitempty"`
}

// wasNow returns what a subscription is, for the event of a change that is about to be made.
func (t *tx) wasNow(newsletterID, subscriberID int64) (string, error) {
	var w was
	err := t.row(`SELECT state, cadence, slot, sections, paused_until, paused_at FROM subscriptions
		WHERE newsletter_id = $1 AND subscriber_id = $2`, newsletterID, subscriberID).
		Scan(&w.State, &w.Cadence, &w.Slot, &w.Sections, &w.PausedUntil, &w.PausedAt)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(w)
	return string(text), err
}

// noteWas completes the last event of a subscription by what was before it.
func (t *tx) noteWas(newsletterID, subscriberID int64, before string) error {
	_, err := t.exec(`UPDATE subscription_events SET was = $1 WHERE id = (
		SELECT MAX(id) FROM subscription_events WHERE subscriber_id = $2 AND newsletter_id = $3)`, before, subscriberID, newsletterID)
	return err
}

// LeaveAll ends all subscriptions of the link's subscriber that have not ended, at once, and returns
// of how many newsletters.
func (s *Store) LeaveAll(ctx context.Context, link newsletter.Link, origin newsletter.Origin, now time.Time) (left int, err error) {
	err = s.write(ctx, func(t *tx) error {
		left = 0
		subs, err := subscriptionsOf(t, link.SubscriberID)
		if err != nil {
			return err
		}
		for _, u := range subs {
			if u.State == newsletter.Left {
				continue
			}
			if err := t.leaveNoted(u, origin, link.EditionID, now); err != nil {
				return err
			}
			left++
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("subscriber %d leaves everything: %w", link.SubscriberID, err)
	}
	return left, nil
}

// leaveNoted ends a subscription so that it can be undone.
func (t *tx) leaveNoted(u newsletter.Subscription, origin newsletter.Origin, editionID int64, now time.Time) error {
	if u.State == newsletter.Left {
		return nil
	}
	before, err := t.wasNow(u.NewsletterID, u.SubscriberID)
	if err == nil {
		err = t.end(u, newsletter.EventLeft, origin, editionID, now)
	}
	if err == nil {
		err = t.noteWas(u.NewsletterID, u.SubscriberID, before)
	}
	return err
}

// ReaderChanges returns what a reader did at a moment, or last if it is zero, that can be undone, be it
// too late for that by now.
func (s *Store) ReaderChanges(ctx context.Context, subscriberID int64, at time.Time) ([]newsletter.SubscriptionChange, error) {
	q := s.read(ctx)
	if at.IsZero() {
		var last sql.NullInt64
		err := q.row(`SELECT MAX(at) FROM subscription_events WHERE subscriber_id = $1 AND was <> ''`, subscriberID).Scan(&last)
		if err != nil || !last.Valid {
			return nil, err
		}
		at = fromNull(last)
	}
	list, err := changesAt(q, subscriberID, at)
	if err != nil {
		return nil, fmt.Errorf("changes of subscriber %d: %w", subscriberID, err)
	}
	return list, nil
}

func changesAt(q querier, subscriberID int64, at time.Time) ([]newsletter.SubscriptionChange, error) {
	rows, err := q.query(`
		SELECT e.id, e.newsletter_id, e.kind, e.at, e.was, NOT EXISTS (SELECT 1 FROM subscription_events l
			WHERE l.subscriber_id = e.subscriber_id AND l.newsletter_id = e.newsletter_id AND l.id > e.id)
		FROM subscription_events e WHERE e.subscriber_id = $1 AND e.at = $2 AND e.was <> ''
			AND NOT EXISTS (SELECT 1 FROM subscription_events s
				WHERE s.subscriber_id = e.subscriber_id AND s.newsletter_id = e.newsletter_id AND s.id > e.id AND s.at = e.at AND s.was <> '')
		ORDER BY e.id`, subscriberID, millis(at))
	return collect(rows, err, func(rows *sql.Rows) (c newsletter.SubscriptionChange, err error) {
		var ms int64
		var text string
		if err := rows.Scan(&c.EventID, &c.NewsletterID, &c.Kind, &ms, &text, &c.Last); err != nil {
			return c, err
		}
		var w was
		if err := json.Unmarshal([]byte(text), &w); err != nil {
			return c, fmt.Errorf("event %d: what was before it: %w", c.EventID, err)
		}
		c.At, c.WasState, c.Was = fromMillis(ms), w.State, text
		c.WasChoice = newsletter.SignUpChoice{NewsletterID: c.NewsletterID, Cadence: w.Cadence, Slot: fromSlotColumn(w.Slot), Sections: newsletter.Mask(w.Sections)}
		return c, nil
	})
}

// UndoChanges makes the subscriptions that a reader changed at a moment what they were before, all of
// them or none. The error is Forbidden with reason "too_late" after newsletter.UndoTime, "suppressed"
// if the address must not be mailed, and Conflict if something else was changed since.
func (s *Store) UndoChanges(ctx context.Context, subscriberID int64, at time.Time, origin newsletter.Origin, now time.Time) error {
	err := s.write(ctx, func(t *tx) error {
		list, err := changesAt(t, subscriberID, at)
		if err != nil {
			return err
		}
		if len(list) == 0 || now.Sub(at) > newsletter.UndoTime {
			return newsletter.Refusef("too_late", "This can no longer be undone. You can choose anew below.")
		}
		for _, c := range list {
			if !c.Last {
				return newsletter.Conflictf("Something else was changed since, so this is not undone. You can choose anew below.")
			}
			if err := t.undoChange(subscriberID, c, origin, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("undo a change of subscriber %d: %w", subscriberID, err)
	}
	return nil
}

func (t *tx) undoChange(subscriberID int64, c newsletter.SubscriptionChange, origin newsletter.Origin, now time.Time) error {
	u, ok, err := subscriptionTo(t, c.NewsletterID, subscriberID)
	if err != nil || !ok {
		return err
	}
	if u.State == newsletter.Left {
		if err := mayUndo(t, subscriberID); err != nil {
			return err
		}
	}
	var w was
	if err := json.Unmarshal([]byte(c.Was), &w); err != nil {
		return err
	}
	if w.Cadence != u.Cadence || w.Slot != slotColumn(u.Slot) {
		if err := t.keepOwed(c.NewsletterID, u.Cadence, slotColumn(u.Slot), subscriberID, subscriberID); err != nil {
			return err
		}
	}
	_, err = t.exec(`
		UPDATE subscriptions SET state = $1, cadence = $2, slot = $3, sections = $4, paused_until = $5, paused_at = $6, left_at = NULL, updated_at = $7
		WHERE newsletter_id = $8 AND subscriber_id = $9`,
		string(w.State), string(w.Cadence), w.Slot, w.Sections, w.PausedUntil, w.PausedAt, millis(now), c.NewsletterID, subscriberID)
	if err == nil && u.State == newsletter.Left {
		err = t.noteSubscription(journal.Joined, subscriberID, c.NewsletterID, now)
	}
	if err != nil {
		return err
	}
	return t.subscriptionEvent(subscriberID, c.NewsletterID, newsletter.EventUndone, origin, 0, 0, now)
}
