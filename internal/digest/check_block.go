package digest

// CheckBlock returns an error that says what in a note or a sponsor's message cannot be mailed.
func CheckBlock(kind string, b Block) error {
	_, err := textBlock(kind, b, "")
	return err
}
