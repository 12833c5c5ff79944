package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

func sprint(v any) string { return fmt.Sprint(v) }

func report(t *testing.T, s *Store, edition int64) newsletter.Report {
	t.Helper()
	r, err := s.Report(t.Context(), edition)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReport_CountsEveryWay(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	bigEdition(t, s, 20_000)
	r := report(t, s, 1)
	for _, c := range []struct {
		name      string
		got, want any
	}{
		{"planned", r.Tally.Planned, 20_000},
		{"states", r.Tally.Counts, map[newsletter.State]int{newsletter.Accepted: 19_000, newsletter.Refused: 400, newsletter.Expired: 200, newsletter.Withheld: 200, newsletter.InDoubt: 200}},
		{"reasons", r.Tally.Reasons, map[string]int{"left": 200}},
		{"doubts", r.Doubts, newsletter.DoubtTotal{Ever: 400, Now: 200, Again: 200}},
		{"returned", r.Returned, (*newsletter.ReturnedTotal)(nil)},
		{"domains", len(r.Domains), newsletter.ReportDomains},
		{"largest domain", r.Domains[0].Domain, "mail.example"},
		{"of it", r.Domains[0].Counts, map[newsletter.State]int{newsletter.Accepted: 9_600, newsletter.Refused: 200, newsletter.Withheld: 200}},
		{"replies", r.Replies, []newsletter.ReplyTotal{
			{State: newsletter.Accepted, Code: 250, Enhanced: "2.0.0", Count: 19_000},
			{State: newsletter.InDoubt, Count: 200},
			{State: newsletter.Expired, Code: 451, Enhanced: "4.7.1", Count: 200},
			{State: newsletter.Refused, Code: 550, Enhanced: "5.1.1", Count: 200, Example: "no such user"},
			{State: newsletter.Refused, Code: 552, Enhanced: "5.2.2", Count: 200, Example: "mailbox full"},
		}},
		{"relays", []string{r.Relays[0].Relay, r.Relays[1].Relay}, []string{"smtp2.example.net:587", "smtp.example.net:587"}},
		{"asked", r.Relays[0].Asked() + r.Relays[1].Asked(), 19_800},
		{"rows", r.Rows, 20_000},
		{"duration", r.Duration(noon), 50 * time.Second},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
	domains := r.Other.Planned()
	for _, d := range r.Domains {
		domains += d.Planned()
	}
	if domains != 20_000 {
		t.Errorf("the domains have %d deliveries", domains)
	}
	if r.RowBytes < 40 || r.RowBytes > 200 {
		t.Errorf("a row is said to take %d bytes", r.RowBytes)
	}
}

// What is kept is what was counted, to the last figure.
func TestTotals_AreTheReport(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	bigEdition(t, s, 5_000)
	must(t, s, `UPDATE deliveries SET returned = 1 WHERE subscriber_id = 50`, `UPDATE deliveries SET returned = 2 WHERE subscriber_id IN (51, 52)`,
		`UPDATE subscribers SET email_key = '"a@b"@quoted.example' WHERE id = 7`, `DELETE FROM subscribers WHERE id = 9`)
	live := report(t, s, 1)
	if kept, err := s.KeepTotals(t.Context(), live, noon); err != nil || !kept {
		t.Fatalf("kept: %v (%v)", kept, err)
	}
	kept := report(t, s, 1)
	if !kept.CountedAt.Equal(noon) {
		t.Errorf("it was counted at %s", kept.CountedAt)
	}
	kept.CountedAt = time.Time{}
	if !reflect.DeepEqual(kept, live) {
		t.Errorf("kept\n%+v\ncounted\n%+v", kept, live)
	}
	if live.Returned == nil || *live.Returned != (newsletter.ReturnedTotal{Bounced: 1, Complained: 2}) {
		t.Errorf("returned: %+v", live.Returned)
	}
	if again, err := s.KeepTotals(t.Context(), live, noon); err != nil || again {
		t.Errorf("kept twice: %v (%v)", again, err)
	}
}

func TestTotals_AreOnlyKeptWhileNothingMoves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after string // the edition was counted
		kept          bool
	}{
		"sent":                      {kept: true},
		"sending":                   {before: `UPDATE editions SET state = 'sending'`},
		"paused":                    {before: `UPDATE editions SET state = 'paused'`},
		"cancelled, one in flight":  {before: `UPDATE editions SET state = 'cancelled'; UPDATE deliveries SET state = 2 WHERE subscriber_id = 1`},
		"moved since":               {after: `UPDATE editions SET moves = moves + 1`},
		"opened again since":        {after: `UPDATE editions SET state = 'sending'`},
		"rows are removed":          {before: `UPDATE editions SET pruned_at = 1`},
		"cancelled and all is done": {before: `UPDATE editions SET state = 'cancelled'`, kept: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openTest(t)
			bigEdition(t, s, 100)
			for statement := range splitStatements(c.before) {
				must(t, s, statement)
			}
			r := report(t, s, 1)
			for statement := range splitStatements(c.after) {
				must(t, s, statement)
			}
			kept, err := s.KeepTotals(t.Context(), r, noon)
			if err != nil || kept != c.kept {
				t.Errorf("kept: %v (%v)", kept, err)
			}
			if got := count(t, s, `SELECT COUNT(*) FROM edition_totals`) > 0; got != c.kept {
				t.Errorf("there are totals: %v", got)
			}
		})
	}
}

