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

// foldMark is the mark that the database's log may still have what was erased.
const foldMark = "erased, log not folded"

// EraseSubscriber removes a person, in one transaction: address, name, subscriptions with their
// history, sign-ups and mails. What is left is the keyed hash of the address among the
// suppressions, so that nobody imports it again, and rows of the ledger that count without
// saying whom (S25). What was still to be sent is withheld. The number is never given to
// anybody else. The error is NotFound if there is nobody.
//
// When it returns nil the person is gone for everybody who asks the database. ScrubErased
// removes what others still wrote about them meanwhile, and FoldLog the last traces from the
// database's files.
func (s *Store) EraseSubscriber(ctx context.Context, id int64, actor string, now time.Time) (newsletter.Erased, error) {
	sub, err := s.Subscriber(ctx, id)
	if err != nil {
		return newsletter.Erased{}, err
	}
	// Replies are kept once for all who got them, so they are looked through beforehand: that
	// takes its time, and nobody has to wait for it. What comes in between is found later.
	places, err := findAddresses(s.read(ctx), isAddress(sub.Email))
	if err != nil {
		return newsletter.Erased{}, fmt.Errorf("erase subscriber %d: %w", id, err)
	}
	var gone newsletter.Erased
	err = s.write(ctx, func(t *tx) (err error) {
		if gone, err = t.erase(id, actor, now); err != nil {
			return err
		}
		if _, err := t.scrub(places); err != nil {
			return err
		}
		return t.deskEvent(now, actor, "subscriber erased", 0, 0, fmt.Sprintf("subscriber %d", id))
	})
	if err != nil {
		return gone, fmt.Errorf("erase subscriber %d: %w", id, err)
	}
	gone.SubscriberID = id
	return gone, nil
}

// EraseAddress removes what is held about an address, given case-folded, that no subscriber
// has: it is taken out of words that name it, and the notes about it are emptied. It returns of
// how many rows. A suppression stays, so that nobody mails the address.
func (s *Store) EraseAddress(ctx context.Context, emailKey, actor string, now time.Time) (rows int, err error) {
	places, err := findAddresses(s.read(ctx), func(key string) bool { return key == emailKey })
	if err == nil {
		err = s.write(ctx, func(t *tx) error {
			hash, err := suppressionHash(t, emailKey)
			if err != nil {
				return err
			}
			if rows, err = t.scrub(places); err != nil {
				return err
			}
			if err := t.forgetNotes(hash); err != nil {
				return err
			}
			if err := errors.Join(t.markErased(hash, now), t.markFold(now)); err != nil {
				return err
			}
			return t.deskEvent(now, actor, "address erased", 0, 0, counted(rows, "row")+" named it")
		})
	}
	if err != nil {
		return 0, fmt.Errorf("erase an address: %w", err)
	}
	return rows, nil
}

// erase is EraseSubscriber without what other rows say of the person.
func (t *tx) erase(id int64, actor string, now time.Time) (newsletter.Erased, error) {
	var gone newsletter.Erased
	var email, key string
	err := t.row(`SELECT email, email_key FROM subscribers WHERE id = $1`, id).Scan(&email, &key)
	if errors.Is(err, sql.ErrNoRows) {
		return gone, newsletter.NotFoundf("there is no subscriber %d", id)
	}
	if err != nil {
		return gone, err
	}
	if err := t.noteErased(id, now); err != nil {
		return gone, err
	}
	hash, err := suppressionHash(t, key)
	if err != nil {
		return gone, err
	}
	if err := t.suppress(hash, newsletter.SuppressedErased, "", actor, now); err != nil {
		return gone, err
	}
	if err := t.eraseFromLedger(id, email, now, &gone); err != nil {
		return gone, err
	}
	if err := t.removeSubscriber(id, &gone); err != nil {
		return gone, err
	}
	return gone, errors.Join(t.markErased(hash, now), t.markFold(now))
}

// isAddress returns what matches one address.
func isAddress(email string) addressMatch {
	at := strings.LastIndexByte(email, '@')
	key := foldedLocal(email[:max(0, at)]) + "@" + asciiName(email[at+1:])
	return func(address string) bool { return address == key }
}

