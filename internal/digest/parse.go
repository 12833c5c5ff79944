package digest

import (
	"bytes"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"

	"broadsheet/internal/newsletter"
)

// partsName is the template that holds what the HTML mails share.
const partsName = "parts.html"

// mailTemplates are the parsed templates of one mail.
type mailTemplates struct {
	name string
	html *htmltemplate.Template
	text *texttemplate.Template // .txt, .subject, .preheader
}

// parseMail parses the templates of one mail: name.html with parts.html, name.txt, and those
// of its short texts.
func parseMail(t Templates, name string, short ...string) (*mailTemplates, error) {
	m := &mailTemplates{
		name: name,
		html: htmltemplate.New("mail").Option("missingkey=error"),
		text: texttemplate.New("mail").Option("missingkey=error").Funcs(texttemplate.FuncMap{
			"wrap": wrap, "line": line, "underline": underline,
		}),
	}
	for _, file := range []string{partsName, name + ".html"} {
		source, ok := t[file]
		if !ok {
			return nil, fmt.Errorf("the mail template %s is missing", file)
		}
		if _, err := m.html.New(file).Parse(source); err != nil {
			return nil, fmt.Errorf("mail template: %w", err)
		}
	}
	for _, ext := range append([]string{".txt"}, short...) {
		source, ok := t[name+ext]
		if !ok {
			return nil, fmt.Errorf("the mail template %s%s is missing", name, ext)
		}
		if _, err := m.text.New(name + ext).Parse(source); err != nil {
			return nil, fmt.Errorf("mail template: %w", err)
		}
	}
	return m, nil
}

// htmlPart renders the HTML part, without the white space that templates leave behind.
func (m *mailTemplates) htmlPart(data any) (string, error) {
	var b bytes.Buffer
	if err := m.html.ExecuteTemplate(&b, m.name+".html", data); err != nil {
		return "", fmt.Errorf("mail template: %w", err)
	}
	return tidy(b.String(), 0), nil
}

// textPart renders the text part; of several empty lines in a row two stay.
func (m *mailTemplates) textPart(data any) (string, error) {
	var b bytes.Buffer
	if err := m.text.ExecuteTemplate(&b, m.name+".txt", data); err != nil {
		return "", fmt.Errorf("mail template: %w", err)
	}
	return tidy(b.String(), 2), nil
}

// short renders a text of one line, such as the subject, of at most n characters.
func (m *mailTemplates) short(ext string, data any, n int) (string, error) {
	var b bytes.Buffer
	if err := m.text.ExecuteTemplate(&b, m.name+ext, data); err != nil {
		return "", fmt.Errorf("mail template: %w", err)
	}
	return cut(clean(b.String()), n), nil
}

// tidy removes the white space at the end of lines, empty lines at both ends, and more than
// so many empty lines in a row. With none allowed, indentation goes too.
func tidy(s string, empty int) string {
	var b strings.Builder
	b.Grow(len(s))
	gap := 0
	for l := range strings.SplitSeq(s, "\n") {
		if l = strings.TrimRight(l, " \t\r"); empty == 0 {
			l = strings.TrimLeft(l, " \t")
		}
		if l == "" {
			gap++
			continue
		}
		if b.Len() > 0 {
			b.WriteString(strings.Repeat("\n", min(gap, empty)))
		}
		gap = 0
		b.WriteString(l)
		b.WriteByte('\n')
	}
	return b.String()
}

// checkPlaces makes sure that a part has the links that every digest must have (S6), each on
// a line without the other: package mail replaces whole lines. An overriding template can
// get this wrong.
func checkPlaces(part, text string) error {
	for _, place := range []string{newsletter.PlaceUnsubscribe, newsletter.PlaceManage} {
		if !strings.Contains(text, place) {
			return fmt.Errorf("mail template: the %s part has no link %s", part, place)
		}
	}
	for l := range strings.Lines(text) {
		if strings.Count(l, "personal.invalid") > 1 {
			return fmt.Errorf("mail template: the %s part has two personal links on one line: %s", part, quoteShort(l))
		}
	}
	return nil
}
