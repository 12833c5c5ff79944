package readers

import (
	"context"
	"math"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// People reads, erases and in time forgets what is held about people.
type People interface {
	SignUpsOf(ctx context.Context, subscriberID int64) ([]newsletter.PersonSignUp, error)
	MailsOf(ctx context.Context, subscriberID int64) ([]newsletter.PersonMail, error)
	// EachDeliveryTo calls f with every delivery to a person, the oldest edition first.
	EachDeliveryTo(ctx context.Context, subscriberID int64, f func(newsletter.PersonDelivery) error) error
	// SentTo returns the editions that were sent to a person, the newest first, after an id.
	SentTo(ctx context.Context, subscriberID, before int64, limit int) ([]newsletter.SentEdition, error)
	PersonDetail(ctx context.Context, subscriberID int64) (newsletter.PersonDetail, error)
	// Mentions returns rows that name an address and are not the subscriber's own; 0: nobody's.
	Mentions(ctx context.Context, emailKey string, subscriberID int64) ([]newsletter.PersonMention, error)
	// EraseAddress removes what is held about an address that no subscriber has.
	EraseAddress(ctx context.Context, emailKey, actor string, now time.Time) (rows int, err error)
	// EraseSubscriber removes a person in one transaction, but for the keyed hash (S25).
	EraseSubscriber(ctx context.Context, id int64, actor string, now time.Time) (newsletter.Erased, error)
	// ScrubErased takes the addresses of who was erased lately out of what was written since.
	ScrubErased(ctx context.Context, now time.Time) (int, error)
	// FoldLog removes what was erased from the database's log; done is false if it has to be
	// tried again.
	FoldLog(ctx context.Context) (done bool, err error)
	ForgetClients(ctx context.Context, before time.Time) (int, error)
	PruneMails(ctx context.Context, before time.Time) (int, error)
	// EraseLeft erases, as EraseSubscriber, who left everything before a time.
	EraseLeft(ctx context.Context, before, now time.Time) (int, error)
	PruneSignUps(ctx context.Context, before, now time.Time) (signUps, people int, err error)
}

// allReturns is no limit to what came back: of one message each kind is kept once.
const allReturns = math.MaxInt32

// Record is everything that is held about a person (GDPR 15), but for the deliveries, which
// may be many: EachDelivery goes through them. Of an address that no subscriber has, it is the
// standing and the mentions; then the subscriber has no number.
type Record struct {
	MadeAt     time.Time
	Subscriber newsletter.Subscriber
	Detail     newsletter.PersonDetail
	Standing   Standing
	Events     []newsletter.Event
	SignUps    []newsletter.PersonSignUp
	Mails      []newsletter.PersonMail
	Returns    []newsletter.Return
	Mentions   []newsletter.PersonMention     // what others wrote, staff or systems
	sections   map[int64][]newsletter.Section // by newsletter
	store      People
}

// Nobody reports whether the address is no subscriber's.
func (r *Record) Nobody() bool { return r.Subscriber.ID == 0 }

// Record returns what is held about somebody, by address or number. The error is NotFound if
// nothing is, and Invalid if it is neither address nor number.
func (s *Service) Record(ctx context.Context, emailOrID string) (*Record, error) {
	sub, events, err := s.Subscriber(ctx, emailOrID)
	if newsletter.KindOf(err) == newsletter.NotFound {
		return s.recordOfNobody(ctx, emailOrID, err)
	}
	if err != nil {
		return nil, err
	}
	r := &Record{MadeAt: s.o.Now(), Subscriber: sub, Events: events, sections: map[int64][]newsletter.Section{}, store: s.store}
	if r.Detail, err = s.store.PersonDetail(ctx, sub.ID); err != nil {
		return nil, err
	}
	if r.Standing, err = s.Standing(ctx, sub.Email); err != nil {
		return nil, err
	}
	if r.SignUps, err = s.store.SignUpsOf(ctx, sub.ID); err != nil {
		return nil, err
	}
	if r.Mails, err = s.store.MailsOf(ctx, sub.ID); err != nil {
		return nil, err
	}
	if r.Returns, err = s.store.Returns(ctx, sub.ID, allReturns); err != nil {
		return nil, err
	}
	key, err := keyOf(sub.Email)
	if err != nil {
		return nil, err
	}
	if r.Mentions, err = s.store.Mentions(ctx, key, sub.ID); err != nil {
		return nil, err
	}
	return r, s.readSections(ctx, r)
}

// recordOfNobody returns what is held about an address that no subscriber has, or notFound if
// nothing is.
func (s *Service) recordOfNobody(ctx context.Context, raw string, notFound error) (*Record, error) {
	email, key, err := mail.ParseAddress(raw)
	if err != nil { // it was a number
		return nil, notFound
	}
	r := &Record{MadeAt: s.o.Now(), Subscriber: newsletter.Subscriber{Email: email}, store: s.store}
	if r.Standing, err = s.Standing(ctx, email); err != nil {
		return nil, err
	}
	if r.Mentions, err = s.store.Mentions(ctx, key, 0); err != nil {
		return nil, err
	}
	if r.Standing.Own.Reason == "" && len(r.Standing.Events)+len(r.Mentions) == 0 {
		return nil, notFound
	}
	return r, nil
}

// readSections reads the names of the sections that subscriptions and sign-ups may choose.
func (s *Service) readSections(ctx context.Context, r *Record) (err error) {
	ids := map[int64]bool{}
	for _, u := range r.Subscriber.Subscriptions {
		ids[u.NewsletterID] = true
	}
	for _, u := range r.SignUps {
		for _, c := range u.Asked {
			ids[c.NewsletterID] = true
		}
	}
	for id := range ids {
		if r.sections[id], err = s.store.Sections(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// EachDelivery calls f with every delivery to the person whose row is kept, the oldest first.
func (r *Record) EachDelivery(ctx context.Context, f func(newsletter.PersonDelivery) error) error {
	if r.Nobody() {
		return nil
	}
	return r.store.EachDeliveryTo(ctx, r.Subscriber.ID, f)
}

// SectionsOf returns the sections that a subscription chooses; none: everything.
func (r *Record) SectionsOf(u newsletter.Subscription) []newsletter.Section {
	return r.SectionsIn(u.NewsletterID, u.Sections)
}

// SectionsIn returns the sections of a newsletter that a choice has; none: everything.
func (r *Record) SectionsIn(newsletterID int64, choice newsletter.Mask) []newsletter.Section {
	list := []newsletter.Section{}
	for _, sec := range r.sections[newsletterID] {
		if choice.Has(sec) {
			list = append(list, sec)
		}
	}
	return list
}
