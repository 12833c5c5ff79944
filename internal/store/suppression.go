package store

import (
	"database/sql"
	"errors"
	"time"

	"broadsheet/internal/newsletter"
)

// suppression returns why an address must not be mailed, by its keyed hash; "" if it may.
func suppression(q querier, hash []byte) (newsletter.SuppressionReason, error) {
	var reason newsletter.SuppressionReason
	err := q.row(`SELECT reason FROM suppressions WHERE hash = $1`, hash).Scan(&reason)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err == nil && reason == "" {
		reason = "unknown" // a row without a reason still stands
	}
	return reason, err
}

// suppress enters an address into the list of those that must not be mailed, by its keyed
// hash. A reason that stands already and is as strong or stronger stays. Erasing a person
// empties the notes about them.
func (t *tx) suppress(hash []byte, reason newsletter.SuppressionReason, note, actor string, now time.Time) error {
	_, err := t.putSuppression(newsletter.Suppression{Hash: hash, Reason: reason, Note: note, Actor: actor, CreatedAt: now})
	return err
}

// putSuppression is the one place where a suppression comes to be; see suppress. It reports
// whether anything changed.
func (t *tx) putSuppression(s newsletter.Suppression) (bool, error) {
	if s.Reason == newsletter.SuppressedErased {
		if err := t.forgetNotes(s.Hash); err != nil {
			return false, err
		}
	}
	stands, err := suppression(t, s.Hash)
	if err != nil || stands != "" && !s.Reason.Stronger(stands) {
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
	return true, t.suppressionEvent(s.Hash, newsletter.SuppressionEvent{
		Kind: newsletter.EventSuppressed, Reason: s.Reason, Note: s.Note, Actor: s.Actor, At: s.CreatedAt,
	})
}

// liftSuppression is the one place where a suppression ends; the path says what ended it. It
// does not ask whether the path may (newsletter.SuppressionReason.LiftedBy). Where there is no
// suppression it does nothing.
func (t *tx) liftSuppression(hash []byte, path newsletter.LiftPath, note, actor string, now time.Time) error {
	stands, err := suppression(t, hash)
	if err != nil || stands == "" {
		return err
	}
	if _, err := t.exec(`DELETE FROM suppressions WHERE hash = $1`, hash); err != nil {
		return err
	}
	return t.suppressionEvent(hash, newsletter.SuppressionEvent{
		Kind: newsletter.EventLifted, Reason: stands, Path: path, Note: note, Actor: actor, At: now,
	})
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
