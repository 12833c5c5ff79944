package store

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// suppressed runs f in a write transaction.
func inTx(t testing.TB, s *Store, f func(*tx) error) {
	t.Helper()
	if err := s.write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func TestSuppress_AStrongerReasonIsNeverReplacedByAWeakerOne(t *testing.T) {
	t.Parallel()
	s, _, key := outbox(t)
	reasons := newsletter.SuppressionReasons()
	for i, first := range reasons {
		for j, second := range reasons {
			hash := key.Hash(fmt.Sprintf("r%d-%d@example.org", i, j))
			inTx(t, s, func(t *tx) error { return t.suppress(hash, first, "the first", "ada", noon) })
			inTx(t, s, func(t *tx) error { return t.suppress(hash, second, "the second", "bo", noon.Add(time.Hour)) })
			got, err := s.SuppressionBy(t.Context(), hash)
			if err != nil {
				t.Fatal(err)
			}
			want := newsletter.Suppression{ID: got.ID, Hash: hash, Reason: first, Note: "the first", Actor: "ada", CreatedAt: fromMillis(millis(noon))}
			if j < i {
				want.Reason, want.Note, want.Actor, want.CreatedAt = second, "the second", "bo", fromMillis(millis(noon.Add(time.Hour)))
			}
			if second == newsletter.SuppressedErased && j > i {
				want.Note = "" // what was written about the person goes, the complaint stays
			}
			if second == newsletter.SuppressedErased && j == i {
				want.Note = ""
			}
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
				t.Errorf("%s, then %s:\n%+v, want\n%+v", first, second, got, want)
			}
		}
	}
}

func TestSuppress_TheHistoryKeepsWhatWasAndWhoLifted(t *testing.T) {
	t.Parallel()
	s, _, key := outbox(t)
	ctx, hash := t.Context(), key.Hash("a@example.org")
	inTx(t, s, func(t *tx) error {
		return t.suppress(hash, newsletter.SuppressedHardBounce, "edition 4", "bounce", noon)
	})
	inTx(t, s, func(t *tx) error { return t.suppress(hash, newsletter.SuppressedSoftBounces, "", "bounce", noon) })
	if _, err := s.LiftSuppression(ctx, hash, "", newsletter.LiftByStaff, "she wrote to us", "cli:ada", noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.LiftSuppression(ctx, hash, "", newsletter.LiftByStaff, "again", "cli:ada", noon); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("lifted twice: %v", err)
	}
	inTx(t, s, func(t *tx) error {
		return t.suppress(hash, newsletter.SuppressedComplaint, "edition 5", "bounce", noon.Add(2*time.Hour))
	})
	events, err := s.SuppressionEvents(ctx, hash)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprintf("%s %s %s %q %s %s", e.Kind, e.Reason, e.Path, e.Note, e.Actor, e.At.Sub(noon)))
	}
	want := []string{
		`suppressed hard_bounce  "edition 4" bounce 0s`,
		`lifted hard_bounce staff "she wrote to us" cli:ada 1h0m0s`,
		`suppressed complaint  "edition 5" bounce 2h0m0s`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	// Erasing empties every note, and the complaint stands.
	inTx(t, s, func(t *tx) error { return t.suppress(hash, newsletter.SuppressedErased, "", "", noon) })
	if n := number(t, s, `SELECT COUNT(*) FROM suppression_events WHERE note <> ''`); n != 0 {
		t.Errorf("%d notes are left", n)
	}
	if now, err := s.SuppressionBy(ctx, hash); err != nil || now.Reason != newsletter.SuppressedComplaint || now.Note != "" {
		t.Errorf("%+v, %v", now, err)
	}
}

