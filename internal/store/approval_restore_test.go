package store_test

import (
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// What staff decided about a slot's draft after the backup holds: nothing is sent twice, and
// nobody is asked again about what expired. What they had not decided they still can.
func TestRestore_DraftsThatWaitForApproval(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		known    bool // the backup has the draft
		approved bool // after the backup; otherwise it expires, or
		early    bool // its time is not over
		state    newsletter.EditionState
		sent     int
	}{
		{"approved and sent, the backup has it", true, true, false, newsletter.EditionSent, 0},
		{"approved and sent, the backup does not", false, true, false, newsletter.EditionSent, 0},
		{"expired, the backup has it", true, false, false, newsletter.EditionSkipped, 0},
		{"expired, the backup does not", false, false, false, newsletter.EditionSkipped, 0},
		{"not decided", true, false, true, newsletter.EditionDraft, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLost(t, newsroomtest.Options{}, 4)
			manual := "manual"
			_, err := l.Desk.EditNewsletter(t.Context(), "daily-news", desk.NewsletterEdit{Approval: &manual})
			l.must(err)
			l.Feed.Publish("Harbour opens a second gate", l.Clock.Now())
			if !tt.known {
				l.back()
			}
			l.must(l.Desk.RunSlots(t.Context(), newsletter.GraceTime))
			if tt.known {
				l.back()
			}
			_, err = l.Desk.SkipDate(t.Context(), "daily-news", newsletter.Date{Year: 2026, Month: 11, Day: 24}, "") // the journal has something
			l.must(err)
			if tt.approved {
				_, err := l.Desk.Approve(t.Context(), 1, nil, false)
				l.must(err)
			}
			if !tt.early {
				l.Clock.Add(time.Hour + time.Second)
				l.must(l.Desk.RunSlots(t.Context(), newsletter.GraceTime))
			}
			if tt.approved {
				l.must(l.Desk.FinishPlanning(t.Context(), nil))
				l.must(l.Desk.Carry(t.Context(), 1, time.Minute, nil))
			}
			r, _ := l.restore(nil)
			confirm(t, r)
			l.must(r.Desk.RunSlots(t.Context(), newsletter.GraceTime))
			e, err := r.Store.Edition(t.Context(), 1)
			if err != nil || e.State != tt.state || e.Slot != newsletter.MainSlot {
				t.Fatalf("it is %+v (%v)", e, err)
			}
			if waits, err := r.Store.WaitingApprovals(t.Context()); err != nil || (len(waits) == 1) != tt.early {
				t.Errorf("%d wait to be approved (%v)", len(waits), err)
			}
			if tt.early {
				_, err := r.Desk.Approve(t.Context(), 1, nil, false)
				l.must(err)
				r.Clock.Add(time.Hour)
				l.must(r.Desk.Carry(t.Context(), 1, time.Minute, nil))
			}
			if n := len(r.SMTP.Messages()); n != tt.sent {
				t.Errorf("%d are sent after the restore, want %d", n, tt.sent)
			}
		})
	}
}
