package newsletter

import (
	"crypto/hmac"
	"time"
)

// The times of what a reader does by a link that was mailed to them.
const (
	FreshTime     = 15 * time.Minute   // how long a fresh link opens all of the reader's page
	LinkCooldown  = FreshTime          // between two mails with a fresh link
	AddressValid  = 24 * time.Hour     // how long a new address can be confirmed
	MovedUndoTime = 7 * 24 * time.Hour // how long the old address can take a change of address back
)

// LinkRequest asks for a mail with a fresh link.
type LinkRequest struct {
	EmailKey    string // the case-folded address
	Suppression SuppressionHashes
	Limits      []Limit // that it counts towards
}

// SentMail is a transactional mail that was sent, or will be.
type SentMail struct {
	Kind MailKind
	At   time.Time
}

// LinkMail decides whether a mail with a fresh link is sent, and when: delay is that of the slow lane.
//
// Unlike a confirmation it comes within the hour of another mail, for who has just signed up may lose
// that link at once; one kind of its own waits for the other to be of no use. More than MailsPerDay of
// all kinds there are not, so it is no way to bomb anybody either (S28).
func LinkMail(now time.Time, delay time.Duration, sent []SentMail) (at time.Time, ok bool) {
	today := 0
	for _, m := range sent {
		if m.Kind == MailLink && m.At.After(now.Add(-LinkCooldown)) {
			return now, false
		}
		if m.At.After(now.Add(-24 * time.Hour)) {
			today++
		}
	}
	return now.Add(delay), today < MailsPerDay
}

const (
	purposeFresh = "fresh"
	freshSize    = 1 + 6 + 3 + 7 + macSize // key id, subscriber, newsletter, Unix ms, MAC
)

// FreshTokenLength is the length of every token of a fresh link; those of digests have another.
const FreshTokenLength = freshSize * 8 / 6

// SignFresh returns the token of a link to the reader's page that is made now: within FreshTime it
// opens all of the page, and after that what the link in a digest opens.
func (r KeyRing) SignFresh(l Link, now time.Time) string {
	key := r[len(r)-1]
	b := make([]byte, 0, freshSize)
	b = append(b, key.ID)
	b = appendUint(b, l.SubscriberID, 6)
	b = appendUint(b, l.NewsletterID, 3)
	b = appendUint(b, now.UnixMilli(), 7)
	b = append(b, key.mac(purposeFresh, b)...)
	return tokenEncoding.EncodeToString(b)
}

// OpenFresh returns what the token of a fresh link names and when it was made, or ErrToken. It says
// nothing of whether that is still fresh: see Fresh.
func (r KeyRing) OpenFresh(token string) (l Link, made time.Time, err error) {
	b, key, err := r.decode(token, freshSize)
	if err != nil {
		return Link{}, time.Time{}, err
	}
	body := b[:freshSize-macSize]
	if !hmac.Equal(b[freshSize-macSize:], key.mac(purposeFresh, body)) {
		return Link{}, time.Time{}, ErrToken
	}
	return Link{SubscriberID: readUint(b[1:7]), NewsletterID: readUint(b[7:10])}, time.UnixMilli(readUint(b[10:17])), nil
}

// Fresh reports whether a link that was made at a time still opens all of a reader's page. A clock
// that was set back makes no link fresh for longer.
func Fresh(made, now time.Time) bool {
	return now.Before(made.Add(FreshTime)) && !now.Before(made.Add(-FreshTime))
}
