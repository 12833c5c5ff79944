package newsletter

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// SheetText is what a sheet needs to be written and read as a text.
type SheetText struct {
	Record DraftRecord
	Title  string // which edition it is, for the first line
	// Headlines are those of the articles that the edition has or could have, as published.
	Headlines map[int64]string
	LeftOut   []int64 // the articles that it could have and has not
}

// SheetMistake is something in a sheet's text that cannot be.
type SheetMistake struct {
	Line    int // from 1
	Message string
}

// ParsedSheet is a sheet that was read, and where its parts stand.
type ParsedSheet struct {
	Sheet    Sheet
	Revision int   // that it was written from; 0: it does not say
	Lines    []int // of the blocks
	Texts    []int // first lines of the blocks' texts; 0: it has none
	Intro    int   // first line of the intro's text
	about    int   // line
	marked   bool  // an article is marked as the lead
	given    []string
}

const sheetHelp = `# Lines that begin with # are comments. Nothing is saved if you leave the text as it is.
# The blocks stand in the order of the mail, and the first article leads ("lead" instead of
# "article" puts one first). Move lines to move blocks, delete a line to drop the article: the
# next edition has it. Change a headline here, and it is changed in this mail alone.
# A note is "note:" with indented lines below it, in Markdown: paragraphs, *emphasis*,
# **strong**, [links](https://www.example.org/) and lists. A sponsor is "sponsor: Who pays",
# with indented lines below it: "link: …", "image: …" and "alt: …" if there are any, then the text.
# Your subject and preheader go to the readers who get the first article; "About: 12, 13" says
# that they are about those articles, "About: none" that everybody gets them.
`

// Format writes the sheet as a text that ParseSheet reads.
func (t SheetText) Format() string {
	var w strings.Builder
	s := t.Record.Sheet
	fmt.Fprintf(&w, "# %s\n%s\nRevision: %d\n", t.Title, sheetHelp, t.Record.Revision)
	fmt.Fprintf(&w, "%s\n%s\n", strings.TrimRight("Subject: "+s.Subject, " "), strings.TrimRight("Preheader: "+s.Preheader, " "))
	fmt.Fprintf(&w, "%s\nIntro:\n", strings.TrimRight("About: "+formatAbout(s.About), " "))
	writeIndented(&w, s.Intro)
	w.WriteString("\n")
	for _, b := range s.Blocks {
		switch b.Kind {
		case SheetArticle:
			headline := b.Headline
			if headline == "" {
				headline = t.Headlines[b.Article]
			}
			fmt.Fprintf(&w, "article %d: %s\n", b.Article, headline)
		case SheetNote:
			fmt.Fprintf(&w, "note %s:\n", b.ID)
			writeIndented(&w, b.Text)
		case SheetSponsor:
			fmt.Fprintf(&w, "sponsor %s: %s\n", b.ID, b.Sponsor)
			for _, f := range [][2]string{{"link", b.URL}, {"image", b.ImageURL}, {"alt", b.ImageAlt}} {
				if f[1] != "" {
					fmt.Fprintf(&w, "    %s: %s\n", f[0], f[1])
				}
			}
			if b.URL+b.ImageURL+b.ImageAlt != "" { // then nothing of the text is taken for a field
				w.WriteString("\n")
			}
			writeIndented(&w, b.Text)
		}
	}
	if len(t.LeftOut) > 0 {
		w.WriteString("\n# Not in it; without the # they are:\n")
	}
	for _, id := range t.LeftOut {
		fmt.Fprintf(&w, "# article %d: %s\n", id, t.Headlines[id])
	}
	return w.String()
}

func writeIndented(w *strings.Builder, text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		w.WriteString(strings.TrimRight("    "+line, " ") + "\n")
	}
}

