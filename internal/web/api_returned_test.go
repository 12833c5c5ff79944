package web

import (
	"encoding/json"
	"fmt"
	"testing"

	"broadsheet/internal/newsletter"
)

func TestAPISubscriber_ShowsWhatCameBackAndNoLinkUndoesAComplaint(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sub := s.join("anna@example.org", "daily-news")
	path := fmt.Sprintf("/api/v1/subscribers/%d", sub.ID)
	if a := s.json("GET", path, s.token("all"), "").want(200); len(returnsIn(t, a.body)) != 0 {
		t.Errorf("before anything came back: %s", a.body)
	}
	_, err := s.store.TakeReturn(t.Context(), newsletter.Return{
		EditionID: 1, SubscriberID: sub.ID, Kind: newsletter.ReturnComplaint, Reason: "feedback", Channel: "smtp", At: s.now,
	}, newsletter.DefaultSoftLimit())
	if err != nil {
		t.Fatal(err)
	}
	list := returnsIn(t, s.json("GET", path, s.token("all"), "").want(200).body)
	if len(list) != 1 || list[0].Kind != "complaint" || list[0].Edition != 1 || list[0].Effect != "the reader left 1 newsletter; the address is suppressed (complaint)" {
		t.Errorf("it shows %+v", list)
	}
	link := s.link(newsletter.PurposeUnsubscribe, sub, s.daily)
	s.post("/unsubscribe/"+link, nil).want(200)
	s.get("/unsubscribe/" + link).want(200).lacks("Undo")
	if got := s.subscriber("anna@example.org").Subscriptions[0].State; got != newsletter.Left {
		t.Errorf("the subscription is %s", got)
	}
}

func returnsIn(t *testing.T, body string) []returnJSON {
	t.Helper()
	var detail struct {
		Returns []returnJSON `json:"returns"`
	}
	if err := json.Unmarshal([]byte(body), &detail); err != nil || detail.Returns == nil {
		t.Fatalf("%s (%v)", body, err)
	}
	return detail.Returns
}
