package newsletter

import "time"

// PersonMail is one transactional mail to a person, as the record shows it.
type PersonMail struct {
	ID        int64
	Kind      MailKind
	SignupID  int64
	State     State
	Attempts  int
	CreatedAt time.Time
	NotBefore time.Time // its Date
	UpdatedAt time.Time // when it came to its state
	Code      int
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
	NotBefore  time.Time // the message's Date
	UpdatedAt  time.Time // when it came to its state
	Code       int
	Enhanced   string
	Reply      string
	Returned   Returned
	Articles   []PersonArticle
}

// PersonArticle is an article that a person was sent.
type PersonArticle struct{ Headline, URL string }

// PersonSignUp is one request to subscribe, as the record shows it.
type PersonSignUp struct {
	SignUp
	Newsletters []string // slugs
}
