package mail

import (
	"bytes"
	"errors"
	"slices"
	"time"
)

// Variant is a composed message with slots for what is personal. It is never changed, so
// any number of goroutines may use it at once.
type Variant struct {
	segments []segment
	needs    need
	size     int
	html     int
	hash     string
	slots    []slot   // those segments that are not static
	wire     [][]byte // what stands between the slots, as it goes over the wire
	seal     func() *seal
}

// segment is a piece of the message as it is, or a slot.
type segment struct {
	kind segmentKind
	data string // static: the bytes; a body line: its decoded source; else empty
}

type segmentKind byte

// The kinds of segment. The numbers are stored: they never change.
const (
	static          segmentKind = 1
	slotTo          segmentKind = 2 // the value of the To field
	slotDate        segmentKind = 3
	slotMessageID   segmentKind = 4 // the value, with what stands between it and the colon
	slotUnsubscribe segmentKind = 5 // likewise
	slotText        segmentKind = 6 // a line of the text part
	slotHTML        segmentKind = 7 // a line of the HTML part
)

// inBody reports whether the segment is a line of the body to be filled in.
func (s *segment) inBody() bool { return s.kind == slotText || s.kind == slotHTML }

// Append appends the message for one reader to dst and returns the extended buffer. Lines
// end in CRLF and have at most 998 octets; dots are not stuffed. On an error dst is returned
// as it was.
func (v *Variant) Append(dst []byte, p Personal) ([]byte, error) {
	if err := p.check(v.needs); err != nil {
		return dst, err
	}
	for i := range v.segments {
		s := &v.segments[i]
		switch s.kind {
		case static:
			dst = append(dst, s.data...)
		case slotTo:
			dst = appendMailbox(dst, len("To: "), p.To)
		case slotDate:
			dst = p.Date.UTC().AppendFormat(dst, time.RFC1123Z)
		case slotMessageID:
			dst = appendBracketed(dst, len("Message-ID"), p.MessageID)
		case slotUnsubscribe:
			dst = appendBracketed(dst, len("List-Unsubscribe"), p.UnsubscribeURL)
		case slotText, slotHTML:
			dst = appendFilled(dst, s, &p)
		}
	}
	return dst, nil
}

// appendBracketed appends the space after a field's colon and the value in angle brackets,
// in the next line where go-mail would put it there.
func appendBracketed(dst []byte, name int, value string) []byte {
	if name+len(value)+2 >= 76-2-2-1 {
		dst = append(dst, "\r\n <"...)
	} else {
		dst = append(dst, " <"...)
	}
	dst = append(dst, value...)
	return append(dst, '>')
}

// appendFilled appends a body line with its places filled, in quoted-printable.
func appendFilled(dst []byte, s *segment, p *Personal) []byte {
	q := qpLine{dst: dst}
	line := s.data
	for line != "" {
		before, manage, after := cutPlace(line)
		q.text(before)
		if len(before) == len(line) {
			break
		}
		value := p.UnsubscribeURL
		if manage {
			value = p.ManageURL
		}
		if s.kind == slotHTML {
			q.html(value)
		} else {
			q.text(value)
		}
		line = after
	}
	return q.end()
}

var errMarker = errors.New("a marker is missing in what go-mail wrote")

// cutAt divides what go-mail wrote at the markers of the slots.
func (v *Variant) cutAt(data []byte, slots []segment, mark func(int) string) error {
	type found struct{ at, end, slot int }
	var order []found
	for i := range slots {
		m := []byte(mark(i))
		at := bytes.Index(data, m)
		end := at + len(m)
		if at < 0 || bytes.Contains(data[end:], m) {
			return errMarker
		}
		if k := slots[i].kind; k == slotMessageID || k == slotUnsubscribe {
			at = bytes.LastIndexByte(data[:at], ':') + 1 // the fold, if any, is the slot's
		}
		order = append(order, found{at, end, i})
	}
	slices.SortFunc(order, func(a, b found) int { return a.at - b.at })
	pos := 0
	for _, f := range order {
		v.segments = append(v.segments, segment{static, string(data[pos:f.at])}, slots[f.slot])
		pos = f.end
	}
	v.segments = append(v.segments, segment{static, string(data[pos:])})
	return nil
}

// Size is the length of the message in octets, its slots aside.
func (v *Variant) Size() int { return v.size }

// HTMLSize is the length of the HTML part as sent, in octets of quoted-printable, with the
// places in it not filled; 0 if there is none. It should stay under 100 kB (S15).
func (v *Variant) HTMLSize() int { return v.html }

// Hash identifies the variant: the same hash, the same bytes for the same reader.
func (v *Variant) Hash() string { return v.hash }
