package desk

import (
	"context"
	"errors"
	"time"

	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
)

// DraftStore keeps drafts.
type DraftStore interface {
	CreateDraft(ctx context.Context, e newsletter.Edition, r newsletter.DraftRecord, actor string, now time.Time) (int64, error)
	DraftRecord(ctx context.Context, id int64) (newsletter.DraftRecord, error)
	SheetOf(ctx context.Context, id int64) (newsletter.DraftRecord, error)
	SaveDraft(ctx context.Context, r newsletter.DraftRecord, subject, action, detail, actor string, now time.Time) error
}

// DraftOptions say which draft to make.
type DraftOptions struct {
	Build BuildOptions // which edition; Words are the sheet's
	Note  string       // a note before the stories, Markdown; of an announcement, what it says
	// Announcement makes it one without articles, for every reader of the cadence.
	Announcement bool
	// From is an edition of the same newsletter that was cancelled, or has expired, whose sheet the
	// draft begins with, in the place of what is owed now, of Words and of Note; 0: none.
	From int64
}

// CreateDraft makes a draft of what is owed now, or of an announcement, and records it. It takes
// no slot, and nothing is sent before it is frozen. It refuses as Build does.
func (d *Desk) CreateDraft(ctx context.Context, o DraftOptions) (*Draft, error) {
	record, err := d.newRecord(ctx, &o)
	if err != nil {
		return nil, err
	}
	written := record.Sheet.Announcement || o.From != 0 // what it has does not depend on what is owed
	if written {
		o.Build.draft = &record
	}
	draft, err := d.Build(ctx, o.Build)
	if err != nil {
		return draft, err
	}
	sections, err := d.Sections(ctx, draft.Newsletter.Slug)
	if err != nil {
		return nil, err
	}
	var shown []newsletter.Candidate
	for _, a := range draft.Articles {
		if a.Shown() && !written {
			shown = append(shown, a.Candidate)
		}
	}
	newsletter.Lay(shown, sections)
	for _, c := range shown {
		record.Sheet.Blocks = append(record.Sheet.Blocks, newsletter.SheetBlock{Kind: newsletter.SheetArticle, Article: c.ID})
	}
	record = record.With(shown)
	if !record.Sheet.Announcement {
		asked := &Draft{Newsletter: draft.Newsletter, Edition: draft.Edition, manual: draft.manual, extra: draft.extra} // Build has warned already
		if _, err := d.placeBooked(ctx, &record.Sheet, asked, time.Time{}); err != nil {
			return nil, err
		}
	}
	o.Build.draft = &record
	warnings := draft.Warnings
	if err := d.fill(ctx, draft, o.Build); err != nil { // what is wrong with the words
		return draft, err
	}
	id, err := d.recordDraft(ctx, draft, o.Build.Due, record)
	if err != nil {
		return nil, err
	}
	if draft, err = d.OpenDraft(ctx, id); err == nil {
		draft.Warnings = append(warnings, draft.Warnings...)
	}
	return draft, err
}

// newRecord returns what a new draft begins with, and makes the options those of its edition.
func (d *Desk) newRecord(ctx context.Context, o *DraftOptions) (newsletter.DraftRecord, error) {
	if o.From != 0 {
		return d.sheetAnew(ctx, o)
	}
	w := o.Build.Words
	record := newsletter.DraftRecord{
		Sheet: newsletter.Sheet{Subject: w.Subject, Preheader: w.Preheader, About: w.About, Intro: w.Intro, Announcement: o.Announcement, Until: d.now()},
	}
	if err := errors.Join(newsletter.CheckOwnSubject(w.Subject), newsletter.CheckOwnPreheader(w.Preheader), checkAnnouncement(*o)); err != nil {
		return record, err
	}
	if o.Note == "" {
		return record, nil
	}
	record.Sheet.Blocks = []newsletter.SheetBlock{{Kind: newsletter.SheetNote, ID: "n1", Text: o.Note}}
	return record, digest.CheckMarkdown("body", o.Note) // before sources are asked
}

// sheetAnew returns the sheet of an earlier edition for another of the same readers.
func (d *Desk) sheetAnew(ctx context.Context, o *DraftOptions) (newsletter.DraftRecord, error) {
	e, err := d.o.Press.Store.Edition(ctx, o.From)
	if err != nil {
		return newsletter.DraftRecord{}, err
	}
	switch {
	case e.Newsletter != o.Build.Newsletter:
		return newsletter.DraftRecord{}, newsletter.Invalidf("from", "edition %d is of %s, not of %s", e.ID, e.Newsletter, o.Build.Newsletter)
	case e.State == newsletter.EditionDraft:
		return newsletter.DraftRecord{}, newsletter.Conflictf(`edition %d is a draft itself; "broadsheet edition edit %d" changes it`, e.ID, e.ID)
	case e.State.Open() || e.State == newsletter.EditionPaused:
		return newsletter.DraftRecord{}, newsletter.Conflictf(`edition %d is %s, and has its articles; "broadsheet edition cancel %d" stops it first`, e.ID, e.State, e.ID)
	}
	old, err := d.o.Press.Store.SheetOf(ctx, o.From)
	old.Sheet.Until = d.now()
	o.Build.Cadence, o.Build.Slot, o.Announcement = e.Cadence, e.Audience(), old.Sheet.Announcement
	o.Build.Words = digest.Words{Subject: old.Sheet.Subject, Preheader: old.Sheet.Preheader, Intro: old.Sheet.Intro, About: old.Sheet.About}
	return newsletter.DraftRecord{Sheet: old.Sheet, Items: old.Items}, err
}

