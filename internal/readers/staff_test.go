package readers_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

func TestAdd_NeedsConsentAndRespectsLeaving(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	add := func(email string, origin newsletter.Origin) (newsletter.Subscriber, error) {
		return w.Add(t.Context(), readers.Added{Email: email, Name: "Ada", Newsletters: []string{"daily-news"}}, origin)
	}
	note := newsletter.Origin{Channel: "staff", Actor: "eva", Note: "paper form, book fair 2026"}
	_, err := add("nobody", newsletter.Origin{})
	wantKind(t, err, newsletter.Invalid, "")
	if err.Error() != `email: An e-mail address has an @ in it, as in name@example.org.; consent: Say where this person agreed to get the newsletter, such as "paper form, book fair 2026".` {
		t.Error(err)
	}
	sub, err := add("ada@example.org", note)
	if err != nil || sub.Name != "Ada" || sub.Subscriptions[0].State != newsletter.Active {
		t.Fatalf("%+v, %v", sub, err)
	}
	_, events, _ := w.Subscriber(t.Context(), fmt.Sprint(sub.ID))
	if len(events) != 1 || events[0].Kind != newsletter.EventAdded || events[0].Actor != "eva" || events[0].Note != note.Note {
		t.Errorf("%+v", events)
	}
	_, err = add("ADA@example.org", note)
	wantKind(t, err, newsletter.Conflict, "")
	w.leave("ada@example.org")
	_, err = add("ada@example.org", note)
	wantKind(t, err, newsletter.Forbidden, "left")
	w.signUp("pending@example.org")
	if _, err = add("pending@example.org", note); err != nil || w.states("pending@example.org") != "daily-news:active" {
		t.Errorf("pending: %v", err)
	}
	if sent := w.deliver(); len(sent) != 1 {
		t.Errorf("%d mails: the confirmation still does no harm", len(sent))
	}
}

func TestRemove_EndsOneOrAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("a@example.org", "daily-news", "weekly")
	staff := newsletter.Origin{Channel: "staff", Actor: "eva"}
	if _, err := w.Remove(t.Context(), "A@example.org", "weekly", staff); err != nil {
		t.Fatal(err)
	}
	if got := w.states("a@example.org"); got != "daily-news:active weekly:left" {
		t.Error(got)
	}
	for range 2 {
		sub, err := w.Remove(t.Context(), fmt.Sprint(w.subscriber("a@example.org").ID), "", staff)
		if err != nil || sub.Subscriptions[0].State != newsletter.Left {
			t.Fatalf("%+v, %v", sub, err)
		}
	}
	if got := w.history("a@example.org"); got != "requested requested confirmed confirmed removed removed" {
		t.Error(got)
	}
	w.join("b@example.org")
	for _, args := range [][2]string{{"c@example.org", ""}, {"999", ""}, {"b@example.org", "weekly"}, {"b@example.org", "nope"}} {
		_, err := w.Remove(t.Context(), args[0], args[1], staff)
		wantKind(t, err, newsletter.NotFound, "")
	}
	_, err := w.Remove(t.Context(), "nonsense", "", staff)
	wantKind(t, err, newsletter.Invalid, "")
}

func TestUpdate_ChangesWhatIsGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sub := w.join("a@example.org")
	name, zone, bad := "Zoë", "America/New_York", "Nowhere"
	if _, err := w.Update(t.Context(), sub.ID, readers.Patch{Name: &name}, newsletter.Origin{Actor: "eva"}); err != nil {
		t.Fatal(err)
	}
	got, err := w.Update(t.Context(), sub.ID, readers.Patch{TimeZone: &zone}, newsletter.Origin{Actor: "eva"})
	if err != nil || got.Name != name || got.TimeZone != zone {
		t.Fatalf("%+v, %v", got, err)
	}
	if stored := w.subscriber("a@example.org"); stored.Name != name || stored.TimeZone != zone {
		t.Errorf("%+v", stored)
	}
	_, err = w.Update(t.Context(), sub.ID, readers.Patch{TimeZone: &bad}, newsletter.Origin{})
	wantKind(t, err, newsletter.Invalid, "")
	_, err = w.Update(t.Context(), 999, readers.Patch{}, newsletter.Origin{})
	wantKind(t, err, newsletter.NotFound, "")
	if got := w.history("a@example.org"); got != "requested confirmed changed changed" {
		t.Error(got)
	}
}

