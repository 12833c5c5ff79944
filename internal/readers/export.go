package readers

import (
	"context"
	"time"

	"broadsheet/internal/newsletter"
)

// People reads, erases and in time forgets what is held about people.
type People interface {
	SignUpsOf(ctx context.Context, subscriberID int64) ([]newsletter.PersonSignUp, error)
	MailsOf(ctx context.Context, subscriberID int64) ([]newsletter.PersonMail, error)
	// EachDeliveryTo calls f with every delivery to a person, the oldest edition first.
	EachDeliveryTo(ctx context.Context, subscriberID int64, f func(newsletter.PersonDelivery) error) error
	// EraseSubscriber removes a person in one transaction, but for the keyed hash (S25).
	EraseSubscriber(ctx context.Context, id int64, actor string, now time.Time) (newsletter.Erased, error)
	// ScrubErased takes the addresses of who was erased lately out of what was written since.
	ScrubErased(ctx context.Context, now time.Time) (int, error)
	// FoldLog removes what was erased from the database's log; done is false if it has to be
	// tried again.
	FoldLog(ctx context.Context) (done bool, err error)
	ForgetClients(ctx context.Context, before time.Time) (int, error)
	PruneMails(ctx context.Context, before time.Time) (int, error)
	PruneSignUps(ctx context.Context, before, now time.Time) (signUps, people int, err error)
}

// maxReturns is how much of what came back a record shows, the newest first: more than a
// person's messages of a year.
const maxReturns = 10_000

// Record is everything that is held about a person (GDPR 15), but for the deliveries, which
// may be many: EachDelivery goes through them.
type Record struct {
	MadeAt     time.Time
	Subscriber newsletter.Subscriber
	Standing   Standing
	Events     []newsletter.Event
	SignUps    []newsletter.PersonSignUp
	Mails      []newsletter.PersonMail
	Returns    []newsletter.Return
	sections   map[int64][]newsletter.Section // by newsletter
	store      People
}

// Record returns what is held about somebody, by address or number. The error is NotFound if
// there is nobody, and Invalid if it is neither address nor number.
func (s *Service) Record(ctx context.Context, emailOrID string) (*Record, error) {
	sub, events, err := s.Subscriber(ctx, emailOrID)
	if err != nil {
		return nil, err
	}
	r := &Record{MadeAt: s.o.Now(), Subscriber: sub, Events: events, sections: map[int64][]newsletter.Section{}, store: s.store}
	if r.Standing, err = s.Standing(ctx, sub.Email); err != nil {
		return nil, err
	}
	if r.SignUps, err = s.store.SignUpsOf(ctx, sub.ID); err != nil {
		return nil, err
	}
	if r.Mails, err = s.store.MailsOf(ctx, sub.ID); err != nil {
		return nil, err
	}
	if r.Returns, err = s.store.Returns(ctx, sub.ID, maxReturns); err != nil {
		return nil, err
	}
	for _, u := range sub.Subscriptions {
		if r.sections[u.NewsletterID], err = s.store.Sections(ctx, u.NewsletterID); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// EachDelivery calls f with every delivery to the person whose row is kept, the oldest first.
func (r *Record) EachDelivery(ctx context.Context, f func(newsletter.PersonDelivery) error) error {
	return r.store.EachDeliveryTo(ctx, r.Subscriber.ID, f)
}

// SectionsOf returns the names of the sections that a subscription chooses; none: everything.
func (r *Record) SectionsOf(u newsletter.Subscription) []string {
	names := []string{}
	for _, sec := range r.sections[u.NewsletterID] {
		if u.Sections.Has(sec) {
			names = append(names, sec.Name)
		}
	}
	return names
}
