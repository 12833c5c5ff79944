package newsletter

import "time"

// The limits of signing up. Those of mail hold for one address, whoever fills in the form (S28).
const (
	SignUpValid        = 7 * 24 * time.Hour  // how long a confirmation token works
	MailCooldown       = time.Hour           // between two transactional mails to one address
	MailsPerDay        = 3                   // transactional mails to one address
	SuppressedCooldown = 30 * 24 * time.Hour // between two to an address that is suppressed (S26)
	MailLife           = 48 * time.Hour      // how long a transactional mail is tried
	UndoTime           = 24 * time.Hour      // how long leaving can be undone
)

// SignUp is one request to subscribe, which its confirmation token names.
type SignUp struct {
	ID           int64
	SubscriberID int64
	Nonce        []byte // what makes its token unguessable; it never leaves the server
	Email        string // as this form wrote it; the subscriber's, like the next two, once it is confirmed
	Name         string
	TimeZone     string
	Page         string // the article page that the form stood on
	Placement    string
	CreatedAt    time.Time
	ExpiresAt    time.Time
	ConfirmedAt  time.Time // zero: not yet
	Choices      []SignUpChoice
}

// SignUpChoice is what a sign-up asks for in one newsletter.
type SignUpChoice struct {
	NewsletterID int64
	Cadence      Cadence
	Slot         string // empty: the main one
	Sections     Mask
}

// Superseded reports whether the reader left everything that the sign-up asks for since it
// was made: it must not bring anything back.
func (s SignUp) Superseded(now []Subscription) bool {
	for _, c := range s.Choices {
		left := false
		for _, sub := range now {
			if sub.NewsletterID == c.NewsletterID {
				left = sub.State == Left && !s.CreatedAt.After(sub.LeftAt)
			}
		}
		if !left {
			return false
		}
	}
	return len(s.Choices) > 0
}

// Words are words of consent as they were shown (S24).
type Words struct {
	Language string // BCP 47
	Version  string
	Text     string
}

// SignUpRequest is a sign-up form, checked, as the store takes it.
type SignUpRequest struct {
	Email       string
	EmailKey    string // the case-folded address
	Name        string
	TimeZone    string
	Suppression SuppressionHashes // of EmailKey
	Nonce       []byte            // 16 random bytes
	Limits      []Limit           // that it counts towards
	Choices     []SignUpChoice
	Origin      Origin
}

// Answer is what decides which mail answers a sign-up. Nothing of it shows in what the
// person at the form is told (S27).
type Answer struct {
	Now        time.Time
	Delay      time.Duration     // the slow lane: no mail goes out before it is over
	Sent       []time.Time       // the last MailsPerDay transactional mails to the address, newest first; one may be still to come
	Suppressed SuppressionReason // empty: the address is not suppressed
	// SuppressedAt is since when: a mail from before it is not one to a suppressed address.
	SuppressedAt time.Time
	Already      bool // everything that is asked for is active already
	Covered      bool // everything else is in an earlier sign-up that can be confirmed, by a mail that went out
}

// Mail decides which mail is sent and when; ok is false if none is. In the slow lane it is sent
// later by as much.
//
// Within the cooldown there is none, with one exception: somebody who signs up for one
// newsletter and minutes later for another would wait for a second mail in vain, so it is
// sent as soon as the cooldown is over. Only one mail can wait like that.
func (a Answer) Mail() (kind MailKind, at time.Time, ok bool) {
	soonest := a.Now.Add(a.Delay)
	if a.Suppressed != "" {
		recent := len(a.Sent) > 0 && a.Sent[0].After(later(a.SuppressedAt, a.Now.Add(-SuppressedCooldown)))
		return MailConfirm, soonest, a.Suppressed.LiftedByConfirming() && !recent
	}
	kind, at = MailConfirm, soonest
	if a.Already {
		kind = MailAlready
	}
	if len(a.Sent) > 0 {
		at = later(at, a.Sent[0].Add(MailCooldown))
	}
	if len(a.Sent) >= MailsPerDay {
		at = later(at, a.Sent[MailsPerDay-1].Add(24*time.Hour))
	}
	if at.Equal(soonest) {
		return kind, at, true
	}
	waits := a.Sent[0].After(a.Now)
	return kind, at, kind == MailConfirm && !a.Covered && !waits && at.Sub(soonest) <= MailCooldown
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// SubscriberFilter narrows a list of subscribers; zero values do not.
type SubscriberFilter struct {
	NewsletterID int64
	State        SubscriptionState // of a subscription, to that newsletter if one is named
	EmailPrefix  string            // case-folded
}

// Addition is what staff ask for when they add somebody by hand.
type Addition struct {
	Email       string
	EmailKey    string
	Name        string
	TimeZone    string
	Suppression SuppressionHashes // of EmailKey
	Choices     []SignUpChoice
	Origin      Origin // its Note says where the consent was given
}

// ImportChunk is a part of an imported file. It is written as a whole or not at all.
type ImportChunk struct {
	NewsletterID int64
	Rows         []ImportRow
	Origin       Origin // its Note says where the consent was given
}

// ImportRow is one checked line of an imported file.
type ImportRow struct {
	Email       string
	EmailKey    string
	Name        string
	TimeZone    string
	Suppression SuppressionHashes // of EmailKey
	Cadence     Cadence
	Slot        string // empty: the main one
	Sections    Mask
}

// ImportVerdict is what became of one imported line.
type ImportVerdict int

// The verdicts of an import.
const (
	ImportAdded      ImportVerdict = iota + 1
	ImportAlready                  // active before: untouched
	ImportLeft                     // the reader left: an import brings nobody back (S26)
	ImportSuppressed               // the address must not be mailed (S26)
)
