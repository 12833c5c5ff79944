package demo_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// elements returns the elements with this tag name below n, in document order.
func elements(n *html.Node, tag string) []*html.Node {
	var found []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == tag {
			found = append(found, d)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	v, _ := lookup(n, name)
	return v
}

func lookup(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func parse(t *testing.T, b []byte) *html.Node {
	t.Helper()
	doc, err := html.Parse(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestPages_AreWellMade(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	publishAll(t, p)
	pages := map[string]int{"/": 200, "/nothing": 404, "/articles/nothing": 404, "/images/nothing.png": 404}
	for _, path := range paths(p) {
		pages[path] = 200
	}
	for path, status := range pages {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			res := get(t, p, path)
			if res.StatusCode != status {
				t.Fatalf("status %d", res.StatusCode)
			}
			checkHeaders(t, res.Header)
			doc := parse(t, read(t, res))
			for _, tag := range []string{"title", "h1", "main", "nav"} {
				if n := len(elements(doc, tag)); n != 1 {
					t.Errorf("%d × %s", n, tag)
				}
			}
			if n := len(elements(doc, "script")) + len(elements(doc, "style")); n > 0 {
				t.Errorf("%d scripts or styles that the policy blocks", n)
			}
			for _, img := range elements(doc, "img") {
				if attr(img, "alt") == "" || attr(img, "width") == "" {
					t.Errorf("picture %s lacks its alt text or size", attr(img, "src"))
				}
			}
			checkReferences(t, doc)
		})
	}
}

func checkHeaders(t *testing.T, h http.Header) {
	t.Helper()
	policy := h.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "form-action http://127.0.0.1:8080;", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q lacks %q", policy, want)
		}
	}
	if h.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("types may be sniffed")
	}
}

// checkReferences holds that ids are unique and that what points at one finds it.
func checkReferences(t *testing.T, doc *html.Node) {
	t.Helper()
	ids := map[string]bool{}
	for n := range doc.Descendants() {
		if id := attr(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("id %q twice", id)
			}
			ids[id] = true
		}
	}
	for n := range doc.Descendants() {
		for _, name := range []string{"for", "aria-labelledby", "aria-describedby"} {
			if id := attr(n, name); id != "" && !ids[id] {
				t.Errorf("%s=%q points nowhere", name, id)
			}
		}
		if id, ok := strings.CutPrefix(attr(n, "href"), "#"); ok && !ids[id] {
			t.Errorf("link to #%s leads nowhere", id)
		}
	}
}

func TestFrontPage_LinksEveryArticleAndSection(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	publishAll(t, p)
	links := map[string]bool{}
	doc := parse(t, read(t, get(t, p, "/")))
	for _, a := range elements(doc, "a") {
		links[attr(a, "href")] = true
	}
	for _, path := range paths(p) {
		if !links[path] {
			t.Errorf("no link to %s", path)
		}
	}
	for n := range doc.Descendants() {
		delete(links, "/#"+attr(n, "id"))
	}
	for href := range links {
		if strings.HasPrefix(href, "/#") {
			t.Errorf("%s leads nowhere", href)
		}
	}
}

func TestArticlePage_HasTheFormTwice(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	forms := elements(parse(t, read(t, get(t, p, paths(p)[0]))), "form")
	if len(forms) != 2 {
		t.Fatalf("%d forms", len(forms))
	}
	for i, placement := range []string{"column", "footer"} {
		form := forms[i]
		if attr(form, "method") != "post" || attr(form, "action") != "http://127.0.0.1:8080/subscribe" {
			t.Errorf("%s posts to %s", placement, attr(form, "action"))
		}
		fields := map[string][]*html.Node{}
		for _, in := range elements(form, "input") {
			fields[attr(in, "name")] = append(fields[attr(in, "name")], in)
		}
		if n := len(fields["newsletter"]); n != 2 {
			t.Fatalf("%s offers %d newsletters", placement, n)
		}
		for j, slug := range []string{"daily", "weekly"} {
			box := fields["newsletter"][j]
			if _, checked := lookup(box, "checked"); attr(box, "value") != slug || checked != (j == 0) {
				t.Errorf("%s: box %d is %v", placement, j, box.Attr)
			}
		}
		if n := len(fields["name"]); n != i {
			t.Errorf("%s asks for %d names", placement, n)
		}
		for name, want := range map[string]map[string]string{
			"email":     {"type": "email", "required": "", "autocomplete": "email"},
			"page":      {"type": "hidden", "value": p.ArticleURLs()[0]},
			"placement": {"type": "hidden", "value": placement},
			"website":   {"tabindex": "-1", "autocomplete": "off"},
		} {
			if len(fields[name]) != 1 {
				t.Fatalf("%s has %d fields %s", placement, len(fields[name]), name)
			}
			for key, value := range want {
				if got, ok := lookup(fields[name][0], key); !ok || got != value {
					t.Errorf("%s: %s has %s=%q, want %q", placement, name, key, got, value)
				}
			}
		}
		if attr(fields["website"][0].Parent, "aria-hidden") != "true" {
			t.Errorf("%s: the honeypot is read aloud", placement)
		}
	}
}

func TestPages_EscapeWhatTheyAreGiven(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	body := read(t, get(t, p, "/"))
	if bytes.Contains(body, []byte("<News>")) || !strings.Contains(text(parse(t, body)), "Daily <News>") {
		t.Error("a newsletter's name became markup")
	}
	for _, path := range paths(p) {
		body := string(read(t, get(t, p, path)))
		if strings.Contains(body, "& ") || strings.Contains(body, "&amp;amp;") || strings.Contains(body, "ZgotmplZ") {
			t.Errorf("%s: escaped too little or too much", path)
		}
	}
}

func TestPublisher_OnlyReads(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	if res := ask(t, p, http.MethodPost, "/feed.xml"); res.StatusCode != http.StatusNotFound {
		t.Errorf("POST answered %d", res.StatusCode)
	}
	if res := ask(t, p, http.MethodHead, "/feed.xml"); res.StatusCode != http.StatusOK || len(read(t, res)) > 0 {
		t.Errorf("HEAD answered %d", res.StatusCode)
	}
}
