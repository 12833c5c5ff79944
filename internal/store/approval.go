package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"broadsheet/internal/newsletter"
)

// approvalRule returns whether the newsletter's editions wait to be approved.
func approvalRule(q querier, newsletterID int64) (newsletter.ApprovalRule, error) {
	var word string
	var lead, deadline int64
	err := q.row(`SELECT approval, approval_lead, approval_deadline FROM newsletters WHERE id = $1`, newsletterID).Scan(&word, &lead, &deadline)
	if err != nil {
		return newsletter.ApprovalRule{}, err
	}
	r := newsletter.ApprovalRule{Lead: time.Duration(lead) * time.Millisecond, Deadline: time.Duration(deadline) * time.Millisecond}
	r.Manual, err = newsletter.ParseApproval(word)
	return r, err
}

func (t *tx) saveApprovalRule(newsletterID int64, r newsletter.ApprovalRule) error {
	if r.Lead == 0 { // whoever made the newsletter said nothing about it
		r.Lead = newsletter.DefaultApproval().Lead
	}
	_, err := t.exec(`UPDATE newsletters SET approval = $1, approval_lead = $2, approval_deadline = $3 WHERE id = $4`,
		r.Word(), r.Lead.Milliseconds(), r.Deadline.Milliseconds(), newsletterID)
	return err
}

// CreateSlotDraft records the draft of a slot, which has the slot from then on, and a mail that
// asks staff to approve it. If the slot is taken it is a Conflict with the reason slot_taken.
func (s *Store) CreateSlotDraft(ctx context.Context, e newsletter.Edition, r newsletter.DraftRecord, deadline time.Time, actor string, now time.Time) (int64, error) {
	var id int64
	err := s.write(ctx, func(t *tx) (err error) {
		if err := t.refuseRestored(); err != nil {
			return err
		}
		key := newsletter.SlotKey{NewsletterID: e.NewsletterID, Cadence: e.Cadence, Date: e.Date, Slot: e.Slot}
		taken, err := slotTaken(t, key)
		if err != nil {
			return err
		}
		if taken {
			return slotIsTaken(key)
		}
		if id, err = t.insertDraft(e, r, actor, now); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO edition_approvals (edition_id, state, deadline, asked_at) VALUES ($1, 'asked', $2, $3)`,
			id, millis(deadline), millis(now)); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO proof_mails (edition_id, state, not_before, next_try, expires_at, created_at, updated_at)
			VALUES ($1, 1, $2, $2, $3, $2, $2)`, id, millis(now), millis(deadline)); err != nil {
			return err
		}
		return t.deskEvent(now, actor, "approval asked for", e.NewsletterID, id, "until "+deadline.UTC().Format(time.RFC3339))
	})
	if err != nil {
		return 0, fmt.Errorf("draft of newsletter %d: %w", e.NewsletterID, err)
	}
	return id, nil
}

const approvalColumns = `a.edition_id, a.state, a.deadline, a.decided_by, a.decided_at`

func scanApproval(row rowScanner, more ...any) (a newsletter.Approval, err error) {
	var deadline int64
	var at sql.NullInt64
	err = row.Scan(append([]any{&a.EditionID, &a.State, &deadline, &a.By, &at}, more...)...)
	a.Deadline, a.At = fromMillis(deadline), fromNull(at)
	return a, err
}

// Approval returns where the approval of an edition stands. It is NotFound, with the reason
// no_approval, if the edition is not one that waits or waited for it.
func (s *Store) Approval(ctx context.Context, editionID int64) (newsletter.Approval, error) {
	a, ok, err := approval(s.read(ctx), editionID)
	if err == nil && !ok {
		err = &newsletter.Error{Kind: newsletter.NotFound, Reason: "no_approval",
			Message: fmt.Sprintf("edition %d is not one that staff approve: the schedule makes those, for newsletters with --approval manual", editionID)}
	}
	return a, err
}

func approval(q querier, editionID int64) (a newsletter.Approval, ok bool, err error) {
	a, err = scanApproval(q.row(`SELECT `+approvalColumns+` FROM edition_approvals a WHERE a.edition_id = $1`, editionID))
	if errors.Is(err, sql.ErrNoRows) {
		return a, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("approval of edition %d: %w", editionID, err)
	}
	return a, true, nil
}