// number returns the number that a query gives.
func number(t *testing.T, s *Store, query string, args ...any) (n int) {
	t.Helper()
	if err := s.read(t.Context()).row(query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLiftSuppression_AsksTheTable(t *testing.T) {
	t.Parallel()
	s, _, key := outbox(t)
	for _, reason := range append(newsletter.SuppressionReasons(), "of a newer version") {
		for _, path := range newsletter.LiftPaths() {
			for _, note := range []string{"", "a note"} {
				hash := key.Hash(fmt.Sprintf("%s-%s-%s@example.org", reason, path, note))
				inTx(t, s, func(t *tx) error { return t.suppress(hash, reason, "", "", noon) })
				_, err := s.LiftSuppression(t.Context(), hash, "", path, note, "ada", noon)
				lifting := reason.LiftedBy(path)
				want := lifting == newsletter.Lifts || lifting == newsletter.LiftsWithNote && note != ""
				left := number(t, s, `SELECT COUNT(*) FROM suppressions WHERE hash = $1`, hash)
				if (err == nil) != want || (left == 0) != want {
					t.Errorf("%s by %s with the note %q: %v, %d left", reason, path, note, err, left)
				}
			}
		}
	}
}

func TestSuppressions_AreListedEachOnce(t *testing.T) {
	t.Parallel()
	s, n, key := outbox(t)
	ctx := t.Context()
	var list []newsletter.Suppression
	for i := range 25 {
		list = append(list, newsletter.Suppression{Hash: key.Hash(fmt.Sprintf("r%d@example.org", i)), Reason: []newsletter.SuppressionReason{newsletter.SuppressedLeft, newsletter.SuppressedStaff}[i%2]})
	}
	list = append(list, newsletter.Suppression{Hash: key.DomainHash("example.com"), Domain: "example.com", Reason: newsletter.SuppressedStaff})
	changed, err := s.Suppress(ctx, list, noon)
	if err != nil || slices.Contains(changed, false) || len(changed) != 26 {
		t.Fatal(changed, err)
	}
	if changed, err = s.Suppress(ctx, list, noon); err != nil || slices.Contains(changed, true) {
		t.Error("entered again", changed, err)
	}
	for _, email := range []string{"r3@example.org", "r24@example.org", "other@example.org"} {
		if err := s.SignUp(ctx, request(n, key, email), mailNow); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		reason newsletter.SuppressionReason
		want   int
	}{{"", 26}, {newsletter.SuppressedLeft, 13}, {newsletter.SuppressedStaff, 13}, {newsletter.SuppressedComplaint, 0}} {
		seen, after, named := map[int64]bool{}, int64(0), ""
		for {
			page, err := s.Suppressions(ctx, c.reason, after, 7)
			if err == nil {
				err = s.NameSuppressions(ctx, key, page)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range page {
				if seen[one.ID] || one.ID <= after {
					t.Fatalf("%+v after %d", one, after)
				}
				seen[one.ID], after = true, one.ID
				if one.Email != "" && !bytes.Equal(one.Hash, key.Hash(one.Email)) {
					t.Errorf("%+v", one)
				}
				named += one.Email
			}
			if len(page) < 7 {
				break
			}
		}
		if len(seen) != c.want || c.reason == "" && named != "r3@example.orgr24@example.org" {
			t.Errorf("%q: %d, named %q", c.reason, len(seen), named)
		}
	}
	counts, err := s.SuppressionCounts(ctx)
	if err != nil || counts[newsletter.SuppressedLeft] != 13 || counts[newsletter.SuppressedStaff] != 13 || len(counts) != 2 {
		t.Error(counts, err)
	}
}

// A number names one suppression for ever.
func TestSuppressions_NumbersAreNotUsedAgain(t *testing.T) {
	t.Parallel()
	s, _, key := outbox(t)
	hash := key.Hash("a@example.org")
	enter := func() int64 {
		inTx(t, s, func(t *tx) error { return t.suppress(hash, newsletter.SuppressedLeft, "", "", noon) })
		one, err := s.SuppressionBy(t.Context(), hash)
		if err != nil {
			t.Fatal(err)
		}
		return one.ID
	}
	first := enter()
	if _, err := s.LiftSuppression(t.Context(), hash, "", newsletter.LiftByStaff, "", "", noon); err != nil {
		t.Fatal(err)
	}
	if second := enter(); second <= first {
		t.Errorf("%d, then %d", first, second)
	}
	if _, err := s.SuppressionByID(t.Context(), first); newsletter.KindOf(err) != newsletter.NotFound {
		t.Error(err)
	}
}

// What is suppressed between planning and sending is not sent, an address or a whole domain,
// by whichever way a group is recorded.
func TestSteps_AWholeDomainIsLookedAtLast(t *testing.T) {
	t.Parallel()
	for name, alone := range map[string]bool{"together": false, "alone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, key := stepStore(t)
			smallLedger(t, s)
			if alone {
				must(t, s, `UPDATE editions SET state = 'frozen' WHERE id = 1`) // then a group is taken apart
			}
			must(t, s, `UPDATE subscribers SET email = 'r2@example.com', email_key = 'r2@example.com' WHERE id = 2`)
			var steps []newsletter.Step
			for id := int64(1); id <= 3; id++ {
				row(t, s, 1, id, newsletter.Waiting)
				email := fmt.Sprintf("r%d@example.%s", id, map[bool]string{true: "com", false: "org"}[id == 2])
				steps = append(steps, newsletter.Step{Next: &newsletter.Intent{
					DeliveryKey: newsletter.DeliveryKey{EditionID: 1, SubscriberID: id}, VariantID: 1, Email: email, Barred: key.Hashes(email), ReadAt: noon,
				}})
			}
			inTx(t, s, func(t *tx) error {
				_, err := t.putSuppression(newsletter.Suppression{Hash: key.DomainHash("example.com"), Domain: "example.com", Reason: newsletter.SuppressedStaff, CreatedAt: noon})
				return err
			})
			results, err := s.Steps(t.Context(), steps, key, noon)
			if err != nil || !results[0].Begun || results[1].Begun || !results[2].Begun {
				t.Fatalf("%+v, %v", results, err)
			}
			if d := delivery(t, s, 1, 2); d.State != newsletter.Withheld || d.Reason != newsletter.ReasonSuppressed {
				t.Errorf("the row is %+v", d)
			}
		})
	}
}

// The last look finds each suppressed domain among the readers' ones, be they few or many.
func TestBarred_TheLastLookFindsEachDomain(t *testing.T) {
	t.Parallel()
	s, _, key := outbox(t)
	for many := 1; many <= 6; many++ {
		inTx(t, s, func(t *tx) error {
			name := fmt.Sprintf("d%d.example.com", many)
			_, err := t.putSuppression(newsletter.Suppression{Hash: key.DomainHash(name), Domain: name, Reason: newsletter.SuppressedStaff, CreatedAt: noon})
			return err
		})
		for i := 1; i <= 6; i++ {
			intents := []*newsletter.Intent{{Barred: key.Hashes("a@example.org")}, {Barred: key.Hashes(fmt.Sprintf("a@d%d.example.com", i))}}
			inTx(t, s, func(tx *tx) error {
				n, err := tx.barred(intents)
				if (n > 0) != (i <= many) {
					t.Errorf("with %d suppressed domains, %d suppressions stand against the readers of the domain %d", many, n, i)
				}
				return err
			})
		}
	}
}

func TestBarred_PlanningKnowsWholeDomains(t *testing.T) {
	t.Parallel()
	s, _, key := outbox(t)
	for _, domain := range []string{"", "example.com"} {
		one := newsletter.Suppression{Hash: key.Hash("a@example.org"), Reason: newsletter.SuppressedLeft, CreatedAt: noon}
		if domain != "" {
			one = newsletter.Suppression{Hash: key.DomainHash(domain), Domain: domain, Reason: newsletter.SuppressedStaff, CreatedAt: noon}
		}
		inTx(t, s, func(t *tx) error { _, err := t.putSuppression(one); return err })
		barred, err := s.Barred(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if barred.Has([]byte("b@example.com")) != (domain != "") || !barred.Has([]byte("a@example.org")) || barred.Has([]byte("b@example.org")) {
			t.Errorf("with the domain %q it is wrong", domain)
		}
	}
}

// BenchmarkBarred is the look at suppressions in a transaction of 20 intents, with 100,000
// suppressions.
func BenchmarkBarred(b *testing.B) {
	s, _, key := outbox(b)
	var list []newsletter.Suppression
	for i := range 100_000 {
		list = append(list, newsletter.Suppression{Hash: key.Hash(fmt.Sprintf("gone%d@example.org", i)), Reason: newsletter.SuppressedLeft})
	}
	for chunk := range slices.Chunk(list, 10_000) {
		if _, err := s.Suppress(b.Context(), chunk, noon); err != nil {
			b.Fatal(err)
		}
	}
	suppressed := 0 // whole domains
	for _, domains := range []int{0, 3, 10_000} {
		inTx(b, s, func(t *tx) error {
			for ; suppressed < domains; suppressed++ {
				name := fmt.Sprintf("gone%d.example.com", suppressed)
				if _, err := t.putSuppression(newsletter.Suppression{Hash: key.DomainHash(name), Domain: name, Reason: newsletter.SuppressedStaff, CreatedAt: noon}); err != nil {
					return err
				}
			}
			return nil
		})
		for _, among := range []int{1, 20} { // the readers
			b.Run(fmt.Sprintf("%d suppressed domains, readers of %d", domains, among), func(b *testing.B) { benchmarkBarred(b, s, key, among) })
		}
	}
}

func benchmarkBarred(b *testing.B, s *Store, key newsletter.SuppressionKey, domains int) {
	b.Helper()
	var intents []*newsletter.Intent
	for i := range 20 {
		intents = append(intents, &newsletter.Intent{Barred: key.Hashes(fmt.Sprintf("r%d@d%d.example.org", i, i%domains))})
	}
	inTx(b, s, func(t *tx) error {
		for b.Loop() {
			if n, err := t.barred(intents); n != 0 || err != nil {
				return fmt.Errorf("%d, %w", n, err)
			}
		}
		return nil
	})
}
