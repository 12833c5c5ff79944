package readers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// Choice is what a sign-up asks for in one newsletter.
type Choice struct {
	Newsletter newsletter.Newsletter
	Cadence    newsletter.Cadence
	Slot       string
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
	Words         newsletter.Words          // of consent, to be shown beside the button
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
	First       []FirstEdition // of what is active now; empty if the token was used before
	ManageToken string
}

// errLink is what is wrong with a token that is not ours.
func errLink() error {
	return newsletter.NotFoundf("This link is not valid. Perhaps a part of it is missing: please open it once more from the mail, or copy all of it.")
}

// Confirmation returns what a token would confirm, with the words of consent in a language. It changes nothing (S22). The error is
// NotFound for a token that is not ours, and Conflict if all that it would confirm is closed.
func (s *Service) Confirmation(ctx context.Context, token, language string) (Confirmation, error) {
	su, sub, err := s.openConfirmation(ctx, token)
	if err != nil {
		return Confirmation{}, err
	}
	return s.confirmation(ctx, su, sub, language)
}

// openConfirmation returns the sign-up that a token is of, and who made it.
func (s *Service) openConfirmation(ctx context.Context, token string) (newsletter.SignUp, newsletter.Subscriber, error) {
	id, err := s.o.Keys.ConfirmationID(token)
	if err != nil {
		return newsletter.SignUp{}, newsletter.Subscriber{}, errLink()
	}
	su, err := s.store.FindSignUp(ctx, id)
	if newsletter.KindOf(err) == newsletter.NotFound {
		return newsletter.SignUp{}, newsletter.Subscriber{}, errLink()
	}
	if err != nil {
		return newsletter.SignUp{}, newsletter.Subscriber{}, err
	}
	if err := s.o.Keys.CheckConfirmation(token, su.ID, su.Nonce); err != nil {
		return newsletter.SignUp{}, newsletter.Subscriber{}, errLink()
	}
	sub, err := s.store.Subscriber(ctx, su.SubscriberID)
	return su, sub, err
}

func (s *Service) confirmation(ctx context.Context, su newsletter.SignUp, sub newsletter.Subscriber, language string) (Confirmation, error) {
	all, err := s.newsletters(ctx)
	if err != nil {
		return Confirmation{}, err
	}
	wanted, err := wantedBy(all, su)
	if err != nil {
		return Confirmation{}, err
	}
	c := Confirmation{State: StateOpen, Masked: masked(sub.Email)}
	switch {
	case !su.ConfirmedAt.IsZero() || su.Superseded(sub.Subscriptions):
		c.State = StateUsed
	case !s.o.Now().Before(su.ExpiresAt):
		c.State = StateExpired
	}
	if c.State != StateUsed && len(notClosed(wanted)) == 0 {
		return Confirmation{}, errAllClosed(wanted)
	}
	for i, n := range wanted {
		if n.Status == newsletter.Closed && c.State != StateUsed {
			continue // confirming does not bring it
		}
		sections, err := s.sectionsIn(ctx, n, su.Choices[i].Sections)
		if err != nil {
			return Confirmation{}, err
		}
		c.Choices = append(c.Choices, Choice{Newsletter: n, Cadence: su.Choices[i].Cadence, Slot: n.SlotOf(su.Choices[i].Cadence, su.Choices[i].Slot), Sections: sections})
	}
	for _, u := range sub.Subscriptions {
		if slices.ContainsFunc(su.Choices, func(c newsletter.SignUpChoice) bool { return c.NewsletterID == u.NewsletterID }) {
			c.Subscriptions = append(c.Subscriptions, u)
		}
	}
	c.Words, err = s.ConsentWords(language, notClosed(wanted)...)
	return c, err
}

// sectionsIn returns the sections that a mask chooses.
func (s *Service) sectionsIn(ctx context.Context, n newsletter.Newsletter, mask newsletter.Mask) ([]newsletter.Section, error) {
	if mask == 0 {
		return nil, nil
	}
	sections, err := s.store.Sections(ctx, n.ID)
	return chosen(sections, mask), err
}

