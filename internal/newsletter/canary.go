package newsletter

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Canary says that a few readers get an edition first, and the rest only if nothing is wrong with
// what they got. The zero value is that everybody gets it at once.
type Canary struct {
	Share float64 // of the readers, 0 to 1
	Hold  time.Duration
}

// DefaultCanaryHold is how long the rest waits, unless it is said.
const DefaultCanaryHold = 10 * time.Minute

// The bounds of a canary. Bounces and complaints take minutes to come back, and whoever waits for
// longer than some hours gets old news.
const (
	minCanaryShare = 0.0001
	maxCanaryShare = 0.2
	minCanaryHold  = time.Minute
	maxCanaryHold  = 6 * time.Hour
)

// ParseCanary reads a share such as "1%" or "0.5 %"; "none" and an empty text are no canary.
func ParseCanary(s string) (share float64, err error) {
	text := strings.TrimSpace(s)
	if text == "" || text == "none" {
		return 0, nil
	}
	number, ok := strings.CutSuffix(text, "%")
	percent, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	share = percent / 100
	if !ok || err != nil || math.IsNaN(share) || share < minCanaryShare || share > maxCanaryShare {
		return 0, Invalidf("canary", "%q is not a share of the readers; write it as 1%% (from 0.01%% to 20%%), or none", s)
	}
	return math.Round(share*1e6) / 1e6, nil
}

// CheckCanaryHold returns an Invalid error unless the rest can wait for so long.
func CheckCanaryHold(hold time.Duration) error {
	if hold < minCanaryHold || hold > maxCanaryHold {
		return Invalidf("hold", "it is from 1m to 6h, such as 10m: what comes back takes minutes, and news get old")
	}
	return nil
}

// Word returns what ParseCanary reads.
func (c Canary) Word() string {
	if c.Share == 0 {
		return "none"
	}
	return strconv.FormatFloat(math.Round(c.Share*1e6)/1e4, 'f', -1, 64) + "%"
}

// HoldWord returns how long the rest waits: "1 minute", "2.5 minutes".
func (c Canary) HoldWord() string {
	if c.Hold == time.Minute {
		return "1 minute"
	}
	return fmt.Sprintf("%g minutes", c.Hold.Minutes())
}

// String returns "1%, and the rest 10m later".
func (c Canary) String() string {
	if c.Share == 0 {
		return "none"
	}
	return fmt.Sprintf("%s, and the rest %gm later", c.Word(), c.Hold.Minutes())
}

// CanarySample is a sample of subscribers that is the same for every edition with the same share,
// and of which nobody can tell who is in it: neither the newest nor the oldest, nor any domain. A
// larger share has all that are in a smaller one.
type CanarySample struct {
	seed  [2]uint64
	below uint64 // of the hash
	Staff []int64
}

// CanarySample returns the sample of that share, with staff who are subscribers. It is made with
// the ring's first key, which is kept for ever.
func (r KeyRing) CanarySample(share float64, staff ...int64) CanarySample {
	mac := r[0].mac("canary")
	return CanarySample{
		seed:  [2]uint64{binary.BigEndian.Uint64(mac), binary.BigEndian.Uint64(mac[8:])},
		below: uint64(share * math.MaxUint64), Staff: staff,
	}
}

// Has reports whether the subscriber is in the sample.
func (s CanarySample) Has(subscriber int64) bool {
	for _, id := range s.Staff {
		if id == subscriber {
			return true
		}
	}
	return mix(mix(uint64(subscriber)^s.seed[0])^s.seed[1]) < s.below
}

// mix spreads every bit of x over all of them (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// CanaryRun is how far the canary of an edition is.
type CanaryRun struct {
	Canary
	PickedAt time.Time // zero: its readers are not chosen yet
	Size     int
	SentAt   time.Time // each of them was tried, and the rest waits from here on; zero: not yet
	OverAt   time.Time // the rest goes on, or did not; zero: not yet
	Stopped  string    // why it did not; empty: nothing was wrong
}

// Until is when the rest goes on, if nothing is wrong; zero if that is not known yet.
func (c CanaryRun) Until() time.Time {
	if c.SentAt.IsZero() {
		return time.Time{}
	}
	return c.SentAt.Add(c.Hold)
}

// CanaryTally counts what became of a canary.
type CanaryTally struct {
	Counts     map[State]int
	Bounced    int // of those accepted
	Complained int
	// Forgiven were refused before somebody let the edition go on: a brake had stopped it for them,
	// or staff, and they do not stop it once more.
	Forgiven int
}

// How many of a canary must have come back before a share says anything: one person's full
// mailbox does not stop an edition.
const (
	canaryMinBad        = 3 // refused or bounced
	canaryMinComplaints = 2
)

// JudgeCanary says why the rest must not go on, if there is a reason. over says that the time to
// wait is over, so that no more is to be expected.
func (b Brakes) JudgeCanary(t CanaryTally, over bool) (reason string, stop bool) {
	accepted, refused := t.Counts[Accepted], t.Counts[Refused]-t.Forgiven
	bad := refused + t.Bounced
	share := func(n, of int) float64 { return float64(n) / float64(max(of, 1)) }
	switch {
	case b.Refused > 0 && bad >= canaryMinBad && share(bad, accepted+refused) > b.Refused:
		return fmt.Sprintf("canary: %d of %d messages were refused or came back, %s, and the limit is %s",
			bad, accepted+refused, Percent(share(bad, accepted+refused)), Percent(b.Refused)), true
	case b.Complaints > 0 && t.Complained >= canaryMinComplaints && share(t.Complained, accepted) > b.Complaints:
		return fmt.Sprintf("canary: %d readers have reported it as spam, %s of %d, and the limit is %s",
			t.Complained, Percent(share(t.Complained, accepted)), accepted, Percent(b.Complaints)), true
	case over && accepted == 0:
		return fmt.Sprintf("canary: none of its messages was accepted (%d refused, %d put off, %d in doubt)",
			t.Counts[Refused], t.Counts[Deferred], t.Counts[InDoubt]), true
	}
	return "", false
}
