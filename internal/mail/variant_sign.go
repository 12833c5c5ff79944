package mail

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
)

// seal is what signatures of one variant have in common.
type seal struct {
	tag    string      // h=
	header [][]byte    // the signed fields in their relaxed form, cut at the slots
	body   [][]byte    // the body in its relaxed form, cut at the slots
	start  hash.Cloner // the hash of the body before its first slot
	err    error
}

var errCloner = errors.New("the hash of a body cannot be copied")

// newSeal is called at the first signature: most variants in memory are never signed.
func (v *Variant) newSeal() *seal {
	message := v.joined()
	end := bytes.Index(message, []byte(crlf+crlf)) // prepare found it
	header, err := newSignedHeader(message[:end+len(crlf)])
	if err != nil {
		return &seal{err: err}
	}
	s := &seal{
		tag:    header.tag,
		header: bytes.Split(header.canonical, []byte{hole}),
		body:   bytes.Split(appendRelaxedBody(nil, message[end+2*len(crlf):]), []byte{hole}),
	}
	if len(s.header)+len(s.body) != len(v.slots)+2 { // a field that differs is not signed: S14
		return &seal{err: errVariant}
	}
	h := sha256.New()
	h.Write(s.body[0])
	var ok bool
	if s.start, ok = h.(hash.Cloner); !ok {
		s.err = errCloner
	}
	return s
}

// appendSigned appends the message with its signature. What all readers share is in its
// relaxed form already; only what goes into a slot is brought into it here, at the end of the
// buffer, and cut off again.
func (v *Variant) appendSigned(dst []byte, f *filling, s *Signer) ([]byte, error) {
	seal := v.seal()
	if seal.err != nil {
		return dst, seal.err
	}
	body, err := seal.start.Clone()
	if err != nil {
		return dst, err
	}
	start, fields := len(dst), sha256.New()
	dst, field := s.appendField(dst, seal.tag)
	inHeader := len(seal.header) - 1
	for i := range v.slots {
		dst = append(dst, v.wire[i]...)
		at := len(dst)
		dst = v.slots[i].append(dst, f)
		end := len(dst)
		if i < inHeader {
			dst = appendRelaxedValue(dst, dst[at:])
			fields.Write(seal.header[i])
			fields.Write(dst[end:])
		} else {
			dst = appendRelaxedWire(dst, dst[at:])
			if i > inHeader {
				body.Write(seal.body[i-inHeader])
			}
			body.Write(dst[end:])
		}
		dst = dst[:end]
	}
	fields.Write(seal.header[inHeader])
	if len(seal.body) > 1 {
		body.Write(seal.body[len(seal.body)-1])
	}
	dst = append(dst, v.wire[len(v.slots)]...)
	if err := s.seal(dst, field, fields, body.Sum(nil)); err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// appendRelaxedWire appends lines of the wire, their dots unstuffed, in their relaxed form.
func appendRelaxedWire(dst, lines []byte) []byte {
	for line := range bytes.Lines(lines) {
		dst = appendRelaxedLines(dst, bytes.TrimPrefix(line, []byte(".")))
	}
	return dst
}