// Confirm activates what the sign-up asked for and is not closed, and records the words of consent in
// the language in which they stood beside the button. It is idempotent: a used token shows the
// state and changes nothing, also if the reader left meanwhile. The error is NotFound for a
// token that is not ours, Conflict if all that was asked for has been closed, Forbidden with
// reason "expired" for a token that is too old, and Forbidden with reason "suppressed" for
// an address that only staff can allow again.
func (s *Service) Confirm(ctx context.Context, token, language string, origin newsletter.Origin) (Confirmed, error) {
	su, sub, err := s.openConfirmation(ctx, token)
	if err != nil {
		return Confirmed{}, err
	}
	all, err := s.newsletters(ctx)
	if err != nil {
		return Confirmed{}, err
	}
	wanted, err := wantedBy(all, su)
	if err != nil {
		return Confirmed{}, err
	}
	open := notClosed(wanted)
	if su.ConfirmedAt.IsZero() && len(open) == 0 {
		return Confirmed{}, errAllClosed(wanted)
	}
	key, err := keyOf(sub.Email)
	if err != nil {
		return Confirmed{}, err
	}
	now := s.o.Now()
	origin = cleanOrigin(origin)
	origin.Page, origin.Placement = su.Page, su.Placement
	shown, err := s.ConsentWords(language, open...)
	if err != nil {
		return Confirmed{}, err
	}
	done, err := s.store.ConfirmSignUp(ctx, su.ID, s.o.Suppression.Hashes(key), shown, origin, now)
	if err != nil && len(open) > 0 {
		err = withContact(err, open[0])
	}
	if err != nil {
		return Confirmed{}, err
	}
	if su, sub, err = s.openConfirmation(ctx, token); err != nil {
		return Confirmed{}, err
	}
	var c Confirmed
	if c.Confirmation, err = s.confirmation(ctx, su, sub, language); err != nil || !done {
		return c, err
	}
	c.First, err = s.firstEditions(ctx, open, c.Subscriptions, now)
	c.ManageToken = s.o.Keys.Sign(newsletter.PurposeManage, newsletter.Link{SubscriberID: sub.ID, NewsletterID: open[0].ID})
	return c, err
}

// notClosed returns those that a sign-up still brings.
func notClosed(wanted []newsletter.Newsletter) []newsletter.Newsletter {
	return slices.DeleteFunc(slices.Clone(wanted), func(n newsletter.Newsletter) bool { return n.Status == newsletter.Closed })
}

func errAllClosed(wanted []newsletter.Newsletter) error {
	return newsletter.Conflictf("%s has been closed since you signed up. Nothing will be sent to you.", wanted[0].Name)
}

func (s *Service) firstEditions(ctx context.Context, wanted []newsletter.Newsletter, subs []newsletter.Subscription, now time.Time) ([]FirstEdition, error) {
	var first []FirstEdition
	for _, n := range wanted {
		for _, u := range subs {
			if u.NewsletterID != n.ID || u.State != newsletter.Active && u.State != newsletter.PausedSub {
				continue
			}
			due, ok, err := s.nextEdition(ctx, n, u.Cadence, u.Slot, now)
			if err != nil {
				return nil, err
			}
			first = append(first, FirstEdition{Newsletter: n, Due: due, Zone: n.Zone, ByHand: !ok})
		}
	}
	return first, nil
}

// nextEdition returns when the next edition of a slot is due; ok is false if nobody can
// say: it is sent by hand, or the newsletter pauses.
func (s *Service) nextEdition(ctx context.Context, n newsletter.Newsletter, cadence newsletter.Cadence, slot string, now time.Time) (next newsletter.Due, ok bool, err error) {
	if n.Status != newsletter.Open {
		return newsletter.Due{}, false, nil
	}
	zone, err := n.Location()
	if err != nil {
		return newsletter.Due{}, false, err
	}
	for _, schedule := range n.Schedules {
		if schedule.Cadence != cadence || schedule.Slot != n.SlotOf(cadence, slot) {
			continue
		}
		due, free, err := schedule.NextFree(now, zone, func(date newsletter.Date) (bool, error) {
			return s.store.SlotTaken(ctx, newsletter.SlotKey{NewsletterID: n.ID, Cadence: cadence, Date: date, Slot: schedule.Slot})
		})
		if err != nil {
			return newsletter.Due{}, false, err
		}
		if free && (!ok || due.At.Before(next.At)) {
			next, ok = due, true
		}
	}
	return next, ok, nil
}

// RenewConfirmation signs up once more for what a token asked for and is not closed, with the same limits and
// the same answer as SignUp.
func (s *Service) RenewConfirmation(ctx context.Context, token string, origin newsletter.Origin) (SignedUp, error) {
	su, _, err := s.openConfirmation(ctx, token)
	if err != nil {
		return SignedUp{}, err
	}
	all, err := s.newsletters(ctx)
	if err != nil {
		return SignedUp{}, err
	}
	wanted, err := wantedBy(all, su)
	if err != nil {
		return SignedUp{}, err
	}
	open := notClosed(wanted)
	if len(open) == 0 {
		return SignedUp{}, errAllClosed(wanted)
	}
	choices := slices.DeleteFunc(su.Choices, func(c newsletter.SignUpChoice) bool {
		_, ok := byID(open, c.NewsletterID)
		return !ok
	})
	key, err := keyOf(su.Email)
	if err != nil {
		return SignedUp{}, err
	}
	origin.Page, origin.Placement = su.Page, su.Placement
	return s.request(ctx, newsletter.SignUpRequest{
		Email: su.Email, EmailKey: key, Name: su.Name, TimeZone: su.TimeZone, Choices: choices, Origin: origin,
	}, all, open)
}

// masked returns an address so that its owner knows it and others learn little.
func masked(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at < 1 {
		return "…"
	}
	_, size := utf8.DecodeRuneInString(email)
	return email[:size] + "…" + email[at:]
}

// keyOf returns the case-folded form of an address that is in the database.
func keyOf(email string) (string, error) {
	_, key, err := mail.ParseAddress(email)
	if err != nil {
		return "", fmt.Errorf("the address of a subscriber cannot be read: %w", err)
	}
	return key, nil
}