func TestUpdate_AtTheSameTimeLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sub := w.join("a@example.org")
	for i := range 30 {
		name, zone := fmt.Sprintf("Ada %d", i), []string{"Europe/Paris", "Asia/Tokyo"}[i%2]
		var wg sync.WaitGroup
		for _, patch := range []readers.Patch{{Name: &name}, {TimeZone: &zone}} {
			wg.Go(func() {
				if _, err := w.Update(t.Context(), sub.ID, patch, newsletter.Origin{Actor: "eva"}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := w.subscriber("a@example.org"); got.Name != name || got.TimeZone != zone {
			t.Fatalf("round %d: %q in %q, want %q in %q", i, got.Name, got.TimeZone, name, zone)
		}
	}
}

func TestSubscribers_PagesEachOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 25 {
		_, err := w.Add(t.Context(), readers.Added{Email: fmt.Sprintf("R%02d@example.org", i), Newsletters: []string{[]string{"daily-news", "weekly"}[i%2]}},
			newsletter.Origin{Note: "test"})
		if err != nil {
			t.Fatal(err)
		}
	}
	w.leave("r04@example.org")
	for _, c := range []struct {
		f    readers.Filter
		want int
	}{
		{readers.Filter{}, 25},
		{readers.Filter{Newsletter: "weekly"}, 12},
		{readers.Filter{Newsletter: "daily-news", State: "active"}, 12},
		{readers.Filter{State: "left"}, 1},
		{readers.Filter{EmailPrefix: "R1"}, 10},
		{readers.Filter{EmailPrefix: "r0", Newsletter: "daily-news", State: "active"}, 4},
		{readers.Filter{EmailPrefix: "nobody"}, 0},
	} {
		seen, after := map[int64]bool{}, int64(0)
		for {
			page, err := w.Subscribers(t.Context(), c.f, after, 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range page {
				if seen[s.ID] || s.ID <= after || len(s.Subscriptions) != 1 {
					t.Errorf("%+v: %+v after %d", c.f, s, after)
				}
				seen[s.ID], after = true, s.ID
			}
			if len(page) < 7 {
				break
			}
		}
		if len(seen) != c.want {
			t.Errorf("%+v: %d subscribers, want %d", c.f, len(seen), c.want)
		}
	}
	for _, f := range []readers.Filter{{State: "asleep"}} {
		_, err := w.Subscribers(t.Context(), f, 0, 10)
		wantKind(t, err, newsletter.Invalid, "")
	}
	_, err := w.Subscribers(t.Context(), readers.Filter{Newsletter: "nope"}, 0, 10)
	wantKind(t, err, newsletter.NotFound, "")
	_, err = w.Subscribers(t.Context(), readers.Filter{}, 0, readers.MaxPage+1)
	wantKind(t, err, newsletter.Invalid, "")
}

func TestToken_WorksUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret, made, err := w.CreateToken(t.Context(), "members' area", "subscribers:read")
	if err != nil || !strings.HasPrefix(secret, "bs_") || !strings.HasPrefix(secret, made.Prefix) || len(made.Prefix) > 12 {
		t.Fatalf("%q %+v, %v", secret, made, err)
	}
	if n := w.count(`SELECT COUNT(*) FROM tokens WHERE instr(hash, $1) > 0 OR instr(prefix, $1) > 0`, secret); n != 0 {
		t.Error("the secret is in the database")
	}
	got, err := w.Authenticate(t.Context(), secret)
	if err != nil || got.ID != made.ID || !got.Allows(newsletter.ScopeReadSubscribers) || got.Allows(newsletter.ScopeWriteSubscribers) {
		t.Fatalf("%+v, %v", got, err)
	}
	w.wait(59 * time.Second)
	if _, err := w.Authenticate(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if list, err := w.Tokens(t.Context()); err != nil || len(list) != 1 || !list[0].LastUsedAt.Equal(monday) {
		t.Errorf("used again within the minute: %+v, %v", list, err)
	}
	w.wait(time.Second)
	if _, err := w.Authenticate(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if list, err := w.Tokens(t.Context()); err != nil || !list[0].LastUsedAt.Equal(monday.Add(time.Minute)) {
		t.Errorf("%+v, %v", list, err)
	}
	for _, bad := range []string{"", "bs_", flip(secret, 10), secret + "A", strings.ToUpper(secret), strings.Repeat("A", 1<<20)} {
		_, err := w.Authenticate(t.Context(), bad)
		wantKind(t, err, newsletter.Forbidden, "token")
	}
	for range 2 {
		if err := w.RevokeToken(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
	}
	_, err = w.Authenticate(t.Context(), secret)
	wantKind(t, err, newsletter.Forbidden, "token")
	wantKind(t, w.RevokeToken(t.Context(), 999), newsletter.NotFound, "")
	_, _, err = w.CreateToken(t.Context(), " ", "everything")
	wantKind(t, err, newsletter.Invalid, "")
	if _, all, err := w.CreateToken(t.Context(), "all", " all , subscribers:read"); err != nil || !all.Allows("later:right") {
		t.Errorf("%+v, %v", all, err)
	}
}
