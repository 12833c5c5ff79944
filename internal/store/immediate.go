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

// immediateRule returns what the newsletter's readers of the cadence immediate get.
func immediateRule(q querier, newsletterID int64) (r newsletter.ImmediateRule, err error) {
	var quiet int64
	var hours, labels string
	err = q.row(`SELECT quiet, hours, labels, sections FROM immediate_rules WHERE newsletter_id = $1`, newsletterID).
		Scan(&quiet, &hours, &labels, &r.Sections)
	if errors.Is(err, sql.ErrNoRows) {
		return newsletter.ImmediateRule{Quiet: newsletter.DefaultQuiet}, nil
	}
	if err != nil {
		return r, err
	}
	if labels != "" {
		r.Labels = strings.Split(labels, "\n")
	}
	r.Quiet = time.Duration(quiet) * time.Millisecond
	r.Hours, err = newsletter.ParseHours(hours)
	return r, err
}

func (t *tx) saveImmediateRule(newsletterID int64, r newsletter.ImmediateRule) error {
	if r.Quiet == 0 { // whoever made the newsletter said nothing about it
		r.Quiet = newsletter.DefaultQuiet
	}
	_, err := t.exec(`INSERT INTO immediate_rules (newsletter_id, quiet, hours, labels, sections) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (newsletter_id) DO UPDATE SET quiet = excluded.quiet, hours = excluded.hours, labels = excluded.labels, sections = excluded.sections`,
		newsletterID, r.Quiet.Milliseconds(), r.Hours.String(), strings.Join(r.Labels, "\n"), int64(r.Sections))
	return err
}

// LastImmediate returns the newsletter's last immediate edition that is no draft, be it one that
// was skipped, and up to when articles were looked at for it; 0 and the zero time if there is none.
func (s *Store) LastImmediate(ctx context.Context, newsletterID int64) (id int64, asOf time.Time, err error) {
	var last int64
	err = s.read(ctx).row(`SELECT id, as_of FROM editions WHERE newsletter_id = $1 AND cadence = 'immediate' AND as_of > 0
		ORDER BY as_of DESC, id DESC LIMIT 1`, newsletterID).Scan(&id, &last)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, time.Time{}, nil
	}
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("immediate editions of newsletter %d: %w", newsletterID, err)
	}
	return id, fromMillis(last), nil
}

// ImmediateReaders returns since when the newsletter has a reader of the cadence immediate, not
// paused, who changed nothing; ok is false if it has none.
func (s *Store) ImmediateReaders(ctx context.Context, newsletterID int64, now time.Time) (since time.Time, ok bool, err error) {
	var first sql.NullInt64
	err = s.read(ctx).row(`SELECT MIN(updated_at) FROM subscriptions
		WHERE newsletter_id = $1 AND cadence = 'immediate' AND state IN ('active', 'paused')
			AND (state = 'active' OR paused_until <= $2)`, newsletterID, millis(now)).Scan(&first)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("immediate readers of newsletter %d: %w", newsletterID, err)
	}
	return fromNull(first), first.Valid, nil
}
