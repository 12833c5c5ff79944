package newsletter

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"slices"
	"strings"
	"sync"
)

// Purpose is what a token in a link allows. A token for one purpose is none for another.
type Purpose string

// The purposes of the links in digests. They reach sections, cadence, pause and leaving, and
// nothing more: digests are forwarded.
const (
	PurposeUnsubscribe Purpose = "unsubscribe"
	PurposeManage      Purpose = "manage"
)

const (
	purposeConfirm   = "confirm"
	purposeMessageID = "message-id"
	purposeView      = "view"
)

// Key is one secret of the key ring. Old keys are kept for years, so that old links work.
type Key struct {
	ID     uint8
	Secret []byte     // 32 random bytes
	macs   *sync.Pool // of hashes that have the secret already; nil: it is hashed anew each time
}

// KeyRing signs with its last key and accepts all of them.
type KeyRing []Key

// Prepared returns the ring for who makes many tokens: twice as fast for some memory.
func (r KeyRing) Prepared() KeyRing {
	prepared := slices.Clone(r)
	for i := range prepared {
		secret := prepared[i].Secret
		prepared[i].macs = &sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }}
	}
	return prepared
}

// Link is what a link in a digest names. It needs no row in the database.
type Link struct {
	SubscriberID int64
	NewsletterID int64
	EditionID    int64 // the edition that carried it; 0: none
}

// ErrToken says that a token is not one of ours, or is not for this purpose.
var ErrToken = errors.New("the link is not valid")

const (
	macSize  = 16                      // 128 bits
	linkSize = 1 + 6 + 3 + 4 + macSize // key id, subscriber, newsletter, edition, MAC
	// LinkTokenLength is the length of every token of a Link.
	LinkTokenLength  = linkSize * 8 / 6
	confirmationSize = 1 + 8 + macSize
)

var tokenEncoding = base64.RawURLEncoding

// Sign returns the token that opens the link for the purpose. All have the same length.
func (r KeyRing) Sign(p Purpose, l Link) string {
	key := r[len(r)-1]
	b := make([]byte, 0, linkSize)
	b = append(b, key.ID)
	b = appendUint(b, l.SubscriberID, 6)
	b = appendUint(b, l.NewsletterID, 3)
	b = appendUint(b, l.EditionID, 4)
	b = append(b, key.mac(string(p), b)...)
	return tokenEncoding.EncodeToString(b)
}

// Open returns the link that a token of this purpose names, or ErrToken.
func (r KeyRing) Open(p Purpose, token string) (Link, error) {
	b, key, err := r.decode(token, linkSize)
	if err != nil {
		return Link{}, err
	}
	body := b[:linkSize-macSize]
	if !hmac.Equal(b[linkSize-macSize:], key.mac(string(p), body)) {
		return Link{}, ErrToken
	}
	return Link{SubscriberID: readUint(b[1:7]), NewsletterID: readUint(b[7:10]), EditionID: readUint(b[10:14])}, nil
}

// Confirmation returns the token that confirms a sign-up. It is derived from the row's id
// and nonce, so that the mail can be composed when it is handed over, and again after a crash.
func (r KeyRing) Confirmation(signupID int64, nonce []byte) string {
	key := r[len(r)-1]
	b := binary.BigEndian.AppendUint64([]byte{key.ID}, uint64(signupID))
	return tokenEncoding.EncodeToString(append(b, key.mac(purposeConfirm, b, nonce)...))
}

// ConfirmationID returns the sign-up that a confirmation token claims to be of; only
// CheckConfirmation tells whether the claim is true.
func (r KeyRing) ConfirmationID(token string) (int64, error) {
	b, _, err := r.decode(token, confirmationSize)
	if err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(b[1:9]) & (1<<63 - 1)), nil
}

// CheckConfirmation returns ErrToken unless the token confirms the sign-up with this nonce.
func (r KeyRing) CheckConfirmation(token string, signupID int64, nonce []byte) error {
	b, key, err := r.decode(token, confirmationSize)
	if err != nil {
		return err
	}
	body := binary.BigEndian.AppendUint64([]byte{key.ID}, uint64(signupID))
	if !hmac.Equal(b[:9], body) || !hmac.Equal(b[9:], key.mac(purposeConfirm, body, nonce)) {
		return ErrToken
	}
	return nil
}

// MessageID returns the Message-ID, without angle brackets, of one delivery. It is the same
// for every attempt (RFC 5322 §3.6.4), and tells a stranger nothing. It is made with the
// ring's first key, which is kept for ever.
func (r KeyRing) MessageID(editionID, subscriberID int64, domain string) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(editionID))
	b = binary.BigEndian.AppendUint64(b, uint64(subscriberID))
	mac := r[0].mac(purposeMessageID, b)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac)) + "@" + domain
}

// ViewSecret returns the secret of an edition with this content, by which its mails link to
// themselves in a browser. It is made with the ring's first key, which is kept for ever.
func (r KeyRing) ViewSecret(hash string) string {
	return tokenEncoding.EncodeToString(r[0].mac(purposeView, []byte(hash)))
}

// decode returns the token's bytes and the key that it names.
func (r KeyRing) decode(token string, size int) ([]byte, Key, error) {
	if len(token) != tokenEncoding.EncodedLen(size) {
		return nil, Key{}, ErrToken
	}
	b, err := tokenEncoding.Strict().DecodeString(token)
	if err != nil {
		return nil, Key{}, ErrToken
	}
	for _, key := range r {
		if key.ID == b[0] {
			return b, key, nil
		}
	}
	return nil, Key{}, ErrToken
}

// mac returns the first 128 bits of the HMAC-SHA-256 over the parts, for the purpose.
func (k Key) mac(purpose string, parts ...[]byte) []byte {
	var h hash.Hash
	if k.macs == nil {
		h = hmac.New(sha256.New, k.Secret)
	} else {
		h = k.macs.Get().(hash.Hash)
		h.Reset()
		defer k.macs.Put(h)
	}
	_, _ = io.WriteString(h, purpose) // a hash never fails
	_, _ = h.Write([]byte{0})
	for _, p := range parts {
		_, _ = h.Write(p)
	}
	return h.Sum(nil)[:macSize]
}

func appendUint(b []byte, n int64, size int) []byte {
	for i := size - 1; i >= 0; i-- {
		b = append(b, byte(n>>(8*i)))
	}
	return b
}

func readUint(b []byte) int64 {
	var n int64
	for _, c := range b {
		n = n<<8 | int64(c)
	}
	return n
}
