package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// returnToLedger does to a delivery what the return calls for, says what, and returns when the
// message was handed over; zero if that is not known. Rows that are not kept any more, or are
// being removed, stay as they are.
//
// One that was accepted counts as bounced or complained. One in doubt is settled: refused if it
// did not arrive, accepted if it did. So is one that was in doubt and is to be sent once more: it
// is not sent again, and if it did not arrive, its articles are owed again. What is being handed over is not touched: its result is
// still to come, and looks at what is on record (provedSince).
func (t *tx) returnToLedger(r newsletter.Return) (sentAt time.Time, words string, err error) {
	if r.MailID != 0 {
		return t.mailSentAt(r.MailID)
	}
	var (
		state    newsletter.State
		doubts   int
		returned newsletter.Returned
		updated  int64
	)
	err = t.row(`SELECT d.state, d.doubts, COALESCE(d.returned, 0), d.updated_at FROM deliveries d JOIN editions e ON e.id = d.edition_id
		WHERE d.edition_id = $1 AND d.subscriber_id = $2 AND e.pruned_at IS NULL`, r.EditionID, r.SubscriberID).Scan(&state, &doubts, &returned, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return sentAt, "", nil
	}
	if err != nil {
		return sentAt, "", err
	}
	sentAt = fromMillis(updated)
	doubted := state == newsletter.InDoubt || doubts > 0 && (state == newsletter.Waiting || state == newsletter.Deferred)
	switch {
	case doubted && r.Failed():
		return sentAt, "the delivery was in doubt and is refused", t.settleFailed(r)
	case doubted && r.Arrived():
		if err := t.settleArrived(r); err != nil {
			return sentAt, "", err
		}
		words = "the delivery was in doubt and is accepted"
	case state != newsletter.Accepted && state != newsletter.Sending:
		return sentAt, "", nil
	}
	return sentAt, words, t.markReturned(r, returned)
}

func (t *tx) mailSentAt(id int64) (time.Time, string, error) {
	var updated int64
	err := t.row(`SELECT updated_at FROM mails WHERE id = $1`, id).Scan(&updated)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, "", nil
	}
	return fromMillis(updated), "", err
}

// settleFailed settles a delivery that was in doubt and did not arrive.
func (t *tx) settleFailed(r newsletter.Return) error {
	if err := t.dropTotals(r.EditionID); err != nil {
		return err
	}
	reply, err := t.internReply("it came back: " + strings.TrimSpace(r.Reason+" "+r.Diagnostic))
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE deliveries SET state = 4, code = $1, enhanced = $2, reply_id = $3, updated_at = $4
		WHERE edition_id = $5 AND subscriber_id = $6 AND state IN (1, 5, 6)`,
		sql.NullInt64{Int64: int64(r.Code), Valid: r.Code != 0}, sql.NullString{String: r.Status, Valid: r.Status != ""}, reply,
		millis(r.At), r.EditionID, r.SubscriberID)
	return err
}

// settleArrived settles a delivery that was in doubt and arrived.
func (t *tx) settleArrived(r newsletter.Return) error {
	if err := t.dropTotals(r.EditionID); err != nil {
		return err
	}
	reply, err := t.internReply("it arrived: " + map[newsletter.ReturnKind]string{
		newsletter.ReturnComplaint: "the reader reported it as spam", newsletter.ReturnAutoReply: "a machine answered to it",
		newsletter.ReturnSoft: "a relay has it and goes on trying", newsletter.ReturnOther: "the reader's system says so",
	}[r.Kind])
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE deliveries SET state = 3, code = NULL, enhanced = NULL, reply_id = $1, updated_at = $2
		WHERE edition_id = $3 AND subscriber_id = $4 AND state IN (1, 5, 6)`, reply, millis(r.At), r.EditionID, r.SubscriberID)
	return err
}

func (t *tx) internReply(text string) (sql.NullInt64, error) {
	text = strings.ToValidUTF8(text[:min(len(text), newsletter.MaxReply)], "")
	return t.intern(`SELECT id FROM replies WHERE text = $1`, `INSERT INTO replies (text) VALUES ($1) RETURNING id`, text)
}

// markReturned notes at the delivery, and in the totals of its edition if they are kept, that
// it came back. A complaint stands above a bounce. The edition's ledger does not move by it.
func (t *tx) markReturned(r newsletter.Return, before newsletter.Returned) error {
	now := newsletter.NothingReturned
	switch {
	case r.Kind == newsletter.ReturnComplaint:
		now = newsletter.Complained
	case r.Failed():
		now = newsletter.Bounced
	}
	if now <= before {
		return nil
	}
	if _, err := t.exec(`UPDATE deliveries SET returned = $1 WHERE edition_id = $2 AND subscriber_id = $3`, int(now), r.EditionID, r.SubscriberID); err != nil {
		return err
	}
	if err := t.addReturned(r.EditionID, before, -1); err != nil {
		return err
	}
	return t.addReturned(r.EditionID, now, 1)
}

