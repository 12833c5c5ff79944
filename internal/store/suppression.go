package store

import (
	"database/sql"
	"errors"

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

// liftSuppression deletes a suppression because the person asked for mail again (S26).
func (t *tx) liftSuppression(hash []byte) error {
	_, err := t.exec(`DELETE FROM suppressions WHERE hash = $1`, hash)
	return err
}
