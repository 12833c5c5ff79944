package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"broadsheet/internal/newsletter"
)

// CreateDraft records a draft. It takes no slot.
func (s *Store) CreateDraft(ctx context.Context, e newsletter.Edition, r newsletter.DraftRecord, actor string, now time.Time) (int64, error) {
	e.Slot = ""
	var id int64
	err := s.write(ctx, func(t *tx) (err error) {
		id, err = t.insertDraft(e, r, actor, now)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("draft of newsletter %d: %w", e.NewsletterID, err)
	}
	return id, nil
}

// insertDraft records a draft, with a slot if the edition names one.
func (t *tx) insertDraft(e newsletter.Edition, r newsletter.DraftRecord, actor string, now time.Time) (id int64, err error) {
	sheet, items, err := encodeDraft(r)
	if err != nil {
		return 0, err
	}
	if err := t.row(`SELECT ` + nextEdition).Scan(&id); err != nil {
		return 0, err
	}
	if e.Slot == "" {
		e.Slot = newsletter.DraftSlot + strconv.FormatInt(id, 10)
	}
	_, err = t.exec(`INSERT INTO editions (id, newsletter_id, cadence, local_date, slot, state, due_at, as_of,
				subject, articles, on_doubt, created_at, expires_at, warm_up, for_slot)
		VALUES ($1, $2, $3, $4, $5, 'draft', $6, 0, $7, $8, $9, $10, $11, $12, $13)`,
		id, e.NewsletterID, string(e.Cadence), e.Date.String(), e.Slot, millis(e.DueAt),
		e.Subject, e.Articles, string(e.OnDoubt), millis(now), millis(e.ExpiresAt), e.WarmUp.String(), e.Audience())
	if err != nil {
		return 0, err
	}
	if _, err = t.exec(`INSERT INTO edition_drafts (edition_id, sheet, items, revision, changed_by, changed_at) VALUES ($1, $2, $3, 1, $4, $5)`,
		id, sheet, items, actor, millis(now)); err != nil {
		return 0, err
	}
	return id, t.deskEvent(now, actor, "draft made", e.NewsletterID, id, articlesDetail(r))
}

func encodeDraft(r newsletter.DraftRecord) (sheet, items string, err error) {
	a, err := json.Marshal(r.Sheet)
	if err != nil {
		return "", "", fmt.Errorf("encode sheet: %w", err)
	}
	b, err := json.Marshal(r.Items)
	if err != nil {
		return "", "", fmt.Errorf("encode articles of a draft: %w", err)
	}
	return string(a), string(b), nil
}

func articlesDetail(r newsletter.DraftRecord) string {
	if n := len(r.Sheet.Articles()); n != 1 {
		return fmt.Sprintf("%d articles", n)
	}
	return "1 article"
}

// DraftRecord returns what is kept of a draft. It is a Conflict with the reason not_draft if the
// edition is none any more, and NotFound if there is no such edition.
func (s *Store) DraftRecord(ctx context.Context, id int64) (newsletter.DraftRecord, error) {
	return draftRecord(s.read(ctx), id)
}

func draftRecord(q querier, id int64) (newsletter.DraftRecord, error) {
	r, state, err := sheetOf(q, id)
	if state != "" && state != newsletter.EditionDraft {
		err = notDraft(id, state)
	}
	return r, err
}

// SheetOf is DraftRecord of an edition that was frozen since, or ended. It is a Conflict with the
// reason no_sheet if the edition never was a draft.
func (s *Store) SheetOf(ctx context.Context, id int64) (newsletter.DraftRecord, error) {
	r, _, err := sheetOf(s.read(ctx), id)
	return r, err
}

func sheetOf(q querier, id int64) (r newsletter.DraftRecord, state newsletter.EditionState, err error) {
	r.EditionID = id
	var sheet, items string
	var at int64
	err = q.row(`SELECT e.state, COALESCE(d.sheet, ''), COALESCE(d.items, ''), COALESCE(d.revision, 0), COALESCE(d.changed_by, ''), COALESCE(d.changed_at, 0)
		FROM editions e LEFT JOIN edition_drafts d ON d.edition_id = e.id WHERE e.id = $1`, id).
		Scan(&state, &sheet, &items, &r.Revision, &r.ChangedBy, &at)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r, state, noEdition(id)
	case err != nil:
		return r, state, fmt.Errorf("draft %d: %w", id, err)
	case sheet == "":
		return r, state, &newsletter.Error{Kind: newsletter.Conflict, Reason: "no_sheet",
			Message: fmt.Sprintf("edition %d was not made from a draft, so it has no sheet; \"broadsheet preview --edition %d\" shows what it is", id, id)}
	}
	r.ChangedAt = fromMillis(at)
	if err := json.Unmarshal([]byte(sheet), &r.Sheet); err != nil {
		return r, state, fmt.Errorf("sheet of draft %d: %w", id, err)
	}
	if err := json.Unmarshal([]byte(items), &r.Items); err != nil {
		return r, state, fmt.Errorf("articles of draft %d: %w", id, err)
	}
	return r, state, nil
}

