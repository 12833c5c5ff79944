package store

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// returnedLedger makes the small ledger with a delivery of edition 1 to each of its readers,
// accepted at noon, and returns the key that suppressions are kept under.
func returnedLedger(t *testing.T, s *Store) newsletter.SuppressionKey {
	t.Helper()
	smallLedger(t, s)
	for i := int64(1); i <= 3; i++ {
		row(t, s, 1, i, newsletter.Accepted)
	}
	must(t, s, fmt.Sprintf(`UPDATE deliveries SET updated_at = %d`, millis(noon)))
	_, key, err := s.Keys(t.Context(), noon, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// suppressedFor returns why the reader's address is suppressed; "" if it is not.
func suppressedFor(t *testing.T, s *Store, key newsletter.SuppressionKey, email string) newsletter.SuppressionReason {
	t.Helper()
	stands, err := suppressionOf(s.read(t.Context()), key.Hash(email))
	if err != nil {
		t.Fatal(err)
	}
	return stands.Reason
}

func take(t *testing.T, s *Store, r newsletter.Return) newsletter.ReturnTaken {
	t.Helper()
	if r.EditionID == 0 && r.MailID == 0 {
		r.EditionID, r.SubscriberID = 1, 1
	}
	if r.At.IsZero() {
		r.At = noon.Add(time.Minute)
	}
	r.Channel = "pipe"
	taken, err := s.TakeReturn(t.Context(), r, newsletter.DefaultSoftLimit())
	if err != nil {
		t.Fatal(err)
	}
	return taken
}

func TestTakeReturn_HardSuppressesAtOnceAndIsTakenOnce(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	key := returnedLedger(t, s)
	r := newsletter.Return{Kind: newsletter.ReturnHard, Status: "5.1.1", Code: 550, Reason: "user_unknown", Diagnostic: "no such user", Address: "forwarded@example.net"}
	first := take(t, s, r)
	if first.Again || first.Reader != "r1@example.org" || first.Effect != "the address is suppressed (hard_bounce)" {
		t.Errorf("taken as %+v", first)
	}
	if got := suppressedFor(t, s, key, "r1@example.org"); got != newsletter.SuppressedHardBounce {
		t.Errorf("the address is suppressed for %q", got)
	}
	if got := suppressedFor(t, s, key, "r2@example.org"); got != "" {
		t.Errorf("somebody else is suppressed for %q", got)
	}
	if d := delivery(t, s, 1, 1); d.State != newsletter.Accepted || d.Returned != newsletter.Bounced {
		t.Errorf("the delivery is %s, returned %q", d.State, d.Returned)
	}
	must(t, s, `DELETE FROM suppressions`) // staff lift it
	r.Diagnostic = "another relay's words"
	if again := take(t, s, r); !again.Again {
		t.Errorf("taken again as %+v", again)
	}
	if got := suppressedFor(t, s, key, "r1@example.org"); got != "" {
		t.Errorf("the same report suppressed it again for %q", got)
	}
	list, err := s.Returns(t.Context(), 1, 10)
	want := []newsletter.Return{first.Return}
	if err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("the history has %+v (%v), want %+v", list, err, want)
	}
	counts, err := s.ReturnCounts(t.Context())
	if err != nil || len(counts) != 1 || counts[0] != (newsletter.ReturnCount{Kind: newsletter.ReturnHard, Channel: "pipe", Count: 1}) {
		t.Errorf("counted as %v (%v)", counts, err)
	}
}

func TestTakeReturn_SoftCountsDaysTowardsTheLimit(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		at     []time.Duration // since noon
		reason string          // empty: the mailbox is full
		last   string          // the reason of the last one; empty: the same
		lifted time.Duration   // a suppression was lifted then; 0: none was
		late   time.Duration   // how long each report takes
		want   newsletter.SuppressionReason
	}{
		"four days":                   {at: []time.Duration{0, day, 2 * day, 3 * day}},
		"five days":                   {at: []time.Duration{0, day, 2 * day, 3 * day, 4 * day}, want: newsletter.SuppressedSoftBounces},
		"weekly":                      {at: []time.Duration{0, 7 * day, 14 * day, 21 * day, 28 * day}, want: newsletter.SuppressedSoftBounces},
		"one day":                     {at: []time.Duration{0, time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour}},
		"too long ago":                {at: []time.Duration{0, 10 * day, 20 * day, 29 * day, 31 * day}},
		"delays":                      {at: []time.Duration{0, day, 2 * day, 3 * day, 4 * day, 5 * day}, reason: newsletter.ReturnDelayed},
		"delays and one failure":      {at: []time.Duration{0, day, 2 * day, 3 * day, 4 * day}, reason: newsletter.ReturnDelayed, last: "mailbox_full"},
		"we were blocked":             {at: []time.Duration{0, day, 2 * day, 3 * day, 4 * day, 5 * day}, reason: "blocked"},
		"blocked, and one failure":    {at: []time.Duration{0, day, 2 * day, 3 * day, 4 * day}, reason: "blocked", last: "mailbox_full"},
		"lifted in between":           {at: []time.Duration{0, day, 2 * day, 3 * day, 4 * day}, lifted: 2*day + time.Hour},
		"lifted, and reported later":  {at: []time.Duration{0, day, 2 * day, 3 * day, 4 * day}, lifted: 2 * time.Hour, late: 3 * time.Hour},
		"enough of them since lifted": {at: []time.Duration{0, 2 * day, 3 * day, 4 * day, 5 * day, 6 * day}, lifted: time.Hour, want: newsletter.SuppressedSoftBounces},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openTest(t)
			key := returnedLedger(t, s)
			if c.lifted != 0 {
				must(t, s, fmt.Sprintf(`INSERT INTO suppression_events (hash, kind, reason, at) VALUES (X'%x', 'lifted', 'left', %d)`,
					key.Hash("r1@example.org"), millis(noon.Add(c.lifted))))
			}
			for i, after := range c.at {
				edition := int64(10 + i)
				must(t, s, smallEdition(edition, "1", "sent")...)
				row(t, s, edition, 1, newsletter.Accepted)
				must(t, s, fmt.Sprintf(`UPDATE deliveries SET updated_at = %d WHERE edition_id = %d`, millis(noon.Add(after)), edition))
				reason := c.reason
				if reason == "" {
					reason = "mailbox_full"
				}
				if i == len(c.at)-1 && c.last != "" {
					reason = c.last
				}
				take(t, s, newsletter.Return{EditionID: edition, SubscriberID: 1, Kind: newsletter.ReturnSoft, Reason: reason, At: noon.Add(after + c.late)})
				if got := delivery(t, s, edition, 1).Returned; (got == newsletter.Bounced) != (reason != newsletter.ReturnDelayed) {
					t.Errorf("edition %d: returned %q", edition, got)
				}
			}
			if got := suppressedFor(t, s, key, "r1@example.org"); got != c.want {
				t.Errorf("suppressed for %q, want %q", got, c.want)
			}
		})
	}
}

