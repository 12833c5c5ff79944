package web

import (
	"net/url"
	"testing"

	"broadsheet/internal/newsletter"
)

// Where a cadence has several slots, readers choose among them as among cadences.
func TestSlots_AreChosenOnThePages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, err := s.store.ChangeNewsletter(t.Context(), "daily-news", "edit", "test", s.now, func(n *newsletter.Newsletter) (string, error) {
		n.Schedules = append(n.Schedules, newsletter.Schedule{Cadence: newsletter.Daily, Slot: "evening", Rule: mustRule("mon-fri 18:00"), SetAt: s.now})
		return "slot", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.get("/").want(200).has("Daily: Monday to Friday at 07:00 or Monday to Friday at 18:00, London time")
	page := s.get("/n/daily-news").want(200)
	for _, value := range []string{"daily/main", "daily/evening", "weekly"} {
		page.one("input[name=cadence][value=" + value + "]")
	}
	page.one("input[id=cadence-daily-main][checked]")
	s.get("/n/daily-news?cadence=daily%2Fevening").want(200)
	s.json("POST", "/api/v1/subscribe", "", `{"email":"anna@example.org","newsletters":["daily-news"],"cadence":"daily","slot":"noon"}`).want(422).has(`"field":"slot"`)
	sub := s.join("anna@example.org", "daily-news")
	path := "/manage/" + s.link(newsletter.PurposeManage, sub, s.daily)
	s.get(path).want(200).one("input[name=cadence][value=daily/main][checked]")
	s.post(path, url.Values{"newsletter": {"daily-news"}, "cadence": {"daily/evening"}}).want(303)
	page = s.get(path).want(200).has("at 18:00 London time")
	page.one("input[name=cadence][value=daily/evening][checked]")
	if u := s.subscriber("anna@example.org").Subscriptions[0]; u.Cadence != newsletter.Daily || u.Slot != "evening" {
		t.Errorf("%+v", u)
	}
}
