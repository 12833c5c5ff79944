package store

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"broadsheet/internal/newsletter"
)

// offered is what can be subscribed to, as it was at some time. Nobody may change it.
type offered struct {
	version  int64 // the last desk event before it was read
	list     []newsletter.Newsletter
	sections map[int64][]newsletter.Section // by newsletter
}

// offer keeps it in memory, since every page and every sign-up asks for it. What it answers is never
// stale: whoever changes a newsletter or a section leaves a desk event in the same transaction, and
// the number of the last event says whether what is kept still holds. Those who ask while somebody
// looks are answered together by the next look.
type offer struct {
	mu      sync.Mutex
	kept    *offered // whoever looks may read and set it
	looking bool
	next    *look // that begins when the one under way has ended; nil: nobody waits
}

// look is one look whether what is kept still holds.
type look struct {
	done  chan struct{}
	found *offered
	err   error
}

// offered returns what can be subscribed to now.
func (s *Store) offered(ctx context.Context) (*offered, error) {
	o := &s.offer
	o.mu.Lock()
	if !o.looking {
		o.looking = true
		o.mu.Unlock()
		return s.look()
	}
	if o.next == nil {
		o.next = &look{done: make(chan struct{})}
	}
	l := o.next
	o.mu.Unlock()
	select {
	case <-l.done:
		return l.found, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// look looks, and has another look for those who have come since it began.
func (s *Store) look() (*offered, error) {
	found, err := s.lookOnce(context.Background())
	o := &s.offer
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.next
	o.next = nil
	if o.looking = l != nil; o.looking {
		go func() {
			l.found, l.err = s.look()
			close(l.done)
		}()
	}
	return found, err
}

// lookOnce is for one at a time.
func (s *Store) lookOnce(ctx context.Context) (*offered, error) {
	q := s.read(ctx)
	var version int64
	if err := q.row(`SELECT COALESCE(MAX(id), 0) FROM desk_events`).Scan(&version); err != nil {
		return nil, err
	}
	if kept := s.offer.kept; kept != nil && kept.version == version {
		return kept, nil
	}
	o := &offered{version: version, sections: map[int64][]newsletter.Section{}}
	var err error
	if o.list, err = newsletters(q); err != nil {
		return nil, err
	}
	for _, n := range o.list {
		if o.sections[n.ID], err = sections(q, n.ID); err != nil {
			return nil, fmt.Errorf("sections of newsletter %d: %w", n.ID, err)
		}
	}
	s.offer.kept = o
	return o, nil
}

// Newsletters returns all newsletters with their schedules, in order of their slugs.
func (s *Store) Newsletters(ctx context.Context) ([]newsletter.Newsletter, error) {
	o, err := s.offered(ctx)
	if err != nil {
		return nil, fmt.Errorf("newsletters: %w", err)
	}
	list := slices.Clone(o.list)
	for i := range list {
		list[i].Schedules = slices.Clone(list[i].Schedules)
	}
	return list, nil
}

// Sections returns the sections of a newsletter, without those that were removed, in their order.
func (s *Store) Sections(ctx context.Context, newsletterID int64) ([]newsletter.Section, error) {
	o, err := s.offered(ctx)
	if err != nil {
		return nil, fmt.Errorf("sections of newsletter %d: %w", newsletterID, err)
	}
	return slices.Clone(o.sections[newsletterID]), nil
}
