package digest

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"broadsheet/internal/newsletter"
)

// clean makes a stranger's text fit for one line of a mail: valid UTF-8, any white space a
// single space, nothing that controls a terminal, a header or the direction of what follows,
// and nothing that could be taken for a personal place.
func clean(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case unicode.IsSpace(r) && r != '\u00A0' && r != '\u202F', r == '\u2028', r == '\u2029':
			space = true
			continue
		case unicode.IsControl(r), isBidiControl(r), r == '\uFEFF':
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
	}
	// Only now, as taking characters out can bring the parts of a place together.
	return strings.TrimSpace(newsletter.StripPlaces(b.String()))
}

// isBidiControl reports whether the character changes the direction of all that follows it.
// The marks that work on their neighbours only (U+200E, U+200F, U+061C) may stay.
func isBidiControl(r rune) bool {
	return '\u202A' <= r && r <= '\u202E' || '\u2066' <= r && r <= '\u2069'
}

// cleanLines cleans each line and leaves out those that are empty.
func cleanLines(s string) string {
	var lines []string
	for line := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = clean(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// cut shortens the text to at most n characters, at a word if there is one, and says so by
// an ellipsis. It does not part a letter from the marks that follow it.
func cut(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	if n <= 1 {
		return ""
	}
	runes := []rune(s)
	end := n - 1 // the ellipsis is one
	if i := lastSpace(runes[:end+1]); i > end*2/3 {
		end = i
	}
	for end > 0 && isJoined(runes[end-1], runes[end]) {
		end--
	}
	short := strings.TrimRightFunc(string(runes[:end]), func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(",;:.·–—-", r)
	})
	if short == "" {
		return ""
	}
	return short + "…"
}

func lastSpace(runes []rune) int {
	for i := len(runes) - 1; i >= 0; i-- {
		if unicode.IsSpace(runes[i]) {
			return i
		}
	}
	return -1
}

// isJoined reports whether the two characters are drawn as one.
func isJoined(a, b rune) bool {
	const joiner = '\u200D'
	return unicode.IsMark(b) || a == joiner || b == joiner || isRegional(a) && isRegional(b) || '\U0001F3FB' <= b && b <= '\U0001F3FF'
}

// isRegional reports whether the character is half of a flag.
func isRegional(r rune) bool { return '\U0001F1E6' <= r && r <= '\U0001F1FF' }
