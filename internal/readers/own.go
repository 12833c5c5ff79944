package readers

import (
	"context"
	"strconv"

	"broadsheet/internal/newsletter"
)

// Own is the reader whose fresh link a page was opened with.
type Own struct {
	Subscriber newsletter.Subscriber
	About      []newsletter.Newsletter // theirs
	Masked     string
}

// Own returns whose fresh link a token is. The error is NotFound for a token that is not ours, and
// Forbidden with reason ErrStale for one that reaches no more than the link in a digest.
func (s *Service) Own(ctx context.Context, token string) (Own, error) {
	link, sub, err := s.openFresh(ctx, token)
	if err != nil {
		return Own{}, err
	}
	all, err := s.newsletters(ctx)
	if err != nil {
		return Own{}, err
	}
	own := Own{Subscriber: sub, Masked: masked(sub.Email)}
	for _, u := range sub.Subscriptions {
		if n, ok := byID(all, u.NewsletterID); ok && (u.State != newsletter.Left || u.NewsletterID == link.NewsletterID) {
			own.About = append(own.About, n)
		}
	}
	return own, nil
}

// ChangeOwn sets name and language by a fresh link. The errors are those of Own, and Invalid with
// field name or language.
func (s *Service) ChangeOwn(ctx context.Context, token string, patch Patch, origin newsletter.Origin) error {
	_, sub, err := s.openFresh(ctx, token)
	if err != nil {
		return err
	}
	_, err = s.Update(ctx, sub.ID, Patch{Name: patch.Name, Language: patch.Language}, origin)
	return err
}

// ReceiptSize is how many editions a page of a receipt has.
const ReceiptSize = 50

// Receipt is what somebody agreed to, what changed, and what was sent to them.
type Receipt struct {
	Own
	Events   []newsletter.Event // the oldest first
	Editions []newsletter.SentEdition
	More     bool // there are older editions than the last of these
}

// Receipt returns the receipt of whom a fresh link is of, with the editions before an id (0: the
// newest). The errors are those of Own.
func (s *Service) Receipt(ctx context.Context, token string, before int64) (Receipt, error) {
	own, err := s.Own(ctx, token)
	if err != nil {
		return Receipt{}, err
	}
	r := Receipt{Own: own}
	if r.Events, err = s.store.Events(ctx, own.Subscriber.ID); err != nil {
		return r, err
	}
	if r.Editions, err = s.store.SentTo(ctx, own.Subscriber.ID, before, ReceiptSize+1); err != nil {
		return r, err
	}
	if r.More = len(r.Editions) > ReceiptSize; r.More {
		r.Editions = r.Editions[:ReceiptSize]
	}
	return r, nil
}

// OwnRecord is Record by a fresh link, without what others wrote: that may name somebody else, so that
// staff look at it before they hand it out (GDPR 15(4)). The errors are those of Own.
func (s *Service) OwnRecord(ctx context.Context, token string) (*Record, error) {
	_, sub, err := s.openFresh(ctx, token)
	if err != nil {
		return nil, err
	}
	r, err := s.Record(ctx, strconv.FormatInt(sub.ID, 10))
	if err != nil {
		return nil, err
	}
	r.Mentions = nil
	return r, nil
}

// EraseOwn is Erase by a fresh link. The errors are those of Own.
func (s *Service) EraseOwn(ctx context.Context, token string, origin newsletter.Origin) error {
	_, sub, err := s.openFresh(ctx, token)
	if err != nil {
		return err
	}
	origin.Actor = "reader"
	_, err = s.Erase(ctx, strconv.FormatInt(sub.ID, 10), origin)
	return err
}
