package readers

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/digest"
	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// Welcomes knows what a mail of welcome is made of.
type Welcomes interface {
	delivery.SnapshotStore
	// LastEdition returns the last edition for the readers of a slot that was sent, of those frozen
	// between two times, or a NotFound error.
	LastEdition(ctx context.Context, newsletterID int64, c newsletter.Cadence, slot string, since, before time.Time) (newsletter.ArchivedEdition, error)
	// WithdrawnIn returns when those of the edition's articles were withdrawn that were.
	WithdrawnIn(ctx context.Context, editionID int64) (map[int64]time.Time, error)
}

// welcomeBack is how old an edition can be whose headlines a welcome has.
const welcomeBack = newsletter.MaxLookBack

// composeWelcome composes the mail of welcome to a newsletter. It is from whom digests are from, and not
// from whom confirmations are (S7): it goes to those alone who have confirmed, has the headers of a
// list, and is what a reader puts into their address book.
func (s *Service) composeWelcome(ctx context.Context, m newsletter.Mail, all []newsletter.Newsletter) (from, to string, message []byte, err error) {
	n, ok := byID(all, m.AboutID)
	if !ok {
		return "", "", nil, fmt.Errorf("newsletter %d is gone", m.AboutID)
	}
	sub, err := s.store.Subscriber(ctx, m.SubscriberID)
	if err != nil {
		return "", "", nil, err
	}
	data, err := s.welcomeOf(ctx, m, n, sub)
	if err != nil {
		return "", "", nil, err
	}
	snapshot, rendered, err := digest.RenderWelcome(data)
	if err != nil {
		return "", "", nil, err
	}
	shared := delivery.DigestMessage(snapshot, rendered, 0)
	shared.FeedbackID, shared.Headers = "0:"+n.Slug+":welcome:broadsheet", nil // it is no edition
	link := newsletter.Link{SubscriberID: sub.ID, NewsletterID: n.ID}
	personal := delivery.Personal(s.o.Keys, s.o.BaseURL, newsletter.Address{Name: sub.Name, Email: m.Email}, link, n.From.Domain(), m.NotBefore)
	personal.MessageID = s.o.Keys.MessageID(-m.ID, m.SubscriberID, n.From.Domain()) // no edition has a negative id
	message, err = mail.ComposeOne(shared, personal)
	return n.From.Email, m.Email, message, err
}

// welcomeOf returns what the mail says, as of the time when the reader confirmed.
func (s *Service) welcomeOf(ctx context.Context, m newsletter.Mail, n newsletter.Newsletter, sub newsletter.Subscriber) (digest.WelcomeMail, error) {
	zone, err := n.Location()
	if err != nil {
		return digest.WelcomeMail{}, err
	}
	u, _ := subscriptionTo(sub, n.ID)
	data := digest.WelcomeMail{
		Newsletter: n, Cadence: u.Cadence, Sections: u.Sections, Today: newsletter.DateOf(m.NotBefore.In(zone)),
		BaseURL: s.o.BaseURL, Templates: s.o.Templates,
	}
	next, ok, err := s.nextEdition(ctx, n, u.Cadence, u.Slot, m.NotBefore)
	if err != nil {
		return data, err
	}
	if ok {
		if own, err := time.LoadLocation(sub.TimeZone); err == nil && sub.TimeZone != "" {
			zone = own
		}
		data.First = next.At.In(zone)
	}
	latest, err := s.store.LastEdition(ctx, n.ID, u.Cadence, n.SlotOf(u.Cadence, u.Slot), m.NotBefore.Add(-welcomeBack), m.NotBefore)
	if newsletter.KindOf(err) == newsletter.NotFound {
		return data, nil
	}
	if err != nil {
		return data, err
	}
	snapshot, err := delivery.LoadSnapshot(ctx, s.store, latest.ID)
	if err != nil {
		return data, err
	}
	data.Latest = &snapshot
	if newsletter.OrArchiveMode(n.Archive.Mode) != newsletter.ArchiveOff {
		data.EditionAt = fmt.Sprintf("%s/archive/%s/%d", s.o.BaseURL, n.Slug, latest.ID)
	}
	data.Withdrawn, err = s.store.WithdrawnIn(ctx, latest.ID)
	return data, err
}
