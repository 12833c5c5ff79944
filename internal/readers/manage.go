package readers

import (
	"context"
	"errors"

	"broadsheet/internal/newsletter"
)

// Managed is what the page behind a manage link shows.
type Managed struct {
	Masked        string // "a…@example.org"
	Subscriptions []ManagedSubscription
}

// ManagedSubscription is a subscription with what can be chosen for it.
type ManagedSubscription struct {
	newsletter.Subscription
	Newsletter       newsletter.Newsletter // Cadences says what is offered
	Sections         []newsletter.Section  // that there are; Subscription.Sections is the choice
	UnsubscribeToken string
	Next             newsletter.Due // the next edition
	Zone             string         // IANA; the zone in which Next is meant
	ByHand           bool           // there is no Next: editions are sent by hand, or the newsletter pauses
}

// Manage returns the reader's active and paused subscriptions, and that which the link came
// with whatever its state. The error is NotFound for a token that is not ours.
func (s *Service) Manage(ctx context.Context, token string) (Managed, error) {
	return Managed{}, errors.New("not written yet")
}

// Change is a reader's new choice for one newsletter.
type Change struct {
	Newsletter string   // slug
	Cadence    string   // empty: as it is
	Sections   []string // slugs; none, or all there are: everything
}

// ChangeSubscription sets the choice and returns what Manage would. The error is Invalid
// with field newsletter, cadence or section, or Conflict if the reader has left.
func (s *Service) ChangeSubscription(ctx context.Context, token string, c Change, origin newsletter.Origin) (Managed, error) {
	return Managed{}, errors.New("not written yet")
}
