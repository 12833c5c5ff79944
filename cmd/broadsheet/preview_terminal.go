package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"broadsheet/internal/desk"

	"golang.org/x/net/html"
	"golang.org/x/term"
)

// The widths that a mail is shown in on a terminal: lines that are longer are hard to read.
const (
	leastWidth = 40
	mostWidth  = 76
)

// terminal writes the mail as it reads on a terminal: its HTML part with headings and emphasis,
// wrapped, links numbered and listed at the end.
func (p *previewing) terminal(w io.Writer, view *desk.Preview) error {
	t := &terminalMail{width: p.terminalWidth(), styled: isTerminal(w) && environMap(p.env)["NO_COLOR"] == "", numbers: map[string]int{}}
	for _, f := range [][2]string{{"From", view.Snapshot.Newsletter.From.Address().String()}, {"Subject", view.Subject}, {"Preview", view.Preheader}, {"For", view.For}} {
		t.b.WriteString(t.style(dim, fmt.Sprintf("%-8s ", f[0])) + plain(f[1]) + "\n")
	}
	t.b.WriteString(t.style(dim, strings.Repeat("─", t.width)) + "\n")
	doc, err := html.Parse(strings.NewReader(view.HTML))
	if err != nil {
		return fmt.Errorf("the HTML part cannot be read: %w", err)
	}
	t.node(doc, "")
	t.flush()
	if len(t.links) > 0 {
		t.b.WriteString("\n" + t.style(dim, strings.Repeat("─", t.width)) + "\n")
	}
	for i, link := range t.links {
		if words := inertWords(link); words != "" {
			link = words
		}
		fmt.Fprintf(&t.b, "%s %s\n", t.style(dim, fmt.Sprintf("[%d]", i+1)), plain(link))
	}
	_, err = io.WriteString(w, t.b.String())
	return err
}

func (p *previewing) terminalWidth() int {
	width := mostWidth
	if f, ok := p.stdout.(*os.File); ok {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			width = columns - 2
		}
	}
	return max(leastWidth, min(mostWidth, width))
}

// The styles of words on a terminal, as its escape sequences name them.
const (
	bold = "1"
	dim  = "2"
	link = "4"
)

// terminalMail writes HTML as text.
type terminalMail struct {
	b       strings.Builder
	width   int
	styled  bool
	words   []terminalWord // of the paragraph that is being read
	joined  bool           // the next word stands right after the last one
	bullet  string         // before the next paragraph
	links   []string
	numbers map[string]int
	last    byte // what the last paragraph was: h heading, p any other; 0: none yet
}

type terminalWord struct {
	text   string
	style  string
	joined bool
}

func (t *terminalMail) style(style, s string) string {
	if !t.styled || style == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

// node reads an element and what is in it; style is that of the text around it.
func (t *terminalMail) node(n *html.Node, style string) {
	if n.Type == html.TextNode {
		t.text(n.Data, style)
		return
	}
	if n.Type == html.ElementNode && skipped(n) {
		return
	}
	block := false
	switch n.Data {
	case "p", "div", "table", "tr", "td", "th", "ul", "ol", "blockquote":
		block = true
	case "h1", "h2", "h3", "h4", "h5", "h6":
		block, style = true, bold
	case "li":
		block = true
	case "b", "strong":
		style = bold
	case "br":
		t.flush()
	case "img":
		if alt := attributeOf(n, "alt"); alt != "" {
			t.text("["+alt+"]", dim)
		}
	}
	if block {
		t.flush()
	}
	if n.Data == "li" {
		t.bullet = "• "
	}
	before := len(t.words)
	for c := range n.ChildNodes() {
		inner := style
		if n.Data == "a" && style == "" {
			inner = link
		}
		t.node(c, inner)
	}
	if href := attributeOf(n, "href"); n.Data == "a" && href != "" && len(t.words) > before {
		t.words = append(t.words, terminalWord{fmt.Sprintf("[%d]", t.number(href)), dim, false})
		t.joined = false
	}
	if block {
		t.flush()
		if strings.HasPrefix(n.Data, "h") && n.Type == html.ElementNode && t.last == 'p' {
			t.last = 'h'
		}
	}
}

// skipped reports whether nobody sees the element.
func skipped(n *html.Node) bool {
	switch n.Data {
	case "head", "style", "script", "title":
		return true
	}
	style := strings.ReplaceAll(attributeOf(n, "style"), " ", "")
	return strings.Contains(style, "display:none") || attributeOf(n, "aria-hidden") == "true"
}

func attributeOf(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func (t *terminalMail) number(href string) int {
	if t.numbers[href] == 0 {
		t.links = append(t.links, href)
		t.numbers[href] = len(t.links)
	}
	return t.numbers[href]
}

// text adds words to the paragraph. One that follows without a space belongs to the one before.
func (t *terminalMail) text(s, style string) {
	s = strings.NewReplacer("\u00a0", " ", "\u00ad", "", "\u200b", "", "\u034f", "").Replace(s)
	fields := strings.Fields(plain(s))
	if len(fields) == 0 {
		t.joined = t.joined && s == ""
		return
	}
	space := strings.ContainsAny(s[:1], " \t\r\n")
	for i, f := range fields {
		t.words = append(t.words, terminalWord{f, style, i == 0 && t.joined && !space && len(t.words) > 0})
	}
	t.joined = !strings.ContainsAny(s[len(s)-1:], " \t\r\n")
}

// flush writes the paragraph, wrapped.
func (t *terminalMail) flush() {
	words, bullet := t.words, t.bullet
	t.words, t.joined = nil, false
	if len(words) == 0 {
		return
	}
	t.bullet = ""
	heading := words[0].style == bold
	if t.last != 0 && (bullet == "" || heading) && t.last != 'h' {
		t.b.WriteString("\n")
	}
	t.b.WriteString(bullet)
	column := columns(bullet)
	for i, w := range words {
		room := columns(w.text)
		switch {
		case i == 0 || w.joined:
		case column+1+room > t.width:
			t.b.WriteString("\n" + strings.Repeat(" ", columns(bullet)))
			column = columns(bullet)
		default:
			t.b.WriteString(" ")
			column++
		}
		t.b.WriteString(t.style(w.style, w.text))
		column += room
	}
	t.b.WriteString("\n")
	t.last = 'p'
	if heading {
		t.last = 'h'
	}
}
