package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// TakeOver settles what an earlier sender left behind. It may only be called by who has just
// taken the sender role: then nobody else is sending, so every delivery in state sending is
// in doubt. Where the edition's policy is to resend, it goes on to deferred at once. It
// returns how many were found.
func (s *Store) TakeOver(ctx context.Context, now time.Time) (int, error) {
	var found int
	err := s.write(ctx, func(t *tx) error {
		doubted, err := t.changed(`UPDATE deliveries SET state = 6, attempts = attempts + 1, doubted_at = $1, updated_at = $1 WHERE state = 2`, millis(now))
		if err != nil {
			return err
		}
		found = doubted
		_, err = t.exec(`UPDATE deliveries SET state = 5, doubts = doubts + 1, next_try = $1
			WHERE state = 6 AND doubts < $2 AND edition_id IN (SELECT id FROM editions WHERE on_doubt = 'resend' AND state NOT IN ('cancelled', 'expired'))`,
			millis(now), newsletter.MaxDoubts)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("take over the sender role: %w", err)
	}
	return found, nil
}

// WaitingDeliveries returns the next subscribers of the edition whose delivery is waiting,
// after the given one.
func (s *Store) WaitingDeliveries(ctx context.Context, editionID, after int64, limit int) ([]int64, error) {
	rows, err := s.read(ctx).query(`SELECT subscriber_id FROM deliveries
		WHERE edition_id = $1 AND subscriber_id > $2 AND state = 1 ORDER BY subscriber_id LIMIT $3`, editionID, after, limit)
	return collect(rows, err, scanID)
}

// DueDeliveries returns subscribers of the edition whose deferred delivery is due.
func (s *Store) DueDeliveries(ctx context.Context, editionID int64, now time.Time, limit int) ([]int64, error) {
	rows, err := s.read(ctx).query(`SELECT subscriber_id FROM deliveries
		WHERE edition_id = $1 AND state = 5 AND next_try <= $2 ORDER BY next_try LIMIT $3`, editionID, millis(now), limit)
	return collect(rows, err, scanID)
}

// NextTry returns when the edition's next deferred delivery is due; zero if there is none.
func (s *Store) NextTry(ctx context.Context, editionID int64) (time.Time, error) {
	var next sql.NullInt64
	err := s.read(ctx).row(`SELECT MIN(next_try) FROM deliveries WHERE edition_id = $1 AND state = 5`, editionID).Scan(&next)
	return fromNull(next), err
}

func scanID(rows *sql.Rows) (id int64, err error) {
	err = rows.Scan(&id)
	return id, err
}

// Step is the ledger's one step on the way of a message: it records the result of the last
// one, if there is any, and the intent to send the next one, if there is any, in one
// transaction. ok says that the next one is to be sent now, as described by the delivery; if
// not, it must not be: its state says why. Only what this method acknowledged may be sent.
func (s *Store) Step(ctx context.Context, last *newsletter.DeliveryResult, next *newsletter.DeliveryKey, key newsletter.SuppressionKey, now time.Time) (d newsletter.Delivery, ok bool, err error) {
	// A result must be recorded even while the program is being stopped.
	err = s.write(context.WithoutCancel(ctx), func(t *tx) error {
		if last != nil {
			if err := t.settle(*last, now); err != nil {
				return err
			}
		}
		if next == nil {
			return nil
		}
		d, ok, err = t.begin(*next, key, now)
		return err
	})
	if err != nil {
		return d, false, fmt.Errorf("ledger: %w", err)
	}
	return d, ok, nil
}

// settle records what became of a delivery that was sending.
func (t *tx) settle(r newsletter.DeliveryResult, now time.Time) error {
	if !newsletter.CanMove(newsletter.Sending, r.State) {
		return fmt.Errorf("delivery %d/%d cannot go from sending to %s", r.EditionID, r.SubscriberID, r.State)
	}
	attempts, doubts := 1, 0
	var doubted sql.NullInt64
	state := r.State
	switch state {
	case newsletter.Waiting:
		attempts = 0
	case newsletter.InDoubt:
		doubted = nullMillis(now)
		var policy newsletter.OnDoubt
		var before int
		err := t.row(`SELECT e.on_doubt, d.doubts FROM deliveries d JOIN editions e ON e.id = d.edition_id
			WHERE d.edition_id = $1 AND d.subscriber_id = $2`, r.EditionID, r.SubscriberID).Scan(&policy, &before)
		if err != nil {
			return err
		}
		if policy == newsletter.DoubtResend && before < newsletter.MaxDoubts {
			state, doubts = newsletter.Deferred, 1
		}
	case newsletter.Accepted, newsletter.Refused, newsletter.Deferred, newsletter.Sending, newsletter.Expired, newsletter.Withheld:
	}
	reply, err := t.intern(`SELECT id FROM replies WHERE text = $1`, `INSERT INTO replies (text) VALUES ($1) RETURNING id`, keptReply(r.Outcome))
	if err != nil {
		return err
	}
	relay, err := t.intern(`SELECT id FROM relays WHERE name = $1`, `INSERT INTO relays (name) VALUES ($1) RETURNING id`, r.Relay)
	if err != nil {
		return err
	}
	nextTry := r.NextTry
	if nextTry.IsZero() {
		nextTry = now
	}
	n, err := t.changed(`UPDATE deliveries SET state = $1, attempts = attempts + $2, doubts = doubts + $3,
			doubted_at = COALESCE($4, doubted_at), next_try = $5, code = $6, enhanced = $7, reply_id = $8, relay_id = $9, updated_at = $10
		WHERE edition_id = $11 AND subscriber_id = $12 AND state = 2`,
		int(state), attempts, doubts, doubted, millis(nextTry), r.Code, r.Enhanced, reply, relay, millis(now), r.EditionID, r.SubscriberID)
	if err == nil && n != 1 {
		err = fmt.Errorf("delivery %d/%d is not sending, so its result %s cannot be recorded", r.EditionID, r.SubscriberID, r.State)
	}
	return err
}

// keptReply returns the reply to keep: that of an accepted message names a queue entry, so
// each would be kept apart for nothing.
func keptReply(o newsletter.Outcome) string {
	if o.State == newsletter.Accepted {
		return ""
	}
	return strings.ToValidUTF8(o.Reply[:min(len(o.Reply), newsletter.MaxReply)], "")
}

// intern returns the id of a text that is kept once; NULL for the empty one.
func (t *tx) intern(find, insert, text string) (id sql.NullInt64, err error) {
	if text == "" {
		return id, nil
	}
	err = t.row(find, text).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		id.Valid = true
		id.Int64, err = t.insert(insert, text)
	}
	return id, err
}

