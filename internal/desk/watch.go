package desk

import (
	"context"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/newsletter"
)

// Watch tells how an edition goes, once every so often, until it has ended: as its sender
// left it, or, where no sender did lately, as the ledger has it. The error is a
// *delivery.PausedError if the edition is paused, a *delivery.UnfinishedError if nothing moved
// within wait (0: for ever), ctx's error if that ended, and that of tell, which ends it.
func (d *Desk) Watch(ctx context.Context, id int64, every, wait time.Duration, tell func(newsletter.Edition, newsletter.Pulse) error) error {
	w := &watching{desk: d, edition: id, left: -1, moved: d.now(), wait: wait}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if ended, err := w.look(ctx, tell); ended || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// watching is one call of Watch.
type watching struct {
	desk    *Desk
	edition int64
	wait    time.Duration
	left    int       // what was waiting when it last moved
	moved   time.Time // when that was
	counted newsletter.Pulse
}

// countEvery is how often an edition is counted that no sender tells of: that goes through all
// of its rows.
const countEvery = 10 * time.Second

func (w *watching) look(ctx context.Context, tell func(newsletter.Edition, newsletter.Pulse) error) (ended bool, err error) {
	d := w.desk
	e, err := d.o.Press.Store.Edition(ctx, w.edition)
	if err != nil {
		return false, err
	}
	p, err := w.pulse(ctx, e)
	if err != nil {
		return false, err
	}
	if err := tell(e, p); err != nil {
		return true, err
	}
	switch {
	case e.State == newsletter.EditionPaused:
		return true, &delivery.PausedError{Edition: e.ID, Reason: e.Reason}
	case !e.State.Open():
		return true, nil
	}
	now := d.now()
	if n := p.Tally.WaitingCount(); n != w.left {
		w.left, w.moved = n, now
	}
	if w.wait > 0 && now.Sub(w.moved) >= w.wait {
		// What a sender that died told last need not be what is on record.
		t, err := d.o.Press.Store.Balance(ctx, e.ID)
		if err != nil {
			return true, err
		}
		return true, &delivery.UnfinishedError{Edition: e.ID, Waiting: t.WaitingCount(), NextTry: p.NextTry}
	}
	return false, nil
}

// pulse returns the edition's pulse: the sender's if it is open and that is fresh, otherwise
// one without connections and rate, of the last seconds. An imbalance of the ledger is an error.
func (w *watching) pulse(ctx context.Context, e newsletter.Edition) (newsletter.Pulse, error) {
	d := w.desk
	now := d.now()
	if e.State.Open() {
		p, ok, err := d.o.Press.Store.Pulse(ctx, e.ID)
		if err != nil || ok && p.Fresh(now) {
			return p, err
		}
	}
	if age := now.Sub(w.counted.At); e.State.Open() && w.counted.EditionID == e.ID && age >= 0 && age < countEvery {
		return w.counted, nil
	}
	p := newsletter.Pulse{EditionID: e.ID, At: now}
	var err error
	if p.Tally, err = d.o.Press.Store.Balance(ctx, e.ID); err != nil {
		return p, err
	}
	p.NextTry, err = d.o.Press.Store.NextTry(ctx, e.ID)
	w.counted = p
	return p, err
}
