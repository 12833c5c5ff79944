package readers_test

import (
	"sync"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

func TestLeave_TakesEffectAtOnceAndIsIdempotent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sub := w.join("vera@example.org", "daily-news", "weekly")
	token := w.unsubscribeToken(sub, w.daily, 42)
	l, err := w.Leaving(t.Context(), token)
	if err != nil || l.Masked != "v…@example.org" || l.Newsletter.Slug != "daily-news" || l.State != newsletter.Active || l.CanUndo {
		t.Fatalf("%+v, %v", l, err)
	}
	for range 2 {
		l, err = w.Leave(t.Context(), token, newsletter.Origin{Channel: "one_click", IP: "192.0.2.5"})
		if err != nil || l.State != newsletter.Left || !l.CanUndo {
			t.Fatalf("%+v, %v", l, err)
		}
	}
	if got := w.states("vera@example.org"); got != "daily-news:left weekly:active" {
		t.Error(got)
	}
	_, events, err := w.Subscriber(t.Context(), "vera@example.org")
	if err != nil {
		t.Fatal(err)
	}
	last := events[len(events)-1]
	if len(events) != 5 || last.Kind != newsletter.EventLeft || last.EditionID != 42 || last.Channel != "one_click" || last.IP != "192.0.2.5" {
		t.Errorf("%d events, the last %+v", len(events), last)
	}
	if l.UnsubscribeToken != token {
		t.Error("the page's token is not that of the link")
	}
	if _, err := w.Manage(t.Context(), l.ManageToken); err != nil {
		t.Error(err)
	}
}

func TestUndoLeave_OnlyBySameLinkWithinADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.join("a@example.org").Subscriptions[0]
	token := w.leave("a@example.org")
	_, err := w.UndoLeave(t.Context(), w.unsubscribeToken(w.subscriber("a@example.org"), w.daily, 4), newsletter.Origin{})
	wantKind(t, err, newsletter.Forbidden, "too_late") // another edition's link
	w.wait(24 * time.Hour)
	for range 2 {
		l, err := w.UndoLeave(t.Context(), token, newsletter.Origin{Channel: "link"})
		if err != nil || l.State != newsletter.Active {
			t.Fatalf("%+v, %v", l, err)
		}
	}
	if got := w.subscriber("a@example.org").Subscriptions[0]; got != before {
		t.Errorf("after undoing %+v, before leaving %+v", got, before)
	}
	if got := w.history("a@example.org"); got != "requested confirmed left undone" {
		t.Error(got)
	}
	w.leave("a@example.org")
	w.wait(24*time.Hour + time.Millisecond)
	_, err = w.UndoLeave(t.Context(), token, newsletter.Origin{})
	wantKind(t, err, newsletter.Forbidden, "too_late")
}

