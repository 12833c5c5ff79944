package desk_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
)

// Readers 1 to 8 are in the first edition; what becomes of each delivery decides who is told. 9
// joins later. The second edition loses some of its messages, and the third makes up for it.
func TestCorrection_IsToldOnceToExactlyThoseWhoHadTheOriginal(t *testing.T) {
	t.Parallel()
	r, n := newsroomWith(t, 8)
	first := r.Begin(n.Slug)
	states := map[int]newsletter.State{
		1: newsletter.Accepted, 2: newsletter.Accepted, 3: newsletter.InDoubt, 4: newsletter.Refused,
		5: newsletter.Expired, 6: newsletter.Withheld, 7: newsletter.Deferred, 8: newsletter.Accepted,
	}
	for subscriber, state := range states {
		r.Exec(`UPDATE deliveries SET state = $1, relay_id = NULL, next_try = 9000000000000, expires_at = 9000000000000 WHERE edition_id = $2 AND subscriber_id = $3`, int(state), first.ID, subscriber)
	}
	r.Readers(n, 9, 9)
	verdicts, err := r.Desk.Verdicts(t.Context(), first.ID)
	if err != nil {
		t.Fatal(err)
	}
	article := verdicts[0].ArticleID
	r.Clock.Add(time.Hour)
	if _, err := r.Desk.Correct(t.Context(), article, "It is **Tuesday**."); err != nil {
		t.Fatal(err)
	}
	archived := mustArchive(t, r.Store, n.ID, first.ID)
	if last := archived.Blocks[len(archived.Blocks)-1]; last.Kind != digest.KindCorrection || !strings.Contains(string(last.Body), "<strong>Tuesday</strong>") {
		t.Errorf("the archive ends with %+v", last)
	}

	told := func(e newsletter.Edition) map[int64]bool {
		t.Helper()
		list := map[int64]bool{}
		rows, err := r.Store.VariantCorrections(t.Context(), e.ID)
		if err != nil {
			t.Fatal(err)
		}
		deliveries, err := r.Store.Deliveries(t.Context(), newsletter.DeliveryFilter{EditionID: e.ID, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range deliveries {
			if len(rows[d.VariantID]) > 0 {
				list[d.SubscriberID] = true
			}
		}
		return list
	}
	begin := func(title string) newsletter.Edition {
		t.Helper()
		r.Clock.Add(time.Hour)
		r.Feed.Publish(title, r.Clock.Now())
		return r.Begin(n.Slug)
	}
	second := begin("Second day")
	if got := told(second); fmt.Sprint(got) != "map[1:true 2:true 3:true 8:true]" {
		t.Errorf("the second edition tells %v", got)
	}
	// 2 refuses it, 3 is in doubt; the delivery that waited arrives: 7 has the original now.
	r.Exec(`UPDATE deliveries SET state = 3, relay_id = NULL WHERE edition_id = $1`, second.ID)
	r.Exec(`UPDATE deliveries SET state = 4 WHERE edition_id = $1 AND subscriber_id = 2`, second.ID)
	r.Exec(`UPDATE deliveries SET state = 6 WHERE edition_id = $1 AND subscriber_id = 3`, second.ID)
	r.Exec(`UPDATE deliveries SET state = 3 WHERE edition_id = $1 AND subscriber_id = 7`, first.ID)
	third := begin("Third day")
	if got := told(third); fmt.Sprint(got) != "map[2:true 7:true]" {
		t.Errorf("the third edition tells %v", got)
	}
	r.Exec(`UPDATE deliveries SET state = 3, relay_id = NULL WHERE edition_id = $1`, third.ID)
	if got := told(begin("Fourth day")); len(got) > 0 {
		t.Errorf("the fourth edition tells %v again", got)
	}
}

func mustArchive(t *testing.T, s desk.ArchiveStore, newsletterID, edition int64) desk.ArchivedEdition {
	t.Helper()
	e, err := (&desk.Archive{Store: archivedAnyway{s}}).Edition(t.Context(), newsletterID, edition)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// archivedAnyway has editions that are not sent yet in the archive.
type archivedAnyway struct{ desk.ArchiveStore }

func (archivedAnyway) ArchivedEdition(_ context.Context, _, id int64) (newsletter.ArchivedEdition, error) {
	return newsletter.ArchivedEdition{Edition: newsletter.Edition{ID: id}}, nil
}
