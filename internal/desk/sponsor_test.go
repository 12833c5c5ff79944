package desk_test

import (
	"strings"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
)

func TestBooking_EntersTheEditionsOfItsDate(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 1)
	today := newsletter.DateOf(r.Clock.Now())
	book := func(sponsor, text string, date newsletter.Date, position int) newsletter.Booking {
		t.Helper()
		b, err := r.Desk.BookSponsor(t.Context(), "daily-news", newsletter.Booking{Sponsor: sponsor, Text: text, Date: date, Position: position}, false)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	book("Leaf Ltd", "Tea for all.", today, 2)
	book("Morrow Ltd", "Another day.", today.AddDays(1), 2)
	late := book("Late Ltd", "", today, 3)
	built, err := r.Build("daily-news")
	if err != nil {
		t.Fatal(err)
	}
	text := built.Sample.Text
	if !strings.Contains(text, "Tea for all.") || strings.Contains(text, "Another day.") || strings.Contains(text, "Late Ltd") {
		t.Errorf("the wrong sponsors:\n%s", text)
	}
	if len(built.Warnings) != 1 || !strings.Contains(built.Warnings[0], "broadsheet sponsor copy 3") {
		t.Errorf("warnings: %q", built.Warnings)
	}
	draft, err := r.Desk.CreateDraft(t.Context(), desk.DraftOptions{Build: desk.BuildOptions{Newsletter: "daily-news"}})
	if err != nil || !strings.Contains(draft.Sample.Text, "Tea for all.") || len(draft.Warnings) != 1 {
		t.Fatalf("the draft warns of %q (%v):\n%s", draft.Warnings, err, draft.Sample.Text)
	}
	r.Clock.Add(time.Minute)
	before := draft.Edition.Hash
	if _, err := r.Desk.SetSponsorCopy(t.Context(), late.ID, newsletter.SheetBlock{Text: "Here we are."}); err != nil {
		t.Fatal(err)
	}
	afresh, err := r.Desk.LookAfresh(t.Context(), draft.Edition.ID)
	if err != nil || afresh.Sponsors != 1 {
		t.Fatalf("it takes in %+v (%v)", afresh, err)
	}
	if draft, err = r.Desk.KeepRefreshed(t.Context(), afresh); err != nil || !strings.Contains(draft.Sample.Text, "Here we are.") {
		t.Fatalf("the refreshed draft (%v):\n%s", err, draft.Sample.Text)
	}
	if draft.Edition.Hash == before {
		t.Error("a sponsor's message is no part of the hash")
	}
}

func TestStatus_TellsOfASponsorWhoseMessageHasNotCome(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 1)
	told := func() bool {
		t.Helper()
		s, err := r.Desk.Status(t.Context(), r.Store)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range s.Problems {
			if p.Kind == newsletter.AlarmSponsor {
				return true
			}
		}
		return false
	}
	date := newsletter.DateOf(r.Clock.Now()).AddDays(3)
	for date.Weekday() == time.Saturday || date.Weekday() == time.Sunday {
		date = date.AddDays(1)
	}
	if _, err := r.Desk.BookSponsor(t.Context(), "daily-news", newsletter.Booking{Sponsor: "Late Ltd", Date: date, Position: 2}, false); err != nil {
		t.Fatal(err)
	}
	if told() {
		t.Error("it is told days ahead")
	}
	due := newsletter.Resolve(date, 7, 0, time.UTC)
	r.Clock.Add(due.Add(-20 * time.Hour).Sub(r.Clock.Now()))
	if !told() {
		t.Error("it is not told the day before")
	}
	if _, err := r.Desk.SetSponsorCopy(t.Context(), 1, newsletter.SheetBlock{Text: "Here."}); err != nil {
		t.Fatal(err)
	}
	if told() {
		t.Error("it is told although the message has come")
	}
}

