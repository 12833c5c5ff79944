package digest

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"broadsheet/internal/newsletter"
)

// maxNesting is how deep lists may stand in lists.
const maxNesting = 2

// markdown is a text of the editors that was read: paragraphs, emphasis, links and lists.
type markdown struct {
	source []byte
	root   ast.Node
}

// parseMarkdown reads the text. Whatever else Markdown knows is an error that names the line:
// a mail has no place for it, or it would look different in each client.
func parseMarkdown(source string) (markdown, error) {
	m := markdown{source: []byte(source)}
	m.root = goldmark.DefaultParser().Parse(text.NewReader(m.source))
	err := ast.Walk(m.root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if message := m.objection(n); message != "" {
			return ast.WalkStop, fmt.Errorf("line %d: %s", m.line(n), message)
		}
		return ast.WalkContinue, nil
	})
	return m, err
}

// CheckMarkdown returns an error that names the line of the first thing in the text that cannot
// be mailed. field is what the error calls the text.
func CheckMarkdown(field, source string) error {
	if _, err := parseMarkdown(cleanText(source)); err != nil {
		return newsletter.Invalidf(field, "%s", err)
	}
	return nil
}

// objection returns why the node cannot be mailed; empty: it can.
func (m markdown) objection(n ast.Node) string {
	const instead = "; there are paragraphs, *emphasis*, **strong**, [links](https://…) and lists"
	switch n := n.(type) {
	case *ast.Document, *ast.Paragraph, *ast.TextBlock, *ast.ListItem, *ast.Text, *ast.String, *ast.Emphasis:
		return ""
	case *ast.List:
		depth := 0
		for p := n.Parent(); p != nil; p = p.Parent() {
			if p.Kind() == ast.KindList {
				depth++
			}
		}
		if depth >= maxNesting {
			return "a list stands too deep in other lists"
		}
		return ""
	case *ast.Link:
		return linkObjection(n.Destination)
	case *ast.AutoLink:
		return linkObjection(n.URL(m.source))
	case *ast.Heading:
		return "a heading cannot stand in this text" + instead
	case *ast.Image:
		return "a picture cannot stand in this text; give it to the block" + instead
	case *ast.RawHTML, *ast.HTMLBlock:
		return "HTML cannot be mailed" + instead
	case *ast.CodeSpan, *ast.CodeBlock, *ast.FencedCodeBlock:
		return "code, or a line that is indented by four, cannot stand in this text" + instead
	case *ast.Blockquote:
		return "a quotation with > cannot stand in this text" + instead
	case *ast.ThematicBreak:
		return "a rule cannot stand in this text" + instead
	}
	return "this cannot be mailed" + instead
}

func linkObjection(destination []byte) string {
	if _, ok := cleanURL(plain(destination)); !ok {
		return fmt.Sprintf("the link %s cannot be mailed; write it as https://www.example.org/page", quoteShort(string(destination)))
	}
	return ""
}

// line returns the line that the node begins on, from 1.
func (m markdown) line(n ast.Node) int {
	at := -1
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function gives no error
		switch t := n.(type) {
		case *ast.Text:
			at = t.Segment.Start
		case *ast.RawHTML:
			at = t.Segments.At(0).Start
		default:
			if n.Type() == ast.TypeBlock && n.Lines().Len() > 0 {
				at = n.Lines().At(0).Start
			}
		}
		if at >= 0 || !entering {
			return ast.WalkStop, nil
		}
		return ast.WalkContinue, nil
	})
	if at < 0 {
		at = n.Pos()
	}
	if at < 0 && n.PreviousSibling() != nil {
		return m.line(n.PreviousSibling())
	}
	if at < 0 && n.Parent() != nil && n.Parent().Kind() != ast.KindDocument {
		return m.line(n.Parent())
	}
	return 1 + bytes.Count(m.source[:max(at, 0)], []byte("\n"))
}

// plain returns Markdown's source of a piece of text as text: escapes and entities are
// resolved, and what an entity must not bring in is taken out.
func plain(source []byte) string {
	s := string(util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(source))))
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), isBidiControl(r), r == '\uFEFF':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