// eraseFromLedger withholds what is still to be sent to a person, and empties what relays and
// other systems said of the address. What is being handed over is settled afterwards, without
// words.
func (t *tx) eraseFromLedger(id int64, email string, now time.Time, gone *newsletter.Erased) (err error) {
	gone.Withheld, err = t.changed(`UPDATE deliveries SET state = 8, reason = $1, updated_at = $2
		WHERE subscriber_id = $3 AND state IN (1, 5) AND edition_id IN (SELECT id FROM editions)`, newsletter.ReasonErased, millis(now), id)
	if err != nil {
		return err
	}
	if err := t.row(`SELECT COUNT(*) FROM deliveries WHERE subscriber_id = $1 AND edition_id IN (SELECT id FROM editions)`, id).Scan(&gone.Deliveries); err != nil {
		return err
	}
	own, err := findIn(t, repliesPlace, `SELECT DISTINCT r.id, r.text FROM deliveries d JOIN replies r ON r.id = d.reply_id
		WHERE d.subscriber_id = $1 AND d.edition_id IN (SELECT id FROM editions) ORDER BY r.id`, isAddress(email), id)
	if err != nil {
		return err
	}
	if _, err := t.scrub(own); err != nil {
		return err
	}
	_, err = t.exec(`UPDATE returns SET diagnostic = '', address = '' WHERE subscriber_id = $1`, id)
	return err
}

// removeSubscriber deletes what is kept of a person alone.
func (t *tx) removeSubscriber(id int64, gone *newsletter.Erased) error {
	for _, table := range []string{"subscribers", "mails"} {
		if err := t.raiseFloor(table, 0, 0); err != nil { // links and return paths that are out there name them
			return err
		}
	}
	for _, step := range []struct {
		statement string
		count     *int
	}{
		{`DELETE FROM mails WHERE subscriber_id = $1`, &gone.Mails},
		{`DELETE FROM signup_newsletters WHERE signup_id IN (SELECT id FROM signups WHERE subscriber_id = $1)`, nil},
		{`DELETE FROM signups WHERE subscriber_id = $1`, &gone.SignUps},
		{`DELETE FROM subscription_events WHERE subscriber_id = $1`, &gone.Events},
		{`DELETE FROM subscriptions WHERE subscriber_id = $1`, &gone.Subscriptions},
		{`DELETE FROM subscribers WHERE id = $1`, nil},
	} {
		n, err := t.changed(step.statement, id)
		if err != nil {
			return err
		}
		if step.count != nil {
			*step.count += n
		}
	}
	return nil
}

// FoldLog folds the database's log into its file and empties it, if anybody was erased since
// that was last done: deleted rows are overwritten in the file, but the log has them as they
// were. done is false if somebody else is reading or writing just now; then it is to be tried
// again.
func (s *Store) FoldLog(ctx context.Context) (done bool, err error) {
	var pending int
	if err := s.read(ctx).row(`SELECT COUNT(*) FROM marks WHERE name = $1`, foldMark).Scan(&pending); err != nil || pending == 0 {
		return err == nil, err
	}
	// The mark goes first, so that the log is empty when this is done. A crash in between is
	// harmless: whoever opens the database next folds all of the log.
	err = s.write(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM marks WHERE name = $1`, foldMark)
		return err
	})
	if err == nil {
		done, err = s.truncateLog(ctx)
	}
	if err == nil && done {
		return true, nil
	}
	return false, errors.Join(err, s.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO marks (name, at) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING`, foldMark)
		return err
	}))
}

// foldWait is how long folding waits for who is reading: all who write wait meanwhile.
const foldWait = 500 // milliseconds

func (s *Store) truncateLog(ctx context.Context) (done bool, err error) {
	db, err := sql.Open("sqlite3", dsn(s.path))
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA busy_timeout = %d`, foldWait)); err != nil {
		return false, err
	}
	var busy, log, folded int
	if err := conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &folded); err != nil {
		return false, err
	}
	return busy == 0, nil
}