func TestUndoLeave_NotAfterStaffRemovedTheReader(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("a@example.org")
	token := w.leave("a@example.org")
	if _, err := w.UndoLeave(t.Context(), token, newsletter.Origin{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Remove(t.Context(), "a@example.org", "", newsletter.Origin{Actor: "eva"}); err != nil {
		t.Fatal(err)
	}
	_, err := w.UndoLeave(t.Context(), token, newsletter.Origin{})
	wantKind(t, err, newsletter.Forbidden, "too_late")
}

func TestUndoLeave_OfAnUnconfirmedSubscriptionConfirmsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signUp("a@example.org")
	token := w.leave("a@example.org")
	if _, err := w.UndoLeave(t.Context(), token, newsletter.Origin{}); err != nil {
		t.Fatal(err)
	}
	if got := w.states("a@example.org"); got != "daily-news:pending" {
		t.Error(got)
	}
}

func TestManage_ChangesAtTheSameTimeLoseNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.section(w.daily, "AI", "ai")
	_, err := w.store.ChangeNewsletter(t.Context(), "daily-news", "edit", "test", w.now, func(n *newsletter.Newsletter) (string, error) {
		n.Schedules = append(n.Schedules, newsletter.Schedule{Cadence: newsletter.Weekly, Slot: newsletter.MainSlot, SetAt: w.now})
		return "weekly", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sub := w.join("a@example.org")
	token := w.keys.Sign(newsletter.PurposeManage, newsletter.Link{SubscriberID: sub.ID, NewsletterID: w.daily.ID})
	for i := range 30 {
		cadence, sections := []string{"weekly", "daily"}[i%2], [][]string{{"ai"}, nil}[i%2]
		var wg sync.WaitGroup
		for _, c := range []readers.Change{
			{Newsletter: "daily-news", Cadence: cadence, Sections: sections},
			{Newsletter: "daily-news", Sections: sections},
		} {
			wg.Go(func() {
				if _, err := w.ChangeSubscription(t.Context(), token, c, newsletter.Origin{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := w.subscriber("a@example.org").Subscriptions[0].Cadence; string(got) != cadence {
			t.Fatalf("round %d: %s, want %s", i, got, cadence)
		}
	}
}

func TestManage_ShowsAndChangesTheChoice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ai := w.section(w.daily, "AI", "ai")
	w.section(w.daily, "Retail", "retail")
	sub := w.join("a@example.org", "daily-news", "weekly")
	token := w.keys.Sign(newsletter.PurposeManage, newsletter.Link{SubscriberID: sub.ID, NewsletterID: w.daily.ID, EditionID: 7})
	m, err := w.Manage(t.Context(), token)
	if err != nil || len(m.Subscriptions) != 2 || len(m.Subscriptions[0].Sections) != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	if next := m.Subscriptions[1]; next.ByHand || next.Next.Date.String() != "2026-11-27" || next.Zone != "Europe/London" {
		t.Errorf("next weekly edition %+v", next.Next)
	}
	change := func(c readers.Change) (readers.Managed, error) {
		return w.ChangeSubscription(t.Context(), token, c, newsletter.Origin{Channel: "link"})
	}
	m, err = change(readers.Change{Newsletter: "daily-news", Sections: []string{"ai"}})
	if err != nil || m.Subscriptions[0].Subscription.Sections != newsletter.Mask(0).With(ai) {
		t.Fatalf("%+v, %v", m, err)
	}
	_, events, err := w.Subscriber(t.Context(), "a@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if last := events[len(events)-1]; last.Kind != newsletter.EventChanged || last.Note != "sections: ai, were all" || last.EditionID != 7 {
		t.Errorf("%+v", last)
	}
	// The same choice again is no event; none is everything.
	if _, err = change(readers.Change{Newsletter: "daily-news", Cadence: "daily", Sections: []string{"ai"}}); err != nil {
		t.Fatal(err)
	}
	if n := w.count(`SELECT COUNT(*) FROM subscription_events`); n != len(events) {
		t.Errorf("%d events, want %d", n, len(events))
	}
	m, err = change(readers.Change{Newsletter: "daily-news", Sections: nil})
	if err != nil || m.Subscriptions[0].Subscription.Sections != 0 {
		t.Errorf("%+v, %v", m, err)
	}
	for _, c := range []readers.Change{{Newsletter: "nope"}, {Newsletter: "daily-news", Cadence: "weekly"}, {Newsletter: "daily-news", Sections: []string{"x"}}} {
		_, err := change(c)
		wantKind(t, err, newsletter.Invalid, "")
	}
	// What was left is shown only for the link's own newsletter, and cannot be changed.
	w.leave("a@example.org")
	if m, err = w.Manage(t.Context(), token); err != nil || len(m.Subscriptions) != 2 {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err = w.Manage(t.Context(), w.keys.Sign(newsletter.PurposeManage, newsletter.Link{SubscriberID: sub.ID, NewsletterID: w.week.ID})); err != nil || len(m.Subscriptions) != 1 {
		t.Errorf("%+v, %v", m, err)
	}
	_, err = change(readers.Change{Newsletter: "daily-news"})
	wantKind(t, err, newsletter.Conflict, "")
	l, err := w.Leave(t.Context(), m.Subscriptions[0].UnsubscribeToken, newsletter.Origin{})
	if err != nil || l.Newsletter.Slug != "weekly" {
		t.Errorf("leaving from the manage page: %+v, %v", l, err)
	}
}

func TestManage_NewsletterThatPausesForetellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sub := w.join("a@example.org")
	w.exec(`UPDATE newsletters SET status = 'paused'`)
	m, err := w.Manage(t.Context(), w.keys.Sign(newsletter.PurposeManage, newsletter.Link{SubscriberID: sub.ID, NewsletterID: w.daily.ID}))
	if err != nil || !m.Subscriptions[0].ByHand {
		t.Errorf("%+v, %v", m, err)
	}
}