// begin records the intent to send a delivery, after a last look at its edition, its time,
// its subscription and the suppressions.
func (t *tx) begin(k newsletter.DeliveryKey, key newsletter.SuppressionKey, now time.Time) (d newsletter.Delivery, ok bool, err error) {
	var (
		notBefore, expires int64
		variant            sql.NullInt64
		edition            newsletter.EditionState
		subscription       sql.NullString
		pausedUntil        sql.NullInt64
		emailKey           string
	)
	d.EditionID, d.SubscriberID = k.EditionID, k.SubscriberID
	err = t.row(`SELECT d.state, d.variant_id, d.attempts, d.not_before, d.expires_at, e.state, s.email, s.email_key, s.name, u.state, u.paused_until
		FROM deliveries d
		JOIN editions e ON e.id = d.edition_id
		JOIN subscribers s ON s.id = d.subscriber_id
		LEFT JOIN subscriptions u ON u.newsletter_id = e.newsletter_id AND u.subscriber_id = d.subscriber_id
		WHERE d.edition_id = $1 AND d.subscriber_id = $2`, k.EditionID, k.SubscriberID).
		Scan(&d.State, &variant, &d.Attempts, &notBefore, &expires, &edition, &d.Email, &emailKey, &d.Name, &subscription, &pausedUntil)
	if err != nil {
		return d, false, fmt.Errorf("delivery %d/%d: %w", k.EditionID, k.SubscriberID, err)
	}
	d.VariantID, d.NotBefore, d.ExpiresAt = variant.Int64, fromMillis(notBefore), fromMillis(expires)
	if !edition.Open() || !newsletter.CanMove(d.State, newsletter.Sending) {
		return d, false, nil
	}
	barred, err := suppression(t, key.Hash(emailKey))
	switch state := newsletter.SubscriptionState(subscription.String); {
	case err != nil:
		return d, false, err
	case !d.ExpiresAt.After(now):
		d.State = newsletter.Expired
	case barred != "":
		d.State, d.Reason = newsletter.Withheld, newsletter.ReasonSuppressed
	case isPaused(subscription.String, pausedUntil, now):
		d.State, d.Reason = newsletter.Withheld, newsletter.ReasonPaused
	case state != newsletter.Active && state != newsletter.PausedSub:
		d.State, d.Reason = newsletter.Withheld, newsletter.ReasonLeft
	default:
		d.State, ok = newsletter.Sending, true
	}
	if ok && edition == newsletter.EditionFrozen {
		if _, err := t.exec(`UPDATE editions SET state = 'sending', started_at = COALESCE(started_at, $1) WHERE id = $2`, millis(now), k.EditionID); err != nil {
			return d, false, err
		}
	}
	_, err = t.exec(`UPDATE deliveries SET state = $1, reason = $2, updated_at = $3 WHERE edition_id = $4 AND subscriber_id = $5`,
		int(d.State), sql.NullString{String: d.Reason, Valid: d.Reason != ""}, millis(now), k.EditionID, k.SubscriberID)
	return d, ok, err
}

