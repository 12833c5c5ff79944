package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// ApprovalStore keeps drafts that staff are to approve.
type ApprovalStore interface {
	CreateSlotDraft(ctx context.Context, e newsletter.Edition, r newsletter.DraftRecord, deadline time.Time, actor string, now time.Time) (int64, error)
	Approval(ctx context.Context, editionID int64) (newsletter.Approval, error)
	WaitingApprovals(ctx context.Context) ([]newsletter.WaitingApproval, error)
	HoldDraft(ctx context.Context, editionID int64, detail, actor string, now time.Time) error
	ExpireDraft(ctx context.Context, editionID int64, actor string, now time.Time) (bool, error)
	ReaderGroups(ctx context.Context, newsletterID int64, now time.Time) ([]newsletter.ReaderGroup, error)
}

// Approving is an edition that staff are to approve, as it stands now.
type Approving struct {
	newsletter.Approval
	Newsletter newsletter.Newsletter
	Edition    newsletter.Edition
	// Draft is what would be sent; nil: it is decided, or its time is over.
	Draft    *Draft
	SendAt   time.Time // when it is sent if it is approved now
	Findings []newsletter.Finding
	Groups   []newsletter.ReaderGroup // who reads the newsletter
	Sections []newsletter.Section     // that they can choose
	Preview  *Preview                 // what most readers get; nil: nothing is owed to anybody any more
	Nothing  string                   // then, why
}

// Seen is what somebody saw of a draft before they decided.
type Seen struct {
	Revision int
	Hash     string // of everything that goes into the bytes
}

// Seen returns what whoever looks at it sees.
func (a *Approving) Seen() Seen {
	if a.Draft == nil {
		return Seen{}
	}
	return Seen{a.Draft.record.Revision, a.Draft.Snapshot.Hash()}
}

// By returns the desk for somebody else: who they are, for the record, and from where they act.
func (d *Desk) By(actor, from string) *Desk {
	o := d.o
	o.Actor, o.From = actor, from
	return New(d.store, d.fetcher, o)
}

// Approving returns an edition that staff are to approve, or were. It is NotFound if the edition
// is none of those.
func (d *Desk) Approving(ctx context.Context, id int64) (*Approving, error) {
	a := &Approving{}
	var err error
	if a.Edition, err = d.o.Press.Store.Edition(ctx, id); err != nil {
		return nil, err
	}
	if a.Approval, err = d.o.Press.Store.Approval(ctx, id); err != nil {
		return nil, err
	}
	if a.Newsletter, err = d.Newsletter(ctx, a.Edition.Newsletter); err != nil {
		return nil, err
	}
	if !a.Waits(a.Edition, d.now()) {
		return a, nil
	}
	a.SendAt = d.sendAt(a.Edition)
	a.Draft, err = d.OpenDraftFor(ctx, id, FreezeOptions{At: a.SendAt})
	if newsletter.ReasonOf(err) == newsletter.SkippedNothingNew && a.Draft != nil {
		a.Nothing = err.Error()
		return a, nil
	}
	if err != nil {
		return nil, err
	}
	a.Findings = d.Gates(ctx, a.Draft)
	if a.Groups, err = d.o.Press.Store.ReaderGroups(ctx, a.Newsletter.ID, d.now()); err != nil {
		return nil, err
	}
	if a.Sections, err = d.Sections(ctx, a.Newsletter.Slug); err != nil {
		return nil, err
	}
	a.Preview, err = d.previewDraft(ctx, a.Draft, nil, nil, PreviewOptions{})
	return a, err
}

// sendAt is when an edition is sent that is approved now: at the time of its slot, or at once. The
// schedule plans it in either case, so that whoever approves does not wait for a million rows.
func (d *Desk) sendAt(e newsletter.Edition) time.Time {
	if soon := d.now().Add(time.Second); e.DueAt.Before(soon) {
		return soon
	}
	return e.DueAt
}

