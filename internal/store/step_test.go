package store

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// manyReaders makes editions 1, which is being sent, 2, which is frozen, and 3, which is
// paused, each with a row for every reader, in whatever state a reader can be.
func manyReaders(t *testing.T, s *Store, key newsletter.SuppressionKey, readers int, random *mathrand.Rand) {
	t.Helper()
	smallLedger(t, s)
	statements := []string{`DELETE FROM subscriptions`, `DELETE FROM subscribers`}
	statements = append(statements, smallEdition(2, "1", "frozen")...)
	statements = append(statements, smallEdition(3, "2", "paused")...)
	later, before := millis(noon.Add(time.Hour)), millis(noon.Add(-time.Hour))
	for i := 1; i <= readers; i++ {
		subscription, until, updated := "active", "NULL", int64(0)
		switch random.IntN(12) {
		case 0:
			subscription = "left"
		case 1:
			subscription, until = "paused", "NULL"
		case 2:
			subscription, until = "paused", fmt.Sprint(before) // over
		case 3:
			subscription, until = "paused", fmt.Sprint(later)
		case 4:
			updated = millis(noon) // the reader changed something after the row was read
		case 5:
			statements = append(statements, fmt.Sprintf(`INSERT INTO suppressions (hash, reason, created_at) VALUES (X'%X', 'hard_bounce', 0)`, key.Hash(fmt.Sprintf("r%d@example.org", i))))
		}
		email := fmt.Sprintf("r%d@example.org", i)
		if random.IntN(15) == 0 {
			email = fmt.Sprintf("R%d@example.org", i) // changed since
			updated = millis(noon)
		}
		statements = append(statements,
			fmt.Sprintf(`INSERT INTO subscribers (id, email, email_key, created_at, updated_at) VALUES (%d, '%s', 'r%d@example.org', 0, %d)`, i, email, i, updated),
			fmt.Sprintf(`INSERT INTO subscriptions (newsletter_id, subscriber_id, state, cadence, paused_until, created_at, updated_at) VALUES (1, %d, '%s', 'daily', %s, 0, 0)`, i, subscription, until))
		for edition := 1; edition <= 3; edition++ {
			state := []newsletter.State{newsletter.Waiting, newsletter.Waiting, newsletter.Deferred, newsletter.Accepted, newsletter.Sending, newsletter.Sending}[random.IntN(6)]
			expires := later
			if random.IntN(20) == 0 {
				expires = before
			}
			statements = append(statements, fmt.Sprintf(`INSERT INTO deliveries (edition_id, subscriber_id, variant_id, state, doubts, not_before, next_try, expires_at, updated_at)
				VALUES (%d, %d, %d, %d, %d, 0, 0, %d, 0)`, edition, i, edition, int(state), random.IntN(newsletter.MaxDoubts+1), expires))
		}
	}
	must(t, s, statements...)
}

// randomSteps returns steps with a result for rows that are sending, and an intent for
// others, few of them not as usual.
func randomSteps(t *testing.T, s *Store, key newsletter.SuppressionKey, readers int, random *mathrand.Rand) []newsletter.Step {
	t.Helper()
	var steps []newsletter.Step
	for _, i := range random.Perm(readers) {
		id := int64(i + 1)
		edition := []int64{1, 1, 1, 1, 2, 3}[random.IntN(6)]
		step := newsletter.Step{}
		if d := delivery(t, s, edition, id); d.State == newsletter.Sending || random.IntN(60) == 0 {
			o := newsletter.Outcome{State: newsletter.Accepted, Code: 250, Enhanced: "2.0.0", Relay: "smtp://a"}
			switch random.IntN(12) {
			case 0:
				o = newsletter.Outcome{State: newsletter.Refused, Code: 550, Enhanced: "5.1.1", Reply: "no such user", Relay: "smtp://a"}
			case 1:
				o = newsletter.Outcome{State: newsletter.Deferred, Code: 451, Reply: "later", Relay: "smtp://b"}
			case 2:
				o = newsletter.Outcome{State: newsletter.InDoubt, Relay: "smtp://b"}
			case 3:
				o = newsletter.Outcome{State: newsletter.Waiting}
			case 4:
				o.Relay = "smtp://b"
			}
			step.Last = &newsletter.DeliveryResult{DeliveryKey: newsletter.DeliveryKey{EditionID: edition, SubscriberID: id}, Outcome: o}
			if o.State == newsletter.Deferred || o.State == newsletter.InDoubt {
				step.Last.NextTry = noon.Add(time.Minute)
			}
		} else {
			email := fmt.Sprintf("r%d@example.org", id)
			step.Next = &newsletter.Intent{
				DeliveryKey: newsletter.DeliveryKey{EditionID: edition, SubscriberID: id}, VariantID: 1,
				Email: email, Barred: key.Hashes(email), ReadAt: noon.Add(-time.Minute),
			}
		}
		steps = append(steps, step)
	}
	return steps
}