// expireChunk is how many deliveries one transaction expires: a long one blocks everybody.
const expireChunk = 5000

// ExpireDeliveries gives up those that could not be delivered in time, and returns how many.
func (s *Store) ExpireDeliveries(ctx context.Context, editionID int64, now time.Time) (int, error) {
	total := 0
	for {
		var n int
		err := s.write(ctx, func(t *tx) (err error) {
			n, err = t.changed(`UPDATE deliveries SET state = 7, updated_at = $1 WHERE edition_id = $2 AND subscriber_id IN (
				SELECT subscriber_id FROM deliveries WHERE edition_id = $2 AND state IN (1, 5) AND expires_at <= $1 LIMIT $3)`,
				millis(now), editionID, expireChunk)
			return err
		})
		total += n
		if err != nil || n < expireChunk {
			return total, err
		}
	}
}

// FinishEdition records that nothing of the edition is left to be tried, after checking the
// ledger's identity in the same transaction. done is false if something is left.
func (s *Store) FinishEdition(ctx context.Context, id int64, now time.Time) (done bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		tally, err := tallyOf(t, id)
		if err != nil {
			return err
		}
		if err := tally.Check(); err != nil {
			return fmt.Errorf("edition %d: %w", id, err)
		}
		if done = tally.Done(); !done {
			return nil
		}
		_, err = t.exec(`UPDATE editions SET state = 'sent', finished_at = $1 WHERE id = $2 AND state IN ('frozen', 'sending') AND planned_at IS NOT NULL`, millis(now), id)
		return err
	})
	return done, err
}

// Tally counts the edition's deliveries by state. The caller decides what an imbalance means.
func (s *Store) Tally(ctx context.Context, editionID int64) (newsletter.Tally, error) {
	return tallyOf(s.read(ctx), editionID)
}

// tallyOf counts in one statement, so that the counts and the number planned are of one moment.
func tallyOf(q querier, editionID int64) (newsletter.Tally, error) {
	tally := newsletter.Tally{Counts: map[newsletter.State]int{}, Reasons: map[string]int{}}
	rows, err := q.query(`SELECT e.planned, COALESCE(d.state, 0), COALESCE(d.reason, ''), COUNT(d.state), SUM(CASE WHEN d.doubted_at IS NULL THEN 0 ELSE 1 END)
		FROM editions e LEFT JOIN deliveries d ON d.edition_id = e.id
		WHERE e.id = $1 GROUP BY e.planned, d.state, d.reason`, editionID)
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var state newsletter.State
		var reason string
		var n, doubted int
		err := rows.Scan(&tally.Planned, &state, &reason, &n, &doubted)
		if n > 0 {
			tally.Counts[state] += n
			tally.Doubted += doubted
		}
		if state == newsletter.Withheld {
			tally.Reasons[reason] += n
		}
		return struct{}{}, err
	})
	if err != nil {
		return tally, fmt.Errorf("tally of edition %d: %w", editionID, err)
	}
	return tally, nil
}
