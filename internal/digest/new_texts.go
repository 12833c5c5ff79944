package digest

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"broadsheet/internal/newsletter"
)

// The most of what staff write for one edition.
const (
	maxText  = 5000 // characters of one intro, note, sponsor's message or correction
	maxTexts = 40   // notes, sponsors and corrections
)

// addTexts adds the blocks that staff write: notes, sponsors' messages and corrections.
func (s *Snapshot) addTexts(in Input) error {
	if n := len(in.Corrections) + len(in.Notes) + len(in.Sponsors); n > maxTexts {
		return newsletter.Invalidf("block", "an edition has at most %d notes, sponsors and corrections; this one has %d", maxTexts, n)
	}
	seen := map[string]bool{}
	for _, list := range []struct {
		kind   string
		blocks []Block
	}{{KindCorrection, in.Corrections}, {KindNote, in.Notes}, {KindSponsor, in.Sponsors}} {
		for _, b := range list.blocks {
			b, err := textBlock(list.kind, b, s.Newsletter.LinkParams)
			if err != nil {
				return err
			}
			name := nameOf(b)
			if seen[name] {
				return newsletter.Invalidf("block", "%s is in the edition twice", name)
			}
			seen[name] = true
			s.Blocks = append(s.Blocks, b)
		}
	}
	return nil
}

// nameOf is how an error calls a block.
func nameOf(b Block) string {
	if b.Kind == KindCorrection {
		return "correction of article " + strconv.FormatInt(b.Article, 10)
	}
	return b.Kind + " " + b.ID
}

// textBlock returns the block cleaned. Everything of it that can be wrong is told by its name.
func textBlock(kind string, b Block, params string) (Block, error) {
	c := Block{
		Kind: kind, ID: clean(b.ID), Article: b.Article, Position: max(b.Position, 1),
		Headline: cut(clean(b.Headline), maxHeadline), Text: cleanText(b.Text), Sponsor: clean(b.Sponsor),
	}
	if kind == KindCorrection {
		c.ID, c.Position = "", 0
	} else {
		c.Article = 0
	}
	name := nameOf(c)
	switch {
	case kind != KindCorrection && c.ID == "":
		return c, newsletter.Invalidf("block", "a %s has no id", kind)
	case kind == KindCorrection && (c.Article <= 0 || c.Headline == "" || c.Text == ""):
		return c, newsletter.Invalidf("block", "the %s needs the article, its headline and a text", name)
	case kind == KindSponsor && c.Sponsor == "":
		return c, newsletter.Invalidf("block", "%s does not say who pays; the law wants advertising to say so", name)
	case c.Text == "" && c.Headline == "":
		return c, newsletter.Invalidf("block", "%s has no text", name)
	case utf8.RuneCountInString(c.Text) > maxText:
		return c, newsletter.Invalidf("block", "%s has %d characters; at most %d are possible", name, utf8.RuneCountInString(c.Text), maxText)
	case utf8.RuneCountInString(c.Sponsor) > maxName:
		return c, newsletter.Invalidf("block", "the sponsor's name in %s has more than %d characters", name, maxName)
	}
	if _, err := parseMarkdown(c.Text); err != nil {
		return c, newsletter.Invalidf("block", "%s, %s", name, err)
	}
	err := linkBlock(&c, b, params)
	return c, err
}

// linkBlock takes over where the block leads and its picture. The newsletter's link parameters
// are for its own pages, so a sponsor's link stays as it is.
func linkBlock(c *Block, b Block, params string) error {
	if b.URL != "" {
		link, ok := cleanURL(b.URL)
		if !ok {
			return newsletter.Invalidf("block", "%s has the link %s, which cannot be mailed; write it as https://www.example.org/page", nameOf(*c), quoteShort(b.URL))
		}
		if c.URL = link; c.Kind != KindSponsor {
			c.URL = addParams(link, params)
		}
	}
	if b.ImageURL != "" {
		image, ok := cleanURL(b.ImageURL)
		if !ok {
			return newsletter.Invalidf("block", "%s has the picture %s, which cannot be mailed; write it as https://www.example.org/picture.png", nameOf(*c), quoteShort(b.ImageURL))
		}
		c.ImageURL, c.ImageAlt = image, cut(clean(b.ImageAlt), maxHeadline)
	}
	return nil
}

// cleanText cleans the lines of a Markdown text. It keeps empty lines and how far lines are
// indented, which Markdown reads.
func cleanText(s string) string {
	var lines []string
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(s)
	for line := range strings.SplitSeq(s, "\n") {
		rest := strings.TrimLeft(line, " \t")
		indent := len(strings.ReplaceAll(line[:len(line)-len(rest)], "\t", "    "))
		if rest = clean(rest); rest != "" {
			rest = strings.Repeat(" ", min(indent, 12)) + rest
		}
		lines = append(lines, rest)
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return strings.Join(lines, "\n") // leading empty lines stay: errors name lines
}
