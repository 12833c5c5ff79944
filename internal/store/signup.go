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

// SignUp records a request to subscribe and puts the mail that answers it into the outbox,
// in one transaction. Pending subscriptions are made; those that are active, paused or left
// stay as they are. It runs the same statements whether the address is known or not (S27).
// The error is RateLimited past the limit of r.Client; then nothing is recorded.
func (s *Store) SignUp(ctx context.Context, r newsletter.SignUpRequest, now time.Time) error {
	err := s.write(ctx, func(t *tx) error { return t.signUp(r, now) })
	if err != nil {
		return fmt.Errorf("sign up: %w", err)
	}
	return nil
}

func (t *tx) signUp(r newsletter.SignUpRequest, now time.Time) error {
	if err := t.limitClient(r.Client, now); err != nil {
		return err
	}
	if err := t.countOne(allBucket, now); err != nil {
		return err
	}
	stands, err := suppression(t, r.Suppression)
	if err != nil {
		return err
	}
	subscriberID, err := t.signUpSubscriber(r, now)
	if err != nil {
		return err
	}
	answer := newsletter.Answer{Now: now, Suppressed: stands.Reason, SuppressedAt: stands.CreatedAt, Already: true, Covered: true}
	covered := make([]bool, len(r.Choices))
	for i, c := range r.Choices {
		var active bool
		if active, covered[i], err = t.signUpState(subscriberID, c, now); err != nil {
			return err
		}
		answer.Already = answer.Already && active
		answer.Covered = answer.Covered && (active || covered[i])
	}
	if answer.Sent, err = t.lastMails(subscriberID, now); err != nil {
		return err
	}
	kind, at, send := answer.Mail()
	signupID, err := t.insertSignUp(subscriberID, r, at, now)
	if err != nil {
		return err
	}
	waiting := len(answer.Sent) > 0 && answer.Sent[0].After(now)
	for i, c := range r.Choices {
		if err := t.addToWaiting(subscriberID, c, now); err != nil {
			return err
		}
		if err := t.requestChoice(signupID, subscriberID, c, send || waiting || covered[i], now); err != nil {
			return err
		}
		// Without words of consent: what a publisher's own form or program shows, nobody knows here.
		if err := t.subscriptionEvent(subscriberID, c.NewsletterID, newsletter.EventRequested, r.Origin, 0, 0, now); err != nil {
			return err
		}
	}
	return t.queueMail(kind, subscriberID, signupID, send, at, now)
}

// signUpSubscriber returns the id of the address, which is added if it is new. A form changes
// nothing about an address that is known: anybody can fill it in. What it says about the
// person is kept with the sign-up until its mail is answered.
func (t *tx) signUpSubscriber(r newsletter.SignUpRequest, now time.Time) (int64, error) {
	return t.insert(`
		INSERT INTO subscribers (id, email, email_key, created_at, updated_at)
		VALUES (`+nextSubscriber+`, $1, $2, $3, $3)
		ON CONFLICT (email_key) DO UPDATE SET updated_at = excluded.updated_at
		RETURNING id`,
		r.Email, r.EmailKey, millis(now))
}

// signUpState reports whether the reader has the newsletter, and whether a mail has gone out,
// or will, that confirms a sign-up for just this choice. It goes by the mails, of which there
// are few for one address whatever happens; of sign-ups there can be any number.
func (t *tx) signUpState(subscriberID int64, c newsletter.SignUpChoice, now time.Time) (active, covered bool, err error) {
	err = t.row(`
		SELECT
			EXISTS (SELECT 1 FROM subscriptions
				WHERE newsletter_id = $1 AND subscriber_id = $2 AND state IN ('active', 'paused')),
			EXISTS (SELECT 1 FROM mails m
				WHERE m.subscriber_id = $2 AND m.created_at > $3 AND m.kind = 'confirm' AND m.state IN (1, 2, 3, 5, 6)
				AND EXISTS (SELECT 1 FROM signups s JOIN signup_newsletters c ON c.signup_id = s.id AND c.newsletter_id = $1
					WHERE s.id = m.signup_id AND s.confirmed_at IS NULL AND s.expires_at > $4
					AND c.cadence = $5 AND c.slot = $6 AND c.sections = $7))`,
		c.NewsletterID, subscriberID, millis(now.Add(-newsletter.SignUpValid)), millis(now), string(c.Cadence), slotColumn(c.Slot), int64(c.Sections)).
		Scan(&active, &covered)
	return active, covered, err
}

// addToWaiting puts a choice into the sign-up whose mail waits for the cooldown to end, if
// there is one: only one mail can wait, so it has to be about the newest choices. Nobody has
// its token yet. What the reader has already stays out of it.
func (t *tx) addToWaiting(subscriberID int64, c newsletter.SignUpChoice, now time.Time) error {
	_, err := t.exec(`
		INSERT INTO signup_newsletters (signup_id, newsletter_id, cadence, slot, sections)
		SELECT m.signup_id, $1, $2, $3, $4 FROM mails m
		WHERE m.subscriber_id = $5 AND m.kind = 'confirm' AND m.state = 1 AND m.not_before > $6
			AND NOT EXISTS (SELECT 1 FROM subscriptions u
				WHERE u.newsletter_id = $1 AND u.subscriber_id = $5 AND u.state IN ('active', 'paused'))
		ON CONFLICT (signup_id, newsletter_id) DO UPDATE SET cadence = excluded.cadence, slot = excluded.slot, sections = excluded.sections`,
		c.NewsletterID, string(c.Cadence), slotColumn(c.Slot), int64(c.Sections), subscriberID, millis(now))
	return err
}

// insertSignUp adds the row that the confirmation token names. The token's time begins with
// its mail.
func (t *tx) insertSignUp(subscriberID int64, r newsletter.SignUpRequest, mailAt, now time.Time) (int64, error) {
	return t.insert(`
		INSERT INTO signups (subscriber_id, nonce, email, name, time_zone, page, placement, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
		subscriberID, r.Nonce, r.Email, r.Name, r.TimeZone, r.Origin.Page, r.Origin.Placement, millis(now), millis(mailAt.Add(newsletter.SignUpValid)))
}

// requestChoice records what is asked for in one newsletter. A subscription that is pending
// takes the choice if a mail can confirm it, so that it shows what will be; others do not.
func (t *tx) requestChoice(signupID, subscriberID int64, c newsletter.SignUpChoice, mailed bool, now time.Time) error {
	_, err := t.exec(`INSERT INTO signup_newsletters (signup_id, newsletter_id, cadence, slot, sections) VALUES ($1, $2, $3, $4, $5)`,
		signupID, c.NewsletterID, string(c.Cadence), slotColumn(c.Slot), int64(c.Sections))
	if err != nil {
		return err
	}
	takes := 0
	if mailed {
		takes = 1
	}
	_, err = t.exec(`
		INSERT INTO subscriptions (newsletter_id, subscriber_id, state, cadence, slot, sections, created_at, updated_at)
		VALUES ($1, $2, 'pending', $3, $4, $5, $6, $6)
		ON CONFLICT (newsletter_id, subscriber_id) DO UPDATE
		SET cadence = excluded.cadence, slot = excluded.slot, sections = excluded.sections, updated_at = excluded.updated_at
		WHERE subscriptions.state = 'pending' AND CAST($7 AS INTEGER) = 1`,
		c.NewsletterID, subscriberID, string(c.Cadence), slotColumn(c.Slot), int64(c.Sections), millis(now), takes)
	return err
}

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
