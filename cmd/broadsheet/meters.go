package main

import (
	"context"
	"sync"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
	"broadsheet/internal/web"
)

// readersAge is how old the numbers of readers may be: to count goes through all of them.
// Where that takes long it is done even less often, for at most a fiftieth of the time.
const (
	readersAge   = time.Minute
	readersShare = 50
)

// meters find out the numbers that /metrics shows.
type meters struct {
	*services
	alarms func() []newsletter.RaisedAlarm

	mu        sync.Mutex
	readers   []web.ReadersReading
	countedAt time.Time
	took      time.Duration
}

// read returns how the service does now. It counts no ledger that somebody is carrying.
func (m *meters) read(ctx context.Context) (web.Reading, error) {
	status, err := m.desk.QuickStatus(ctx, m.store)
	if err != nil {
		return web.Reading{}, err
	}
	r := web.Reading{
		Alarms: map[newsletter.AlarmKind]int{}, SlotsLate: status.Late, SignUps: status.SignUps.All,
		Mails: status.Mails, Sources: len(status.Sources),
	}
	if status.Mails > 0 {
		r.MailsAge = m.app.now().Sub(status.Oldest)
	}
	for _, a := range m.alarms() {
		r.Alarms[a.Kind]++
	}
	for _, src := range status.Sources {
		if src.Failures > 0 {
			r.Failing++
		}
	}
	for _, s := range status.Slots {
		if at := s.Next.At; !at.IsZero() && (r.NextSlot.IsZero() || at.Before(r.NextSlot)) {
			r.NextSlot = at
		}
	}
	readEditions(&r, status.Editions)
	if r.Returned, err = m.store.ReturnCounts(ctx); err != nil {
		return r, err
	}
	if r.LastHandled, err = m.desk.LastHandled(ctx, m.store); err != nil {
		return r, err
	}
	if r.Database, r.DiskFree, err = m.store.Disk(); err != nil {
		return r, err
	}
	r.Readers, err = m.countReaders(context.WithoutCancel(ctx)) // once it is counted, it is there for the next scrape
	return r, err
}

func readEditions(r *web.Reading, list []desk.EditionStatus) {
	type kind struct {
		newsletter string
		cadence    newsletter.Cadence
		slot       string
	}
	last := map[kind]desk.EditionStatus{}
	for _, e := range list {
		k := kind{e.Newsletter, e.Cadence, e.Audience()}
		if known, ok := last[k]; !ok || known.ID < e.ID {
			last[k] = e
		}
		if e.Unfinished() {
			r.Waiting += e.Tally.WaitingCount()
		}
		r.Rate += e.Pulse.Rate
		r.Connections = max(r.Connections, e.Pulse.Connections) // each pulse has all of its sender's
	}
	for k, e := range last {
		r.Editions = append(r.Editions, web.EditionReading{Newsletter: k.newsletter, Cadence: k.cadence, Slot: k.slot, Counts: e.Tally.Counts})
	}
}

func (m *meters) countReaders(ctx context.Context) ([]web.ReadersReading, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	age := m.app.now().Sub(m.countedAt)
	if age >= 0 && age < max(readersAge, readersShare*m.took) {
		return m.readers, nil
	}
	begin := m.app.now()
	newsletters, err := m.store.Newsletters(ctx)
	if err != nil {
		return nil, err
	}
	var list []web.ReadersReading
	for _, n := range newsletters {
		counts, err := m.store.ReaderCounts(ctx, n.ID)
		if err != nil {
			return nil, err
		}
		list = append(list, web.ReadersReading{Newsletter: n.Slug, Counts: counts})
	}
	m.readers, m.countedAt, m.took = list, m.app.now(), m.app.now().Sub(begin)
	return list, nil
}
