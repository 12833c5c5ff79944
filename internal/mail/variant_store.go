package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
)

// variantMagic begins a stored variant and names its format.
const variantMagic = "BSV1"

// maxVariant is the longest variant that is read back, far over what a mail can be.
const maxVariant = 32 << 20

var errVariant = errors.New("not a stored variant of this version")

// MarshalBinary returns the variant as it is stored: the magic, and each segment as its
// kind, its length and its bytes.
func (v *Variant) MarshalBinary() ([]byte, error) {
	stored := make([]byte, 0, v.size+v.size/8)
	stored = append(stored, variantMagic...)
	for _, s := range v.segments {
		stored = append(stored, byte(s.kind))
		stored = binary.AppendUvarint(stored, uint64(len(s.data)))
		stored = append(stored, s.data...)
	}
	return stored, nil
}

// ParseVariant reads what MarshalBinary returned.
func ParseVariant(data []byte) (*Variant, error) {
	rest, ok := bytes.CutPrefix(data, []byte(variantMagic))
	if !ok || len(data) > maxVariant {
		return nil, errVariant
	}
	v := &Variant{}
	for len(rest) > 0 {
		kind := segmentKind(rest[0])
		length, n := binary.Uvarint(rest[1:])
		if kind < static || kind > slotHTML || n <= 0 || length > uint64(len(rest)-1-n) {
			return nil, errVariant
		}
		rest = rest[1+n:]
		v.segments = append(v.segments, segment{kind, string(rest[:length])})
		rest = rest[length:]
	}
	if len(v.segments) == 0 {
		return nil, errVariant
	}
	if err := v.complete(); err != nil {
		return nil, err
	}
	return v, nil
}

// complete computes what follows from the segments.
func (v *Variant) complete() error {
	v.measure()
	stored, err := v.MarshalBinary()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(stored)
	v.hash = hex.EncodeToString(sum[:])
	v.seal = sync.OnceValue(v.newSeal)
	return v.prepare()
}

// measure adds up lengths and needs.
func (v *Variant) measure() {
	inHTML, start := false, "Content-Type: text/html; charset=UTF-8\r\n\r\n"
	for _, s := range v.segments {
		length := len(s.data)
		switch s.kind {
		case slotText, slotHTML:
			v.needs.add(s.data)
			q := qpLine{}
			q.text(s.data)
			length = len(q.end())
		case slotUnsubscribe:
			v.needs.list = true
		case static, slotTo, slotDate, slotMessageID:
		}
		v.size += length
		if inHTML {
			v.html += length
		} else if i := strings.Index(s.data, start); s.kind == static && i >= 0 {
			inHTML = true
			v.html = length - i - len(start)
		}
	}
	if inHTML { // what follows the part: the closing boundary
		last := v.segments[len(v.segments)-1].data
		if i := strings.LastIndex(last, "\r\n--"); i >= 0 {
			v.html -= len(last) - i
		}
	}
}
