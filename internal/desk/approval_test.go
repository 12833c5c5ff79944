package desk_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// approved returns a newsroom whose newsletter's editions wait to be approved, with two stories
// and three readers, at 06:00 on a Friday: the draft for 07:00 is made.
func approved(t *testing.T) (*newsroomtest.Newsroom, newsletter.Newsletter) {
	t.Helper()
	r, n := newsroomWith(t, 3)
	manual := "manual"
	if _, err := r.Desk.EditNewsletter(t.Context(), n.Slug, desk.NewsletterEdit{Approval: &manual}); err != nil {
		t.Fatal(err)
	}
	tick(t, r, at(20, 6, 0))
	same(t, slots(t, r, n.Slug), "2026-11-20 main draft ")
	return r, n
}

func approving(t *testing.T, r *newsroomtest.Newsroom, id int64) *desk.Approving {
	t.Helper()
	a, err := r.Desk.Approving(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// logged returns who did what to an edition.
func logged(t *testing.T, r *newsroomtest.Newsroom, id int64) []string {
	t.Helper()
	entries, err := r.Desk.EditionLog(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s: %s %s", e.Actor, e.Action, e.Detail)))
	}
	return list
}

// carried plans and sends what waits, as the service does.
func carried(t *testing.T, r *newsroomtest.Newsroom, id int64, accepted int) {
	t.Helper()
	if err := r.Desk.FinishPlanning(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := r.Desk.Carry(t.Context(), id, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	_, tally := r.Tally(id)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: accepted})
}

func TestApproval_TheDraftIsMadeOnceAheadOfItsSlot(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 3)
	manual := "manual"
	if _, err := r.Desk.EditNewsletter(t.Context(), n.Slug, desk.NewsletterEdit{Approval: &manual}); err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(-time.Minute)
	tick(t, r, r.Clock.Now())
	same(t, slots(t, r, n.Slug))
	r.Clock.Add(time.Minute)
	var wg sync.WaitGroup
	for range 6 { // processes that tick together
		wg.Go(func() {
			if err := r.Desk.RunSlots(t.Context(), newsletter.GraceTime); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	same(t, slots(t, r, n.Slug), "2026-11-20 main draft ")
	a := approving(t, r, 1)
	if a.State != newsletter.ApprovalAsked || !a.Deadline.Equal(at(20, 7, 0)) || !a.SendAt.Equal(at(20, 7, 0)) || len(a.Draft.Snapshot.Articles()) != 2 {
		t.Errorf("it is %+v, sent at %s", a.Approval, a.SendAt)
	}
	if len(a.Groups) != 1 || a.Groups[0].Readers != 3 {
		t.Errorf("readers: %+v", a.Groups)
	}
	mails, err := r.Proofs().DueMails(t.Context(), r.Clock.Now(), 10)
	if err != nil || len(mails) != 1 || mails[0].EditionID != 1 {
		t.Errorf("mails: %+v (%v)", mails, err)
	}
	// Staff who send by hand meanwhile get an extra edition, and nobody gets anything twice.
	e, _ := r.Send(n.Slug)
	if e.Slot != "extra-1" {
		t.Errorf("the edition by hand has the slot %s", e.Slot)
	}
	if a := approving(t, r, 1); a.Nothing == "" || a.Preview != nil {
		t.Errorf("something of the draft is owed still: %+v", a)
	}
	if _, err := r.Desk.Approve(t.Context(), 1, nil, false); newsletter.ReasonOf(err) != newsletter.SkippedNothingNew {
		t.Errorf("approved: %v", err)
	}
}

// What was seen is what is sent, at the slot's time; what comes later is for the next edition.
func TestApproval_WhatWasSeenIsSentAtItsTime(t *testing.T) {
	t.Parallel()
	r, n := approved(t)
	a := approving(t, r, 1)
	seen, html := a.Seen(), a.Preview.HTML
	r.Clock.Add(20 * time.Minute)
	r.Feed.Publish("A third story", r.Clock.Now())
	if _, err := r.Desk.FetchAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := approving(t, r, 1); again.Seen() != seen || again.Preview.HTML != html {
		t.Error("it changes by itself")
	}
	e, err := r.Desk.By("page:Ada", "192.0.2.7").Approve(t.Context(), 1, &seen, false)
	if err != nil || !e.Waits(r.Clock.Now()) || !e.SendAt.Equal(at(20, 7, 0)) || e.Slot != newsletter.MainSlot || e.Hash != seen.Hash {
		t.Fatalf("approved: %+v (%v)", e, err)
	}
	tick(t, r, at(20, 6, 59))
	if err := r.Desk.FinishPlanning(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if e, _ := r.Tally(1); !e.PlannedAt.IsZero() {
		t.Error("it is planned before its time")
	}
	tick(t, r, at(20, 7, 0))
	carried(t, r, 1, 3)
	preview, err := r.Desk.Preview(t.Context(), desk.PreviewOptions{Edition: 1})
	if err != nil || preview.HTML != html {
		t.Errorf("what was sent is not what was seen (%v)", err)
	}
	same(t, slots(t, r, n.Slug), "2026-11-20 main sent ")
	got := logged(t, r, 1)
	for _, want := range []string{
		"test: approval asked for until 2026-11-20T07:00:00Z", "page:Ada: edition approved from 192.0.2.7",
		"page:Ada: edition frozen to be sent at 2026-11-20T07:00:00Z, hash " + seen.Hash,
	} {
		if !slices.Contains(got, want) {
			t.Errorf("on record is not %q but\n%s", want, strings.Join(got, "\n"))
		}
	}
	_, tally := r.Send(n.Slug) // the third story
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 3})
}

func TestApproval_WhatChangedMeanwhileIsNotApproved(t *testing.T) {
	t.Parallel()
	r, _ := approved(t)
	refused := func(seen desk.Seen, what string) {
		t.Helper()
		if _, err := r.Desk.Approve(t.Context(), 1, &seen, false); newsletter.ReasonOf(err) != "changed" {
			t.Errorf("%s: approved: %v", what, err)
		}
	}
	a := approving(t, r, 1)
	seen, first := a.Seen(), a.Draft.Snapshot.Articles()
	if _, err := r.Desk.ChangeDraft(t.Context(), 1, seen.Revision, desk.DraftChange{Subject: "All about ferries", Drop: first[:1]}); err != nil {
		t.Fatal(err)
	}
	refused(seen, "another subject")
	if _, err := r.Desk.ChangeDraft(t.Context(), 1, seen.Revision, desk.DraftChange{}); newsletter.ReasonOf(err) != "changed" {
		t.Errorf("changed from what is old: %v", err)
	}
	if _, err := r.Desk.ChangeDraft(t.Context(), 1, seen.Revision+1, desk.DraftChange{Drop: first[:1]}); newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("dropped what is not in it: %v", err)
	}
	if _, err := r.Desk.ChangeDraft(t.Context(), 1, seen.Revision+1, desk.DraftChange{Subject: "ALL IN CAPITALS HERE"}); newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("shouts: %v", err)
	}
	a = approving(t, r, 1)
	seen = a.Seen()
	if a.Preview.Subject != "All about ferries" || len(a.Draft.Snapshot.Articles()) != 1 {
		t.Errorf("it is %q with %d articles", a.Preview.Subject, len(a.Draft.Snapshot.Articles()))
	}
	if dropped := a.Dropped(); len(dropped) != 1 || dropped[0].ID != first[0] {
		t.Errorf("dropped: %+v", dropped)
	}
	if _, err := r.Desk.ChangeDraft(t.Context(), 1, seen.Revision, desk.DraftChange{PutBack: first[1:]}); newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("put back what was not dropped: %v", err)
	}
	draft, err := r.Desk.ChangeDraft(t.Context(), 1, seen.Revision, desk.DraftChange{Subject: "All about ferries", PutBack: first[:1]})
	if err != nil || !slices.Equal(draft.Snapshot.Articles(), first) {
		t.Errorf("put back, it has %v, want %v (%v)", draft.Snapshot.Articles(), first, err)
	}
	entries, err := r.Desk.EditionLog(t.Context(), 1)
	if last := entries[len(entries)-1]; err != nil || !strings.HasPrefix(last.Detail, fmt.Sprintf("article %d put in (“", first[0])) {
		t.Errorf("the record says %+v (%v)", last, err)
	}
	if _, err := r.Desk.ChangeDraft(t.Context(), 1, seen.Revision+1, desk.DraftChange{Subject: "All about ferries", Drop: first[:1]}); err != nil {
		t.Fatal(err)
	}
	seen = approving(t, r, 1).Seen()
	name := "The Daily News"
	if _, err := r.Desk.EditNewsletter(t.Context(), "daily-news", desk.NewsletterEdit{Name: &name}); err != nil {
		t.Fatal(err)
	}
	refused(seen, "another name")
	seen = approving(t, r, 1).Seen()
	if _, err := r.Desk.Approve(t.Context(), 1, &seen, false); err != nil {
		t.Fatal(err)
	}
	tick(t, r, at(20, 7, 0))
	carried(t, r, 1, 3)
	_, tally := r.Send("daily-news") // what was dropped is owed still
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 3})
}