// Approve freezes the draft of a slot as it is, to be sent at its slot's time. seen is what the
// person saw who approves it: if it is different now, it is a Conflict with the reason changed;
// nil is for who has just looked. One that was held after it was approved goes on. It refuses as
// Freeze does, with the reason gate as well, unless force is given, and after its deadline it is
// a Conflict with the reason too_late.
func (d *Desk) Approve(ctx context.Context, id int64, seen *Seen, force bool) (newsletter.Edition, error) {
	a, err := d.o.Press.Store.Approval(ctx, id)
	if err != nil {
		return newsletter.Edition{}, err
	}
	e, err := d.o.Press.Store.Edition(ctx, id)
	switch {
	case err != nil:
		return e, err
	case e.State == newsletter.EditionPaused && e.PlannedAt.IsZero():
		if err := d.Resume(ctx, id); err != nil {
			return e, err
		}
		return d.o.Press.Store.Edition(ctx, id)
	case e.State == newsletter.EditionDraft && !a.Waits(e, d.now()):
		return e, a.TooLate(e)
	}
	draft, err := d.OpenDraftFor(ctx, id, FreezeOptions{At: d.sendAt(e)})
	if err != nil {
		return e, err
	}
	if seen != nil && (draft.record.Revision != seen.Revision || draft.Snapshot.Hash() != seen.Hash) {
		return e, changedSince(draft)
	}
	draft.Force = force
	return d.Start(ctx, draft, nil)
}

// changedSince is the refusal to decide about a draft that is not what was seen.
func changedSince(draft *Draft) error {
	return &newsletter.Error{Kind: newsletter.Conflict, Reason: "changed",
		Message: fmt.Sprintf("edition %d is not what you saw any more (%s changed it last, or an article or a setting changed); look at it as it is now",
			draft.Edition.ID, draft.record.ChangedBy)}
}

// Hold keeps an edition from being sent until somebody approves it: a draft, also after its
// deadline, or one that is approved and waits for its time. It is refused with the reason
// not_waiting if it is neither.
func (d *Desk) Hold(ctx context.Context, id int64, reason string) error {
	a, err := d.o.Press.Store.Approval(ctx, id)
	if err != nil {
		return err
	}
	e, err := d.o.Press.Store.Edition(ctx, id)
	switch {
	case err != nil:
		return err
	case e.State == newsletter.EditionDraft && !a.Waits(e, d.now()):
		return a.TooLate(e)
	case e.State == newsletter.EditionDraft:
		return d.o.Press.Store.HoldDraft(ctx, id, d.where(reason), d.o.Actor, d.now())
	case e.Waits(d.now()) && e.State == newsletter.EditionFrozen:
		if reason == "" {
			reason = "staff hold it"
		}
		return d.Pause(ctx, id, d.where(reason))
	}
	return newsletter.Refusef("not_waiting", "edition %d is %s, so it cannot be held; \"broadsheet edition pause %d\" stops one that is being sent", id, e.State, id)
}

// DraftChange is what can be changed of a draft where it is approved.
type DraftChange struct {
	Subject string // empty: each reader's first headline
	Drop    []int64
	PutBack []int64 // what was dropped here before
}

// ChangeDraft changes the subject of a draft, drops articles from it and puts them back; what is
// dropped stays owed. revision is the one that was seen: if somebody changed the draft meanwhile it is a
// Conflict with the reason changed.
func (d *Desk) ChangeDraft(ctx context.Context, id int64, revision int, c DraftChange) (*Draft, error) {
	record, err := d.o.Press.Store.DraftRecord(ctx, id)
	if err != nil {
		return nil, err
	}
	if c.Subject = strings.TrimSpace(c.Subject); c.Subject != "" {
		if fails := newsletter.Fails(newsletter.CheckSubject(c.Subject, true)); len(fails) > 0 {
			return nil, newsletter.Invalidf("subject", "%s; %s", fails[0].Message, fails[0].Remedy)
		}
	}
	sheet := record.Sheet
	for _, article := range c.Drop {
		if !slices.Contains(sheet.Articles(), article) {
			return nil, newsletter.Invalidf("drop", "article %d is not in the draft", article)
		}
	}
	sheet.Subject = c.Subject
	for _, article := range slices.Backward(c.Drop) { // so that each has the place that it was seen at
		sheet = sheet.Drop(article)
	}
	for _, article := range c.PutBack {
		var ok bool
		if sheet, ok = sheet.PutBack(article); !ok {
			return nil, newsletter.Invalidf("back", "article %d was not dropped from the draft", article)
		}
	}
	return d.SaveSheet(ctx, id, revision, sheet)
}

// where adds to what the record says from where it was done, if that is known.
func (d *Desk) where(detail string) string {
	switch {
	case d.o.From == "":
		return detail
	case detail == "":
		return "from " + d.o.From
	}
	return detail + ", from " + d.o.From
}
