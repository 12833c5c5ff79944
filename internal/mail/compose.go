package mail

import "errors"

// Compose composes the message once, by go-mail, for any number of readers. The same
// message gives the same bytes. The error is an Invalid one if a field of the message cannot
// stand in a mail.
func Compose(m Message) (*Variant, error) { return nil, errors.New("not written yet") }

// ComposeOne composes the message for one reader, as a whole, by go-mail. The bytes are
// those of Compose and Append.
func ComposeOne(m Message, p Personal) ([]byte, error) { return nil, errors.New("not written yet") }
