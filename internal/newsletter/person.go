package newsletter

import "time"

// PersonMail is one transactional mail to a person, as the record shows it.
type PersonMail struct {
	ID        int64
	Kind      MailKind
	SignupID  int64
	AboutID   int64 // see Mail
	State     State
	Attempts  int
	Doubts    int // how often nobody knew whether it had arrived
	CreatedAt time.Time
	NotBefore time.Time // its Date
	NextTry   time.Time
	ExpiresAt time.Time
	UpdatedAt time.Time // when it came to its state
	Code      int
	Enhanced  string
	Reply     string
}

// PersonDelivery is one edition for a person, with what was in it.
type PersonDelivery struct {
	EditionID  int64
	Newsletter string // slug
	Date       string // of the edition, in the newsletter's zone
	Subject    string
	State      State
	Reason     string // why it is withheld
	Attempts   int
	Doubts     int       // how often nobody knew whether it had arrived
	DoubtedAt  time.Time // the last time
	NotBefore  time.Time // the message's Date
	NextTry    time.Time
	ExpiresAt  time.Time
	UpdatedAt  time.Time // when it came to its state
	Code       int
	Enhanced   string
	Reply      string
	Relay      string
	Returned   Returned
	Articles   []PersonArticle
}

// PersonArticle is an article that a person was sent.
type PersonArticle struct{ Headline, URL string }

// PersonSignUp is one request to subscribe, as the record shows it.
type PersonSignUp struct {
	SignUp
	Newsletters []string // slugs
	Asked       []PersonChoice
}

// PersonChoice is what a sign-up asks for in one newsletter.
type PersonChoice struct {
	NewsletterID int64
	Newsletter   string // slug
	Cadence      Cadence
	Slot         string
	Sections     Mask
}

// PersonDetail is what is kept of a person beside what staff see of a subscriber.
type PersonDetail struct {
	Language  string
	UpdatedAt time.Time
	// Subscriptions has the slot of each, by newsletter, and when it last changed.
	Subscriptions []PersonSubscription
}

// PersonSubscription is what is kept of a subscription beside what staff see of it.
type PersonSubscription struct {
	Newsletter string // slug
	Slot       string
	UpdatedAt  time.Time
	OwedSince  time.Time // since when articles are owed, for who changed cadence or slot after joining
	PausedAt   time.Time // when their last pause began
}

// PersonMention is a row that is not the person's own and says something of them: words of
// staff, of a relay or of another system that name the address.
type PersonMention struct {
	Where string // "desk event", "alarm", "reply" …
	ID    int64
	Text  string
}

// SentEdition is one edition for a person, as their receipt shows it.
type SentEdition struct {
	EditionID  int64
	Newsletter string // slug
	Name       string // of the newsletter
	Language   string // of the newsletter
	Zone       string // of the newsletter
	Date       string // of the edition, in the newsletter's zone
	Subject    string
	State      State
	At         time.Time // when it came to its state
	Returned   Returned
	Key        string // of the copy in a browser; empty: there is none
}