func TestTakeReturn_AComplaintLeavesEverythingAndStaysTheReason(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	key := returnedLedger(t, s)
	must(t, s,
		`INSERT INTO newsletters (id, slug, name, from_name, from_email, postal_address, language, zone, min_articles, max_articles, status, created_at, updated_at)
			VALUES (2, 'weekly', 'Weekly', '', 'news@example.org', 'x', 'en', 'UTC', 1, 12, 'open', 0, 0)`,
		`INSERT INTO subscriptions (newsletter_id, subscriber_id, state, cadence, created_at, updated_at) VALUES (2, 1, 'pending', 'weekly', 0, 0)`)
	taken := take(t, s, newsletter.Return{Kind: newsletter.ReturnComplaint, Reason: "feedback"})
	if want := "the reader left 2 newsletters; the address is suppressed (complaint)"; taken.Effect != want {
		t.Errorf("effect %q, want %q", taken.Effect, want)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM subscriptions WHERE subscriber_id = 1 AND state <> 'left'`); n != 0 {
		t.Errorf("%d subscriptions go on", n)
	}
	events, err := s.Events(t.Context(), 1)
	if err != nil || len(events) != 2 || events[0].Kind != newsletter.EventLeft || events[0].Channel != newsletter.ChannelComplaint || events[0].EditionID != 1 {
		t.Errorf("events: %+v (%v)", events, err)
	}
	link := newsletter.Link{SubscriberID: 1, NewsletterID: 1, EditionID: 1}
	if ok, err := s.CanUndoLeave(t.Context(), link, noon.Add(time.Hour)); ok || err != nil {
		t.Errorf("a link takes the complaint back: %v (%v)", ok, err)
	}
	take(t, s, newsletter.Return{Kind: newsletter.ReturnHard, Reason: "user_unknown"})
	if got := suppressedFor(t, s, key, "r1@example.org"); got != newsletter.SuppressedComplaint {
		t.Errorf("a bounce made the reason %q", got)
	}
	if d := delivery(t, s, 1, 1); d.Returned != newsletter.Complained {
		t.Errorf("the delivery is returned as %q", d.Returned)
	}
}

func TestTakeReturn_WhatChangesNoAddress(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]newsletter.Return{
		"auto-reply": {Kind: newsletter.ReturnAutoReply, Reason: "vacation"},
		"other":      {Kind: newsletter.ReturnOther},
		"delayed":    {Kind: newsletter.ReturnSoft, Reason: newsletter.ReturnDelayed},
		"delivered":  {Kind: newsletter.ReturnOther, Reason: newsletter.ReturnDelivered},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openTest(t)
			key := returnedLedger(t, s)
			taken := take(t, s, r)
			if d := delivery(t, s, 1, 1); taken.Effect != "" || d.Returned != newsletter.NothingReturned || d.State != newsletter.Accepted {
				t.Errorf("effect %q, delivery %s, returned %q", taken.Effect, d.State, d.Returned)
			}
			if got := suppressedFor(t, s, key, "r1@example.org"); got != "" {
				t.Errorf("suppressed for %q", got)
			}
		})
	}
}

// A relay that takes days to give up says nothing of an address that was confirmed meanwhile.
func TestTakeReturn_AHardReturnOfBeforeTheLastLiftSuppressesNobody(t *testing.T) {
	t.Parallel()
	for name, lifted := range map[string]time.Duration{"before": -time.Hour, "after": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openTest(t)
			key := returnedLedger(t, s)
			must(t, s, fmt.Sprintf(`INSERT INTO suppression_events (hash, kind, reason, path, at) VALUES (X'%x', 'lifted', 'hard_bounce', 'confirm', %d)`,
				key.Hash("r1@example.org"), millis(noon.Add(lifted))))
			take(t, s, newsletter.Return{Kind: newsletter.ReturnHard, At: noon.Add(2 * time.Hour)})
			if got := suppressedFor(t, s, key, "r1@example.org"); (got == "") != (lifted > 0) {
				t.Errorf("suppressed for %q", got)
			}
		})
	}
}

func TestTakeReturn_OfAConfirmationMailSuppressesToo(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	key := returnedLedger(t, s)
	must(t, s, `INSERT INTO mails (id, kind, subscriber_id, state, not_before, next_try, expires_at, created_at, updated_at) VALUES (7, 'already', 2, 3, 0, 0, 0, 0, 0)`)
	path := newsletter.ReturnPath{MailID: 7}
	if email, err := s.ReturnReader(t.Context(), path); email != "r2@example.org" || err != nil {
		t.Errorf("it had gone to %q (%v)", email, err)
	}
	taken := take(t, s, newsletter.Return{MailID: 7, Kind: newsletter.ReturnHard})
	if got := suppressedFor(t, s, key, "r2@example.org"); got != newsletter.SuppressedHardBounce || taken.SubscriberID != 2 {
		t.Errorf("suppressed for %q, taken as %+v", got, taken)
	}
	gone := take(t, s, newsletter.Return{MailID: 8, Kind: newsletter.ReturnHard, Diagnostic: "<r3@example.org>: unknown"})
	if gone.SubscriberID != 0 || gone.Diagnostic != "" {
		t.Errorf("of a mail that is not kept it is taken as %+v", gone)
	}
}

func TestTakeReturn_OfSomebodyErasedKeepsNoWords(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	returnedLedger(t, s)
	must(t, s, `DELETE FROM subscriptions WHERE subscriber_id = 1`, `DELETE FROM subscribers WHERE id = 1`)
	taken := take(t, s, newsletter.Return{Kind: newsletter.ReturnHard, Diagnostic: "<r1@example.org>: unknown", Address: "r1@example.org"})
	list, err := s.Returns(t.Context(), 1, 10)
	if err != nil || len(list) != 1 || list[0].Diagnostic+list[0].Address != "" || taken.Reader != "" {
		t.Errorf("kept %+v (%v)", list, err)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM suppressions`); n != 0 {
		t.Errorf("%d suppressions", n)
	}
	if d := delivery(t, s, 1, 1); d.Returned != newsletter.Bounced {
		t.Errorf("the delivery is returned as %q", d.Returned)
	}
}

