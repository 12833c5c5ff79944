package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
)

// OpenSheet returns the draft's sheet with what it takes to write and read it as a text. See
// OpenDraft for the errors.
func (d *Desk) OpenSheet(ctx context.Context, id int64) (newsletter.SheetText, error) {
	record, err := d.o.Press.Store.DraftRecord(ctx, id)
	if err != nil {
		return newsletter.SheetText{}, err
	}
	e, eligible, err := d.eligibleFor(ctx, id)
	if err != nil {
		return newsletter.SheetText{}, err
	}
	t := newsletter.SheetText{Record: record, Headlines: map[int64]string{}}
	t.Title = fmt.Sprintf("Edition %d of %s, %s", id, e.Newsletter, e.Cadence)
	if record.Sheet.Announcement {
		t.Title += ", an announcement to all its readers"
		return t, nil
	}
	wanted := record.Sheet.Articles()
	for _, c := range eligible {
		t.Headlines[c.ID] = c.Headline
		if !slices.Contains(wanted, c.ID) {
			t.LeftOut = append(t.LeftOut, c.ID)
		}
	}
	for _, article := range wanted {
		t.Headlines[article] = record.Items[article].Headline
	}
	return t, nil
}

// ShowSheet is OpenSheet of an edition in any state: one that is no draft any more has the sheet that
// it was frozen with.
func (d *Desk) ShowSheet(ctx context.Context, id int64) (newsletter.SheetText, error) {
	t, err := d.OpenSheet(ctx, id)
	if newsletter.ReasonOf(err) != "not_draft" {
		return t, err
	}
	e, err := d.o.Press.Store.Edition(ctx, id)
	if err != nil {
		return t, err
	}
	record, err := d.o.Press.Store.SheetOf(ctx, id)
	if err != nil {
		return t, err
	}
	t = newsletter.SheetText{Record: record, Headlines: map[int64]string{}}
	t.Title = fmt.Sprintf("Edition %d of %s, %s: it is %s, and cannot be changed any more", id, e.Newsletter, e.Cadence, e.State)
	for article, item := range record.Items {
		t.Headlines[article] = item.Headline
	}
	return t, nil
}

// eligibleFor returns the draft's edition and the articles that it can have, in order.
func (d *Desk) eligibleFor(ctx context.Context, id int64) (newsletter.Edition, []newsletter.Candidate, error) {
	e, err := d.o.Press.Store.Edition(ctx, id)
	if err != nil {
		return e, nil, err
	}
	now := d.now()
	list, err := d.o.Press.Store.Candidates(ctx, e.NewsletterID, now.Add(-newsletter.MaxLookBack))
	if err != nil {
		return e, nil, err
	}
	newsletter.Arrange(list)
	return e, slices.DeleteFunc(list, func(c newsletter.Candidate) bool { return newsletter.Eligible(c, now) != newsletter.Taken }), nil
}

// ReadSheet reads a sheet's text as staff wrote it, and returns what in it cannot be.
func ReadSheet(t newsletter.SheetText, text string) (newsletter.ParsedSheet, []newsletter.SheetMistake) {
	p, mistakes := newsletter.ParseSheet(text, t.Headlines)
	p.Sheet.Announcement = t.Record.Sheet.Announcement
	p.Sheet.Until = t.Record.Sheet.Until
	p.Sheet.Dropped = slices.DeleteFunc(slices.Clone(t.Record.Sheet.Dropped), func(d newsletter.DroppedArticle) bool {
		return slices.Contains(p.Sheet.Articles(), d.Block.Article)
	})
	check := func(text string, line int) {
		if m, wrong := markdownMistake(text, line); wrong {
			mistakes = append(mistakes, m)
		}
	}
	check(p.Sheet.Intro, p.Intro)
	for i, b := range p.Sheet.Blocks {
		check(b.Text, p.Texts[i])
	}
	slices.SortStableFunc(mistakes, func(a, b newsletter.SheetMistake) int { return a.Line - b.Line })
	return p, mistakes
}

// markdownMistake says what in a text that begins at a line cannot be mailed.
func markdownMistake(text string, line int) (newsletter.SheetMistake, bool) {
	err := digest.CheckMarkdown("text", text)
	if err == nil {
		return newsletter.SheetMistake{}, false
	}
	message, within := err.Error(), 1
	var rest string
	if n, scanned := fmt.Sscanf(message, "text: line %d:", &within); n == 1 && scanned == nil {
		rest = message[len(fmt.Sprintf("text: line %d: ", within)):]
	} else {
		rest = message
	}
	return newsletter.SheetMistake{Line: max(1, line+within-1), Message: rest}, true
}

