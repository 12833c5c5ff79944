package store

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// erasedWords stand where an address stood that was erased.
const erasedWords = "(erased)"

// The most bytes before and after an @ that are looked at: what is longer is no address.
const (
	maxLocalBytes  = 64 * utf8.UTFMax
	maxDomainBytes = 253 * utf8.UTFMax
)

// addressMatch says whether an address, given case-folded as subscribers.email_key has it, is
// one that is to go.
type addressMatch func(key string) bool

// withoutAddresses takes addresses out of words, however they are written: in any case, with the
// domain in letters or in A-labels, as a part of a return path ("bounce+vera=example.org@…"),
// in a link ("vera%40example.org"). An address that only ends, or begins, like one of them is
// somebody else's and stays.
func withoutAddresses(text string, gone addressMatch) string {
	var b strings.Builder
	done := 0
	for i := 0; i < len(text); {
		n := separator(text[i:])
		if n == 0 {
			i++
			continue
		}
		start, end, ok := addressAround(text, done, i, i+n, gone)
		if !ok {
			i += n
			continue
		}
		b.WriteString(text[done:start] + erasedWords)
		done, i = end, end
	}
	if done == 0 {
		return text
	}
	return b.String() + text[done:]
}

// separator returns the length of what stands for the @ of an address at the beginning, or 0.
func separator(text string) int {
	switch {
	case text[0] == '@' || text[0] == '=':
		return 1
	case strings.HasPrefix(text, "%40"):
		return len("%40")
	}
	return 0
}

// addressAround returns where the address begins and ends whose @ is text[at:after]. Nothing
// before from belongs to it.
func addressAround(text string, from, at, after int, gone addressMatch) (start, end int, ok bool) {
	for _, end := range domainEnds(text, after) {
		domain := asciiName(text[after:end])
		if domain == "" {
			continue
		}
		for _, start := range localStarts(text, from, at) {
			if gone(foldedLocal(text[start:at]) + "@" + domain) {
				return start, end, true
			}
		}
	}
	return 0, 0, false
}

// domainEnds returns where the name of a domain that begins here may end: before the dot of a
// sentence, and where the next sentence follows without a space.
func domainEnds(text string, from int) []int {
	end := from
	var ends []int
	for end < len(text) && end-from < maxDomainBytes {
		r, n := utf8.DecodeRuneInString(text[end:])
		if r != '.' && r != '-' && !isWord(r) || r == '_' {
			break
		}
		if next, _ := utf8.DecodeRuneInString(text[end+n:]); r == '.' && end > from && unicode.IsUpper(next) {
			if last, _ := utf8.DecodeLastRuneInString(text[:end]); unicode.IsLower(last) {
				ends = append(ends, end)
			}
		}
		end += n
	}
	whole := from + len(strings.TrimRight(text[from:end], ".-"))
	if whole == from {
		return nil
	}
	return append(ends, whole)
}

// localStarts returns where the local part that ends at this place may begin, the longest first.
func localStarts(text string, from, at int) []int {
	from = max(from, at-maxLocalBytes)
	quoted := at > from && text[at-1] == '"'
	var starts []int
	for p := at; p > from; {
		r, n := utf8.DecodeLastRuneInString(text[:p])
		if p -= n; p < from {
			break
		}
		if quoted {
			if r == '"' && p < at-1 {
				starts = append(starts, p)
			}
			continue
		}
		if unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`<>()[],;:"\@`, r) {
			break
		}
		if begins(text, p, text[at] == '=') {
			starts = append(starts, p)
		}
	}
	for i, j := 0, len(starts)-1; i < j; i, j = i+1, j-1 {
		starts[i], starts[j] = starts[j], starts[i]
	}
	return starts
}

// begins reports whether an address may begin here: what stands before does not belong to it.
// In a return path a plus or a hyphen goes before it.
func begins(text string, p int, inReturnPath bool) bool {
	if p == 0 {
		return true
	}
	r, n := utf8.DecodeLastRuneInString(text[:p])
	switch {
	case isWord(r):
		return escaped(text[:p])
	case inReturnPath && (r == '+' || r == '-'):
		return true
	case strings.ContainsRune(".'+-", r): // inside of an address, if there is a word before it
		before := text[:p-n]
		last, _ := utf8.DecodeLastRuneInString(before)
		return before == "" || !isWord(last) || r == '-' && replyCode(before)
	}
	return true
}

// isWord reports whether the character is one of those that words and numbers are made of.
func isWord(r rune) bool {
	return r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}

// escaped reports whether words end with what JSON or a quotation writes for a character, such
// as \n or \u003c.
func escaped(text string) bool {
	i := strings.LastIndexByte(text[max(0, len(text)-6):], '\\')
	if i < 0 {
		return false
	}
	sign := text[max(0, len(text)-6):][i+1:]
	return len(sign) == 1 && strings.IndexByte("abfnrtv", sign[0]) >= 0 || len(sign) == 5 && sign[0] == 'u'
}

// replyCode reports whether words end with the code of a reply of several lines, "550" of
// "550-vera@example.org".
func replyCode(text string) bool {
	digits := len(text) - len(strings.TrimRight(text, "0123456789"))
	if digits != 3 {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(text[:len(text)-3])
	return len(text) == 3 || !isWord(before)
}

// asciiName returns a domain in lower case and A-labels, as addresses are kept; "" if it is none.
func asciiName(domain string) string {
	name := strings.ToLower(domain)
	if !isASCII(domain) || strings.Contains(name, "xn--") {
		var err error
		if name, err = idna.Lookup.ToASCII(norm.NFC.String(domain)); err != nil {
			return ""
		}
	}
	if !strings.Contains(name, ".") {
		return ""
	}
	return name
}

// foldedLocal returns a local part as it is compared.
func foldedLocal(local string) string {
	if isASCII(local) {
		return strings.ToLower(local)
	}
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(local)))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
