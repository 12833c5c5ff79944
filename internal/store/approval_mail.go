package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// ProofMails is the outbox of mails that ask staff to approve a draft.
type ProofMails struct{ *Store }

const proofColumns = `m.id, m.edition_id, m.state, m.attempts, m.not_before, m.next_try, m.expires_at`

func scanProof(row rowScanner) (newsletter.Mail, error) {
	m := newsletter.Mail{Kind: newsletter.MailProof}
	var notBefore, next, expiry int64
	err := row.Scan(&m.ID, &m.EditionID, &m.State, &m.Attempts, &notBefore, &next, &expiry)
	m.NotBefore, m.NextTry, m.ExpiresAt = fromMillis(notBefore), fromMillis(next), fromMillis(expiry)
	return m, err
}

// DueMails returns up to limit mails that are to be tried now, the longest due first.
func (p ProofMails) DueMails(ctx context.Context, now time.Time, limit int) ([]newsletter.Mail, error) {
	rows, err := p.read(ctx).query(`SELECT `+proofColumns+` FROM proof_mails m
		WHERE m.state IN (1, 5) AND m.next_try <= $1 AND m.expires_at > $1 ORDER BY m.next_try, m.id LIMIT $2`, millis(now), limit)
	list, err := collect(rows, err, func(rows *sql.Rows) (newsletter.Mail, error) { return scanProof(rows) })
	if err != nil {
		return nil, fmt.Errorf("due mails to staff: %w", err)
	}
	return list, nil
}

// BeginMail commits the intent to send a mail. One whose draft is none any more is withheld; then,
// and if the mail is not waiting, the error is Conflict and it must not be sent.
func (p ProofMails) BeginMail(ctx context.Context, id int64, now time.Time) (newsletter.Mail, error) {
	var m newsletter.Mail
	withheld := false
	err := p.write(ctx, func(t *tx) (err error) {
		m, err = scanProof(t.row(`SELECT `+proofColumns+` FROM proof_mails m WHERE m.id = $1`, id))
		if errors.Is(err, sql.ErrNoRows) {
			return newsletter.NotFoundf("there is no such mail")
		}
		if err != nil {
			return err
		}
		if m.State != newsletter.Waiting && m.State != newsletter.Deferred {
			return newsletter.Conflictf("it is %s", m.State)
		}
		var state string
		if err := t.row(`SELECT state FROM editions WHERE id = $1`, m.EditionID).Scan(&state); err != nil {
			return err
		}
		m.State = newsletter.Sending
		if withheld = state != string(newsletter.EditionDraft); withheld {
			m.State = newsletter.Withheld
		}
		_, err = t.exec(`UPDATE proof_mails SET state = $1, updated_at = $2 WHERE id = $3`, int(m.State), millis(now), id)
		return err
	})
	if err == nil && withheld {
		err = newsletter.Conflictf("withheld: the draft is none any more")
	}
	if err != nil {
		return newsletter.Mail{}, fmt.Errorf("mail to staff %d: %w", id, err)
	}
	return m, nil
}

// FinishMail records what became of a mail that was begun. One in doubt is deferred: better twice
// than never.
func (p ProofMails) FinishMail(ctx context.Context, id int64, o newsletter.Outcome, nextTry, now time.Time) error {
	state, attempts, doubts := o.State, 1, 0
	switch state {
	case newsletter.Waiting:
		attempts = 0
	case newsletter.InDoubt:
		state, doubts = newsletter.Deferred, 1
	case newsletter.Accepted, newsletter.Refused, newsletter.Deferred:
	case newsletter.Sending, newsletter.Expired, newsletter.Withheld:
		return fmt.Errorf("finish mail to staff %d: an attempt cannot end as %s", id, state)
	}
	if nextTry.IsZero() {
		nextTry = now
	}
	// A result must be recorded even while the program is being stopped.
	return p.write(context.WithoutCancel(ctx), func(t *tx) error {
		n, err := t.changed(`UPDATE proof_mails SET state = $1, attempts = attempts + $2, doubts = doubts + $3, next_try = $4,
				code = $5, enhanced = $6, reply = $7, updated_at = $8 WHERE id = $9 AND state = 2`,
			int(state), attempts, doubts, millis(nextTry), o.Code, o.Enhanced, keptReply(o), millis(now), id)
		if err == nil && n == 0 {
			err = newsletter.Conflictf("it is not being sent")
		}
		if err != nil {
			return fmt.Errorf("finish mail to staff %d: %w", id, err)
		}
		return nil
	})
}

// RecoverMails makes mails ready for another try whose process died while it sent them, and
// returns how many. Only who has just taken the sender role may call it.
func (p ProofMails) RecoverMails(ctx context.Context, now time.Time) (int, error) {
	return p.changeMails(ctx, "recover mails to staff",
		`UPDATE proof_mails SET state = 5, doubts = doubts + 1, next_try = $1, updated_at = $1 WHERE state = 2`, millis(now))
}

// ExpireMails ends mails that could not be delivered in time, and returns how many.
func (p ProofMails) ExpireMails(ctx context.Context, now time.Time) (int, error) {
	return p.changeMails(ctx, "expire mails to staff",
		`UPDATE proof_mails SET state = 7, updated_at = $1 WHERE state IN (1, 5) AND expires_at <= $1`, millis(now))
}
