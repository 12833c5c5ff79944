package feed

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"broadsheet/internal/newsletter"
)

// labels are the known labels as they are to be shown; an earlier one counts more.
type labels []string

func newLabels(list []string) labels {
	var out labels
	for _, l := range list {
		if l = tidy(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// find returns the label that an item has as a category, or in front of one of the texts;
// "" if it has none.
func (l labels) find(categories []string, texts ...string) string {
	for _, label := range l {
		if slices.ContainsFunc(categories, func(c string) bool { return strings.EqualFold(c, label) }) {
			return label
		}
		for _, t := range texts {
			if _, ok := cutLabel(t, label); ok {
				return label
			}
		}
	}
	return ""
}

// withoutLabel removes the label from the front of text, however often it stands there. The
// category stays among the categories: a section may be mapped to it.
func withoutLabel(text, label string) string {
	if label == "" {
		return text
	}
	for {
		rest, ok := cutLabel(text, label)
		if !ok {
			return text
		}
		text = rest
	}
}

// cutLabel returns what follows label at the front of text, where it stands as a label: in
// brackets ("[Opinion] …"), or with a separator after it ("EXCLUSIVE: …", "Exclusive | …",
// "Exclusive – …"). In "Exclusive club opens" it is a word like any other, and a text that
// is nothing but the label keeps it.
func cutLabel(text, label string) (string, bool) {
	if open, size := utf8.DecodeRuneInString(text); closing(open) != 0 {
		rest, ok := cutFold(strings.TrimLeft(text[size:], " "), label)
		if !ok {
			return "", false
		}
		rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " "), string(closing(open)))
		if !ok {
			return "", false
		}
		if after, ok := cutSeparator(rest); ok {
			rest = after
		}
		rest = strings.TrimLeft(rest, " ")
		return rest, readable(rest)
	}
	rest, ok := cutFold(text, label)
	if !ok {
		return "", false
	}
	rest, ok = cutSeparator(rest)
	return rest, ok && readable(rest)
}

// cutSeparator removes a separator and the spaces around it. A dash separates only with a
// space at it, or every compound would begin with a label.
func cutSeparator(s string) (string, bool) {
	trimmed := strings.TrimLeft(s, " ")
	spaceBefore := len(trimmed) < len(s)
	r, size := utf8.DecodeRuneInString(trimmed)
	rest := trimmed[size:]
	after := strings.TrimLeft(rest, " ")
	spaceAfter := len(after) < len(rest)
	switch r {
	case ':', '：', '|', '¦', '•', '·':
		return after, true
	case '–', '—', '―':
		return after, spaceBefore || spaceAfter
	case '-', '»', '›', '>', '/':
		return after, spaceAfter
	}
	return "", false
}

// cutFold is strings.CutPrefix without regard to case, at the end of a word.
func cutFold(s, prefix string) (string, bool) {
	end := 0
	for range utf8.RuneCountInString(prefix) {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	if !strings.EqualFold(s[:end], prefix) {
		return "", false
	}
	if next, _ := utf8.DecodeRuneInString(s[end:]); unicode.IsLetter(next) || unicode.IsNumber(next) {
		return "", false
	}
	return s[end:], true
}

// closing returns the bracket that closes open, 0 if open is none.
func closing(open rune) rune {
	switch open {
	case '[':
		return ']'
	case '(':
		return ')'
	case '{':
		return '}'
	case '【':
		return '】'
	}
	return 0
}

// applyLabel finds the item's label, and makes its headline and summary, from which the
// label is gone.
func (l labels) applyLabel(item *newsletter.Item, headline string, summaries []string) {
	item.Label = l.find(item.Categories, append([]string{headline}, summaries...)...)
	item.Headline = cut(withoutLabel(headline, item.Label), maxHeadline)
	item.Summary = summarise(item.Headline, item.Label, summaries)
}
