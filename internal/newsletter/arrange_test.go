package newsletter_test

import (
	"slices"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

func TestArrange_ExclusivesThenTheNewest(t *testing.T) {
	t.Parallel()
	list := []newsletter.Candidate{
		{Article: newsletter.Article{ID: 1, Item: newsletter.Item{Published: ago(3 * time.Hour)}}},
		{Article: newsletter.Article{ID: 2, Item: newsletter.Item{Published: ago(time.Hour)}}},
		{Article: newsletter.Article{ID: 3, Item: newsletter.Item{Published: ago(5 * time.Hour), Label: "Exclusive"}}},
		{Article: newsletter.Article{ID: 4, OwedFrom: ago(2 * time.Hour)}},
		{Article: newsletter.Article{ID: 5, Item: newsletter.Item{Published: ago(time.Hour)}}},
	}
	newsletter.Arrange(list)
	want := []int64{3, 5, 2, 4, 1}
	for i, c := range list {
		if c.ID != want[i] {
			t.Fatalf("place %d has article %d, want %d", i, c.ID, want[i])
		}
	}
}

func TestLay_TheLeadThenSectionBySection(t *testing.T) {
	t.Parallel()
	sections := []newsletter.Section{{Bit: 4}, {Bit: 1}}
	in := func(id int64, label string, mask newsletter.Mask) newsletter.Candidate {
		c := newsletter.Candidate{Sections: mask, Rank: int(id)}
		c.ID, c.Label = id, label
		return c
	}
	const first, second, none = 1 << 4, 1 << 1, 0
	for name, tt := range map[string]struct {
		list []newsletter.Candidate
		want []int64
	}{
		"by section, then by rank":              {[]newsletter.Candidate{in(1, "", none), in(2, "", second), in(3, "", first), in(4, "", second), in(5, "", first)}, []int64{3, 5, 2, 4, 1}},
		"in two sections: the first counts":     {[]newsletter.Candidate{in(1, "", second), in(2, "", first|second)}, []int64{2, 1}},
		"an exclusive leads from anywhere":      {[]newsletter.Candidate{in(1, "exclusive", none), in(2, "", first), in(3, "", second)}, []int64{1, 2, 3}},
		"of two, that of the section before":    {[]newsletter.Candidate{in(1, "Exclusive", second), in(2, "Exclusive", first), in(3, "", first)}, []int64{2, 3, 1}},
		"without sections, the order is a rank": {[]newsletter.Candidate{in(2, "", none), in(1, "", none)}, []int64{1, 2}},
		"nothing":                               {nil, nil},
	} {
		newsletter.Lay(tt.list, sections)
		var got []int64
		for _, c := range tt.list {
			got = append(got, c.ID)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
