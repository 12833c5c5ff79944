package digest

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"broadsheet/internal/newsletter"
)

func TestRender_SameInput_SameBytes(t *testing.T) {
	s := sampleSnapshot(t, 12)
	want := mustRender(t, s)
	r, err := NewRenderer(s)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			ids := allOf(s)
			for i, j := 0, len(ids)-1; i < j; i, j = i+1, j-1 { // the order asked for does not matter
				ids[i], ids[j] = ids[j], ids[i]
			}
			if v, err := r.Render(newsletter.Copy{Articles: ids}); err != nil || !reflect.DeepEqual(v, want) {
				t.Errorf("rendered again it differs (%v)", err)
			}
		})
	}
	wg.Wait()
}

func TestRender_Variant_NamesNoStoryThatItLacks(t *testing.T) {
	s := sampleSnapshot(t, 12)
	for mask := 1; mask < 1<<12; mask += 29 {
		var ids []int64
		for i, b := range s.Blocks {
			if mask&(1<<i) != 0 {
				ids = append(ids, b.Article)
			}
		}
		v, err := Render(s, newsletter.Copy{Articles: ids})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(v.Articles, ids) {
			t.Fatalf("articles %v, want %v", v.Articles, ids)
		}
		everything := v.Subject + v.Preheader + v.HTML + v.Text
		for i, b := range s.Blocks {
			start := cut(b.Headline, 20)
			start = strings.TrimSuffix(start, "…")
			if mask&(1<<i) == 0 && (strings.Contains(v.Subject, start) || strings.Contains(v.Preheader, start) || strings.Contains(everything, b.URL)) {
				t.Fatalf("variant %v names article %d", ids, b.Article)
			}
		}
		lead := s.Blocks[slices.IndexFunc(s.Blocks, func(b Block) bool { return b.Article == ids[0] })].Headline
		if !strings.Contains(v.Subject, lead) {
			t.Fatalf("the subject of %v is %q, without its lead", ids, v.Subject)
		}
	}
}

func TestRender_SubjectAndPreheader(t *testing.T) {
	v := mustRender(t, sampleSnapshot(t, 1))
	if v.Subject != "Exclusive: "+stories[0].headline || !strings.HasPrefix(v.Preheader, "The lender will retire") {
		t.Errorf("%q, %q", v.Subject, v.Preheader)
	}
	v = mustRender(t, sampleSnapshot(t, 2, func(_ *newsletter.Newsletter, c []newsletter.Candidate, w *Words) {
		w.Subject = "Our own\r\nBcc: everybody"
	}))
	if v.Subject != "Our own Bcc: everybody" || v.Preheader != stories[1].headline {
		t.Errorf("%q, %q", v.Subject, v.Preheader)
	}
	v = mustRender(t, sampleSnapshot(t, 1, func(_ *newsletter.Newsletter, c []newsletter.Candidate, _ *Words) {
		c[0].Headline = strings.Repeat("Überlänge ", 40)
	}))
	if n := len([]rune(v.Subject)); n > subjectLength || n < subjectLength-15 || !strings.HasSuffix(v.Subject, "Überlänge…") {
		t.Errorf("%d characters: %q", n, v.Subject)
	}
}

func TestRender_WrongArticles_AreRefused(t *testing.T) {
	s := sampleSnapshot(t, 3)
	for _, ids := range [][]int64{nil, {4}, {1, 99}, {2, 2}} {
		if _, err := Render(s, newsletter.Copy{Articles: ids}); err == nil {
			t.Errorf("%v was rendered", ids)
		}
	}
}

func TestRender_TooLarge_ShortensTheLongestSummaries(t *testing.T) {
	long := strings.Repeat("слово ", 160)
	change := func(c []newsletter.Candidate, from int) {
		for i := range c {
			if i >= from {
				c[i].Summary = long
			}
		}
	}
	s := sampleSnapshot(t, 50, func(_ *newsletter.Newsletter, c []newsletter.Candidate, _ *Words) { change(c, 10) })
	v := mustRender(t, s)
	if size := sentSize(v.HTML); size > MaxHTML || size < MaxHTML*9/10 {
		t.Errorf("the HTML part has %d bytes", size)
	}
	if !strings.Contains(v.HTML, "слово…") || !strings.Contains(v.Text, "слово…") {
		t.Error("no summary was cut at a word")
	}
	if !strings.Contains(textOf(parseHTML(t, v.HTML)), stories[7].summary) {
		t.Error("a short summary was cut")
	}
	checkPersonalLines(t, v)

	s = sampleSnapshot(t, 50, func(_ *newsletter.Newsletter, c []newsletter.Candidate, _ *Words) {
		for i := range c {
			c[i].Headline = long
		}
	})
	if _, err := Render(s, newsletter.Copy{Articles: allOf(s)}); err == nil || !strings.Contains(err.Error(), "fewer articles") {
		t.Errorf("what cannot fit gave %v", err)
	}
}

func TestNewRenderer_BrokenTemplates_SayWhich(t *testing.T) {
	for name, source := range map[string]string{
		"brief.html":     "{{.Name",
		"brief.txt":      "{{.Nothing}}",
		"digest.subject": "{{end}}",
		"parts.html":     "{{nothing}}",
		"words.en":       "no colon",
	} {
		s := sampleSnapshot(t, 1)
		s.Templates[name] = source
		if _, err := Render(s, newsletter.Copy{Articles: []int64{1}}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		delete(s.Templates, name)
		if _, err := Render(s, newsletter.Copy{Articles: []int64{1}}); err == nil || !strings.Contains(err.Error(), "is missing") && !strings.Contains(err.Error(), "words") {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

func TestRender_TemplateWithoutUnsubscribe_IsRefused(t *testing.T) {
	for _, name := range []string{"blocks.html", "blocks.txt"} {
		s := sampleSnapshot(t, 1)
		s.Templates[name] = strings.ReplaceAll(s.Templates[name], "{{.Unsubscribe}}", "")
		if _, err := Render(s, newsletter.Copy{Articles: []int64{1}}); err == nil || !strings.Contains(err.Error(), newsletter.PlaceUnsubscribe) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	s := sampleSnapshot(b, 12)
	r, err := NewRenderer(s)
	if err != nil {
		b.Fatal(err)
	}
	ids := allOf(s)
	for b.Loop() {
		if _, err := r.Render(newsletter.Copy{Articles: ids}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewRenderer(b *testing.B) {
	s := sampleSnapshot(b, 12)
	for b.Loop() {
		if _, err := Render(s, newsletter.Copy{Articles: []int64{1}}); err != nil {
			b.Fatal(err)
		}
	}
}