// Steps that are recorded together, by statements for all of them or after all one by one,
// leave the ledger as each by itself does, and say the same about each.
func TestSteps_TogetherAreWhatEachIsAlone(t *testing.T) {
	t.Parallel()
	const readers = 40
	together, key := stepStore(t)
	alone, _ := stepStore(t)
	for seed := range uint64(12) {
		var ledgers [2]map[string]bool
		var answers [2][]newsletter.StepResult
		for which, s := range []*Store{together, alone} {
			random := mathrand.New(mathrand.NewPCG(seed, 7))
			must(t, s, `DELETE FROM suppressions`)
			manyReaders(t, s, key, readers, random)
			steps := randomSteps(t, s, key, readers, random)
			if seed%3 != 0 { // otherwise nearly every group has somebody who is not as usual
				steps = steps[:4+seed%5]
			}
			size := len(steps)
			if s == alone {
				size = 1
			}
			for at := 0; at < len(steps); at += size {
				results, err := s.Steps(t.Context(), steps[at:at+size], key, noon)
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				answers[which] = append(answers[which], results...)
			}
			ledgers[which] = ledger(t, s)
		}
		for i, a := range answers[0] {
			b := answers[1][i]
			if a.Begun != b.Begun || a.State != b.State || (a.Err == nil) != (b.Err == nil) {
				t.Errorf("seed %d: step %d is %+v together and %+v alone", seed, i, a, b)
			}
		}
		for row := range ledgers[0] {
			if !ledgers[1][row] {
				t.Errorf("seed %d: only together: %s", seed, row)
			}
		}
	}
}

func stepStore(t *testing.T) (*Store, newsletter.SuppressionKey) {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), CreateIfMissing)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, _, err = s.Keys(t.Context(), noon, rand.Reader); err != nil {
		t.Fatal(err)
	}
	return s, newsletter.SuppressionKey("for all stores of the test")
}

