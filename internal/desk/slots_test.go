package desk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// morningAndEvening makes a newsletter with two daily slots, and a reader of each.
func morningAndEvening(t *testing.T) (r *newsroomtest.Newsroom, n newsletter.Newsletter, morning, evening int64) {
	t.Helper()
	r = newsroomtest.New(t, newsroomtest.Options{})
	r.Newsletter("daily-news", nil)
	n, err := r.Desk.EditNewsletter(t.Context(), "daily-news", desk.NewsletterEdit{
		Slots: []desk.SlotEdit{desk.ParseSlotEdit(newsletter.Daily, "evening=mon-fri 18:00")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, n, r.Reader(n, "morning@example.org", newsletter.Daily, 0), r.SlotReader(n, "evening@example.org", "evening")
}

// got returns who has a row with articles in each edition, the oldest edition first.
func got(t *testing.T, r *newsroomtest.Newsroom) []string {
	t.Helper()
	var list []string
	editions, err := r.Desk.Editions(t.Context(), "daily-news", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range slices.Backward(editions) {
		if e.State == newsletter.EditionSkipped {
			continue
		}
		line := e.Date.String()[8:] + " " + e.Slot
		err := r.Store.EachDelivery(t.Context(), newsletter.DeliveryFilter{EditionID: e.ID}, func(d newsletter.Delivery) error {
			if d.VariantID == 0 {
				return nil
			}
			v, err := r.Store.StoredVariant(t.Context(), d.VariantID)
			if err != nil {
				return err
			}
			name, _, _ := strings.Cut(d.Email, "@")
			line += " " + name
			for range v.Articles {
				line += "+"
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, line)
	}
	return list
}

// TestSlots_ReadersAreCountedBySlot: what staff are told before they send is of the readers of
// the edition's slot.
func TestSlots_ReadersAreCountedBySlot(t *testing.T) {
	t.Parallel()
	r, n, morning, _ := morningAndEvening(t)
	r.Feed.Publish("Harbour opens", at(20, 5, 0), "harbour")
	r.Reader(n, "other@example.com", newsletter.Daily, 0)
	r.Exec(`UPDATE subscriptions SET slot = 'gone', sections = 1 WHERE subscriber_id = $1`, morning) // such a slot is not offered any more
	section, err := r.Desk.AddSection(t.Context(), n.Slug, "Harbour", []string{"harbour"})
	if err != nil {
		t.Fatal(err)
	}
	for slot, want := range map[string]string{
		"main": "[{example.com 1} {example.org 1}] daily 2, daily/evening 1; of all daily readers: every section 1, Harbour 1", "evening": "[{example.org 1}] daily 2, daily/evening 1",
		"all": "[{example.org 2} {example.com 1}] daily 2, daily/evening 1; of all daily/all readers: every section 2, Harbour 1",
	} {
		draft, err := r.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: n.Slug, Slot: slot})
		if err != nil {
			t.Fatal(err)
		}
		f, err := r.Desk.Forecast(t.Context(), draft, 0)
		if err != nil {
			t.Fatal(err)
		}
		groups, err := r.Store.ReaderGroups(t.Context(), n.ID, r.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		a := desk.Approving{Newsletter: n, Edition: draft.Edition, Draft: draft, Groups: groups, Sections: []newsletter.Section{section}}
		var words []string
		for _, fact := range a.Facts() {
			if fact.Name == "Readers by cadence" || fact.Name == "By section" {
				words = append(words, fact.Value)
			}
		}
		if got := fmt.Sprint(f.Domains, " ", strings.Join(words, "; ")); got != want {
			t.Errorf("%s: %s, want %s", slot, got, want)
		}
	}
}

func TestSlots_EachReaderGetsTheSlotThatTheyChose(t *testing.T) {
	t.Parallel()
	r, n, _, evening := morningAndEvening(t)
	r.Feed.Publish("Harbour opens", at(20, 5, 0))
	tick(t, r, at(20, 7, 0))
	r.Feed.Publish("Bridge closes", at(20, 12, 0))
	tick(t, r, at(20, 18, 0))
	same(t, got(t, r), "20 main morning+", "20 evening evening++")
	// Who changes the slot misses nothing, and gets nothing again.
	link := newsletter.Link{SubscriberID: evening, NewsletterID: n.ID}
	err := r.Store.ChangeSubscription(t.Context(), link, n.ID, newsletter.Origin{Channel: "link"}, r.Clock.Now(),
		func(u newsletter.Subscription) (newsletter.SignUpChoice, string, error) {
			return newsletter.SignUpChoice{NewsletterID: n.ID, Cadence: u.Cadence, Slot: newsletter.MainSlot}, "slot: main", nil
		})
	if err != nil {
		t.Fatal(err)
	}
	r.Feed.Publish("Market falls", at(23, 5, 0))
	tick(t, r, at(23, 7, 0))
	tick(t, r, at(23, 18, 0))
	same(t, got(t, r), "20 main morning+", "20 evening evening++", "23 main morning++ evening+")
	same(t, slots(t, r, n.Slug)[3:], "2026-11-23 evening skipped no_readers")
}

// A first digest is a whole one: what the edition of another slot had does not count.
func TestSlots_WhoJoinsIsOwedWhatCameSinceTheLastEditionOfTheirSlot(t *testing.T) {
	t.Parallel()
	r, n, _, _ := morningAndEvening(t)
	r.Feed.Publish("Harbour opens", at(20, 5, 0))
	tick(t, r, at(20, 7, 0))
	r.Clock.Add(time.Hour)
	r.SlotReader(n, "late@example.org", "evening")
	tick(t, r, at(20, 18, 0))
	same(t, got(t, r), "20 main morning+", "20 evening evening+ late+")
}

func TestSlots_ASendByHandSaysWhichOneItIs(t *testing.T) {
	t.Parallel()
	r, n, _, _ := morningAndEvening(t)
	r.Feed.Publish("Harbour opens", at(20, 5, 0))
	_, err := r.Build(n.Slug)
	if newsletter.KindOf(err) != newsletter.Invalid || !strings.Contains(err.Error(), "say which by --slot: main (mon-fri 07:00), evening (mon-fri 18:00)") {
		t.Errorf("without a slot: %v", err)
	}
	send := func(o desk.BuildOptions) {
		t.Helper()
		o.Newsletter = n.Slug
		draft, err := r.Desk.Build(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Desk.Start(t.Context(), draft, nil); err != nil {
			t.Fatal(err)
		}
	}
	send(desk.BuildOptions{Slot: "evening"})
	r.Feed.Publish("Bridge closes", at(20, 6, 1))
	send(desk.BuildOptions{Slot: newsletter.AllSlots})
	r.Feed.Publish("Market falls", at(20, 6, 2))
	tick(t, r, at(20, 7, 0))
	tick(t, r, at(20, 18, 0))
	same(t, got(t, r), "20 evening evening+", "20 extra-1 morning++ evening+", "20 main morning+")
}

func TestSlots_OfOneThatIsDroppedReadersHaveTheMainOne(t *testing.T) {
	t.Parallel()
	r, n, _, evening := morningAndEvening(t)
	if readers, err := r.Desk.DroppedReaders(t.Context(), n.Slug, []string{"daily/evening"}); readers != 1 || err != nil {
		t.Errorf("it would be dropped for %d, %v", readers, err)
	}
	if _, err := r.Desk.EditNewsletter(t.Context(), n.Slug, desk.NewsletterEdit{Drop: []string{"daily/evening"}}); err != nil {
		t.Fatal(err)
	}
	events, err := r.Store.Events(t.Context(), evening)
	if err != nil || events[len(events)-1].Note != "slot: main, was evening, which is not offered any more" {
		t.Errorf("the history ends with %+v, %v", events[len(events)-1], err)
	}
	// If that was cut off, they have it all the same.
	r.Exec(`UPDATE subscriptions SET slot = 'evening' WHERE subscriber_id = $1`, evening)
	r.Feed.Publish("Harbour opens", at(20, 5, 0))
	tick(t, r, at(20, 7, 0))
	same(t, got(t, r), "20 main morning+ evening+")
	// And a new slot of that name is nobody's yet.
	if _, err := r.Desk.EditNewsletter(t.Context(), n.Slug, desk.NewsletterEdit{Slots: []desk.SlotEdit{{Cadence: newsletter.Daily, Slot: "evening", Rule: "daily 20:00"}}}); err != nil {
		t.Fatal(err)
	}
	if readers, err := r.Store.SlotReaders(t.Context(), n.ID, newsletter.Daily, "evening"); readers != 0 || err != nil {
		t.Errorf("a new slot has %d readers, %v", readers, err)
	}
}

func TestSlots_WhatCannotBeIsSaid(t *testing.T) {
	t.Parallel()
	r, n, _, _ := morningAndEvening(t)
	for _, test := range []struct {
		edit desk.NewsletterEdit
		want string
	}{
		{desk.NewsletterEdit{Slots: []desk.SlotEdit{desk.ParseSlotEdit(newsletter.Daily, "extra-1=daily 08:00")}}, "the word has a meaning already"},
		{desk.NewsletterEdit{Slots: []desk.SlotEdit{desk.ParseSlotEdit(newsletter.Daily, "Late News=daily 08:00")}}, "cannot name a slot"},
		{desk.NewsletterEdit{Slots: []desk.SlotEdit{desk.ParseSlotEdit(newsletter.Daily, "noon=daily 12")}}, "is not a time of day"},
		{desk.NewsletterEdit{Slots: []desk.SlotEdit{desk.ParseSlotEdit(newsletter.Weekly, "noon=fri 12:00")}}, "the first slot has no name"},
		{desk.NewsletterEdit{Drop: []string{"daily/noon"}}, "has no daily/noon edition"},
	} {
		_, err := r.Desk.EditNewsletter(t.Context(), n.Slug, test.edit)
		e, _ := err.(*newsletter.Error) //nolint:errorlint // for its fields
		if newsletter.KindOf(err) != newsletter.Invalid {
			t.Errorf("%+v: %v", test.edit, err)
			continue
		}
		text := err.Error()
		if e != nil {
			for _, f := range e.Fields {
				text += " " + f.Message
			}
		}
		if !strings.Contains(text, test.want) {
			t.Errorf("%+v: %v, want %q", test.edit, text, test.want)
		}
	}
	if _, err := r.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: n.Slug, Slot: "noon"}); newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("an edition of a slot that there is not: %v", err)
	}
}

// A draft keeps the slot for which it was made, and takes that of the day on which it is sent.
func TestSlots_ADraftTakesItsSlotOfTheDayOnWhichItIsSent(t *testing.T) {
	t.Parallel()
	r, n, _, _ := morningAndEvening(t)
	r.Feed.Publish("Harbour opens", at(20, 5, 0))
	draft, err := r.Desk.CreateDraft(t.Context(), desk.DraftOptions{Build: desk.BuildOptions{Newsletter: n.Slug, Slot: "evening"}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.Desk.Freeze(t.Context(), draft.Edition.ID, desk.FreezeOptions{At: at(23, 17, 0)}, nil)
	if err != nil || e.Slot != "evening" || e.ForSlot != "evening" || e.Date.Day != 23 {
		t.Fatalf("%+v, %v", e, err)
	}
	tick(t, r, at(23, 7, 0))
	r.Clock.Add(at(23, 17, 0).Sub(r.Clock.Now()))
	if err := r.Desk.FinishPlanning(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	tick(t, r, at(23, 18, 0)) // the slot is taken
	same(t, got(t, r), "23 evening evening+", "23 main morning+")
	// One for all readers of the cadence takes no slot.
	draft, err = r.Desk.CreateDraft(t.Context(), desk.DraftOptions{
		Build:        desk.BuildOptions{Newsletter: n.Slug, Slot: newsletter.AllSlots, Words: digest.Words{Subject: "We are moving"}},
		Announcement: true, Note: "On Monday.",
	})
	if err != nil {
		t.Fatal(err)
	}
	if e, err = r.Desk.Freeze(t.Context(), draft.Edition.ID, desk.FreezeOptions{}, nil); err != nil || e.Slot != "extra-1" || e.Planned != 2 {
		t.Errorf("%+v, %v", e, err)
	}
}

// An edition that was frozen days ahead, and of which nobody is owed anything any more when its time
// comes, does not keep the day's own news back.
func TestSlots_OneFrozenAheadForNobodyGivesItsSlotBack(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 2)
	news(t, r, "Harbour opens", at(20, 6, 0))
	draft, err := r.Build(n.Slug)
	if err != nil {
		t.Fatal(err)
	}
	ahead, err := r.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: n.Slug, At: at(24, 7, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Desk.Start(t.Context(), ahead, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Desk.Start(t.Context(), draft, nil); err != nil { // gives the story
		t.Fatal(err)
	}
	news(t, r, "Bridge closes", at(24, 6, 30))
	r.Clock.Add(at(24, 7, 0).Sub(r.Clock.Now()))
	if err := r.Desk.FinishPlanning(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	tick(t, r, at(24, 7, 1))
	all := slots(t, r, n.Slug)
	if !slices.Contains(all, "2026-11-24 extra-1 frozen ") || !slices.Contains(all, "2026-11-24 main frozen ") {
		t.Errorf("%q", all)
	}
	entries, err := r.Desk.EditionLog(t.Context(), 1)
	if last := entries[len(entries)-1]; err != nil || last.Action != "slot given back" {
		t.Errorf("%+v (%v)", last, err)
	}
}

// What was owed to somebody by the slot that they chose first is owed to them by another one.
func TestSlots_WhoChangesBeforeTheFirstEditionMissesNothing(t *testing.T) {
	t.Parallel()
	r, n, _, _ := morningAndEvening(t)
	r.Feed.Publish("Harbour opens", at(20, 5, 0))
	tick(t, r, at(20, 7, 0))
	r.Clock.Add(time.Hour)
	late := r.SlotReader(n, "late@example.org", "evening") // owed what came since the evening before
	link := newsletter.Link{SubscriberID: late, NewsletterID: n.ID}
	err := r.Store.ChangeSubscription(t.Context(), link, n.ID, newsletter.Origin{Channel: "link"}, r.Clock.Now(),
		func(newsletter.Subscription) (newsletter.SignUpChoice, string, error) {
			return newsletter.SignUpChoice{NewsletterID: n.ID, Cadence: newsletter.Daily}, "main", nil
		})
	if err != nil {
		t.Fatal(err)
	}
	tick(t, r, at(20, 18, 0))
	tick(t, r, at(23, 7, 0))
	same(t, got(t, r), "20 main morning+", "20 evening evening+", "23 main late+")
}

// A rule that is changed just after a slot was due, at the same time of that day, does not cost the
// day its edition. One that is put to a time, or a zone, by which the day's time has passed does, and
// that is said: nothing is sent because a setting was changed.
func TestSlots_ARuleThatIsChangedOnItsDay(t *testing.T) {
	t.Parallel()
	zone, weekdays, earlier, sunday := "Europe/Berlin", "mon-sat 07:00", "mon-fri 06:45", "sun 07:00"
	for name, c := range map[string]struct {
		edit    desk.NewsletterEdit
		at      time.Time
		built   []string
		leftOut int
	}{
		"just after its time, other days":      {desk.NewsletterEdit{Daily: &weekdays}, at(20, 7, 0), []string{"2026-11-20 main frozen ", "2026-11-21 main skipped nothing_new"}, 0},
		"hours after it, beyond the grace":     {desk.NewsletterEdit{Daily: &weekdays}, at(20, 13, 30), []string{"2026-11-21 main frozen "}, 0},
		"before its time, to one that is past": {desk.NewsletterEdit{Daily: &earlier}, at(20, 6, 50), nil, 1},
		"before its time, to another day":      {desk.NewsletterEdit{Daily: &sunday}, at(20, 6, 50), nil, 0},
		"a zone where its time is past":        {desk.NewsletterEdit{Zone: &zone}, at(20, 6, 30), nil, 1},
		"a zone where it is due at once":       {desk.NewsletterEdit{Zone: &zone}, at(20, 5, 59), []string{"2026-11-20 main frozen "}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newsroomtest.New(t, newsroomtest.Options{})
			before := r.Newsletter("daily-news", nil)
			r.Readers(before, 1, 2)
			news(t, r, "Harbour opens", at(20, 5, 30))
			r.Clock.Add(c.at.Sub(r.Clock.Now()))
			n, err := r.Desk.EditNewsletter(t.Context(), "daily-news", c.edit)
			if err != nil {
				t.Fatal(err)
			}
			left, err := r.Desk.LeftOut(t.Context(), before, n)
			if err != nil || len(left) != c.leftOut {
				t.Errorf("left out: %+v, want %d (%v)", left, c.leftOut, err)
			}
			for hour := 1; hour < 26; hour++ {
				tick(t, r, c.at.Add(time.Duration(hour)*time.Hour/2))
			}
			tick(t, r, at(21, 8, 0))
			same(t, slots(t, r, "daily-news"), c.built...)
		})
	}
}
