package newsletter

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestRedate(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	owed := Article{Item: Item{Published: noon.Add(-day)}, FirstSeen: noon.Add(-day), OwedFrom: noon.Add(-day)}
	embargoed := Article{Item: Item{Published: noon.Add(day)}, FirstSeen: noon.Add(-day), OwedFrom: noon.Add(day)}
	backDated := Article{Item: Item{Published: noon.Add(-400 * day)}, FirstSeen: noon.Add(-day), Hold: HeldBackDate}
	byStaff := Article{Item: Item{Published: noon.Add(-day)}, FirstSeen: noon.Add(-day), Hold: HeldByStaff}
	baseline := Article{Item: Item{Published: noon.Add(-9 * day)}, FirstSeen: noon.Add(-day), Baseline: true}
	withdrawn := Article{Item: Item{Published: noon.Add(day)}, OwedFrom: noon.Add(day), WithdrawnAt: noon.Add(-day)}
	for _, tt := range []struct {
		name      string
		before    Article
		published time.Time
		hold      Hold
		owedFrom  time.Time
	}{
		{"no date leaves an embargo", embargoed, time.Time{}, "", noon.Add(day)},
		{"the same date changes nothing", embargoed, noon.Add(day), "", noon.Add(day)},
		{"an embargo moves back", embargoed, noon.Add(3 * day), "", noon.Add(3 * day)},
		{"an embargo moves forward", embargoed, noon.Add(time.Hour), "", noon.Add(time.Hour)},
		{"an embargo ends early", embargoed, noon.Add(-time.Hour), "", noon},
		{"an embargo within the skew of clocks ends", embargoed, noon.Add(time.Minute), "", noon},
		{"a date that is a mistake holds", embargoed, noon.Add(800 * day), HeldByStaff, time.Time{}},
		{"an owed article comes under embargo", owed, noon.Add(2 * day), "", noon.Add(2 * day)},
		{"an owed article stays owed", owed, noon.Add(-2 * day), "", noon.Add(-day)},
		{"an owed article is not held for an old date later", owed, noon.Add(-90 * day), "", noon.Add(-day)},
		{"a back-dated article whose date was a mistake is owed", backDated, noon.Add(-2 * day), "", noon},
		{"a back-dated article stays held", backDated, noon.Add(-300 * day), HeldBackDate, time.Time{}},
		{"a back-dated article comes under embargo", backDated, noon.Add(2 * day), "", noon.Add(2 * day)},
		{"what staff hold stays held", byStaff, noon.Add(2 * day), HeldByStaff, time.Time{}},
		{"what was known from before stays", baseline, noon, "", time.Time{}},
		{"what was withdrawn stays", withdrawn, noon, "", noon.Add(day)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := Redate(tt.before, tt.published, noon)
			if got.Hold != tt.hold || !got.OwedFrom.Equal(tt.owedFrom) {
				t.Errorf("hold %q, owed from %v; want %q, %v", got.Hold, got.OwedFrom, tt.hold, tt.owedFrom)
			}
			if !tt.published.IsZero() && !got.Published.Equal(tt.published) {
				t.Errorf("published %v, want %v", got.Published, tt.published)
			}
		})
	}
}

func TestLetGo(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name     string
		before   Article
		owedFrom time.Time
		refused  bool
	}{
		{"held", Article{Hold: HeldByStaff}, noon, false},
		{"back-dated", Article{Hold: HeldBackDate, Item: Item{Published: noon.Add(-90 * day)}}, noon, false},
		{"known from before", Article{Baseline: true}, noon, false},
		{"held and under embargo keeps the embargo", Article{Hold: HeldByStaff, Item: Item{Published: noon.Add(day)}}, noon.Add(day), false},
		{"held for an impossible date", Article{Hold: HeldByStaff, Item: Item{Published: noon.Add(900 * day)}}, noon, false},
		{"under embargo", Article{OwedFrom: noon.Add(day), Item: Item{Published: noon.Add(day)}}, noon, false},
		{"owed already", Article{OwedFrom: noon.Add(-day)}, noon.Add(-day), true},
		{"withdrawn", Article{Hold: HeldByStaff, WithdrawnAt: noon}, time.Time{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := LetGo(tt.before, noon)
			if (err != nil) != tt.refused || err != nil && KindOf(err) != Conflict {
				t.Fatalf("error %v, refused should be %v", err, tt.refused)
			}
			if !got.OwedFrom.Equal(tt.owedFrom) {
				t.Errorf("owed from %v, want %v", got.OwedFrom, tt.owedFrom)
			}
			if err == nil && (got.Hold != "" || got.Baseline) {
				t.Errorf("still held: %+v", got)
			}
		})
	}
}

func TestIntake_CountsEachArticleOnce(t *testing.T) {
	t.Parallel()
	var in Intake
	for _, item := range []Item{
		{}, {Published: noon}, {Published: noon.Add(-30 * 24 * time.Hour)},
		{Published: noon.Add(time.Hour)}, {Published: noon.Add(2 * MaxEmbargo)},
	} {
		in.Count(Admit(item, false, noon), noon)
	}
	in.Count(Admit(Item{}, true, noon), noon)
	want := Intake{New: 2, BackDated: 1, Embargoed: 1, Held: 1, Baseline: 1}
	if in != want {
		t.Errorf("got %+v, want %+v", in, want)
	}
	if in.Items() != 6 {
		t.Errorf("%d items, want 6", in.Items())
	}
}
