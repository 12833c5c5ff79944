package bounce

import "broadsheet/internal/newsletter"

// Report is what a message says.
type Report struct {
	// Kind is that of the whole: the worst of its recipients.
	Kind newsletter.ReturnKind

	// Recipients are the addresses it is about, at most 100 of them.
	Recipients []Recipient

	// ReturnPaths are addresses in the message that may be return paths of ours, the most
	// trustworthy first: that of the message that was returned, what an ARF report calls
	// Original-Mail-From, and those that the report itself went to. At most 20.
	ReturnPaths []string
}

// Recipient is what a message says of one address.
type Recipient struct {
	Address    string // may be empty: a complaint need not name it
	Status     string // the enhanced status code (RFC 3463); empty: none is given
	Code       int    // the SMTP reply code; 0: none is given
	Reason     string // one of the Reason words
	Diagnostic string // what the other system said, in one line
	Kind       newsletter.ReturnKind
}

// The bounds of a Report, whatever strangers write.
const (
	maxRecipients  = 100
	maxReturnPaths = 20
	maxDiagnostic  = 1000
)

// The reasons, in a word each. They are stored, and programs read them: they never change.
const (
	ReasonUserUnknown     = "user_unknown"     // there is no such mailbox: hard
	ReasonHostUnknown     = "host_unknown"     // there is no such domain: hard
	ReasonMailboxDisabled = "mailbox_disabled" // it is closed for good: hard
	ReasonMoved           = "moved"            // it is somewhere else now: hard
	ReasonNoMail          = "no_mail"          // the domain takes no mail at all: hard

	ReasonMailboxFull = "mailbox_full"
	ReasonSuspended   = "suspended"              // the mailbox is switched off, perhaps for a while
	ReasonSpam        = "spam"                   // the content was taken for spam
	ReasonVirus       = "virus"                  // the content was taken for dangerous
	ReasonBlocked     = "blocked"                // the sending machine is not welcome
	ReasonRejected    = "rejected"               // the sender's address is not welcome
	ReasonRelayList   = "relay_list"             // our relay keeps a list of its own, has the address on it, and did not send
	ReasonFiltered    = "filtered"               // the recipient, or a rule of theirs, did not want it
	ReasonPolicy      = "policy"                 // a rule of the other system stands against it
	ReasonContent     = "content"                // the form of the message was not accepted
	ReasonTooBig      = "too_big"                // the message is too large
	ReasonRateLimited = "rate_limited"           // too much at a time
	ReasonAuthFailed  = "auth_failed"            // SPF, DKIM, DMARC or a log-in
	ReasonRelayDenied = "relay_denied"           // the system does not take mail for that domain
	ReasonNetwork     = "network"                // no connection, or a loop
	ReasonSystem      = "system"                 // trouble on the other side
	ReasonExpired     = "expired"                // it was tried for too long
	ReasonDelayed     = newsletter.ReturnDelayed // it is still being tried: counts nothing
	ReasonUnknown     = "unknown"                // it failed, and nothing says why

	ReasonFeedback  = "feedback"                 // a report about the message, as a mailbox provider sends it
	ReasonVacation  = "vacation"                 // a machine answered
	ReasonDelivered = newsletter.ReturnDelivered // it arrived, or was handed on
)

// Reasons returns all of them.
func Reasons() []string {
	return []string{
		ReasonUserUnknown, ReasonHostUnknown, ReasonMailboxDisabled, ReasonMoved, ReasonNoMail,
		ReasonRelayList, ReasonMailboxFull, ReasonSuspended, ReasonSpam, ReasonVirus, ReasonBlocked, ReasonRejected, ReasonFiltered, ReasonPolicy,
		ReasonContent, ReasonTooBig, ReasonRateLimited, ReasonAuthFailed, ReasonRelayDenied, ReasonNetwork, ReasonSystem,
		ReasonExpired, ReasonDelayed, ReasonUnknown, ReasonFeedback, ReasonVacation, ReasonDelivered,
	}
}
