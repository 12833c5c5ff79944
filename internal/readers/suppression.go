package readers

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// SuppressionList reads who must not be mailed.
type SuppressionList interface {
	// Suppressions returns a page by number, of one reason if it is not empty.
	Suppressions(ctx context.Context, reason newsletter.SuppressionReason, after int64, limit int) ([]newsletter.Suppression, error)
	SuppressionCounts(ctx context.Context) (map[newsletter.SuppressionReason]int, error)
	// SuppressionByID returns one, or a NotFound error.
	SuppressionByID(ctx context.Context, id int64) (newsletter.Suppression, error)
	// SuppressionBy returns what stands under a hash; without a reason if nothing does.
	SuppressionBy(ctx context.Context, hash []byte) (newsletter.Suppression, error)
	SuppressionEvents(ctx context.Context, hash []byte) ([]newsletter.SuppressionEvent, error)
}

// SuppressionChanges enters and lifts suppressions.
type SuppressionChanges interface {
	// Suppress enters all or none, and reports of each whether it changed anything.
	Suppress(ctx context.Context, list []newsletter.Suppression, now time.Time) ([]bool, error)
	// LiftSuppression ends one, and answers the sign-up of emailKey that waited for it. The
	// error is NotFound, Forbidden if the path does not lift it, or Invalid without a note.
	LiftSuppression(ctx context.Context, hash []byte, emailKey string, path newsletter.LiftPath, note, actor string, now time.Time) (newsletter.LiftedSuppression, error)
	// NameSuppressions sets Email of those whose address is a subscriber's.
	NameSuppressions(ctx context.Context, key newsletter.SuppressionKey, list []newsletter.Suppression) error
	// WaitingSignUp returns a subscriber's sign-up that is not confirmed; ok is false if there is none.
	WaitingSignUp(ctx context.Context, subscriberID int64, now time.Time) (w newsletter.WaitingSignUp, ok bool, err error)
}

// MaxSuppressions is the most suppressions that one call of Suppressions returns.
const MaxSuppressions = 50_000

// SuppressionFilter narrows a list of suppressions.
type SuppressionFilter struct {
	Reason string // empty: any
	// Addresses asks for the addresses of those who are still subscribers. To find them takes
	// a second or two for a million subscribers, whatever the length of the list.
	Addresses bool
}

// Standing says whether an address or a whole domain may be mailed.
type Standing struct {
	Target   string                 // the address or "@example.org"; empty for a number whose address nobody knows
	Own      newsletter.Suppression // of just this address or domain; without a reason if there is none
	ByDomain newsletter.Suppression // of an address's whole domain; likewise
	Events   []newsletter.SuppressionEvent
}

// Strongest returns what counts: of an address and its whole domain what is harder to lift.
func (s Standing) Strongest() newsletter.Suppression {
	if s.ByDomain.Reason != "" && s.ByDomain.Reason.Stronger(s.Own.Reason) {
		return s.ByDomain
	}
	return s.Own
}

// Suppressed reports whether it must not be mailed.
func (s Standing) Suppressed() bool { return s.Own.Reason != "" || s.ByDomain.Reason != "" }

// target is what staff name to suppress: an address or a whole domain.
type target struct {
	email, key string // of an address
	domain     string // of a domain
	hash       []byte
}

func (t target) String() string {
	if t.domain != "" {
		return "@" + t.domain
	}
	return t.email
}

// parseTarget reads an address, or a domain as "@example.org".
func (s *Service) parseTarget(raw string) (target, error) {
	raw = strings.TrimSpace(raw)
	if name, ok := strings.CutPrefix(raw, "@"); ok {
		domain, err := mail.ParseDomain(name)
		return target{domain: domain, hash: s.o.Suppression.DomainHash(domain)}, err
	}
	email, key, err := mail.ParseAddress(raw)
	return target{email: email, key: key, hash: s.o.Suppression.Hash(key)}, err
}

// findTarget is parseTarget for something that may be on record: it takes a number as well.
func (s *Service) findTarget(ctx context.Context, raw string) (target, error) {
	id, err := strconv.ParseInt(raw, 10, 64)
	if err != nil {
		return s.parseTarget(raw)
	}
	found, err := s.store.SuppressionByID(ctx, id)
	if err != nil {
		return target{}, err
	}
	named := []newsletter.Suppression{found}
	if err := s.store.NameSuppressions(ctx, s.o.Suppression, named); err != nil {
		return target{}, err
	}
	t := target{email: named[0].Email, domain: found.Domain, hash: found.Hash}
	if t.email != "" {
		t.key, err = keyOf(t.email)
	}
	return t, err
}

