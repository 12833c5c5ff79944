package desk_test

import (
	"strings"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// Under an article stand older stories like it that nobody was ever given: not one that an edition
// gave, nor one that is owed, nor one that was taken back, also after it was planned.
func TestRelated_OnlyWhatNobodyWasGiven(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	r.Feed.Publish("Harbour gate: northern plans", newsroomtest.Start.Add(-9*24*time.Hour))
	r.Feed.Publish("Harbour gate: southern plans", newsroomtest.Start.Add(-8*24*time.Hour))
	r.Feed.Publish("Harbour gate: plans of long ago", newsroomtest.Start.Add(-40*24*time.Hour))
	r.Feed.Publish("Harbour gate opens", newsroomtest.Start.Add(-time.Hour))
	n := r.Newsletter("daily-news", nil)
	r.Readers(n, 1, 3)
	links := func(d *desk.Draft) string { return strings.Join(relatedOf(d.Snapshot), ", ") }
	draft, err := r.Build(n.Slug)
	if err != nil || links(draft) != "" {
		t.Fatalf("without the setting: %s, %v", links(draft), err)
	}
	most := 3
	if _, err := r.Desk.EditNewsletter(t.Context(), n.Slug, desk.NewsletterEdit{Related: &most}); newsletter.KindOf(err) != newsletter.Invalid {
		t.Fatalf("three: %v", err)
	}
	most = 2
	if n, err = r.Desk.EditNewsletter(t.Context(), n.Slug, desk.NewsletterEdit{Related: &most}); err != nil || n.Related != 2 {
		t.Fatal(n.Related, err)
	}
	if draft, err = r.Build(n.Slug); err != nil || links(draft) != "Harbour gate: southern plans, Harbour gate: northern plans" || !strings.Contains(draft.Sample.Text, "Related: Harbour gate: northern plans") {
		t.Fatalf("related are %q (%v):\n%s", links(draft), err, draft.Sample.Text)
	}
	related := draft.Snapshot.RelatedStories()
	if _, err := r.Desk.HoldArticle(t.Context(), related[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Desk.Start(t.Context(), draft, nil); newsletter.ReasonOf(err) != "changed" {
		t.Errorf("one was held meanwhile: %v", err)
	}
	r.Exec(`UPDATE articles SET hold = '' WHERE id = $1`, related[0])

	e := r.Begin(n.Slug)
	w, err := r.Desk.Withdraw(t.Context(), related[1], 0)
	if err != nil || len(w.Editions) != 1 || w.Editions[0].Recopied != 3 || w.Editions[0].Had != 0 {
		t.Fatalf("withdrawn: %+v, %v", w, err)
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	for _, m := range r.SMTP.Messages() {
		if text := string(m.Data); strings.Contains(text, w.Article.Headline) || strings.Count(text, "Related: ") != 2 { // once in each part
			t.Errorf("%s got\n%s", m.To, text)
		}
	}
	archive := &desk.Archive{Store: r.Store}
	page, err := archive.Edition(t.Context(), n.ID, e.ID)
	if err != nil || len(page.Blocks[0].Related) != 1 || page.Blocks[0].Related[0].Headline == w.Article.Headline {
		t.Errorf("the archive has %+v (%v)", page.Blocks, err)
	}

	// What was given is never related, though it is old enough by now.
	r.Clock.Add(9 * 24 * time.Hour)
	r.Feed.Publish("Harbour gate opens again", r.Clock.Now())
	draft, err = r.Build(n.Slug)
	if err != nil || links(draft) == "" || strings.Contains(links(draft), "opens") || strings.Contains(links(draft), w.Article.Headline) {
		t.Errorf("later related are %q (%v)", links(draft), err)
	}
}

// relatedOf returns the headlines of the snapshot's related stories, as they stand.
func relatedOf(s digest.Snapshot) []string {
	var list []string
	for _, b := range s.Blocks {
		for _, other := range b.Related {
			list = append(list, other.Headline)
		}
	}
	return list
}
