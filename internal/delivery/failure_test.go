package delivery_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/newsroomtest"
	"broadsheet/internal/smtptest"
)

var errLocked = errors.New("database is locked")

// failing is a ledger whose steps fail when told to, all of them together.
type failing struct {
	delivery.Ledger
	fail func(newsletter.Step) bool
}

func (f *failing) Steps(ctx context.Context, steps []newsletter.Step, key newsletter.SuppressionKey, now time.Time) ([]newsletter.StepResult, error) {
	if slices.ContainsFunc(steps, f.fail) {
		return nil, errLocked
	}
	return f.Ledger.Steps(ctx, steps, key, now)
}

func serve(t *testing.T, e *delivery.Engine) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Serve(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func sentAs(t *testing.T, r *newsroomtest.Newsroom, id int64) func() bool {
	return func() bool {
		e, _ := r.Tally(id)
		return e.State == newsletter.EditionSent
	}
}

// A database error in the step that would record a result and begin the next message must
// not lose the result: the message was accepted, and would go out again.
func TestDelivery_AFailedStepKeepsTheResult(t *testing.T) {
	t.Parallel()
	r, _, readers := newsroom(t, newsroomtest.Options{Connections: 1}, 5)
	var failed atomic.Bool
	engine := r.NewEngine()
	engine.Ledger = &failing{r.Store, func(step newsletter.Step) bool {
		return step.Last != nil && step.Next != nil && failed.CompareAndSwap(false, true)
	}}
	e := r.Begin("daily-news")
	stop := serve(t, engine)
	newsroomtest.Until(t.Context(), t, "the edition is sent", sentAs(t, r, e.ID))
	stop()
	if !failed.Load() {
		t.Fatal("nothing failed")
	}
	each(t, r, readers, 1)
	_, tally := r.Tally(e.ID)
	want(t, tally, "planned 5 accepted 5 refused 0 expired 0 in_doubt 0 withheld 0 waiting 0")
}

// A service whose database failed for a while goes on when it is well again.
func TestDelivery_TheSenderSurvivesABadDatabase(t *testing.T) {
	t.Parallel()
	r, n, readers := newsroom(t, newsroomtest.Options{Connections: 1}, 4)
	var failures atomic.Int64
	engine := r.NewEngine()
	engine.Ledger = &failing{r.Store, func(step newsletter.Step) bool {
		return step.Last != nil && step.Next == nil && failures.Add(1) <= 7 // more often than it is tried
	}}
	first := r.Begin("daily-news")
	stop := serve(t, engine)
	defer stop()
	newsroomtest.Until(t.Context(), t, "the first edition is sent", sentAs(t, r, first.ID))
	r.Feed.Publish("Another", r.Clock.Now())
	r.Clock.Add(time.Minute)
	second := r.Begin(n.Slug)
	newsroomtest.Until(t.Context(), t, "the second edition is sent", sentAs(t, r, second.ID))
	for _, a := range readers {
		if got := r.Received()[a]; got < 2 {
			t.Errorf("%s got %d messages", a, got)
		}
	}
}

func TestDelivery_ARefusalAtDataIsTheRows(t *testing.T) {
	t.Parallel()
	r, _, readers := newsroom(t, newsroomtest.Options{Connections: 1, SMTP: smtptest.Options{Faults: []smtptest.Fault{
		{At: smtptest.AtData, To: "r2@example.org", Reply: "550 5.7.1 not for this one"},
	}}}, 4)
	_, tally := r.Send("daily-news")
	want(t, tally, "planned 4 accepted 3 refused 1 expired 0 in_doubt 0 withheld 0 waiting 0")
	each(t, r, []string{readers[0], readers[2], readers[3]}, 1)
}

// Whether everything is refused is counted for each edition, and only refusals count.
func TestDelivery_OnlyRefusalsOfTheEditionPauseIt(t *testing.T) {
	t.Parallel()
	var faults []smtptest.Fault
	r, n, _ := newsroom(t, newsroomtest.Options{Connections: 1}, 25)
	for i := range 24 {
		faults = append(faults, smtptest.Fault{At: smtptest.AtRcpt, To: "r" + string(rune('1'+i%9)) + "@example.org", Times: 1, Reply: "451 later"})
	}
	r.SMTP.SetFaults(append(faults, smtptest.Fault{At: smtptest.AtRcpt, To: "r25@example.org", Reply: "550 no such user"})...)
	first := r.Begin("daily-news")
	if err := r.Desk.Carry(t.Context(), first.ID, time.Second, nil); errors.As(err, new(*delivery.PausedError)) {
		t.Fatalf("greylisting paused it: %v", err)
	}
	r.SMTP.SetFaults()
	r.Clock.Add(time.Hour)
	if err := r.Desk.Carry(t.Context(), first.ID, time.Second, nil); err != nil {
		t.Fatal(err)
	}
	r.SMTP.SetFaults(smtptest.Fault{At: smtptest.AtDot, Reply: "550 5.7.1 account suspended"})
	r.Feed.Publish("Another", r.Clock.Now())
	second := r.Begin(n.Slug)
	if err := r.Desk.Carry(t.Context(), second.ID, time.Second, nil); !errors.As(err, new(*delivery.PausedError)) {
		t.Errorf("with an earlier edition accepted it ends with %v", err)
	}
}

func TestDelivery_ADoubtIsNotSentAgainForEver(t *testing.T) {
	t.Parallel()
	r, _, _ := newsroom(t, newsroomtest.Options{SMTP: smtptest.Options{Faults: []smtptest.Fault{
		{At: smtptest.AtDot, To: "r1@example.org", Action: smtptest.HangUp, Count: true},
	}}}, 2)
	e := r.Begin("daily-news")
	for range 6 {
		err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil)
		if err != nil && !errors.As(err, new(*delivery.UnfinishedError)) {
			t.Fatal(err)
		}
		r.Clock.Add(time.Hour)
	}
	_, tally := r.Tally(e.ID)
	want(t, tally, "planned 2 accepted 1 refused 0 expired 0 in_doubt 1 withheld 0 waiting 0")
	each(t, r, []string{"r1@example.org"}, 1+newsletter.MaxDoubts)
}

