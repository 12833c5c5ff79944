package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// ForgetClients empties the addresses and programs of readers' machines in what happened
// before a time, and returns in how many events.
func (s *Store) ForgetClients(ctx context.Context, before time.Time) (int, error) {
	n, err := s.removeOld(ctx, `UPDATE subscription_events SET ip = '', user_agent = '' WHERE id IN (
		SELECT id FROM subscription_events WHERE at < $1 AND (ip <> '' OR user_agent <> '') ORDER BY at LIMIT $2)`, before)
	if err != nil {
		return n, fmt.Errorf("forget addresses of machines: %w", err)
	}
	return n, nil
}

// PruneMails removes transactional mails that were finished and made before a time, and
// returns how many. One that asked to confirm and was accepted is a part of the proof of
// consent: it goes with its sign-up (PruneSignUps), or with the person.
func (s *Store) PruneMails(ctx context.Context, before time.Time) (int, error) {
	if err := s.write(ctx, func(t *tx) error { return t.raiseFloor("mails", 0, 0) }); err != nil {
		return 0, fmt.Errorf("remove old mails: %w", err)
	}
	n, err := s.removeOld(ctx, oldMails, before)
	if err != nil {
		return n, fmt.Errorf("remove old mails: %w", err)
	}
	return n, nil
}

// oldMails has the condition of the index mails_finished, word for word.
const oldMails = `DELETE FROM mails WHERE id IN (
	SELECT id FROM mails WHERE created_at < $1 AND (state IN (4, 6, 7, 8) OR state = 3 AND kind <> 'confirm') ORDER BY created_at LIMIT $2)`

// removeOld runs a statement over what is older than a time, a chunk in a transaction, until
// nothing is left.
func (s *Store) removeOld(ctx context.Context, statement string, before time.Time) (total int, err error) {
	for {
		var n int
		err := s.write(ctx, func(t *tx) (err error) {
			n, err = t.changed(statement, millis(before), moveChunk)
			return err
		})
		total += n
		if err != nil || n < moveChunk {
			return total, err
		}
	}
}

// PruneSignUps removes sign-ups that were not confirmed and whose link ended before a time,
// and with them the people who never confirmed anything. It returns how many of each.
func (s *Store) PruneSignUps(ctx context.Context, before, now time.Time) (signUps, people int, err error) {
	for {
		var n, gone int
		err := s.write(ctx, func(t *tx) (err error) {
			n, gone, err = t.pruneSignUps(before, now)
			return err
		})
		signUps, people = signUps+n, people+gone
		if err != nil {
			return signUps, people, fmt.Errorf("remove sign-ups that were not confirmed: %w", err)
		}
		if n < signUpChunk {
			return signUps, people, nil
		}
	}
}

// signUpChunk is how many sign-ups are removed in one transaction; each takes a few statements.
const signUpChunk = 500

type oldSignUp struct{ id, subscriber int64 }

func (t *tx) pruneSignUps(before, now time.Time) (n, people int, err error) {
	rows, err := t.query(`SELECT id, subscriber_id FROM signups WHERE confirmed_at IS NULL AND expires_at < $1 ORDER BY expires_at LIMIT $2`,
		millis(before), signUpChunk)
	list, err := collect(rows, err, func(rows *sql.Rows) (o oldSignUp, err error) {
		err = rows.Scan(&o.id, &o.subscriber)
		return o, err
	})
	if err != nil || len(list) == 0 {
		return 0, 0, err
	}
	if err := t.raiseFloor("mails", 0, 0); err != nil {
		return 0, 0, err
	}
	for _, o := range list {
		gone, err := t.pruneSignUp(o, now)
		if err != nil {
			return 0, 0, fmt.Errorf("sign-up %d: %w", o.id, err)
		}
		if gone {
			people++
		}
	}
	return len(list), people, nil
}

// pruneSignUp removes one, and the person if that was all; gone says so.
func (t *tx) pruneSignUp(o oldSignUp, now time.Time) (gone bool, err error) {
	for _, statement := range []string{
		`DELETE FROM mails WHERE signup_id = $1`,
		`DELETE FROM signup_newsletters WHERE signup_id = $1`,
		`DELETE FROM signups WHERE id = $1`,
	} {
		if _, err := t.exec(statement, o.id); err != nil {
			return false, err
		}
	}
	// Somebody who has, or had, a newsletter stays: with a history there is more to prove.
	var has int
	err = t.row(`SELECT (SELECT COUNT(*) FROM signups WHERE subscriber_id = $1)
		+ (SELECT COUNT(*) FROM subscriptions WHERE subscriber_id = $1 AND (state <> 'pending' OR joined_at IS NOT NULL))`, o.subscriber).Scan(&has)
	if err != nil || has > 0 {
		return false, err
	}
	if _, err := t.exec(`UPDATE returns SET diagnostic = '', address = '' WHERE subscriber_id = $1`, o.subscriber); err != nil {
		return false, err
	}
	var key string
	if err := t.row(`SELECT email_key FROM subscribers WHERE id = $1`, o.subscriber).Scan(&key); err != nil {
		return false, err
	}
	hash, err := suppressionHash(t, key)
	if err != nil {
		return false, err
	}
	if err := t.removeSubscriber(o.subscriber, &newsletter.Erased{}); err != nil {
		return false, err
	}
	// What others wrote about the address is found by the mark.
	return true, errors.Join(t.markErased(hash, now), t.markFold(now))
}

// leftChunk is how many people are erased in one transaction; each looks through all editions.
const leftChunk = 20

// oldLeft finds people by what they left; who left several newsletters is found several times.
const oldLeft = `SELECT u.subscriber_id FROM subscriptions u
	WHERE u.state = 'left' AND u.left_at < $1
	AND NOT EXISTS (SELECT 1 FROM subscriptions o WHERE o.subscriber_id = u.subscriber_id AND (o.state <> 'left' OR o.left_at >= $1))
	AND NOT EXISTS (SELECT 1 FROM signups g WHERE g.subscriber_id = u.subscriber_id AND g.confirmed_at IS NULL)
	ORDER BY u.left_at LIMIT $2`

// EraseLeft erases the people who left everything that they ever had, before a time, and returns
// how many: with the keyed hash of the address that stays, no import brings them back.
func (s *Store) EraseLeft(ctx context.Context, before, now time.Time) (total int, err error) {
	for {
		n, people := 0, 0
		err := s.write(ctx, func(t *tx) error {
			rows, err := t.query(oldLeft, millis(before), leftChunk)
			ids, err := collect(rows, err, scanID)
			n = len(ids)
			slices.Sort(ids)
			for _, id := range slices.Compact(ids) {
				if err == nil {
					_, err = t.erase(id, retentionActor, now)
					people++
				}
			}
			return err
		})
		if err != nil {
			return total, fmt.Errorf("erase who left: %w", err)
		}
		total += people
		if n < leftChunk {
			return total, nil
		}
	}
}

// retentionActor is who removes what is over its time, in the records.
const retentionActor = "retention"
