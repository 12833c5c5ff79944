package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// keepRefusal has on record what the refusal of a message says of its address. It changes nothing
// yet: whether the address is to blame shows when the edition is over; see judgeRefusals. Of
// somebody erased meanwhile nothing is kept.
func (t *tx) keepRefusal(r newsletter.DeliveryResult, now time.Time) error {
	var known int
	err := t.row(`SELECT COUNT(*) FROM subscribers WHERE id = $1`, r.SubscriberID).Scan(&known)
	if err != nil || known == 0 {
		return err
	}
	if err := t.dropRefusal(r.EditionID, r.SubscriberID); err != nil { // of an earlier try
		return err
	}
	kept := *r.Return
	kept.EditionID, kept.SubscriberID, kept.At = r.EditionID, r.SubscriberID, now
	if _, err = t.insertReturn(kept); errors.Is(err, sql.ErrNoRows) {
		return nil // a report has said it already
	}
	return err
}

// dropRefusal removes what a refusal of the delivery said, if nothing came of it but words.
func (t *tx) dropRefusal(editionID, subscriberID int64) error {
	_, err := t.exec(`DELETE FROM returns WHERE edition_id = $1 AND subscriber_id = $2 AND mail_id = 0 AND channel = $3`,
		editionID, subscriberID, newsletter.ChannelRelay)
	return err
}

// refusal is what keepRefusal has put on record, and whose address it is about.
type refusal struct {
	newsletter.Return
	key string
}

func (r refusal) asked() newsletter.Refusal {
	return newsletter.Refusal{At: r.At, Domain: r.key[strings.LastIndexByte(r.key, '@')+1:]}
}

// judgeRefusals does to addresses what their refusals call for, of an edition of which nothing is
// left to be tried: they are suppressed as after a hard bounce. Where the refusing system must
// rather be to blame, see newsletter.Refusals, they count as soft failures: a day without its list
// of users must cost nobody their readers. What was judged before stays.
func (s *Store) judgeRefusals(ctx context.Context, editionID int64) error {
	list, err := refusals(s.read(ctx), editionID)
	open := slices.DeleteFunc(slices.Clone(list), func(r refusal) bool { return r.Effect != "" })
	if err != nil || len(open) == 0 {
		return err
	}
	all, err := refusalsAmong(s.read(ctx), editionID, list)
	if err != nil {
		return err
	}
	const chunk = 500
	for part := range slices.Chunk(open, chunk) {
		err := s.write(ctx, func(t *tx) error {
			for _, r := range part {
				if all.Doubtful(r.asked()) {
					r.Kind = newsletter.ReturnSoft
				}
				if err := t.judgeRefusal(r); err != nil {
					return fmt.Errorf("judge refusal %d: %w", r.ID, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// refusals returns those of the edition's refusals that still stand, also what was judged before:
// what was tried again and arrived says the contrary.
func refusals(q querier, editionID int64) ([]refusal, error) {
	rows, err := q.query(`SELECT r.id, r.edition_id, r.subscriber_id, r.kind, r.status, r.reason, r.effect, r.at, s.email_key
		FROM returns r JOIN subscribers s ON s.id = r.subscriber_id
		JOIN deliveries d ON d.edition_id = r.edition_id AND d.subscriber_id = r.subscriber_id AND d.state = 4
		WHERE r.edition_id = $1 AND r.channel = $2 ORDER BY r.id`, editionID, newsletter.ChannelRelay)
	return collect(rows, err, func(rows *sql.Rows) (r refusal, err error) {
		var at int64
		err = rows.Scan(&r.ID, &r.EditionID, &r.SubscriberID, &r.Kind, &r.Status, &r.Reason, &r.Effect, &at, &r.key)
		r.At = fromMillis(at)
		return r, err
	})
}

// refusalsAmong puts refusals beside all that was accepted of the edition, and when it was resumed.
func refusalsAmong(q querier, editionID int64, list []refusal) (*newsletter.Refusals, error) {
	rows, err := q.query(`SELECT at FROM desk_events WHERE edition_id = $1 AND action = $2 ORDER BY at`, editionID, "edition "+string(newsletter.EditionSending))
	resumed, err := collect(rows, err, func(rows *sql.Rows) (time.Time, error) {
		var at int64
		err := rows.Scan(&at)
		return fromMillis(at), err
	})
	if err != nil {
		return nil, err
	}
	asked := make([]newsletter.Refusal, len(list))
	for i, r := range list {
		asked[i] = r.asked()
	}
	all := newsletter.NewRefusals(resumed, asked)
	if rows, err = q.query(`SELECT d.updated_at, s.email_key FROM deliveries d JOIN subscribers s ON s.id = d.subscriber_id
		WHERE d.edition_id = $1 AND d.state = 3`, editionID); err != nil {
		return nil, err
	}
	defer rows.Close()
	var at int64
	var key sql.RawBytes // a million of them
	for rows.Next() {
		if err := rows.Scan(&at, &key); err != nil {
			return nil, err
		}
		all.Accepted(fromMillis(at), key[bytes.LastIndexByte(key, '@')+1:])
	}
	return all, rows.Err()
}

// judgeRefusal does what a refusal calls for and notes it with its record.
func (t *tx) judgeRefusal(r refusal) error {
	var open int // it may have gone meanwhile, with its reader or for a report
	err := t.row(`SELECT COUNT(*) FROM returns WHERE id = $1 AND effect = ''`, r.ID).Scan(&open)
	if err != nil || open == 0 {
		return err
	}
	if r.Kind == newsletter.ReturnSoft {
		n, err := t.changed(`UPDATE returns SET kind = 'soft' WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM returns
			WHERE edition_id = $2 AND subscriber_id = $3 AND mail_id = 0 AND kind = 'soft' AND reason <> 'delayed')`, r.ID, r.EditionID, r.SubscriberID)
		if err == nil && n == 0 { // a report said it before, and counts
			err = t.dropRefusal(r.EditionID, r.SubscriberID)
		}
		if err != nil || n == 0 {
			return err
		}
	}
	effect, err := t.returnToAddress(r.Return, r.key, r.At, newsletter.DefaultSoftLimit())
	if err != nil {
		return err
	}
	if r.Kind == newsletter.ReturnSoft {
		effect = "too many were refused at once to blame the address alone; " + effect
	}
	_, err = t.exec(`UPDATE returns SET effect = $1 WHERE id = $2`, effect, r.ID)
	return err
}