// ParseSheet reads a sheet's text. headlines are those of the articles that the edition can have:
// a headline that is the same is not the editors' own.
func ParseSheet(text string, headlines map[int64]string) (ParsedSheet, []SheetMistake) {
	text = strings.TrimPrefix(text, "\ufeff") // editors of Windows begin a file with it, and end lines like that
	p := sheetParser{lines: strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), headlines: headlines}
	for p.at < len(p.lines) {
		line := p.lines[p.at]
		p.at++
		switch {
		case strings.TrimSpace(line) == "", strings.HasPrefix(line, "#"):
		case line[0] == ' ' || line[0] == '\t':
			p.wrong(p.at, "an indented line belongs under Intro:, a note or a sponsor")
		default:
			p.head(line)
		}
	}
	p.number()
	for _, id := range p.Sheet.About {
		if !slices.Contains(p.Sheet.Articles(), id) {
			p.wrong(p.about, "article %d is not in this edition, so the subject cannot be about it", id)
		}
	}
	return p.ParsedSheet, p.mistakes
}

type sheetParser struct {
	ParsedSheet
	lines     []string
	at        int // lines that are read
	headlines map[int64]string
	mistakes  []SheetMistake
}

func (p *sheetParser) wrong(line int, format string, args ...any) {
	p.mistakes = append(p.mistakes, SheetMistake{line, fmt.Sprintf(format, args...)})
}

// head reads a line that is not indented, and the lines that belong to it.
func (p *sheetParser) head(line string) {
	at := p.at
	head, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	words := strings.Fields(strings.ToLower(head))
	if len(words) == 0 {
		words = []string{""}
	}
	id := strings.Join(words[1:], " ")
	switch word := words[0]; {
	case word == "article" || word == "lead":
		p.article(at, word == "lead", id, value)
	case word == "note" || word == "sponsor":
		p.text(at, word, id, value)
	case id == "" && slices.Contains([]string{"subject", "preheader", "about", "intro", "revision"}, word):
		p.field(at, word, value)
	default:
		p.wrong(at, "%q is not known; a line begins with Subject:, Preheader:, About:, Intro:, article, lead, note or sponsor", shortened(strings.TrimSpace(head)))
	}
}