// An imbalance is an error from every method that reports, with totals and without.
func TestReport_AnImbalanceIsAnError(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	bigEdition(t, s, 100)
	check := func(what string) {
		t.Helper()
		_, balance := s.Balance(t.Context(), 1)
		_, reported := s.Report(t.Context(), 1)
		for _, err := range []error{balance, reported} {
			if _, ok := errors.AsType[*newsletter.ImbalanceError](err); !ok {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	r := report(t, s, 1)
	must(t, s, `DELETE FROM deliveries WHERE subscriber_id = 1`)
	check("a row is missing")
	if _, err := s.KeepTotals(t.Context(), r, noon); err != nil {
		t.Fatal(err)
	}
	must(t, s, `UPDATE edition_totals SET n = n + 1 WHERE kind = 'state' AND state = 3`)
	check("a total is wrong")
	if _, err := s.Balance(t.Context(), 9); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("no such edition: %v", err)
	}
	if _, err := s.Report(t.Context(), 9); newsletter.KindOf(err) != newsletter.NotFound {
		t.Errorf("no such edition: %v", err)
	}
}

func TestPulse_ReadsBackAndIsWrittenOver(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	bigEdition(t, s, 1)
	if _, ok, err := s.Pulse(t.Context(), 1); ok || err != nil {
		t.Fatalf("there is a pulse: %v (%v)", ok, err)
	}
	p := newsletter.Pulse{
		EditionID: 1, At: noon, Connections: 20, Rate: 812.5, Relay: "421 later", NextTry: noon.Add(time.Minute),
		Tally: newsletter.Tally{Planned: 9, Doubted: 2, Counts: map[newsletter.State]int{newsletter.Accepted: 4, newsletter.Waiting: 3, newsletter.Withheld: 2}, Reasons: map[string]int{"left": 2}},
		Codes: map[string]int{"451 4.7.1": 3},
	}
	for range 2 {
		if err := s.SavePulse(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		got, ok, err := s.Pulse(t.Context(), 1)
		if err != nil || !ok || !reflect.DeepEqual(got, p) {
			t.Errorf("it reads back as %+v, %v (%v)", got, ok, err)
		}
		p.At, p.NextTry, p.Relay, p.Connections = noon.Add(time.Second), time.Time{}, "", 3
	}
}

// BenchmarkReport_AMillion counts an edition of a million rows, and reads its totals.
func BenchmarkReport_AMillion(b *testing.B) {
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "b.db"), CreateIfMissing)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	bigEdition(b, s, 1_000_000)
	b.Run("counted", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Report(b.Context(), 1); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("tally", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Balance(b.Context(), 1); err != nil {
				b.Fatal(err)
			}
		}
	})
	r, err := s.Report(b.Context(), 1)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.KeepTotals(b.Context(), r, noon); err != nil {
		b.Fatal(err)
	}
	b.Run("kept", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Report(b.Context(), 1); err != nil {
				b.Fatal(err)
			}
		}
	})
}
