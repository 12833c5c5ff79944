package readers_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// suppressAll imports a file and returns the result and what was rejected.
func (w *world) suppressAll(file string, o readers.SuppressionImport) (readers.Imported, []string) {
	w.t.Helper()
	var rejected []string
	o.Origin = staffOrigin("the old system")
	o.Reject = func(line int, _, why string) error {
		rejected = append(rejected, fmt.Sprintf("%d: %s", line, why))
		return nil
	}
	res, err := w.ImportSuppressions(w.t.Context(), strings.NewReader(file), o)
	if err != nil {
		w.t.Fatalf("%v in\n%s", err, file)
	}
	if res.Rows != res.Added+res.Already+res.Rejected || res.Rejected != len(rejected) {
		w.t.Errorf("%+v does not add up, %d rejected", res, len(rejected))
	}
	return res, rejected
}

func TestImportSuppressions_PlainListOrColumns(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"plain":                "a@example.org\n\n  B@Example.org  \r\n@Example.com\n",
		"plain with a mark":    "\ufeffa@example.org\nb@example.org\n@example.com",
		"columns":              "Name,E-Mail Address\nAda,a@example.org\nBo,b@example.org\nCo,@example.com\n",
		"semicolons":           "email;reason\na@example.org;\nb@example.org;left\n@example.com;\n",
		"a column for domains": "domain,email\n,a@example.org\n,b@example.org\nexample.com,\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			res, rejected := w.suppressAll(file, readers.SuppressionImport{Reason: "left"})
			if res.Added != 3 || len(rejected) != 0 {
				t.Fatalf("%+v %q", res, rejected)
			}
			if w.standing("a@example.org") != "left" || w.standing("b@example.org") != "left" || w.standing("x@example.com") != "staff" {
				t.Error("not all of them are suppressed")
			}
			again, _ := w.suppressAll(file, readers.SuppressionImport{Reason: "left"})
			if again.Added != 0 || again.Already != 3 {
				t.Errorf("the same file again: %+v", again)
			}
		})
	}
}

func TestImportSuppressions_EachLineSaysWhatIsWrongAndStopsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.suppress("complained@example.org", newsletter.SuppressedComplaint)
	res, rejected := w.suppressAll(`email,reason,note,created_at,colour
a@example.org,hard_bounce,550 5.1.1,2020-02-03T04:05:06Z,red
b@example.org,Left,,2020-02-03,
nonsense,left,,,
c@example.org,spam,,,
d@example.org,left,,yesterday,
"e@example.org,left
complained@example.org,left,,,
@example.com,complaint,,,
f@example.org,,,2999-01-01,
g@example.org
`, readers.SuppressionImport{})
	want := []string{
		"4: An e-mail address has an @ in it, as in name@example.org.",
		`5: "spam" is not a reason; use complaint, staff, erased, left, hard_bounce or soft_bounces`,
		`6: "yesterday" is not a time such as 2026-11-23T10:00:00Z or 2026-11-23`,
		"7: a quotation mark is opened and not closed",
		"9: a whole domain is suppressed by staff alone; leave the reason out, and say why in the note",
	}
	if fmt.Sprintf("%q", rejected) != fmt.Sprintf("%q", want) {
		t.Errorf("%q", rejected)
	}
	if res.Added != 4 || res.Already != 1 || fmt.Sprint(res.Ignored) != "[colour]" {
		t.Errorf("%+v", res)
	}
	st, err := w.Standing(t.Context(), "a@example.org")
	if err != nil || st.Own.Reason != "hard_bounce" || st.Own.Note != "550 5.1.1" || !st.Own.CreatedAt.Equal(time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)) || !st.Events[0].At.Equal(w.clock()) {
		t.Errorf("%+v, %v", st, err)
	}
	if st, err = w.Standing(t.Context(), "f@example.org"); err != nil || st.Own.Reason != "staff" || st.Own.Note != "the old system" || !st.Own.CreatedAt.Equal(w.clock()) {
		t.Errorf("%+v, %v", st, err)
	}
	if got := w.standing("complained@example.org"); got != "complaint" {
		t.Errorf("the complaint became %s", got)
	}
}

func TestImportSuppressions_TakesAnExportOfTheSameKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hash, key := hex.EncodeToString(w.supp.Hash("erased@example.org")), w.KeyFingerprint()
	other := hex.EncodeToString(newsletter.SuppressionKey("another").Hash("gone@example.org"))
	res, rejected := w.suppressAll("hash,domain,reason,note,created_at,key\n"+
		hash+",,erased,,2026-01-02T03:04:05.006Z,"+key+"\n"+
		other+",,left,,,ffffffffffff\n"+
		other+",example.com,staff,,,ffffffffffff\n"+
		hash[:10]+",,left,,,"+key+"\n"+
		",,left,,,"+key+"\n", readers.SuppressionImport{})
	if res.Added != 2 || len(rejected) != 3 || !strings.Contains(rejected[0], "another key") || !strings.Contains(rejected[1], "not a hash") {
		t.Errorf("%+v %q", res, rejected)
	}
	if w.standing("erased@example.org") != "erased" || w.standing("x@example.com") != "staff" {
		t.Error("they are not suppressed")
	}
}

func TestImportSuppressions_RefusesWhatIsNoList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, file := range []string{"", "\n\n", "name,phone\nAda,1\n", "email,email\n", "\"email\n", "em\x00ail,x\n", "\xff\xfe\n"} {
		res, err := w.ImportSuppressions(t.Context(), strings.NewReader(file), readers.SuppressionImport{})
		if newsletter.KindOf(err) != newsletter.Invalid || res.Rows != 0 {
			t.Errorf("%q: %+v, %v", file, res, err)
		}
	}
	_, err := w.ImportSuppressions(t.Context(), strings.NewReader("a@example.org"), readers.SuppressionImport{Reason: "because"})
	wantKind(t, err, newsletter.Invalid, "")
}

// What was counted is committed, whatever ends the import.
func TestImportSuppressions_CountsWhatIsCommitted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var file strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&file, "r%d@example.org\n", i)
	}
	file.WriteString("nonsense@\n")
	stop := errors.New("the disk is full")
	done := 0
	res, err := w.ImportSuppressions(t.Context(), strings.NewReader(file.String()), readers.SuppressionImport{
		Progress: func(n int) { done = n },
		Reject:   func(int, string, string) error { return stop },
	})
	if !errors.Is(err, stop) || res.Rows != 5001 || res.Added != 5000 || done != 4000 {
		t.Errorf("%+v, %v, %d", res, err, done)
	}
	if n := w.count(`SELECT COUNT(*) FROM suppressions`); n != 5000 {
		t.Errorf("%d are there", n)
	}
}

func FuzzImportSuppressions(f *testing.F) {
	f.Add("a@example.org\n@example.com\n")
	f.Add("hash,domain,reason,note,created_at,key\nff,example.com,left,x,2026-01-01,00\n")
	f.Add("email;reason\n\"a@example.org;left\nb@example.org;staff")
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, file string) {
		rejected := 0
		res, err := w.ImportSuppressions(t.Context(), strings.NewReader(file), readers.SuppressionImport{
			Reject: func(line int, text, why string) error {
				if line < 1 || why == "" || len([]rune(text)) > 200 {
					t.Errorf("%d %q %q", line, text, why)
				}
				rejected++
				return nil
			},
		})
		if err != nil && newsletter.KindOf(err) != newsletter.Invalid {
			t.Fatal(err)
		}
		if err == nil && (res.Rows != res.Added+res.Already+res.Rejected || res.Rejected != rejected) {
			t.Errorf("%+v does not add up", res)
		}
	})
}
