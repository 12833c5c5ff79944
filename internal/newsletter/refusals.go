package newsletter

import (
	"slices"
	"time"
)

// How many refusals of recipients say more about the system that refused than about the addresses.
const (
	fewRefusals   = 3
	manyRefusals  = 20
	shareRefusals = 10  // one in so many
	nearAnswers   = 200 // a refusal is judged among so many answers before and after it
)

// Refusals tells whom to blame for addresses that were refused as bad for good while an edition was
// sent. A relay that has lost its list of users, or takes a domain for its own, does so for a time:
// so a refusal is judged by the answers around it, not by all of a large edition, which would hide
// it. Who resumes an edition may have mended what was wrong, so answers from before and after that
// are kept apart: a canary's refusals are judged by the canary alone.
type Refusals struct {
	resumed []int64 // Unix ms, in order
	all     answers
	domains map[string]*answers // those with enough refusals to ask about
}

// answers are when messages were accepted or refused, Unix ms.
type answers struct {
	accepted, refused, both []int64 // both is all of them in order, once they are sorted
}

// Refusal is one of a recipient at a domain.
type Refusal struct {
	At     time.Time
	Domain string
}

// NewRefusals returns what judges the refusals of an edition that was resumed at those times.
func NewRefusals(resumed []time.Time, refused []Refusal) *Refusals {
	r := &Refusals{domains: map[string]*answers{}}
	for _, at := range resumed {
		r.resumed = append(r.resumed, at.UnixMilli())
	}
	slices.Sort(r.resumed)
	for _, one := range refused {
		at := one.At.UnixMilli()
		r.all.refused = append(r.all.refused, at)
		if r.domains[one.Domain] == nil {
			r.domains[one.Domain] = &answers{}
		}
		r.domains[one.Domain].refused = append(r.domains[one.Domain].refused, at)
	}
	for domain, a := range r.domains {
		if len(a.refused) < fewRefusals {
			delete(r.domains, domain)
		}
	}
	return r
}

// Accepted adds a message that was accepted. All are to be added before the first question.
func (r *Refusals) Accepted(at time.Time, domain []byte) {
	r.all.accepted = append(r.all.accepted, at.UnixMilli())
	if a := r.domains[string(domain)]; a != nil {
		a.accepted = append(a.accepted, at.UnixMilli())
	}
}

// Doubtful reports whether it is rather the fault of the system that refused than of the address:
// nobody around it was accepted, or twenty and more than one in ten were refused, of all or of the
// domain. At one domain it takes three of whom none was accepted. Where the edition was stopped
// after it, and somebody was to look, three in all are enough that are more than one in ten.
func (r *Refusals) Doubtful(one Refusal) bool {
	refused, accepted, stopped := r.all.around(one.At.UnixMilli(), r.resumed)
	if accepted == 0 || tooMany(refused, accepted, manyRefusals) || stopped && tooMany(refused, accepted, fewRefusals) {
		return true
	}
	domain := r.domains[one.Domain]
	if domain == nil {
		return false
	}
	refused, accepted, _ = domain.around(one.At.UnixMilli(), r.resumed)
	return refused >= fewRefusals && accepted == 0 || tooMany(refused, accepted, manyRefusals)
}

func tooMany(refused, accepted, least int) bool {
	return refused >= least && refused*shareRefusals > refused+accepted
}

// around counts the nearest answers before and after a time, between two times at which the edition
// was resumed; stopped says that it was stopped and resumed after it. Answers of one moment are
// counted together, since nothing tells which came first.
func (a *answers) around(at int64, resumed []int64) (refused, accepted int, stopped bool) {
	if a.both == nil {
		a.both = slices.Concat(a.accepted, a.refused)
		slices.Sort(a.both)
		slices.Sort(a.refused)
	}
	next := before(resumed, at+1)
	first, last := 0, len(a.both)
	if next > 0 {
		first = before(a.both, resumed[next-1])
	}
	if stopped = next < len(resumed); stopped {
		last = before(a.both, resumed[next])
	}
	from := max(first, min(before(a.both, at)-nearAnswers/2, last-nearAnswers))
	to := min(last, from+nearAnswers)
	begin, end := a.both[from], a.both[to-1]
	from, to = max(first, before(a.both, begin)), min(last, before(a.both, end+1))
	refused = before(a.refused, end+1) - before(a.refused, begin)
	return refused, to - from - refused, stopped
}

// before returns how many of the times, which are in order, are before one.
func before(times []int64, at int64) int {
	n, _ := slices.BinarySearch(times, at)
	return n
}
