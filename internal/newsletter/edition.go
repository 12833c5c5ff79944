package newsletter

import (
	"strings"
	"time"
)

// EditionState is where an edition stands.
type EditionState string

// The states of an edition.
const (
	EditionDraft     EditionState = "draft"     // being made: staff can change it
	EditionFrozen    EditionState = "frozen"    // its content is fixed and hashed
	EditionSending   EditionState = "sending"   // planned, and carried to its readers
	EditionSent      EditionState = "sent"      // nothing is left to be tried
	EditionSkipped   EditionState = "skipped"   // its slot passed without an edition; Reason says why
	EditionPaused    EditionState = "paused"    // no delivery is tried until staff resume it
	EditionCancelled EditionState = "cancelled" // stopped for good
	EditionExpired   EditionState = "expired"   // nobody approved it, or nobody got it, in time
)

// Open reports whether deliveries of an edition in this state are still to be carried out.
func (s EditionState) Open() bool {
	return s == EditionFrozen || s == EditionSending
}

// Closed reports whether an edition in this state had readers and is not carried out any
// more: its ledger moves only if staff settle or retry something.
func (s EditionState) Closed() bool {
	return s == EditionSent || s == EditionCancelled || s == EditionExpired
}

// The reasons why a slot was skipped.
const (
	SkippedNothingNew       = "nothing_new"
	SkippedMissed           = "missed"            // it was not built within the grace time
	SkippedByStaff          = "staff"             // newsletter skip
	SkippedNewsletterPaused = "newsletter_paused" // the newsletter was paused
)

// OnDoubt says what becomes of a delivery that is in doubt.
type OnDoubt string

// What can become of a delivery in doubt.
const (
	DoubtResend OnDoubt = "resend" // it is sent once more, with the same Message-ID and Date
	DoubtHold   OnDoubt = "hold"   // it stays in doubt until staff settle it
)

// ParseOnDoubt returns the policy of that name.
func ParseOnDoubt(s string) (OnDoubt, error) {
	switch p := OnDoubt(s); p {
	case DoubtResend, DoubtHold:
		return p, nil
	}
	return "", Invalidf("on-doubt", "%q is not a choice; use resend or hold", s)
}

// Edition is one issue of a newsletter for a slot, or an extra one.
type Edition struct {
	ID           int64
	NewsletterID int64
	Newsletter   string // slug
	Cadence      Cadence
	Date         Date   // the local date of the slot
	Slot         string // the slot's name on that date: MainSlot, another of the newsletter's, or "extra-1" …
	ForSlot      string // whose edition it is: of the readers of this slot, or of AllSlots
	State        EditionState
	Reason       string // why it was skipped, paused or cancelled
	DueAt        time.Time
	AsOf         time.Time // what was known at this time went into it; freezing is dated by it
	Hash         string    // of everything that goes into the bytes
	Subject      string
	Articles     int // that the edition has; a reader's copy may have fewer
	Planned      int // rows in the ledger
	OnDoubt      OnDoubt
	WarmUp       WarmUp // zero: no limit
	CreatedAt    time.Time
	PlannedAt    time.Time // zero: planning is not finished
	StartedAt    time.Time
	FinishedAt   time.Time
	ExpiresAt    time.Time // after it nothing more is tried
	Moves        int       // how often staff changed its ledger after the sending
	PrunedAt     time.Time // since then its rows are being removed, or are gone; zero: they are there
	SendAt       time.Time // planning and sending begin then; zero: at once
	Brakes       Brakes    // the limits at which it is paused again, where it was paused at lower ones; zero: as set
}

// Waits reports whether the edition is frozen to be sent later.
func (e Edition) Waits(now time.Time) bool {
	return e.PlannedAt.IsZero() && e.SendAt.After(now) && (e.State.Open() || e.State == EditionPaused)
}

// DraftSlot begins the name that stands for the slot of a draft, which has none.
const DraftSlot = "draft-"

// WasDraft reports whether the edition is a draft, or was cancelled as one.
func (e Edition) WasDraft() bool { return strings.HasPrefix(e.Slot, DraftSlot) }

// SlotKey names a slot: at most one edition has it.
type SlotKey struct {
	NewsletterID int64
	Cadence      Cadence
	Date         Date
	Slot         string // of an immediate edition, the time of the day when it was due
}

// ForSlot returns whose editions have the slot.
func (k SlotKey) ForSlot() string {
	if k.Cadence == Immediate {
		return MainSlot
	}
	return k.Slot
}

// GraceTime is how late a slot can be made up, unless set otherwise.
const GraceTime = 6 * time.Hour

// DeliveryTime is how long after its due time an edition is still carried out.
func (c Cadence) DeliveryTime() time.Duration {
	switch c {
	case Weekly:
		return 72 * time.Hour
	case Immediate: // then it is news no more, and is owed with what comes next
		return 12 * time.Hour
	case Daily:
	}
	return 24 * time.Hour
}
