package desk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// Status is how things stand: what is due, what is under way, and what is wrong.
type Status struct {
	Slots    []SlotStatus
	Editions []EditionStatus // the last of each newsletter and cadence, and all that are not finished
	Mails    int             // transactional mails that wait
	Oldest   time.Time       // since when the oldest of them waits
	SignUps  int             // in the last hour
	Sources  []newsletter.Source
	Sender   newsletter.SenderHolder // who has the sender role
	Sends    bool                    // whether anybody has it
	Problems []string                // what is late or failing, in words for an operator
}

// SlotStatus is when a schedule is due next.
type SlotStatus struct {
	Newsletter newsletter.Newsletter
	Schedule   newsletter.Schedule
	Next       newsletter.Due // zero: it is sent by hand, or the newsletter does not run
}

// EditionStatus is an edition with its ledger.
type EditionStatus struct {
	newsletter.Edition
	Tally newsletter.Tally
}

// StatusStore is what Status needs beside the catalogue and the editions.
type StatusStore interface {
	MailQueue(ctx context.Context) (waiting int, oldest time.Time, err error)
	Sender() (newsletter.SenderHolder, bool, error)
	SignUpRate(ctx context.Context, now time.Time) (int, error)
}

// SignUpAlarm is how many sign-ups in an hour, by everybody, staff must know of: a form that
// is abused mails strangers (S28).
const SignUpAlarm = 2000

// The times after which something counts as late.
const (
	slotLate     = 5 * time.Minute  // a slot that nobody built
	mailLate     = 10 * time.Minute // a transactional mail that waits
	editionLate  = time.Hour        // an edition that is not carried out
	recentMissed = 24 * time.Hour   // a missed slot is shown for so long
	// failuresShown is how many failures in a row make a source a problem: one may be chance.
	failuresShown = 3
)

// Status returns how things stand. What is wrong is in Problems, not in the error.
func (d *Desk) Status(ctx context.Context, store StatusStore) (Status, error) {
	var s Status
	newsletters, err := d.Newsletters(ctx)
	if err != nil {
		return s, err
	}
	if s.Sender, s.Sends, err = store.Sender(); err != nil {
		return s, err
	}
	for _, n := range newsletters {
		if err := d.slotStatus(ctx, &s, n); err != nil {
			return s, err
		}
		if err := d.editionStatus(ctx, &s, n); err != nil {
			return s, err
		}
	}
	if s.Mails, s.Oldest, err = store.MailQueue(ctx); err != nil {
		return s, err
	}
	if s.Mails > 0 && d.now().Sub(s.Oldest) > mailLate {
		s.problem("%d confirmation mails wait, the oldest since %s", s.Mails, s.Oldest.UTC().Format(time.RFC3339))
	}
	if s.SignUps, err = store.SignUpRate(ctx, d.now()); err != nil {
		return s, err
	}
	if s.SignUps > SignUpAlarm {
		s.problem("%d sign-ups came in the last hour: somebody may be abusing the form to mail strangers", s.SignUps)
	}
	if s.Sources, err = d.Sources(ctx, ""); err != nil {
		return s, err
	}
	for _, src := range s.Sources {
		if src.Failures >= failuresShown && len(src.Newsletters) > 0 {
			s.problem("the source %s fails, %d times in a row: %s", src.Name, src.Failures, src.LastError)
		}
	}
	return s, nil
}

func (s *Status) problem(format string, args ...any) {
	s.Problems = append(s.Problems, fmt.Sprintf(format, args...))
}

