package desk

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// Status is how things stand: what is due, what is under way, and what is wrong.
type Status struct {
	Slots    []SlotStatus
	Editions []EditionStatus // the last of each newsletter and slot, and all that are not finished
	Mails    int             // transactional mails that wait
	Oldest   time.Time       // since when the oldest of them waits
	SignUps  newsletter.SignUpRates
	Sources  []newsletter.Source
	Sender   newsletter.SenderHolder // who has the sender role
	Sends    bool                    // whether anybody has it
	Late     int                     // slots that are due and not built
	Problems []newsletter.Alarm      // what is late or failing
	// Approvals are drafts that wait for staff, the first deadline first.
	Approvals []newsletter.WaitingApproval
}

// SlotStatus is when a schedule is due next, and what became of its last slot.
type SlotStatus struct {
	Newsletter newsletter.Newsletter
	Schedule   newsletter.Schedule
	Next       newsletter.Due     // zero: it is sent by hand, or the newsletter does not run
	Last       newsletter.Edition // for its readers, those that were skipped included; zero: none yet
}

// EditionStatus is an edition with its ledger.
type EditionStatus struct {
	newsletter.Edition
	Tally newsletter.Tally
	Pulse newsletter.Pulse // zero: nobody carries it just now
	// GoesOn is when it goes on, its warm-up being through with what it allows today; zero:
	// it need not wait.
	GoesOn time.Time
	// Canary is how far its canary is; nil: it has none, or that is over.
	Canary *newsletter.CanaryRun
}

// Unfinished reports whether the edition is still to be carried out.
func (e EditionStatus) Unfinished() bool {
	return e.State.Open() || e.State == newsletter.EditionPaused
}

// StatusStore is what Status needs beside the catalogue and the editions.
type StatusStore interface {
	MailQueue(ctx context.Context) (waiting int, oldest time.Time, err error)
	Sender() (newsletter.SenderHolder, bool, error)
	// SignUpRates returns how many sign-ups there were in the last hour, and from where.
	SignUpRates(ctx context.Context, now time.Time) (newsletter.SignUpRates, error)
	Pulse(ctx context.Context, editionID int64) (newsletter.Pulse, bool, error)
	Progress(ctx context.Context, editionID int64) (accepted int, changed time.Time, err error)
	NextTry(ctx context.Context, editionID int64) (time.Time, error)
	CameBack(ctx context.Context, editionID int64) (bounced, complaints int, err error)
	// LastMoved returns when the edition was last paused; zero if it never was.
	LastMoved(ctx context.Context, editionID int64) (time.Time, error)
	// BegunOn returns how many messages of an edition with a warm-up were begun that day.
	BegunOn(ctx context.Context, editionID int64, day time.Time) (int, error)
}

// Status returns how things stand. What is wrong is in Problems, not in the error.
func (d *Desk) Status(ctx context.Context, store StatusStore) (Status, error) {
	return d.status(ctx, store, func(ctx context.Context, e EditionStatus) (newsletter.Tally, error) {
		return d.tally(ctx, e.ID)
	})
}

// QuickStatus is Status for who asks all the time: an edition that is being sent is as its
// sender says, and one that is not was counted within the last minutes.
func (d *Desk) QuickStatus(ctx context.Context, store StatusStore) (Status, error) {
	return d.status(ctx, store, d.lateTally)
}

// counter counts an edition's ledger.
type counter func(context.Context, EditionStatus) (newsletter.Tally, error)

// tallyAge is how old the count of an edition that nobody carries may be. To count goes
// through every row.
const tallyAge = 5 * time.Minute

// counted is an edition's tally, when it was counted, and of which end of it.
type counted struct {
	tally    newsletter.Tally
	at       time.Time
	state    newsletter.EditionState
	finished time.Time
}

