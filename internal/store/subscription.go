package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/journal"
	"broadsheet/internal/newsletter"
)

// subscriptionsOf returns a subscriber's subscriptions, without the newsletters' names.
func subscriptionsOf(q querier, subscriberID int64) ([]newsletter.Subscription, error) {
	rows, err := q.query(`
		SELECT newsletter_id, subscriber_id, state, cadence, slot, sections, joined_at, left_at, paused_until, created_at
		FROM subscriptions WHERE subscriber_id = $1 ORDER BY newsletter_id`, subscriberID)
	return collect(rows, err, func(rows *sql.Rows) (newsletter.Subscription, error) { return scanSubscription(rows) })
}

// subscriptionTo returns one subscription; ok is false if there is none.
func subscriptionTo(q querier, newsletterID, subscriberID int64) (u newsletter.Subscription, ok bool, err error) {
	u, err = scanSubscription(q.row(`
		SELECT newsletter_id, subscriber_id, state, cadence, slot, sections, joined_at, left_at, paused_until, created_at
		FROM subscriptions WHERE newsletter_id = $1 AND subscriber_id = $2`, newsletterID, subscriberID))
	if errors.Is(err, sql.ErrNoRows) {
		return newsletter.Subscription{}, false, nil
	}
	return u, err == nil, err
}

func scanSubscription(row rowScanner) (newsletter.Subscription, error) {
	var (
		u                    newsletter.Subscription
		joined, left, paused sql.NullInt64
		created              int64
	)
	err := row.Scan(&u.NewsletterID, &u.SubscriberID, &u.State, &u.Cadence, &u.Slot, &u.Sections, &joined, &left, &paused, &created)
	u.Slot = fromSlotColumn(u.Slot)
	u.JoinedAt, u.LeftAt, u.PausedUntil, u.CreatedAt = fromNull(joined), fromNull(left), fromNull(paused), fromMillis(created)
	return u, err
}

// activate makes the subscription active with the choice, from now on.
func (t *tx) activate(subscriberID int64, c newsletter.SignUpChoice, now time.Time) error {
	_, err := t.exec(`
		INSERT INTO subscriptions (newsletter_id, subscriber_id, state, cadence, slot, sections, joined_at, created_at, updated_at)
		VALUES ($1, $2, 'active', $3, $4, $5, $6, $6, $6)
		ON CONFLICT (newsletter_id, subscriber_id) DO UPDATE
		SET state = 'active', cadence = excluded.cadence, slot = excluded.slot, sections = excluded.sections, joined_at = excluded.joined_at,
		    owed_since = NULL, left_at = NULL, paused_until = NULL, paused_at = NULL, updated_at = excluded.updated_at`,
		c.NewsletterID, subscriberID, string(c.Cadence), slotColumn(c.Slot), int64(c.Sections), millis(now))
	return err
}

// AddSubscriptions activates the choices of somebody whom staff add, all or none, and
// returns the subscriber's id. Those that are active or paused stay as they are. The error
// is Forbidden with reason "suppressed" or "left" (S26), or Conflict if nothing is to be done.
func (s *Store) AddSubscriptions(ctx context.Context, a newsletter.Addition, now time.Time) (int64, error) {
	var id int64
	err := s.write(ctx, func(t *tx) error {
		var err error
		id, err = t.addSubscriptions(a, now)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("add subscriber: %w", err)
	}
	return id, nil
}

func (t *tx) addSubscriptions(a newsletter.Addition, now time.Time) (int64, error) {
	stands, err := suppression(t, a.Suppression)
	if err != nil {
		return 0, err
	}
	if stands.Reason != "" {
		return 0, newsletter.Refusef("suppressed", "%s must not be mailed (%s); %s", a.Email, stands.Reason, howToLift(stands))
	}
	id, err := findSubscriber(t, a.EmailKey)
	if err != nil {
		return 0, err
	}
	if id == 0 {
		if id, err = t.insertSubscriber(a.Email, a.EmailKey, a.Name, a.TimeZone, now); err != nil {
			return 0, err
		}
	} else if _, err := t.exec(`
		UPDATE subscribers SET name = CASE WHEN CAST($1 AS TEXT) = '' THEN name ELSE $1 END,
			time_zone = CASE WHEN CAST($2 AS TEXT) = '' THEN time_zone ELSE $2 END, updated_at = $3
		WHERE id = $4`, a.Name, a.TimeZone, millis(now), id); err != nil {
		return 0, err
	}
	added := 0
	for _, c := range a.Choices {
		u, _, err := subscriptionTo(t, c.NewsletterID, id)
		if err != nil {
			return 0, err
		}
		switch u.State {
		case newsletter.Active, newsletter.PausedSub:
			continue
		case newsletter.Left:
			return 0, newsletter.Refusef("left", "%s left on %s; only the person can come back, with the sign-up form", a.Email, u.LeftAt.Format(time.DateOnly))
		case newsletter.Pending:
		}
		if err := t.activate(id, c, now); err != nil {
			return 0, err
		}
		if err := t.subscriptionEvent(id, c.NewsletterID, newsletter.EventAdded, a.Origin, 0, 0, now); err != nil {
			return 0, err
		}
		added++
	}
	if added == 0 {
		return 0, newsletter.Conflictf("%s is subscribed already", a.Email)
	}
	return id, nil
}

// RemoveSubscriptions ends a subscription, or all of the subscriber's if newsletterID is 0.
// Those that have ended stay as they are. The error is NotFound if the subscriber never had
// the newsletter.
func (s *Store) RemoveSubscriptions(ctx context.Context, subscriberID, newsletterID int64, origin newsletter.Origin, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		subs, err := subscriptionsOf(t, subscriberID)
		if err != nil {
			return fmt.Errorf("remove subscriber %d: %w", subscriberID, err)
		}
		found := newsletterID == 0
		for _, u := range subs {
			if newsletterID != 0 && u.NewsletterID != newsletterID {
				continue
			}
			found = true
			if err := t.end(u, newsletter.EventRemoved, origin, 0, now); err != nil {
				return fmt.Errorf("remove subscriber %d: %w", subscriberID, err)
			}
		}
		if !found {
			return newsletter.NotFoundf("subscriber %d does not have this newsletter", subscriberID)
		}
		return nil
	})
}

