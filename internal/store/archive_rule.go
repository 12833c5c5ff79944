package store

import "broadsheet/internal/newsletter"

// archiveRule returns how the newsletter shows its past editions.
func archiveRule(q querier, newsletterID int64) (newsletter.ArchiveRule, error) {
	var mode string
	var r newsletter.ArchiveRule
	if err := q.row(`SELECT archive, archive_canonical FROM newsletters WHERE id = $1`, newsletterID).Scan(&mode, &r.Canonical); err != nil {
		return r, err
	}
	var err error
	r.Mode, err = newsletter.ParseArchiveMode(mode)
	return r, err
}

func (t *tx) saveArchiveRule(newsletterID int64, r newsletter.ArchiveRule) error {
	_, err := t.exec(`UPDATE newsletters SET archive = $1, archive_canonical = $2 WHERE id = $3`,
		string(newsletter.OrArchiveMode(r.Mode)), r.Canonical, newsletterID)
	return err
}
