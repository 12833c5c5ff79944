package digest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"broadsheet/internal/newsletter"
)

func parseHTML(t *testing.T, source string) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func all(doc *html.Node, tag string) []*html.Node {
	var list []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag {
			list = append(list, n)
		}
	}
	return list
}

func attr(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// checkAccessible holds an HTML part to S16, and to nothing being fetched but its pictures.
func checkAccessible(t *testing.T, source, language, dir, title string) *html.Node {
	t.Helper()
	doc := parseHTML(t, source)
	root := all(doc, "html")[0]
	if l, _ := attr(root, "lang"); l != language {
		t.Errorf("lang is %q, want %q", l, language)
	}
	if d, _ := attr(root, "dir"); d != dir {
		t.Errorf("dir is %q, want %q", d, dir)
	}
	if got := textOf(all(doc, "title")[0]); got != title {
		t.Errorf("title is %q, want %q", got, title)
	}
	for _, table := range all(doc, "table") {
		if role, _ := attr(table, "role"); role != "presentation" {
			t.Errorf("a layout table has the role %q", role)
		}
	}
	for _, img := range all(doc, "img") {
		if _, ok := attr(img, "alt"); !ok {
			t.Error("an image has no alt")
		}
		if _, ok := attr(img, "width"); !ok {
			t.Error("an image has no width")
		}
	}
	if n := len(all(doc, "h1")); n != 1 {
		t.Errorf("%d h1", n)
	}
	metas := map[string]string{}
	for _, m := range all(doc, "meta") {
		name, _ := attr(m, "name")
		metas[name], _ = attr(m, "content")
	}
	if metas["color-scheme"] != "light dark" || metas["supported-color-schemes"] != "light dark" {
		t.Error("the colour schemes are not declared")
	}
	for first := range all(doc, "body")[0].ChildNodes() {
		if first.Type == html.ElementNode {
			if style, _ := attr(first, "style"); !strings.Contains(style, "display:none") {
				t.Error("the body does not begin with the hidden preheader")
			}
			break
		}
	}
	for _, tag := range []string{"script", "link", "iframe", "form", "input", "object", "base"} {
		if len(all(doc, tag)) > 0 {
			t.Errorf("the mail has a <%s>", tag)
		}
	}
	for _, a := range all(doc, "a") {
		href, _ := attr(a, "href")
		if u, err := url.Parse(href); err != nil || u.Scheme != "http" && u.Scheme != "https" {
			t.Errorf("a link leads to %q", href)
		}
		name := textOf(a)
		for _, img := range all(a, "img") {
			alt, _ := attr(img, "alt")
			name += alt
		}
		hidden, _ := attr(a, "aria-hidden")
		if name == "" && hidden != "true" {
			t.Errorf("the link to %s has no text", href)
		}
		if slices.Contains([]string{"here", "click here", "more", "read more"}, strings.ToLower(name)) {
			t.Errorf("the link text %q says nothing", name)
		}
	}
	return doc
}

func TestRender_AnyNumberOfArticles_MeetsTheStandards(t *testing.T) {
	for _, n := range []int{1, 2, 12, 50} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := sampleSnapshot(t, n)
			v := mustRender(t, s)
			doc := checkAccessible(t, v.HTML, "en", "ltr", v.Subject)
			for _, b := range s.Blocks {
				if !strings.Contains(textOf(doc), b.Headline) || !strings.Contains(v.Text, b.URL) {
					t.Errorf("article %d is missing", b.Article)
				}
			}
			if size := sentSize(v.HTML); size > MaxHTML {
				t.Errorf("S15: the HTML part has %d bytes", size)
			}
			checkPersonalLines(t, v)
			links := map[string]bool{}
			for _, a := range all(doc, "a") {
				href, _ := attr(a, "href")
				links[href] = true
			}
			for href := range links {
				if !strings.Contains(v.Text, "\n"+href+"\n") && !strings.Contains(v.Text, "    "+href+"\n") {
					t.Errorf("S13: the text part lacks the link %s on a line of its own", href)
				}
			}
			t.Logf("HTML %d bytes, %d as sent; text %d", len(v.HTML), sentSize(v.HTML), len(v.Text))
		})
	}
}

