package newsletter

import "time"

// Pulse is how an edition goes at one moment, as its sender sees it. The sender keeps the
// latest one for whoever watches.
type Pulse struct {
	EditionID   int64
	At          time.Time
	Connections int     // open to relays
	Rate        float64 // messages a second, lately
	Tally       Tally
	Codes       map[string]int // replies other than acceptance in this run, by code: "451 4.7.1"
	Relay       string         // what the relay did wrong last; empty: nothing
	NextTry     time.Time      // when the next deferred delivery is due; zero: none is
}

// PulseAge is how old a pulse may be and still say how an edition goes: a sender leaves one
// every second.
const PulseAge = 5 * time.Second

// Fresh reports whether the pulse still says how its edition goes. One from the future was
// left before the clock was set back.
func (p Pulse) Fresh(now time.Time) bool {
	age := now.Sub(p.At)
	return age <= PulseAge && age >= -PulseAge
}

// ETA is how long the rest takes at the pulse's rate; 0 if that cannot be said.
func (p Pulse) ETA() time.Duration {
	left := p.Tally.WaitingCount()
	if p.Rate <= 0 || left == 0 {
		return 0
	}
	return time.Duration(float64(left) / p.Rate * float64(time.Second))
}
