package newsletter

import "time"

// Subscriber is a person's address.
type Subscriber struct {
	ID            int64
	Email         string // as typed, the domain in lower case and ASCII
	Name          string
	TimeZone      string // IANA; may be empty
	Language      string // of pages and mails about subscriptions; empty: not chosen
	CreatedAt     time.Time
	Subscriptions []Subscription
}

// SubscriptionState is where a subscription stands.
type SubscriptionState string

// The states of a subscription.
const (
	Pending   SubscriptionState = "pending" // signed up, not confirmed
	Active    SubscriptionState = "active"
	PausedSub SubscriptionState = "paused"
	Left      SubscriptionState = "left"
)

// Subscription is a person's tie to one newsletter.
type Subscription struct {
	SubscriberID   int64
	NewsletterID   int64
	NewsletterSlug string
	NewsletterName string
	State          SubscriptionState
	Cadence        Cadence
	Slot           string // which of the cadence's slots; see Newsletter.SlotOf
	Sections       Mask
	JoinedAt       time.Time // when it was last confirmed, added or imported; zero while pending
	LeftAt         time.Time
	PausedUntil    time.Time // when a pause ends, or ended; zero: it has no end, or there was none
	CreatedAt      time.Time
}

// PausedAt reports whether the subscription is paused at a time.
func (u Subscription) PausedAt(now time.Time) bool {
	return u.State == PausedSub && (u.PausedUntil.IsZero() || u.PausedUntil.After(now))
}

// EventKind is what happened to a subscription.
type EventKind string

// What can happen to a subscription. Events are appended and never changed.
const (
	EventRequested EventKind = "requested" // the sign-up form was sent
	EventConfirmed EventKind = "confirmed"
	EventAdded     EventKind = "added"    // by staff
	EventImported  EventKind = "imported" // from a file
	EventLeft      EventKind = "left"
	EventUndone    EventKind = "undone"  // what the reader did last was undone
	EventRemoved   EventKind = "removed" // by staff
	EventChanged   EventKind = "changed" // cadence or sections
)

// SubscriptionChange is something that a reader did to a subscription, which can be undone for a while.
type SubscriptionChange struct {
	EventID      int64
	NewsletterID int64
	Kind         EventKind // EventChanged or EventLeft
	At           time.Time
	WasState     SubscriptionState
	WasChoice    SignUpChoice
	Was          string // all of it, as the store keeps it
	Last         bool   // nothing has happened to the subscription since
}

// Origin says from where a reader or a member of staff acted: the proof of consent (S24).
type Origin struct {
	Channel   string // "form", "api", "link", "one_click", "import", "staff", "complaint"
	Page      string // the article page that the form stood on
	Placement string // where on the page: "column", "footer"
	IP        string
	UserAgent string
	Actor     string // which member of staff or token
	Note      string // for an import, where the consent was given
}

// Event is one entry of a subscription's history.
type Event struct {
	ID           int64
	SubscriberID int64
	NewsletterID int64
	Newsletter   string // slug
	Kind         EventKind
	At           time.Time
	Origin
	EditionID    int64  // whose link was followed; 0: none
	Words        string // the words of consent that were shown
	WordsVersion string
}