func TestApproval_NotApprovedInTimeIsNotSentAndIsTold(t *testing.T) {
	t.Parallel()
	r, n := approved(t)
	tick(t, r, at(20, 7, 0))
	same(t, slots(t, r, n.Slug), "2026-11-20 main expired not_approved")
	if _, err := r.Desk.Approve(t.Context(), 1, nil, false); newsletter.KindOf(err) != newsletter.Conflict {
		t.Errorf("approved: %v", err)
	}
	status, err := r.Desk.Status(t.Context(), r.Store)
	if err != nil || len(status.Problems) != 1 || status.Problems[0].Kind != newsletter.AlarmNotApproved {
		t.Errorf("problems: %+v (%v)", status.Problems, err)
	}
	if last, err := r.Desk.LastHandled(t.Context(), r.Store); err != nil || !last.IsZero() {
		t.Errorf("it counts as handled: %s (%v)", last, err)
	}
	if err := r.Desk.Tidy(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := r.Desk.Preview(t.Context(), desk.PreviewOptions{Edition: 1}); newsletter.ReasonOf(err) != "no_copy" {
		t.Errorf("preview: %v", err)
	}
	tick(t, r, at(23, 6, 0)) // Monday's has all of it
	same(t, slots(t, r, n.Slug), "2026-11-20 main expired not_approved", "2026-11-23 main draft ")
	if got := approving(t, r, 2).Draft.Snapshot.Articles(); len(got) != 2 {
		t.Errorf("Monday's has %d articles", len(got))
	}
}

func TestApproval_HeldWaitsPastItsDeadlineAndIsSentAtOnceThen(t *testing.T) {
	t.Parallel()
	r, n := approved(t)
	if err := r.Desk.Hold(t.Context(), 1, "a fact is checked"); err != nil {
		t.Fatal(err)
	}
	tick(t, r, at(20, 7, 30))
	same(t, slots(t, r, n.Slug), "2026-11-20 main draft ")
	status, err := r.Desk.Status(t.Context(), r.Store)
	if err != nil || len(status.Approvals) != 1 || len(status.Problems) != 1 || status.Problems[0].Kind != newsletter.AlarmApproval {
		t.Errorf("status: %+v, %+v (%v)", status.Approvals, status.Problems, err)
	}
	if _, err := r.Desk.Approve(t.Context(), 1, nil, false); err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(2 * time.Second)
	carried(t, r, 1, 3)
}

func TestApproval_HeldForTooLongExpires(t *testing.T) {
	t.Parallel()
	r, n := approved(t)
	if err := r.Desk.Hold(t.Context(), 1, ""); err != nil {
		t.Fatal(err)
	}
	tick(t, r, at(21, 7, 0))
	same(t, slots(t, r, n.Slug), "2026-11-20 main expired not_approved")
}

func TestApproval_OneThatIsApprovedCanBeHeld(t *testing.T) {
	t.Parallel()
	r, _ := approved(t)
	if _, err := r.Desk.Approve(t.Context(), 1, nil, false); err != nil {
		t.Fatal(err)
	}
	if err := r.Desk.Hold(t.Context(), 1, ""); err != nil {
		t.Fatal(err)
	}
	tick(t, r, at(20, 7, 10))
	if err := r.Desk.FinishPlanning(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if e, _ := r.Tally(1); e.State != newsletter.EditionPaused || !e.PlannedAt.IsZero() {
		t.Fatalf("it is %s", e.State)
	}
	if _, err := r.Desk.Approve(t.Context(), 1, nil, false); err != nil {
		t.Fatal(err)
	}
	carried(t, r, 1, 3)
	if err := r.Desk.Hold(t.Context(), 1, ""); newsletter.ReasonOf(err) != "not_waiting" {
		t.Errorf("held after it was sent: %v", err)
	}
}

// A draft that is made late, because nothing was new or nobody served, has as much time as ever.
func TestApproval_MadeLateHasAllItsTime(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 3)
	manual, lead, deadline := "manual", "30m", "10m"
	edit := desk.NewsletterEdit{Approval: &manual, ApprovalLead: &lead, ApprovalDeadline: &deadline}
	if _, err := r.Desk.EditNewsletter(t.Context(), n.Slug, edit); err != nil {
		t.Fatal(err)
	}
	tick(t, r, at(20, 8, 0)) // nobody served before
	a := approving(t, r, 1)
	if !a.Deadline.Equal(at(20, 8, 20)) || !a.SendAt.Equal(at(20, 8, 0).Add(time.Second)) {
		t.Errorf("it can be approved until %s, and is sent at %s", a.Deadline, a.SendAt)
	}
	tick(t, r, at(20, 8, 20))
	same(t, slots(t, r, n.Slug), "2026-11-20 main expired not_approved")
	if _, tally := r.Send(n.Slug); tally.Planned != 3 {
		t.Errorf("planned %d", tally.Planned)
	}
	// Nothing is new on Monday: the draft waits for news, and without any the slot is skipped.
	tick(t, r, at(23, 6, 30))
	tick(t, r, at(23, 6, 50))
	tick(t, r, at(23, 7, 0))
	same(t, slots(t, r, n.Slug), "2026-11-20 main expired not_approved", "2026-11-20 extra-1 sent ", "2026-11-23 main skipped nothing_new")
}

func TestApproval_SettingsThatCannotBe(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 1)
	for _, c := range []struct{ field, approval, lead, deadline string }{
		{"approval", "perhaps", "60m", "0m"}, {"approval_lead", "manual", "2m", "0m"}, {"approval_lead", "manual", "soon", "0m"},
		{"approval_lead", "manual", "25h", "0m"}, {"approval_deadline", "manual", "60m", "58m"}, {"approval_deadline", "manual", "60m", "-5m"},
	} {
		_, err := r.Desk.EditNewsletter(t.Context(), n.Slug, desk.NewsletterEdit{Approval: &c.approval, ApprovalLead: &c.lead, ApprovalDeadline: &c.deadline})
		if newsletter.KindOf(err) != newsletter.Invalid || !strings.Contains(err.Error(), c.field) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// The mail that asks is never lost, and does not go out for nothing.
func TestApproval_ItsMailSurvivesACrash(t *testing.T) {
	t.Parallel()
	r, _ := approved(t)
	proofs, ctx := r.Proofs(), t.Context()
	due := func() int {
		t.Helper()
		list, err := proofs.DueMails(ctx, r.Clock.Now(), 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	m, err := proofs.BeginMail(ctx, 1, r.Clock.Now())
	if err != nil || due() != 0 {
		t.Fatalf("begun: %+v (%v), %d due", m, err, due())
	}
	// The process dies here; whoever sends next finds it.
	if n, err := proofs.RecoverMails(ctx, r.Clock.Now()); n != 1 || err != nil || due() != 1 {
		t.Fatalf("recovered %d (%v), %d due", n, err, due())
	}
	mailer := desk.ProofMailer{Desk: r.Desk, To: newsletter.Address{Email: "editors@example.org"},
		From: func(context.Context) (newsletter.Address, error) {
			return newsletter.Address{Name: "Broadsheet", Email: "news@example.org"}, nil
		}}
	_, to, first, err := mailer.Compose(ctx, m)
	if err != nil || to != "editors@example.org" || !strings.Contains(string(first), "3 of the 3 readers") {
		t.Fatalf("to %s: %s (%v)", to, first, err)
	}
	if _, _, again, err := mailer.Compose(ctx, m); err != nil || string(again) != string(first) {
		t.Errorf("composed again it is another mail (%v)", err)
	}
	if _, err := proofs.BeginMail(ctx, 1, r.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if err := proofs.FinishMail(ctx, 1, newsletter.Outcome{State: newsletter.InDoubt}, time.Time{}, r.Clock.Now()); err != nil || due() != 1 {
		t.Fatalf("in doubt: %v, %d due", err, due())
	}
	if _, err := r.Desk.Cancel(ctx, 1, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := proofs.BeginMail(ctx, 1, r.Clock.Now()); newsletter.KindOf(err) != newsletter.Conflict || due() != 0 {
		t.Errorf("a mail about what is cancelled goes out: %v", err)
	}
}

// Asked a day ahead, staff are not shown what the edition has that goes out just then.
func TestApproval_ADayAheadWaitsForTheDaysEdition(t *testing.T) {
	t.Parallel()
	r, n := approved(t)
	lead := "24h"
	if _, err := r.Desk.EditNewsletter(t.Context(), n.Slug, desk.NewsletterEdit{
		ApprovalLead: &lead, Slots: []desk.SlotEdit{desk.ParseSlotEdit(newsletter.Daily, "daily 07:00")},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Desk.Approve(t.Context(), 1, nil, false); err != nil {
		t.Fatal(err)
	}
	r.Feed.Publish("A story of the day", at(20, 6, 30))
	tick(t, r, at(20, 7, 0))
	same(t, slots(t, r, n.Slug), "2026-11-20 main frozen ")
	carried(t, r, 1, 3)
	tick(t, r, at(20, 7, 1))
	same(t, slots(t, r, n.Slug), "2026-11-20 main sent ", "2026-11-21 main draft ")
	if a := approving(t, r, 2); a.Draft == nil || a.Draft.Edition.Articles != 1 {
		t.Errorf("the draft for the next day has %+v", a.Draft)
	}
}
