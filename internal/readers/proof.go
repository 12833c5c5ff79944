package readers

import (
	"context"
	"slices"

	"broadsheet/internal/newsletter"
)

// Proof is the proof of consent of a person on a page, for an answer to a complaint (S24).
type Proof struct {
	*Record
	// Consents are the events by which the person, or staff on their behalf, agreed.
	Consents []newsletter.Event
	// Changes are what happened otherwise: the cadence changed, who ended it and when.
	Changes []newsletter.Event
	// Shown are the words of consent that the events name, each version once; see WordsOf.
	Shown []newsletter.Words
	// Asked are the mails that asked to confirm a sign-up.
	Asked []newsletter.PersonMail
	// Sent counts the digests by what became of them.
	Sent  map[newsletter.State]int
	First newsletter.PersonDelivery // that was accepted
	Last  newsletter.PersonDelivery
}

// The most entries that a page of the proof has of a kind: the first, where it began, and the
// last. Somebody may change their mind every day for years.
const (
	proofFirst = 4
	proofLast  = 8
)

// OnPage returns what a page shows of a list, and how many entries between the first ones and
// the last ones it leaves out.
func OnPage[T any](list []T) (first, last []T, between int) {
	if len(list) <= proofFirst+proofLast {
		return list, nil, 0
	}
	return list[:proofFirst], list[len(list)-proofLast:], len(list) - proofFirst - proofLast
}

// consentKinds are the events that say that somebody agreed.
func consentKinds() []newsletter.EventKind {
	return []newsletter.EventKind{
		newsletter.EventRequested, newsletter.EventConfirmed, newsletter.EventAdded, newsletter.EventImported,
		newsletter.EventUndone,
	}
}

// Proof returns the proof of consent of somebody, by address or number. The errors are those
// of Record, and NotFound for an address that no subscriber has.
func (s *Service) Proof(ctx context.Context, emailOrID string) (*Proof, error) {
	r, err := s.Record(ctx, emailOrID)
	if err != nil {
		return nil, err
	}
	if r.Nobody() {
		return nil, newsletter.NotFoundf("no subscriber has the address %s, so there is no proof; \"broadsheet subscriber export\" has what is held about it", r.Subscriber.Email)
	}
	p := &Proof{Record: r, Sent: map[newsletter.State]int{}}
	for _, e := range r.Events {
		if slices.Contains(consentKinds(), e.Kind) {
			p.Consents = append(p.Consents, e)
		} else {
			p.Changes = append(p.Changes, e)
		}
		if e.Words != "" && p.WordsOf(e) == 0 {
			p.Shown = append(p.Shown, newsletter.Words{Version: e.WordsVersion, Text: e.Words})
		}
	}
	for _, m := range r.Mails {
		if m.Kind == newsletter.MailConfirm {
			p.Asked = append(p.Asked, m)
		}
	}
	err = r.EachDelivery(ctx, func(d newsletter.PersonDelivery) error {
		p.Sent[d.State]++
		if d.State == newsletter.Accepted {
			if p.First.EditionID == 0 {
				p.First = d
			}
			p.Last = d
		}
		return nil
	})
	return p, err
}

// WordsOf returns the number, from 1, under which Shown has the words of an event; 0 if it has
// none.
func (p *Proof) WordsOf(e newsletter.Event) int {
	return slices.Index(p.Shown, newsletter.Words{Version: e.WordsVersion, Text: e.Words}) + 1
}