// end ends a subscription and says so in its history; it does nothing if it has ended.
func (t *tx) end(u newsletter.Subscription, kind newsletter.EventKind, origin newsletter.Origin, editionID int64, now time.Time) error {
	n, err := t.changed(`
		UPDATE subscriptions SET state = 'left', left_at = $1, updated_at = $1
		WHERE newsletter_id = $2 AND subscriber_id = $3 AND state <> 'left'`,
		millis(now), u.NewsletterID, u.SubscriberID)
	if err != nil || n == 0 {
		return err
	}
	if err := t.noteSubscription(journal.Left, u.SubscriberID, u.NewsletterID, now); err != nil {
		return err
	}
	return t.subscriptionEvent(u.SubscriberID, u.NewsletterID, kind, origin, 0, editionID, now)
}

// Leave ends the subscription that a link names, at once. If it has ended already nothing
// changes. The error is NotFound if there never was one.
func (s *Store) Leave(ctx context.Context, link newsletter.Link, origin newsletter.Origin, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		u, err := t.linked(link)
		if err == nil {
			err = t.leaveNoted(u, origin, link.EditionID, now)
		}
		if err != nil {
			return fmt.Errorf("subscriber %d leaves newsletter %d: %w", link.SubscriberID, link.NewsletterID, err)
		}
		return nil
	})
}

// UndoLeave takes back a Leave by the same link within newsletter.UndoTime: the subscription
// is as it was before. One that has not ended stays as it is. The error is Forbidden with
// reason "suppressed" if the address must not be mailed, whatever the subscription is: a link
// lifts nothing (S26). Its reason is "too_late" if the subscription ended otherwise, or longer ago.
func (s *Store) UndoLeave(ctx context.Context, link newsletter.Link, origin newsletter.Origin, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		u, err := t.linked(link)
		if err != nil {
			return fmt.Errorf("undo leaving of subscriber %d: %w", link.SubscriberID, err)
		}
		// First of all: who must not be mailed is not told that mail comes, nor to sign up again.
		if err := mayUndo(t, link.SubscriberID); err != nil {
			return err
		}
		if u.State != newsletter.Left {
			return nil
		}
		ok, err := leftByLink(t, link, now)
		if err != nil {
			return fmt.Errorf("undo leaving of subscriber %d: %w", link.SubscriberID, err)
		}
		if !ok {
			return newsletter.Refusef("too_late", "This can no longer be undone. You are welcome to sign up again.")
		}
		// joined_at stays: what was owed before is owed still.
		_, err = t.exec(`
			UPDATE subscriptions SET left_at = NULL, updated_at = $1,
				state = CASE WHEN joined_at IS NULL THEN 'pending' WHEN paused_until > $1 THEN 'paused' ELSE 'active' END
			WHERE newsletter_id = $2 AND subscriber_id = $3`, millis(now), link.NewsletterID, link.SubscriberID)
		if err == nil {
			err = t.noteSubscription(journal.Joined, link.SubscriberID, link.NewsletterID, now)
		}
		if err == nil {
			err = t.subscriptionEvent(link.SubscriberID, link.NewsletterID, newsletter.EventUndone, origin, 0, link.EditionID, now)
		}
		if err != nil {
			return fmt.Errorf("undo leaving of subscriber %d: %w", link.SubscriberID, err)
		}
		return nil
	})
}

