package mail

import (
	"crypto"
	"errors"
	"strings"
	"time"
)

// Signer signs the mail of one domain by DKIM (RFC 6376). It is safe for concurrent use.
type Signer struct {
	domain, selector string
	key              crypto.Signer
	now              func() time.Time
}

// NewSigner returns a signer for the domain, with the key that the selector names in the DNS.
func NewSigner(domain, selector string, key crypto.Signer, now func() time.Time) (*Signer, error) {
	return &Signer{domain: strings.ToLower(domain), selector: selector, key: key, now: now}, nil
}

// Domain is the d= of the signatures.
func (s *Signer) Domain() string { return s.domain }

// Selector is the s= of the signatures.
func (s *Signer) Selector() string { return s.selector }

var errNotYet = errors.New("signing is not built yet")

// Sign returns the message with a DKIM-Signature field on top.
func (s *Signer) Sign([]byte) ([]byte, error) { return nil, errNotYet }

// Signers are the signers of an installation, one for each domain that it has a key for.
type Signers []*Signer

// For returns the signer for mail whose From is of the domain, or nil if there is none: the
// one whose domain is the same, or its nearest parent (S1). Only then do the two align, and
// DMARC passes.
func (s Signers) For(fromDomain string) *Signer {
	fromDomain = strings.ToLower(fromDomain)
	var best *Signer
	for _, signer := range s {
		if fromDomain != signer.domain && !strings.HasSuffix(fromDomain, "."+signer.domain) {
			continue
		}
		if best == nil || len(signer.domain) > len(best.domain) {
			best = signer
		}
	}
	return best
}
