package readers

import (
	"context"
	"fmt"
	"io"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// nonceSize is what makes a confirmation token unguessable: 128 bits (S33).
const nonceSize = 16

// SignUp is what the sign-up form says.
type SignUp struct {
	Email       string
	Name        string
	Newsletters []string // slugs; none: the only one there is
	Cadence     string   // empty: the first that each newsletter offers
	Slot        string   // empty: the first that the cadence has; Cadence may name it as well, "daily/evening"
	TimeZone    string   // IANA; may be empty
	Sections    []string // slugs, in any of the newsletters; none: everything
	Origin      newsletter.Origin
}

// SignedUp is what somebody who signed up is told: nothing of it depends on whether the
// address is known (S27).
type SignedUp struct {
	Email       string                  // as it is mailed to
	Newsletters []newsletter.Newsletter // by id, as the mail names them
	From        newsletter.Address      // of the mail to look for
	Subject     string
}

// SignUp records the request and leaves the mail that answers it in the outbox. The error is
// Invalid, naming every wrong field (email, newsletter, cadence, slot, section, time_zone, name,
// page), RateLimited, Busy, or Conflict if a newsletter is closed.
func (s *Service) SignUp(ctx context.Context, form SignUp) (SignedUp, error) {
	all, err := s.newsletters(ctx)
	if err != nil {
		return SignedUp{}, err
	}
	var p problems
	email, key, err := mail.ParseAddress(form.Email)
	if err != nil {
		p.addError("email", err)
	}
	name, wrong := cleanName(form.Name)
	if wrong != "" {
		p.add("name", "%s", wrong)
	}
	if wrong := checkZone(form.TimeZone); wrong != "" {
		p.add("time_zone", "%s", wrong)
	}
	if wrong := checkPage(form.Origin.Page); wrong != "" {
		p.add("page", "%s", wrong)
	}
	wanted, choices, err := s.choose(ctx, all, form.Newsletters, form.Cadence, form.Slot, form.Sections, &p)
	if err != nil {
		return SignedUp{}, err
	}
	if err := p.err(); err != nil {
		return SignedUp{}, err
	}
	return s.request(ctx, newsletter.SignUpRequest{
		Email: email, EmailKey: key, Name: name, TimeZone: form.TimeZone, Choices: choices, Origin: form.Origin,
	}, all, wanted)
}

// request fills in what does not come from the form, and records the request.
func (s *Service) request(ctx context.Context, r newsletter.SignUpRequest, all, wanted []newsletter.Newsletter) (SignedUp, error) {
	r.Origin = cleanOrigin(r.Origin)
	r.Limits = append(limitsOf(r.Origin.IP), s.o.SignUps.Of(wanted)...)
	r.Suppression = s.o.Suppression.Hashes(r.EmailKey)
	r.Nonce = make([]byte, nonceSize)
	if _, err := io.ReadFull(s.o.Rand, r.Nonce); err != nil {
		return SignedUp{}, fmt.Errorf("sign up: %w", err)
	}
	// Before the work: if this fails, nothing has been recorded that the page denies.
	answer, err := s.answer(r.Email, all, wanted)
	if err != nil {
		return SignedUp{}, err
	}
	if err := s.store.SignUp(ctx, r, s.o.Now()); err != nil {
		return SignedUp{}, err
	}
	return answer, nil
}

// Expect returns what SignUp says about the mail to look for, without an address. The error
// is Invalid for a newsletter that there is not.
func (s *Service) Expect(ctx context.Context, newsletters []string) (SignedUp, error) {
	all, err := s.newsletters(ctx)
	if err != nil {
		return SignedUp{}, err
	}
	var p problems
	wanted, _, err := s.choose(ctx, all, newsletters, "", "", nil, &p)
	if err != nil {
		return SignedUp{}, err
	}
	if err := p.err(); err != nil {
		return SignedUp{}, err
	}
	return s.answer("", all, wanted)
}

// answer is what somebody is told who signed up for the newsletters.
func (s *Service) answer(email string, all, wanted []newsletter.Newsletter) (SignedUp, error) {
	subject, err := s.subject(wanted)
	return SignedUp{Email: email, Newsletters: wanted, From: s.confirmFrom(all, wanted), Subject: subject}, err
}