// What came back stands under accepted, whether the edition is counted at once, was counted
// before it came, or has no rows any more.
func TestReport_CountsWhatCameBack(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	bigEdition(t, s, 1_000)
	if _, _, err := s.Keys(t.Context(), noon, rand.Reader); err != nil {
		t.Fatal(err)
	}
	back := func(subscriber int64, kind newsletter.ReturnKind) {
		t.Helper()
		take(t, s, newsletter.Return{EditionID: 1, SubscriberID: subscriber, Kind: kind})
	}
	want := func(when string, bounced, complained int) {
		t.Helper()
		r := report(t, s, 1)
		if r.Returned == nil || *r.Returned != (newsletter.ReturnedTotal{Bounced: bounced, Complained: complained}) {
			t.Errorf("%s: %+v", when, r.Returned)
		}
	}
	back(10, newsletter.ReturnAutoReply)
	want("an auto-reply", 0, 0)
	back(10, newsletter.ReturnHard)
	back(11, newsletter.ReturnSoft)
	back(12, newsletter.ReturnComplaint)
	back(1, newsletter.ReturnHard) // it was refused
	want("counted at once", 2, 1)
	if bounced, complaints, err := s.CameBack(t.Context(), 1); bounced != 2 || complaints != 1 || err != nil {
		t.Errorf("%d came back, %d complaints (%v)", bounced, complaints, err)
	}
	live := report(t, s, 1)
	back(13, newsletter.ReturnHard) // while it is being counted
	if kept, err := s.KeepTotals(t.Context(), live, noon); err != nil || !kept {
		t.Fatalf("kept: %v (%v)", kept, err)
	}
	want("counted before", 3, 1)
	back(14, newsletter.ReturnHard)
	back(11, newsletter.ReturnComplaint) // who bounced before
	back(11, newsletter.ReturnHard)
	want("totals are kept", 3, 2)
	var ids []int64
	for _, d := range mustDeliveries(t, s, newsletter.DeliveryFilter{EditionID: 1, Returned: newsletter.Complained}) {
		ids = append(ids, d.SubscriberID)
	}
	if !slices.Equal(ids, []int64{11, 12}) {
		t.Errorf("the complaints are of %v", ids)
	}
	if _, err := s.PruneDeliveries(t.Context(), noon, noon); err != nil {
		t.Fatal(err)
	}
	want("rows are removed", 3, 2)
	back(15, newsletter.ReturnHard)
	want("too late", 3, 2)
}