// A booking is for the day's editions by the schedule; an extra one has it where nobody else will.
func TestBooking_ExtraEditionsHaveWhatNoOtherHas(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 1)
	today := newsletter.DateOf(r.Clock.Now()) // a Friday, an hour before its slot
	booking := newsletter.Booking{Sponsor: "Leaf Ltd", Text: "Tea for all.", Date: today, Position: 2}
	leaf, err := r.Desk.BookSponsor(t.Context(), "daily-news", booking, false)
	if err != nil || leaf.NoEdition {
		t.Fatalf("booked as %+v (%v)", leaf, err)
	}
	booking.Date = today.AddDays(1)
	morrow, err := r.Desk.BookSponsor(t.Context(), "daily-news", booking, false)
	if err != nil || !morrow.NoEdition {
		t.Fatalf("for a Saturday it is booked as %+v (%v)", morrow, err)
	}
	has := func(want bool, warning string, extra bool) {
		t.Helper()
		draft, err := r.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: "daily-news", Extra: extra})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(draft.Sample.Text, "Tea for all."); got != want || !strings.Contains(strings.Join(draft.Warnings, "\n"), warning) {
			t.Errorf("it has the sponsor: %v, and warns of %q, want %q", got, draft.Warnings, warning)
		}
	}
	has(false, "the daily edition will have it", true)
	e, _ := r.Send("daily-news")
	r.Feed.Publish("A story of the afternoon", r.Clock.Now())
	has(false, "edition 1 has it", false)
	if list, err := r.Desk.Bookings(t.Context(), "", newsletter.Date{}); err != nil || len(list) != 2 || len(list[0].Editions) != 1 || list[0].Editions[0] != e.ID {
		t.Errorf("booked is %+v (%v)", list, err)
	}
	draft, err := r.Desk.CreateDraft(t.Context(), desk.DraftOptions{Build: desk.BuildOptions{Newsletter: "daily-news"}})
	if err != nil || strings.Contains(draft.Sample.Text, "Tea for all.") {
		t.Fatalf("the draft has it (%v)", err)
	}
	id := draft.Edition.ID
	tomorrow, err := r.Desk.OpenDraftFor(t.Context(), id, desk.FreezeOptions{At: r.Clock.Now().Add(24 * time.Hour)})
	if err != nil || !strings.Contains(strings.Join(tomorrow.Warnings, "\n"), "is not in the draft; \"broadsheet edition sponsor 2 --booking 2\"") {
		t.Errorf("for tomorrow it warns of %q (%v)", tomorrow.Warnings, err)
	}
	for _, b := range []newsletter.Booking{leaf, morrow} {
		if draft, err = r.Desk.PlaceBooking(t.Context(), id, b.ID); err != nil || !strings.Contains(draft.Sample.Text, "Tea for all.") {
			t.Fatalf("booking %d is not placed (%v)", b.ID, err)
		}
	}
	warned := strings.Join(draft.Warnings, "\n")
	for _, want := range []string{"is in it by booking 1, and it would be an extra edition: edition 1 has it", "has booked 2026-11-21 (booking 2), and this is the edition of 2026-11-20"} {
		if !strings.Contains(warned, want) {
			t.Errorf("it warns of %q, want %q", warned, want)
		}
	}
	if _, err := r.Desk.PlaceBooking(t.Context(), id, leaf.ID); newsletter.ReasonOf(err) != "placed" {
		t.Errorf("placed twice: %v", err)
	}
	if _, err := r.Desk.CancelBooking(t.Context(), morrow.ID); err != nil {
		t.Fatal(err)
	}
	if draft, err = r.Desk.OpenDraft(t.Context(), id); err != nil || !strings.Contains(strings.Join(draft.Warnings, "\n"), "by booking 2, which does not stand any more") {
		t.Errorf("with a booking that was cancelled it warns of %q (%v)", draft.Warnings, err)
	}
	// What was given up had nothing.
	r.Exec(`UPDATE editions SET state = 'cancelled' WHERE id = $1`, e.ID)
	has(true, "", false)
}
