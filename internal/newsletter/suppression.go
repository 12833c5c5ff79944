package newsletter

import "time"

// Suppression says that an address, or every address of a domain, must not be mailed. Of an
// address only the keyed hash is kept.
type Suppression struct {
	ID        int64
	Hash      []byte
	Domain    string // a whole domain, as A-labels; empty: one address
	Reason    SuppressionReason
	Note      string
	Actor     string // who entered it: "cli:ada", "token:shop", "bounce"
	CreatedAt time.Time
	Email     string // of the subscriber with this address, where a list was asked for it and there is one
}

// SuppressionReason says why an address must not be mailed.
type SuppressionReason string

// The reasons of a suppression. They are stored, and programs read them: they never change.
const (
	SuppressedLeft        SuppressionReason = "left"         // the person wants no mail at all
	SuppressedErased      SuppressionReason = "erased"       // the person had their data erased
	SuppressedHardBounce  SuppressionReason = "hard_bounce"  // the address does not work
	SuppressedSoftBounces SuppressionReason = "soft_bounces" // mail to it came back again and again
	SuppressedComplaint   SuppressionReason = "complaint"    // the person reported a digest as spam
	SuppressedStaff       SuppressionReason = "staff"        // staff want it so
)

// SuppressionReasons returns every reason, the strongest first.
func SuppressionReasons() []SuppressionReason {
	return []SuppressionReason{
		SuppressedComplaint, SuppressedStaff, SuppressedErased, SuppressedLeft, SuppressedHardBounce, SuppressedSoftBounces,
	}
}

// ParseSuppressionReason returns the reason of that name.
func ParseSuppressionReason(name string) (SuppressionReason, error) {
	for _, r := range SuppressionReasons() {
		if string(r) == name {
			return r, nil
		}
	}
	return "", Invalidf("reason", "%.40q is not a reason; use complaint, staff, erased, left, hard_bounce or soft_bounces", name)
}

// Stronger reports whether the reason takes the place of another one that stands already:
// what is harder to lift wins, and the reason of a newer version of the program stays.
func (r SuppressionReason) Stronger(than SuppressionReason) bool {
	return than == "" || r.rank() < than.rank()
}

// rank counts from the strongest reason.
func (r SuppressionReason) rank() int {
	for i, known := range SuppressionReasons() {
		if r == known {
			return i
		}
	}
	return -1
}

// LiftPath is a way on which somebody might come to be mailed again.
type LiftPath string

// The ways, of which few lift anything.
const (
	LiftBySignUp  LiftPath = "sign_up"     // the form is filled in, or a program calls the API: anybody can do that
	LiftByConfirm LiftPath = "confirm"     // the confirmation mail is answered: only who has the address can do that
	LiftByImport  LiftPath = "import"      // a file of subscribers
	LiftByAdd     LiftPath = "add"         // staff add a subscriber, by command or API
	LiftByUndo    LiftPath = "undo"        // leaving is taken back by the link of a digest, which may be forwarded
	LiftByManage  LiftPath = "manage"      // cadence or sections are changed by such a link
	LiftByList    LiftPath = "import_list" // a file of suppressions
	LiftByStaff   LiftPath = "staff"       // staff lift it by hand, by command or API
)

// LiftPaths returns every way.
func LiftPaths() []LiftPath {
	return []LiftPath{LiftBySignUp, LiftByConfirm, LiftByImport, LiftByAdd, LiftByUndo, LiftByManage, LiftByList, LiftByStaff}
}

// Lifting says whether a way lifts a suppression.
type Lifting int

// Whether a way lifts a suppression.
const (
	LiftsNot      Lifting = iota
	LiftsWithNote         // if there is a note that says why
	Lifts
)

// LiftedBy is the table of S26: which way lifts a suppression with this reason. A whole
// domain has the reason staff. What is not known here, staff lift with a note.
func (r SuppressionReason) LiftedBy(p LiftPath) Lifting {
	ownWish := false // the person's confirmed wish is enough
	switch r {
	case SuppressedLeft, SuppressedErased, SuppressedHardBounce, SuppressedSoftBounces:
		ownWish = true
	case SuppressedComplaint, SuppressedStaff:
	}
	switch {
	case p == LiftByConfirm && ownWish, p == LiftByStaff && ownWish:
		return Lifts
	case p == LiftByStaff:
		return LiftsWithNote
	}
	return LiftsNot
}

// LiftedByConfirming reports whether the person's own sign-up lifts the suppression when its
// mail is answered. After a complaint only staff can lift it, and nothing but staff lifts one
// whose reason is not known (S26).
func (r SuppressionReason) LiftedByConfirming() bool { return r.LiftedBy(LiftByConfirm) == Lifts }

// SuppressionEventKind is what happened to a suppression.
type SuppressionEventKind string

// What can happen to a suppression.
const (
	EventSuppressed SuppressionEventKind = "suppressed"
	EventLifted     SuppressionEventKind = "lifted"
)

// SuppressionEvent is one entry of the history of an address's suppressions.
type SuppressionEvent struct {
	ID     int64
	Kind   SuppressionEventKind
	Reason SuppressionReason
	Path   LiftPath // what lifted it
	Note   string
	Actor  string
	At     time.Time
}

// WaitingSignUp is a sign-up that has not been confirmed, and what became of its mail.
type WaitingSignUp struct {
	ID          int64
	CreatedAt   time.Time
	ExpiresAt   time.Time
	Newsletters []string  // slugs
	MailState   State     // of the confirmation mail; Unplanned: none is to be sent
	MailAt      time.Time // when that is sent at the earliest, or when it came to its state
	MailReply   string    // what the relay said, or why it was withheld
}

// LiftedSuppression is what came of lifting one by hand.
type LiftedSuppression struct {
	Suppression
	// MailQueued says that a sign-up had waited for it: its confirmation mail goes out at MailAt.
	MailQueued bool
	MailAt     time.Time
}
