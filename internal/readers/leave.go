package readers

import (
	"context"
	"errors"

	"broadsheet/internal/newsletter"
)

// Leaving is what the page behind an unsubscribe link shows.
type Leaving struct {
	Masked           string // "a…@example.org"
	Newsletter       newsletter.Newsletter
	State            newsletter.SubscriptionState
	CanUndo          bool // UndoLeave with this token would work now
	UnsubscribeToken string
	ManageToken      string
}

// Leaving returns what an unsubscribe token would end. It changes nothing (S22). The error
// is NotFound for a token that is not ours.
func (s *Service) Leaving(ctx context.Context, token string) (Leaving, error) {
	return Leaving{}, errors.New("not written yet")
}

// Leave ends the subscription at once (RFC 8058): when it returns no delivery that has not
// begun will be made. It is idempotent.
func (s *Service) Leave(ctx context.Context, token string, origin newsletter.Origin) (Leaving, error) {
	return Leaving{}, errors.New("not written yet")
}

// UndoLeave takes leaving back, if it was done through this very link within 24 hours;
// otherwise the error is Forbidden with reason "too_late". For an active subscription it
// changes nothing.
func (s *Service) UndoLeave(ctx context.Context, token string, origin newsletter.Origin) (Leaving, error) {
	return Leaving{}, errors.New("not written yet")
}
