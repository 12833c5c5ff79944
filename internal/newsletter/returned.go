package newsletter

import (
	"slices"
	"time"
)

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

// ChannelComplaint is the channel of an event that came of a complaint.
const ChannelComplaint = "complaint"

// ChannelRelay is the channel of a Return that never was a report: the relay refused the recipient
// while the message was being handed over.
const ChannelRelay = "relay"

// ReturnKinds returns every kind.
func ReturnKinds() []ReturnKind {
	return []ReturnKind{ReturnHard, ReturnSoft, ReturnComplaint, ReturnAutoReply, ReturnOther}
}

// Reasons of a Return that say more than its kind.
const (
	ReturnDelayed   = "delayed"   // a relay has it and goes on trying: soft, and counts nothing (S18)
	ReturnDelivered = "delivered" // the last system says that it has it: other
)

// Return is what came back of one message of ours, whose return path it had (S17).
type Return struct {
	ID           int64 // 0: not on record
	EditionID    int64 // with SubscriberID the delivery; both are zero if it was a transactional mail
	SubscriberID int64
	MailID       int64 // the transactional mail; zero if it was a delivery
	Kind         ReturnKind
	Status       string    // the enhanced status code, RFC 3463; may be empty
	Code         int       // the SMTP reply code; 0: none is known
	Reason       string    // in a word, such as "user_unknown"; may be empty
	Diagnostic   string    // what the other system said, at most MaxReply bytes
	Address      string    // that the report names, if it is not the reader's: they forward their mail
	Channel      string    // how it came: "smtp", "pipe", "imap", "webhook", "ses", "postmark", "relay"
	At           time.Time // when it came
	Effect       string    // what it changed, in plain words; empty: nothing
}

// Failed reports whether the message did not arrive, and is not tried any more.
func (r Return) Failed() bool {
	return r.Kind == ReturnHard || r.Kind == ReturnSoft && r.Reason != ReturnDelayed
}

// Arrived reports whether it shows that a relay took responsibility for the message: some
// system has it, or has answered to it.
func (r Return) Arrived() bool {
	switch r.Kind {
	case ReturnComplaint, ReturnAutoReply:
		return true
	case ReturnSoft:
		return r.Reason == ReturnDelayed
	case ReturnOther:
		return r.Reason == ReturnDelivered
	case ReturnHard:
	}
	return false
}

// ReturnPath is the message that a valid return path names: a delivery or a transactional mail.
type ReturnPath struct {
	EditionID    int64
	SubscriberID int64
	MailID       int64
}

// ReturnTaken says what became of a Return.
type ReturnTaken struct {
	Return        // as it is on record
	Again  bool   // it was on record already, so nothing was changed
	Reader string // the address that the message had gone to; empty: the reader is not on record any more
}

// notTheAddress are the reasons of soft failures that say nothing about the address: the message,
// the sending machine or its proof was not wanted. They are the same for all readers of a provider,
// who would all be suppressed for one bad day of ours.
var notTheAddress = []string{
	ReturnDelayed, "spam", "virus", "content", "too_big", "blocked", "rejected", "auth_failed", "relay_denied", "rate_limited", "policy",
}

// AgainstAddress reports whether a soft failure with this reason counts towards the SoftLimit.
func AgainstAddress(reason string) bool { return !slices.Contains(notTheAddress, reason) }

// SoftLimit says when an address is suppressed because mail to it fails again and again: when
// so many messages to it failed softly, each on another day (UTC) and for a reason of its own,
// within a time.
type SoftLimit struct {
	Days   int
	Within time.Duration
}

// DefaultSoftLimit returns the limit unless set otherwise. A weekly newsletter reaches it too:
// its fifth failure comes 28 days after the first.
func DefaultSoftLimit() SoftLimit { return SoftLimit{Days: 5, Within: 30 * 24 * time.Hour} }

// Returned is what came back of a delivery that had been accepted. The numbers are stored.
type Returned int

// What can have come back.
const (
	NothingReturned Returned = 0
	Bounced         Returned = 1 // it did not reach the reader
	Complained      Returned = 2 // the reader reported it as spam
)

var returnedNames = map[Returned]string{NothingReturned: "", Bounced: "bounced", Complained: "complained"}

// String returns the name as commands and JSON show it; empty for nothing.
func (r Returned) String() string { return returnedNames[r] }

// ParseReturned returns what is called so.
func ParseReturned(name string) (Returned, error) {
	for r, n := range returnedNames {
		if n == name && n != "" {
			return r, nil
		}
	}
	return 0, Invalidf("returned", "%q is not one; use bounced or complained", name)
}

// ReturnCount is how many messages of a kind came back by a channel since the database was
// made. The kind "unknown" are those without a return path of ours.
type ReturnCount struct {
	Kind    ReturnKind
	Channel string
	Count   int
}

// ReturnUnknown is how messages are counted that have no valid return path.
const ReturnUnknown ReturnKind = "unknown"