// CanUndoLeave reports whether UndoLeave with the link would take something back now.
func (s *Store) CanUndoLeave(ctx context.Context, link newsletter.Link, now time.Time) (bool, error) {
	ok, err := leftByLink(s.read(ctx), link, now)
	if err == nil && ok {
		if err = mayUndo(s.read(ctx), link.SubscriberID); newsletter.ReasonOf(err) == "suppressed" {
			return false, nil
		}
	}
	if err != nil {
		return false, fmt.Errorf("undo leaving of subscriber %d: %w", link.SubscriberID, err)
	}
	return ok, nil
}

// leftByLink reports whether the last thing that ended the subscription was this link, not
// too long ago. Nobody takes a complaint back by a link.
func leftByLink(q querier, link newsletter.Link, now time.Time) (bool, error) {
	var (
		kind    newsletter.EventKind
		at      int64
		channel string
		edition sql.NullInt64
	)
	err := q.row(`
		SELECT kind, at, channel, edition_id FROM subscription_events
		WHERE subscriber_id = $1 AND newsletter_id = $2 AND kind IN ('left', 'removed', 'undone', 'confirmed', 'added', 'imported')
		ORDER BY id DESC LIMIT 1`, link.SubscriberID, link.NewsletterID).Scan(&kind, &at, &channel, &edition)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return kind == newsletter.EventLeft && channel != newsletter.ChannelComplaint && edition.Int64 == link.EditionID && now.Sub(fromMillis(at)) <= newsletter.UndoTime, err
}

// linked returns the subscription that a link names, or a NotFound error.
func (t *tx) linked(link newsletter.Link) (newsletter.Subscription, error) {
	u, ok, err := subscriptionTo(t, link.NewsletterID, link.SubscriberID)
	if err == nil && !ok {
		err = newsletter.NotFoundf("There is no such subscription any more.")
	}
	return u, err
}

// ChangeSubscription lets change decide on cadence, slot and sections of an active or paused
// subscription of the link's subscriber, as they are in the same transaction: a change of the
// one does not undo what others change of the other meanwhile. The note that change returns
// says in words what is different; if it is empty nothing is written. The error is that of
// change, or Conflict if the subscription is neither active nor paused.
func (s *Store) ChangeSubscription(ctx context.Context, link newsletter.Link, newsletterID int64, origin newsletter.Origin, now time.Time, change func(newsletter.Subscription) (c newsletter.SignUpChoice, note string, err error)) error {
	err := s.write(ctx, func(t *tx) error {
		u, _, err := subscriptionTo(t, newsletterID, link.SubscriberID)
		if err != nil {
			return err
		}
		if u.State != newsletter.Active && u.State != newsletter.PausedSub {
			return newsletter.Conflictf("You do not get this newsletter any more. You are welcome to sign up again.")
		}
		c, note, err := change(u)
		if err != nil || note == "" {
			return err
		}
		before, err := t.wasNow(newsletterID, link.SubscriberID)
		if err != nil {
			return err
		}
		if c.Cadence != u.Cadence || slotColumn(c.Slot) != slotColumn(u.Slot) {
			if err := t.keepOwed(newsletterID, u.Cadence, slotColumn(u.Slot), link.SubscriberID, link.SubscriberID); err != nil {
				return err
			}
		}
		if _, err := t.exec(`
			UPDATE subscriptions SET cadence = $1, slot = $2, sections = $3, updated_at = $4
			WHERE newsletter_id = $5 AND subscriber_id = $6`,
			string(c.Cadence), slotColumn(c.Slot), int64(c.Sections), millis(now), newsletterID, link.SubscriberID); err != nil {
			return err
		}
		origin.Note = note
		if err := t.subscriptionEvent(link.SubscriberID, newsletterID, newsletter.EventChanged, origin, 0, link.EditionID, now); err != nil {
			return err
		}
		return t.noteWas(newsletterID, link.SubscriberID, before)
	})
	if err != nil {
		return fmt.Errorf("change subscription of %d to %d: %w", link.SubscriberID, newsletterID, err)
	}
	return nil
}
