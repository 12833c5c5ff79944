package readers

import (
	"context"
	"errors"

	"broadsheet/internal/newsletter"
)

// SignUp is what the sign-up form says.
type SignUp struct {
	Email       string
	Name        string
	Newsletters []string // slugs; none: the only one there is
	Cadence     string   // empty: the first that each newsletter offers
	TimeZone    string   // IANA; may be empty
	Sections    []string // slugs, in any of the newsletters; none: everything
	Origin      newsletter.Origin
}

// SignedUp is what somebody who signed up is told: nothing of it depends on whether the
// address is known (S27).
type SignedUp struct {
	Email       string // as it is mailed to
	Newsletters []newsletter.Newsletter
	From        newsletter.Address // of the mail to look for
	Subject     string
}

// SignUp records the request and leaves the mail that answers it in the outbox. The error is
// Invalid, naming every wrong field (email, newsletter, cadence, section, time_zone, name,
// page), RateLimited, or Conflict if a newsletter is closed.
func (s *Service) SignUp(ctx context.Context, form SignUp) (SignedUp, error) {
	return SignedUp{}, errors.New("not written yet")
}