// ledger returns every row in words.
func ledger(t *testing.T, s *Store) map[string]bool {
	t.Helper()
	rows := map[string]bool{}
	for edition := int64(1); edition <= 3; edition++ {
		e, err := s.Edition(t.Context(), edition)
		if err != nil {
			t.Fatal(err)
		}
		rows[fmt.Sprint("edition ", edition, " is ", e.State)] = true
		err = s.EachDelivery(t.Context(), newsletter.DeliveryFilter{EditionID: edition}, func(d newsletter.Delivery) error {
			rows[fmt.Sprintf("%+v", d)] = true
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

// One step that cannot be recorded does not fail those that come with it, and what it asked
// for is not begun.
func TestSteps_OneThatFailsLeavesTheOthers(t *testing.T) {
	t.Parallel()
	s, key := stepStore(t)
	smallLedger(t, s)
	row(t, s, 1, 1, newsletter.Sending)
	row(t, s, 1, 2, newsletter.Waiting)
	row(t, s, 1, 3, newsletter.Waiting)
	accepted := newsletter.Outcome{State: newsletter.Accepted, Code: 250, Relay: "smtp://a"}
	intent := func(id int64) *newsletter.Intent {
		email := fmt.Sprintf("r%d@example.org", id)
		return &newsletter.Intent{DeliveryKey: newsletter.DeliveryKey{EditionID: 1, SubscriberID: id}, VariantID: 1, Email: email, Barred: key.Hashes(email), ReadAt: noon}
	}
	results, err := s.Steps(t.Context(), []newsletter.Step{
		{Last: &newsletter.DeliveryResult{DeliveryKey: newsletter.DeliveryKey{EditionID: 1, SubscriberID: 1}, Outcome: accepted}, Next: intent(2)},
		{Last: &newsletter.DeliveryResult{DeliveryKey: newsletter.DeliveryKey{EditionID: 1, SubscriberID: 3}, Outcome: accepted}, Next: intent(3)}, // it was never begun
	}, key, noon)
	if err != nil {
		t.Fatal(err)
	}
	if !results[0].Begun || results[0].Err != nil || results[1].Begun || results[1].Err == nil {
		t.Errorf("they are %+v", results)
	}
	tallyIs(t, s, 1, map[newsletter.State]int{newsletter.Accepted: 1, newsletter.Sending: 1, newsletter.Waiting: 1})
}

// What comes back after an article of it was withdrawn is not sent again.
func TestSteps_WhatWasWithdrawnMeanwhileIsWithheld(t *testing.T) {
	t.Parallel()
	s, key := stepStore(t)
	smallLedger(t, s)
	row(t, s, 1, 1, newsletter.Sending)
	must(t, s, `UPDATE deliveries SET doubts = 0`, `UPDATE variants SET replaced_by = id`)
	at := newsletter.DeliveryKey{EditionID: 1, SubscriberID: 1}
	deferred := newsletter.Outcome{State: newsletter.Deferred, Code: 451, Relay: "smtp://a"}
	intent := newsletter.Intent{DeliveryKey: at, VariantID: 1, Email: "r1@example.org", Barred: key.Hashes("r1@example.org"), ReadAt: noon}
	if _, err := s.Steps(t.Context(), []newsletter.Step{{Last: &newsletter.DeliveryResult{DeliveryKey: at, Outcome: deferred}}}, key, noon); err != nil {
		t.Fatal(err)
	}
	results, err := s.Steps(t.Context(), []newsletter.Step{{Next: &intent}}, key, noon)
	if err != nil || results[0].Begun || results[0].State != newsletter.Withheld {
		t.Fatalf("it is %+v (%v)", results, err)
	}
	if d := delivery(t, s, 1, 1); d.State != newsletter.Withheld || d.Reason != newsletter.ReasonWithdrawn {
		t.Errorf("the row is %+v", d)
	}
}

// A message that went nowhere by no fault of its row does not use up the day of a warm-up.
func TestSteps_AWarmUpCountsWhatWasSent(t *testing.T) {
	t.Parallel()
	s, key := stepStore(t)
	smallLedger(t, s)
	must(t, s, `UPDATE editions SET warm_up = '5/day x2'`)
	row(t, s, 1, 1, newsletter.Waiting)
	row(t, s, 1, 2, newsletter.Waiting)
	for id, outcome := range map[int64]newsletter.State{1: newsletter.Waiting, 2: newsletter.Accepted} {
		at := newsletter.DeliveryKey{EditionID: 1, SubscriberID: id}
		email := fmt.Sprintf("r%d@example.org", id)
		intent := newsletter.Intent{DeliveryKey: at, VariantID: 1, Email: email, Barred: key.Hashes(email), ReadAt: noon}
		result := newsletter.DeliveryResult{DeliveryKey: at, Outcome: newsletter.Outcome{State: outcome}}
		for _, step := range []newsletter.Step{{Next: &intent}, {Last: &result}} {
			if results, err := s.Steps(t.Context(), []newsletter.Step{step}, key, noon); err != nil || results[0].Err != nil {
				t.Fatal(results, err)
			}
		}
	}
	if begun, err := s.BegunOn(t.Context(), 1, noon); err != nil || begun != 1 {
		t.Errorf("%d were begun (%v), want the one that was accepted", begun, err)
	}
}
