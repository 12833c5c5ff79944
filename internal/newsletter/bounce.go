package newsletter

import (
	"crypto/hmac"
	"encoding/base32"
	"strings"
)

// The purposes of return paths: one is none of the other, and neither opens a link.
const (
	purposeBounce     = "bounce"
	purposeBounceMail = "bounce-mail"
)

// bouncePrefix begins the local part of every return path. What stands before the plus is
// the mailbox that they all come back to, where the receiving system knows subaddresses.
const bouncePrefix = "b+"

// bounceSize is the length of a return path's token: key id, two numbers, MAC.
const bounceSize = 1 + 4 + 6 + macSize

// bounceEncoding has one case only: systems on the way may fold that of a local part.
var bounceEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// BounceAddress returns the return path of one delivery (S17): b+TOKEN@domain. The token
// names edition and subscriber under a MAC, so that a report of non-delivery tells whose it
// is, and nobody can make one up. It is the same for every attempt. The local part has 46
// octets; RFC 5321 §4.5.3.1.1 allows 64.
func (r KeyRing) BounceAddress(editionID, subscriberID int64, domain string) string {
	return r.bounce(purposeBounce, editionID, subscriberID) + "@" + domain
}

// ParseBounceAddress returns the delivery whose return path has this local part, in whatever
// case it came back. ok is false for anything that BounceAddress did not make with a key of
// the ring.
func (r KeyRing) ParseBounceAddress(localPart string) (editionID, subscriberID int64, ok bool) {
	return r.parseBounce(purposeBounce, localPart)
}

// BounceMailAddress returns the return path of one transactional mail, in the form of
// BounceAddress.
func (r KeyRing) BounceMailAddress(mailID int64, domain string) string {
	return r.bounce(purposeBounceMail, 0, mailID) + "@" + domain
}

// ParseBounceMailAddress returns the transactional mail whose return path has this local
// part; see ParseBounceAddress.
func (r KeyRing) ParseBounceMailAddress(localPart string) (mailID int64, ok bool) {
	_, mailID, ok = r.parseBounce(purposeBounceMail, localPart)
	return mailID, ok
}

// bounce returns a local part that names two numbers: 32 and 48 bits of them.
func (r KeyRing) bounce(purpose string, first, second int64) string {
	key := r[len(r)-1]
	b := make([]byte, 0, bounceSize)
	b = append(b, key.ID)
	b = appendUint(b, first, 4)
	b = appendUint(b, second, 6)
	b = append(b, key.mac(purpose, b)...)
	return bouncePrefix + bounceEncoding.EncodeToString(b)
}

func (r KeyRing) parseBounce(purpose, localPart string) (first, second int64, ok bool) {
	if len(localPart) != len(bouncePrefix)+bounceEncoding.EncodedLen(bounceSize) || !strings.EqualFold(localPart[:len(bouncePrefix)], bouncePrefix) {
		return 0, 0, false
	}
	b, err := bounceEncoding.DecodeString(strings.ToLower(localPart[len(bouncePrefix):]))
	if err != nil || len(b) != bounceSize { // the decoder passes over line ends
		return 0, 0, false
	}
	for _, key := range r {
		if key.ID == b[0] && hmac.Equal(b[bounceSize-macSize:], key.mac(purpose, b[:bounceSize-macSize])) {
			return readUint(b[1:5]), readUint(b[5:11]), true
		}
	}
	return 0, 0, false
}
