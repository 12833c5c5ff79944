package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

const mailColumns = `m.id, m.kind, m.subscriber_id, COALESCE(m.signup_id, 0), m.about_id, s.email, m.state, m.attempts, m.not_before, m.next_try, m.expires_at`

func scanMail(row rowScanner) (newsletter.Mail, error) {
	var (
		m                       newsletter.Mail
		notBefore, next, expiry int64
	)
	err := row.Scan(&m.ID, &m.Kind, &m.SubscriberID, &m.SignupID, &m.AboutID, &m.Email, &m.State, &m.Attempts, &notBefore, &next, &expiry)
	m.NotBefore, m.NextTry, m.ExpiresAt = fromMillis(notBefore), fromMillis(next), fromMillis(expiry)
	return m, err
}

// lastMails returns when the last transactional mails to a subscriber were sent, or will be,
// newest first: as many as the limits look at. Those that were withheld do not count, nor does a
// welcome: only who has the address can make one come.
func (t *tx) lastMails(subscriberID int64, now time.Time) ([]time.Time, error) {
	rows, err := t.query(`
		SELECT not_before FROM mails
		WHERE subscriber_id = $1 AND created_at > $2 AND state <> 8 AND kind <> 'welcome'
		ORDER BY not_before DESC LIMIT $3`,
		subscriberID, millis(now.Add(-newsletter.SuppressedCooldown-newsletter.MailCooldown)), newsletter.MailsPerDay)
	return collect(rows, err, func(rows *sql.Rows) (time.Time, error) {
		var ms int64
		err := rows.Scan(&ms)
		return fromMillis(ms), err
	})
}

// queueMail puts a mail into the outbox, or, if it is not to be sent, does as much work for
// nothing: how long a sign-up takes must not tell which (S27).
func (t *tx) queueMail(kind newsletter.MailKind, subscriberID, signupID int64, send bool, at, now time.Time) error {
	return t.queue(kind, subscriberID, sql.NullInt64{Int64: signupID, Valid: true}, 0, send, at, now)
}

// queueMailAbout is queueMail for one that belongs to no sign-up.
func (t *tx) queueMailAbout(kind newsletter.MailKind, subscriberID, aboutID int64, send bool, at, now time.Time) error {
	return t.queue(kind, subscriberID, sql.NullInt64{}, aboutID, send, at, now)
}

func (t *tx) queue(kind newsletter.MailKind, subscriberID int64, signupID sql.NullInt64, aboutID int64, send bool, at, now time.Time) error {
	rows := 0
	if send {
		rows = 1
	}
	_, err := t.exec(`
		INSERT INTO mails (id, kind, subscriber_id, signup_id, about_id, state, not_before, next_try, expires_at, created_at, updated_at)
		SELECT `+nextMail+`, $1, $2, $3, $4, 1, $5, $5, $6, $7, $7 WHERE CAST($8 AS INTEGER) = 1`,
		string(kind), subscriberID, signupID, aboutID, millis(at), millis(at.Add(newsletter.MailLife)), millis(now), rows)
	return err
}

// DueMails returns up to limit mails that are to be tried now, the longest due first.
func (s *Store) DueMails(ctx context.Context, now time.Time, limit int) ([]newsletter.Mail, error) {
	rows, err := s.read(ctx).query(`
		SELECT `+mailColumns+` FROM mails m JOIN subscribers s ON s.id = m.subscriber_id
		WHERE m.state IN (1, 5) AND m.next_try <= $1 AND m.expires_at > $1
		ORDER BY m.next_try, m.id LIMIT $2`, millis(now), limit)
	list, err := collect(rows, err, func(rows *sql.Rows) (newsletter.Mail, error) { return scanMail(rows) })
	if err != nil {
		return nil, fmt.Errorf("due mails: %w", err)
	}
	return list, nil
}

// BeginMail commits the intent to send a mail. A mail that makes no sense any more, because
// its sign-up was confirmed, superseded or has expired, or because the address must not be
// mailed, is withheld instead; then, and if the mail is not waiting, the error is Conflict
// and it must not be sent.
func (s *Store) BeginMail(ctx context.Context, id int64, now time.Time) (newsletter.Mail, error) {
	var (
		m        newsletter.Mail
		withheld string
	)
	err := s.write(ctx, func(t *tx) error {
		var err error
		m, withheld, err = t.beginMail(id, now)
		return err
	})
	if err == nil && withheld != "" {
		err = newsletter.Conflictf("withheld: %s", withheld)
	}
	if err != nil {
		return newsletter.Mail{}, fmt.Errorf("mail %d: %w", id, err)
	}
	return m, nil
}

