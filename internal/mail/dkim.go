package mail

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// Signer signs the mail of one domain by DKIM (RFC 6376): rsa-sha256, relaxed/relaxed, the
// whole body, the fields of S14. It is safe for concurrent use.
type Signer struct {
	domain, selector string
	key              crypto.Signer
	size             int // octets of a signature
	now              func() time.Time
}

// NewSigner returns a signer for mail of the domain; the public key stands in the DNS under
// the selector. The error is an Invalid one if a signature could not be verified: the names
// are none, or the key is not RSA of 2048 to 4096 bits (RFC 8301 §3.2).
func NewSigner(domain, selector string, key crypto.Signer, now func() time.Time) (*Signer, error) {
	domain, err := ParseDomain(domain)
	if err != nil {
		return nil, err
	}
	if selector, err = ParseSelector(selector); err != nil {
		return nil, err
	}
	public, ok := key.Public().(*rsa.PublicKey)
	if !ok {
		return nil, newsletter.Invalidf("dkim_key", "%T is no RSA key", key.Public())
	}
	if err := checkKeyLength(public); err != nil {
		return nil, err
	}
	return &Signer{domain: domain, selector: selector, key: key, size: public.Size(), now: now}, nil
}

// ParseDomain returns a domain in lower case and A-labels. The error is an Invalid one.
func ParseDomain(domain string) (string, error) {
	domain = strings.TrimSuffix(strings.TrimSpace(domain), ".")
	if domain != "" {
		if ascii, wrong := asciiDomain(domain); wrong == "" {
			return ascii, nil
		}
	}
	return "", newsletter.Invalidf("domain", "%q is not a domain such as example.org", domain)
}

// ParseSelector returns a DKIM selector in lower case: labels of letters, digits and inner
// hyphens (RFC 6376 §3.1). The error is an Invalid one.
func ParseSelector(selector string) (string, error) {
	lower := strings.ToLower(strings.TrimSpace(selector))
	for label := range strings.SplitSeq(lower, ".") {
		if !validLabel(label) || len(lower) > maxLabel {
			return "", newsletter.Invalidf("selector", "%q is not a selector: letters, digits and inner hyphens, such as news1", selector)
		}
	}
	return lower, nil
}

// Domain is the d= of the signatures.
func (s *Signer) Domain() string { return s.domain }

// Selector is the s= of the signatures.
func (s *Signer) Selector() string { return s.selector }

// Sign returns the message with the DKIM-Signature field on top. The message is a whole one,
// with CRLF line ends and at least a From field.
func (s *Signer) Sign(message []byte) ([]byte, error) {
	if err := checkLineEnds(message); err != nil {
		return nil, err
	}
	header, body := message, []byte(nil)
	if end := bytes.Index(message, []byte(crlf+crlf)); end >= 0 {
		header, body = message[:end+len(crlf)], message[end+2*len(crlf):]
	}
	h, err := newSignedHeader(header)
	if err != nil {
		return nil, err
	}
	signed, f := s.appendField(make([]byte, 0, len(message)+1024), h.tag)
	signed = append(signed, message...)
	fields := sha256.New()
	fields.Write(h.canonical)
	sum := sha256.Sum256(appendRelaxedBody(make([]byte, 0, len(body)), body))
	if err := s.seal(signed, f, fields, sum[:]); err != nil {
		return nil, err
	}
	return signed, nil
}

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

// checkLineEnds makes sure that every CR and LF is part of a CRLF.
func checkLineEnds(message []byte) error {
	pairs := bytes.Count(message, []byte(crlf))
	if bytes.Count(message, []byte("\n")) != pairs || bytes.Count(message, []byte("\r")) != pairs {
		return fmt.Errorf("sign: %w", errLineEnd)
	}
	return nil
}
