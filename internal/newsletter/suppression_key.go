package newsletter

import (
	"crypto/hmac"
	"crypto/sha256"
	"io"
	"strings"
)

// SuppressionKey is the permanent key under which addresses that must not be mailed are
// kept: it is never rotated.
type SuppressionKey []byte

// SuppressionHashes are what the suppressions are kept under that an address can fall under:
// its own, and that of its whole domain.
type SuppressionHashes struct {
	Address []byte
	Domain  []byte
}

// Hash returns what is stored of a case-folded address.
func (k SuppressionKey) Hash(emailKey string) []byte { return k.AddressHasher()(emailKey) }

// AddressHasher returns Hash for who needs it often. It is not safe for concurrent use.
func (k SuppressionKey) AddressHasher() func(emailKey string) []byte {
	h := hmac.New(sha256.New, k)
	return func(emailKey string) []byte {
		h.Reset()
		_, _ = io.WriteString(h, emailKey) // a hash never fails
		return h.Sum(nil)
	}
}

// DomainHash returns what is stored of a whole domain, in lower case and A-labels. No address
// has the same: none begins with an @.
func (k SuppressionKey) DomainHash(domain string) []byte { return k.Hash("@" + domain) }

// Hashes returns both hashes of a case-folded address.
func (k SuppressionKey) Hashes(emailKey string) SuppressionHashes { return k.Hasher()(emailKey) }

// Fingerprint tells one key from another, and nothing about it.
func (k SuppressionKey) Fingerprint() []byte { return k.Hash("fingerprint")[:6] }

// maxDomains is how many hashes of domains a Hasher keeps: most readers share a few.
const maxDomains = 1000

// Hasher returns Hashes for who needs it often. It is not safe for concurrent use. The hash of
// a domain is shared among its addresses and must not be changed.
func (k SuppressionKey) Hasher() func(emailKey string) SuppressionHashes {
	sum := k.AddressHasher()
	domains := map[string][]byte{}
	return func(emailKey string) SuppressionHashes {
		at := domainPart(emailKey)
		domain, ok := domains[at]
		if !ok {
			if len(domains) >= maxDomains {
				clear(domains)
			}
			domain = sum(at)
			domains[strings.Clone(at)] = domain
		}
		return SuppressionHashes{Address: sum(emailKey), Domain: domain}
	}
}

// domainPart returns the @ of an address and what follows.
func domainPart(emailKey string) string {
	return emailKey[max(0, strings.LastIndexByte(emailKey, '@')):]
}
