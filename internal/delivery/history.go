package delivery

import "time"

// historyID names a history. The zero one is that of who got nothing.
type historyID int32

// history is all of a reader's past that matters for an edition.
type history struct {
	had     string    // the candidates that a delivery holds for the reader, and what they know of corrections: a bit each
	here    string    // those among them by an edition like this one; empty: it does not matter
	lastGot time.Time // see gift
}

// gift is what a variant of a past edition adds to the history of who holds it.
type gift struct {
	had     []int // indices of candidates, and of what is known of corrections
	here    bool  // by an edition like this one, and that matters
	lastGot time.Time
	// unsettled is what it gives while its message may not have arrived: nobody is told of the
	// correction of what they never had. nil: the same.
	unsettled *gift
	noNews    bool // it tells of a correction, and has no article
}

// histories numbers the histories that readers have. Among a million readers there are few
// different ones, so adding to one is a look-up.
type histories struct {
	candidates int
	list       []history
	ids        map[history]historyID
	steps      map[historyStep]historyID
	recent     [256]struct { // the last steps, which are nearly always the next ones
		historyStep
		to historyID
	}
}

type historyStep struct {
	from    historyID
	variant int64
}

func newHistories(candidates int) *histories {
	h := &histories{candidates: candidates}
	h.forget()
	return h
}

// forget starts anew: no historyID means anything any more but the zero one.
func (h *histories) forget() {
	nothing := history{had: string(make([]byte, (h.candidates+7)/8))}
	h.list = []history{nothing}
	h.ids = map[history]historyID{nothing: 0}
	h.steps = map[historyStep]historyID{}
	clear(h.recent[:])
}

// add returns the history of who had one and holds this variant too, which gives so much.
// Editions are added from the newest to the oldest.
func (h *histories) add(from historyID, variant int64, g *gift) historyID {
	step := historyStep{from, variant}
	recent := &h.recent[(uint64(from)*31+uint64(variant))%uint64(len(h.recent))]
	if recent.historyStep == step { // no variant has the number 0
		return recent.to
	}
	to, ok := h.steps[step]
	if !ok {
		to = h.id(h.list[from].with(g))
		h.steps[step] = to
	}
	recent.historyStep, recent.to = step, to
	return to
}

func (h *histories) id(of history) historyID {
	id, ok := h.ids[of]
	if !ok {
		id = historyID(len(h.list))
		h.ids[of] = id
		h.list = append(h.list, of)
	}
	return id
}

func (h history) with(g *gift) history {
	if h.lastGot.IsZero() {
		h.lastGot = g.lastGot
	}
	h.had = withBits(h.had, len(h.had), g.had)
	if g.here {
		h.here = withBits(h.here, len(h.had), g.had)
	}
	return h
}

// withBits returns a set of so many bytes with more indices in it.
func withBits(set string, size int, indices []int) string {
	if len(indices) == 0 {
		return set
	}
	bits := make([]byte, size)
	copy(bits, set)
	for _, i := range indices {
		bits[i/8] |= 1 << (i % 8)
	}
	return string(bits)
}

// holds reports whether a delivery holds the candidate of that index.
func (h history) holds(i int) bool { return h.had[i/8]&(1<<(i%8)) != 0 }

// holdsHere reports whether a delivery of an edition like this one does.
func (h history) holdsHere(i int) bool { return h.here != "" && h.here[i/8]&(1<<(i%8)) != 0 }
