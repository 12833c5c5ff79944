package store

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"broadsheet/internal/newsletter"
)

func TestIntake_FirstFetch_DoesNotFlood(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	in := c.fetch(c.source, c.story("fresh"), c.story("old", published(c.now.Add(-72*time.Hour))), c.story("undated", published(time.Time{})))
	wantIntake(t, in, newsletter.Intake{New: 1, Baseline: 2})
	in = c.fetch(c.source, c.story("later", published(time.Time{})), c.story("very-old", published(c.now.Add(-30*24*time.Hour))), c.story("old"))
	wantIntake(t, in, newsletter.Intake{New: 1, BackDated: 1, Known: 1})
}

func TestIntake_SameFetchAgain_ChangesNothing(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	items := []newsletter.Item{c.story("a"), c.story("b")}
	c.fetch(c.source, items...)
	before := c.articles()
	wantIntake(t, c.fetch(c.source, items...), newsletter.Intake{Known: 2})
	if after := c.articles(); fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("articles changed:\n%v\n%v", before, after)
	}
}

func TestIntake_ChangedText_UpdatesAndKeepsTheEarlierOne(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	first := c.story("a")
	c.fetch(c.source, first)
	id := c.only().ID
	in := c.fetch(c.source, c.story("a", headline("Corrected"), published(first.Published), func(i *newsletter.Item) { i.Categories = []string{"Law"} }))
	wantIntake(t, in, newsletter.Intake{Updated: 1})
	d := c.only()
	if d.ID != id || d.Headline != "Corrected" || !slices.Equal(d.Categories, []string{"Law"}) || !d.UpdatedAt.Equal(c.now) {
		t.Errorf("article is %+v", d.Article)
	}
	if len(d.Revisions) != 1 {
		t.Fatalf("%d revisions, want 1", len(d.Revisions))
	}
	r := d.Revisions[0]
	if got, want := r.Item.Hash(), first.Hash(); got != want || !r.Item.Published.Equal(first.Published) || r.Item.Headline != first.Headline {
		t.Errorf("the earlier text is %+v, want %+v", r.Item, first)
	}
	if !r.ReplacedAt.Equal(c.now) {
		t.Errorf("replaced at %v, want %v", r.ReplacedAt, c.now)
	}
}

func TestIntake_TextsThatAlternate_DoNotPileUp(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	for i := range 10 {
		c.fetch(c.source, c.story("a", headline([]string{"One", "Two"}[i%2])))
	}
	if n := len(c.only().Revisions); n != 2 {
		t.Errorf("%d revisions of two texts", n)
	}
	for i := range maxRevisions + 5 {
		c.fetch(c.source, c.story("a", headline(fmt.Sprint("Text ", i))))
	}
	d := c.only()
	if n := len(d.Revisions); n != maxRevisions {
		t.Errorf("%d revisions are kept, want %d", n, maxRevisions)
	}
	if got := d.Revisions[0].Item.Headline; got != fmt.Sprint("Text ", maxRevisions+3) {
		t.Errorf("the latest earlier text is %q", got)
	}
}

func TestIntake_SameAddressFromAnotherSource_IsOneArticle(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	other := c.addSource("https://news.example.org/ai/feed", c.addNewsletter("ai-news").ID)
	c.fetch(c.source, c.story("a"))
	address := c.only().URL
	twin := c.story("other-guid", at(address), headline("Told otherwise"), func(i *newsletter.Item) { i.Categories = []string{"AI", "Trade"} })
	wantIntake(t, c.fetch(other, twin), newsletter.Intake{Known: 1})
	d := c.only()
	if d.Headline != "Headline a" {
		t.Errorf("the second source changed the text to %q", d.Headline)
	}
	if want := []string{"ai-news", "daily-news"}; !slices.Equal(d.Newsletters, want) || len(d.Sources) != 2 {
		t.Errorf("newsletters %v, sources %v", d.Newsletters, d.Sources)
	}
	slices.Sort(d.Categories)
	if want := []string{"AI", "Retail", "Trade"}; !slices.Equal(d.Categories, want) {
		t.Errorf("categories %v, want those of both: %v", d.Categories, want)
	}
	// Both go on with their own text: nothing changes any more.
	wantIntake(t, c.fetch(c.source, c.story("a", published(d.Published))), newsletter.Intake{Known: 1})
	wantIntake(t, c.fetch(other, twin), newsletter.Intake{Known: 1})
	if n := len(c.only().Revisions); n != 0 {
		t.Errorf("%d revisions, want none", n)
	}
	// When the first source is nobody's any more, the other one decides.
	if err := c.DetachSource(c.Context(), c.source, c.newsletter.ID, "test", c.now); err != nil {
		t.Fatal(err)
	}
	wantIntake(t, c.fetch(other, twin), newsletter.Intake{Updated: 1})
	if got := c.only().Headline; got != "Told otherwise" {
		t.Errorf("headline %q", got)
	}
}