func (d *Desk) lateTally(ctx context.Context, e EditionStatus) (newsletter.Tally, error) {
	if e.Pulse.EditionID == e.ID {
		return e.Pulse.Tally, nil
	}
	d.mu.Lock()
	known, ok := d.tallies[e.ID]
	d.mu.Unlock()
	age := d.now().Sub(known.at)
	if ok && !e.State.Open() && known.state == e.State && known.finished.Equal(e.FinishedAt) && age >= 0 && age < tallyAge {
		return known.tally, nil
	}
	tally, err := d.tally(ctx, e.ID)
	if err != nil {
		return tally, err
	}
	d.keepTally(e.ID, counted{tally, d.now(), e.State, e.FinishedAt})
	return tally, nil
}

// openTallyAge is how old the count of an edition may be that is open and gets nowhere.
const openTallyAge = time.Minute

// openTally counts an edition that is open, as its pulse cannot: that does not tell waiting
// from deferred.
func (d *Desk) openTally(ctx context.Context, id int64) (newsletter.Tally, error) {
	d.mu.Lock()
	known, ok := d.tallies[id]
	d.mu.Unlock()
	if age := d.now().Sub(known.at); ok && known.state.Open() && age >= 0 && age < openTallyAge {
		return known.tally, nil
	}
	tally, err := d.o.Press.Store.Tally(ctx, id)
	if err == nil {
		d.keepTally(id, counted{tally: tally, at: d.now(), state: newsletter.EditionSending})
	}
	return tally, err
}

// keepTally keeps a count, and drops those that are too old to be of use.
func (d *Desk) keepTally(id int64, c counted) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, old := range d.tallies {
		if d.now().Sub(old.at) > tallyAge {
			delete(d.tallies, id)
		}
	}
	d.tallies[id] = c
}

func (d *Desk) status(ctx context.Context, store StatusStore, count counter) (Status, error) {
	var s Status
	newsletters, err := d.Newsletters(ctx)
	if err != nil {
		return s, err
	}
	if s.Sender, s.Sends, err = store.Sender(); err != nil {
		return s, err
	}
	if s.Sources, err = d.Sources(ctx, ""); err != nil {
		return s, err
	}
	for _, n := range newsletters {
		list, err := d.lastEditions(ctx, n)
		if err != nil {
			return s, err
		}
		if err := d.slotStatus(ctx, &s, n, list); err != nil {
			return s, err
		}
		if n.Status == newsletter.Open {
			if err := d.judgeSponsors(ctx, &s, n); err != nil {
				return s, err
			}
		}
		if err := d.editionStatus(ctx, &s, store, list, count); err != nil {
			return s, err
		}
	}
	if s.Mails, s.Oldest, err = store.MailQueue(ctx); err != nil {
		return s, err
	}
	if s.SignUps, err = store.SignUpRates(ctx, d.now()); err != nil {
		return s, err
	}
	s.judgeMails(d.now())
	s.judgeSignUps(d.o.SignUps)
	s.judgeSources()
	err = d.judgeApprovals(ctx, &s)
	return s, err
}

// statusEditions is how many of a newsletter's last editions are looked at.
const statusEditions = 20

// lastEditions returns the newsletter's last editions, the newest first, and those before
// them that are not finished.
func (d *Desk) lastEditions(ctx context.Context, n newsletter.Newsletter) ([]newsletter.Edition, error) {
	list, err := d.o.Press.Store.Editions(ctx, newsletter.EditionFilter{NewsletterID: n.ID, Limit: statusEditions})
	if err != nil {
		return nil, err
	}
	if n.Offers(newsletter.Immediate) { // of which a day has many
		for _, c := range n.Cadences() {
			more, err := d.o.Press.Store.Editions(ctx, newsletter.EditionFilter{NewsletterID: n.ID, Cadence: c, Limit: statusEditions})
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		}
		slices.SortFunc(list, func(a, b newsletter.Edition) int { return cmp.Compare(b.ID, a.ID) })
		list = slices.CompactFunc(list, func(a, b newsletter.Edition) bool { return a.ID == b.ID })
	}
	list = slices.DeleteFunc(list, newsletter.Edition.WasDraft)
	open, err := d.o.Press.Store.UnfinishedEditions(ctx, n.ID)
	for _, e := range open {
		if !slices.ContainsFunc(list, func(l newsletter.Edition) bool { return l.ID == e.ID }) {
			list = append(list, e)
		}
	}
	return list, err
}