// recordDraft records a new draft: staff's own, or that of a slot, which they are to approve.
func (d *Desk) recordDraft(ctx context.Context, draft *Draft, due newsletter.Due, record newsletter.DraftRecord) (int64, error) {
	now := d.now()
	if due.At.IsZero() {
		return d.o.Press.Store.CreateDraft(ctx, draft.Edition, record, d.o.Actor, now)
	}
	return d.o.Press.Store.CreateSlotDraft(ctx, draft.Edition, record, draft.Newsletter.Approval.DeadlineOf(due, now), d.o.Actor, now)
}

func checkAnnouncement(o DraftOptions) error {
	switch {
	case !o.Announcement:
		return nil
	case o.Build.Words.Subject == "":
		return newsletter.Invalidf("subject", "an announcement needs one: there is no headline to take it from")
	case o.Note == "":
		return newsletter.Invalidf("body", "an announcement needs a text")
	}
	return nil
}

// OpenDraft builds a recorded draft as it would be sent now: with its own articles and texts, for
// the readers that they are owed to. It is what Build returns of an edition that is not recorded,
// and refuses as Build does. It is a Conflict with the reason not_draft if the edition is frozen.
func (d *Desk) OpenDraft(ctx context.Context, id int64) (*Draft, error) {
	return d.OpenDraftFor(ctx, id, FreezeOptions{})
}

// FreezeOptions say when a draft is sent.
type FreezeOptions struct {
	At    time.Time // planning and sending begin then; zero: at once
	Extra bool      // leave the day's slot to the schedule
	// Canary is who gets it first; nil: as the newsletter has it.
	Canary *newsletter.Canary
}

// OpenDraftFor is OpenDraft as it would be frozen with the options.
func (d *Desk) OpenDraftFor(ctx context.Context, id int64, o FreezeOptions) (*Draft, error) {
	record, err := d.o.Press.Store.DraftRecord(ctx, id)
	if err != nil {
		return nil, err
	}
	return d.buildDraft(ctx, record, o)
}

// buildDraft builds the edition of a record, be it kept or about to be.
func (d *Desk) buildDraft(ctx context.Context, record newsletter.DraftRecord, o FreezeOptions) (*Draft, error) {
	e, err := d.o.Press.Store.Edition(ctx, record.EditionID)
	if err != nil {
		return nil, err
	}
	n, err := d.Newsletter(ctx, e.Newsletter)
	if err != nil {
		return nil, err
	}
	build := BuildOptions{
		Newsletter: n.Slug, Cadence: e.Cadence, Slot: e.Audience(), OnDoubt: e.OnDoubt, WarmUp: e.WarmUp, At: o.At, Extra: o.Extra, draft: &record,
		Words: digest.Words{Subject: record.Sheet.Subject, Preheader: record.Sheet.Preheader, Intro: record.Sheet.Intro, About: record.Sheet.About},
	}
	if !e.WasDraft() { // it has a slot
		build.Due = newsletter.Due{Date: e.Date, At: e.DueAt}
	}
	if build.Slot != newsletter.AllSlots { // it may have been dropped since the draft was made
		build.Slot = n.SlotOf(e.Cadence, build.Slot)
	}
	build.Extra = o.Extra || build.Slot == newsletter.AllSlots
	draft := &Draft{Newsletter: n, manual: true, extra: build.Extra, record: &record}
	draft.giveCanary(o.Canary, e.Cadence)
	if draft.Edition, err = d.newEdition(n, build); err != nil {
		return nil, err
	}
	if !e.WasDraft() {
		draft.Edition.Date, draft.Edition.DueAt, draft.Edition.Slot = e.Date, e.DueAt, e.Slot
	}
	draft.Edition.ID, draft.Edition.CreatedAt = e.ID, e.CreatedAt
	if err = d.fill(ctx, draft, build); err == nil {
		err = draft.giveTime()
	}
	return draft, err
}

// Freeze fixes a draft and gives it its slot: at once, or with a time that lies ahead, when it is
// planned and sent. Until then it can be cancelled. It refuses as OpenDraft and Start do.
func (d *Desk) Freeze(ctx context.Context, id int64, o FreezeOptions, progress func(rows int)) (newsletter.Edition, error) {
	draft, err := d.OpenDraftFor(ctx, id, o)
	if err != nil {
		return newsletter.Edition{}, err
	}
	return d.Start(ctx, draft, progress)
}

// SendTime reads when an edition of the newsletter is to be sent, by the newsletter's clocks:
// "07:00", or "2026-11-25T07:00".
func (d *Desk) SendTime(ctx context.Context, slug, text string) (time.Time, error) {
	n, err := d.Newsletter(ctx, slug)
	if err != nil {
		return time.Time{}, err
	}
	zone, err := n.Location()
	if err != nil {
		return time.Time{}, err
	}
	return newsletter.ParseAt(text, d.now(), zone)
}

// Sheet returns what is kept of a draft; see OpenDraft for the errors.
func (d *Desk) Sheet(ctx context.Context, id int64) (newsletter.DraftRecord, error) {
	return d.o.Press.Store.DraftRecord(ctx, id)
}