func TestIntake_GUIDWithNewAddress_IsTheSameArticle(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	c.fetch(c.source, c.story("a"))
	id := c.only().ID
	wantIntake(t, c.fetch(c.source, c.story("a", at("https://news.example.org/moved"))), newsletter.Intake{Updated: 1})
	d := c.only()
	if d.ID != id || d.URL != "https://news.example.org/moved" || d.Revisions[0].Item.URL != "https://news.example.org/a" {
		t.Errorf("article %+v", d)
	}
}

func TestIntake_GUIDThatMovesToAnotherArticlesAddress_JoinsIt(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	c.fetch(c.source, c.story("a"), c.story("b"))
	address := "https://news.example.org/b"
	in := c.fetch(c.source, c.story("a", at(address)), c.story("b"))
	if in.New != 0 || len(c.articles()) != 2 {
		t.Fatalf("%+v, %d articles", in, len(c.articles()))
	}
	// It settles: what the feed says twice about one article changes it once at most.
	for range 3 {
		in = c.fetch(c.source, c.story("a", at(address)), c.story("b"))
		if in.New != 0 || in.Updated > 1 {
			t.Errorf("%+v", in)
		}
	}
}

func TestIntake_GUIDOfSeveralItems_IdentifiesNone(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	same := func(url string) newsletter.Item {
		return c.story("1", at("https://news.example.org/"+url), headline(url))
	}
	wantIntake(t, c.fetch(c.source, same("x")), newsletter.Intake{New: 1})
	wantIntake(t, c.fetch(c.source, same("y"), same("x")), newsletter.Intake{New: 1, Known: 1})
	wantIntake(t, c.fetch(c.source, same("z"), same("y"), same("x")), newsletter.Intake{New: 1, Known: 2})
	var got []string
	for _, a := range c.articles() {
		got = append(got, a.Headline)
	}
	if want := []string{"z", "y", "x"}; !slices.Equal(got, want) {
		t.Errorf("articles %v, want %v", got, want)
	}
}

func TestIntake_GUIDsMadeUpEachTime_DoNotPileUp(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	for i := range 3 * maxGUIDs {
		in := c.fetch(c.source, c.story(fmt.Sprint("guid-", i), at("https://news.example.org/one")))
		if in.TurnedOver {
			t.Error("the same article under another guid counts as turned over")
		}
	}
	if n := len(c.only().Sources); n > maxGUIDs {
		t.Errorf("%d guids are kept", n)
	}
}

func TestIntake_TwiceInOneFetch_IsTakenOnce(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	twin := c.story("b", at("https://news.example.org/a"), headline("Another text"))
	wantIntake(t, c.fetch(c.source, c.story("a"), twin), newsletter.Intake{New: 1, Known: 1})
	for range 3 {
		wantIntake(t, c.fetch(c.source, c.story("a"), twin), newsletter.Intake{Known: 2})
	}
	if d := c.only(); d.Headline != "Headline a" || len(d.Revisions) != 0 {
		t.Errorf("article %+v", d)
	}
}

func TestIntake_EmbargoThatMoves(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	c.fetch(c.source) // not the first fetch any more
	day := 24 * time.Hour
	wantIntake(t, c.fetch(c.source, c.story("a", published(c.now.Add(day)))), newsletter.Intake{Embargoed: 1})
	later := c.now.Add(2 * day)
	wantIntake(t, c.fetch(c.source, c.story("a", published(later))), newsletter.Intake{Updated: 1})
	if d := c.only(); !d.OwedFrom.Equal(later) || len(d.Revisions) != 0 {
		t.Errorf("owed from %v, want %v", d.OwedFrom, later)
	}
	wantIntake(t, c.fetch(c.source, c.story("a", published(later))), newsletter.Intake{Known: 1})
	wantIntake(t, c.fetch(c.source, c.story("a")), newsletter.Intake{Updated: 1})
	if d := c.only(); !d.OwedFrom.Equal(c.now) {
		t.Errorf("owed from %v, want now, %v", d.OwedFrom, c.now)
	}
}

func TestIntake_TurnedOver(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	for i, tt := range []struct {
		guids []string
		want  bool
	}{
		{[]string{"a", "b"}, false}, // the first
		{[]string{"c", "b"}, false},
		{[]string{"d", "e"}, true},
		{[]string{"d", "e"}, false},
		{nil, false},
		{[]string{"f"}, false}, // it had none before
	} {
		var items []newsletter.Item
		for _, g := range tt.guids {
			items = append(items, c.story(g))
		}
		in := c.fetch(c.source, items...)
		src, err := c.Source(t.Context(), c.source)
		if err != nil {
			t.Fatal(err)
		}
		if in.TurnedOver != tt.want || src.TurnedOver != tt.want || src.Items != len(items) {
			t.Errorf("fetch %d: turned over %v, on record %v, want %v; %d items", i, in.TurnedOver, src.TurnedOver, tt.want, src.Items)
		}
	}
}

