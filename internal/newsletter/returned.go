package newsletter

import "time"

// ReturnKind is what a message that came back says of the address it had gone to.
type ReturnKind string

// The kinds of what comes back. They are stored, and programs read them: they never change.
const (
	ReturnHard      ReturnKind = "hard"       // the address is bad for good (S18)
	ReturnSoft      ReturnKind = "soft"       // any other failure
	ReturnComplaint ReturnKind = "complaint"  // the person reported the message as spam (S19)
	ReturnAutoReply ReturnKind = "auto_reply" // a machine answered: out of office, received
	ReturnOther     ReturnKind = "other"      // it says nothing of an address
)

// Return is what came back of one message of ours, whose return path it had (S17).
type Return struct {
	EditionID    int64 // with SubscriberID the delivery; both are zero if it was a transactional mail
	SubscriberID int64
	MailID       int64 // the transactional mail; zero if it was a delivery
	Kind         ReturnKind
	Status       string    // the enhanced status code, RFC 3463; may be empty
	Code         int       // the SMTP reply code; 0: none is known
	Reason       string    // in a word, such as "user_unknown"; may be empty
	Diagnostic   string    // what the other system said, at most MaxReply bytes
	Channel      string    // how it came: "smtp", "pipe", "imap", "webhook", "ses", "postmark"
	At           time.Time // when it came
}
