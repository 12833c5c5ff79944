package newsletter

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
)

// Barred are the addresses that must not be mailed, for looking up very many. It is not safe
// for concurrent use.
type Barred struct {
	known   map[barredHash]struct{}
	domains map[string]bool // that were looked up before; nil: no whole domain is barred
	mac     hash.Hash
	sum     []byte
}

// barredHash is half of a suppression's hash: enough to tell addresses apart.
type barredHash [sha256.Size / 2]byte

// NewBarred returns the set of the suppressions with these hashes; domains says that there
// are whole domains among them.
func NewBarred(key SuppressionKey, hashes [][]byte, domains bool) *Barred {
	b := &Barred{known: make(map[barredHash]struct{}, len(hashes)), mac: hmac.New(sha256.New, key)}
	for _, h := range hashes {
		var short barredHash
		copy(short[:], h)
		b.known[short] = struct{}{}
	}
	if domains {
		b.domains = map[string]bool{}
	}
	return b
}

// Empty reports whether no address is barred.
func (b *Barred) Empty() bool { return len(b.known) == 0 }

// Has reports whether the case-folded address must not be mailed, for its own sake or for
// that of its domain.
func (b *Barred) Has(emailKey []byte) bool { return b.hasDomain(emailKey) || b.has(emailKey) }

func (b *Barred) has(text []byte) bool {
	b.mac.Reset()
	b.mac.Write(text)
	b.sum = b.mac.Sum(b.sum[:0])
	_, ok := b.known[barredHash(b.sum)]
	return ok
}

func (b *Barred) hasDomain(emailKey []byte) bool {
	if b.domains == nil {
		return false
	}
	at := emailKey[max(0, bytes.LastIndexByte(emailKey, '@')):]
	barred, ok := b.domains[string(at)] // without a copy
	if !ok {
		if len(b.domains) >= maxDomains {
			clear(b.domains)
		}
		barred = b.has(at)
		b.domains[string(at)] = barred
	}
	return barred
}
