package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// bounceActor is who changes something because of what came back.
const bounceActor = "bounce"

// ReturnReader returns the address of the reader whom the message had gone to; empty if the
// reader's data was erased, or the mail is not kept any more.
func (s *Store) ReturnReader(ctx context.Context, path newsletter.ReturnPath) (string, error) {
	_, email, _, err := returnReader(s.read(ctx), path)
	if err != nil {
		return "", fmt.Errorf("reader of what came back: %w", err)
	}
	return email, nil
}

// returnReader returns who the message had gone to. The number is 0 if a mail is not kept any
// more, the address empty if the reader is not.
func returnReader(q querier, path newsletter.ReturnPath) (id int64, email, key string, err error) {
	id = path.SubscriberID
	if path.MailID != 0 {
		err = q.row(`SELECT subscriber_id FROM mails WHERE id = $1`, path.MailID).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return 0, "", "", nil
		}
	}
	if err == nil {
		err = q.row(`SELECT email, email_key FROM subscribers WHERE id = $1`, id).Scan(&email, &key)
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return id, email, key, err
}

// TakeReturn has on record what came back of a message, with all that it changes:
//
//   - A delivery that was accepted counts as bounced or complained; one in doubt is settled.
//   - An address that is bad for good is suppressed at once, one that fails softly on as many
//     days as the limit says as well.
//   - Who complains leaves every newsletter and is suppressed.
//
// Of one message each kind is taken once, and a delay apart from a failure: after that it is
// reported as Again and changes nothing.
func (s *Store) TakeReturn(ctx context.Context, r newsletter.Return, limit newsletter.SoftLimit) (newsletter.ReturnTaken, error) {
	var taken newsletter.ReturnTaken
	if !slices.Contains(newsletter.ReturnKinds(), r.Kind) {
		return taken, fmt.Errorf("take what came back: %q is not a kind of it", r.Kind)
	}
	// What was taken from a connection must be recorded even while the program is being stopped.
	err := s.write(context.WithoutCancel(ctx), func(t *tx) (err error) {
		taken, err = t.takeReturn(r, limit)
		return err
	})
	if err != nil {
		return taken, fmt.Errorf("take what came back of delivery %d/%d, mail %d: %w", r.EditionID, r.SubscriberID, r.MailID, err)
	}
	return taken, nil
}

func (t *tx) takeReturn(r newsletter.Return, limit newsletter.SoftLimit) (newsletter.ReturnTaken, error) {
	path := newsletter.ReturnPath{EditionID: r.EditionID, SubscriberID: r.SubscriberID, MailID: r.MailID}
	subscriber, email, key, err := returnReader(t, path)
	if err != nil {
		return newsletter.ReturnTaken{}, err
	}
	r.SubscriberID = subscriber
	if email == "" { // who was erased leaves no words behind
		r.Diagnostic, r.Address = "", ""
	}
	if err := t.dropRefusal(r.EditionID, r.SubscriberID); err != nil { // of an earlier try: a report says more
		return newsletter.ReturnTaken{}, err
	}
	taken := newsletter.ReturnTaken{Return: r, Reader: email}
	if taken.ID, err = t.insertReturn(r); errors.Is(err, sql.ErrNoRows) {
		taken.Again = true
		return taken, nil
	}
	if err != nil {
		return taken, err
	}
	if err := t.countReturn(r.Kind, r.Channel); err != nil {
		return taken, err
	}
	sentAt, ledger, err := t.returnToLedger(r)
	if err != nil {
		return taken, err
	}
	address := "the reader is not on record any more"
	if email != "" {
		if address, err = t.returnToAddress(r, key, sentAt, limit); err != nil {
			return taken, err
		}
	}
	taken.Effect = strings.Join(slices.DeleteFunc([]string{ledger, address}, func(s string) bool { return s == "" }), "; ")
	_, err = t.exec(`UPDATE returns SET effect = $1 WHERE id = $2`, taken.Effect, taken.ID)
	return taken, err
}

// insertReturn records a return, or fails with sql.ErrNoRows if its like is on record.
func (t *tx) insertReturn(r newsletter.Return) (int64, error) {
	return t.insert(`INSERT INTO returns (edition_id, subscriber_id, mail_id, kind, status, code, reason, diagnostic, address, channel, effect, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', $11) ON CONFLICT DO NOTHING RETURNING id`,
		r.EditionID, r.SubscriberID, r.MailID, string(r.Kind), r.Status, r.Code, r.Reason, r.Diagnostic, r.Address, r.Channel, millis(r.At))
}

func (t *tx) countReturn(kind newsletter.ReturnKind, channel string) error {
	_, err := t.exec(`INSERT INTO return_counts (kind, channel, n) VALUES ($1, $2, 1)
		ON CONFLICT (kind, channel) DO UPDATE SET n = return_counts.n + 1`, string(kind), channel)
	return err
}

// CountUnknown counts a message that has no return path of ours.
func (s *Store) CountUnknown(ctx context.Context, channel string) error {
	err := s.write(ctx, func(t *tx) error { return t.countReturn(newsletter.ReturnUnknown, channel) })
	if err != nil {
		return fmt.Errorf("count what came back: %w", err)
	}
	return nil
}

// ReturnCounts returns how many messages have come back since the database was made.
func (s *Store) ReturnCounts(ctx context.Context) ([]newsletter.ReturnCount, error) {
	rows, err := s.read(ctx).query(`SELECT kind, channel, n FROM return_counts ORDER BY kind, channel`)
	list, err := collect(rows, err, func(rows *sql.Rows) (c newsletter.ReturnCount, err error) {
		err = rows.Scan(&c.Kind, &c.Channel, &c.Count)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("count what came back: %w", err)
	}
	return list, nil
}

// Returns returns what came back of messages to a subscriber, the newest first, up to limit.
func (s *Store) Returns(ctx context.Context, subscriberID int64, limit int) ([]newsletter.Return, error) {
	rows, err := s.read(ctx).query(`SELECT id, edition_id, subscriber_id, mail_id, kind, status, code, reason, diagnostic, address, channel, effect, at
		FROM returns WHERE subscriber_id = $1 ORDER BY id DESC LIMIT $2`, subscriberID, limit)
	list, err := collect(rows, err, func(rows *sql.Rows) (r newsletter.Return, err error) {
		var at int64
		err = rows.Scan(&r.ID, &r.EditionID, &r.SubscriberID, &r.MailID, &r.Kind, &r.Status, &r.Code, &r.Reason, &r.Diagnostic, &r.Address, &r.Channel, &r.Effect, &at)
		r.At = fromMillis(at)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("what came back of subscriber %d: %w", subscriberID, err)
	}
	return list, nil
}

// PruneReturns removes what came back before a time, and returns how much that was. What it
// changed stays.
func (s *Store) PruneReturns(ctx context.Context, before time.Time) (int, error) {
	total := 0
	for {
		var n int
		err := s.write(ctx, func(t *tx) (err error) {
			n, err = t.changed(`DELETE FROM returns WHERE id IN (SELECT id FROM returns WHERE at < $1 ORDER BY at LIMIT $2)`, millis(before), moveChunk)
			return err
		})
		total += n
		if err != nil || n < moveChunk {
			return total, err
		}
	}
}
