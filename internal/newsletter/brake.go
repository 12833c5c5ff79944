package newsletter

import (
	"fmt"
	"math"
	"strconv"
)

// Brakes are the shares from which on an edition pauses itself, because the list or the relay
// must be looked at before more is sent. 0 means never.
type Brakes struct {
	Refused    float64 // or came back later, of the messages that were accepted or refused
	Complaints float64 // of those that were accepted
}

// BrakeKind names a brake.
type BrakeKind string

// The brakes.
const (
	BrakeRefused    BrakeKind = "refused"
	BrakeComplaints BrakeKind = "complaints"
)

// How much must have come back before a share says anything.
const (
	BrakeResults       = 200 // messages that were accepted or refused
	BrakeMinComplaints = 3
)

// ComplaintAlarm is the share of complaints, of the messages accepted, from which on large
// mailbox providers turn a sender's mail away (S3).
const ComplaintAlarm = 0.003

// ManyComplaints reports whether so many complaints are more than that share.
func ManyComplaints(accepted, complaints int) bool {
	return complaints >= BrakeMinComplaints && float64(complaints) > ComplaintAlarm*float64(accepted)
}

// BrakePull is a brake that is pulled.
type BrakePull struct {
	Kind  BrakeKind
	Share float64 // that it was pulled at
	// Next is the share at which it is pulled again once staff let the edition go on: as far
	// above this one as the first limit was above nothing. So who resumes is not stopped again
	// by the next refusal, and a list that is getting worse is.
	Next   float64
	Reason string // for staff
}

// PullRefused reports whether so many refusals pull the brake. raised are the limits of an
// edition that was stopped before; last is what the relay said to the last one.
func (b Brakes) PullRefused(raised Brakes, accepted, refused int, last string) (BrakePull, bool) {
	results := accepted + refused
	p, ok := pull(BrakeRefused, b.Refused, raised.Refused, refused, results)
	if !ok || results < BrakeResults {
		return BrakePull{}, false
	}
	p.Reason = fmt.Sprintf("%d of %d messages were refused, %s, and the limit is %s; the last one with: %s",
		refused, results, Percent(p.Share), Percent(max(b.Refused, raised.Refused)), last)
	return p, true
}

// PullReturned reports whether so many messages that were refused, or were accepted and came back
// as not delivered, pull the brake for refusals: a relay that takes everything refuses later.
func (b Brakes) PullReturned(raised Brakes, accepted, refused, bounced int) (BrakePull, bool) {
	p, ok := pull(BrakeRefused, b.Refused, raised.Refused, refused+bounced, accepted+refused)
	if !ok || accepted+refused < BrakeResults {
		return BrakePull{}, false
	}
	p.Reason = fmt.Sprintf("%d of %d messages were refused or came back, %s, and the limit is %s",
		refused+bounced, accepted+refused, Percent(p.Share), Percent(max(b.Refused, raised.Refused)))
	return p, true
}

// PullComplaints reports whether so many complaints pull the brake; see PullRefused.
func (b Brakes) PullComplaints(raised Brakes, accepted, complaints int) (BrakePull, bool) {
	p, ok := pull(BrakeComplaints, b.Complaints, raised.Complaints, complaints, accepted)
	if !ok || complaints < BrakeMinComplaints {
		return BrakePull{}, false
	}
	p.Reason = fmt.Sprintf("%d readers have reported it as spam, %s of %d, and the limit is %s",
		complaints, Percent(p.Share), accepted, Percent(max(b.Complaints, raised.Complaints)))
	return p, true
}

func pull(kind BrakeKind, limit, raised float64, n, of int) (BrakePull, bool) {
	if limit == 0 || of == 0 {
		return BrakePull{}, false
	}
	share := float64(n) / float64(of)
	return BrakePull{Kind: kind, Share: share, Next: share + limit}, share > max(limit, raised)
}

// Percent returns a share as "5.7 %".
func Percent(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e4)/1e2, 'f', -1, 64) + " %"
}
