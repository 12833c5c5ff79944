package digest

import (
	"html"
	htmltemplate "html/template"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"

	"broadsheet/internal/newsletter"
)

// rich is a text of the editors as the templates print it.
type rich struct {
	HTML htmltemplate.HTML // paragraphs and lists with styles inline; font and colour are the cell's
	text markdown
}

// newRich reads the text. links is the colour of its links.
func newRich(source, links string) (*rich, error) {
	if source == "" {
		return nil, nil
	}
	m, err := parseMarkdown(source)
	if err != nil {
		return nil, err
	}
	w := htmlWriter{source: m.source, links: links}
	w.blocks(m.root)
	return &rich{HTML: htmltemplate.HTML(newsletter.StripPlaces(w.b.String())), text: m}, nil //nolint:gosec // all text in it is escaped
}

// Text returns the text for the text part, wrapped; each line begins with indent. Links stand
// on lines of their own under their paragraph.
func (r *rich) Text(indent string) string {
	w := textWriter{source: r.text.source}
	w.blocks(r.text.root, indent, indent)
	return newsletter.StripPlaces(strings.Join(w.lines, "\n"))
}

// Bare returns the text as HTML without styles, for a page that has its own.
func (r *rich) Bare() htmltemplate.HTML {
	if r == nil {
		return ""
	}
	w := htmlWriter{source: r.text.source, bare: true}
	w.blocks(r.text.root)
	return htmltemplate.HTML(newsletter.StripPlaces(w.b.String())) //nolint:gosec // all text in it is escaped
}

// htmlWriter writes Markdown that objection let through as HTML.
type htmlWriter struct {
	b      strings.Builder
	source []byte
	links  string
	bare   bool // without styles
}

// style returns the attribute that stands at the end of a tag.
func (w *htmlWriter) style(declarations string) string {
	if w.bare {
		return ""
	}
	return ` style="` + declarations + `"`
}

func (w *htmlWriter) blocks(parent ast.Node) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		last := n.NextSibling() == nil
		switch n := n.(type) {
		case *ast.Paragraph:
			w.wrap(`<p dir="auto"`+w.style("margin:0"+below(last, "12px"))+">", "</p>\n", n)
		case *ast.TextBlock:
			w.inline(n)
		case *ast.List:
			tag := "ul"
			if n.IsOrdered() {
				tag = "ol"
			}
			start := ""
			if n.IsOrdered() && n.Start > 1 {
				start = ` start="` + strconv.Itoa(n.Start) + `"`
			}
			w.b.WriteString("<" + tag + start + w.style("margin:0"+below(last, "12px")+";padding:0 22px") + ">\n")
			for item := n.FirstChild(); item != nil; item = item.NextSibling() {
				w.b.WriteString(`<li dir="auto"` + w.style("margin:0 0 4px") + ">")
				w.blocks(item)
				w.b.WriteString("</li>\n")
			}
			w.b.WriteString("</" + tag + ">\n")
		}
	}
}

func below(last bool, margin string) string {
	if last {
		return ""
	}
	return " 0 " + margin
}

func (w *htmlWriter) wrap(open, end string, n ast.Node) {
	w.b.WriteString(open)
	w.inline(n)
	w.b.WriteString(end)
}

func (w *htmlWriter) inline(parent ast.Node) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			w.b.WriteString(html.EscapeString(plain(n.Segment.Value(w.source))))
			switch {
			case n.HardLineBreak():
				w.b.WriteString("<br>\n")
			case n.SoftLineBreak():
				w.b.WriteString("\n")
			}
		case *ast.String:
			w.b.WriteString(html.EscapeString(plain(n.Value)))
		case *ast.Emphasis:
			if n.Level == 2 {
				w.wrap("<strong>", "</strong>", n)
			} else {
				w.wrap("<em>", "</em>", n)
			}
		case *ast.Link:
			w.wrap(w.anchor(n.Destination), "</a>", n)
		case *ast.AutoLink:
			w.b.WriteString(w.anchor(n.URL(w.source)) + html.EscapeString(plain(n.Label(w.source))) + "</a>")
		}
	}
}

func (w *htmlWriter) anchor(destination []byte) string {
	link, _ := cleanURL(plain(destination)) // objection has looked at it
	if w.bare {
		return `<a href="` + html.EscapeString(link) + `">`
	}
	return `<a class="hot" href="` + html.EscapeString(link) + `"` + w.style("color:"+w.links+";text-decoration:underline") + ">"
}

// textWriter writes Markdown that objection let through as plain text.
type textWriter struct {
	lines  []string
	source []byte
	urls   []string // of the paragraph
}

func (w *textWriter) blocks(parent ast.Node, first, rest string) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Paragraph, *ast.TextBlock:
			w.paragraph(n, first, rest)
		case *ast.List:
			w.list(n, rest)
		}
		first = rest
		if next := n.NextSibling(); next != nil && (n.Kind() == ast.KindParagraph || next.Kind() == ast.KindParagraph) {
			w.lines = append(w.lines, "")
		}
	}
}

func (w *textWriter) paragraph(n ast.Node, first, rest string) {
	w.urls = nil
	var b strings.Builder
	w.inline(&b, n)
	for line := range strings.SplitSeq(b.String(), "\n") {
		w.lines = append(w.lines, wrap(first, rest, line))
		first = rest
	}
	for _, link := range w.urls {
		w.lines = append(w.lines, rest+link)
	}
}

func (w *textWriter) list(n *ast.List, indent string) {
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		mark := "*  "
		if n.IsOrdered() {
			mark = strconv.Itoa(number) + ". "
			number++
		}
		w.blocks(item, indent+mark, indent+strings.Repeat(" ", len(mark)))
		if !n.IsTight && item.NextSibling() != nil {
			w.lines = append(w.lines, "")
		}
	}
}

func (w *textWriter) inline(b *strings.Builder, parent ast.Node) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			b.WriteString(plain(n.Segment.Value(w.source)))
			switch {
			case n.HardLineBreak():
				b.WriteByte('\n')
			case n.SoftLineBreak():
				b.WriteByte(' ')
			}
		case *ast.String:
			b.WriteString(plain(n.Value))
		case *ast.Emphasis:
			w.inline(b, n)
		case *ast.Link:
			w.inline(b, n)
			w.link(n.Destination)
		case *ast.AutoLink:
			w.link(n.URL(w.source)) // its own words are the link
		}
	}
}

func (w *textWriter) link(destination []byte) {
	link, _ := cleanURL(plain(destination)) // objection has looked at it
	w.urls = append(w.urls, link)
}
