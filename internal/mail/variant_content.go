package mail

// AppendContent appends the message for one reader to dst as it goes over the wire after
// DATA, all but the final dot: signed if s is not nil, with CRLF only, dots stuffed
// (RFC 5321 §4.5.2), the last line ended. On an error dst is returned as it was.
func (v *Variant) AppendContent(dst []byte, p Personal, s *Signer) ([]byte, error) {
	message, err := v.Append(nil, p)
	if err == nil && s != nil {
		message, err = s.Sign(message)
	}
	if err != nil {
		return dst, err
	}
	return Stuff(dst, message)
}
