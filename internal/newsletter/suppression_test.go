package newsletter

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"
)

// The table of S26, written out: docs/suppression.md has the same.
func TestSuppressionReason_WhatLiftsWhich(t *testing.T) {
	t.Parallel()
	table := map[LiftPath]map[SuppressionReason]Lifting{
		LiftBySignUp: {}, LiftByImport: {}, LiftByAdd: {}, LiftByUndo: {}, LiftByManage: {}, LiftByList: {},
		LiftByConfirm: {
			SuppressedLeft: Lifts, SuppressedErased: Lifts, SuppressedHardBounce: Lifts, SuppressedSoftBounces: Lifts,
		},
		LiftByStaff: {
			SuppressedLeft: Lifts, SuppressedErased: Lifts, SuppressedHardBounce: Lifts, SuppressedSoftBounces: Lifts,
			SuppressedComplaint: LiftsWithNote, SuppressedStaff: LiftsWithNote, "of a newer version": LiftsWithNote,
		},
	}
	reasons := append(SuppressionReasons(), "of a newer version")
	for _, path := range LiftPaths() {
		want, ok := table[path]
		if !ok {
			t.Errorf("the table lacks %s", path)
		}
		for _, reason := range reasons {
			if got := reason.LiftedBy(path); got != want[reason] {
				t.Errorf("%s by %s: %d, want %d", reason, path, got, want[reason])
			}
		}
	}
	if len(table) != len(LiftPaths()) {
		t.Error("the table has a way that there is not")
	}
}

func TestSuppressionReason_OneIsStrongerThanTheOther(t *testing.T) {
	t.Parallel()
	order := append([]SuppressionReason{"of a newer version"}, SuppressionReasons()...)
	order = append(order, "")
	for i, a := range order {
		for j, b := range order {
			if got := a.Stronger(b); got != (i < j) && a != "" {
				t.Errorf("%q stronger than %q: %v", a, b, got)
			}
		}
	}
	for _, r := range SuppressionReasons() {
		if got, err := ParseSuppressionReason(string(r)); err != nil || got != r {
			t.Errorf("%s: %v, %v", r, got, err)
		}
	}
	if _, err := ParseSuppressionReason("spam"); KindOf(err) != Invalid {
		t.Error(err)
	}
}

func TestAnswer_OnlyMailsSinceTheSuppressionCountTowardsTheThirtyDays(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for _, c := range []struct {
		name             string
		suppressed, sent time.Duration // ago
		want             bool
	}{
		{"mail before it", 5 * day, 6 * day, true},
		{"mail since", 5 * day, 4 * day, false},
		{"mail long since", 50 * day, 31 * day, true},
	} {
		a := Answer{Now: now, Suppressed: SuppressedSoftBounces, SuppressedAt: now.Add(-c.suppressed), Sent: []time.Time{now.Add(-c.sent)}}
		if _, _, ok := a.Mail(); ok != c.want {
			t.Errorf("%s: %v", c.name, ok)
		}
	}
}

func TestSuppressionKey_HashesAddressAndDomain(t *testing.T) {
	t.Parallel()
	key := SuppressionKey("a key of the test")
	hashes := key.Hasher()
	for i := range 3 * maxDomains { // more domains than are kept
		address := fmt.Sprintf(`"odd@name"%d@d%d.example.org`, i, i%(2*maxDomains))
		domain := fmt.Sprintf("d%d.example.org", i%(2*maxDomains))
		got := hashes(address)
		if !bytes.Equal(got.Address, key.Hash(address)) || !bytes.Equal(got.Domain, key.DomainHash(domain)) {
			t.Fatalf("%s: %x", address, got)
		}
	}
	if bytes.Equal(key.Hash("a@example.org"), SuppressionKey("another").Hash("a@example.org")) || bytes.Equal(key.Fingerprint(), SuppressionKey("another").Fingerprint()) {
		t.Error("the key does not matter")
	}
	hashes("") // an address that is none: it must not fail
}

func TestBarred_KnowsAddressesAndWholeDomains(t *testing.T) {
	t.Parallel()
	key := SuppressionKey("a key of the test")
	one, whole := key.Hash("ada@example.org"), key.DomainHash("example.com")
	for _, c := range []struct {
		barred *Barred
		want   []string
	}{
		{NewBarred(key, nil, false), nil},
		{NewBarred(key, [][]byte{one}, false), []string{"ada@example.org"}},
		{NewBarred(key, [][]byte{one, whole}, true), []string{"ada@example.org", "bo@example.com", "cy@example.com"}},
	} {
		for range 2 { // the second time a domain is known
			for _, address := range []string{"ada@example.org", "bo@example.org", "bo@example.com", "cy@example.com", "bo@sub.example.com", "bo@notexample.com", "@", ""} {
				if got := c.barred.Has([]byte(address)); got != slices.Contains(c.want, address) {
					t.Errorf("%q: %v, of %v", address, got, c.want)
				}
			}
		}
		if c.barred.Empty() != (c.want == nil) {
			t.Error("empty or not", c.want)
		}
	}
}

func BenchmarkHasher(b *testing.B) {
	hashes := SuppressionKey("a key of the test").Hasher()
	for i := range b.N {
		hashes([]string{"ada@example.org", "bo@example.com"}[i%2])
	}
}
