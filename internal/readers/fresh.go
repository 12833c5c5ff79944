package readers

import (
	"context"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// AskLink leaves a mail with a fresh link in the outbox for whoever has the address. It answers the
// same for every address, known or not (S27). The error is Invalid with field email, RateLimited or
// Busy.
func (s *Service) AskLink(ctx context.Context, address string, origin newsletter.Origin) error {
	var p problems
	_, key, err := mail.ParseAddress(address)
	if err != nil {
		p.addError("email", err)
		return p.err()
	}
	return s.askLink(ctx, key, origin)
}

// AskLinkBy is AskLink for whoever a manage link is of. The error is NotFound for a token that is not
// ours.
func (s *Service) AskLinkBy(ctx context.Context, token string, origin newsletter.Origin) error {
	_, sub, err := s.openManage(ctx, token)
	if err != nil {
		return err
	}
	key, err := keyOf(sub.Email)
	if err != nil {
		return err
	}
	return s.askLink(ctx, key, origin)
}

func (s *Service) askLink(ctx context.Context, key string, origin newsletter.Origin) error {
	return s.store.AskLink(ctx, newsletter.LinkRequest{
		EmailKey: key, Suppression: s.o.Suppression.Hashes(key), Limits: append(limitsOf(origin.IP), s.o.SignUps.Of(nil)...),
	}, s.o.Now())
}

// ErrStale is the reason of the Forbidden error for a link that is not fresh: AskLinkBy mails another.
const ErrStale = "stale"

// openManageLink returns what the token of a manage link names: that of a digest, or a fresh one with
// the time until which it opens all of the page; zero: it does not.
func (s *Service) openManageLink(token string) (link newsletter.Link, until time.Time, err error) {
	if len(token) != newsletter.FreshTokenLength {
		link, err = s.o.Keys.Open(newsletter.PurposeManage, token)
		return link, until, err
	}
	link, made, err := s.o.Keys.OpenFresh(token)
	if err == nil && newsletter.Fresh(made, s.o.Now()) {
		until = made.Add(newsletter.FreshTime)
	}
	return link, until, err
}

// openFresh returns whose fresh link a token is. The error is NotFound for a token that is not ours,
// and Forbidden with reason ErrStale for one that reaches no more than the link in a digest.
func (s *Service) openFresh(ctx context.Context, token string) (newsletter.Link, newsletter.Subscriber, error) {
	link, sub, err := s.openManage(ctx, token)
	if err != nil {
		return link, sub, err
	}
	if _, until, _ := s.openManageLink(token); until.IsZero() {
		return link, sub, newsletter.Refusef(ErrStale, "For this you need a link that is not older than 15 minutes. We will mail you one.")
	}
	return link, sub, nil
}