func TestIntake_FetchThatBeganEarlier_OnlyAdds(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	c.fetch(c.source, c.story("a", headline("Old text")))
	began := c.now.Add(10 * time.Second)
	c.fetch(c.source, c.story("a", headline("New text")))
	meta := newsletter.FetchMeta{Started: began, ETag: "old"}
	in, err := c.SaveFetch(t.Context(), c.source, []newsletter.Item{c.story("a", headline("Old text")), c.story("b")}, meta, c.now)
	if err != nil {
		t.Fatal(err)
	}
	wantIntake(t, in, newsletter.Intake{Known: 1, New: 1})
	src, err := c.Source(t.Context(), c.source)
	if err != nil {
		t.Fatal(err)
	}
	if src.ETag == "old" {
		t.Error("the older validator would hide the newer text")
	}
	for _, a := range c.articles() {
		if a.GUID == "a" && a.Headline != "New text" {
			t.Errorf("headline %q", a.Headline)
		}
	}
	if err := c.FailFetch(t.Context(), c.source, "too late", began, 0, c.now); err != nil {
		t.Fatal(err)
	}
	if src, _ = c.Source(t.Context(), c.source); src.Failures != 0 {
		t.Error("an older failure counts against a newer success")
	}
}

func TestFailFetch_ChangesOnlyTheFailureFields_AndBacksOff(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	c.fetch(c.source, c.story("a"))
	before, err := c.Source(t.Context(), c.source)
	if err != nil {
		t.Fatal(err)
	}
	for i, wait := range []time.Duration{20 * time.Minute, 40 * time.Minute, 80 * time.Minute} {
		if err := c.FailFetch(t.Context(), c.source, "the server is in trouble", c.now, 0, c.now); err != nil {
			t.Fatal(err)
		}
		src, err := c.Source(t.Context(), c.source)
		if err != nil {
			t.Fatal(err)
		}
		if src.Failures != i+1 || src.LastError != "the server is in trouble" || !src.NextFetchAt.Equal(c.now.Add(wait)) {
			t.Errorf("failure %d: %+v", i+1, src)
		}
		src.Failures, src.LastError, src.NextFetchAt, src.LastFetchAt = before.Failures, "", before.NextFetchAt, before.LastFetchAt
		if fmt.Sprint(src) != fmt.Sprint(before) {
			t.Errorf("more changed: %+v, was %+v", src, before)
		}
	}
	if err := c.FailFetch(t.Context(), c.source, "busy", c.now, 20*time.Hour, c.now); err != nil {
		t.Fatal(err)
	}
	if src, _ := c.Source(t.Context(), c.source); !src.NextFetchAt.Equal(c.now.Add(20 * time.Hour)) {
		t.Errorf("next fetch %v: the server asked for more patience", src.NextFetchAt)
	}
	c.fetch(c.source, c.story("a"))
	if src, _ := c.Source(t.Context(), c.source); src.Failures != 0 || src.LastError != "" || !src.NextFetchAt.Equal(c.now.Add(newsletter.FetchInterval)) {
		t.Errorf("after a good fetch: %+v", src)
	}
}

func TestSaveFetch_NotModified_KeepsWhatIsKnown(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	c.fetch(c.source, c.story("a"), c.story("b"))
	c.now = c.now.Add(time.Minute)
	in, err := c.SaveFetch(t.Context(), c.source, nil, newsletter.FetchMeta{Started: c.now, NotModified: true, ETag: "v2"}, c.now)
	if err != nil {
		t.Fatal(err)
	}
	wantIntake(t, in, newsletter.Intake{})
	src, err := c.Source(t.Context(), c.source)
	if err != nil {
		t.Fatal(err)
	}
	if src.Items != 2 || src.ETag != "v2" || !src.LastOKAt.Equal(c.now) {
		t.Errorf("source %+v", src)
	}
}

// Two processes fetch the same feed, which changes meanwhile, again and again: each story is
// one article, and each is new to exactly one of them.
func TestIntake_TwoProcesses_TakeEachArticleOnce(t *testing.T) {
	t.Parallel()
	c := newCatalogue(t)
	c.fetch(c.source)
	second, err := Open(t.Context(), filepath.Join(filepath.Dir(c.Path()), "test.db"), ExistingOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	const stories, window = 60, 20
	items := make([]newsletter.Item, stories)
	for i := range items {
		items[i] = c.story(fmt.Sprint("s", i))
	}
	var mu sync.Mutex
	var total newsletter.Intake
	var wg sync.WaitGroup
	for n, s := range []*Store{c.Store, second, c.Store, second} {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 7))
			for from := 0; from <= stories-window; from += 1 + random.IntN(5) {
				in, err := s.SaveFetch(t.Context(), c.source, items[from:from+window], newsletter.FetchMeta{Started: c.now}, c.now)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				total.New += in.New
				mu.Unlock()
			}
			in, err := s.SaveFetch(t.Context(), c.source, items[stories-window:], newsletter.FetchMeta{Started: c.now}, c.now)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			total.New += in.New
			mu.Unlock()
		})
	}
	wg.Wait()
	if n := len(c.articles()); n != stories || total.New != stories {
		t.Errorf("%d articles, %d times new, want %d each", n, total.New, stories)
	}
}
