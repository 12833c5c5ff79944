package newsletter

import "time"

// FrozenEdition is everything that freezing an edition commits.
type FrozenEdition struct {
	Edition
	Manual       bool // made by staff: if the day's slot is gone, it becomes an extra edition
	Extra        bool // it leaves the day's slot to the schedule
	Snapshot     []byte
	Templates    []byte // the sources of the templates, and their hash
	TemplateHash string
	Blocks       []int64 // article ids in order
	Verdicts     []ArticleVerdict
	Corrections  []int64 // ids of those that it tells of
	Sponsors     []int64 // bookings that it has
	Actor        string
	Canary       Canary // zero: everybody gets it at once
	From         string // from where they act; empty: not known
	Forced       string // the gates that failed and that staff forced; empty: none
	// Revision is that of the draft that is frozen; the edition has an id then. 0: it was none.
	Revision int
}

// ArticleVerdict is why an article was taken into an edition or left.
type ArticleVerdict struct {
	ArticleID int64
	Verdict   Verdict
}

// PastEdition is an earlier edition as planning sees it.
type PastEdition struct {
	ID           int64
	NewsletterID int64
	Cadence      Cadence
	ForSlot      string
	AsOf         time.Time
	// News says that it has articles, in full or as headlines, and that somebody got it or may get
	// it yet: that it can be "the edition before".
	News bool
}

// Serves reports whether an edition for the readers of the slot has some of this one's readers.
func (p PastEdition) Serves(c Cadence, slot string) bool {
	if slot == "" {
		slot = MainSlot
	}
	return p.Cadence == c && (p.ForSlot == slot || p.ForSlot == AllSlots || slot == AllSlots)
}

// PlanReaders says which subscriptions planning wants to see: those of a newsletter's cadence and
// slot that are active or paused; those of the whole cadence for AllSlots. Who has a slot that the
// newsletter does not offer any more has the main one.
type PlanReaders struct {
	NewsletterID int64
	Cadence      Cadence
	Slot         string
	Early        time.Time // stands for the time of joining of all who joined before it
	Barred       *Barred
	// Now is when pauses are looked at: one that ends by then has ended, and its end is told if it
	// is not longer ago than MaxLookBack.
	Now time.Time
}

// PlanReader is one subscription as planning sees it.
type PlanReader struct {
	SubscriberID int64
	Sections     Mask
	JoinedAt     time.Time
	ResumedAt    time.Time // when their pause ended, if that is not longer ago than MaxLookBack
	PausedAt     time.Time // when it began
	CaughtUp     bool      // they got an edition since; found out by choosing
	Paused       bool
	Suppressed   bool
}

// NewVariant is a variant that planning composed.
type NewVariant struct {
	Copy
	Subject   string
	Preheader string
	ViewKey   string // see digest.Snapshot; empty: it has no link to itself
	Message   []byte
	Hash      string
}

// PlannedDelivery is a row of the ledger to be made: waiting with a variant, or withheld for
// a reason.
type PlannedDelivery struct {
	SubscriberID int64
	VariantID    int64
	Reason       string
}

// DeliveryKey names a delivery.
type DeliveryKey struct {
	EditionID    int64
	SubscriberID int64
}

// DeliveryResult is what became of a delivery that was sending.
type DeliveryResult struct {
	DeliveryKey
	Outcome
	NextTry time.Time // for a deferred one
	Return  *Return   // for a refused one: what the refusal says of the address; nil: nothing
}

// EditionFilter selects editions, the newest first.
type EditionFilter struct {
	NewsletterID int64   // 0: any
	Cadence      Cadence // empty: any
	Before       int64   // edition id to go on before; 0: from the newest
	Limit        int
}

// SenderHolder says which process has the sender role.
type SenderHolder struct {
	PID     int
	Command string
	Since   time.Time
}
