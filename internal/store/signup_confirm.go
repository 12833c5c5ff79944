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

// FindSignUp returns the sign-up, or a NotFound error.
func (s *Store) FindSignUp(ctx context.Context, id int64) (newsletter.SignUp, error) {
	su, err := findSignUp(s.read(ctx), id)
	if err != nil {
		return newsletter.SignUp{}, fmt.Errorf("sign-up %d: %w", id, err)
	}
	return su, nil
}

func findSignUp(q querier, id int64) (newsletter.SignUp, error) {
	var (
		su               newsletter.SignUp
		created, expires int64
		confirmed        sql.NullInt64
	)
	err := q.row(`
		SELECT id, subscriber_id, nonce, email, name, time_zone, page, placement, created_at, expires_at, confirmed_at
		FROM signups WHERE id = $1`, id).
		Scan(&su.ID, &su.SubscriberID, &su.Nonce, &su.Email, &su.Name, &su.TimeZone, &su.Page, &su.Placement, &created, &expires, &confirmed)
	if errors.Is(err, sql.ErrNoRows) {
		return su, newsletter.NotFoundf("This link is not valid.")
	}
	if err != nil {
		return su, err
	}
	su.CreatedAt, su.ExpiresAt, su.ConfirmedAt = fromMillis(created), fromMillis(expires), fromNull(confirmed)
	rows, err := q.query(`
		SELECT newsletter_id, cadence, slot, sections FROM signup_newsletters
		WHERE signup_id = $1 ORDER BY newsletter_id`, id)
	su.Choices, err = collect(rows, err, func(rows *sql.Rows) (c newsletter.SignUpChoice, err error) {
		err = rows.Scan(&c.NewsletterID, &c.Cadence, &c.Slot, &c.Sections)
		c.Slot = fromSlotColumn(c.Slot)
		return c, err
	})
	return su, err
}

// ConfirmSignUp activates what the sign-up asks for in newsletters that are not closed, takes
// over what it says about the person, lifts the address's suppression if confirming does that
// (S26), and records the words that stood beside the button. done is false if it was confirmed
// before, or everything was left since it was made: then nothing changes. The error is
// Forbidden, with reason "expired" or "suppressed", or Conflict if all of it has been closed.
func (s *Store) ConfirmSignUp(ctx context.Context, id int64, hashes newsletter.SuppressionHashes, words newsletter.Words, origin newsletter.Origin, now time.Time) (done bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		done, err = t.confirmSignUp(id, hashes, words, origin, now)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("confirm sign-up %d: %w", id, err)
	}
	return done, nil
}

func (t *tx) confirmSignUp(id int64, hashes newsletter.SuppressionHashes, words newsletter.Words, origin newsletter.Origin, now time.Time) (bool, error) {
	su, err := findSignUp(t, id)
	if err != nil {
		return false, err
	}
	subs, err := subscriptionsOf(t, su.SubscriberID)
	if err != nil {
		return false, err
	}
	switch {
	case !su.ConfirmedAt.IsZero() || su.Superseded(subs):
		return false, nil
	case !now.Before(su.ExpiresAt):
		return false, newsletter.Refusef("expired", "This link has expired. Ask for a new one, and we will send it at once.")
	}
	if su.Choices, err = t.notClosed(su); err != nil {
		return false, err
	}
	switch {
	case len(su.Choices) == 0:
		return false, newsletter.Conflictf("What you signed up for has been closed since. Nothing will be sent to you.")
	case su.Superseded(subs):
		return false, nil
	}
	if origin.Note, err = t.liftByConfirming(hashes, now); err != nil {
		return false, err
	}
	wordsID, err := t.wordsID(words)
	if err != nil {
		return false, err
	}
	for _, c := range su.Choices {
		if err := t.confirmChoice(su, c, subs, origin, wordsID, now); err != nil {
			return false, err
		}
	}
	if err := t.confirmPerson(su, now); err != nil {
		return false, err
	}
	_, err = t.exec(`UPDATE signups SET confirmed_at = $1 WHERE id = $2`, millis(now), id)
	return true, err
}

