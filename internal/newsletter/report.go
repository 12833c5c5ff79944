package newsletter

import "time"

// Report is what became of an edition, counted.
type Report struct {
	Edition Edition
	Tally   Tally // balanced
	// Domains are the addresses' domains with the most deliveries, the largest first; Other
	// counts those of all the others.
	Domains []DomainTotal
	Other   DomainTotal
	Replies []ReplyTotal // what relays answered, the most frequent first
	Relays  []RelayTotal // who was last asked to deliver, the most frequent first
	Doubts  DoubtTotal
	// Returned is what came back after it had been accepted; nil: nothing ever came back, of no
	// edition, so perhaps nothing reads it.
	Returned *ReturnedTotal
	Rows     int // of the ledger that are there; fewer than planned once they are removed
	RowBytes int // what a row takes in the database, estimated with its share of the indexes
	// CountedAt is when this was counted; zero: just now, while rows still move.
	CountedAt time.Time
	// PrunedAt is since when the rows are removed: then this is all that is left of them.
	PrunedAt time.Time
}

// Duration is how long the edition took, or has taken until now.
func (r Report) Duration(now time.Time) time.Duration {
	e := r.Edition
	switch {
	case e.StartedAt.IsZero():
		return 0
	case !e.FinishedAt.IsZero():
		now = e.FinishedAt
	}
	return max(0, now.Sub(e.StartedAt))
}

// Rate is how many messages a second were accepted in that time; 0 if that cannot be said.
func (r Report) Rate(now time.Time) float64 {
	took := r.Duration(now)
	if took == 0 {
		return 0
	}
	return float64(r.Tally.Counts[Accepted]) / took.Seconds()
}

// DomainTotal counts deliveries to addresses of one domain by state.
type DomainTotal struct {
	Domain string
	Counts map[State]int
}

// Planned is how many deliveries the domain has.
func (d DomainTotal) Planned() int { return sum(d.Counts) }

// ReplyTotal counts deliveries in one state with one last reply.
type ReplyTotal struct {
	State    State
	Code     int // 0: there was no reply
	Enhanced string
	Count    int
	Example  string // the words of one of them
}

// RelayTotal counts deliveries that one relay was last asked to deliver by state.
type RelayTotal struct {
	Relay  string
	Counts map[State]int
}

// Asked is how many deliveries the relay has.
func (r RelayTotal) Asked() int { return sum(r.Counts) }

func sum(counts map[State]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

// DoubtTotal counts deliveries that were in doubt.
type DoubtTotal struct {
	Ever  int // at some time
	Now   int // still
	Again int // sent once more because of it, and may have come twice
}

// ReturnedTotal counts messages that came back.
type ReturnedTotal struct {
	Bounced    int
	Complained int
}

// ReportDomains is how many domains a report has apart.
const ReportDomains = 20

// KeepDeliveries is for how many days an edition's rows are kept after it finished, unless
// set otherwise.
const KeepDeliveries = 400

// MinKeepDeliveries is the least number of days that rows can be kept: what is owed to
// a reader looks at what the last MaxLookBack gave.
const MinKeepDeliveries = 31

// RowsGone returns the error, with the reason rows_gone, that says that an edition's rows were
// removed.
func RowsGone(editionID int64) error {
	return Refusef("rows_gone", "the rows of edition %d are no longer kept: \"broadsheet edition report %d\" has what they added up to", editionID, editionID)
}

// The least numbers of days that what is kept about people can be kept: the limits of mail to
// one address look back as far (SuppressedCooldown).
const (
	MinKeepUnconfirmed = 30 // after the link's end
	MinKeepMails       = 31
	MinKeepLeft        = 31 // after the last newsletter was left
)
