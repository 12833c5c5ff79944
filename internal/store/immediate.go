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

// LastImmediate returns up to when articles were looked at by the newsletter's last immediate
// edition, be it one that was skipped; the zero time if there is none.
func (s *Store) LastImmediate(ctx context.Context, newsletterID int64) (time.Time, error) {
	var last sql.NullInt64
	err := s.read(ctx).row(`SELECT MAX(as_of) FROM editions WHERE newsletter_id = $1 AND cadence = 'immediate'`, newsletterID).Scan(&last)
	if err != nil {
		return time.Time{}, fmt.Errorf("immediate editions of newsletter %d: %w", newsletterID, err)
	}
	if last.Int64 == 0 { // a draft
		return time.Time{}, nil
	}
	return fromNull(last), nil
}

// ImmediateReaders returns since when the newsletter has an active reader of the cadence immediate
// who changed nothing; ok is false if it has none.
func (s *Store) ImmediateReaders(ctx context.Context, newsletterID int64) (since time.Time, ok bool, err error) {
	var first sql.NullInt64
	err = s.read(ctx).row(`SELECT MIN(updated_at) FROM subscriptions
		WHERE newsletter_id = $1 AND cadence = 'immediate' AND state = 'active'`, newsletterID).Scan(&first)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("immediate readers of newsletter %d: %w", newsletterID, err)
	}
	return fromNull(first), first.Valid, nil
}
