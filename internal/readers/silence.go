package readers

import (
	"context"
	"errors"
	"fmt"

	"broadsheet/internal/newsletter"
)

// Silence says that nothing is sent to an address, whatever its subscriptions are, and what
// changes that.
type Silence string

// What changes a Silence.
const (
	NotSilent    Silence = ""        // mail is sent
	UntilSignUp  Silence = "sign_up" // the person signs up anew, and confirms
	UntilWritten Silence = "write"   // only staff can change it: the person writes to us
)

// silence returns what a reader's pages have to say of mail that does not come.
func (s *Service) silence(ctx context.Context, sub newsletter.Subscriber) (Silence, error) {
	key, err := keyOf(sub.Email)
	if err != nil {
		return NotSilent, err
	}
	hashes, silent := s.o.Suppression.Hashes(key), NotSilent
	for _, hash := range [][]byte{hashes.Address, hashes.Domain} {
		stands, err := s.store.SuppressionBy(ctx, hash)
		switch {
		case err != nil:
			return NotSilent, fmt.Errorf("subscriber %d: %w", sub.ID, err)
		case stands.Reason == "":
		case !stands.Reason.LiftedByConfirming():
			return UntilWritten, nil
		default:
			silent = UntilSignUp
		}
	}
	return silent, nil
}

// withContact names where to write to in an error that says to write to us.
func withContact(err error, n newsletter.Newsletter) error {
	e, ok := errors.AsType[*newsletter.Error](err)
	if !ok || e.Reason != "suppressed" {
		return err
	}
	named := *e
	named.Contact = n.Contact()
	return &named
}