func (d *Desk) slotStatus(ctx context.Context, s *Status, n newsletter.Newsletter) error {
	zone, err := n.Location()
	if err != nil {
		return err
	}
	now := d.now()
	next, err := d.NextSlots(ctx, n)
	if err != nil {
		return err
	}
	for i, schedule := range n.Schedules {
		s.Slots = append(s.Slots, SlotStatus{Newsletter: n, Schedule: schedule, Next: next[i]})
		if n.Status != newsletter.Open {
			continue
		}
		late := 0
		var last newsletter.Due
		for _, due := range schedule.DueSlots(now, zone) {
			if now.Sub(due.At) < slotLate {
				continue
			}
			taken, err := d.store.SlotTaken(ctx, newsletter.SlotKey{NewsletterID: n.ID, Cadence: schedule.Cadence, Date: due.Date, Slot: schedule.Slot})
			if err != nil {
				return err
			}
			if !taken {
				late++
				last = due
			}
		}
		if late > 0 {
			s.problem("the %s edition of %s was due at %s and is not built (%d slots in all); does \"broadsheet serve\" run?",
				schedule.Cadence, n.Slug, last.At.In(zone).Format("Mon 2 Jan 15:04 MST"), late)
		}
	}
	return nil
}

// statusEditions is how many of a newsletter's last editions are looked at.
const statusEditions = 20

func (d *Desk) editionStatus(ctx context.Context, s *Status, n newsletter.Newsletter) error {
	list, err := d.o.Press.Store.Editions(ctx, newsletter.EditionFilter{NewsletterID: n.ID, Limit: statusEditions})
	if err != nil {
		return err
	}
	open, err := d.o.Press.Store.UnfinishedEditions(ctx, n.ID)
	if err != nil {
		return err
	}
	for _, e := range open { // also those that are older than the last ones
		if !slices.ContainsFunc(list, func(l newsletter.Edition) bool { return l.ID == e.ID }) {
			list = append(list, e)
		}
	}
	shown := map[newsletter.Cadence]bool{}
	now := d.now()
	for _, e := range list {
		unfinished := e.State.Open() || e.State == newsletter.EditionPaused
		if e.State == newsletter.EditionSkipped && e.Reason == newsletter.SkippedMissed && now.Sub(e.DueAt) < recentMissed {
			s.problem("the %s edition of %s of %s was missed: it was not built in time; \"broadsheet send %s\" sends what is owed",
				e.Cadence, n.Slug, e.Date, n.Slug)
		}
		if shown[e.Cadence] && !unfinished || e.State == newsletter.EditionSkipped {
			continue
		}
		shown[e.Cadence] = true
		tally, err := d.o.Press.Store.Tally(ctx, e.ID)
		if err != nil {
			return err
		}
		s.Editions = append(s.Editions, EditionStatus{e, tally})
		if err := tally.Check(); err != nil {
			s.problem("edition %d: %v", e.ID, err)
		}
		if n := tally.Counts[newsletter.Expired]; n > 0 {
			s.problem("edition %d of %s was not delivered in time to %d readers; what it had for them is owed to them again", e.ID, e.Newsletter, n)
		}
		if n := tally.Counts[newsletter.InDoubt]; n > 0 {
			s.problem("edition %d of %s has %d in doubt that are not sent again; \"broadsheet edition deliveries %d --state in_doubt\" lists them", e.ID, e.Newsletter, n, e.ID)
		}
		if refused := tally.Counts[newsletter.Refused]; refused > 0 && tally.Counts[newsletter.Accepted] == 0 && !unfinished {
			s.problem("edition %d of %s was refused for all %d readers; \"broadsheet edition deliveries %d --state refused\" has the relay's words", e.ID, e.Newsletter, refused, e.ID)
		}
		switch {
		case e.State == newsletter.EditionPaused:
			s.problem("edition %d of %s is paused with %d waiting: %s; \"broadsheet send --edition %d\" goes on", e.ID, n.Slug, tally.WaitingCount(), e.Reason, e.ID)
		case unfinished && !s.Sends:
			s.problem("edition %d of %s has %d waiting and nobody sends; start \"broadsheet serve\", or \"broadsheet send --edition %d\"", e.ID, n.Slug, tally.WaitingCount(), e.ID)
		case unfinished && now.Sub(e.CreatedAt) > editionLate:
			s.problem("edition %d of %s has been under way since %s and has %d waiting", e.ID, n.Slug, e.CreatedAt.UTC().Format(time.RFC3339), tally.WaitingCount())
		}
	}
	return nil
}
