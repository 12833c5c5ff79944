package desk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
)

// Who waits for a story that is withdrawn gets the others, without a word of it; who has it is
// counted; and who gets the others has had them.
func TestWithdraw_WhoWaitsGetsACopyWithoutIt(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 4)
	e := r.Begin("daily-news")
	r.Exec(`UPDATE deliveries SET state = 3 WHERE subscriber_id = 1`)
	r.Exec(`UPDATE deliveries SET state = 5, doubts = 1 WHERE subscriber_id = 2`) // it may have arrived, and is sent again
	before, err := r.Store.EditionVariants(t.Context(), e.ID)
	if err != nil || len(before) != 1 {
		t.Fatal(before, err)
	}
	lead, other := before[0].Articles[0], before[0].Articles[1]
	r.Exec(`CREATE TRIGGER no_room BEFORE INSERT ON variants BEGIN SELECT RAISE(FAIL, 'no room'); END`)
	if _, err := r.Desk.Withdraw(t.Context(), lead, 0); err == nil || !strings.Contains(err.Error(), "is withdrawn, and no message with it goes out any more") {
		t.Errorf("without room for copies: %v", err)
	}
	r.Exec(`DROP TRIGGER no_room`)
	w, err := r.Desk.Withdraw(t.Context(), lead, 0)
	if err != nil || w.Article.WithdrawnAt.IsZero() || !slices.Equal(w.Editions, []desk.WithdrawnEdition{{Edition: e.ID, Recast: newsletter.Recast{Recopied: 3}, Had: 1}}) {
		t.Fatalf("withdrawn: %+v (%v)", w, err)
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	after, tally := r.Tally(e.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 4})
	if after.Hash != e.Hash {
		t.Error("what was frozen is not on record any more")
	}
	headline := w.Article.Headline
	messages := r.SMTP.Messages()
	for _, m := range messages {
		if text := string(m.Data); strings.Contains(text, headline) || !strings.Contains(text, "Subject: ") {
			t.Errorf("%s gets a mail that names it:\n%s", m.To, text)
		}
	}
	if len(messages) != 3 {
		t.Errorf("%d messages", len(messages))
	}
	if _, err := r.Desk.Withdraw(t.Context(), lead, 0); newsletter.KindOf(err) != newsletter.Conflict {
		t.Errorf("once more: %v", err)
	}
	events, err := r.Desk.EditionLog(t.Context(), e.ID)
	if err != nil || !slices.ContainsFunc(events, func(e newsletter.LogEntry) bool {
		return e.Action == "copies replaced" && strings.HasPrefix(e.Detail, "3 get a copy")
	}) {
		t.Errorf("on record is %+v (%v)", events, err)
	}
	r.Clock.Add(time.Minute)
	if draft, err := r.Build(n.Slug); newsletter.ReasonOf(err) != newsletter.SkippedNothingNew {
		t.Errorf("article %d is owed again: %+v (%v)", other, draft.Survey, err)
	}
}

// Withdrawn from one edition only, a story is owed to who did not get it.
func TestWithdraw_FromOneEdition(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 3)
	e := r.Begin("daily-news")
	r.Exec(`UPDATE deliveries SET state = 3 WHERE subscriber_id = 1`)
	if _, err := r.Desk.Withdraw(t.Context(), 1, e.ID+1); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("from an edition that is not there: %v", err)
	}
	r.Exec(`INSERT INTO articles (id, source_id, guid, url, headline, summary, author, image_url, image_alt, label, first_seen, hash, updated_at)
		SELECT 99, source_id, 'x', 'https://www.example.org/x', headline, '', '', '', '', '', first_seen, 'x', 0 FROM articles WHERE id = 1`)
	if _, err := r.Desk.Withdraw(t.Context(), 99, e.ID); newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("of an article that it does not have: %v", err)
	}
	for range 2 { // the first is cut off before the readers have their copies
		if _, err := r.Store.WithdrawArticle(t.Context(), 1, e.ID, "ada", r.Clock.Now()); err != nil && newsletter.KindOf(err) != newsletter.Conflict {
			t.Fatal(err)
		}
	}
	w, err := r.Desk.Withdraw(t.Context(), 1, e.ID)
	if err != nil || !w.Article.WithdrawnAt.IsZero() || len(w.Editions) != 1 || w.Editions[0].Recopied != 2 || w.Editions[0].Had != 1 {
		t.Fatalf("withdrawn: %+v (%v)", w, err)
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(time.Minute)
	draft, err := r.Build(n.Slug)
	if err != nil || draft.Survey.Readers != 2 || !slices.Equal(draft.Survey.Variants[0].Articles, []int64{1}) {
		t.Errorf("next is %+v (%v)", draft.Survey, err)
	}
	if _, err := r.Desk.Withdraw(t.Context(), 2, e.ID); newsletter.ReasonOf(err) != "ended" {
		t.Errorf("from what is sent: %v", err)
	}
}

// Where nothing is left nothing is sent, two stories one after the other too; and what was planned
// only later, or is tried again, has nothing of them either.
func TestWithdraw_OneAfterTheOther(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 3, refuses("r1@example.org"))
	e, tally := r.Send("daily-news")
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 2, newsletter.Refused: 1})
	r.SMTP.SetFaults()
	r.Clock.Add(time.Hour)
	for i, story := range []string{"Third story", "Fourth story"} {
		r.Feed.Publish(story, r.Clock.Now().Add(time.Duration(i)*time.Second))
	}
	draft, err := r.Desk.CreateDraft(t.Context(), desk.DraftOptions{Build: desk.BuildOptions{Newsletter: n.Slug, Extra: true}})
	if err != nil {
		t.Fatal(err)
	}
	later, err := r.Desk.Freeze(t.Context(), draft.Edition.ID, desk.FreezeOptions{At: r.Clock.Now().Add(time.Hour), Extra: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, article := range draft.Snapshot.Articles()[:1] {
		if _, err := r.Desk.Withdraw(t.Context(), article, 0); err != nil {
			t.Fatal(err)
		}
		for _, as := range []string{"", "r2@example.org"} {
			p, err := r.Desk.Preview(t.Context(), desk.PreviewOptions{Edition: later.ID, As: as})
			if err != nil || len(p.Copy.Articles) == 0 || slices.Contains(p.Copy.Articles, article) {
				t.Errorf("before it is planned, the preview as %q has %+v (%v)", as, p, err)
			}
		}
	}
	r.Clock.Add(time.Hour)
	if err := r.Desk.FinishPlanning(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, article := range draft.Snapshot.Articles()[1:] {
		if _, err := r.Desk.Withdraw(t.Context(), article, 0); err != nil && newsletter.KindOf(err) != newsletter.Conflict {
			t.Fatal(err)
		}
	}
	_, tally = r.Tally(later.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Withheld: 3})
	if tally.Reasons[newsletter.ReasonWithdrawn] != 3 {
		t.Errorf("withheld for %v", tally.Reasons)
	}
	retried, err := r.Desk.Retry(t.Context(), newsletter.RetryFilter{EditionID: e.ID})
	if err != nil || retried != (newsletter.Retried{Withdrawn: 1}) {
		t.Fatalf("retried: %+v (%v)", retried, err)
	}
	d, err := r.Desk.Deliveries(t.Context(), newsletter.DeliveryFilter{EditionID: e.ID, ArticleID: 1, State: newsletter.Accepted})
	if err != nil || len(d) != 2 {
		t.Errorf("article 1 is in %+v (%v)", d, err)
	}
}
