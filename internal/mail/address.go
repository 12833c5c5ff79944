package mail

import (
	"errors"

	"broadsheet/internal/newsletter"
)

// ParseAddress reads the e-mail address that somebody typed (S20). email is how it is
// mailed to: trimmed, in NFC, the local part as typed, the domain in lower case and ASCII
// (IDNA A-labels). key is equal for two addresses exactly if they count as one: the whole
// address, case-folded. The error is an Invalid one on the field "email", with a sentence
// for the person who typed it.
func ParseAddress(raw string) (email, key string, err error) {
	return "", "", errors.New("not written yet")
}

// ParseMailbox reads an address with an optional display name, as in
// "Example News <news@example.org>", for settings.
func ParseMailbox(raw string) (newsletter.Address, error) {
	return newsletter.Address{}, errors.New("not written yet")
}

// NeedsSMTPUTF8 reports whether mail to the address needs SMTPUTF8 (RFC 6531): only if the
// local part is not ASCII, as domains are A-labels (S21).
func NeedsSMTPUTF8(email string) bool { return false }
