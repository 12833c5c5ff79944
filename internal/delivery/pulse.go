package delivery

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/mail"
	"broadsheet/internal/newsletter"
)

// progress is how an edition does in this run. It is counted as results come, because to
// count the ledger goes through every row of it.
type progress struct {
	tally   newsletter.Tally
	codes   map[string]int    // answers other than an acceptance, in this run
	rates   [rateSpan]int     // acceptances at the last ticks, the oldest first
	refused int               // in this run
	refusal string            // what the last one was refused with
	brakes  newsletter.Brakes // what the edition was let go on with; see newsletter.BrakePull
	stopped bool              // staff paused or cancelled it: what is handed out already is given back
	stale   bool              // somebody else may have moved rows
	counted time.Time
}

// rateSpan is over how many ticks the rate is measured.
const rateSpan = 10

// follow begins to count the edition, from what the ledger says now.
func (e *Engine) follow(ctx context.Context, edition int64) error {
	e.mu.Lock()
	p := e.editions[edition]
	counted := p != nil && (!p.stale || len(e.inFlight) > 0) // results that come meanwhile would be counted twice
	if p != nil {
		p.stopped = false
	}
	e.mu.Unlock()
	if counted {
		return nil
	}
	tally, err := e.Ledger.Tally(ctx, edition)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if p == nil {
		p = &progress{codes: map[string]int{}}
		e.editions[edition] = p
		for i := range p.rates {
			p.rates[i] = tally.Counts[newsletter.Accepted]
		}
	}
	p.tally, p.stale, p.counted = tally, false, time.Now()
	return nil
}

// markStale says that the edition's rows may have moved otherwise than by results, if they
// were not counted lately anyway.
func (e *Engine) markStale(edition int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.editions[edition]; p != nil && time.Since(p.counted) > sweepEvery {
		p.stale = true
	}
}

// keepOnly forgets how editions did that are carried no longer, once nothing of them is in
// flight.
func (e *Engine) keepOnly(editions []newsletter.Edition) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id := range e.editions {
		carried := slices.ContainsFunc(editions, func(edition newsletter.Edition) bool { return edition.ID == id })
		for key := range e.inFlight {
			carried = carried || key.EditionID == id
		}
		if !carried {
			delete(e.editions, id)
			delete(e.sweeps, id)
		}
	}
}

// move counts a delivery that went to another state. Waiting, deferred and sending are one
// in the identity, and are counted as waiting. The caller holds the lock.
func (p *progress) move(to newsletter.State) {
	switch to {
	case newsletter.Accepted, newsletter.Refused, newsletter.Expired, newsletter.Withheld:
	case newsletter.Waiting, newsletter.Sending, newsletter.Deferred, newsletter.InDoubt:
		return // one that is in doubt is most often deferred; the ledger has it exactly
	}
	for _, from := range []newsletter.State{newsletter.Waiting, newsletter.Deferred, newsletter.Sending} {
		if p.tally.Counts[from] > 0 {
			p.tally.Counts[from]--
			p.tally.Counts[to]++
			return
		}
	}
}

// noteResult takes note of a message's outcome.
func (e *Engine) noteResult(r newsletter.DeliveryResult, o mail.Outcome) {
	now := e.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	switch r.State {
	case newsletter.Accepted:
		e.relayErr = nil
		e.lastOK = now
	case newsletter.Refused, newsletter.Deferred:
		if r.Code != 0 {
			e.lastOK = now
		}
	case newsletter.Waiting, newsletter.Sending, newsletter.InDoubt, newsletter.Expired, newsletter.Withheld:
	}
	if o.Err != nil && o.Fault != mail.FaultMessage {
		e.relayErr = o.Err
	}
	p := e.editions[r.EditionID]
	if p == nil {
		return
	}
	p.move(r.State)
	if r.State == newsletter.Refused {
		p.refused++
		p.refusal = refusalOf(r.Outcome)
	}
	if r.State != newsletter.Accepted {
		p.count(r.Outcome)
	}
}

// maxCodes is how many different answers are counted apart.
const maxCodes = 50

// count counts an answer other than an acceptance.
func (p *progress) count(o newsletter.Outcome) {
	name := codeName(o)
	if _, known := p.codes[name]; !known && len(p.codes) >= maxCodes {
		name = "other"
	}
	p.codes[name]++
}

// codeName is how an answer is counted: "550 5.1.1", or the state where there was none.
func codeName(o newsletter.Outcome) string {
	switch {
	case o.Code == 0:
		return "no answer, " + strings.ReplaceAll(o.State.String(), "_", " ")
	case o.Enhanced == "":
		return fmt.Sprint(o.Code)
	}
	return fmt.Sprintf("%d %s", o.Code, o.Enhanced)
}

// notBegun takes note of a delivery that must not be sent, or not now.
func (e *Engine) notBegun(key newsletter.DeliveryKey, r newsletter.StepResult) {
	e.drop(key)
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.State == newsletter.Waiting {
		e.sweepAgain(key.EditionID)
	}
	if r.Withdrawn {
		e.withdrawn[key.EditionID] = true
	}
	if p := e.editions[key.EditionID]; p != nil {
		p.move(r.State)
		p.stopped = p.stopped || r.Stopped
	}
}

// isStopped reports whether the row's edition was stopped after the row was handed out, and
// gives it back then.
func (e *Engine) isStopped(row pending) bool {
	e.mu.Lock()
	p := e.editions[row.EditionID]
	stopped := p != nil && p.stopped
	e.mu.Unlock()
	if stopped {
		e.giveBack(row.key())
	}
	return stopped
}

// Pulse returns how the edition does, as far as this run knows; false if it does not carry it.
func (e *Engine) Pulse(edition int64) (newsletter.Pulse, bool) {
	connections := e.relays.inUse()
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.editions[edition]
	if p == nil {
		return newsletter.Pulse{}, false
	}
	pulse := newsletter.Pulse{
		EditionID: edition, At: e.Now(), Connections: connections,
		Rate:  float64(p.tally.Counts[newsletter.Accepted]-p.rates[0]) / (rateSpan * e.Idle.Seconds()),
		Codes: maps.Clone(p.codes), Tally: p.tally,
	}
	if e.relayErr != nil {
		pulse.Relay = e.relayErr.Error()
	}
	pulse.Tally.Counts, pulse.Tally.Reasons = maps.Clone(p.tally.Counts), maps.Clone(p.tally.Reasons)
	return pulse, true
}

// beat tells everybody who watches how the editions do, until ctx ends.
func (e *Engine) beat(ctx context.Context) {
	tick := time.NewTicker(e.Idle)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		e.mu.Lock()
		ids := make([]int64, 0, len(e.editions))
		for id, p := range e.editions {
			copy(p.rates[:], p.rates[1:])
			p.rates[rateSpan-1] = p.tally.Counts[newsletter.Accepted]
			ids = append(ids, id)
		}
		e.mu.Unlock()
		for _, id := range ids {
			// What goes wrong with the database goes wrong with the next message too, which says so.
			if err := e.checkBrakes(ctx, id); err != nil && ctx.Err() == nil {
				e.Logger.Debug("whether readers complain about an edition is not known", "edition", id, "error", err)
			}
			pulse, ok := e.Pulse(id)
			if !ok {
				continue
			}
			if next, err := e.Ledger.NextTry(ctx, id); err == nil {
				pulse.NextTry = next
			}
			if err := e.Ledger.SavePulse(ctx, pulse); err != nil && ctx.Err() == nil {
				e.Logger.Debug("the pulse of an edition is not saved", "edition", id, "error", err)
			}
		}
	}
}