// Suppressions returns up to limit suppressions with a number greater than after, by number.
// The error is Invalid for a reason that there is not.
func (s *Service) Suppressions(ctx context.Context, f SuppressionFilter, after int64, limit int) ([]newsletter.Suppression, error) {
	if limit < 1 || limit > MaxSuppressions {
		return nil, newsletter.Invalidf("limit", "the limit is a number from 1 to %d", MaxSuppressions)
	}
	var reason newsletter.SuppressionReason
	if f.Reason != "" {
		var err error
		if reason, err = newsletter.ParseSuppressionReason(f.Reason); err != nil {
			return nil, err
		}
	}
	list, err := s.store.Suppressions(ctx, reason, after, limit)
	if err == nil && f.Addresses {
		err = s.store.NameSuppressions(ctx, s.o.Suppression, list)
	}
	return list, err
}

// SuppressionCounts returns how many suppressions there are, by reason.
func (s *Service) SuppressionCounts(ctx context.Context) (map[newsletter.SuppressionReason]int, error) {
	return s.store.SuppressionCounts(ctx)
}

// Standing says whether an address, a domain ("@example.org") or what a suppression's number
// stands for may be mailed, and what happened to that so far. The error is NotFound only for a
// number.
func (s *Service) Standing(ctx context.Context, addressDomainOrID string) (Standing, error) {
	t, err := s.findTarget(ctx, addressDomainOrID)
	if err != nil {
		return Standing{}, err
	}
	st := Standing{Target: t.String()}
	if st.Own, err = s.store.SuppressionBy(ctx, t.hash); err != nil {
		return Standing{}, err
	}
	st.Own.Email = t.email
	if t.key != "" {
		if st.ByDomain, err = s.store.SuppressionBy(ctx, s.o.Suppression.Hashes(t.key).Domain); err != nil {
			return Standing{}, err
		}
	}
	st.Events, err = s.store.SuppressionEvents(ctx, t.hash)
	return st, err
}

// Suppress enters an address or a whole domain ("@example.org") into the list of those that
// must not be mailed; reason is staff if it is empty, and always for a domain. added is false
// if a reason stands already that is as strong or stronger: that one stays. origin says who
// did it, and its note why. The error is Invalid with field email, domain or reason.
func (s *Service) Suppress(ctx context.Context, addressOrDomain, reason string, origin newsletter.Origin) (st Standing, added bool, err error) {
	t, err := s.parseTarget(addressOrDomain)
	if err != nil {
		return Standing{}, false, err
	}
	one, err := newSuppression(t, reason)
	if err != nil {
		return Standing{}, false, err
	}
	origin = cleanOrigin(origin)
	one.Note, one.Actor = origin.Note, origin.Actor
	changed, err := s.store.Suppress(ctx, []newsletter.Suppression{one}, s.o.Now())
	if err != nil {
		return Standing{}, false, err
	}
	if st, err = s.Standing(ctx, t.String()); err != nil {
		return Standing{}, false, fmt.Errorf("suppressed, but: %w", err)
	}
	return st, changed[0], nil
}

// newSuppression returns a suppression of the target, without who and why.
func newSuppression(t target, reason string) (newsletter.Suppression, error) {
	one := newsletter.Suppression{Hash: t.hash, Domain: t.domain, Reason: newsletter.SuppressedStaff}
	if reason == "" {
		return one, nil
	}
	var err error
	if one.Reason, err = newsletter.ParseSuppressionReason(reason); err != nil {
		return one, err
	}
	if t.domain != "" && one.Reason != newsletter.SuppressedStaff {
		return one, newsletter.Invalidf("reason", "a whole domain is suppressed by staff alone; leave the reason out, and say why in the note")
	}
	return one, nil
}

// LiftSuppression lets an address, a domain or what a suppression's number stands for be
// mailed again. The note says why; after a complaint, and for what staff suppressed, it is
// compulsory (S26). A sign-up that waited for it gets its confirmation mail. The error is
// NotFound if it is not suppressed itself, and Invalid with field note.
func (s *Service) LiftSuppression(ctx context.Context, addressDomainOrID string, origin newsletter.Origin) (newsletter.LiftedSuppression, error) {
	t, err := s.findTarget(ctx, addressDomainOrID)
	if err != nil {
		return newsletter.LiftedSuppression{}, err
	}
	origin = cleanOrigin(origin)
	lifted, err := s.store.LiftSuppression(ctx, t.hash, t.key, newsletter.LiftByStaff, origin.Note, origin.Actor, s.o.Now())
	if newsletter.KindOf(err) == newsletter.NotFound {
		err = s.notSuppressed(ctx, t)
	}
	lifted.Email = t.email
	return lifted, err
}

// notSuppressed says that there is nothing to lift, and what stands in its place.
func (s *Service) notSuppressed(ctx context.Context, t target) error {
	if t.key != "" {
		whole, err := s.store.SuppressionBy(ctx, s.o.Suppression.Hashes(t.key).Domain)
		if err != nil {
			return err
		}
		if whole.Reason != "" {
			return newsletter.NotFoundf("%s itself is not suppressed, but all of @%s is; name @%s to lift that", t, whole.Domain, whole.Domain)
		}
	}
	return newsletter.NotFoundf("%s is not suppressed", t)
}
