package mail

import (
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"hash"
	"strconv"
)

// sealWidth is how much of the signature stands in a line, after the space that folds it and,
// in the first one, "b=".
const sealWidth = 72

// bodyHashLength is the length of a SHA-256 in base64.
const bodyHashLength = 44

// signatureField says where a DKIM-Signature field that is still to be filled in stands in a
// buffer.
type signatureField struct {
	start, bodyHash, seal int
}

// appendField appends the DKIM-Signature field, with room for the hash of the body and the
// signature, whose lengths are known.
func (s *Signer) appendField(dst []byte, headerTag string) ([]byte, signatureField) {
	f := signatureField{start: len(dst)}
	dst = append(dst, "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;"...)
	for _, tag := range [...]string{"d=" + s.domain + ";", "s=" + s.selector + ";"} {
		if lineLength(dst[f.start:])+1+len(tag) > wantLine {
			dst = append(dst, crlf...)
		}
		dst = append(append(dst, ' '), tag...)
	}
	dst = append(dst, "\r\n t="...)
	dst = strconv.AppendInt(dst, s.now().Unix(), 10)
	dst = append(dst, "; bh="...)
	f.bodyHash = len(dst)
	dst = appendZeros(dst, bodyHashLength)
	dst = append(dst, ";\r\n "...)
	dst = append(dst, headerTag...)
	dst = append(dst, "\r\n b="...)
	f.seal = len(dst)
	for room := base64.StdEncoding.EncodedLen(s.size); room > 0; room -= sealWidth {
		if len(dst) > f.seal {
			dst = append(dst, "\r\n "...)
		}
		dst = appendZeros(dst, min(room, sealWidth))
	}
	return append(dst, crlf...), f
}

// lineLength is the length of the last line.
func lineLength(b []byte) int {
	n := 0
	for n < len(b) && b[len(b)-1-n] != '\n' {
		n++
	}
	return n
}

func appendZeros(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, '0')
	}
	return dst
}

// seal fills the field in. fields is the hash of the signed header fields in their relaxed
// form; the field itself, with an empty b=, is hashed after them (RFC 6376 §3.7).
func (s *Signer) seal(buf []byte, f signatureField, fields hash.Hash, body []byte) error {
	base64.StdEncoding.Encode(buf[f.bodyHash:], body)
	canonical := appendRelaxedField(make([]byte, 0, 1024), buf[f.start:f.seal])
	fields.Write(canonical[:len(canonical)-len(crlf)])
	signature, err := s.key.Sign(rand.Reader, fields.Sum(nil), crypto.SHA256)
	if err != nil {
		return fmt.Errorf("sign for %s with key %s: %w", s.domain, s.selector, err)
	}
	var encoded [1024]byte
	seal := base64.StdEncoding.AppendEncode(encoded[:0], signature)
	for at := f.seal; len(seal) > 0; at += sealWidth + len("\r\n ") {
		seal = seal[copy(buf[at:at+min(len(seal), sealWidth)], seal):]
	}
	return nil
}
