package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// WaitingSignUp returns a subscriber's latest sign-up if it was made within the last thirty
// days, has not been confirmed, and nothing was left since. ok is false if there is none.
func (s *Store) WaitingSignUp(ctx context.Context, subscriberID int64, now time.Time) (w newsletter.WaitingSignUp, ok bool, err error) {
	w, ok, err = waitingSignUp(s.read(ctx), subscriberID, now)
	if err != nil {
		return w, false, fmt.Errorf("waiting sign-up of subscriber %d: %w", subscriberID, err)
	}
	return w, ok, nil
}

func waitingSignUp(q querier, subscriberID int64, now time.Time) (w newsletter.WaitingSignUp, ok bool, err error) {
	err = q.row(`SELECT id FROM signups WHERE subscriber_id = $1 AND created_at > $2 ORDER BY created_at DESC, id DESC LIMIT 1`,
		subscriberID, millis(now.Add(-newsletter.SuppressedCooldown))).Scan(&w.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return w, false, nil
	}
	if err != nil {
		return w, false, err
	}
	su, err := findSignUp(q, w.ID)
	if err != nil {
		return w, false, err
	}
	subs, err := subscriptionsOf(q, subscriberID)
	if err != nil || !su.ConfirmedAt.IsZero() || su.Superseded(subs) || hasAll(subs, su.Choices) {
		return w, false, err
	}
	w.CreatedAt, w.ExpiresAt = su.CreatedAt, su.ExpiresAt
	if w.Newsletters, err = slugsOf(q, su.ID); err != nil {
		return w, false, err
	}
	err = mailOf(q, &w)
	return w, err == nil, err
}

// hasAll reports whether the reader gets everything that the sign-up asks for.
func hasAll(subs []newsletter.Subscription, choices []newsletter.SignUpChoice) bool {
	has := map[int64]bool{}
	for _, u := range subs {
		has[u.NewsletterID] = u.State == newsletter.Active || u.State == newsletter.PausedSub
	}
	for _, c := range choices {
		if !has[c.NewsletterID] {
			return false
		}
	}
	return true
}

func slugsOf(q querier, signupID int64) ([]string, error) {
	rows, err := q.query(`
		SELECT n.slug FROM signup_newsletters c JOIN newsletters n ON n.id = c.newsletter_id
		WHERE c.signup_id = $1 ORDER BY n.slug`, signupID)
	return collect(rows, err, func(rows *sql.Rows) (slug string, err error) {
		err = rows.Scan(&slug)
		return slug, err
	})
}

// mailOf sets what became of the mail that asks to confirm the sign-up.
func mailOf(q querier, w *newsletter.WaitingSignUp) error {
	var notBefore, updated int64
	err := q.row(`SELECT state, not_before, updated_at, reply FROM mails WHERE signup_id = $1 AND kind = 'confirm' ORDER BY id DESC LIMIT 1`, w.ID).
		Scan(&w.MailState, &notBefore, &updated, &w.MailReply)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	w.MailAt = fromMillis(updated)
	if w.MailState == newsletter.Waiting {
		w.MailAt = fromMillis(notBefore)
	}
	return err
}
