package newsletter

import "time"

// MailKind is what a transactional mail is about.
type MailKind string

// The kinds of transactional mail.
const (
	MailConfirm MailKind = "confirm" // asks to confirm a sign-up
	MailAlready MailKind = "already" // somebody signed up who is subscribed already
	MailProof   MailKind = "proof"   // asks staff to approve a draft
	MailLink    MailKind = "link"    // has a fresh link to the reader's page
	MailAddress MailKind = "address" // asks, at the new address, to confirm a change of address
	MailMoved   MailKind = "moved"   // tells the old address of it
	MailWelcome MailKind = "welcome" // welcomes who has just confirmed
)

// Mail is one transactional mail of the outbox. It is composed when it is handed over:
// nothing secret is stored.
type Mail struct {
	ID           int64
	Kind         MailKind
	SubscriberID int64
	SignupID     int64
	AboutID      int64 // of MailAddress and MailMoved the change of address, of MailWelcome the newsletter
	EditionID    int64 // of a proof; it has no subscriber
	Email        string
	State        State
	Attempts     int
	NotBefore    time.Time // its Date, for every attempt
	NextTry      time.Time
	ExpiresAt    time.Time
}

// Outcome is what became of one attempt to hand over a message, as the ledger keeps it.
type Outcome struct {
	State    State // Accepted, Refused, Deferred, InDoubt, or Waiting for an attempt that does not count
	Code     int   // SMTP reply code, 0: none
	Enhanced string
	Reply    string // capped to MaxReply bytes
	Relay    string
}

// OutboxRelay is the relay of messages that went to the outbox folder: to a real relay they
// count as not sent.
const OutboxRelay = "outbox"

// MaxDoubts is how often a delivery in doubt is sent again before it is left to staff: a
// relay that never answers must not make us mail somebody without end.
const MaxDoubts = 3

// MaxReply is how many bytes of a relay's reply are kept.
const MaxReply = 300

// RetryAfter returns how long to wait before the next try after so many attempts that were
// deferred. spread is a random number from 0 to 1: retries must not come all at once.
func RetryAfter(attempts int, spread float64) time.Duration {
	wait := 30 * time.Second
	for i := 1; i < attempts && wait < 4*time.Hour; i++ {
		wait *= 3
	}
	wait = min(wait, 4*time.Hour)
	return wait + time.Duration(spread*0.2*float64(wait))
}
