package digest

import (
	"bytes"
	"fmt"
	htmltemplate "html/template"
	"regexp"
	"slices"
	"strings"
	"sync"
	texttemplate "text/template"

	"broadsheet/internal/newsletter"
)

// mailFiles names the templates of one mail. Of html and text the last one is printed, and those
// before it hold what mails share.
type mailFiles struct {
	html, text         []string
	subject, preheader string
}

// filesOf returns the templates of a mail that shares nothing but the head and the foot.
func filesOf(name string) mailFiles {
	return mailFiles{[]string{"parts.html", name + ".html"}, []string{name + ".txt"}, name + ".subject", name + ".preheader"}
}

// designFiles returns the templates of a digest. A snapshot without a design brings its own.
func designFiles(d newsletter.Design) mailFiles {
	if d == "" {
		return filesOf("digest")
	}
	name := string(d)
	return mailFiles{
		[]string{"parts.html", "blocks.html", name + ".html"}, []string{"blocks.txt", name + ".txt"}, "digest.subject", "digest.preheader",
	}
}

// mailTemplates are the parsed templates of one mail.
type mailTemplates struct {
	files mailFiles
	html  *htmltemplate.Template
	text  *texttemplate.Template // those of subject and preheader too
}

// maxParsed is how many mails' templates are kept parsed: three designs and a few transactional
// mails, of the folder in use and of editions that were frozen with others.
const maxParsed = 32

// parsedMails keeps what parseMail has parsed, by the names and sources of the files: to parse them
// takes as long as to render them, and hardly ever are they different from the last time.
var parsedMails = struct {
	sync.Mutex
	list map[string]*mailTemplates // by Templates.Hash of the files
}{list: map[string]*mailTemplates{}}

// parsedMail returns the parsed templates of one mail.
func parsedMail(t Templates, files mailFiles) (*mailTemplates, error) {
	if len(t) == 0 {
		return nil, newsletter.Refusef("templates", "the mail templates cannot be used; \"broadsheet template check\" says why")
	}
	used := make(Templates, len(t))
	for _, file := range slices.Concat(files.html, files.text, []string{files.subject, files.preheader}) {
		if source, ok := t[file]; ok {
			used[file] = source
		}
	}
	key := used.Hash()
	parsedMails.Lock()
	m := parsedMails.list[key]
	parsedMails.Unlock()
	if m != nil {
		return m, nil
	}
	m, err := parseMail(used, files)
	if err != nil {
		return nil, err
	}
	parsedMails.Lock()
	defer parsedMails.Unlock()
	if len(parsedMails.list) >= maxParsed {
		clear(parsedMails.list)
	}
	parsedMails.list[key] = m
	return m, nil
}

// parseMail parses the templates of one mail.
func parseMail(t Templates, files mailFiles) (*mailTemplates, error) {
	m := &mailTemplates{
		files: files,
		html:  htmltemplate.New("mail").Option("missingkey=error"),
		text: texttemplate.New("mail").Option("missingkey=error").Funcs(texttemplate.FuncMap{
			"wrap": wrap, "line": line, "underline": underline,
		}),
	}
	for _, file := range files.html {
		source, ok := t[file]
		if !ok {
			return nil, fmt.Errorf("the mail template %s is missing", file)
		}
		if _, err := m.html.New(file).Parse(source); err != nil {
			return nil, fmt.Errorf("mail template: %w", err)
		}
	}
	for _, file := range slices.Concat(files.text, []string{files.subject, files.preheader}) {
		source, ok := t[file]
		if !ok {
			return nil, fmt.Errorf("the mail template %s is missing", file)
		}
		if _, err := m.text.New(file).Parse(source); err != nil {
			return nil, fmt.Errorf("mail template: %w", err)
		}
	}
	return m, nil
}

// htmlPart renders the HTML part, without the white space that templates leave behind.
func (m *mailTemplates) htmlPart(data any) (string, error) {
	var b bytes.Buffer
	if err := m.html.ExecuteTemplate(&b, m.files.html[len(m.files.html)-1], data); err != nil {
		return "", failed(err, m.files.html)
	}
	return tidy(b.String(), 0), nil
}

// textPart renders the text part; of several empty lines in a row two stay.
func (m *mailTemplates) textPart(data any) (string, error) {
	var b bytes.Buffer
	if err := m.text.ExecuteTemplate(&b, m.files.text[len(m.files.text)-1], data); err != nil {
		return "", failed(err, m.files.text)
	}
	return tidy(b.String(), 2), nil
}

// missingBlock is how html/template and text/template say that nothing defines a block.
var missingBlock = regexp.MustCompile(`no such template ("[^"]+")|template ("[^"]+") not defined`)

// failed says why a part made of these files cannot be rendered. A file of the publisher's own
// that was copied before there was a block lacks it: then it says what to add, and where.
func failed(err error, files []string) error {
	found := missingBlock.FindStringSubmatch(err.Error())
	shared := files[:len(files)-1]
	if found == nil || len(shared) == 0 {
		return fmt.Errorf("mail template: %w", err)
	}
	return fmt.Errorf("mail template: %w; your own %s has to have {{define %s}}, as the built-in one has: \"broadsheet template copy\" writes that",
		err, strings.Join(shared, " or "), found[1]+found[2])
}

// short renders a text of one line, such as the subject, of at most n characters.
func (m *mailTemplates) short(file string, data any, n int) (string, error) {
	var b bytes.Buffer
	if err := m.text.ExecuteTemplate(&b, file, data); err != nil {
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
func checkPlaces(file, text string) error {
	for _, place := range []string{newsletter.PlaceUnsubscribe, newsletter.PlaceManage} {
		if !strings.Contains(text, place) {
			return fmt.Errorf("mail template %s: it has no link %s", file, place)
		}
	}
	for l := range strings.Lines(text) {
		if strings.Count(l, "personal.invalid") > 1 {
			return fmt.Errorf("mail template %s: it has two personal links on one line: %s", file, quoteShort(l))
		}
	}
	return nil
}
