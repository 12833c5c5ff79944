package feed

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"broadsheet/internal/newsletter"

	"golang.org/x/net/html"
	"golang.org/x/text/unicode/norm"
)

// The lengths of texts, in characters (runes).
const (
	maxHeadline = 300
	maxSummary  = 300
	maxAuthor   = 200
	maxAlt      = 300

	maxMarkup = 64 << 10 // bytes of HTML that are read for a text; an article can be any length
	maxPasses = 12
)

// plain returns s, which may be HTML, HTML that was escaped once too often, or plain text,
// as one line of plain text of at most limit characters (S32): no tags, no entities, no
// control characters, none of the marks that turn the direction of what follows, nothing
// that could be taken for one of our places in a mail. It is cut at a word, with an ellipsis.
//
// Reading HTML, rather than searching it for things to remove, is what makes this safe; it
// is repeated until nothing changes, so plain of its result is that result.
func plain(s string, limit int) string {
	return cut(plainText(s), limit)
}

func plainText(s string) string {
	if len(s) > maxMarkup {
		s = s[:maxMarkup]
	}
	for range maxPasses {
		before := s
		if strings.ContainsAny(s, "<&") {
			s = htmlText(s)
		}
		s = newsletter.StripPlaces(tidy(s))
		if s == before {
			return s
		}
	}
	// Nobody escapes a text that often in good faith.
	return tidy(strings.NewReplacer("<", " ", ">", " ", "&", " ").Replace(s))
}

// htmlText returns the text of HTML as a reader sees it. Elements that are no part of a
// running text end a word.
func htmlText(s string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	hidden := 0
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			if hidden == 0 {
				b.Write(z.Text())
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			tag, _ := z.TagName()
			name := string(tag)
			if !isInline(name) {
				b.WriteByte(' ')
			}
			switch {
			case !isHidden(name) || kind == html.SelfClosingTagToken:
			case kind == html.StartTagToken:
				hidden++
			case hidden > 0:
				hidden--
			}
		}
	}
}

// isInline tells elements that stand within a word or between words.
func isInline(name string) bool {
	switch name {
	case "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font",
		"i", "ins", "kbd", "label", "mark", "nobr", "q", "s", "samp", "small", "span", "strike",
		"strong", "sub", "sup", "time", "tt", "u", "var", "wbr":
		return true
	}
	return false
}

// isHidden tells elements whose text is not the article's: code, controls, captions.
func isHidden(name string) bool {
	switch name {
	case "script", "style", "noscript", "template", "iframe", "object", "svg", "math", "audio",
		"video", "figure", "figcaption", "button", "select", "textarea", "title":
		return true
	}
	return false
}

// tidy makes one line of s: white space of every kind becomes a single space, and what can
// only do harm goes. Letters and accents are composed (NFC), so that the same text is the
// same bytes.
func tidy(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD")) {
		switch {
		case unicode.IsSpace(r):
			space = true
			continue
		case isHarmful(r):
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
	}
	return b.String()
}

// isHarmful tells characters that nobody sees, or that change how others are shown: controls,
// soft hyphens and spaces of no width, overrides of the direction (which would turn round the
// rest of a page), noncharacters. Joiners and direction marks are part of some scripts and stay.
func isHarmful(r rune) bool {
	switch {
	case unicode.IsControl(r),
		r == '\u00ad', r == '\u200b', r == '\u2060', r == '\ufeff', r == '\u180e',
		r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069',
		r >= '\ufff9' && r <= '\ufffb', r >= '\ufdd0' && r <= '\ufdef', r&0xfffe == 0xfffe:
		return true
	}
	return false
}

// readable reports whether there is anything in s that a reader can see.
func readable(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r)
	})
}

// cut shortens s to at most limit characters, an ellipsis included: at the end of a word, or
// between characters in scripts that write without spaces.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	runes := []rune(s)
	end := limit - 1
	for back := end; back > limit/2; back-- {
		if runes[back] == ' ' {
			end = back
			break
		}
	}
	for end > 1 && runes[end] != ' ' && joins(runes[end-1], runes[end]) {
		end--
	}
	kept := strings.TrimRightFunc(string(runes[:end]), func(r rune) bool {
		return r == ' ' || slices.Contains([]rune(",;:.–—-(["), r)
	})
	return strings.TrimRight(kept, "…") + "…"
}

// joins reports whether b is shown as a part of the character a.
func joins(a, b rune) bool {
	return a == '\u200d' || b == '\u200d' || unicode.Is(unicode.M, b) ||
		b >= 0x1f3fb && b <= 0x1f3ff || // skin tones
		isFlag(a) && isFlag(b)
}

func isFlag(r rune) bool { return r >= 0x1f1e6 && r <= 0x1f1ff }

// fold reduces a text to its letters and digits, for asking whether two say the same.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.M, r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
