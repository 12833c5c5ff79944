package newsletter

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Level says what a finding about an edition means for it.
type Level string

// The levels of a finding.
const (
	LevelFail Level = "fail" // the edition is not sent, unless staff force it
	LevelWarn Level = "warn" // somebody should look
)

// Gate names what an edition is looked at for before it is frozen.
type Gate string

// The gates. Programs read them: they never change.
const (
	GateSize    Gate = "size"    // the HTML part is not clipped (S15)
	GateText    Gate = "text"    // the text part has all that the HTML part has (S13)
	GateHTML    Gate = "html"    // what all readers need of a mail (S6, S16)
	GateLinks   Gate = "links"   // links lead to public addresses of the web
	GateAlt     Gate = "alt"     // pictures have descriptions
	GateSubject Gate = "subject" // the subject is one
	GateSlots   Gate = "slots"   // nothing personal is left unfilled
	GateLegal   Gate = "legal"   // the newsletter says who publishes it
)

// Finding is something that a gate found about an edition.
type Finding struct {
	Gate    Gate
	Level   Level
	Message string // what is wrong, in a plain line without a full stop
	Remedy  string // what to do about it
}

// Fails returns the findings that keep an edition from being sent.
func Fails(findings []Finding) []Finding {
	var list []Finding
	for _, f := range findings {
		if f.Level == LevelFail {
			list = append(list, f)
		}
	}
	return list
}

// GateRefusal is the refusal, with the reason gate, of an edition that fails.
func GateRefusal(fails []Finding) error {
	lines := make([]string, len(fails))
	for i, f := range fails {
		lines[i] = fmt.Sprintf("%s: %s; %s", f.Gate, f.Message, f.Remedy)
	}
	return Refusef("gate", "the edition is not ready to be sent:\n  %s\n--force sends it as it is", strings.Join(lines, "\n  "))
}

// MaxSubject is how many characters a subject can have: phones show 40, nobody shows more.
const MaxSubject = 110

var (
	trialSubject = regexp.MustCompile(`(?i)^\W*(test(ing)?|xxx+|asdf\w*|todo|draft|untitled|subject)\W*\d*\W*$|^\W*\[?(test|draft|todo)\s*[\]:]|lorem ipsum`)
	unfilled     = regexp.MustCompile(`\{\{|\}\}|\{%|%\}|\*\||\|\*|\$\{|%%|\{[A-Za-z_. ]{1,40}\}|<%|%>|(?i:\[(first|last|f|l|full|sur)?[ _-]?name\]|%(first|last|f|l|full|sur)?[_-]?name%|[\[%](subscriber|recipient)[ :._-][a-z _-]{1,20}[\]%])`)
)

// CheckSubject returns what is wrong with a subject. Own says that staff wrote it: then looks
// count as well. Over a headline that was published the sending is not stopped.
func CheckSubject(subject string, own bool) []Finding {
	looks, found := LevelWarn, []Finding(nil)
	if own {
		looks = LevelFail
	}
	find := func(l Level, remedy, format string, args ...any) {
		found = append(found, Finding{GateSubject, l, fmt.Sprintf(format, args...), remedy})
	}
	if strings.TrimSpace(subject) == "" {
		find(LevelFail, "give it one: --subject", "the subject is empty")
		return found
	}
	if strings.ContainsFunc(subject, isHidden) {
		find(LevelFail, "write it anew, without copying it from elsewhere", "the subject %q has control characters, or marks that turn the direction of text", subject)
	}
	if n := utf8.RuneCountInString(subject); n > MaxSubject {
		find(looks, "shorten it: phones show about 40", "the subject has %d characters, and should have at most %d", n, MaxSubject)
	}
	if shouts(subject) {
		find(looks, "write it in small letters: filters take capitals for spam", "the subject “%s” is all in capitals", subject)
	}
	if trialSubject.MatchString(subject) {
		find(looks, "write what the edition is about", "the subject “%s” looks like one for a try", subject)
	}
	if unfilled.MatchString(subject) {
		find(looks, "write the words themselves: nothing is filled in here", "the subject “%s” has a place that was not filled in", subject)
	}
	return found
}

// isHidden reports whether nobody sees the character, and mail programs may act on it.
func isHidden(r rune) bool {
	return unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200b || r == 0xfeff
}

// shouts reports whether a text of several words is all in capitals.
func shouts(s string) bool {
	upper := 0
	for _, r := range s {
		if unicode.IsLower(r) {
			return false
		}
		if unicode.IsUpper(r) {
			upper++
		}
	}
	return upper >= 10 && len(strings.Fields(s)) > 1
}