// notDraft says of an edition in that state why it is no draft, and what can be done instead.
func notDraft(id int64, state newsletter.EditionState) error {
	next := fmt.Sprintf(`"broadsheet edition draft NEWSLETTER --from %d" makes a new one of its sheet`, id)
	switch state {
	case newsletter.EditionFrozen, newsletter.EditionSending, newsletter.EditionPaused:
		next = fmt.Sprintf(`"broadsheet edition watch %d" shows how far it is, "broadsheet edition cancel %d" stops it`, id, id)
	case newsletter.EditionSent:
		next = `"broadsheet edition draft NEWSLETTER" makes a new one`
	default:
	}
	return &newsletter.Error{Kind: newsletter.Conflict, Reason: "not_draft",
		Message: fmt.Sprintf("edition %d is %s, not a draft, so it cannot be changed; %s", id, state, next)}
}

// SaveDraft keeps the record if it was made from the latest revision; otherwise it is a Conflict
// with the reason changed, which says who was quicker. action is what was done, for the log.
func (s *Store) SaveDraft(ctx context.Context, r newsletter.DraftRecord, subject, action, detail, actor string, now time.Time) error {
	sheet, items, err := encodeDraft(r)
	if err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		before, err := draftRecord(t, r.EditionID)
		if err != nil {
			return err
		}
		if before.Revision != r.Revision {
			return changedDraft(before)
		}
		if _, err := t.exec(`UPDATE edition_drafts SET sheet = $1, items = $2, revision = revision + 1, changed_by = $3, changed_at = $4 WHERE edition_id = $5`,
			sheet, items, actor, millis(now), r.EditionID); err != nil {
			return fmt.Errorf("draft %d: %w", r.EditionID, err)
		}
		if _, err := t.exec(`UPDATE editions SET subject = $1, articles = $2 WHERE id = $3`, subject, len(r.Sheet.Articles()), r.EditionID); err != nil {
			return fmt.Errorf("draft %d: %w", r.EditionID, err)
		}
		return t.ledgerEvent(r.EditionID, action, detail, actor, now)
	})
}

func changedDraft(now newsletter.DraftRecord) error {
	return &newsletter.Error{Kind: newsletter.Conflict, Reason: "changed",
		Message: fmt.Sprintf("%s changed edition %d meanwhile (at %s UTC, revision %d); look at it and do it again",
			now.ChangedBy, now.EditionID, now.ChangedAt.Format("15:04:05"), now.Revision)}
}

// recordFrozen makes the frozen edition's row, or that of the draft into it. The draft has to be
// as it was when it was looked at.
func (t *tx) recordFrozen(e newsletter.Edition, f newsletter.FrozenEdition, now time.Time) (int64, error) {
	if e.ID == 0 {
		return t.insertEdition(e, now)
	}
	r, err := draftRecord(t, e.ID)
	if err != nil {
		return 0, err
	}
	if r.Revision != f.Revision {
		return 0, changedDraft(r)
	}
	if err := t.decide(e.ID, newsletter.ApprovalApproved, f.From, f.Actor, now); err != nil {
		return 0, err
	}
	_, err = t.exec(`UPDATE editions SET local_date = $1, slot = $2, state = 'frozen', due_at = $3, as_of = $4, hash = $5, subject = $6,
			articles = $7, on_doubt = $8, expires_at = $9, warm_up = $10, send_at = $11, for_slot = $12 WHERE id = $13`,
		e.Date.String(), e.Slot, millis(e.DueAt), millis(e.AsOf), e.Hash, e.Subject,
		e.Articles, string(e.OnDoubt), millis(e.ExpiresAt), e.WarmUp.String(), nullMillis(e.SendAt), e.Audience(), e.ID)
	return e.ID, err
}

// frozenDetail is what the log says of a frozen edition.
func frozenDetail(e newsletter.Edition) string {
	if e.SendAt.IsZero() {
		return "hash " + e.Hash
	}
	return "to be sent at " + e.SendAt.UTC().Format(time.RFC3339) + ", hash " + e.Hash
}

// dropDraft removes a draft that a restored database still has, of an edition that was frozen
// since the backup.
func (t *tx) dropDraft(id int64) error {
	for _, table := range []string{"edition_approvals", "proof_mails"} {
		if _, err := t.exec(`DELETE FROM `+table+` WHERE edition_id IN (SELECT id FROM editions WHERE id = $1 AND state = 'draft')`, id); err != nil {
			return err
		}
	}
	if _, err := t.exec(`DELETE FROM edition_drafts WHERE edition_id IN (SELECT id FROM editions WHERE id = $1 AND state = 'draft')`, id); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM editions WHERE id = $1 AND state = 'draft'`, id)
	return err
}
