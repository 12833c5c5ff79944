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
	// Sent counts the digests by what became of them.
	Sent  map[newsletter.State]int
	First newsletter.PersonDelivery // that was accepted
	Last  newsletter.PersonDelivery
}

// consentKinds are the events that say that somebody agreed.
func consentKinds() []newsletter.EventKind {
	return []newsletter.EventKind{
		newsletter.EventRequested, newsletter.EventConfirmed, newsletter.EventAdded, newsletter.EventImported,
	}
}

// Proof returns the proof of consent of somebody, by address or number. The errors are those
// of Record.
func (s *Service) Proof(ctx context.Context, emailOrID string) (*Proof, error) {
	r, err := s.Record(ctx, emailOrID)
	if err != nil {
		return nil, err
	}
	p := &Proof{Record: r, Sent: map[newsletter.State]int{}}
	for _, e := range r.Events {
		if slices.Contains(consentKinds(), e.Kind) {
			p.Consents = append(p.Consents, e)
		} else {
			p.Changes = append(p.Changes, e)
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
