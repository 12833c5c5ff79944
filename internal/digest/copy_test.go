package digest

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"broadsheet/internal/newsletter"
)

// everything returns an edition of n articles with all kinds of blocks, in a design.
func everything(t *testing.T, d newsletter.Design, n int) Snapshot {
	t.Helper()
	in := sampleOf(mailSources(t), d, "en", "https://letters.example.org", n)
	withEverything(&in)
	s, err := New(in)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// order returns the words in the order in which the text has them, those it lacks left out.
func order(text string, words ...string) []string {
	text = strings.Join(strings.Fields(text), " ")
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !strings.Contains(text, w) })
	slices.SortStableFunc(words, func(a, b string) int { return strings.Index(text, a) - strings.Index(text, b) })
	return words
}

func TestRender_EveryDesign_HasEveryBlockInItsPlace(t *testing.T) {
	want := []string{"our calendar", sampleStories[0].headline, sampleStories[3].headline, "Tea for people",
		sampleStories[2].headline, "Come and see us", "An account in nine", "Earlier this week", "without a crew", "Corrections", "The bridge is closed", "And 3 more stories on our site"}
	for _, d := range newsletter.Designs() {
		s := everything(t, d, 4) // in order: 1, 4 (Harbour), 2 (Town), 3 (none)
		v, err := Render(s, newsletter.Copy{Articles: []int64{3, 1, 4}, Headlines: []int64{1001, 1002}, Corrections: []int64{2000}, More: 3})
		if err != nil {
			t.Fatal(err)
		}
		doc := checkAccessible(t, v.HTML, "en", "ltr", v.Subject)
		checkPersonalLines(t, v)
		for part, text := range map[string]string{"HTML": textOf(all(doc, "body")[0])[len(v.Preheader):], "text": strings.Join(strings.Fields(v.Text), " ")} {
			if got := order(text, want...); !slices.Equal(got, want) {
				t.Errorf("%s, %s: the order is\n%q, want\n%q", d, part, got, want)
			}
			if strings.Count(text, "Advertisement") != 2 || !strings.Contains(text, "Paid for by Leaf & Sons") || !strings.Contains(text, "Paid for by Ropewalk Bank") {
				t.Errorf("%s, %s: a sponsor's message is not labelled", d, part)
			}
			if strings.Contains(text, sampleStories[1].headline) {
				t.Errorf("%s, %s: it has a story that the copy lacks", d, part)
			}
		}
		for _, link := range []string{"https://tea.example.org/\n", "https://bank.example.org/account\n", "https://www.example.org/calendar\n", "https://www.example.org/\n"} {
			if !strings.Contains(v.Text, "\n"+link) {
				t.Errorf("%s: the text part lacks the link %q", d, link)
			}
		}
		if !reflect.DeepEqual(v.Articles, []int64{1, 4, 3}) {
			t.Errorf("articles %v", v.Articles)
		}
	}
}

func TestRender_SponsorIsNeverTheLead_NotesCanBe(t *testing.T) {
	in := sampleOf(mailSources(t), "", "en", "https://letters.example.org", 2)
	in.Sponsors = []Block{{ID: "s1", Position: 1, Sponsor: "Leaf", Text: "Tea."}}
	in.Notes = []Block{{ID: "n1", Position: 1, Text: "Hello."}, {ID: "n2", Position: 2, Text: "Second."}}
	s, err := New(in)
	if err != nil {
		t.Fatal(err)
	}
	v := mustRender(t, s)
	want := []string{"Hello.", sampleStories[0].headline, "Second.", "Tea.", sampleStories[1].headline}
	if got := order(v.Text, want...); !slices.Equal(got, want) {
		t.Errorf("the order is %q", got)
	}
	in.Articles, in.Words.Subject = nil, "Hello"
	if s, err = New(in); err != nil {
		t.Fatal(err)
	}
	v = mustRender(t, s)
	if got := order(v.Text, want...); !slices.Equal(got, []string{"Hello.", "Second.", "Tea."}) || v.Subject != "Hello" || v.Articles != nil {
		t.Errorf("the announcement is %q", v.Text)
	}
}

