package readers

import (
	"context"
	"time"

	"broadsheet/internal/newsletter"
)

// Leaving is what the page behind an unsubscribe link shows.
type Leaving struct {
	Masked     string // "a…@example.org"
	Newsletter newsletter.Newsletter
	State      newsletter.SubscriptionState
	// Nobody says that the link is ours, and that we know nobody who belongs to it: the reader's
	// data was erased, or the database was restored from before they signed up. Nothing is sent
	// to them, which is what they want.
	Nobody           bool
	CanUndo          bool // UndoLeave with this token would work now
	Silence          Silence
	UnsubscribeToken string
	ManageToken      string
}

// Leaving returns what an unsubscribe token would end. It changes nothing (S22). The error
// is NotFound for a token that is not ours.
func (s *Service) Leaving(ctx context.Context, token string) (Leaving, error) {
	link, err := s.o.Keys.Open(newsletter.PurposeUnsubscribe, token)
	if err != nil {
		return Leaving{}, errLink()
	}
	return s.leaving(ctx, link)
}

func (s *Service) leaving(ctx context.Context, link newsletter.Link) (Leaving, error) {
	sub, err := s.store.Subscriber(ctx, link.SubscriberID)
	if err != nil && newsletter.KindOf(err) != newsletter.NotFound {
		return Leaving{}, err
	}
	all, failed := s.newsletters(ctx)
	if failed != nil {
		return Leaving{}, failed
	}
	n, ok := byID(all, link.NewsletterID)
	u, subscribed := subscriptionTo(sub, link.NewsletterID)
	if err != nil || !ok || !subscribed {
		return Leaving{Newsletter: n, State: newsletter.Left, Nobody: true}, nil
	}
	l := Leaving{
		Masked: masked(sub.Email), Newsletter: n, State: u.State,
		UnsubscribeToken: s.o.Keys.Sign(newsletter.PurposeUnsubscribe, link),
		ManageToken:      s.o.Keys.Sign(newsletter.PurposeManage, link),
	}
	if l.Silence, err = s.silence(ctx, sub); err != nil {
		return l, err
	}
	if u.State == newsletter.Left {
		l.CanUndo, err = s.store.CanUndoLeave(ctx, link, s.o.Now())
	}
	return l, err
}

// Leave ends the subscription at once (RFC 8058): when it returns no delivery that has not
// begun will be made. It is idempotent.
func (s *Service) Leave(ctx context.Context, token string, origin newsletter.Origin) (Leaving, error) {
	return s.byLink(ctx, token, origin, s.store.Leave)
}

// UndoLeave takes leaving back, if it was done through this very link within 24 hours;
// otherwise the error is Forbidden with reason "too_late", or "suppressed" for an address that
// must not be mailed. For an active subscription it changes nothing.
func (s *Service) UndoLeave(ctx context.Context, token string, origin newsletter.Origin) (Leaving, error) {
	return s.byLink(ctx, token, origin, s.store.UndoLeave)
}

// byLink does what an unsubscribe link names and returns the state after it.
func (s *Service) byLink(ctx context.Context, token string, origin newsletter.Origin,
	do func(context.Context, newsletter.Link, newsletter.Origin, time.Time) error,
) (Leaving, error) {
	link, err := s.o.Keys.Open(newsletter.PurposeUnsubscribe, token)
	if err != nil {
		return Leaving{}, errLink()
	}
	err = do(ctx, link, cleanOrigin(origin), s.o.Now())
	if newsletter.ReasonOf(err) == "suppressed" {
		all, failed := s.newsletters(ctx)
		if failed != nil {
			return Leaving{}, failed
		}
		n, _ := byID(all, link.NewsletterID)
		return Leaving{}, withContact(err, n)
	}
	if err != nil && newsletter.KindOf(err) != newsletter.NotFound {
		return Leaving{}, err
	}
	return s.leaving(ctx, link) // also of somebody we do not know: a mail program's one click is answered
}

func subscriptionTo(sub newsletter.Subscriber, newsletterID int64) (newsletter.Subscription, bool) {
	for _, u := range sub.Subscriptions {
		if u.NewsletterID == newsletterID {
			return u, true
		}
	}
	return newsletter.Subscription{}, false
}
