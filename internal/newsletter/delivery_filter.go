package newsletter

// DeliveryFilter selects rows of an edition's ledger, in order of their subscribers.
type DeliveryFilter struct {
	EditionID    int64
	SubscriberID int64    // 0: any
	State        State    // Unplanned: any
	Doubted      bool     // only those that have ever been in doubt
	Domain       string   // of the address, in lower case and ASCII; empty: any
	Code         int      // the last SMTP reply code; 0: any
	Returned     Returned // NothingReturned: any
	ArticleID    int64    // whose copy has it in full; 0: any
	After        int64    // subscriber id to go on after
	Limit        int      // 0: all
}

// RetryFilter selects deliveries that are to be tried once more: those that were refused or
// have expired.
type RetryFilter struct {
	EditionID    int64
	SubscriberID int64 // 0: any
	State        State // Refused, Expired, or Unplanned for both
	Code         int   // the last SMTP reply code; 0: any
	// Repeats is what the edition was planned by; the desk knows it.
	Repeats Repeats
}

// Retried says what became of deliveries that were to be tried once more.
type Retried struct {
	Waiting      int // they are tried again
	HadOtherwise int // they are withheld: another edition gave the reader one of their articles meanwhile
	Withdrawn    int // they are withheld: all of their articles were withdrawn
}

// Recast says what became of deliveries that waited with an article that was withdrawn.
type Recast struct {
	Recopied int // they get a copy without it
	Withheld int // nothing is left of theirs
}

// Settlement is what staff know about a message that was in doubt.
type Settlement string

// What staff can say about a message in doubt.
const (
	Arrived    Settlement = "arrived"     // it is accepted
	NotArrived Settlement = "not-arrived" // it is refused; what it had is owed to the reader again
	Resend     Settlement = "resend"      // it is sent once more, and may come twice
)

// ParseSettlement returns the settlement of that name.
func ParseSettlement(s string) (Settlement, error) {
	switch v := Settlement(s); v {
	case Arrived, NotArrived, Resend:
		return v, nil
	}
	return "", Invalidf("as", "%q is not an answer; use arrived, not-arrived or resend", s)
}

// State is where a delivery in doubt goes that is settled so.
func (s Settlement) State() State {
	switch s {
	case Arrived:
		return Accepted
	case NotArrived:
		return Refused
	case Resend:
	}
	return Deferred
}

// ResolveFilter selects deliveries in doubt.
type ResolveFilter struct {
	EditionID    int64
	SubscriberID int64 // 0: all
}
