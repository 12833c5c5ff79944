package feed

import (
	"strings"
	"testing"
	"unicode/utf8"

	"broadsheet/internal/newsletter"
)

func TestPlain_NoMarkupSurvives(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                  "",
		"  a\n\tb\u00a0c ":                  "a b c",
		"Foo<b>bar</b> <p>baz</p>qux":       "Foobar baz qux",
		"a<script>alert('x')</script>b":     "a b",
		"a<style>p{}</style><!-- c -->b":    "a b",
		"&lt;script&gt;x&lt;/script&gt;y":   "y",
		"&amp;amp;amp;lt;b&amp;amp;gt;bold": "bold",
		"AT&T, R&D and 3 < 4 > 2":           "AT&T, R&D and 3 < 4 > 2",
		"<figure><img><figcaption>c</figcaption></figure>text": "text",
		"cut <a href=\"htt":                 "cut",
		"x\u202egnp.exe\u0007\u00ad\u200by": "xgnp.exey",
		"👩\u200d🔧 e\u0301":                  "👩\u200d🔧 é",
		"see personal.inv&shy;alid/manage":  "see /manage",
		"per<b>sonal.inva</b>lid":           "",
		"bad \xff utf-8":                    "bad \uFFFD utf-8",
	} {
		if got := plain(in, 300); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
	if got := plainText(strings.Repeat("&amp;", 1) + strings.Repeat("amp;", 500) + "lt;b>"); strings.ContainsAny(got, "<>") {
		t.Errorf("escaped many times: %q", got)
	}
}

func TestCut_EndsAtAWordAndKeepsCharactersWhole(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in    string
		limit int
		want  string
	}{
		{"short", 10, "short"},
		{"exactly ten", 11, "exactly ten"},
		{"one two three four", 12, "one two…"},
		{"one two, three four", 10, "one two…"},
		{"桦木价格下跌工厂付得更少", 6, "桦木价格下…"},
		{"aaaaae\u0301\u0301\u0301bbbb", 8, "aaaaa…"},
		{"aaaa👩\u200d🔧👩\u200d🔧", 7, "aaaa…"},
	} {
		got := cut(test.in, test.limit)
		if got != test.want || utf8.RuneCountInString(got) > test.limit {
			t.Errorf("cut(%q, %d) = %q, want %q", test.in, test.limit, got, test.want)
		}
	}
}

func TestLabel_IsFoundBeforeASeparatorOnly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ headline, label, rest string }{
		{"EXCLUSIVE: Mill sold", "Exclusive", "Mill sold"},
		{"Exclusive | Mill sold", "Exclusive", "Mill sold"},
		{"Exclusive – Mill sold", "Exclusive", "Mill sold"},
		{"exclusive - Mill sold", "Exclusive", "Mill sold"},
		{"Exclusive— Mill sold", "Exclusive", "Mill sold"},
		{"[Opinion] Plant more", "Opinion", "Plant more"},
		{"(Analysis): Why birch", "Analysis", "Why birch"},
		{"【Interview】Ada Lindqvist", "Interview", "Ada Lindqvist"},
		{"Exclusive: EXCLUSIVE – Mill sold", "Exclusive", "Mill sold"},
		{"Partner content: Try this", "Partner content", "Try this"},
		{"Sponsored: Exclusive: Mill", "Sponsored", "Exclusive: Mill"},
		{"Exclusive club opens", "", "Exclusive club opens"},
		{"Exclusive-use land", "", "Exclusive-use land"},
		{"Exclusive–rights deal", "", "Exclusive–rights deal"},
		{"Exclusively: ours", "", "Exclusively: ours"},
		{"Exclusive:", "", "Exclusive:"},
		{"[Opinion", "", "[Opinion"},
	} {
		var item newsletter.Item
		newLabels(DefaultLabels()).applyLabel(&item, test.headline, nil)
		if item.Label != test.label || item.Headline != test.rest {
			t.Errorf("%q: got %q, %q", test.headline, item.Label, item.Headline)
		}
	}
}

func TestLabel_OfTheSummaryOrACategory_IsShownOnce(t *testing.T) {
	t.Parallel()
	item := newsletter.Item{Categories: []string{"EXCLUSIVE", "Mills"}}
	labels := newLabels([]string{"Exklusiv", "Exclusive"})
	labels.applyLabel(&item, "Mill sold", []string{"Exclusive: The mill at Brindle has a buyer."})
	if item.Label != "Exclusive" || item.Summary != "The mill at Brindle has a buyer." || len(item.Categories) != 2 {
		t.Errorf("got %+v", item)
	}
}

func TestSummary_BoilerplateIsRemovedAndAdviceStays(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Mills close. Read more":                                                       "Mills close.",
		"Mills close. Read more »":                                                     "Mills close.",
		"Mills close [&hellip;]":                                                       "Mills close…",
		"Mills close… Continue reading Mills close →":                                  "Mills close…",
		"Mills close. Read the full story here.":                                       "Mills close.",
		"Mills close. Read More The post Mills close appeared first on Timber Weekly.": "Mills close.",
		"The post Mills close appeared first on Timber Weekly.":                        "",
		"Continue reading":                                                             "",
		"Ministers say children should read more.":                                     "Ministers say children should read more.",
		"He called it «a good deal»":                                                   "He called it «a good deal»",
		"Nothing wrong here":                                                           "Nothing wrong here",
	} {
		if got := summarise("Another headline", "", []string{plainText(in)}); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := summarise("Mill sold", "", []string{"MILL SOLD!", "It went to a rival."}); got != "It went to a rival." {
		t.Errorf("after a description that repeats the headline: %q", got)
	}
	long := summarise("h", "", []string{strings.Repeat("word ", 200)})
	if n := utf8.RuneCountInString(long); n > maxSummary || !strings.HasSuffix(long, " word…") {
		t.Errorf("long summary: %d characters, %q", n, long)
	}
}

func TestAuthor_IsANameWithoutAddress(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ada@timber.example (Ada Lindqvist)": "Ada Lindqvist",
		"Ada Lindqvist <ada@timber.example>": "Ada Lindqvist",
		"Ada Lindqvist (ada@timber.example)": "Ada Lindqvist",
		"ada@timber.example":                 "",
		"By Ada Lindqvist (Brindle)":         "Ada Lindqvist (Brindle)",
		"Byron Holt":                         "Byron Holt",
	} {
		if got := author([]string{in, in}); got != want {
			t.Errorf("author(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestGUID_IsBounded(t *testing.T) {
	t.Parallel()
	if got := guid(strings.Repeat("x", 10_000), "https://x.example/"); len(got) != 71 {
		t.Errorf("got %q", got)
	}
}

func TestCategories_AreBounded(t *testing.T) {
	t.Parallel()
	var raw []string
	for i := range 50 {
		raw = append(raw, strings.Repeat(string(rune('A'+i)), 200), " ", "same", "SAME")
	}
	got := categories(raw)
	if len(got) != maxCategories || utf8.RuneCountInString(got[0]) != maxCategory || got[1] != "same" {
		t.Errorf("got %d: %q", len(got), got)
	}
}