// checkPersonalLines makes sure that each place is a visible link (S6) on a short line of its own.
func checkPersonalLines(t *testing.T, v Variant) {
	t.Helper()
	for _, place := range []string{newsletter.PlaceUnsubscribe, newsletter.PlaceManage} {
		var found int
		for line := range strings.Lines(v.HTML) {
			if !strings.Contains(line, place) {
				continue
			}
			found++
			if !strings.HasPrefix(line, `<a href="`+place+`"`) || !strings.HasSuffix(line, "</a>\n") || len(line) > 160 {
				t.Errorf("HTML: the place is not a short line of its own: %q", line)
			}
		}
		if found != 1 {
			t.Errorf("HTML: %s stands on %d lines", place, found)
		}
		if strings.Count(v.Text, place) != 1 || !strings.Contains(v.Text, "\n"+place+"\n") {
			t.Errorf("text: %s does not stand on a line of its own", place)
		}
	}
}

func TestRender_TextPart_IsWrappedExceptLinks(t *testing.T) {
	for line := range strings.Lines(mustRender(t, sampleSnapshot(t, 50)).Text) {
		line = strings.TrimRight(line, "\n")
		if width(line) > textWidth && !strings.HasPrefix(strings.TrimSpace(line), "https://") {
			t.Errorf("%d columns: %s", width(line), line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("white space at the end of %q", line)
		}
	}
}

func TestRender_Sections_InOrderAndOnlyWhereThereAreStories(t *testing.T) {
	headings := func(v Variant) (list []string) {
		for _, h := range all(parseHTML(t, v.HTML), "h2")[1:] { // the first is the lead's
			list = append(list, textOf(h))
		}
		return list
	}
	s := sampleSnapshot(t, 12)
	if got, want := headings(mustRender(t, s)), []string{"AI & Data", "Regulation", "People", "More news"}; !slices.Equal(got, want) {
		t.Errorf("headings %q, want %q", got, want)
	}
	for _, tt := range []struct {
		articles []int64
		want     []string
	}{
		{[]int64{1}, nil},
		{[]int64{1, 2}, []string{"Regulation"}},
		{[]int64{2, 7, 8}, []string{"More news"}},
		{[]int64{6, 12, 3}, []string{"People"}}, // the edition's third is the lead
	} {
		v, err := Render(s, newsletter.Copy{Articles: tt.articles})
		if err != nil {
			t.Fatal(err)
		}
		if got := headings(v); !slices.Equal(got, tt.want) {
			t.Errorf("%v: headings %q, want %q", tt.articles, got, tt.want)
		}
	}
}

// What staff put in an order of their own is read in that order.
func TestRender_AnOrderOfStaff_HasNoSections(t *testing.T) {
	in := sampleInput(t, sampleNewsletter(), sampleCandidates(5), Words{})
	newsletter.Rank(in.Articles)
	newsletter.Lay(in.Articles, in.Sections)
	in.Articles = append(in.Articles[1:], in.Articles[0]) // Regulation last, after what has no section
	s, err := New(in)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(in.Articles[1:3])
	in.Articles[2], in.Articles[4] = in.Articles[4], in.Articles[2]
	mixed, err := New(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []Snapshot{s, mixed} {
		v := mustRender(t, s)
		at := -1
		for _, b := range s.Blocks {
			next := strings.Index(v.Text, b.URL)
			if next < at {
				t.Errorf("article %d is not where staff put it", b.Article)
			}
			at = next
		}
	}
	if v := mustRender(t, mixed); strings.Contains(v.Text, "AI & Data\n") || !strings.Contains(v.Text, "More news\n") {
		t.Errorf("stories of mixed sections stand under the name of one:\n%s", v.Text)
	}
}

func TestTransactional_IsAccessibleAndHasTheLink(t *testing.T) {
	subject, source, text, err := RenderConfirm(mailSources(t), sampleConfirm())
	if err != nil {
		t.Fatal(err)
	}
	checkAccessible(t, source, "en", "ltr", subject)
	if subject != "Please confirm: The Payments Ledger, Quay Weekend" {
		t.Errorf("subject %q", subject)
	}
	if link := sampleConfirm().ConfirmURL; !strings.Contains(text, "\n"+link+"\n") || !strings.Contains(source, `href="`+link+`"`) {
		t.Error("the link is missing")
	}
	subject, source, text, err = RenderAlready(mailSources(t), sampleAlready())
	if err != nil {
		t.Fatal(err)
	}
	checkAccessible(t, source, "en", "ltr", subject)
	if link := sampleAlready().ManageURL; !strings.Contains(text, "\n"+link+"\n") || !strings.Contains(source, `href="`+link+`"`) {
		t.Error("the link is missing")
	}
}
