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
// the number of the last event says whether what is kept still holds.
type offer struct {
	mu   sync.Mutex
	kept *offered
}

// offered returns what can be subscribed to now.
func (s *Store) offered(ctx context.Context) (*offered, error) {
	q := s.read(ctx)
	var version int64
	if err := q.row(`SELECT COALESCE(MAX(id), 0) FROM desk_events`).Scan(&version); err != nil {
		return nil, err
	}
	s.offer.mu.Lock()
	defer s.offer.mu.Unlock()
	if s.offer.kept != nil && s.offer.kept.version == version {
		return s.offer.kept, nil
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