// SaveSheet makes the sheet that of the draft, and returns the draft as it is then. revision is
// the one that the sheet was made from: if somebody changed the draft meanwhile it is a Conflict
// with the reason changed. A sheet that cannot be built is an error, and not kept; one of which
// nothing is owed to anybody any more is kept, with a warning.
func (d *Desk) SaveSheet(ctx context.Context, id int64, revision int, s newsletter.Sheet) (*Draft, error) {
	record, err := d.o.Press.Store.DraftRecord(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(newsletter.CheckOwnSubject(s.Subject), newsletter.CheckOwnPreheader(s.Preheader)); err != nil {
		return nil, err
	}
	if s.Announcement && len(s.Articles()) > 0 {
		return nil, newsletter.Invalidf("article", "an announcement has no articles")
	}
	_, eligible, err := d.eligibleFor(ctx, id)
	if err != nil {
		return nil, err
	}
	was := record
	record.Sheet, record.Revision = s, revision
	record = record.With(slices.DeleteFunc(eligible, func(c newsletter.Candidate) bool {
		_, taken := record.Items[c.ID]
		return taken
	}))
	return d.saveDraft(ctx, record, "draft changed", sheetChanges(was, record))
}

// sheetChanges says for the record what is different in a draft's sheet.
func sheetChanges(was, now newsletter.DraftRecord) string {
	old, sheet := was.Sheet, now.Sheet
	var changes []string
	note := func(differs bool, format string, args ...any) {
		if differs {
			changes = append(changes, fmt.Sprintf(format, args...))
		}
	}
	note(old.Subject != sheet.Subject && sheet.Subject == "", "no subject of its own")
	note(old.Subject != sheet.Subject && sheet.Subject != "", "subject “%s”", sheet.Subject)
	note(old.Preheader != sheet.Preheader, "preheader “%s”", sheet.Preheader)
	note(old.Intro != sheet.Intro, "intro")
	note(!slices.Equal(old.About, sheet.About), "what the subject is about")
	before, after := old.Articles(), sheet.Articles()
	for _, id := range before {
		note(!slices.Contains(after, id), "article %d dropped (“%s”)", id, was.Items[id].Headline)
	}
	for _, id := range after {
		note(!slices.Contains(before, id), "article %d put in (“%s”)", id, now.Items[id].Headline)
	}
	kept := func(list, other []int64) []int64 {
		return slices.DeleteFunc(slices.Clone(list), func(id int64) bool { return !slices.Contains(other, id) })
	}
	note(!slices.Equal(kept(before, after), kept(after, before)), "another order")
	written := func(s newsletter.Sheet) []newsletter.SheetBlock {
		list := slices.DeleteFunc(slices.Clone(s.Blocks), func(b newsletter.SheetBlock) bool { return b.Kind == newsletter.SheetArticle && b.Headline == "" })
		slices.SortFunc(list, func(a, b newsletter.SheetBlock) int {
			return cmp.Or(strings.Compare(a.Kind, b.Kind), cmp.Compare(a.Article, b.Article), strings.Compare(a.ID, b.ID))
		})
		return list
	}
	note(!slices.Equal(written(old), written(sheet)), "headlines, notes or sponsors")
	if len(changes) == 0 {
		return "nothing is different"
	}
	return strings.Join(changes, ", ")
}

// saveDraft keeps a record that can be built, and returns the draft.
func (d *Desk) saveDraft(ctx context.Context, record newsletter.DraftRecord, action, detail string) (*Draft, error) {
	draft, err := d.buildDraft(ctx, record, FreezeOptions{})
	switch {
	case newsletter.ReasonOf(err) == newsletter.SkippedNothingNew && draft != nil:
		draft.Warnings = append(draft.Warnings, err.Error())
		draft.Edition.Subject = record.Sheet.Subject
	case err != nil:
		return nil, err
	}
	if err := d.o.Press.Store.SaveDraft(ctx, record, draft.Edition.Subject, action, d.where(detail), d.o.Actor, d.now()); err != nil {
		return nil, err
	}
	draft.record.Revision++
	return draft, nil
}