// addReturned corrects the edition's totals, if they are kept.
func (t *tx) addReturned(editionID int64, what newsletter.Returned, n int) error {
	if what == newsletter.NothingReturned {
		return nil
	}
	_, err := t.exec(`INSERT INTO edition_totals (edition_id, kind, key, state, n)
		SELECT id, 'returned', $1, 0, $2 FROM editions WHERE id = $3 AND totals_at IS NOT NULL
		ON CONFLICT (edition_id, kind, key, state) DO UPDATE SET n = edition_totals.n + excluded.n`, what.String(), n, editionID)
	return err
}

// provedSince returns what came of a message that is being handed over, and that would be in
// doubt, by what has come back of it since it was begun: accepted, refused, or in doubt still.
func (t *tx) provedSince(key newsletter.DeliveryKey) (newsletter.State, error) {
	var failed, arrived int
	err := t.row(`SELECT COUNT(CASE WHEN r.kind IN ('hard', 'soft') AND r.reason <> 'delayed' THEN 1 END),
			COUNT(CASE WHEN r.kind IN ('complaint', 'auto_reply') OR r.reason IN ('delayed', 'delivered') THEN 1 END)
		FROM returns r JOIN deliveries d ON d.edition_id = r.edition_id AND d.subscriber_id = r.subscriber_id
		WHERE r.edition_id = $1 AND r.subscriber_id = $2 AND r.mail_id = 0 AND r.channel <> 'relay' AND r.at >= d.updated_at`, key.EditionID, key.SubscriberID).Scan(&failed, &arrived)
	switch {
	case failed > 0:
		return newsletter.Refused, err
	case arrived > 0:
		return newsletter.Accepted, err
	}
	return newsletter.InDoubt, err
}

// settleProved settles, when a sender has ended, what it was handing over and what has come
// back since; see provedSince.
func (t *tx) settleProved(now time.Time) (int, error) {
	failed, err := t.changed(`UPDATE deliveries SET state = 4, attempts = attempts + 1, updated_at = $1
		WHERE state = 2 AND EXISTS (SELECT 1 FROM returns r
			WHERE r.edition_id = deliveries.edition_id AND r.subscriber_id = deliveries.subscriber_id AND r.mail_id = 0 AND r.channel <> 'relay'
			AND r.at >= deliveries.updated_at AND r.kind IN ('hard', 'soft') AND r.reason <> 'delayed')`, millis(now))
	if err != nil {
		return 0, err
	}
	arrived, err := t.changed(`UPDATE deliveries SET state = 3, attempts = attempts + 1, updated_at = $1
		WHERE state = 2 AND EXISTS (SELECT 1 FROM returns r
			WHERE r.edition_id = deliveries.edition_id AND r.subscriber_id = deliveries.subscriber_id AND r.mail_id = 0 AND r.channel <> 'relay'
			AND r.at >= deliveries.updated_at AND (r.kind IN ('complaint', 'auto_reply') OR r.reason IN ('delayed', 'delivered')))`, millis(now))
	return failed + arrived, err
}

// returnedQuery looks for the few that came back in their index, and at each of those rows: of
// a whole edition it would hold up who writes.
const returnedQuery = `SELECT COUNT(CASE WHEN b.returned = 1 THEN 1 END), COUNT(CASE WHEN b.returned = 2 THEN 1 END)
	FROM (SELECT edition_id, subscriber_id, returned FROM deliveries WHERE edition_id = $1 AND returned IN (1, 2)) b
	JOIN deliveries d ON d.edition_id = b.edition_id AND d.subscriber_id = b.subscriber_id WHERE d.state = 3`

// returnedTotal counts what came back of an edition after it had been accepted; see
// nothingReturned for when that is nothing.
func returnedTotal(q querier, editionID int64) (*newsletter.ReturnedTotal, error) {
	var total newsletter.ReturnedTotal
	err := q.row(returnedQuery, editionID).Scan(&total.Bounced, &total.Complained)
	if err != nil {
		return nil, err
	}
	if total == (newsletter.ReturnedTotal{}) {
		return nothingReturned(q)
	}
	return &total, nil
}

// nothingReturned returns a total of nothing, or nil if nothing ever came back of any edition:
// nobody should take it for a good sign that nothing is read.
func nothingReturned(q querier) (*newsletter.ReturnedTotal, error) {
	var channels int
	err := q.row(`SELECT COUNT(*) FROM return_counts`).Scan(&channels)
	if err != nil || channels == 0 {
		return nil, err
	}
	return &newsletter.ReturnedTotal{}, nil
}

// CameBack returns how many of the edition's messages came back as not delivered so far, and how
// many readers have reported it as spam.
func (s *Store) CameBack(ctx context.Context, editionID int64) (bounced, complaints int, err error) {
	err = s.read(ctx).row(`SELECT COUNT(CASE WHEN returned = 1 THEN 1 END), COUNT(CASE WHEN returned = 2 THEN 1 END)
		FROM deliveries WHERE edition_id = $1 AND returned IS NOT NULL`, editionID).Scan(&bounced, &complaints)
	return bounced, complaints, err
}
