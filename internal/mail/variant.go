package mail

import "errors"

// Variant is a composed message with slots for what is personal. It is never changed, so
// any number of goroutines may use it at once.
type Variant struct{}

// Append appends the message for one reader to dst and returns the extended buffer. Lines
// end in CRLF and have at most 998 octets; dots are not stuffed. On an error dst is returned
// as it was.
func (v *Variant) Append(dst []byte, p Personal) ([]byte, error) {
	return dst, errors.New("not written yet")
}

// Size is the length of the message in octets, its slots aside.
func (v *Variant) Size() int { return 0 }

// HTMLSize is the length of the HTML part as sent, in octets, with the places in it not
// filled (S15).
func (v *Variant) HTMLSize() int { return 0 }

// Hash identifies the variant: the same hash, the same bytes for every reader.
func (v *Variant) Hash() string { return "" }

// MarshalBinary returns the variant as it is stored.
func (v *Variant) MarshalBinary() ([]byte, error) { return nil, errors.New("not written yet") }

// ParseVariant reads what MarshalBinary returned.
func ParseVariant(data []byte) (*Variant, error) { return nil, errors.New("not written yet") }
