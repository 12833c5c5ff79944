package mail

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"broadsheet/internal/newsletter"
)

// The limits of an address in octets: RFC 5321 §4.5.3.1.1, RFC 3696 erratum 1690, and of a
// domain and its labels, RFC 1035 §2.3.4.
const (
	maxAddress = 254
	maxLocal   = 64
	maxDomain  = 253
	maxLabel   = 63
)

// ParseAddress reads the e-mail address that somebody typed (S20). email is how it is
// mailed to: trimmed, in NFC, the local part as typed, the domain in lower case and ASCII
// (IDNA A-labels). key is equal for two addresses exactly if they count as one: the whole
// address, case-folded. The error is an Invalid one on the field "email", with a sentence
// for the person who typed it.
func ParseAddress(raw string) (email, key string, err error) {
	email, key, wrong := parseAddress(raw)
	if wrong != "" {
		return "", "", newsletter.Invalidf("email", "%s", wrong)
	}
	return email, key, nil
}

// parseAddress returns what is wrong with the address, or "".
func parseAddress(raw string) (email, key, wrong string) {
	if len(raw) > 4*maxAddress {
		return "", "", "This e-mail address is too long."
	}
	if !utf8.ValidString(raw) {
		return "", "", "This e-mail address contains characters that cannot be read. Please type it again."
	}
	s := strings.Trim(strings.TrimSpace(raw), "\u200b\u2060\ufeff") // left over from copying
	s = norm.NFC.String(strings.TrimSpace(s))
	at := strings.LastIndexByte(s, '@')
	switch {
	case s == "":
		return "", "", "Please enter your e-mail address."
	case at < 0:
		return "", "", "An e-mail address has an @ in it, as in name@example.org."
	case at == 0:
		return "", "", "The part before the @ is missing, as in name@example.org."
	case at == len(s)-1:
		return "", "", "The part after the @ is missing, as in name@example.org."
	case strings.ContainsAny(s, "<>"):
		return "", "", "Please enter only the address itself, as in name@example.org."
	case strings.ContainsFunc(s, unicode.IsSpace):
		return "", "", "An e-mail address has no spaces in it."
	}
	local, domain := s[:at], s[at+1:]
	if wrong := checkLocal(local); wrong != "" {
		return "", "", wrong
	}
	domain, wrong = asciiDomain(domain)
	if wrong != "" {
		return "", "", wrong
	}
	email = local + "@" + domain
	if len(email) > maxAddress {
		return "", "", "This e-mail address is too long."
	}
	return email, foldLocal(local) + "@" + domain, ""
}

// checkLocal returns what is wrong with a local part, or "".
func checkLocal(local string) string {
	if len(local) > maxLocal {
		return "The part before the @ is too long."
	}
	if local[0] == '"' {
		if !validQuoted(local) {
			return "The quotation marks before the @ are not right; most addresses have none."
		}
		return ""
	}
	if local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return "The part before the @ cannot begin or end with a dot, or have two in a row."
	}
	for i, r := range local {
		if r == '.' || isAtext(r) || r >= utf8.RuneSelf && isWritten(r, i == 0) {
			continue
		}
		if r == '@' {
			return "An e-mail address has only one @ in it."
		}
		if !unicode.IsGraphic(r) {
			return "This e-mail address contains an invisible character. Please type it again."
		}
		return "The part before the @ cannot contain " + string(r) + "."
	}
	return ""
}

// isAtext reports whether the ASCII character can stand in an atom (RFC 5322 §3.2.3).
func isAtext(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		r < utf8.RuneSelf && r != 0 && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", byte(r)) >= 0
}

// isWritten reports whether the character is one that people write: not a control, a format
// or a private one, and no combining mark at the beginning.
func isWritten(r rune, first bool) bool {
	if r == utf8.RuneError {
		return false
	}
	if unicode.IsMark(r) {
		return !first
	}
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S)
}

