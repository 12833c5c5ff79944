package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

func retryPick(f newsletter.RetryFilter) rowPick {
	p := rowPick{editionID: f.EditionID, subscriberID: f.SubscriberID, code: f.Code, states: [2]newsletter.State{f.State, f.State}}
	if f.State == newsletter.Unplanned {
		p.states = [2]newsletter.State{newsletter.Refused, newsletter.Expired}
	}
	return p
}

// CountRetry returns how many deliveries the filter chooses.
func (s *Store) CountRetry(ctx context.Context, f newsletter.RetryFilter) (n int, err error) {
	p := retryPick(f)
	err = s.read(ctx).row(`SELECT COUNT(*) FROM deliveries WHERE edition_id = $1 AND state IN ($2, $3)
		AND (CAST($4 AS INTEGER) = 0 OR subscriber_id = $4) AND (CAST($5 AS INTEGER) = 0 OR code = $5)`,
		p.editionID, int(p.states[0]), int(p.states[1]), p.subscriberID, p.code).Scan(&n)
	return n, err
}

// RetryDeliveries lets deliveries that were refused or have expired wait for another try,
// until a time, and opens their edition again. Attempts are counted anew; doubts, the Date and
// the Message-ID stay. What was refused or has expired had released its articles: a delivery
// is withheld instead if another one holds an article of it for the reader by now; of an edition
// that repeats in full, only one of an edition like it. With real set, deliveries to the outbox hold
// nothing. Who did it is on record with each few thousand.
//
// The caller holds the planning lock, so that no edition is planned meanwhile. It is refused
// with the reason cancelled or rows_gone where nothing can be tried again.
func (s *Store) RetryDeliveries(ctx context.Context, f newsletter.RetryFilter, real bool, expires time.Time, actor string, now time.Time) (newsletter.Retried, error) {
	var r newsletter.Retried
	err := s.each(ctx, retryPick(f), func(t *tx, first, last int64) error {
		if err := t.reopen(f.EditionID, expires, now); err != nil {
			return err
		}
		chunk, err := t.retry(f, first, last, real, expires, now)
		if err != nil {
			return err
		}
		r.Waiting, r.HadOtherwise = r.Waiting+chunk.Waiting, r.HadOtherwise+chunk.HadOtherwise
		return t.ledgerEvent(f.EditionID, "edition retried", retryDetail(f, chunk), actor, now)
	})
	if err != nil {
		return r, fmt.Errorf("retry deliveries of edition %d: %w", f.EditionID, err)
	}
	return r, nil
}

func (t *tx) retry(f newsletter.RetryFilter, first, last int64, real bool, expires, now time.Time) (r newsletter.Retried, err error) {
	p := retryPick(f)
	moved, err := t.changed(`UPDATE deliveries SET state = 1, attempts = 0, next_try = $1, expires_at = $2,
			code = NULL, enhanced = NULL, reply_id = NULL, relay_id = NULL, returned = NULL, updated_at = $1
		WHERE edition_id = $3 AND subscriber_id BETWEEN $4 AND $5 AND state IN ($6, $7) AND state IN (4, 7)
		AND (CAST($8 AS INTEGER) = 0 OR subscriber_id = $8) AND (CAST($9 AS INTEGER) = 0 OR code = $9)`,
		millis(now), millis(expires), p.editionID, first, last, int(p.states[0]), int(p.states[1]), p.subscriberID, p.code)
	if err != nil {
		return r, err
	}
	// Of another edition that shares an article with this one, the reader's copy is looked at.
	r.HadOtherwise, err = t.changed(`UPDATE deliveries SET state = 8, reason = $1, updated_at = $2
		WHERE edition_id = $3 AND subscriber_id BETWEEN $4 AND $5 AND state = 1 AND updated_at = $2
		AND EXISTS (SELECT 1 FROM deliveries o
			WHERE o.edition_id IN (SELECT theirs.edition_id FROM blocks mine JOIN blocks theirs ON theirs.article_id = mine.article_id
				JOIN editions e ON e.id = theirs.edition_id JOIN editions this ON this.id = mine.edition_id
				WHERE mine.edition_id = $3 AND theirs.edition_id <> $3 AND (CAST($6 AS INTEGER) = 0
					OR e.newsletter_id = this.newsletter_id AND e.cadence = this.cadence AND (e.for_slot = this.for_slot OR 'all' IN (e.for_slot, this.for_slot))))
			AND o.subscriber_id = deliveries.subscriber_id AND o.state IN (1, 2, 3, 5, 6)
			AND (CAST($7 AS INTEGER) = 0 OR o.relay_id IS NULL OR o.relay_id <> 0)
			AND EXISTS (SELECT 1 FROM variant_articles a JOIN variant_articles b ON b.article_id = a.article_id
				WHERE a.variant_id = deliveries.variant_id AND b.variant_id = o.variant_id))`,
		newsletter.ReasonHadOtherwise, millis(now), p.editionID, first, last, f.Repeats == newsletter.RepeatAlways, real)
	if err != nil {
		return r, err
	}
	told, err := t.withholdTold(p.editionID, first, last, real, now)
	r.HadOtherwise += told
	r.Waiting = moved - r.HadOtherwise
	return r, err
}

// withholdTold withholds what would tell a correction that another delivery tells the reader.
func (t *tx) withholdTold(editionID, first, last int64, real bool, now time.Time) (int, error) {
	return t.changed(`UPDATE deliveries SET state = 8, reason = $1, updated_at = $2
		WHERE edition_id = $3 AND subscriber_id BETWEEN $4 AND $5 AND state = 1 AND updated_at = $2
		AND EXISTS (SELECT 1 FROM deliveries o
			WHERE o.edition_id IN (SELECT theirs.edition_id FROM edition_corrections mine
				JOIN edition_corrections theirs ON theirs.correction_id = mine.correction_id
				WHERE mine.edition_id = $3 AND theirs.edition_id <> $3)
			AND o.subscriber_id = deliveries.subscriber_id AND o.state IN (1, 2, 3, 5, 6)
			AND (CAST($6 AS INTEGER) = 0 OR o.relay_id IS NULL OR o.relay_id <> 0)
			AND EXISTS (SELECT 1 FROM variant_corrections a JOIN variant_corrections b ON b.correction_id = a.correction_id
				WHERE a.variant_id = deliveries.variant_id AND b.variant_id = o.variant_id))`,
		newsletter.ReasonHadOtherwise, millis(now), editionID, first, last, real)
}

// retryDetail says for the record what was tried again. Readers stand in it by number, not by
// address: the record outlives them.
func retryDetail(f newsletter.RetryFilter, r newsletter.Retried) string {
	words := []string{fmt.Sprintf("%d waiting, %d had otherwise", r.Waiting, r.HadOtherwise)}
	if f.State != newsletter.Unplanned {
		words = append(words, "of those "+f.State.String())
	}
	if f.Code != 0 {
		words = append(words, fmt.Sprintf("with code %d", f.Code))
	}
	if f.SubscriberID != 0 {
		words = append(words, fmt.Sprintf("subscriber %d", f.SubscriberID))
	}
	return strings.Join(words, ", ")
}
