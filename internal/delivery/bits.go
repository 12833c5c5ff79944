package delivery

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// bitset is a set of small numbers, those of an edition's candidates first of all.
type bitset []uint64

func words(n int) int { return (n + 63) / 64 }

func (b bitset) add(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

// each calls f with every number in the set.
func (b bitset) each(f func(i int)) {
	for w, word := range b {
		for ; word != 0; word &= word - 1 {
			f(64*w + bits.TrailingZeros64(word))
		}
	}
}

// appendTo appends what tells the set apart from others: its words that are not empty, with their
// places, and an end.
func (b bitset) appendTo(key []byte) []byte {
	for w, word := range b {
		if word != 0 {
			key = binary.LittleEndian.AppendUint16(key, uint16(w+1)) //nolint:gosec // there are not so many candidates
			key = binary.LittleEndian.AppendUint64(key, word)
		}
	}
	return append(key, 0, 0)
}

// part is a word of a set, for sets with few of them.
type part struct {
	at   int
	bits uint64
}

// parts returns the set of these numbers.
func parts(numbers []int) []part {
	var list []part
	for _, n := range slices.Sorted(slices.Values(numbers)) {
		if len(list) == 0 || list[len(list)-1].at != n/64 {
			list = append(list, part{at: n / 64})
		}
		list[len(list)-1].bits |= 1 << (n % 64)
	}
	return list
}

// pasts is all of some readers' past that matters for an edition.
type pasts struct {
	words   int
	had     bitset  // each reader's: the candidates that a delivery holds, and what they know of corrections
	here    bitset  // those among them by an edition like this one, where it matters
	lastGot []int64 // see gift; 0: nothing
}

// reset makes it that of so many readers who had nothing.
func (p *pasts) reset(readers int) {
	for _, set := range []*bitset{&p.had, &p.here} {
		*set = slices.Grow((*set)[:0], readers*p.words)[:readers*p.words]
		clear(*set)
	}
	p.lastGot = slices.Grow(p.lastGot[:0], readers)[:readers]
	clear(p.lastGot)
}

// of returns what the i-th reader had.
func (p *pasts) of(i int) (had, here bitset) {
	return p.had[i*p.words : (i+1)*p.words], p.here[i*p.words : (i+1)*p.words]
}

// give adds what the i-th reader was given. Editions are added from the newest to the oldest.
func (p *pasts) give(i int, g *gift) {
	if p.lastGot[i] == 0 {
		p.lastGot[i] = g.lastGot
	}
	for _, part := range g.parts {
		p.had[i*p.words+part.at] |= part.bits
		if g.here {
			p.here[i*p.words+part.at] |= part.bits
		}
	}
}

// gift is what a variant of a past edition adds to the past of who holds it.
type gift struct {
	had     []int  // indices of candidates, and of what is known of corrections
	parts   []part // the same
	here    bool   // by an edition like this one, and that matters
	lastGot int64  // a time that newsletter.Reader.LookBackFrom cannot tell from when it was got, in Unix milliseconds
	// unsettled is what it gives while its message may not have arrived: nobody is told of the
	// correction of what they never had. nil: the same.
	unsettled *gift
	noNews    bool // it tells of a correction, and has no article
}
