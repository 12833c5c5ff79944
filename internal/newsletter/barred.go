package newsletter

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
)

// Barred are the addresses that must not be mailed, for looking up very many. It is not safe
// for concurrent use.
type Barred struct {
	known map[barredHash]struct{}
	mac   hash.Hash
	sum   []byte
}

// barredHash is half of a suppression's hash: enough to tell addresses apart.
type barredHash [sha256.Size / 2]byte

// NewBarred returns the set of the suppressions with these hashes.
func NewBarred(key SuppressionKey, hashes [][]byte) *Barred {
	b := &Barred{known: make(map[barredHash]struct{}, len(hashes)), mac: hmac.New(sha256.New, key)}
	for _, h := range hashes {
		var short barredHash
		copy(short[:], h)
		b.known[short] = struct{}{}
	}
	return b
}

// Empty reports whether no address is barred.
func (b *Barred) Empty() bool { return len(b.known) == 0 }

// Has reports whether the case-folded address must not be mailed.
func (b *Barred) Has(emailKey []byte) bool {
	b.mac.Reset()
	b.mac.Write(emailKey)
	b.sum = b.mac.Sum(b.sum[:0])
	_, ok := b.known[barredHash(b.sum)]
	return ok
}
