package readers_test

import (
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// twice gives the daily newsletter an evening slot, and a weekly one.
func (w *world) twice() {
	w.t.Helper()
	rule, err := newsletter.ParseRule("mon-fri 18:00")
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = w.store.ChangeNewsletter(w.t.Context(), "daily-news", "edit", "test", w.now, func(n *newsletter.Newsletter) (string, error) {
		n.Schedules = append(n.Schedules,
			newsletter.Schedule{Cadence: newsletter.Daily, Slot: "evening", Rule: rule, SetAt: w.now},
			newsletter.Schedule{Cadence: newsletter.Weekly, Slot: newsletter.MainSlot, SetAt: w.now})
		return "slots", nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// rhythm returns what somebody has of the daily newsletter: "daily/evening".
func (w *world) rhythm(email string) string {
	w.t.Helper()
	u := w.subscriber(email).Subscriptions[0]
	return newsletter.SlotName(u.Cadence, u.Slot)
}

func TestSignUp_TakesTheSlotThatIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.twice()
	for i, c := range []struct{ cadence, slot, want string }{
		{"", "", "daily"}, {"daily", "", "daily"}, {"daily", "evening", "daily/evening"}, {"daily/evening", "", "daily/evening"},
		{"", "evening", "daily/evening"}, {"daily/main", "", "daily"}, {"weekly", "", "weekly"},
	} {
		email := strings.Repeat("a", i+1) + "@example.org"
		_, err := w.SignUp(t.Context(), readers.SignUp{Email: email, Newsletters: []string{"daily-news"}, Cadence: c.cadence, Slot: c.slot, Origin: from("192.0.2.1")})
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		for _, m := range w.deliver() {
			shown, err := w.Confirmation(t.Context(), w.token(m), "en")
			if err != nil || newsletter.SlotName(shown.Choices[0].Cadence, shown.Choices[0].Slot) != c.want {
				t.Errorf("%+v: the page shows %+v, %v", c, shown.Choices, err)
			}
			if _, err := w.Confirm(t.Context(), w.token(m), "en", newsletter.Origin{Channel: "link"}); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.rhythm(email); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	for _, c := range []struct{ cadence, slot, field string }{{"daily", "noon", "slot"}, {"weekly", "evening", "slot"}, {"hourly", "", "cadence"}} {
		_, err := w.SignUp(t.Context(), readers.SignUp{Email: "x@example.org", Newsletters: []string{"daily-news"}, Cadence: c.cadence, Slot: c.slot, Origin: from("192.0.2.1")})
		e, ok := err.(*newsletter.Error) //nolint:errorlint // straight from the service
		if !ok || len(e.Fields) != 1 || e.Fields[0].Name != c.field {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestManage_ChangesTheSlot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.twice()
	sub := w.join("a@example.org")
	token := w.keys.Sign(newsletter.PurposeManage, newsletter.Link{SubscriberID: sub.ID, NewsletterID: w.daily.ID})
	for _, c := range []struct{ cadence, slot, want string }{
		{"daily/evening", "", "daily/evening"}, {"", "", "daily/evening"}, {"daily", "", "daily/evening"}, {"weekly", "", "weekly"},
		{"daily", "", "daily"}, {"", "evening", "daily/evening"}, {"daily/main", "", "daily"},
	} {
		if _, err := w.ChangeSubscription(t.Context(), token, readers.Change{Newsletter: "daily-news", Cadence: c.cadence, Slot: c.slot}, newsletter.Origin{}); err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		if got := w.rhythm("a@example.org"); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	events, err := w.store.Events(t.Context(), sub.ID)
	if err != nil || events[len(events)-1].Note != "cadence: daily, was daily/evening" {
		t.Errorf("the history ends with %+v, %v", events[len(events)-1], err)
	}
	if _, err := w.ChangeSubscription(t.Context(), token, readers.Change{Newsletter: "daily-news", Slot: "noon"}, newsletter.Origin{}); newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("a slot that there is not: %v", err)
	}
	managed, err := w.ChangeSubscription(t.Context(), token, readers.Change{Newsletter: "daily-news", Slot: "evening"}, newsletter.Origin{})
	if err != nil || managed.Subscriptions[0].Next.At.In(w.now.Location()).Hour() != 18 {
		t.Errorf("the next one is %+v, %v", managed.Subscriptions[0].Next, err)
	}
}

func TestImport_TakesASlotFromItsColumn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.twice()
	res, rejected := w.imports("email,cadence,slot\na@example.org,,Evening\nb@example.org,daily,\nc@example.org,daily/evening,\n" +
		"d@example.org,daily,noon\ne@example.org,weekly,evening\nf@example.org,,\n")
	if res.Added != 4 || res.Rejected != 2 || !strings.Contains(rejected, "daily-news has no daily slot \"noon\"") || !strings.Contains(rejected, "daily-news has no weekly slot \"evening\"") {
		t.Errorf("%+v\n%s", res, rejected)
	}
	for email, want := range map[string]string{"a": "daily/evening", "b": "daily", "c": "daily/evening", "f": "daily"} {
		if got := w.rhythm(email + "@example.org"); got != want {
			t.Errorf("%s has %s, want %s", email, got, want)
		}
	}
}
