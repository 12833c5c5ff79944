package desk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
)

// drafted returns a newsroom with a draft of two articles for three readers.
func drafted(t *testing.T) (*newsroomtest.Newsroom, newsletter.Newsletter, *desk.Draft) {
	t.Helper()
	r, n := newsroomWith(t, 3)
	draft, err := r.Desk.CreateDraft(t.Context(), desk.DraftOptions{Build: desk.BuildOptions{Newsletter: "daily-news"}})
	if err != nil {
		t.Fatal(err)
	}
	return r, n, draft
}

func TestDraft_IsSentAsItWasTakenIn(t *testing.T) {
	t.Parallel()
	r, _, draft := drafted(t)
	id := draft.Edition.ID
	if e, tally := r.Tally(id); e.State != newsletter.EditionDraft || tally.Planned != 0 || !e.AsOf.IsZero() {
		t.Fatalf("the draft is %+v with %+v", e, tally)
	}
	// What comes later is for the next edition, and no new text slips in.
	r.Clock.Add(time.Hour)
	r.Feed.Publish("A third story", r.Clock.Now())
	if _, err := r.Build("daily-news"); err != nil {
		t.Fatal(err)
	}
	r.Exec(`UPDATE articles SET headline = 'Changed at its source' WHERE headline = 'Ferry fares frozen'`)
	opened, err := r.Desk.OpenDraft(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if len(opened.Snapshot.Articles()) != 2 || strings.Contains(opened.Sample.Text, "Changed at its source") || len(opened.Warnings) != 1 {
		t.Errorf("it has %d articles, warnings %q:\n%s", len(opened.Snapshot.Articles()), opened.Warnings, opened.Sample.Text)
	}
	if got := opened.Articles[2].Verdict; got != newsletter.Dropped {
		t.Errorf("the third article is %s", got)
	}
	e, err := r.Desk.Freeze(t.Context(), id, desk.FreezeOptions{}, nil)
	if err != nil || e.ID != id || e.Slot != newsletter.MainSlot || e.Planned != 3 {
		t.Fatalf("frozen: %+v (%v)", e, err)
	}
	if err := r.Desk.Carry(t.Context(), id, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	_, tally := r.Tally(id)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 3})
	if _, err := r.Desk.OpenDraft(t.Context(), id); newsletter.ReasonOf(err) != "not_draft" {
		t.Errorf("it can be opened again: %v", err)
	}
	// The third story is owed still.
	_, tally = r.Send("daily-news")
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 3})
}

// A subject goes to the copies that have the articles it is about, and to nobody once one of them is
// taken out of the edition.
func TestDraft_SubjectIsAboutItsArticles(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 1)
	build := desk.BuildOptions{Newsletter: "daily-news", Words: digest.Words{Subject: "Fares and gates", About: []int64{1, 2}}}
	draft, err := r.Desk.CreateDraft(t.Context(), desk.DraftOptions{Build: build})
	if err != nil || draft.Sample.Subject != "Fares and gates" || !slices.Equal(draft.Snapshot.About, []int64{1, 2}) {
		t.Fatalf("%+v, %v", draft, err)
	}
	first := draft.Snapshot.Articles()[0]
	if _, err := r.Desk.HoldArticle(t.Context(), 3-first); err != nil {
		t.Fatal(err)
	}
	draft, err = r.Desk.OpenDraft(t.Context(), draft.Edition.ID)
	if err != nil || draft.Sample.Subject == "Fares and gates" || !strings.Contains(strings.Join(draft.Warnings, "\n"), "which nobody gets") {
		t.Errorf("%q, %q, %v", draft.Sample.Subject, draft.Warnings, err)
	}
	build.Words.About = []int64{9}
	if _, err := r.Desk.CreateDraft(t.Context(), desk.DraftOptions{Build: build}); newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("about an article that is not there: %v", err)
	}
}

