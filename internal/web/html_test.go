package web

import (
	"strings"

	"golang.org/x/net/html"
)

// one returns the only element that a selector such as `input[name=email]` matches.
func (a answer) one(selector string) *html.Node {
	a.t.Helper()
	found := find(a.page(), selector)
	if len(found) != 1 {
		a.t.Fatalf("%s: %d elements match %s, want 1, in\n%s", a.Request.URL.Path, len(found), selector, a.body)
	}
	return found[0]
}

func (a answer) all(selector string) []*html.Node {
	a.t.Helper()
	return find(a.page(), selector)
}

// find returns the elements that match tag[attribute=value][attribute]….
func find(root *html.Node, selector string) []*html.Node {
	tag, rest, _ := strings.Cut(selector, "[")
	var conditions [][2]string
	for part := range strings.SplitSeq(strings.TrimSuffix(rest, "]"), "][") {
		if part != "" {
			name, value, ok := strings.Cut(part, "=")
			if !ok {
				value = "\x00"
			}
			conditions = append(conditions, [2]string{name, value})
		}
	}
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || tag != "" && n.Data != tag {
			continue
		}
		ok := true
		for _, c := range conditions {
			value, has := attr(n, c[0])
			ok = ok && has && (c[1] == "\x00" || c[1] == value)
		}
		if ok {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// value returns an attribute, "" if there is none.
func value(n *html.Node, name string) string {
	v, _ := attr(n, name)
	return v
}

// textOf returns the text below a node with single spaces.
func textOf(root *html.Node) string {
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			b.WriteString(n.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