func shortened(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// line notes what an error says of a line's field.
func (p *sheetParser) line(at int, err error) {
	var wrong *Error
	if errors.As(err, &wrong) {
		for _, f := range wrong.Fields {
			p.wrong(at, "%s", f.Message)
		}
	}
}

func (p *sheetParser) field(at int, word, value string) {
	if slices.Contains(p.given, word) {
		p.wrong(at, "%s: stands here twice", word)
		return
	}
	p.given = append(p.given, word)
	switch word {
	case "subject":
		p.Sheet.Subject = value
		p.line(at, CheckOwnSubject(value))
	case "preheader":
		p.Sheet.Preheader = value
		p.line(at, CheckOwnPreheader(value))
	case "about":
		var err error
		p.Sheet.About, err = ParseAbout(value)
		p.line(at, err)
		p.about = at
	case "revision":
		var err error
		if p.Revision, err = strconv.Atoi(value); err != nil || p.Revision < 1 {
			p.wrong(at, "%q is not a revision; leave the line as it was", shortened(value))
		}
	case "intro":
		text, first := p.indented()
		if p.Sheet.Intro, p.Intro = text, first; value != "" {
			p.Sheet.Intro, p.Intro = strings.TrimSpace(value+"\n"+text), at
		}
	}
}

func (p *sheetParser) article(at int, lead bool, number, headline string) {
	id, err := strconv.ParseInt(number, 10, 64)
	published, known := p.headlines[id]
	switch {
	case err != nil:
		p.wrong(at, "%q is not the number of an article; write it as \"article 12\"", shortened(number))
		return
	case !known:
		p.wrong(at, "article %d cannot be in this edition; \"broadsheet article show %d\" says what it is", id, id)
		return
	case slices.Contains(p.Sheet.Articles(), id):
		p.wrong(at, "article %d stands here twice", id)
		return
	case lead && p.marked:
		p.wrong(at, "two articles are marked as the lead")
		return
	case headline == published:
		headline = ""
	}
	b := SheetBlock{Kind: SheetArticle, Article: id, Headline: headline}
	if !lead {
		p.add(b, at, 0)
		return
	}
	p.marked = true
	first := slices.IndexFunc(p.Sheet.Blocks, func(b SheetBlock) bool { return b.Kind == SheetArticle })
	if first < 0 {
		first = len(p.Sheet.Blocks)
	}
	p.Sheet.Blocks = slices.Insert(p.Sheet.Blocks, first, b)
	p.Lines, p.Texts = slices.Insert(p.Lines, first, at), slices.Insert(p.Texts, first, 0)
}

func (p *sheetParser) add(b SheetBlock, line, text int) {
	p.Sheet.Blocks = append(p.Sheet.Blocks, b)
	p.Lines, p.Texts = append(p.Lines, line), append(p.Texts, text)
}

// text reads a note or a sponsor's message.
func (p *sheetParser) text(at int, kind, id, value string) {
	b := SheetBlock{Kind: kind, ID: id}
	text, first := p.indented()
	switch {
	case kind == SheetNote && value != "" && text == "":
		text, first = value, at
	case kind == SheetNote && value != "":
		text, first = value+"\n"+text, first-1
	case kind == SheetSponsor:
		b.Sponsor = value
		if value == "" {
			p.wrong(at, "say who pays: \"sponsor: Leaf Ltd\"")
		}
		text, first = p.sponsorFields(&b, text, first)
	}
	b.Text = text
	if text == "" {
		p.wrong(at, "the %s has no text; write it below, indented", kind)
	}
	if id != "" && !validBlockID(id) {
		p.wrong(at, "%q cannot be the name of a %s; leave it out, or write it as %s1", shortened(id), kind, kind[:1])
	}
	if id != "" && slices.ContainsFunc(p.Sheet.Blocks, func(o SheetBlock) bool { return o.ID == id }) {
		p.wrong(at, "%s stands here twice", id)
	}
	p.add(b, at, first)
}

func validBlockID(id string) bool {
	for i, r := range id {
		if (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return len(id) <= 20
}

// sponsorFields takes the fields from the head of a sponsor's text, which begins at the line.
func (p *sheetParser) sponsorFields(b *SheetBlock, text string, line int) (string, int) {
	for text != "" {
		first, rest, _ := strings.Cut(text, "\n")
		name, value, ok := strings.Cut(first, ":")
		value = strings.TrimSpace(value)
		switch name = strings.ToLower(name); {
		case ok && name == "alt":
			b.ImageAlt = value
		case ok && (name == "link" || name == "image"):
			if u, err := url.Parse(value); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
				p.wrong(line, "%q is not an address of the web; write it as https://www.example.org/page", shortened(value))
			}
			if b.URL == "" && name == "link" {
				b.URL = value
			} else if name == "image" {
				b.ImageURL = value
			}
		default:
			return text, line
		}
		text, line = rest, line+1
		if strings.HasPrefix(text, "\n") {
			rest := strings.TrimLeft(text, "\n")
			return rest, line + len(text) - len(rest)
		}
	}
	return "", line
}

// indented reads the lines that follow and are indented, without what they all are indented by;
// first is the line where they begin.
func (p *sheetParser) indented() (text string, first int) {
	var lines []string
	margin := -1
	for ; p.at < len(p.lines); p.at++ {
		line := strings.ReplaceAll(p.lines[p.at], "\t", "    ")
		rest := strings.TrimLeft(line, " ")
		if rest != "" && len(rest) == len(line) {
			break
		}
		if rest == "" && len(lines) == 0 {
			continue
		}
		if len(lines) == 0 {
			first = p.at + 1
		}
		if rest != "" && (margin < 0 || len(line)-len(rest) < margin) {
			margin = len(line) - len(rest)
		}
		lines = append(lines, line)
	}
	for i, line := range lines {
		lines[i] = strings.TrimRight(line[min(max(margin, 0), len(line)):], " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n"), first
}

// number gives notes and sponsors that are new their ids.
func (p *sheetParser) number() {
	for i, b := range p.Sheet.Blocks {
		if b.Kind != SheetArticle && b.ID == "" {
			p.Sheet.Blocks[i].ID = p.Sheet.FreeID(b.Kind[:1])
		}
	}
}