func (d *Desk) slotStatus(ctx context.Context, s *Status, n newsletter.Newsletter, last []newsletter.Edition) error {
	next, err := d.NextSlots(ctx, n)
	if err != nil {
		return err
	}
	if err := n.MayMail(d.o.BaseURL); err != nil && n.Status == newsletter.Open {
		s.problem(newsletter.Alarm{
			Kind: newsletter.AlarmLegal, Subject: n.Slug,
			What: fmt.Sprintf("nothing of %s is sent, and nobody can sign up for it: it does not say who publishes it, or what becomes of readers' data", n.Slug),
			Do:   fmt.Sprintf("broadsheet newsletter edit %s --privacy-url https://… --legal-footer \"Registered in …\"", n.Slug),
		})
	}
	for i, schedule := range n.Schedules {
		slot := SlotStatus{Newsletter: n, Schedule: schedule, Next: next[i]}
		for _, e := range last { // one that is skipped ahead of its time is not the last one
			if e.Cadence == schedule.Cadence && e.Audience() == schedule.Slot && !e.DueAt.After(d.now()) {
				slot.Last = e
				break
			}
		}
		s.Slots = append(s.Slots, slot)
		if n.Status != newsletter.Open {
			continue
		}
		if err := d.judgeSlot(ctx, s, n, schedule); err != nil {
			return err
		}
	}
	return nil
}

// goesOn returns when an edition that has had its warm-up's share of the day goes on; zero if
// it need not wait.
func (d *Desk) goesOn(ctx context.Context, store StatusStore, e newsletter.Edition) (time.Time, error) {
	if e.WarmUp.PerDay == 0 || !e.State.Open() {
		return time.Time{}, nil
	}
	now := d.now()
	begun, err := store.BegunOn(ctx, e.ID, now)
	if err != nil || begun < e.WarmUp.Allowance(e.WarmUp.Day(e.StartedAt, now)) {
		return time.Time{}, err
	}
	return e.WarmUp.NextDay(now), nil
}

func (d *Desk) editionStatus(ctx context.Context, s *Status, store StatusStore, list []newsletter.Edition, count counter) error {
	shown := map[string]bool{}
	passed := map[string]bool{} // a later edition for the same readers was built, or had nothing to send
	for _, e := range list {
		status := EditionStatus{Edition: e}
		if e.State == newsletter.EditionDraft { // that staff are to approve
			continue
		}
		if e.State == newsletter.EditionSkipped || e.Reason == newsletter.ReasonNotApproved {
			if !passed[e.Name()] {
				if err := d.judgeSkipped(ctx, s, e); err != nil {
					return err
				}
			}
			passed[e.Name()] = passed[e.Name()] || !e.Failed() && !e.DueAt.After(d.now())
			continue
		}
		passed[e.Name()] = true
		older := shown[e.Name()] && !status.Unfinished()
		shown[e.Name()] = true
		pulse, ok, err := store.Pulse(ctx, e.ID)
		if err != nil {
			return err
		}
		if ok && e.State.Open() && pulse.Fresh(d.now()) {
			status.Pulse = pulse
		}
		if status.Tally, err = count(ctx, status); err != nil {
			return err
		}
		if status.GoesOn, err = d.goesOn(ctx, store, e); err != nil {
			return err
		}
		if c, ok, err := d.o.Press.Store.Canary(ctx, e.ID); err != nil {
			return err
		} else if ok && e.State.Open() && c.OverAt.IsZero() {
			status.Canary = &c
		}
		if older { // only what stays wrong until somebody settles it
			s.judgeLedger(status)
			continue
		}
		s.Editions = append(s.Editions, status)
		if err := d.judgeEdition(ctx, s, store, status); err != nil {
			return err
		}
	}
	return nil
}
