package desk_test

import (
	"strings"
	"testing"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// An edition that was frozen while that was allowed does not go out without what the law wants
// readers to be told.
func TestPauseUnnamed_AnEditionThatWasFrozenBefore(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 2)
	r.Feed.Publish("Harbour opens a second gate", r.Clock.Now())
	draft, err := r.Desk.Build(t.Context(), desk.BuildOptions{Newsletter: "daily-news"})
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.Desk.Start(t.Context(), draft, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Desk.PauseUnnamed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e, _, err = r.Desk.Edition(t.Context(), e.ID); err != nil || e.State != newsletter.EditionFrozen {
		t.Fatalf("%s, %v", e.State, err)
	}
	empty := ""
	if _, err := r.Desk.EditNewsletter(t.Context(), "daily-news", desk.NewsletterEdit{LegalFooter: &empty}); newsletter.ReasonOf(err) != "legal" {
		t.Errorf("the footer can be taken away: %v", err)
	}
	// As it would be if all was made on this machine, and BASE_URL was set after that.
	_, err = r.Store.ChangeNewsletter(t.Context(), "daily-news", "changed", "test", r.Clock.Now(), func(n *newsletter.Newsletter) (string, error) {
		n.LegalFooter = ""
		return "legal_footer", nil
	})
	if err == nil {
		err = r.Desk.PauseUnnamed(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if e, _, err = r.Desk.Edition(t.Context(), e.ID); err != nil || e.State != newsletter.EditionPaused || !strings.Contains(e.Reason, "legal footer") {
		t.Errorf("%s: %s, %v", e.State, e.Reason, err)
	}
}
