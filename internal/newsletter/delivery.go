package newsletter

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// State is where one delivery stands in the ledger.
type State int

// The states of a delivery. The numbers are stored: they never change.
const (
	Unplanned State = 0 // the edition has no row for the reader yet; nothing is ever stored as it
	Waiting   State = 1 // planned, not yet tried
	Sending   State = 2 // the intent to send is committed
	Accepted  State = 3 // the relay took responsibility
	Refused   State = 4 // the relay said no for good
	Deferred  State = 5 // to be tried again
	InDoubt   State = 6 // the final dot was sent and no answer came
	Expired   State = 7 // not delivered in time
	Withheld  State = 8 // not to be sent, for a reason
)

var stateNames = map[State]string{
	Waiting: "waiting", Sending: "sending", Accepted: "accepted", Refused: "refused",
	Deferred: "deferred", InDoubt: "in_doubt", Expired: "expired", Withheld: "withheld",
}

// States returns every state in the order of the ledger's identity.
func States() []State {
	return []State{Accepted, Refused, Expired, InDoubt, Withheld, Waiting, Deferred, Sending}
}

// String returns the state's name as commands and JSON show it.
func (s State) String() string {
	if name, ok := stateNames[s]; ok {
		return name
	}
	return fmt.Sprintf("state(%d)", int(s))
}

// ParseState returns the state of that name.
func ParseState(name string) (State, error) {
	for s, n := range stateNames {
		if n == strings.ReplaceAll(name, " ", "_") { // tables and docs write "in doubt"
			return s, nil
		}
	}
	return 0, Invalidf("state", "%q is not a state; use waiting, sending, deferred, accepted, refused, expired, in_doubt or withheld", name)
}

// Holds reports whether a delivery in this state keeps its articles from being owed to its
// reader again. Refused, expired and withheld deliveries release them.
func (s State) Holds() bool {
	switch s {
	case Waiting, Sending, Deferred, InDoubt, Accepted:
		return true
	case Refused, Expired, Withheld:
	}
	return false
}

// moves is the ledger's table of transitions: from a state to those that can follow. Every
// statement that changes a state is one of these, or several in a row.
var moves = map[State][]State{
	Unplanned: {Waiting, Withheld},
	// In doubt: it was, and is not sent once more. Accepted, refused: it was in doubt, and it
	// turned out that it had arrived, or that it had not.
	Waiting:  {Sending, Expired, Withheld, InDoubt, Accepted, Refused},
	Deferred: {Sending, Expired, Withheld, InDoubt, Accepted, Refused},
	Sending:  {Accepted, Refused, Deferred, InDoubt, Waiting},
	InDoubt:  {Deferred, Accepted, Refused},
	Refused:  {Waiting},
	Expired:  {Waiting},
	// Accepted and withheld are final.
}

// Cancelled returns the error, with the reason cancelled, that says that nothing of an edition
// is tried again because it was cancelled.
func Cancelled(editionID int64) error {
	return Refusef("cancelled", "edition %d is cancelled: nothing of it is sent any more, and what its readers did not get is owed to them again", editionID)
}

// CanMove reports whether a delivery in state from may go to state to.
func CanMove(from, to State) bool { return slices.Contains(moves[from], to) }

// The reasons why a delivery is withheld.
const (
	ReasonNothingNew   = "nothing_new"   // nothing is owed to the reader
	ReasonTooFew       = "too_few"       // less is owed than the newsletter's minimum
	ReasonPaused       = "paused"        // the reader paused
	ReasonLeft         = "left"          // the reader left after planning
	ReasonSuppressed   = "suppressed"    // the address must not be mailed
	ReasonCancelled    = "cancelled"     // staff cancelled the edition
	ReasonWithdrawn    = "withdrawn"     // its articles were withdrawn
	ReasonHadOtherwise = "had_otherwise" // the articles came to the reader by another edition
	ReasonErased       = "erased"        // the person's data were erased
)

// Delivery is one edition for one reader: a row of the ledger.
type Delivery struct {
	EditionID    int64
	SubscriberID int64
	Email        string
	EmailKey     string // the case-folded address, where it is to be sent
	Name         string
	VariantID    int64 // 0 for a delivery that was withheld when planned
	State        State
	Reason       string // why it is withheld
	Attempts     int    // tries that the relay answered, or that ended before the final dot
	Doubts       int    // how often it was sent again after being in doubt
	DoubtedAt    time.Time
	NotBefore    time.Time // the message's Date, for every attempt
	NextTry      time.Time
	ExpiresAt    time.Time
	Code         int    // the last SMTP reply code
	Enhanced     string // the enhanced status code of the last reply, RFC 3463
	Reply        string // the last reply's text, capped
	Relay        string
	MessageID    string   // without angle brackets; where it is asked for
	Returned     Returned // what came back after it had been accepted
	UpdatedAt    time.Time
}

// Tally counts an edition's deliveries by state.
type Tally struct {
	Planned int
	Counts  map[State]int
	Reasons map[string]int // the withheld ones by reason
	Doubted int            // deliveries that have ever been in doubt
}

// WaitingCount is what the identity calls waiting: waiting, deferred and sending.
func (t Tally) WaitingCount() int {
	return t.Counts[Waiting] + t.Counts[Deferred] + t.Counts[Sending]
}

// Check returns an *ImbalanceError unless every planned delivery is in exactly one state:
// planned = accepted + refused + expired + in_doubt + withheld + waiting.
func (t Tally) Check() error {
	sum := 0
	for _, s := range States() {
		sum += t.Counts[s]
	}
	if sum != t.Planned {
		return &ImbalanceError{t}
	}
	return nil
}

// ImbalanceError says that an edition's ledger does not add up: the program has a fault, or
// the database was changed past it.
type ImbalanceError struct{ Tally Tally }

func (e *ImbalanceError) Error() string {
	t := e.Tally
	sum := 0
	for _, s := range States() {
		sum += t.Counts[s]
	}
	return fmt.Sprintf("the ledger does not balance: %d planned, %d in a state (accepted %d, refused %d, expired %d, in doubt %d, withheld %d, waiting %d)",
		t.Planned, sum, t.Counts[Accepted], t.Counts[Refused], t.Counts[Expired], t.Counts[InDoubt], t.Counts[Withheld], t.WaitingCount())
}

// Done reports whether nothing of the edition is left to be tried.
func (t Tally) Done() bool { return t.WaitingCount() == 0 }
