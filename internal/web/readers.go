package web

import (
	"context"
	"time"

	"broadsheet/internal/newsletter"
	"broadsheet/internal/readers"
)

// Readers is everything that the pages and the API ask for; *readers.Service is one.
type Readers interface {
	Catalogue
	SignUps
	Unsubscribing
	Managing
	Owning
	Staff
	Suppressions
}

// Catalogue knows what can be subscribed to.
type Catalogue interface {
	// Newsletters returns those that are open.
	Newsletters(ctx context.Context) ([]newsletter.Newsletter, error)
	// Newsletter returns one, closed or not, with its sections, or a NotFound error.
	Newsletter(ctx context.Context, slug string) (newsletter.Newsletter, []newsletter.Section, error)
	// ConsentWords returns the words of consent in a language, or in English.
	ConsentWords(language string, n ...newsletter.Newsletter) (newsletter.Words, error)
}

// SignUps takes sign-ups and confirms them.
type SignUps interface {
	SignUp(ctx context.Context, form readers.SignUp) (readers.SignedUp, error)
	// Expect returns what SignUp says about the mail to look for.
	Expect(ctx context.Context, newsletters []string) (readers.SignedUp, error)
	// Confirmation has the words of consent in the language.
	Confirmation(ctx context.Context, token, language string) (readers.Confirmation, error)
	// Confirm records the words in the language in which they stood beside the button.
	Confirm(ctx context.Context, token, language string, origin newsletter.Origin) (readers.Confirmed, error)
	RenewConfirmation(ctx context.Context, token string, origin newsletter.Origin) (readers.SignedUp, error)
}

// Unsubscribing is what the unsubscribe link of a digest can do.
type Unsubscribing interface {
	Leaving(ctx context.Context, token string) (readers.Leaving, error)
	Leave(ctx context.Context, token string, origin newsletter.Origin) (readers.Leaving, error)
	UndoLeave(ctx context.Context, token string, origin newsletter.Origin) (readers.Leaving, error)
}

// Managing is what the manage link of a digest can do.
type Managing interface {
	Manage(ctx context.Context, token string) (readers.Managed, error)
	ChangeSubscription(ctx context.Context, token string, c readers.Change, origin newsletter.Origin) (readers.Managed, error)
	PauseByLink(ctx context.Context, token, newsletter, until string, origin newsletter.Origin) error
	ResumeByLink(ctx context.Context, token, newsletter string, origin newsletter.Origin) error
	LeaveByLink(ctx context.Context, token, newsletter string, origin newsletter.Origin) error
	UndoByLink(ctx context.Context, token string, at time.Time, origin newsletter.Origin) error
	// DoneAt returns what the reader did at a moment, or last if it is zero.
	DoneAt(ctx context.Context, token string, at time.Time) (readers.Done, error)
}

// Owning is what a fresh link can do beside that, and how to get one. The error is Forbidden with
// reason readers.ErrStale for a link that is not fresh.
type Owning interface {
	// AskLink and AskLinkBy mail a fresh link, to whoever has the address and to whom the token is of.
	AskLink(ctx context.Context, address string, origin newsletter.Origin) error
	AskLinkBy(ctx context.Context, token string, origin newsletter.Origin) error
	Own(ctx context.Context, token string) (readers.Own, error)
	ChangeOwn(ctx context.Context, token string, patch readers.Patch, origin newsletter.Origin) error
	Receipt(ctx context.Context, token string, before int64) (readers.Receipt, error)
	OwnRecord(ctx context.Context, token string) (*readers.Record, error)
	EraseOwn(ctx context.Context, token string, origin newsletter.Origin) error
}

// Staff is what staff can do by the API.
type Staff interface {
	Authenticate(ctx context.Context, secret string) (newsletter.Token, error)
	SubscriberLists
	Add(ctx context.Context, a readers.Added, origin newsletter.Origin) (newsletter.Subscriber, error)
	Update(ctx context.Context, id int64, p readers.Patch, origin newsletter.Origin) (newsletter.Subscriber, error)
	Remove(ctx context.Context, emailOrID, newsletterSlug string, origin newsletter.Origin) (newsletter.Subscriber, error)
}

// SubscriberLists reads subscribers.
type SubscriberLists interface {
	Subscriber(ctx context.Context, emailOrID string) (newsletter.Subscriber, []newsletter.Event, error)
	// Returns returns what came back of messages to a subscriber, the newest first.
	Returns(ctx context.Context, subscriberID int64) ([]newsletter.Return, error)
	Subscribers(ctx context.Context, f readers.Filter, after int64, limit int) ([]newsletter.Subscriber, error)
}
