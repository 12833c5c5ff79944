// Package readers is what readers can do with their subscriptions, and what staff can do
// with them on their behalf: sign up, confirm, choose, leave, add, import.
//
// It decides and the store keeps. What a reader is told never depends on whether an address
// is known (S27), and no method sends mail: what must be sent is left in the outbox in the
// same transaction, and Compose makes the message when it is handed over.
package readers

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"broadsheet/internal/digest"
	"broadsheet/internal/newsletter"
)

// Store is everything that the service needs of the database; *store.Store is one.
type Store interface {
	Catalogue
	SignUps
	Subscribers
	Subscriptions
	Leavings
	Preferences
	Welcomes
	Imports
	SuppressionList
	SuppressionChanges
	People
	Tokens
}

// Catalogue knows the newsletters.
type Catalogue interface {
	// Newsletters returns all of them, closed ones too.
	Newsletters(ctx context.Context) ([]newsletter.Newsletter, error)
	Sections(ctx context.Context, newsletterID int64) ([]newsletter.Section, error)
	// SlotTaken reports whether the slot has its edition, sent or skipped.
	SlotTaken(ctx context.Context, key newsletter.SlotKey) (bool, error)
}

// SignUps keeps requests to subscribe until they are confirmed.
type SignUps interface {
	// SignUp records the request and puts the mail that answers it into the outbox. It does
	// the same work for an address that it knows and one that it does not. The error is
	// RateLimited past the limit of a client.
	SignUp(ctx context.Context, r newsletter.SignUpRequest, now time.Time) error
	// FindSignUp returns the sign-up, or a NotFound error.
	FindSignUp(ctx context.Context, id int64) (newsletter.SignUp, error)
	// ConfirmSignUp activates what the sign-up asks for; done is false if it was confirmed
	// before, or superseded: then nothing changes. What has been closed since is left out.
	// The error is Forbidden, with reason "expired" or "suppressed", or Conflict if all of it
	// has been closed.
	ConfirmSignUp(ctx context.Context, id int64, suppression newsletter.SuppressionHashes, words newsletter.Words, origin newsletter.Origin, now time.Time) (done bool, err error)
	// AskLink leaves a mail with a fresh link in the outbox, doing the same work for an address that
	// nobody has. The error is RateLimited past the limit of a client.
	AskLink(ctx context.Context, r newsletter.LinkRequest, now time.Time) error
	// DeleteCounters deletes the counts of windows that no limit looks at any more.
	DeleteCounters(ctx context.Context, now time.Time) error
}

// Subscribers keeps people's addresses and what happened to their subscriptions.
type Subscribers interface {
	// Subscriber returns a subscriber with all subscriptions, or a NotFound error.
	Subscriber(ctx context.Context, id int64) (newsletter.Subscriber, error)
	SubscriberByKey(ctx context.Context, emailKey string) (newsletter.Subscriber, error)
	Subscribers(ctx context.Context, f newsletter.SubscriberFilter, after int64, limit int) ([]newsletter.Subscriber, error)
	// UpdateSubscriber reads, lets change decide, and writes name and time zone, all in one
	// transaction; an empty note says that nothing is to be written.
	UpdateSubscriber(ctx context.Context, id int64, origin newsletter.Origin, now time.Time, change func(*newsletter.Subscriber) (note string, err error)) (newsletter.Subscriber, error)
	Events(ctx context.Context, subscriberID int64) ([]newsletter.Event, error)
	// Returns returns what came back of messages to a subscriber, the newest first.
	Returns(ctx context.Context, subscriberID int64, limit int) ([]newsletter.Return, error)
}

// Subscriptions changes the ties of readers to newsletters, each with its event.
type Subscriptions interface {
	// AddSubscriptions activates the choices and returns the subscriber's id. The error is
	// Forbidden, with reason "left" or "suppressed", or Conflict if all are active already.
	AddSubscriptions(ctx context.Context, a newsletter.Addition, now time.Time) (int64, error)
	// RemoveSubscriptions ends the subscription to one newsletter, or to all for 0.
	RemoveSubscriptions(ctx context.Context, subscriberID, newsletterID int64, origin newsletter.Origin, now time.Time) error
	// ChangeSubscription lets change decide on cadence and sections of an active or paused
	// subscription, in one transaction; an empty note says that nothing is to be written.
	PauseSubscriptions(ctx context.Context, subscriberID, newsletterID int64, until time.Time, note string, origin newsletter.Origin, now time.Time) (changed int, err error)
	ChangeSubscription(ctx context.Context, link newsletter.Link, newsletterID int64, origin newsletter.Origin, now time.Time, change func(newsletter.Subscription) (c newsletter.SignUpChoice, note string, err error)) error
}

