package digest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"broadsheet/internal/newsletter"
)

// Fault is what a mail lacks of a standard that it has to meet.
type Fault struct {
	Standard string // its number, "S16"
	Message  string
}

// Inspect returns in what a variant does not meet the standards: S6, the way out in both parts;
// S13, a text part with every link; S15, the size; S16, what readers with a screen reader, in the
// dark or without pictures need.
func Inspect(v Variant) []Fault {
	return inspect(v, true)
}

// InspectMail is Inspect for a transactional mail, which nobody can unsubscribe from.
func InspectMail(v Variant) []Fault {
	return inspect(v, false)
}

func inspect(v Variant, list bool) []Fault {
	in := inspection{v: v}
	doc, err := html.Parse(strings.NewReader(v.HTML))
	if err != nil {
		in.fault("S16", "the HTML part cannot be read: %v", err)
		return in.faults
	}
	in.collect(doc)
	if list {
		in.wayOut()
	}
	in.links()
	in.head()
	in.tree()
	if size := sentSize(v.HTML); size > MaxHTML {
		in.fault("S15", "the HTML part has %d bytes as sent; mailbox providers clip it at %d", size, MaxHTML)
	}
	return in.faults
}

// inspection looks at one variant.
type inspection struct {
	v        Variant
	elements []*html.Node
	faults   []Fault
}

func (in *inspection) fault(standard, format string, args ...any) {
	f := Fault{standard, fmt.Sprintf(format, args...)}
	if !slices.Contains(in.faults, f) {
		in.faults = append(in.faults, f)
	}
}

func (in *inspection) collect(doc *html.Node) {
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode {
			in.elements = append(in.elements, n)
		}
	}
}

func (in *inspection) all(tag string) []*html.Node {
	var list []*html.Node
	for _, n := range in.elements {
		if n.Data == tag {
			list = append(list, n)
		}
	}
	return list
}

func attribute(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func wordsOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
		if alt, ok := attribute(d, "alt"); ok && d.Data == "img" {
			b.WriteString(alt)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// wayOut: each part has the links to leave and to choose, and they can be seen.
func (in *inspection) wayOut() {
	for _, place := range []string{newsletter.PlaceUnsubscribe, newsletter.PlaceManage} {
		visible := false
		for _, a := range in.all("a") {
			href, _ := attribute(a, "href")
			visible = visible || href == place && wordsOf(a) != ""
		}
		if !visible {
			in.fault("S6", "the HTML part has no visible link %s", place)
		}
		if !strings.Contains(in.v.Text, place) {
			in.fault("S6", "the text part has no link %s", place)
		}
	}
}

func (in *inspection) links() {
	for _, a := range in.all("a") {
		href, _ := attribute(a, "href")
		if u, err := url.Parse(href); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			in.fault("S32", "a link leads to %q, which is no address of the web", href)
			continue
		}
		if !slices.Contains(strings.Fields(in.v.Text), href) {
			in.fault("S13", "the text part lacks the link %s", href)
		}
		words := strings.ToLower(wordsOf(a))
		if hidden, _ := attribute(a, "aria-hidden"); words == "" && hidden != "true" {
			in.fault("S16", "the link to %s has no text", href)
		}
		if slices.Contains([]string{"here", "click here", "more", "read more", "link"}, words) {
			in.fault("S16", "the text of a link is %q, which does not say where it leads", words)
		}
	}
	if strings.TrimSpace(in.v.Text) == "" {
		in.fault("S13", "there is no text part")
	}
}

func (in *inspection) head() {
	for _, root := range in.all("html") {
		if lang, _ := attribute(root, "lang"); lang == "" {
			in.fault("S16", "the HTML part has no lang")
		}
		if dir, _ := attribute(root, "dir"); dir != "ltr" && dir != "rtl" {
			in.fault("S16", "the HTML part has no dir")
		}
	}
	if titles := in.all("title"); len(titles) != 1 || wordsOf(titles[0]) == "" {
		in.fault("S16", "the HTML part has no title")
	}
	scheme := false
	for _, m := range in.all("meta") {
		name, _ := attribute(m, "name")
		content, _ := attribute(m, "content")
		scheme = scheme || name == "color-scheme" && content == "light dark"
	}
	if !scheme {
		in.fault("S16", `the HTML part has no <meta name="color-scheme" content="light dark">`)
	}
	for _, body := range in.all("body") {
		for n := range body.ChildNodes() {
			if n.Type == html.ElementNode {
				if style, _ := attribute(n, "style"); !strings.Contains(strings.ReplaceAll(style, " ", ""), "display:none") {
					in.fault("S16", "the body does not begin with the hidden preheader")
				}
				break
			}
		}
	}
}

// tree looks at tables, pictures, headings, and what no mail can have.
func (in *inspection) tree() {
	level := 0
	for _, n := range in.elements {
		switch n.Data {
		case "table":
			if role, _ := attribute(n, "role"); role != "presentation" {
				in.fault("S16", `a table for layout has no role="presentation"`)
			}
		case "img":
			if _, ok := attribute(n, "alt"); !ok {
				src, _ := attribute(n, "src")
				in.fault("S16", "the picture %s has no alt", src)
			}
		case "h1", "h2", "h3", "h4", "h5", "h6":
			next := int(n.Data[1] - '0')
			if next > level+1 {
				in.fault("S16", "the heading %q is h%d, after h%d", wordsOf(n), next, level)
			}
			if wordsOf(n) == "" {
				in.fault("S16", "an %s has no text", n.Data)
			}
			level = next
		case "script", "iframe", "form", "input", "object", "embed", "base", "link", "video", "audio":
			in.fault("S32", "a mail cannot have <%s>", n.Data)
		}
	}
	if level == 0 {
		in.fault("S16", "the HTML part has no heading")
	}
}
