package store

import (
	"testing"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

func TestWithoutAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, text, want string }{
		{"A.b@example.org", "no <A.B@Example.org>, a.b@example.org", "no <(erased)>, (erased)"},
		{"a.b@example.org", "nobody, a.b@, @example.org, a.b at example.org", "nobody, a.b@, @example.org, a.b at example.org"},
		{"a.b@example.org", "İ a.b@example.org: Ⱥ A.B@EXAMPLE.ORG", "İ (erased): Ⱥ (erased)"},
		{"a.b@example.org", "550-a.b@example.org unknown\\n551 'a.b@example.org'", "550-(erased) unknown\\n551 '(erased)'"},
		{"a.b@example.org", `{"x":"\u003ca.b@example.org\u003e\na.b@example.org\n"}`, `{"x":"\u003c(erased)\u003e\n(erased)\n"}`},
		{"a.b@example.org", "rcpt=a.b@example.org mailto:a.b@example.org?x (a.b@example.org)", "rcpt=(erased) mailto:(erased)?x ((erased))"},
		{"a.b@example.org", "gone: a.b@example.org. Try later", "gone: (erased). Try later"},
		{"a.b@example.org", "gone: a.b@example.org.Try later", "gone: (erased).Try later"},
		{"a.b@example.org", "bounce+a.b=example.org@news.example.com", "bounce+(erased)@news.example.com"},
		{"a.b@example.org", "https://www.example.org/?to=a.b%40example.org&x", "https://www.example.org/?to=(erased)&x"},
		{"a.b@bücher.example", "to a.b@bücher.example, A.B@BÜCHER.example, a.b@xn--bcher-kva.example", "to (erased), (erased), (erased)"},
		{"jörg@example.org", "to JÖRG@example.org, jo\u0308rg@example.org", "to (erased), (erased)"},
		{"ΣΟΦΟΣ@example.org", "to σοφος@example.org, σοφοσ@example.org", "to (erased), (erased)"},
		{`"a..b"@example.org`, `to "A..b"@example.org`, "to (erased)"},
		// Those of other people stay as they are.
		{"a@x.org", "vera@x.org, o'a@x.org, v.a@x.org, v+a@x.org, v_a@x.org, v-a@x.org", "vera@x.org, o'a@x.org, v.a@x.org, v+a@x.org, v_a@x.org, v-a@x.org"},
		{"ann@x.org", "ann@x.org.uk, ann@x.organic, ann@x.org-uk.example, ANN@X.ORG.UK", "ann@x.org.uk, ann@x.organic, ann@x.org-uk.example, ANN@X.ORG.UK"},
		{"ann@x.org", "jöann@x.org, éann@x.org", "jöann@x.org, éann@x.org"},
	} {
		if got := withoutAddresses(c.text, isAddress(c.address)); got != c.want {
			t.Errorf("%q without %s is %q, want %q", c.text, c.address, got, c.want)
		}
	}
}

// Words are searched for an address as it is kept, so both have to agree on what is the same.
func TestIsAddress_AgreesWithHowAddressesAreKept(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"Vera@Example.ORG", "JÖRG@Bücher.example", "jo\u0308rg@example.org", "ΣΟΦΟΣ@example.org", "straße@example.org", "a@XN--BCHER-KVA.example", `"a..b"@example.org`} {
		email, key, err := mail.ParseAddress(raw)
		if err != nil {
			t.Fatal(raw, err)
		}
		for _, written := range []string{raw, email} {
			if !isAddress(written)(key) {
				t.Errorf("%s is not taken for %s", written, key)
			}
		}
	}
}

func FuzzWithoutAddresses(f *testing.F) {
	for _, seed := range []string{"no <a@x.org>", "a=x.org@a@x.org%40a@x.org", "\\u003ca@x.org", "550-a@x.org.", "\xffa@x.org\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once := withoutAddresses(text, isAddress("a@x.org"))
		if again := withoutAddresses(once, isAddress("a@x.org")); len(once) > 8*len(text)+8 || len(again) > 8*len(once)+8 {
			t.Errorf("%q became %q and %q", text, once, again)
		}
	})
}

// What changed after it was found is not set back, and is found later.
func TestScrub_LeavesWhatHasChangedSince(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	erasable(t, s)
	found, err := findAddresses(s.read(t.Context()), isAddress("vera.needle@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	must(t, s, `UPDATE editions SET reason = 'it goes on' WHERE id = 1`, `UPDATE alarms SET text = 'now vera.needle@example.org is full'`)
	inTx(t, s, func(t *tx) error {
		if _, err := t.scrub(found); err != nil {
			return err
		}
		return nil
	})
	if count(t, s, `SELECT COUNT(*) FROM editions WHERE id = 1 AND reason = 'it goes on'`) != 1 {
		t.Error("the edition's reason is set back to what it was")
	}
	if count(t, s, `SELECT COUNT(*) FROM alarms WHERE text = 'now vera.needle@example.org is full'`) != 1 {
		t.Error("the alarm's text is set back to what it was")
	}
}

// A sender that runs has the relay's words in its memory and writes them again.
func TestScrubErased_FindsWhatComesLate(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	erasable(t, s)
	if _, err := s.EraseSubscriber(t.Context(), 3, "cli", noon); err != nil {
		t.Fatal(err)
	}
	for _, late := range []int{1, 47} {
		now := noon.Add(hours(late))
		err := s.SavePulse(t.Context(), newsletter.Pulse{EditionID: 2, At: now, Relay: "550 Vera.NEEDLE@example.org is not here"})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := s.ScrubErased(t.Context(), now); n != 1 || err != nil {
			t.Errorf("after %d hours: %d rows, %v", late, n, err)
		}
		if done, err := s.FoldLog(t.Context()); !done || err != nil || inFiles(t, s, "needle") {
			t.Errorf("after %d hours the address is in the files: %v, %v", late, done, err)
		}
	}
	if _, err := s.ScrubErased(t.Context(), noon.Add(hours(49))); err != nil || count(t, s, `SELECT COUNT(*) FROM marks WHERE name LIKE 'erased:%'`) != 0 {
		t.Errorf("the hash is kept for longer than it is needed: %v", err)
	}
}

// Who signs up again after being erased is somebody new, about whom staff may write.
func TestScrubErased_LeavesWhoSignedUpAgain(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	erasable(t, s)
	if _, err := s.EraseSubscriber(t.Context(), 3, "cli", noon); err != nil {
		t.Fatal(err)
	}
	must(t, s, `INSERT INTO subscribers (id, email, email_key, created_at, updated_at) VALUES (9, 'vera.needle@example.org', 'vera.needle@example.org', 0, 0)`,
		`INSERT INTO desk_events (at, actor, action, detail) VALUES (0, 'cli', 'x', 'vera.needle@example.org is back')`)
	if n, err := s.ScrubErased(t.Context(), noon); n != 0 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}