// A large edition does not keep a small one waiting.
func TestDelivery_EditionsTakeTurns(t *testing.T) {
	t.Parallel()
	r, _, _ := newsroom(t, newsroomtest.Options{Connections: 1}, 1200)
	other := r.Newsletter("other-news", func(n *newsletter.Newsletter) { n.Name = "Other News" })
	r.Reader(other, "small@example.org", newsletter.Daily, 0)
	r.Begin("daily-news")
	r.Begin("other-news")
	stop := serve(t, r.NewEngine())
	newsroomtest.Until(t.Context(), t, "the small edition arrives", func() bool { return r.Received()["small@example.org"] == 1 })
	if n := len(r.SMTP.Messages()); n > 1100 {
		t.Errorf("the small edition waited for %d messages of the large one", n)
	}
	stop()
}

func TestDelivery_NothingTwiceAfterHoldAndRelease(t *testing.T) {
	t.Parallel()
	r, _, readers := newsroom(t, newsroomtest.Options{}, 2)
	r.Send("daily-news")
	for id := int64(1); id <= 2; id++ {
		if _, err := r.Desk.HoldArticle(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	r.Clock.Add(31 * 24 * time.Hour)
	for id := int64(1); id <= 2; id++ {
		if _, err := r.Desk.ReleaseArticle(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Build("daily-news"); newsletter.ReasonOf(err) != newsletter.SkippedNothingNew {
		t.Errorf("a month later: %v", err)
	}
	each(t, r, readers, 1)
}

func TestDelivery_AMonthWithoutAnEditionLosesNothingOfIt(t *testing.T) {
	t.Parallel()
	r, _, _ := newsroom(t, newsroomtest.Options{}, 2)
	r.Send("daily-news")
	r.Clock.Add(10 * 24 * time.Hour)
	r.Feed.Publish("Of day ten", r.Clock.Now())
	if _, err := r.Desk.FetchAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(23 * 24 * time.Hour)
	e, tally := r.Send("daily-news")
	if e.Articles != 1 || tally.Counts[newsletter.Accepted] != 2 {
		t.Errorf("%d articles, %s", e.Articles, counts(tally))
	}
}

func TestDelivery_AnArticleHeldWhileStaffLookIsNotSent(t *testing.T) {
	t.Parallel()
	r, _, _ := newsroom(t, newsroomtest.Options{}, 2)
	draft, err := r.Build("daily-news")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Desk.HoldArticle(t.Context(), draft.Articles[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Desk.Start(t.Context(), draft, nil); newsletter.ReasonOf(err) != "changed" {
		t.Fatalf("it starts all the same: %v", err)
	}
	e, _ := r.Send("daily-news")
	if e.Articles != 1 || e.Slot != newsletter.MainSlot {
		t.Errorf("then %d articles in the slot %s", e.Articles, e.Slot)
	}
	for _, m := range r.SMTP.Messages() {
		if strings.Contains(string(m.Data), draft.Articles[0].Headline) {
			t.Error("the held article was sent")
		}
	}
}

// What is over the cap of one edition is in the next one, and nothing is in both.
func TestDelivery_OverTheCapIsLeftForTheNextEdition(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	titles := []string{"Oldest of five", "Second of five", "Third of five", "Fourth of five", "Newest of five"}
	for i, title := range titles {
		r.Feed.Publish(title, newsroomtest.Start.Add(time.Duration(i-10)*time.Hour))
	}
	n := r.Newsletter("daily-news", func(n *newsletter.Newsletter) { n.MaxArticles = 2 })
	r.Readers(n, 1, 1)
	for i, want := range [][]string{{titles[4], titles[3]}, {titles[2], titles[1]}, {titles[0]}} {
		if e, _ := r.Send("daily-news"); e.Articles != len(want) {
			t.Errorf("edition %d has %d articles, want %d", i+1, e.Articles, len(want))
		}
		message := string(r.SMTP.Messages()[i].Data)
		for _, title := range titles {
			if got := strings.Contains(message, title); got != slices.Contains(want, title) {
				t.Errorf("edition %d has %q: %v", i+1, title, got)
			}
		}
		r.Clock.Add(time.Hour)
	}
}

func TestDelivery_BelowTheMinimumAReaderWaitsForMore(t *testing.T) {
	t.Parallel()
	r := newsroomtest.New(t, newsroomtest.Options{})
	r.Feed.Publish("The first", newsroomtest.Start.Add(-time.Hour))
	n := r.Newsletter("daily-news", func(n *newsletter.Newsletter) { n.MinArticles = 2 })
	r.Readers(n, 1, 1)
	if _, err := r.Build("daily-news"); newsletter.ReasonOf(err) != newsletter.SkippedNothingNew || !strings.Contains(err.Error(), "minimum of 2") {
		t.Fatalf("with one article: %v", err)
	}
	r.Feed.Publish("The second", r.Clock.Now())
	if e, _ := r.Send("daily-news"); e.Articles != 2 {
		t.Errorf("then %d articles", e.Articles)
	}
}

// Planning that was cut off between two chunks goes on where it was: every reader has one row.
func TestDelivery_PlanningThatWasCutOffGoesOn(t *testing.T) {
	t.Parallel()
	r, _, readers := newsroom(t, newsroomtest.Options{}, 12)
	e := r.Begin("daily-news")
	r.Exec(`DELETE FROM deliveries WHERE edition_id = $1 AND subscriber_id > 5`, e.ID)
	r.Exec(`UPDATE editions SET planned = 5, planned_to = 5, planned_at = NULL WHERE id = $1`, e.ID)
	if _, err := r.Desk.HoldArticle(t.Context(), 1); err != nil { // all readers are treated alike
		t.Fatal(err)
	}
	if err := r.Desk.Carry(t.Context(), e.ID, time.Second, nil); err != nil {
		t.Fatal(err)
	}
	_, tally := r.Tally(e.ID)
	want(t, tally, "planned 12 accepted 12 refused 0 expired 0 in_doubt 0 withheld 0 waiting 0")
	each(t, r, readers, 1)
	for _, m := range r.SMTP.Messages() {
		if !strings.Contains(string(m.Data), "Ferry fares frozen") || !strings.Contains(string(m.Data), "Harbour opens") {
			t.Errorf("%s got another edition", m.To)
		}
	}
}

// A ledger that does not balance is an error, and does not keep other editions from ending.
func TestDelivery_AnImbalanceIsAnErrorOfItsOwnEdition(t *testing.T) {
	t.Parallel()
	r, n, _ := newsroom(t, newsroomtest.Options{}, 2)
	first := r.Begin(n.Slug)
	r.Exec(`UPDATE editions SET planned = 3 WHERE id = $1`, first.ID)
	r.Feed.Publish("Another", r.Clock.Now())
	r.Clock.Add(time.Minute)
	second := r.Begin(n.Slug)
	stop := serve(t, r.NewEngine())
	newsroomtest.Until(t.Context(), t, "the second edition is sent", sentAs(t, r, second.ID))
	stop()
	if _, _, err := r.Desk.Edition(t.Context(), first.ID); err == nil || !strings.Contains(err.Error(), "does not balance") {
		t.Errorf("the first edition: %v", err)
	}
}
