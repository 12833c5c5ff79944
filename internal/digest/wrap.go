package digest

import (
	"strings"
	"unicode"
)

// textWidth is how wide the text part is, in columns.
const textWidth = 72

// wrap sets the text in lines of at most textWidth columns: the first line begins with
// first, the others with rest. A word that is wider than a line, such as a link, is never
// parted, but scripts that are written without spaces are broken between characters.
func wrap(first, rest, text string) string {
	var b strings.Builder
	b.WriteString(first)
	column, empty := width(first), true
	for word := range strings.FieldsSeq(text) {
		for i, piece := range pieces(word) {
			gap := 0
			if i == 0 && !empty {
				gap = 1
			}
			w := width(piece)
			if !empty && column+gap+w > textWidth {
				b.WriteByte('\n')
				b.WriteString(rest)
				column, gap = width(rest), 0
			}
			b.WriteString(strings.Repeat(" ", gap))
			b.WriteString(piece)
			column += gap + w
			empty = false
		}
	}
	return b.String()
}

// pieces returns the parts of a word between which a line may be broken: wide characters
// stand alone, with the punctuation that follows them.
func pieces(word string) []string {
	if !strings.ContainsFunc(word, isWide) {
		return []string{word}
	}
	var list []string
	start, wide := 0, false
	for i, r := range word {
		if i > start && (wide || isWide(r)) && !unicode.IsPunct(r) && !unicode.IsMark(r) {
			list = append(list, word[start:i])
			start = i
		}
		wide = isWide(r)
	}
	return append(list, word[start:])
}

// width returns how many columns the text takes in a fixed-width font.
func width(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Me, r), unicode.Is(unicode.Cf, r):
		case isWide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

// isWide reports whether the character takes two columns: the scripts of East Asia, and
// pictures.
func isWide(r rune) bool {
	return r >= 0x1100 && (r <= 0x115f || 0x2e80 <= r && r <= 0xa4cf || 0xac00 <= r && r <= 0xd7a3 ||
		0xf900 <= r && r <= 0xfaff || 0xfe30 <= r && r <= 0xfe6f || 0xff00 <= r && r <= 0xff60 ||
		0xffe0 <= r && r <= 0xffe6 || 0x1f300 <= r && r <= 0x1f9ff || 0x20000 <= r && r <= 0x3fffd)
}

// line returns a line of the character as wide as the text part.
func line(char string) string { return strings.Repeat(char, textWidth) }

// underline returns a line of the character as wide as the text, at most as the text part.
func underline(char, text string) string {
	return strings.Repeat(char, min(width(text), textWidth))
}
