package newsletter

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestRelatedStories_ThoseThatShareRareTerms(t *testing.T) {
	now := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
	story := func(id int64, headline, summary string) Candidate {
		return Candidate{Article: Article{ID: id, OwedFrom: now.Add(-time.Duration(id) * time.Hour), Item: Item{Headline: headline, Summary: summary}}}
	}
	articles := []Candidate{
		story(1, "Board votes for a second harbour gate", "Ships go through the gate twice as fast."),
		story(2, "Der Fährpreis bleibt eingefroren", "Die Fähre kostet auch nach dem Winter nicht mehr."),
		story(3, "The council has met again", "It is over for them now."),
	}
	pool := []Candidate{
		story(10, "How the first harbour gate was built", "The gate is a century old."),
		story(11, "Harbour gate: what the engineers say", "Ships need a second gate."),
		story(12, "Harbour dues rise", ""),
		story(13, "Was die Fähre kostet", "Ein Fährpreis, der niemandem nützt."),
		story(14, "Nach dem Winter ist auch vor dem Winter", "Die kostet nicht mehr."),
		story(15, "THE COUNCIL HAS MET AGAIN", "It is over for them now."),
		story(16, "Chess: a draw", "Again and over for them."),
		story(1, articles[0].Headline, "itself"),
	}
	for i := range 40 {
		pool = append(pool, story(int64(100+i), fmt.Sprintf("Harbour news number %c%c", 'a'+i%26, 'k'+i/26), fmt.Sprintf("Word%d stands alone%d.", i, i)))
	}
	got := func(most int) string {
		related, words := RelatedStories("de-AT", articles, slices.Clone(pool), most), ""
		for _, a := range articles {
			words += fmt.Sprint(a.ID, ":")
			for _, c := range related[a.ID] {
				words += fmt.Sprint(" ", c.ID)
			}
			words += "; "
		}
		return words
	}
	for most, want := range map[int]string{0: "1:; 2:; 3:; ", 1: "1: 11; 2: 13; 3:; ", 2: "1: 11 10; 2: 13 14; 3:; "} {
		for range 3 { // the same each time
			if got := got(most); got != want {
				t.Errorf("at most %d: %s, want %s", most, got, want)
			}
		}
	}
}

func TestMayBeRelated_OnlyWhatNobodyIsOwed(t *testing.T) {
	now := time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)
	day := func(n float64) time.Time { return now.Add(-time.Duration(n * 24 * float64(time.Hour))) }
	for name, tt := range map[string]struct {
		a    Article
		want bool
	}{
		"eight days old":           {Article{OwedFrom: day(8), Item: Item{Published: day(8)}}, true},
		"owed still":               {Article{OwedFrom: day(6), Item: Item{Published: day(8)}}, false},
		"known from before":        {Article{OwedFrom: day(1), Baseline: true, Item: Item{Published: day(4)}}, true},
		"published long ago":       {Article{OwedFrom: day(1), Baseline: true, Item: Item{Published: day(31)}}, false},
		"without a date, long ago": {Article{OwedFrom: day(31)}, false},
		"held":                     {Article{OwedFrom: day(8), Hold: HeldBackDate}, false},
		"withdrawn":                {Article{OwedFrom: day(8), WithdrawnAt: day(1)}, false},
		"under embargo":            {Article{OwedFrom: day(8), Baseline: true, Item: Item{Published: day(-1)}}, false},
	} {
		if got := MayBeRelated(Candidate{Article: tt.a}, now); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
