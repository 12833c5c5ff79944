package readers

import (
	"context"
	"errors"

	"broadsheet/internal/newsletter"
)

// Compose makes the message of a transactional mail for handing it over: envelope sender,
// recipient and bytes. The same mail always gives the same bytes, but for a change of
// settings or templates. It contains nothing that the person at the form typed, the address
// aside (S29).
func (s *Service) Compose(ctx context.Context, m newsletter.Mail) (from, to string, message []byte, err error) {
	return "", "", nil, errors.New("not written yet")
}
