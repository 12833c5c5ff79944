package store

import (
	"database/sql"
	"fmt"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// returnToAddress does to a reader's address what the return calls for, and says what. sentAt
// is when the message was handed over; zero if that is not known.
func (t *tx) returnToAddress(r newsletter.Return, key string, sentAt time.Time, limit newsletter.SoftLimit) (string, error) {
	if r.Kind == newsletter.ReturnComplaint {
		return t.complaint(r, key)
	}
	if !r.Failed() {
		return "", nil
	}
	hash, err := suppressionHash(t, key)
	if err != nil {
		return "", err
	}
	lifted, err := t.liftedAt(hash)
	if err != nil {
		return "", err
	}
	// A report that took its time says nothing of an address that was confirmed since.
	if !sentAt.IsZero() && lifted.After(sentAt) {
		return liftedSince, nil
	}
	if r.Kind == newsletter.ReturnHard {
		return t.suppressReturned(r, hash, newsletter.SuppressedHardBounce)
	}
	since := r.At.Add(-limit.Within)
	if lifted.After(since) {
		since = lifted
	}
	if !newsletter.AgainstAddress(r.Reason) {
		return "it says nothing about the address", nil
	}
	days, err := t.softDays(r.SubscriberID, since)
	if err != nil {
		return "", err
	}
	if days < limit.Days {
		return fmt.Sprintf("failed on %d of %d days", days, limit.Days), nil
	}
	return t.suppressReturned(r, hash, newsletter.SuppressedSoftBounces)
}

// liftedSince is the effect of what came back too late to say anything. It is stored, and what
// has it counts no more: it never changes.
const liftedSince = "its suppression was lifted after this message, so it stays as it is"

// softDays returns on how many days mail to the subscriber failed softly, for a reason of the
// address, since a time; without messages of before a lifting that were reported after it.
func (t *tx) softDays(subscriberID int64, since time.Time) (int, error) {
	rows, err := t.query(`SELECT DISTINCT at / 86400000, reason FROM returns WHERE subscriber_id = $1 AND kind = 'soft' AND at > $2 AND effect <> $3`,
		subscriberID, millis(since), liftedSince)
	days := map[int64]bool{}
	_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var day int64
		var reason string
		err := rows.Scan(&day, &reason)
		if newsletter.AgainstAddress(reason) {
			days[day] = true
		}
		return struct{}{}, err
	})
	return len(days), err
}

// liftedAt returns when a suppression of the address was last lifted; zero if none was.
func (t *tx) liftedAt(hash []byte) (time.Time, error) {
	var at sql.NullInt64
	err := t.row(`SELECT MAX(at) FROM suppression_events WHERE hash = $1 AND kind = $2`, hash, string(newsletter.EventLifted)).Scan(&at)
	return fromNull(at), err
}

// suppressReturned suppresses the address and says so.
func (t *tx) suppressReturned(r newsletter.Return, hash []byte, reason newsletter.SuppressionReason) (string, error) {
	changed, err := t.putSuppression(newsletter.Suppression{
		Hash: hash, Reason: reason, Note: returnNote(r), Actor: bounceActor, CreatedAt: r.At,
	})
	switch {
	case err != nil:
		return "", err
	case !changed:
		return "the address is suppressed already", nil
	}
	return fmt.Sprintf("the address is suppressed (%s)", reason), nil
}

// returnNote says for the record which message it was and what the other system gave as its
// code. The record outlives the reader's data, so nothing of the other system's words is in it.
func returnNote(r newsletter.Return) string {
	what := fmt.Sprintf("edition %d", r.EditionID)
	if r.MailID != 0 {
		what = fmt.Sprintf("mail %d", r.MailID)
	}
	return strings.TrimRight(what+": "+strings.TrimSpace(r.Status+" "+r.Reason), ": ")
}

// complaint ends every subscription of who reported a message as spam, and suppresses the
// address (S19).
func (t *tx) complaint(r newsletter.Return, key string) (string, error) {
	subs, err := subscriptionsOf(t, r.SubscriberID)
	if err != nil {
		return "", err
	}
	left := 0
	for _, u := range subs {
		if u.State == newsletter.Left {
			continue
		}
		left++
		if err := t.end(u, newsletter.EventLeft, newsletter.Origin{Channel: newsletter.ChannelComplaint, Actor: bounceActor}, r.EditionID, r.At); err != nil {
			return "", err
		}
	}
	hash, err := suppressionHash(t, key)
	if err != nil {
		return "", err
	}
	words, err := t.suppressReturned(r, hash, newsletter.SuppressedComplaint)
	if left > 0 {
		words = fmt.Sprintf("the reader left %s; %s", counted(left, "newsletter"), words)
	}
	return words, err
}

// counted returns "1 newsletter", "2 newsletters".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
