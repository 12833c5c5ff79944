package readers

import (
	"context"
	"errors"

	"broadsheet/internal/newsletter"
)

// Added is somebody whom staff add by hand.
type Added struct {
	Email       string
	Name        string
	Newsletters []string // slugs, at least one
	Cadence     string   // empty: the first that each newsletter offers
	Sections    []string // slugs; none: everything
	TimeZone    string
}

// Filter narrows a list of subscribers; empty fields do not.
type Filter struct {
	Newsletter  string // slug
	State       string // pending, active, paused or left
	EmailPrefix string
}

// Patch is what staff change about a subscriber; nil is left as it is.
type Patch struct {
	Name     *string
	TimeZone *string
}

// MaxPage is the most subscribers that one call of Subscribers returns.
const MaxPage = 1000

// Add subscribes somebody, active at once. origin.Note is compulsory and says where the
// consent was given. Whoever left, or must not be mailed, is refused (S26) with reason
// "left" or "suppressed"; it is a Conflict if everything is active already.
func (s *Service) Add(ctx context.Context, a Added, origin newsletter.Origin) (newsletter.Subscriber, error) {
	return newsletter.Subscriber{}, errors.New("not written yet")
}

// Subscriber returns somebody by address or id, with what happened so far, oldest first.
func (s *Service) Subscriber(ctx context.Context, emailOrID string) (newsletter.Subscriber, []newsletter.Event, error) {
	return newsletter.Subscriber{}, nil, errors.New("not written yet")
}

// Subscribers returns up to limit subscribers with an id greater than after, by id.
func (s *Service) Subscribers(ctx context.Context, f Filter, after int64, limit int) ([]newsletter.Subscriber, error) {
	return nil, errors.New("not written yet")
}

// Update changes a subscriber's name or time zone.
func (s *Service) Update(ctx context.Context, id int64, p Patch, origin newsletter.Origin) (newsletter.Subscriber, error) {
	return newsletter.Subscriber{}, errors.New("not written yet")
}

// Remove ends the subscription to one newsletter, or all of them if the slug is empty. The
// subscriber stays, with the history. It is idempotent.
func (s *Service) Remove(ctx context.Context, emailOrID, newsletterSlug string, origin newsletter.Origin) (newsletter.Subscriber, error) {
	return newsletter.Subscriber{}, errors.New("not written yet")
}
