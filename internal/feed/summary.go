package feed

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// longText is a length in bytes beyond which the end of a text is not shown anyway, and
// boilerplateTail the part of the end that is searched: the time that a regular expression
// takes grows with it, and a feed has many items.
const (
	longText        = 4 << 10
	boilerplateTail = 600
)

// What publishing systems put at the end of a text. The words have to begin a sentence of
// their own: an article may well tell people to read more.
var (
	postAppeared = regexp.MustCompile(`(?i)(^|\s)the (?:post|article) .{0,400}?\s?(?:first appeared|appeared first|appeared) on .{1,150}$`)

	invitation = regexp.MustCompile(`(?i)(^|[.!?…:;|»”"’')\]\x{3002}]\s*|\s[-–—|]\s+)[\[(]?\s*` +
		`(?:continue reading|continued?|keep reading|read more|read on|read it all|learn more|` +
		`read (?:the )?(?:full|whole|entire|rest of (?:the|this)) ?(?:article|story|post|piece|report|interview)?(?: here)?|` +
		`read (?:the|this) (?:article|story|post|piece)|full (?:story|article)|more here|` +
		`click (?:here )?to (?:read|view|see|continue)(?: more| on| reading| the (?:full )?(?:article|story))?|` +
		`view (?:the )?(?:full )?(?:article|story|post)|` +
		`weiterlesen|mehr lesen|lire la suite|en savoir plus|leer más|seguir leyendo|continua a leggere|` +
		`leggi tutto|lees (?:meer|verder)|läs mer|les mer|læs mere|lue lisää|czytaj (?:dalej|więcej)|leia mais)` +
		`[\s.:…→»›>\])]*$`)

	// WordPress names the article again: "Continue reading The pulp mill closes →".
	continueReading = regexp.MustCompile(`(?i)(^|[.!?…:;|»”"’')\]]\s*)continue reading\b.{0,320}$`)

	bracketEllipsis = regexp.MustCompile(`\s*(?:\[\s*(?:…|\.{3,})\s*\]|\(\s*(?:…|\.{3,})\s*\)|\.{3,})\s*$`)
)

// summarise returns the text that stands under the headline: from the first of the sources
// (plain texts) that says more than the headline does, without label and boilerplate, cut to
// maxSummary characters at a word. It is "" if there is none.
func summarise(headline, label string, sources []string) string {
	for _, source := range sources {
		s := withoutLabel(withoutBoilerplate(source), label)
		if readable(s) && !repeats(s, headline) {
			return cut(s, maxSummary)
		}
	}
	return ""
}

// withoutBoilerplate removes what the publishing system added at the end.
func withoutBoilerplate(s string) string {
	if len(s) > longText { // its end will not be shown
		return s
	}
	for range 4 { // "… Read more The post X appeared first on Y."
		before := s
		for _, end := range []*regexp.Regexp{postAppeared, invitation, continueReading} {
			s = cutEnd(s, end)
		}
		s = bracketEllipsis.ReplaceAllString(s, "…")
		if s == before {
			break
		}
	}
	if s == "…" {
		return ""
	}
	return s
}

// cutEnd removes what end matches at the end of s, except for its first group.
func cutEnd(s string, end *regexp.Regexp) string {
	from := max(0, len(s)-boilerplateTail)
	for from > 0 && !utf8.RuneStart(s[from]) {
		from--
	}
	m := end.FindStringSubmatchIndex(s[from:])
	if len(m) == 0 || m[0] == 0 && from > 0 { // the start of the tail is no start of a sentence
		return s
	}
	return strings.TrimRight(s[:from+m[3]], " |–—-→[(")
}

// repeats reports whether the summary merely says the headline again, perhaps cut off.
func repeats(summary, headline string) bool {
	s, h := fold(summary), fold(headline)
	if s == h {
		return true
	}
	shortened := strings.HasSuffix(summary, "…") || strings.HasSuffix(headline, "…")
	return shortened && (strings.HasPrefix(h, s) || strings.HasPrefix(s, h) && len(s) < len(h)+len(h)/4)
}