func mustDeliveries(t *testing.T, s *Store, f newsletter.DeliveryFilter) []newsletter.Delivery {
	t.Helper()
	list, err := s.Deliveries(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A late bounce of a delivery in doubt says in the ledger what it was, and the edition is
// counted anew.
func TestTakeReturn_SettlesADoubtOfAnEditionThatWasCounted(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	bigEdition(t, s, 1_000)
	if _, _, err := s.Keys(t.Context(), noon, rand.Reader); err != nil {
		t.Fatal(err)
	}
	if kept, err := s.KeepTotals(t.Context(), report(t, s, 1), noon); err != nil || !kept {
		t.Fatalf("kept: %v (%v)", kept, err)
	}
	taken := take(t, s, newsletter.Return{EditionID: 1, SubscriberID: 5, Kind: newsletter.ReturnSoft, Status: "5.2.2", Code: 552, Reason: "mailbox_full", Diagnostic: "over quota"})
	if !strings.Contains(taken.Effect, "was in doubt and is refused") {
		t.Errorf("effect %q", taken.Effect)
	}
	d := delivery(t, s, 1, 5)
	if d.State != newsletter.Refused || d.Code != 552 || d.Enhanced != "5.2.2" || d.Reply != "it came back: mailbox_full over quota" || d.Returned != newsletter.NothingReturned {
		t.Errorf("the delivery is %+v", d)
	}
	if r := report(t, s, 1); !r.CountedAt.IsZero() || r.Tally.Counts[newsletter.InDoubt] != 9 || r.Tally.Counts[newsletter.Refused] != 21 {
		t.Errorf("the report has %+v", r.Tally)
	}
	must(t, s, `UPDATE editions SET totals_at = 1, pruned_at = 1`) // its rows are being removed
	if taken = take(t, s, newsletter.Return{EditionID: 1, SubscriberID: 105, Kind: newsletter.ReturnSoft, Reason: "mailbox_full"}); taken.Again {
		t.Error("taken again")
	}
}

func TestPruneReturns_RemovesOldOnesOnly(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	returnedLedger(t, s)
	for i := int64(1); i <= 3; i++ {
		take(t, s, newsletter.Return{EditionID: 1, SubscriberID: i, Kind: newsletter.ReturnAutoReply, At: noon.Add(time.Duration(i) * time.Hour)})
	}
	n, err := s.PruneReturns(t.Context(), noon.Add(3*time.Hour))
	if left := count(t, s, `SELECT COUNT(*) FROM returns`); n != 2 || left != 1 || err != nil {
		t.Errorf("%d removed, %d left (%v)", n, left, err)
	}
}

func TestPullBrake_PausesOnceAndNotBelowWhatStaffLetGoOn(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	smallLedger(t, s)
	pull := func(kind newsletter.BrakeKind, share, next float64) bool {
		t.Helper()
		pulled, err := s.PullBrake(t.Context(), 1, newsletter.BrakePull{Kind: kind, Share: share, Next: next, Reason: "too much"}, noon)
		if err != nil {
			t.Fatal(err)
		}
		return pulled
	}
	resume := func() {
		t.Helper()
		if err := s.MoveEdition(t.Context(), 1, []newsletter.EditionState{newsletter.EditionPaused}, newsletter.EditionSending, "", "test", noon); err != nil {
			t.Fatal(err)
		}
	}
	if !pull(newsletter.BrakeRefused, 0.06, 0.11) {
		t.Error("it goes on")
	}
	e, err := s.Edition(t.Context(), 1)
	if err != nil || e.State != newsletter.EditionPaused || e.Reason != "too much" || e.Brakes != (newsletter.Brakes{Refused: 0.11}) {
		t.Errorf("it is %+v (%v)", e, err)
	}
	if pull(newsletter.BrakeRefused, 0.5, 0.55) {
		t.Error("it is paused twice")
	}
	resume()
	if pull(newsletter.BrakeRefused, 0.1, 0.15) {
		t.Error("what staff let go on is stopped again")
	}
	if !pull(newsletter.BrakeComplaints, 0.004, 0.007) {
		t.Error("complaints do not stop it")
	}
	resume()
	if !pull(newsletter.BrakeRefused, 0.12, 0.17) {
		t.Error("it is worse, and goes on")
	}
	if n := count(t, s, `SELECT COUNT(*) FROM desk_events WHERE action = 'edition paused' AND actor = 'sender' AND detail = 'too much'`); n != 3 {
		t.Errorf("it is on record %d times", n)
	}
}

func TestReturned_IsCountedByItsIndex(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	bigEdition(t, s, 2000)
	must(t, s, `UPDATE deliveries SET returned = 1 WHERE subscriber_id % 50 = 10`)
	for _, statistics := range []string{``, `ANALYZE`} {
		if statistics != "" {
			must(t, s, statistics)
		}
		rows, err := s.read(t.Context()).query(`EXPLAIN QUERY PLAN `+returnedQuery, 1)
		plan, err := collect(rows, err, func(rows *sql.Rows) (detail string, err error) {
			var ignored [3]int
			err = rows.Scan(&ignored[0], &ignored[1], &ignored[2], &detail)
			return detail, err
		})
		if err != nil || len(plan) != 2 || !strings.Contains(plan[0], "deliveries_returned") || !strings.Contains(plan[1], "subscriber_id=?") {
			t.Errorf("after %q it goes by %q (%v)", statistics, plan, err)
		}
	}
}

// A fast relay's bounce may be here before the result of its message is on record.
func TestTakeReturn_WhileTheMessageIsBeingSent(t *testing.T) {
	t.Parallel()
	for _, kind := range []newsletter.ReturnKind{newsletter.ReturnHard, newsletter.ReturnComplaint} {
		s := openTest(t)
		smallLedger(t, s)
		row(t, s, 1, 1, newsletter.Sending)
		take(t, s, newsletter.Return{Kind: kind})
		if got := delivery(t, s, 1, 1).State; got != newsletter.Sending {
			t.Errorf("%s: the delivery is %s", kind, got)
		}
		if err := result(newsletter.Accepted)(t, s); err != nil {
			t.Fatal(err)
		}
		want := map[newsletter.ReturnKind]newsletter.ReturnedTotal{newsletter.ReturnHard: {Bounced: 1}, newsletter.ReturnComplaint: {Complained: 1}}[kind]
		if r := report(t, s, 1); r.Returned == nil || *r.Returned != want || r.Tally.Counts[newsletter.Accepted] != 1 {
			t.Errorf("%s: the report has %+v of %+v", kind, r.Returned, r.Tally.Counts)
		}
	}
}

// What came back before a message was begun says nothing of that message.
func TestSettle_WhatCameBackOfAnEarlierTryProvesNothing(t *testing.T) {
	t.Parallel()
	for began, want := range map[time.Duration]newsletter.State{0: newsletter.Refused, 2 * time.Minute: newsletter.InDoubt} {
		s := openTest(t)
		smallLedger(t, s)
		row(t, s, 1, 1, newsletter.Sending)
		take(t, s, newsletter.Return{Kind: newsletter.ReturnSoft, Reason: "mailbox_full"})
		must(t, s, fmt.Sprintf(`UPDATE deliveries SET updated_at = %d`, millis(noon.Add(began))))
		if err := result(newsletter.InDoubt)(t, s); err != nil {
			t.Fatal(err)
		}
		if got := delivery(t, s, 1, 1).State; got != want {
			t.Errorf("begun after %s the delivery is %s, want %s", began, got, want)
		}
	}
}

// What was to be sent once more, and arrived, counts as what it is.
func TestTakeReturn_AComplaintOfWhatWaitsToBeSentAgain(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	smallLedger(t, s)
	row(t, s, 1, 1, newsletter.Deferred)
	taken := take(t, s, newsletter.Return{Kind: newsletter.ReturnComplaint})
	d := delivery(t, s, 1, 1)
	if d.State != newsletter.Accepted || d.Returned != newsletter.Complained || d.Reply != "it arrived: the reader reported it as spam" {
		t.Errorf("the delivery is %+v", d)
	}
	if want := "the delivery was in doubt and is accepted; the reader left 1 newsletter; the address is suppressed (complaint)"; taken.Effect != want {
		t.Errorf("effect %q, want %q", taken.Effect, want)
	}
}

// Nobody who must not be mailed is told that mail comes again, nor to sign up again: whether the
// subscription has ended, and by what, is asked after that.
func TestUndoLeave_WhoMustNotBeMailedIsToldSo(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	key := returnedLedger(t, s)
	take(t, s, newsletter.Return{Kind: newsletter.ReturnComplaint, Reason: "feedback"})
	must(t, s, fmt.Sprintf(`INSERT INTO suppressions (hash, reason, created_at) VALUES (X'%x', 'hard_bounce', 0)`, key.Hash("r2@example.org")))
	for subscriber := range int64(2) {
		link := newsletter.Link{SubscriberID: subscriber + 1, NewsletterID: 1, EditionID: 1}
		if err := s.UndoLeave(t.Context(), link, newsletter.Origin{Channel: "link"}, noon.Add(time.Hour)); newsletter.ReasonOf(err) != "suppressed" {
			t.Errorf("reader %d: %v", subscriber+1, err)
		}
	}
}

// refuse has the relay refuse edition 1 to a reader as dead, and finishes the edition.
func refuse(t *testing.T, s *Store, key newsletter.SuppressionKey, edition int64, at time.Time, readers ...int64) {
	t.Helper()
	refusedBy(t, s, key, edition, at, readers...)
	finished(t, s, edition, at)
}

func refusedBy(t *testing.T, s *Store, key newsletter.SuppressionKey, edition int64, at time.Time, readers ...int64) {
	t.Helper()
	for _, id := range readers {
		must(t, s, fmt.Sprintf(`UPDATE deliveries SET state = 2 WHERE edition_id = %d AND subscriber_id = %d`, edition, id))
		results, err := s.Steps(t.Context(), []newsletter.Step{{Last: &newsletter.DeliveryResult{
			DeliveryKey: newsletter.DeliveryKey{EditionID: edition, SubscriberID: id},
			Outcome:     newsletter.Outcome{State: newsletter.Refused, Code: 550, Enhanced: "5.1.1", Reply: "no such user"},
			Return:      &newsletter.Return{Kind: newsletter.ReturnHard, Reason: "user_unknown", Channel: newsletter.ChannelRelay},
		}}}, key, at)
		if err != nil || results[0].Err != nil {
			t.Fatal(err, results)
		}
	}
}

func finished(t *testing.T, s *Store, edition int64, at time.Time) {
	t.Helper()
	must(t, s, fmt.Sprintf(`UPDATE editions SET state = 'sending' WHERE id = %d`, edition))
	if done, err := s.FinishEdition(t.Context(), edition, at); err != nil || !done {
		t.Fatalf("edition %d is finished: %v (%v)", edition, done, err)
	}
}

// Who was refused by mistake, and got it at the next try, is not dead.
func TestFinishEdition_WhoGotItAfterAllIsNotSuppressed(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	key := returnedLedger(t, s)
	refusedBy(t, s, key, 1, noon, 1)
	must(t, s, `UPDATE deliveries SET state = 3, code = 250 WHERE subscriber_id = 1`)
	finished(t, s, 1, noon)
	if got := suppressedFor(t, s, key, "r1@example.org"); got != "" {
		t.Errorf("it is suppressed for %q", got)
	}
}

func TestFinishEdition_JudgesWhomTheRelayRefusedAsDead(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		refused []int64 // of the three readers
		before  string  // a statement
		days    int     // editions on as many days; 0: one
		kind    newsletter.ReturnKind
		want    newsletter.SuppressionReason
	}{
		"one of three":                 {refused: []int64{1}, kind: "hard", want: newsletter.SuppressedHardBounce},
		"everybody":                    {refused: []int64{1, 2, 3}, kind: "soft"},
		"everybody, five days":         {refused: []int64{1, 2, 3}, days: 5, kind: "soft", want: newsletter.SuppressedSoftBounces},
		"everybody of a domain":        {refused: []int64{1, 2, 3}, before: `INSERT INTO subscribers (id, email, email_key, created_at, updated_at) VALUES (4, 'r4@example.net', 'r4@example.net', 0, 0)`, kind: "soft"},
		"it had been in doubt":         {refused: []int64{1}, before: `UPDATE deliveries SET doubts = 1`},
		"lifted while it was sent":     {refused: []int64{1}, before: `lift`, kind: "hard"},
		"a report said it before it":   {refused: []int64{1, 2, 3}, before: `report`, kind: "soft"},
		"refused, accepted, came back": {refused: []int64{1}, before: `retry`, kind: "hard", want: newsletter.SuppressedHardBounce},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openTest(t)
			key := returnedLedger(t, s)
			switch c.before {
			case "lift":
				must(t, s, fmt.Sprintf(`INSERT INTO suppression_events (hash, kind, reason, at) VALUES (X'%x', 'lifted', 'left', %d)`,
					key.Hash("r1@example.org"), millis(noon.Add(time.Second))))
			case "report":
				take(t, s, newsletter.Return{Kind: newsletter.ReturnSoft, Reason: "mailbox_full"})
			case "", "retry":
			default:
				must(t, s, c.before)
			}
			if strings.HasPrefix(c.before, "INSERT") {
				row(t, s, 1, 4, newsletter.Accepted)
			}
			refuse(t, s, key, 1, noon, c.refused...)
			for i := int64(1); i < int64(c.days); i++ {
				must(t, s, smallEdition(10+i, "1", "sending")...)
				for _, id := range c.refused {
					row(t, s, 10+i, id, newsletter.Sending)
					must(t, s, `UPDATE deliveries SET doubts = 0`)
				}
				refuse(t, s, key, 10+i, noon.Add(time.Duration(i)*day), c.refused...)
			}
			if c.before == "retry" {
				must(t, s, `DELETE FROM suppressions`, `UPDATE deliveries SET state = 3, code = 250`)
				if got := take(t, s, newsletter.Return{Kind: newsletter.ReturnHard, Reason: "user_unknown"}); got.Again || delivery(t, s, 1, 1).Returned != newsletter.Bounced {
					t.Errorf("the report of the second try is taken as %+v", got)
				}
			}
			if got := suppressedFor(t, s, key, "r1@example.org"); got != c.want {
				t.Errorf("it is suppressed for %q, want %q", got, c.want)
			}
			list, err := s.Returns(t.Context(), 1, 10)
			if err != nil || len(list) != max(c.days, min(len(c.kind), 1)) || len(list) > 0 && (list[0].Kind != c.kind || list[0].Effect == "") {
				t.Errorf("on record is %+v (%v)", list, err)
			}
		})
	}
}