// beginMail returns why the mail was withheld, "" if it is to be sent.
func (t *tx) beginMail(id int64, now time.Time) (m newsletter.Mail, withheld string, err error) {
	m, err = scanMail(t.row(`
		SELECT `+mailColumns+` FROM mails m JOIN subscribers s ON s.id = m.subscriber_id WHERE m.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return m, "", newsletter.NotFoundf("there is no such mail")
	}
	if err != nil {
		return m, "", err
	}
	if m.State != newsletter.Waiting && m.State != newsletter.Deferred {
		return m, "", newsletter.Conflictf("it is %s", m.State)
	}
	if withheld, err = t.mailPointless(m, now); err != nil {
		return m, "", err
	}
	m.State = newsletter.Sending
	if withheld != "" {
		m.State = newsletter.Withheld
	}
	_, err = t.exec(`UPDATE mails SET state = $1, reply = $2, updated_at = $3 WHERE id = $4`, int(m.State), withheld, millis(now), id)
	return m, withheld, err
}

// mailPointless returns why a mail should not be sent any more, "" if it should.
func (t *tx) mailPointless(m newsletter.Mail, now time.Time) (string, error) {
	stands, err := suppressionOfSubscriber(t, m.SubscriberID)
	if err != nil {
		return "", err
	}
	if stands.Reason != "" {
		asked := false
		if m.Kind == newsletter.MailConfirm && stands.Reason.LiftedByConfirming() {
			if asked, err = t.askedSince(m, stands.CreatedAt); err != nil {
				return "", err
			}
		}
		if !asked {
			return "suppressed", nil
		}
	}
	if m.Kind == newsletter.MailWelcome {
		return t.welcomePointless(m, now)
	}
	if m.Kind != newsletter.MailConfirm {
		return "", nil
	}
	su, err := findSignUp(t, m.SignupID)
	if err != nil {
		return "", err
	}
	subs, err := subscriptionsOf(t, m.SubscriberID)
	if err != nil {
		return "", err
	}
	switch {
	case !su.ConfirmedAt.IsZero():
		return "confirmed", nil
	case !now.Before(su.ExpiresAt):
		return "expired", nil
	case su.Superseded(subs):
		return "left", nil
	}
	return "", nil
}

// askedSince reports whether somebody signed up with the address after it was suppressed, so
// that their mail may go there (S26). A suppression that came while the mail waited forbids it;
// so does a report that this very mail came back for good.
func (t *tx) askedSince(m newsletter.Mail, suppressed time.Time) (asked bool, err error) {
	err = t.row(`SELECT COALESCE(MAX(created_at), 0) >= $1 AND NOT EXISTS (SELECT 1 FROM returns
			WHERE edition_id = 0 AND subscriber_id = $2 AND mail_id = $3 AND kind = 'hard')
		FROM signups WHERE subscriber_id = $2`, millis(suppressed), m.SubscriberID, m.ID).Scan(&asked)
	return asked, err
}

// FinishMail records what became of a mail that was begun. One in doubt is deferred: a
// confirmation that may come twice does no harm, one that never comes loses a reader.
func (s *Store) FinishMail(ctx context.Context, id int64, o newsletter.Outcome, nextTry, now time.Time) error {
	state, attempts, doubts := o.State, 1, 0
	switch state {
	case newsletter.Waiting:
		attempts = 0
	case newsletter.InDoubt:
		state, doubts = newsletter.Deferred, 1
	case newsletter.Accepted, newsletter.Refused, newsletter.Deferred:
	case newsletter.Sending, newsletter.Expired, newsletter.Withheld:
		return fmt.Errorf("finish mail %d: an attempt cannot end as %s", id, state)
	}
	if nextTry.IsZero() {
		nextTry = now
	}
	// A result must be recorded even while the program is being stopped.
	return s.write(context.WithoutCancel(ctx), func(t *tx) error {
		n, err := t.changed(`
			UPDATE mails SET state = $1, attempts = attempts + $2, doubts = doubts + $3, next_try = $4,
				code = $5, enhanced = $6, reply = $7, updated_at = $8
			WHERE id = $9 AND state = 2`,
			int(state), attempts, doubts, millis(nextTry), o.Code, o.Enhanced, keptReply(o), millis(now), id)
		if err == nil && n == 0 {
			var kept int // none: its reader was erased meanwhile
			if err = t.row(`SELECT COUNT(*) FROM mails WHERE id = $1`, id).Scan(&kept); err == nil && kept > 0 {
				err = newsletter.Conflictf("it is not being sent")
			}
		}
		if err != nil {
			return fmt.Errorf("finish mail %d: %w", id, err)
		}
		return nil
	})
}

// RecoverMails makes mails ready for another try whose process died while it sent them, and
// returns how many. Only who has just taken the sender role may call it: then nobody else is
// sending.
func (s *Store) RecoverMails(ctx context.Context, now time.Time) (int, error) {
	return s.changeMails(ctx, "recover mails",
		`UPDATE mails SET state = 5, doubts = doubts + 1, next_try = $1, updated_at = $1 WHERE state = 2`, millis(now))
}

// ExpireMails ends mails that could not be delivered in time, and returns how many.
func (s *Store) ExpireMails(ctx context.Context, now time.Time) (int, error) {
	return s.changeMails(ctx, "expire mails",
		`UPDATE mails SET state = 7, updated_at = $1 WHERE state IN (1, 5) AND expires_at <= $1`, millis(now))
}

func (s *Store) changeMails(ctx context.Context, what, statement string, args ...any) (n int, err error) {
	err = s.write(ctx, func(t *tx) error {
		n, err = t.changed(statement, args...)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	return n, nil
}

// MailQueue returns how many mails are still to be sent, and since when the oldest waits
// (zero if there are none).
func (s *Store) MailQueue(ctx context.Context) (waiting int, oldest time.Time, err error) {
	var deferred, sending struct {
		n   int
		min sql.NullInt64
	}
	// Two statements, because each state has an index of its own.
	err = s.read(ctx).row(`SELECT COUNT(*), MIN(not_before) FROM mails WHERE state IN (1, 5)`).Scan(&deferred.n, &deferred.min)
	if err == nil {
		err = s.read(ctx).row(`SELECT COUNT(*), MIN(not_before) FROM mails WHERE state = 2`).Scan(&sending.n, &sending.min)
	}
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("mail queue: %w", err)
	}
	oldest = fromNull(deferred.min)
	if at := fromNull(sending.min); !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
		oldest = at
	}
	return deferred.n + sending.n, oldest, nil
}