// The editors' subject goes to the copies that have what it speaks of, and to no other.
func TestRender_EditorsSubject_BelongsToCopiesThatHaveItsStory(t *testing.T) {
	own := func(about []int64, articles ...int64) string {
		s := sampleSnapshot(t, 3, func(in *Input) { in.Words = Words{Subject: "Harbour Bank moves", About: about} })
		v, err := Render(s, newsletter.Copy{Articles: articles})
		if err != nil {
			t.Fatal(err)
		}
		return v.Subject
	}
	for _, tt := range []struct {
		about, articles []int64
		own             bool
	}{
		{nil, []int64{1, 2}, true},
		{nil, []int64{2, 3}, false}, // it was written for an edition that article 1 leads
		{[]int64{3, 2}, []int64{2, 3}, true},
		{[]int64{3, 2}, []int64{1, 2}, false},
		{[]int64{}, []int64{3}, true}, // it names no story
	} {
		if got := own(tt.about, tt.articles...); (got == "Harbour Bank moves") != tt.own {
			t.Errorf("about %v, with %v: %q", tt.about, tt.articles, got)
		}
	}
	in := sampleInput(t, sampleNewsletter(), sampleCandidates(2), Words{Subject: "x", About: []int64{9}})
	if _, err := New(in); newsletter.KindOf(err) != newsletter.Invalid {
		t.Errorf("a subject about an article that is not there gave %v", err)
	}
}

func TestRender_CopyOfWhatIsNotThere_IsRefused(t *testing.T) {
	s := everything(t, newsletter.DesignBrief, 2)
	for _, c := range []newsletter.Copy{
		{Articles: []int64{1001}},
		{Articles: []int64{1}, Headlines: []int64{1}},
		{Articles: []int64{1}, Headlines: []int64{7}},
		{Articles: []int64{1}, Corrections: []int64{1}},
		{Articles: []int64{1}, Corrections: []int64{2000, 2000}},
	} {
		if _, err := Render(s, c); err == nil {
			t.Errorf("%s was rendered", c.Key())
		}
	}
	if _, err := Render(s, newsletter.Copy{Articles: []int64{2}, Headlines: []int64{1}}); err != nil {
		t.Errorf("an article as a headline: %v", err)
	}
}

func TestNew_WrongBlock_IsNamed(t *testing.T) {
	good := Block{ID: "s1", Sponsor: "Leaf", Text: "Tea."}
	for want, change := range map[string]func(*Input){
		"who pays":                               func(in *Input) { b := good; b.Sponsor = " "; in.Sponsors = []Block{b} },
		"sponsor s1 has no text":                 func(in *Input) { b := good; b.Text = "\n"; in.Sponsors = []Block{b} },
		"sponsor s1, line 2: a heading":          func(in *Input) { b := good; b.Text = "Tea\n# Tea"; in.Sponsors = []Block{b} },
		"sponsor s1 has the link":                func(in *Input) { b := good; b.URL = "tea.example"; in.Sponsors = []Block{b} },
		"sponsor s1 has the picture":             func(in *Input) { b := good; b.ImageURL = "data:x"; in.Sponsors = []Block{b} },
		"sponsor s1 is in the edition":           func(in *Input) { in.Sponsors = []Block{good, good} },
		"a note has no id":                       func(in *Input) { in.Notes = []Block{{Text: "x"}} },
		"note n1 has 5001 characters":            func(in *Input) { in.Notes = []Block{{ID: "n1", Text: strings.Repeat("x", 5001)}} },
		"the correction of article 7":            func(in *Input) { in.Corrections = []Block{{Article: 7, Text: "x"}} },
		"intro: line 3: a picture":               func(in *Input) { in.Words.Intro = "a\n\n![x](https://example.org/x.png)" },
		"without articles needs a sub":           func(in *Input) { in.Articles = nil },
		"at most 40 notes":                       func(in *Input) { in.Notes = make([]Block, 41) },
		"about: article 9 is not in the edition": func(in *Input) { in.Words = Words{Preheader: "x", About: []int64{9}} },
	} {
		in := sampleInput(t, sampleNewsletter(), sampleCandidates(2), Words{})
		change(&in)
		if _, err := New(in); newsletter.KindOf(err) != newsletter.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}