// An edition is read section by section, its draft and its list of articles too, and what comes
// later finds its place, until staff put the stories in an order of their own.
func TestDraft_StandsInTheOrderOfTheMail(t *testing.T) {
	t.Parallel()
	r, _ := newsroomWith(t, 1)
	for _, name := range []string{"Town", "Sea"} {
		if _, err := r.Desk.AddSection(t.Context(), "daily-news", name, []string{name}); err != nil {
			t.Fatal(err)
		}
	}
	for i, story := range []string{"sea old", "town old", "sea new", "town new"} {
		r.Feed.Publish(story, r.Clock.Now().Add(time.Duration(i)*time.Minute), strings.Fields(story)[0])
	}
	r.Clock.Add(time.Hour)
	draft, err := r.Desk.CreateDraft(t.Context(), desk.DraftOptions{Build: desk.BuildOptions{Newsletter: "daily-news"}})
	if err != nil {
		t.Fatal(err)
	}
	id := draft.Edition.ID
	headlines := func(d *desk.Draft) string {
		var list []string
		for _, a := range d.Articles[:len(d.Snapshot.Articles())] {
			list = append(list, a.Headline)
		}
		at := -1
		for _, h := range list {
			next := strings.Index(d.Sample.Text, h)
			if next < at {
				t.Errorf("%q is not where the list has it:\n%s", h, d.Sample.Text)
			}
			at = next
		}
		return strings.Join(list, ", ")
	}
	if got := headlines(draft); got != "town new, town old, sea new, sea old, Ferry fares frozen, Harbour opens a second gate" {
		t.Errorf("the draft has %s", got)
	}
	refresh := func(story, category string) string {
		r.Feed.Publish(story, r.Clock.Now(), category)
		r.Clock.Add(time.Hour)
		fresh, err := r.Desk.LookAfresh(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		draft, err := r.Desk.KeepRefreshed(t.Context(), fresh)
		if err != nil {
			t.Fatal(err)
		}
		return headlines(draft)
	}
	if got := refresh("sea newest", "sea"); got != "town new, town old, sea newest, sea new, sea old, Ferry fares frozen, Harbour opens a second gate" {
		t.Errorf("refreshed, it has %s", got)
	}
	text, err := r.Desk.OpenSheet(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	sheet := text.Record.Sheet
	sheet.Blocks = append(sheet.Blocks[1:], sheet.Blocks[0])
	if _, err = r.Desk.SaveSheet(t.Context(), id, text.Record.Revision, sheet); err != nil {
		t.Fatal(err)
	}
	if got := refresh("town newest", "town"); got != "town old, sea newest, sea new, sea old, Ferry fares frozen, Harbour opens a second gate, town new, town newest" {
		t.Errorf("put in order, it has %s", got)
	}
}

// An edition that is planned when its time is over holds nothing: the next one, built before
// anybody delivers, has it all.
func TestFreeze_PlannedAfterItsTimeHoldsNothing(t *testing.T) {
	t.Parallel()
	r, _, draft := drafted(t)
	at, err := r.Desk.SendTime(t.Context(), "daily-news", r.Clock.Now().Add(26*time.Hour).In(time.UTC).Format("2006-01-02T15:04"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.Desk.Freeze(t.Context(), draft.Edition.ID, desk.FreezeOptions{At: at}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(e.ExpiresAt.Sub(r.Clock.Now())) // nobody served until then
	if err := r.Desk.FinishPlanning(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	late, tally := r.Tally(e.ID)
	if wantStates(t, tally, map[newsletter.State]int{newsletter.Expired: 3}); late.PlannedAt.IsZero() {
		t.Error("it is not planned")
	}
	next, tally := r.Send("daily-news")
	if wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 3}); next.Articles < e.Articles {
		t.Errorf("the next one has %d articles, the late one had %d", next.Articles, e.Articles)
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	shown, err := r.Store.ArchivedEditions(t.Context(), e.NewsletterID, 0, 10)
	if err != nil || len(shown) != 1 || shown[0].ID != next.ID {
		t.Errorf("the archive has %v (%v), want only what readers got", shown, err)
	}
	if late, _ := r.Tally(e.ID); late.State != newsletter.EditionExpired {
		t.Errorf("the late one is %s", late.State)
	}
}

func TestFreeze_AtALaterTimeWaits(t *testing.T) {
	t.Parallel()
	r, _, draft := drafted(t)
	at, err := r.Desk.SendTime(t.Context(), "daily-news", r.Clock.Now().Add(26*time.Hour).In(time.UTC).Format("2006-01-02T15:04"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.Desk.Freeze(t.Context(), draft.Edition.ID, desk.FreezeOptions{At: at}, nil)
	if err != nil || !e.Waits(r.Clock.Now()) || e.Slot != newsletter.MainSlot || e.Date != newsletter.DateOf(at) {
		t.Fatalf("frozen: %+v (%v)", e, err)
	}
	if err := r.Desk.FinishPlanning(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if e, _ := r.Tally(e.ID); !e.PlannedAt.IsZero() {
		t.Error("it is planned before its time")
	}
	wantRefusal(t, r.Desk.Carry(t.Context(), e.ID, time.Minute, nil), "waiting")
	if _, ok, err := r.Desk.Unfinished(t.Context(), "daily-news", "", ""); ok || err != nil {
		t.Errorf("send would go on with it (%v)", err)
	}
	status, err := r.Desk.Status(t.Context(), r.Store)
	if err != nil || len(status.Problems) > 0 {
		t.Errorf("problems: %+v (%v)", status.Problems, err)
	}
	r.Clock.Add(26 * time.Hour)
	if err := r.Desk.FinishPlanning(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	_, tally := r.Tally(e.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 3})
}

// An announcement goes to everybody, and takes no article from anybody.
func TestDraft_AnnouncementChangesNothingThatIsOwed(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 2)
	o := desk.DraftOptions{Build: desk.BuildOptions{Newsletter: "daily-news"}, Announcement: true, Note: "We *move* on Monday."}
	if _, err := r.Desk.CreateDraft(t.Context(), o); newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("without a subject: %v", err)
	}
	o.Build.Words.Subject, o.Build.Extra = "We are moving", true
	draft, err := r.Desk.CreateDraft(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Desk.Freeze(t.Context(), draft.Edition.ID, desk.FreezeOptions{Extra: true}, nil); err != nil {
		t.Fatal(err)
	}
	if err := r.Desk.Carry(t.Context(), draft.Edition.ID, time.Minute, nil); err != nil {
		t.Fatal(err)
	}
	_, tally := r.Tally(draft.Edition.ID)
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 2})
	r.Clock.Add(time.Minute)
	r.Reader(n, "late@example.org", newsletter.Daily, 0)
	e, tally := r.Send("daily-news")
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 3})
	if e.Articles != 2 {
		t.Errorf("the next edition has %d articles", e.Articles)
	}
}

func TestDraft_TwoWhoFreezeOrChangeIt(t *testing.T) {
	t.Parallel()
	r, _, draft := drafted(t)
	id := draft.Edition.ID
	first, err := r.Desk.OpenDraft(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	record, err := r.Desk.Sheet(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Store.SaveDraft(t.Context(), record, "s", "draft changed", "", "cli:ben", r.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Desk.Start(t.Context(), first, nil); newsletter.ReasonOf(err) != "changed" || !strings.Contains(err.Error(), "cli:ben") {
		t.Errorf("a draft that was changed meanwhile is frozen: %v", err)
	}
	if _, err := r.Desk.Cancel(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
	if e, _ := r.Tally(id); e.State != newsletter.EditionCancelled {
		t.Errorf("it is %s", e.State)
	}
	// A cancelled draft stands in nobody's way.
	_, tally := r.Send("daily-news")
	wantStates(t, tally, map[newsletter.State]int{newsletter.Accepted: 3})
}