// notClosed returns the choices of a sign-up whose newsletters have not been closed since.
func (t *tx) notClosed(su newsletter.SignUp) ([]newsletter.SignUpChoice, error) {
	var open []newsletter.SignUpChoice
	for _, c := range su.Choices {
		var status newsletter.Status
		if err := t.row(`SELECT status FROM newsletters WHERE id = $1`, c.NewsletterID).Scan(&status); err != nil {
			return nil, err
		}
		if status != newsletter.Closed {
			open = append(open, c)
		}
	}
	return open, nil
}

// confirmPerson makes what the form said about the person the subscriber's. Only now is it
// known that whoever has the address wants that form to count.
func (t *tx) confirmPerson(su newsletter.SignUp, now time.Time) error {
	_, err := t.exec(`
		UPDATE subscribers SET email = $1, name = CASE WHEN CAST($2 AS TEXT) = '' THEN name ELSE $2 END,
			time_zone = CASE WHEN CAST($3 AS TEXT) = '' THEN time_zone ELSE $3 END, updated_at = $4
		WHERE id = $5`, su.Email, su.Name, su.TimeZone, millis(now), su.SubscriberID)
	return err
}

// confirmChoice activates one newsletter, unless the reader left it after the sign-up. One
// that is active stays as it is, but for correctChoice; that it was confirmed once more is
// recorded.
func (t *tx) confirmChoice(su newsletter.SignUp, c newsletter.SignUpChoice, subs []newsletter.Subscription, origin newsletter.Origin, wordsID int64, now time.Time) error {
	one := newsletter.SignUp{CreatedAt: su.CreatedAt, Choices: []newsletter.SignUpChoice{c}}
	if one.Superseded(subs) {
		return nil
	}
	active, left := false, false
	for _, u := range subs {
		if u.NewsletterID == c.NewsletterID {
			active = u.State == newsletter.Active || u.State == newsletter.PausedSub
			left = u.State == newsletter.Left
		}
	}
	var err error
	if active {
		err = t.correctChoice(su, c, now)
	} else {
		err = t.activate(su.SubscriberID, c, now)
		if err == nil {
			err = t.queueWelcome(su.SubscriberID, c.NewsletterID, now)
		}
	}
	if err == nil && left {
		err = t.noteSubscription(journal.Joined, su.SubscriberID, c.NewsletterID, now)
	}
	if err != nil {
		return err
	}
	return t.subscriptionEvent(su.SubscriberID, c.NewsletterID, newsletter.EventConfirmed, origin, wordsID, 0, now)
}

// correctChoice sets the choice of a subscription that became active after this sign-up was
// made: somebody who corrects the form and then confirms both mails means the later one,
// whichever came first. It does nothing if the reader has it from a later sign-up, or has
// changed the subscription since.
func (t *tx) correctChoice(su newsletter.SignUp, c newsletter.SignUpChoice, now time.Time) error {
	_, err := t.exec(`
		UPDATE subscriptions SET cadence = $1, slot = $2, sections = $3, updated_at = $4
		WHERE newsletter_id = $5 AND subscriber_id = $6 AND joined_at > $7
			AND NOT EXISTS (SELECT 1 FROM signups s JOIN signup_newsletters c ON c.signup_id = s.id AND c.newsletter_id = $5
				WHERE s.subscriber_id = $6 AND s.id > $8 AND s.confirmed_at IS NOT NULL)
			AND NOT EXISTS (SELECT 1 FROM subscription_events e
				WHERE e.subscriber_id = $6 AND e.newsletter_id = $5 AND e.kind = 'changed' AND e.at >= subscriptions.joined_at)`,
		string(c.Cadence), slotColumn(c.Slot), int64(c.Sections), millis(now), c.NewsletterID, su.SubscriberID, millis(su.CreatedAt), su.ID)
	return err
}
