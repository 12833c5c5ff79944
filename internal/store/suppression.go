package store

import (
	"database/sql"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// suppressionColumns are what scanSuppression reads.
const suppressionColumns = `id, hash, domain, reason, note, actor, created_at`

func scanSuppression(row rowScanner) (s newsletter.Suppression, err error) {
	var created int64
	err = row.Scan(&s.ID, &s.Hash, &s.Domain, &s.Reason, &s.Note, &s.Actor, &created)
	s.CreatedAt = fromMillis(created)
	if s.Reason == "" {
		s.Reason = "unknown" // a row without a reason still stands
	}
	return s, err
}

// suppression returns the suppression that an address falls under, its own or that of its
// whole domain, whichever is stronger. Its reason is "" if the address may be mailed.
func suppression(q querier, h newsletter.SuppressionHashes) (newsletter.Suppression, error) {
	rows, err := q.query(`SELECT `+suppressionColumns+` FROM suppressions WHERE hash IN ($1, $2)`, h.Address, h.Domain)
	list, err := collect(rows, err, func(rows *sql.Rows) (newsletter.Suppression, error) { return scanSuppression(rows) })
	var strongest newsletter.Suppression
	for _, s := range list {
		if s.Reason.Stronger(strongest.Reason) {
			strongest = s
		}
	}
	return strongest, err
}

// suppressionOf returns the suppression that is kept under just this hash, without its
// reason if there is none.
func suppressionOf(q querier, hash []byte) (newsletter.Suppression, error) {
	return suppression(q, newsletter.SuppressionHashes{Address: hash})
}

// suppress enters an address into the list of those that must not be mailed, by its keyed
// hash. A reason that stands already and is as strong or stronger stays. Erasing a person
// empties the notes about them.
func (t *tx) suppress(hash []byte, reason newsletter.SuppressionReason, note, actor string, now time.Time) error {
	_, err := t.putSuppression(newsletter.Suppression{Hash: hash, Reason: reason, Note: note, Actor: actor, CreatedAt: now})
	return err
}

// putSuppression is suppress for who knows all of it, and reports whether anything changed.
func (t *tx) putSuppression(s newsletter.Suppression) (bool, error) {
	return t.enterSuppression(s, s.CreatedAt)
}

// enterSuppression is the one place where a suppression comes to be. It may have begun
// elsewhere, before now.
func (t *tx) enterSuppression(s newsletter.Suppression, now time.Time) (bool, error) {
	if s.Reason == newsletter.SuppressedErased {
		if err := t.forgetNotes(s.Hash); err != nil {
			return false, err
		}
	}
	stands, err := suppressionOf(t, s.Hash)
	if err != nil || !s.Reason.Stronger(stands.Reason) {
		return false, err
	}
	_, err = t.exec(`
		INSERT INTO suppressions (hash, domain, reason, note, actor, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (hash) DO UPDATE
		SET reason = excluded.reason, note = excluded.note, actor = excluded.actor, created_at = excluded.created_at`,
		s.Hash, s.Domain, string(s.Reason), s.Note, s.Actor, millis(s.CreatedAt))
	if err != nil {
		return false, err
	}
	t.noteSuppressed(s, now)
	return true, t.suppressionEvent(s.Hash, newsletter.SuppressionEvent{
		Kind: newsletter.EventSuppressed, Reason: s.Reason, Note: s.Note, Actor: s.Actor, At: now,
	})
}

// liftSuppression is the one place where a suppression ends; the path says what ended it. It
// does not ask whether the path may (newsletter.SuppressionReason.LiftedBy). Where there is no
// suppression it does nothing.
func (t *tx) liftSuppression(hash []byte, path newsletter.LiftPath, note, actor string, now time.Time) error {
	stands, err := suppressionOf(t, hash)
	if err != nil || stands.Reason == "" {
		return err
	}
	if _, err := t.exec(`DELETE FROM suppressions WHERE hash = $1`, hash); err != nil {
		return err
	}
	t.noteLifted(hash, now)
	return t.suppressionEvent(hash, newsletter.SuppressionEvent{
		Kind: newsletter.EventLifted, Reason: stands.Reason, Path: path, Note: note, Actor: actor, At: now,
	})
}

// liftByConfirming lifts what stands against an address whose sign-up is being confirmed, and
// returns what to note about that. The error is Forbidden with reason "suppressed" if only
// staff can lift it.
func (t *tx) liftByConfirming(h newsletter.SuppressionHashes, now time.Time) (note string, err error) {
	stands, err := suppression(t, h)
	if err != nil || stands.Reason == "" {
		return "", err
	}
	switch {
	case stands.Reason == newsletter.SuppressedComplaint:
		return "", newsletter.Refusef("suppressed", "Mail to this address was reported as unwanted, so we do not write to it. If that was a mistake, please write to us.")
	case !stands.Reason.LiftedByConfirming():
		return "", newsletter.Refusef("suppressed", "We do not write to this address any more, and cannot change that from here. Please write to us if you want the newsletter.")
	}
	if err := t.liftSuppression(h.Address, newsletter.LiftByConfirm, "", "", now); err != nil {
		return "", err
	}
	return "lifted the suppression: " + string(stands.Reason), nil
}

// mayUndo returns why a subscriber cannot take leaving back although there is time: they would
// wait for mail in vain.
func mayUndo(q querier, subscriberID int64) error {
	stands, err := suppressionOfSubscriber(q, subscriberID)
	switch {
	case err != nil || stands.Reason == "":
		return err
	case stands.Reason.LiftedByConfirming():
		return newsletter.Refusef("suppressed", "We do not write to this address any more, so this cannot be undone here. You are welcome to sign up again.")
	}
	return newsletter.Refusef("suppressed", "We do not write to this address any more, and cannot change that from here. Please write to us if you want the newsletter.")
}

// suppressionOfSubscriber returns what a subscriber's address falls under; see suppression.
func suppressionOfSubscriber(q querier, subscriberID int64) (newsletter.Suppression, error) {
	var emailKey string
	if err := q.row(`SELECT email_key FROM subscribers WHERE id = $1`, subscriberID).Scan(&emailKey); err != nil {
		return newsletter.Suppression{}, err
	}
	key, err := suppressionKey(q)
	if err != nil {
		return newsletter.Suppression{}, err
	}
	return suppression(q, key.Hashes(emailKey))
}

// howToLift says what lets an address be mailed again that staff wanted to add.
func howToLift(s newsletter.Suppression) string {
	switch {
	case s.Domain != "":
		return fmt.Sprintf("all of %s is suppressed; \"broadsheet suppression remove @%s\" lifts that", s.Domain, s.Domain)
	case s.Reason.LiftedByConfirming():
		return "the person can sign up again with the form"
	}
	return "only staff can change that, with \"broadsheet suppression remove\""
}

// suppressionEvent appends to the history of an address's suppressions.
func (t *tx) suppressionEvent(hash []byte, e newsletter.SuppressionEvent) error {
	_, err := t.exec(`INSERT INTO suppression_events (hash, kind, reason, path, note, actor, at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		hash, string(e.Kind), string(e.Reason), string(e.Path), e.Note, e.Actor, millis(e.At))
	return err
}

// forgetNotes empties what was written about a person whose data are erased.
func (t *tx) forgetNotes(hash []byte) error {
	if _, err := t.exec(`UPDATE suppressions SET note = '' WHERE hash = $1`, hash); err != nil {
		return err
	}
	_, err := t.exec(`UPDATE suppression_events SET note = '' WHERE hash = $1`, hash)
	return err
}
