package readers

import (
	"context"
	"errors"

	"broadsheet/internal/newsletter"
)

// Choice is what a sign-up asks for in one newsletter.
type Choice struct {
	Newsletter newsletter.Newsletter
	Cadence    newsletter.Cadence
	Sections   []newsletter.Section // empty: everything
}

// The states of a confirmation token.
const (
	StateOpen    = "open"
	StateUsed    = "used"    // confirmed before, or left since: it changes nothing any more
	StateExpired = "expired" // RenewConfirmation sends another
)

// Confirmation is what the page behind a confirmation token shows.
type Confirmation struct {
	State         string // StateOpen, StateUsed or StateExpired
	Masked        string // the address so that its owner knows it: "a…@example.org"
	Choices       []Choice
	Words         string // of consent, to be shown beside the button
	WordsVersion  string
	Subscriptions []newsletter.Subscription // to the newsletters asked for, as they are now
}

// FirstEdition says when a reader gets the first edition of a newsletter.
type FirstEdition struct {
	Newsletter newsletter.Newsletter
	Due        newsletter.Due
	Zone       string // IANA; the zone in which Due is meant
	ByHand     bool   // there is no date: editions are sent by hand, or the newsletter pauses
}

// Confirmed is the answer to the button on the confirmation page.
type Confirmed struct {
	Confirmation
	First       []FirstEdition // of the active subscriptions among those asked for
	ManageToken string
}

// Confirmation returns what a token would confirm. It changes nothing (S22). The error is
// NotFound for a token that is not ours.
func (s *Service) Confirmation(ctx context.Context, token string) (Confirmation, error) {
	return Confirmation{}, errors.New("not written yet")
}

// Confirm activates what the sign-up asked for. It is idempotent: a used token shows the
// state and changes nothing, also if the reader left meanwhile. The error is NotFound for a
// token that is not ours, Forbidden with reason "expired" for one that is too old, and
// Forbidden with reason "suppressed" for an address that only staff can allow again.
func (s *Service) Confirm(ctx context.Context, token string, origin newsletter.Origin) (Confirmed, error) {
	return Confirmed{}, errors.New("not written yet")
}

// RenewConfirmation signs up once more for what a token asked for, with the same limits and
// the same answer as SignUp.
func (s *Service) RenewConfirmation(ctx context.Context, token string, origin newsletter.Origin) (SignedUp, error) {
	return SignedUp{}, errors.New("not written yet")
}

// ConsentWords returns the words of consent for the newsletters, and their version. They
// are plain text of a few sentences.
func (s *Service) ConsentWords(n ...newsletter.Newsletter) (words, version string) {
	return "", ""
}
