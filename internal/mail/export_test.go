package mail

// WriteRaw sends octets past all rules, for tests of what a relay may answer.
func WriteRaw(s Session, octets string) {
	text := s.(*session).text
	_, _ = text.W.WriteString(octets)
	_ = text.W.Flush()
}
