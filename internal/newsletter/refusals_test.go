package newsletter_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

// Each letter is what came back of a message, a second after the one before: a accepted and d
// refused at a.example, b accepted and e refused at b.example; | is where the edition was stopped
// and resumed. want are the addresses that may be blamed, by the letters, all else is doubtful.
func TestRefusals_AreJudgedByWhatCameAroundThem(t *testing.T) {
	t.Parallel()
	many := strings.Repeat
	for name, tt := range map[string]struct {
		answers string
		blamed  int
	}{
		"one of three":                              {"aad", 1},
		"the only one":                              {"d", 0},
		"nineteen of fifty":                         {many("ad", 19) + many("a", 12), 19},
		"twenty of fifty":                           {many("ad", 20) + many("a", 10), 0},
		"twenty of two hundred":                     {many("aaaaaaaaad", 20), 20},
		"a domain of which nobody got it":           {many("a", 100) + "eee", 0},
		"two of a domain of which nobody got it":    {many("a", 100) + "ee", 2},
		"over a tenth of a domain":                  {many("aaaaaaaaaaaaaaaaaaaabe", 25) + many("b", 100), 0},
		"a list of which one in thirteen is dead":   {many("aaaaaaaaaaaad", 400), 400},
		"a fault in the middle of a large edition":  {many("a", 9000) + many("d", 60) + many("a", 9000), 0},
		"a fault at the end, and who was dead":      {many("aaaaaaaaaaaaaaaaaaaaaaaad", 40) + many("a", 200) + many("d", 60), 40},
		"a canary, all refused":                     {"dddd|" + many("a", 1000), 0},
		"a canary, three of nine":                   {"adaadaada|" + many("a", 1000), 0},
		"a canary, two of nine":                     {"adaaaaada|" + many("a", 1000), 2},
		"a canary, and who was dead among the rest": {"adaadaada|" + many("a", 300) + "d" + many("a", 700), 1},
		"the first twenty":                          {many("d", 20) + "|" + many("a", 1000) + "d" + many("a", 1000), 1},
		"three of nine that were not stopped":       {"adaadaada", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
			domains := map[rune]string{'a': "a.example", 'd': "a.example", 'b': "b.example", 'e': "b.example"}
			var resumed []time.Time
			var refused []newsletter.Refusal
			for i, c := range tt.answers {
				switch at := start.Add(time.Duration(i) * time.Second); c {
				case '|':
					resumed = append(resumed, at)
				case 'd', 'e':
					refused = append(refused, newsletter.Refusal{At: at, Domain: domains[c]})
				}
			}
			r := newsletter.NewRefusals(resumed, refused)
			for i, c := range tt.answers {
				if c == 'a' || c == 'b' {
					r.Accepted(start.Add(time.Duration(i)*time.Second), []byte(domains[c]))
				}
			}
			of := len(refused)
			if blamed := len(slices.DeleteFunc(refused, r.Doubtful)); blamed != tt.blamed {
				t.Errorf("of %d refused %d are to blame, want %d", of, blamed, tt.blamed)
			}
		})
	}
}

// Nothing tells which of two answers of one moment came first.
func TestRefusals_OfOneMomentAreJudgedTogether(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
	refused := make([]newsletter.Refusal, 50)
	for i := range refused {
		refused[i] = newsletter.Refusal{At: now, Domain: "a.example"}
	}
	r := newsletter.NewRefusals(nil, refused)
	for range 600 {
		r.Accepted(now, []byte("a.example"))
	}
	if r.Doubtful(refused[0]) {
		t.Error("50 of 650 are doubtful")
	}
}