// WaitingApprovals returns the drafts whose approval is not decided, those whose time is over
// included, the first deadline first.
func (s *Store) WaitingApprovals(ctx context.Context) ([]newsletter.WaitingApproval, error) {
	rows, err := s.read(ctx).query(`SELECT ` + approvalColumns + `, a.asked_at,
			EXISTS (SELECT 1 FROM proof_mails m WHERE m.edition_id = a.edition_id AND m.state = 3)
		FROM edition_approvals a WHERE a.state IN ('asked', 'held') ORDER BY a.deadline, a.edition_id`)
	list, err := collect(rows, err, func(rows *sql.Rows) (w newsletter.WaitingApproval, err error) {
		var asked int64
		w.Approval, err = scanApproval(rows, &asked, &w.Mailed)
		w.AskedAt = fromMillis(asked)
		return w, err
	})
	for i := 0; err == nil && i < len(list); i++ {
		list[i].Edition, err = s.Edition(ctx, list[i].EditionID)
	}
	if err != nil {
		return nil, fmt.Errorf("drafts that wait for approval: %w", err)
	}
	return list, nil
}

// HoldDraft records that the draft is not to be sent before somebody approves it. It is a Conflict
// with the reason not_draft if it is none any more, and too_late after its time.
func (s *Store) HoldDraft(ctx context.Context, editionID int64, detail, actor string, now time.Time) error {
	return s.write(ctx, func(t *tx) error {
		return t.decide(editionID, newsletter.ApprovalHeld, detail, actor, now)
	})
}

// decide records what staff said about a draft that can still be approved; one that nobody has to
// approve is left as it is.
func (t *tx) decide(editionID int64, state newsletter.ApprovalState, detail, actor string, now time.Time) error {
	a, ok, err := approval(t, editionID)
	if err != nil || !ok {
		return err
	}
	e, err := scanEdition(t.row(`SELECT `+editionColumns+` FROM editions e JOIN newsletters n ON n.id = e.newsletter_id WHERE e.id = $1`, editionID))
	switch {
	case err != nil:
		return err
	case e.State != newsletter.EditionDraft:
		return notDraft(editionID, e.State)
	case !a.Waits(e, now):
		return a.TooLate(e)
	}
	if _, err = t.exec(`UPDATE edition_approvals SET state = $1, decided_by = $2, decided_at = $3 WHERE edition_id = $4`,
		string(state), actor, millis(now), editionID); err != nil {
		return err
	}
	return t.ledgerEvent(editionID, "edition "+string(state), detail, actor, now)
}

// ExpireDraft ends a draft that nobody approved in time, and reports whether it did: somebody may
// have decided meanwhile. Its slot passes without an edition.
func (s *Store) ExpireDraft(ctx context.Context, editionID int64, actor string, now time.Time) (expired bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		expired = false
		e, err := scanEdition(t.row(`SELECT `+editionColumns+` FROM editions e JOIN newsletters n ON n.id = e.newsletter_id WHERE e.id = $1`, editionID))
		if err != nil {
			return err
		}
		a, ok, err := approval(t, editionID)
		if err != nil || !ok || a.Waits(e, now) || a.State != newsletter.ApprovalAsked && a.State != newsletter.ApprovalHeld {
			return err
		}
		if _, err := t.exec(`UPDATE edition_approvals SET state = 'expired' WHERE edition_id = $1`, editionID); err != nil {
			return err
		}
		if e.State != newsletter.EditionDraft { // staff cancelled it
			return nil
		}
		expired = true
		if _, err := t.exec(`UPDATE editions SET state = 'expired', reason = $1, finished_at = $2 WHERE id = $3`,
			newsletter.ReasonNotApproved, millis(now), editionID); err != nil {
			return err
		}
		e.Reason, e.AsOf = newsletter.ReasonNotApproved, now
		t.noteSkipped(editionID, e, now)
		return t.deskEvent(now, actor, "edition expired", e.NewsletterID, editionID, "nobody approved it in time")
	})
	if err != nil {
		return false, fmt.Errorf("end the draft %d: %w", editionID, err)
	}
	return expired, nil
}

// ReaderGroups counts the newsletter's readers by cadence, slot and choice of sections, the
// largest group first.
func (s *Store) ReaderGroups(ctx context.Context, newsletterID int64, now time.Time) ([]newsletter.ReaderGroup, error) {
	rows, err := s.read(ctx).query(`SELECT cadence, slot, sections, paused, COUNT(*) FROM (
			SELECT cadence, slot, sections, state = 'paused' AND (paused_until IS NULL OR paused_until > $1) AS paused
			FROM subscriptions WHERE newsletter_id = $2 AND state IN ('active', 'paused')) u
		GROUP BY cadence, slot, sections, paused ORDER BY COUNT(*) DESC, cadence, slot, sections, paused`, millis(now), newsletterID)
	list, err := collect(rows, err, func(rows *sql.Rows) (g newsletter.ReaderGroup, err error) {
		err = rows.Scan(&g.Cadence, &g.Slot, &g.Sections, &g.Paused, &g.Readers)
		return g, err
	})
	if err != nil {
		return nil, fmt.Errorf("readers of newsletter %d: %w", newsletterID, err)
	}
	return list, nil
}
