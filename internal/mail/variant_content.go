package mail

import (
	"bytes"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// slot is where something personal goes, prepared for the wire.
type slot struct {
	kind   segmentKind
	lead   []byte // of a body line: what stands before its first place, as it is written
	col    int    // of a body line: how much of its last line the lead takes
	pieces []piece
}

// piece is a place in a body line and the text after it, up to the next.
type piece struct {
	manage bool // else the link to leave
	after  string
}

// AppendContent appends the message for one reader to dst as it goes over the wire after
// DATA, all but the final dot: signed if s is not nil, with CRLF only, dots stuffed
// (RFC 5321 §4.5.2), the last line ended. On an error dst is returned as it was.
//
// It is Append, Sign and Stuff in one, for the price of a copy and, signed, a signature.
func (v *Variant) AppendContent(dst []byte, p Personal, s *Signer) ([]byte, error) {
	if err := p.check(v.needs); err != nil {
		return dst, err
	}
	f := filling{&p, isBare(p.UnsubscribeURL), isBare(p.ManageURL)}
	if s != nil {
		return v.appendSigned(dst, &f, s)
	}
	for i := range v.slots {
		dst = append(dst, v.wire[i]...)
		dst = v.slots[i].append(dst, &f)
	}
	return append(dst, v.wire[len(v.slots)]...), nil
}

// filling is what goes into the slots of one message. Links are bare as a rule: then they are
// copied to every place without a look at their octets.
type filling struct {
	*Personal
	unsubscribeBare, manageBare bool
}

// append appends what goes into the slot.
func (s *slot) append(dst []byte, p *filling) []byte {
	switch s.kind {
	case slotTo:
		return appendMailbox(dst, len("To: "), p.To)
	case slotDate:
		return appendDate(dst, p.Date)
	case slotMessageID:
		return appendBracketed(dst, len("Message-ID"), p.MessageID)
	case slotUnsubscribe:
		return appendBracketed(dst, len("List-Unsubscribe"), p.UnsubscribeURL)
	case static, slotText, slotHTML:
	}
	q := qpLine{dst: append(dst, s.lead...), col: s.col, stuffed: true}
	for i := range s.pieces {
		value, bare := p.UnsubscribeURL, p.unsubscribeBare
		if s.pieces[i].manage {
			value, bare = p.ManageURL, p.manageBare
		}
		switch {
		case bare:
			q.plain(value)
		case s.kind == slotHTML:
			q.html(value)
		default:
			q.text(value)
		}
		q.text(s.pieces[i].after)
	}
	return q.end()
}

// appendDate appends the date in UTC as time.RFC1123Z has it, which is what RFC 5322 §3.3 asks
// for. It takes a quarter of the time that package time needs.
func appendDate(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 1000 || year > 9999 {
		return t.AppendFormat(dst, time.RFC1123Z)
	}
	hour, minute, second := t.Clock()
	dst = append(append(dst, t.Weekday().String()[:3]...), ',', ' ', byte('0'+day/10), byte('0'+day%10), ' ')
	dst = append(append(dst, month.String()[:3]...), ' ')
	for _, n := range [...]int{year / 100, year % 100} {
		dst = append(dst, byte('0'+n/10), byte('0'+n%10))
	}
	for i, n := range [...]int{hour, minute, second} {
		dst = append(dst, " ::"[i], byte('0'+n/10), byte('0'+n%10))
	}
	return append(dst, " +0000"...)
}

// newSlot prepares a slot.
func newSlot(s segment) slot {
	made := slot{kind: s.kind}
	if !s.inBody() {
		return made
	}
	first := true
	for line := s.data; line != ""; first = false {
		before, manage, after := cutPlace(line)
		if first {
			q := qpLine{stuffed: true}
			q.text(before)
			made.lead, made.col = q.dst, q.col
		} else {
			made.pieces[len(made.pieces)-1].after = before
		}
		if len(before) == len(line) {
			break
		}
		made.pieces = append(made.pieces, piece{manage: manage})
		line = after
	}
	return made
}

// cutPlace cuts a line at its first place. Without one, before is the line.
func cutPlace(line string) (before string, manage bool, after string) {
	u := strings.Index(line, newsletter.PlaceUnsubscribe)
	m := strings.Index(line, newsletter.PlaceManage)
	switch {
	case u < 0 && m < 0:
		return line, false, ""
	case m < 0 || u >= 0 && u < m:
		return line[:u], false, line[u+len(newsletter.PlaceUnsubscribe):]
	default:
		return line[:m], true, line[m+len(newsletter.PlaceManage):]
	}
}

// hole stands for a slot in the texts that are made of a whole message and then cut at its
// slots. No mail has it (RFC 5322 §3.5).
const hole = 0

// joined returns the message with a hole for each slot.
func (v *Variant) joined() []byte {
	var b []byte
	for _, s := range v.segments {
		if s.kind == static {
			b = append(b, s.data...)
		} else {
			b = append(b, hole)
		}
	}
	return b
}

// prepare makes what goes over the wire, once for all readers. The error is errVariant if the
// message is not one in which slots can be filled line by line: those of the header are the
// whole value of a field, those of the body a whole line.
func (v *Variant) prepare() error {
	message := v.joined()
	head := bytes.Index(message, []byte(crlf+crlf))
	if head < 0 || !bytes.HasSuffix(message, []byte(crlf)) {
		return errVariant
	}
	at := -1
	for _, s := range v.segments {
		if s.kind == static {
			if strings.IndexByte(s.data, hole) >= 0 {
				return errVariant
			}
			continue
		}
		at += 1 + bytes.IndexByte(message[at+1:], hole)
		before := message[:at]
		if s.inBody() != (at > head) || !bytes.HasPrefix(message[at+1:], []byte(crlf)) {
			return errVariant
		}
		if !s.inBody() {
			before = bytes.TrimRight(before, " ")
		}
		end := byte(':')
		if s.inBody() {
			end = '\n'
		}
		if len(before) == 0 || before[len(before)-1] != end {
			return errVariant
		}
		v.slots = append(v.slots, newSlot(s))
	}
	wire, err := Stuff(make([]byte, 0, len(message)), message)
	if err != nil {
		return errVariant
	}
	v.wire = bytes.Split(wire, []byte{hole})
	return nil
}