// Leavings ends subscriptions by the links in digests, and takes that back.
type Leavings interface {
	// Leave ends a subscription at once; if it has ended already nothing changes.
	Leave(ctx context.Context, link newsletter.Link, origin newsletter.Origin, now time.Time) error
	// UndoLeave takes back a Leave by the same link within UndoTime, else it is Forbidden
	// with reason "too_late".
	UndoLeave(ctx context.Context, link newsletter.Link, origin newsletter.Origin, now time.Time) error
	// CanUndoLeave reports whether UndoLeave would take something back now.
	CanUndoLeave(ctx context.Context, link newsletter.Link, now time.Time) (bool, error)
}

// Imports takes subscribers in bulk.
type Imports interface {
	// ImportChunk writes the chunk in one transaction and returns a verdict for each row.
	ImportChunk(ctx context.Context, c newsletter.ImportChunk, now time.Time) ([]newsletter.ImportVerdict, error)
}

// Tokens keeps the API tokens of staff.
type Tokens interface {
	CreateToken(ctx context.Context, t newsletter.Token, hash []byte, now time.Time) (newsletter.Token, error)
	Tokens(ctx context.Context) ([]newsletter.Token, error)
	// TokenByHash returns a token, revoked or not, or a NotFound error.
	TokenByHash(ctx context.Context, hash []byte) (newsletter.Token, error)
	RevokeToken(ctx context.Context, id int64, now time.Time) error
	TouchToken(ctx context.Context, id int64, now time.Time) error
}

// Options are what the service cannot find in the database.
type Options struct {
	BaseURL     string // of the links in mails, "https://letters.example.org"
	Keys        newsletter.KeyRing
	Suppression newsletter.SuppressionKey
	// ConfirmFrom is who confirmation mail is from. Zero: an address beside that of the
	// first newsletter asked for, which no digest is from (S7).
	ConfirmFrom newsletter.Address
	// SignUps are the limits of signing up; zero: those of newsletter.DefaultSignUpLimits.
	SignUps   newsletter.SignUpLimits
	Templates digest.Templates
	Now       func() time.Time // nil: time.Now
	Rand      io.Reader        // nil: crypto/rand; it must be safe for concurrent use
}

// Service is safe for concurrent use.
type Service struct {
	store Store
	o     Options

	mu       sync.Mutex
	subjects map[string]string // see subject
}

// New returns a service on the store.
func New(store Store, o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.SignUps == (newsletter.SignUpLimits{}) {
		o.SignUps = newsletter.DefaultSignUpLimits()
	}
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	return &Service{store: store, o: o, subjects: map[string]string{}}
}

// Newsletters returns those that readers can sign up for, by name as the store orders them.
func (s *Service) Newsletters(ctx context.Context) ([]newsletter.Newsletter, error) {
	all, err := s.newsletters(ctx)
	if err != nil {
		return nil, err
	}
	var open []newsletter.Newsletter
	for _, n := range all {
		if s.takesReaders(n) == nil {
			open = append(open, n)
		}
	}
	return open, nil
}

// Newsletter returns one with its sections in their order; a closed one too, so that a page
// can say that it is closed. The error is NotFound if there is none of that slug.
func (s *Service) Newsletter(ctx context.Context, slug string) (newsletter.Newsletter, []newsletter.Section, error) {
	all, err := s.newsletters(ctx)
	if err != nil {
		return newsletter.Newsletter{}, nil, err
	}
	n, ok := bySlug(all, slug)
	if !ok {
		return newsletter.Newsletter{}, nil, newsletter.NotFoundf("there is no newsletter %.60q", slug)
	}
	sections, err := s.store.Sections(ctx, n.ID)
	if err != nil {
		return newsletter.Newsletter{}, nil, fmt.Errorf("sections of %s: %w", slug, err)
	}
	return n, sections, nil
}

// newsletters returns all newsletters, closed ones too.
func (s *Service) newsletters(ctx context.Context) ([]newsletter.Newsletter, error) {
	all, err := s.store.Newsletters(ctx)
	if err != nil {
		return nil, fmt.Errorf("newsletters: %w", err)
	}
	return all, nil
}

// Prune deletes what nothing looks at any more: counts of old windows.
func (s *Service) Prune(ctx context.Context, now time.Time) error {
	if err := s.store.DeleteCounters(ctx, now); err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	return nil
}

func bySlug(all []newsletter.Newsletter, slug string) (newsletter.Newsletter, bool) {
	for _, n := range all {
		if n.Slug == slug {
			return n, true
		}
	}
	return newsletter.Newsletter{}, false
}

func byID(all []newsletter.Newsletter, id int64) (newsletter.Newsletter, bool) {
	for _, n := range all {
		if n.ID == id {
			return n, true
		}
	}
	return newsletter.Newsletter{}, false
}
