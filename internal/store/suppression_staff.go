package store

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// Suppress enters suppressions in one transaction, all of them or none, and reports of each
// whether it changed anything: a reason that is as strong or stronger stays. A zero CreatedAt
// is now.
func (s *Store) Suppress(ctx context.Context, list []newsletter.Suppression, now time.Time) ([]bool, error) {
	var changed []bool
	err := s.write(ctx, func(t *tx) error {
		changed = make([]bool, len(list))
		for i, one := range list {
			if one.CreatedAt.IsZero() {
				one.CreatedAt = now
			}
			var err error
			if changed[i], err = t.enterSuppression(one, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("suppress: %w", err)
	}
	return changed, nil
}

// LiftSuppression ends a suppression because staff want it, and has it on record with the note
// and who did it. If a sign-up of that address waits, which emailKey names if it is known, its
// confirmation mail is put into the outbox. The error is NotFound if there is none, Forbidden
// with reason "suppressed" unless the path lifts it, and Invalid if that needs a note.
func (s *Store) LiftSuppression(ctx context.Context, hash []byte, emailKey string, path newsletter.LiftPath, note, actor string, now time.Time) (newsletter.LiftedSuppression, error) {
	var lifted newsletter.LiftedSuppression
	err := s.write(ctx, func(t *tx) error {
		var err error
		if lifted.Suppression, err = t.mayLift(hash, path, note); err != nil {
			return err
		}
		if err := t.liftSuppression(hash, path, note, actor, now); err != nil || emailKey == "" {
			return err
		}
		lifted.MailAt, lifted.MailQueued, err = t.answerWaiting(emailKey, now)
		return err
	})
	if err != nil {
		return newsletter.LiftedSuppression{}, fmt.Errorf("lift a suppression: %w", err)
	}
	return lifted, nil
}

// mayLift returns the suppression, or why the path does not lift it.
func (t *tx) mayLift(hash []byte, path newsletter.LiftPath, note string) (newsletter.Suppression, error) {
	stands, err := suppressionOf(t, hash)
	if err != nil {
		return stands, err
	}
	if stands.Reason == "" {
		return stands, newsletter.NotFoundf("there is no such suppression")
	}
	switch stands.Reason.LiftedBy(path) {
	case newsletter.LiftsNot:
		err = newsletter.Refusef("suppressed", "a suppression with the reason %s is not lifted this way", stands.Reason)
	case newsletter.LiftsWithNote:
		if note == "" {
			err = newsletter.Invalidf("note", "say why this may be mailed again: the reason is %s", stands.Reason)
		}
	case newsletter.Lifts:
	}
	return stands, err
}

// answerWaiting puts the mail of an address's waiting sign-up into the outbox, if no mail
// answers it and nothing stands against the address any more.
func (t *tx) answerWaiting(emailKey string, now time.Time) (at time.Time, queued bool, err error) {
	key, err := suppressionKey(t)
	if err != nil {
		return at, false, err
	}
	stands, err := suppression(t, key.Hashes(emailKey)) // perhaps the whole domain's
	if err != nil || stands.Reason != "" {
		return at, false, err
	}
	id, err := findSubscriber(t, emailKey)
	if err != nil || id == 0 {
		return at, false, err
	}
	waiting, ok, err := waitingSignUp(t, id, now)
	if err != nil || !ok || waiting.MailState != newsletter.Unplanned && waiting.MailState != newsletter.Withheld {
		return at, false, err
	}
	answer := newsletter.Answer{Now: now}
	if answer.Sent, err = t.lastMails(id, now); err != nil {
		return at, false, err
	}
	kind, at, queued := answer.Mail()
	if !queued {
		return at, false, nil
	}
	if _, err := t.exec(`UPDATE signups SET expires_at = $1 WHERE id = $2`, millis(at.Add(newsletter.SignUpValid)), waiting.ID); err != nil {
		return at, false, err
	}
	return at, true, t.queueMail(kind, id, waiting.ID, true, at, now)
}
