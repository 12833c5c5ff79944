package desk_test

import (
	"testing"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
)

// TestWhy_OfThen: why a reader did not get an article is told as it was when the edition was
// planned, whatever was sent since.
func TestWhy_OfThen(t *testing.T) {
	t.Parallel()
	r, n := sectionedNewsroom(t)
	r.Reader(n, "all@example.org", newsletter.Daily, 0)
	one := r.Reader(n, "one@example.org", newsletter.Daily, 1)
	first, _ := r.Send("daily-news")
	r.Exec(`UPDATE subscriptions SET sections = 0 WHERE subscriber_id = $1`, one)
	second, _ := r.Send("daily-news")
	of := func(edition int64, email string) desk.ReaderWhy {
		t.Helper()
		w, err := r.Desk.WhyEdition(t.Context(), edition)
		if err != nil {
			t.Fatal(err)
		}
		y, err := r.Desk.OfReader(t.Context(), w, email)
		if err != nil {
			t.Fatal(err)
		}
		return y
	}
	if y := of(first.ID, "all@example.org"); len(y.Articles) != 9 || y.Nothing != "" || y.Delivery.State != newsletter.Accepted {
		t.Errorf("of the first edition, all gets %+v", y)
	} else {
		for _, a := range y.Articles {
			if !a.Gets || len(a.Had) > 0 {
				t.Errorf("of the first edition, all does not get %+v", a)
			}
		}
	}
	y := of(second.ID, "all@example.org")
	if len(y.Articles) != 6 || y.Nothing != "nothing in it is owed to them" || y.Delivery.State != newsletter.Withheld {
		t.Errorf("of the second edition, all gets %+v", y)
	}
	for _, a := range y.Articles {
		if a.Gets || a.Verdict != newsletter.HadAlready || len(a.Had) != 1 || a.Had[0].EditionID != first.ID || a.Had[0].State != newsletter.Accepted {
			t.Errorf("of the second edition: %+v", a)
		}
	}
	for _, a := range of(second.ID, "one@example.org").Articles {
		if !a.Gets {
			t.Errorf("one does not get %+v", a)
		}
	}
	if _, err := r.Desk.WhyEdition(t.Context(), 99); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("edition 99: %v", err)
	}
}

func TestWhy_RowsAreGone(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 2)
	e, _ := r.Send("daily-news")
	r.Exec(`DELETE FROM deliveries WHERE edition_id = $1`, e.ID)
	r.Exec(`UPDATE editions SET pruned_at = 1 WHERE id = $1`, e.ID)
	w, err := r.Desk.WhyEdition(t.Context(), e.ID)
	if err != nil || !w.Gone || len(w.List) != 2 {
		t.Fatalf("%+v (%v)", w, err)
	}
	y, err := r.Desk.OfReader(t.Context(), w, "r1@example.org")
	if err != nil || y.Delivery != nil || len(y.Articles) != 2 {
		t.Errorf("%+v (%v)", y, err)
	}
}
