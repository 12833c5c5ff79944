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

func (r refusal) domain() string { return r.key[strings.LastIndexByte(r.key, '@')+1:] }

// judgeRefusals does to addresses what their refusals call for, of an edition of which nothing is
// left to be tried: they are suppressed as after a hard bounce. Where so many were refused, in all
// or at one domain, that the refusing system must be to blame, they count as soft failures: a day
// without its list of users must cost nobody their readers. What was judged before stays.
func (s *Store) judgeRefusals(ctx context.Context, editionID int64, accepted int) error {
	list, err := refusals(s.read(ctx), editionID)
	if err != nil || len(list) == 0 {
		return err
	}
	doubtful, err := doubtfulDomains(s.read(ctx), editionID, list)
	if err != nil {
		return err
	}
	all := accepted == 0 || newsletter.Doubtful(len(list), accepted)
	const chunk = 500
	for len(list) > 0 {
		part := list[:min(chunk, len(list))]
		list = list[len(part):]
		err := s.write(ctx, func(t *tx) error {
			for _, r := range part {
				if all || doubtful[r.domain()] {
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

// refusals returns those of the edition's refusals that were not judged yet, and that still stand: what
// was tried again and arrived says the contrary.
func refusals(q querier, editionID int64) ([]refusal, error) {
	rows, err := q.query(`SELECT r.id, r.edition_id, r.subscriber_id, r.kind, r.status, r.reason, r.at, s.email_key
		FROM returns r JOIN subscribers s ON s.id = r.subscriber_id
		JOIN deliveries d ON d.edition_id = r.edition_id AND d.subscriber_id = r.subscriber_id AND d.state = 4
		WHERE r.edition_id = $1 AND r.channel = $2 AND r.effect = '' ORDER BY r.id`, editionID, newsletter.ChannelRelay)
	return collect(rows, err, func(rows *sql.Rows) (r refusal, err error) {
		var at int64
		err = rows.Scan(&r.ID, &r.EditionID, &r.SubscriberID, &r.Kind, &r.Status, &r.Reason, &at, &r.key)
		r.At = fromMillis(at)
		return r, err
	})
}

// doubtfulDomains returns the domains at which so many addresses were refused that their system
// must be to blame. The others of a domain are counted only if enough of it were refused.
func doubtfulDomains(q querier, editionID int64, list []refusal) (map[string]bool, error) {
	refused, accepted, doubtful := map[string]int{}, map[string]int{}, map[string]bool{}
	for _, r := range list {
		refused[r.domain()]++
	}
	some := false
	for domain, n := range refused {
		if newsletter.Doubtful(n, 0) {
			some = true
			accepted[domain] = 0
		}
	}
	if !some {
		return doubtful, nil
	}
	rows, err := q.query(`SELECT s.email_key FROM deliveries d JOIN subscribers s ON s.id = d.subscriber_id
		WHERE d.edition_id = $1 AND d.state = 3`, editionID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var key sql.RawBytes // a million of them
	for rows.Next() {
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		domain := string(key[strings.LastIndexByte(string(key), '@')+1:])
		if _, asked := accepted[domain]; asked {
			accepted[domain]++
		}
	}
	for domain, n := range accepted {
		doubtful[domain] = newsletter.Doubtful(refused[domain], n)
	}
	return doubtful, rows.Err()
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