// validQuoted reports whether s is a quoted string of ASCII without spaces
// (RFC 5321 §4.1.2).
func validQuoted(s string) bool {
	if len(s) < 3 || s[len(s)-1] != '"' {
		return false
	}
	for i := 1; i < len(s)-1; i++ {
		switch c := s[i]; {
		case c <= ' ' || c >= 0x7f || c == '"':
			return false
		case c == '\\':
			if i++; i == len(s)-1 || s[i] <= ' ' || s[i] >= 0x7f {
				return false
			}
		}
	}
	return true
}

// asciiDomain returns the domain in lower case and A-labels, or what is wrong with it.
func asciiDomain(domain string) (ascii, wrong string) {
	const notADomain = "The part after the @ is not the name of a mail provider, as in name@example.org."
	if domain[0] == '[' {
		return "", "An address with a number in place of a domain cannot be used."
	}
	lower := strings.ToLower(domain)
	if !isASCII(domain) || strings.Contains(lower, "xn--") {
		var err error
		if lower, err = idna.Lookup.ToASCII(domain); err != nil {
			return "", notADomain
		}
	}
	if len(lower) > maxDomain {
		return "", "The part after the @ is too long."
	}
	labels := strings.Split(lower, ".")
	if len(labels) < 2 {
		return "", "The part after the @ has a dot in it, as in name@example.org."
	}
	for _, label := range labels {
		if !validLabel(label) {
			return "", notADomain
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return "", "An address with a number in place of a domain cannot be used."
	}
	return lower, ""
}

// validLabel reports whether s is one label of a host name: letters, digits and inner
// hyphens (RFC 1123 §2.1).
func validLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

// foldLocal returns the local part as it is compared: Unicode case folding, in NFC.
func foldLocal(local string) string {
	if isASCII(local) {
		return strings.ToLower(local)
	}
	return norm.NFC.String(cases.Fold().String(local))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// ParseMailbox reads an address with an optional display name, as in
// "Example News <news@example.org>", for settings. The name is plain text: quotation marks
// around the whole of it are taken off, encoded words are not decoded.
func ParseMailbox(raw string) (newsletter.Address, error) {
	s := strings.TrimSpace(raw)
	var name string
	if open := strings.LastIndexByte(s, '<'); open >= 0 {
		if s[len(s)-1] != '>' {
			return newsletter.Address{}, newsletter.Invalidf("address", "%q: write it as Example News <news@example.org>", raw)
		}
		name, s = strings.TrimSpace(s[:open]), s[open+1:len(s)-1]
	}
	email, _, wrong := parseAddress(s)
	if wrong != "" {
		return newsletter.Address{}, newsletter.Invalidf("address", "%q: %s Write it as Example News <news@example.org>.", raw, wrong)
	}
	if len(name) >= 2 && name[0] == '"' && name[len(name)-1] == '"' {
		name = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(name[1 : len(name)-1])
	}
	if cleanName(name) != strings.Join(strings.Fields(name), " ") || len(name) > 200 {
		return newsletter.Address{}, newsletter.Invalidf("address", "the name in %q has characters that cannot be shown, or is too long", raw)
	}
	return newsletter.Address{Name: cleanName(name), Email: email}, nil
}

// NeedsSMTPUTF8 reports whether mail to the address needs SMTPUTF8 (RFC 6531): only if the
// local part is not ASCII, as domains are A-labels (S21).
func NeedsSMTPUTF8(email string) bool {
	return !isASCII(email)
}

// errNoAddress is what is wrong with an envelope or header address that ParseAddress would
// not have let pass.
var errNoAddress = errors.New("not an e-mail address")

// checkEmail makes sure that an address cannot break out of the place it is written to. It
// is cheap, because it runs for each message, and does not replace ParseAddress.
func checkEmail(email string) error {
	if len(email) < 3 || len(email) > maxAddress || strings.IndexByte(email, '@') < 1 {
		return errNoAddress
	}
	for i := range len(email) {
		if c := email[i]; c <= ' ' || c == 0x7f || c == '<' || c == '>' {
			return errNoAddress
		}
	}
	return nil
}
