package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// askAgain is how long before another look for something to draft, ahead of a slot: every look
// asks all sources.
const askAgain = 5 * time.Minute

// askAhead makes the drafts of the schedule's next slots that staff are to be asked about by now.
func (d *Desk) askAhead(ctx context.Context, n newsletter.Newsletter, s newsletter.Schedule, zone *time.Location) error {
	now := d.now()
	for due, ok := s.Rule.Next(now, zone); ok && !n.Approval.AskAt(due).After(now); due, ok = s.Rule.Next(due.At, zone) {
		key := newsletter.SlotKey{NewsletterID: n.ID, Cadence: s.Cadence, Date: due.Date, Slot: s.Slot}
		taken, err := d.store.SlotTaken(ctx, key)
		if err == nil && !taken {
			err = d.askForSlot(ctx, n, key, due)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// askForSlot makes the draft of a slot and asks staff to approve it. Where nothing is owed yet it
// looks again later, and skips the slot if that is due.
func (d *Desk) askForSlot(ctx context.Context, n newsletter.Newsletter, key newsletter.SlotKey, due newsletter.Due) error {
	now := d.now()
	isDue := !due.At.After(now)
	if now.Before(d.retryAt(key)) {
		return nil
	}
	if planning, err := d.aboutToBePlanned(ctx, key); err != nil || planning {
		return err
	}
	draft, err := d.CreateDraft(ctx, DraftOptions{Build: BuildOptions{Newsletter: n.Slug, Cadence: key.Cadence, Slot: key.Slot, Due: due}})
	switch newsletter.ReasonOf(err) {
	case newsletter.SkippedNothingNew:
		switch again := now.Add(askAgain); {
		case !isDue && again.After(due.At):
			d.retryAtTime(key, due.At)
			return nil
		case !isDue || draft != nil && len(draft.Warnings) > 0: // a source did not answer: what it has may come yet
			d.retryAtTime(key, again)
			return nil
		}
		return d.skip(ctx, n, key, due, whySkipped(draft))
	case "slot_taken": // by staff, or by another process, while this one was building
		return nil
	}
	if err != nil {
		d.retryLater(key)
		return err
	}
	d.o.Logger.Info("staff are asked to approve an edition", "edition", draft.Edition.ID, "newsletter", n.Slug,
		"slot", newsletter.SlotName(key.Cadence, key.Slot), "due", due.At)
	return nil
}

// aboutToBePlanned reports whether an edition for the same readers is to be planned now, as where
// staff are asked a day ahead: its articles are in no reader's hands yet, and would be drafted again.
func (d *Desk) aboutToBePlanned(ctx context.Context, key newsletter.SlotKey) (bool, error) {
	list, err := d.o.Press.Store.UnfinishedEditions(ctx, key.NewsletterID)
	return slices.ContainsFunc(list, func(e newsletter.Edition) bool {
		return e.State.Open() && e.PlannedAt.IsZero() && !e.Waits(d.now()) && e.Cadence == key.Cadence && e.Audience() == key.Slot
	}), err
}

// expireApprovals ends the drafts that nobody approved in time: their slots pass.
func (d *Desk) expireApprovals(ctx context.Context) error {
	list, err := d.o.Press.Store.WaitingApprovals(ctx)
	if err != nil {
		return err
	}
	var failures []error
	for _, w := range list {
		if w.Waits(w.Edition, d.now()) {
			continue
		}
		expired, err := d.o.Press.Store.ExpireDraft(ctx, w.EditionID, d.o.Actor, d.now())
		failures = append(failures, err)
		if expired {
			d.o.Logger.Error("nobody approved an edition in time: it is not sent", "edition", w.EditionID, "newsletter", w.Edition.Newsletter)
		}
	}
	return errors.Join(failures...)
}

// proofLate is how long a mail that asks for approval may take.
const proofLate = 10 * time.Minute

// judgeApprovals tells of drafts that wait and of which staff may not know.
func (d *Desk) judgeApprovals(ctx context.Context, s *Status) error {
	var err error
	if s.Approvals, err = d.o.Press.Store.WaitingApprovals(ctx); err != nil {
		return err
	}
	now := d.now()
	for _, w := range s.Approvals {
		e := w.Edition
		a := newsletter.Alarm{Kind: newsletter.AlarmApproval, Subject: fmt.Sprintf("edition/%d", e.ID)}
		switch {
		case w.State == newsletter.ApprovalHeld && !e.DueAt.After(now):
			a.What = fmt.Sprintf("edition %d of %s is held by %s, and its time has come", e.ID, e.Newsletter, w.By)
			a.Since, a.Do = e.DueAt, fmt.Sprintf(`"broadsheet edition approve %d" sends it, "broadsheet edition cancel %d" gives it up`, e.ID, e.ID)
		case w.State == newsletter.ApprovalAsked && !w.Mailed && now.Sub(w.AskedAt) > proofLate:
			a.What = fmt.Sprintf("edition %d of %s waits to be approved, and the mail about it has not gone out", e.ID, e.Newsletter)
			a.Since, a.Do = w.AskedAt, fmt.Sprintf(`"broadsheet preview --edition %d" shows it, "broadsheet edition approve %d" approves it; look whether BROADSHEET_STAFF_EMAIL is set and the relay takes mail`, e.ID, e.ID)
		default:
			continue
		}
		s.problem(a)
	}
	return nil
}

// judgeNotApproved tells of a slot that passed because nobody approved its edition in time.
func (s *Status) judgeNotApproved(e newsletter.Edition) {
	s.problem(newsletter.Alarm{
		Kind: newsletter.AlarmNotApproved, Subject: fmt.Sprintf("%s/%s/%s", e.Newsletter, e.Name(), e.Date), Since: e.FinishedAt,
		What: fmt.Sprintf("edition %d of %s was not approved in time, and nothing was sent", e.ID, e.Newsletter),
		Do:   fmt.Sprintf(`what was in it is owed still: "broadsheet send %s" sends it now, or the next edition brings it`, e.Newsletter),
	})
}
