package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"broadsheet/internal/newsletter"
)

// When something counts as wrong.
const (
	slotLate  = 5 * time.Minute  // a slot that nobody built
	mailLate  = 10 * time.Minute // a transactional mail that waits
	quietTime = 10 * time.Minute // an edition without an acceptance, while rows are due
	// warmUpTime is the same for one that warms a relay up: it rests until the day is over.
	warmUpTime = 25 * time.Hour
	offTime    = time.Hour // an edition without an acceptance, while many rows are put off
	// offShare is how many rows are many: one in so many of those to be sent. A few readers
	// whose own provider is down are no reason for an alarm.
	offShare = 10
	// failuresShown is how many failures in a row make a source a problem: one may be chance.
	failuresShown = 3
)

func (s *Status) problem(a newsletter.Alarm) { s.Problems = append(s.Problems, a) }

// judgeSlot tells of slots of the schedule that nobody built.
func (d *Desk) judgeSlot(ctx context.Context, s *Status, n newsletter.Newsletter, schedule newsletter.Schedule) error {
	late, last, key, err := d.lateSlots(ctx, n, schedule)
	if err != nil || late == 0 {
		return err
	}
	zone, err := n.Location()
	if err != nil {
		return err
	}
	s.Late += late
	a := newsletter.Alarm{
		Kind: newsletter.AlarmLate, Subject: fmt.Sprintf("%s/%s", n.Slug, schedule.Name()), Since: last.At.In(zone),
		What: fmt.Sprintf("the %s edition of %s is due and not built", schedule.Name(), n.Slug),
		Do:   `look whether "broadsheet serve" runs, and what it logs`,
	}
	held, err := d.store.HeldSlot(ctx, key)
	if err != nil {
		return err
	}
	if held != "" {
		a.What = fmt.Sprintf("the %s edition of %s is held, and nothing is sent: %s", schedule.Name(), n.Slug, held)
		a.Do = fmt.Sprintf(`mend that, and it is built at once; or "broadsheet send %s --force" sends it as it is`, n.Slug)
	}
	if late > 1 {
		a.What += fmt.Sprintf(" (%d slots in all)", late)
	}
	for _, src := range s.Sources {
		if src.Failures > 0 && !src.LastFetchAt.Before(last.At) && slices.Contains(src.Newsletters, n.Slug) {
			a.What = fmt.Sprintf("the %s edition of %s waits: nothing is new, and the source %s does not answer", schedule.Name(), n.Slug, src.Name)
			a.Do = fmt.Sprintf(`mend the source, or "broadsheet send %s" when there is something`, n.Slug)
		}
	}
	s.problem(a)
	return nil
}

// lateSlots returns how many slots of the schedule are due and not built, and the last of them.
func (d *Desk) lateSlots(ctx context.Context, n newsletter.Newsletter, schedule newsletter.Schedule) (late int, last newsletter.Due, key newsletter.SlotKey, err error) {
	if schedule.Cadence == newsletter.Immediate {
		slot, ok, err := d.immediateSlot(ctx, n, schedule)
		if err != nil || !ok || d.now().Sub(slot.due.At) < slotLate {
			return 0, last, key, err
		}
		return 1, slot.due, slot.key, nil
	}
	zone, err := n.Location()
	if err != nil {
		return 0, last, key, err
	}
	for _, due := range schedule.DueSlots(d.now(), zone) {
		if d.now().Sub(due.At) < slotLate {
			continue
		}
		slot := newsletter.SlotKey{NewsletterID: n.ID, Cadence: schedule.Cadence, Date: due.Date, Slot: schedule.Slot}
		taken, err := d.store.SlotTaken(ctx, slot)
		if err != nil {
			return 0, last, key, err
		}
		if !taken {
			late++
			last, key = due, slot
		}
	}
	return late, last, key, nil
}

// judgeSkipped tells of a slot that passed although something was to be sent, or may have
// been, while an edition for it would still be carried out.
func (d *Desk) judgeSkipped(ctx context.Context, s *Status, e newsletter.Edition) error {
	if !e.Failed() || d.now().Sub(e.DueAt) >= e.Cadence.DeliveryTime() {
		return nil
	}
	if e.Reason == newsletter.ReasonNotApproved {
		s.judgeNotApproved(e)
		return nil
	}
	a := newsletter.Alarm{
		Kind: newsletter.AlarmMissed, Subject: fmt.Sprintf("%s/%s/%s", e.Newsletter, e.Name(), e.Date), Since: e.DueAt,
		What: fmt.Sprintf("the %s edition of %s of %s was missed: it was not built in time, and nothing was sent", e.Name(), e.Newsletter, e.Date),
		Do:   fmt.Sprintf(`"broadsheet send %s" sends what is owed`, e.Newsletter),
	}
	if e.Reason == newsletter.SkippedSourceFailed {
		a.What = fmt.Sprintf("the %s edition of %s of %s was given up: a source did not answer, and nothing was sent", e.Name(), e.Newsletter, e.Date)
		a.Do = fmt.Sprintf(`"broadsheet source list" says why; then "broadsheet send %s" sends what is owed`, e.Newsletter)
	}
	if e.Reason == newsletter.SkippedHeld {
		held, err := d.store.HeldSlot(ctx, newsletter.SlotKey{NewsletterID: e.NewsletterID, Cadence: e.Cadence, Date: e.Date, Slot: e.Slot})
		if err != nil {
			return err
		}
		a.What = fmt.Sprintf("the %s edition of %s of %s was held until it was too late, and nothing was sent: %s", e.Name(), e.Newsletter, e.Date, held)
		a.Do = fmt.Sprintf(`mend that, then "broadsheet send %s" sends what is owed`, e.Newsletter)
	}
	s.problem(a)
	return nil
}

// editionProblem notes something that is wrong with an edition.
func (s *Status) editionProblem(e EditionStatus, kind newsletter.AlarmKind, since time.Time, what, do string) {
	what = fmt.Sprintf("edition %d of %s", e.ID, e.Newsletter) + what
	s.problem(newsletter.Alarm{Kind: kind, Subject: fmt.Sprintf("edition/%d", e.ID), What: what, Do: do, Since: since})
}

// judgeLedger tells what is wrong with an edition's ledger and stays so until somebody
// settles it, however many editions have followed.
func (s *Status) judgeLedger(e EditionStatus) {
	if err := e.Tally.Check(); err != nil {
		s.editionProblem(e, newsletter.AlarmImbalance, time.Time{}, ": "+err.Error(), `make a copy by "broadsheet backup", and report it`)
	}
	if n := e.Tally.Counts[newsletter.InDoubt]; n > 0 && !e.State.Open() {
		s.editionProblem(e, newsletter.AlarmInDoubt, e.FinishedAt, fmt.Sprintf(" has %d in doubt that are not sent again", n),
			fmt.Sprintf(`"broadsheet edition deliveries %d --state in_doubt" lists them, "broadsheet edition resolve %d --all --as arrived|not-arrived|resend" settles them`, e.ID, e.ID))
	}
}

// judgeEdition tells what is wrong with an edition and its ledger.
func (d *Desk) judgeEdition(ctx context.Context, s *Status, store StatusStore, e EditionStatus) error {
	problem := func(kind newsletter.AlarmKind, since time.Time, what, do string) {
		s.editionProblem(e, kind, since, what, do)
	}
	counts := e.Tally.Counts
	s.judgeLedger(e)
	if n := counts[newsletter.Expired]; n > 0 {
		problem(newsletter.AlarmExpired, e.ExpiresAt, " was not delivered in time to "+readers(n),
			"nothing: what it had for them is owed to them again")
	}
	if n := counts[newsletter.Refused]; n > 0 && counts[newsletter.Accepted] == 0 && !e.Unfinished() {
		problem(newsletter.AlarmRefused, e.FinishedAt, fmt.Sprintf(" was refused for all of its %s: nothing was sent", readers(n)),
			fmt.Sprintf(`"broadsheet edition report %d" has the relay's words, "broadsheet edition retry %d" tries again`, e.ID, e.ID))
	}
	_, complaints, err := store.CameBack(ctx, e.ID)
	if err != nil {
		return err
	}
	if accepted := counts[newsletter.Accepted]; newsletter.ManyComplaints(accepted, complaints) {
		problem(newsletter.AlarmComplaints, time.Time{}, fmt.Sprintf(" was reported as spam by %s, %s of those who got it",
			readers(complaints), newsletter.Percent(float64(complaints)/float64(max(1, accepted)))),
			"look where these readers came from: providers turn away the mail of who is reported by more than "+newsletter.Percent(newsletter.ComplaintAlarm))
	}
	switch {
	case e.State == newsletter.EditionPaused:
		since, err := store.LastMoved(ctx, e.ID)
		if err != nil {
			return err
		}
		problem(newsletter.AlarmPaused, since, fmt.Sprintf(" is paused with %d waiting: %s", e.Tally.WaitingCount(), e.Reason),
			fmt.Sprintf(`mend the cause, then "broadsheet edition resume %d" goes on`, e.ID))
	case e.Waits(d.now()): // staff want it later
	case e.State.Open() && !e.GoesOn.IsZero(): // its warm-up is through with this day
	case e.State.Open() && s.Sends && e.Canary != nil && d.now().Before(e.Canary.Until()): // its rest waits for the canary
	case e.State.Open() && !s.Sends:
		problem(newsletter.AlarmStuck, time.Time{}, fmt.Sprintf(" has %d waiting and nobody sends", e.Tally.WaitingCount()),
			fmt.Sprintf(`start "broadsheet serve", or "broadsheet send --edition %d"`, e.ID))
	case e.State.Open():
		since, err := d.stuckSince(ctx, store, e)
		if err != nil || since.IsZero() {
			return err
		}
		what := fmt.Sprintf(" gets nowhere: nothing is accepted, and %d wait", e.Tally.WaitingCount())
		if e.Pulse.Relay != "" {
			what += "; the relay: " + e.Pulse.Relay
		}
		problem(newsletter.AlarmStuck, since, what, fmt.Sprintf(`"broadsheet edition report %d" has the relay's words`, e.ID))
	}
	return nil
}

// readers returns "1 reader", "2 readers".
func readers(n int) string {
	if n == 1 {
		return "1 reader"
	}
	return fmt.Sprintf("%d readers", n)
}

// stuckSince returns since when an edition that is being sent gets nowhere; zero if it does
// get on, or nothing of it is due.
func (d *Desk) stuckSince(ctx context.Context, store StatusStore, e EditionStatus) (time.Time, error) {
	if e.Tally.WaitingCount() == 0 {
		return time.Time{}, nil
	}
	accepted, since, err := store.Progress(ctx, e.ID)
	if err != nil || accepted >= 0 && accepted != e.Tally.Counts[newsletter.Accepted] {
		return time.Time{}, err
	}
	for _, t := range []time.Time{e.CreatedAt, e.PlannedAt, e.StartedAt} {
		if t.After(since) {
			since = t
		}
	}
	quiet, allowed := d.now().Sub(since), quietTime
	if e.WarmUp.PerDay > 0 {
		allowed = warmUpTime
	}
	if quiet < allowed {
		return time.Time{}, nil
	}
	tally, err := d.openTally(ctx, e.ID)
	if err != nil {
		return time.Time{}, err
	}
	next, err := store.NextTry(ctx, e.ID)
	if err != nil {
		return time.Time{}, err
	}
	due := tally.Counts[newsletter.Waiting]+tally.Counts[newsletter.Sending] > 0 || !next.IsZero() && d.now().Sub(next) > quietTime
	putOff := quiet >= offTime && tally.WaitingCount()*offShare >= tally.Planned-tally.Counts[newsletter.Withheld]
	if due || putOff && tally.WaitingCount() > 0 {
		return since, nil
	}
	return time.Time{}, nil
}

func (s *Status) judgeMails(now time.Time) {
	if s.Mails > 0 && now.Sub(s.Oldest) > mailLate {
		s.problem(newsletter.Alarm{
			Kind: newsletter.AlarmMailQueue, Subject: "mails", Since: s.Oldest,
			What: fmt.Sprintf("%d confirmation mails wait", s.Mails), Do: "look whether the relay takes mail, and whether somebody sends",
		})
	}
}

// judgeSignUps tells of more sign-ups than there should be: a form that is abused mails strangers (S28).
func (s *Status) judgeSignUps(limits newsletter.SignUpLimits) {
	var over []string
	if s.SignUps.All > limits.All {
		over = append(over, fmt.Sprintf("%d sign-ups came in the last hour", s.SignUps.All))
	}
	for _, b := range s.SignUps.Newsletters {
		if b.Count > limits.Newsletter {
			over = append(over, fmt.Sprintf("%d for %s", b.Count, b.Name))
		}
	}
	if len(over) == 0 {
		return
	}
	a := newsletter.Alarm{
		Kind: newsletter.AlarmSignUps, Subject: "sign-ups",
		What: strings.Join(over, ", ") + ": many people have heard of you, or somebody abuses the form to mail strangers",
		Do:   "look where they come from; your proxy can block a network; if it is real, raise BROADSHEET_SIGNUPS_PER_HOUR and BROADSHEET_CONFIRM_RATE",
	}
	if len(s.SignUps.Networks) > 0 {
		var from []string
		for _, b := range s.SignUps.Networks {
			from = append(from, fmt.Sprintf("%d from %s", b.Count, b.Name))
		}
		a.What += "; " + strings.Join(from, ", ")
	}
	if s.SignUps.PutOff > 0 {
		a.What += fmt.Sprintf("; %d confirmation mails are put off, the last until %s", s.SignUps.PutOff, s.SignUps.Until.UTC().Format("2006-01-02 15:04 UTC"))
	}
	s.problem(a)
}

func (s *Status) judgeSources() {
	for _, src := range s.Sources {
		if src.Failures < failuresShown || len(src.Newsletters) == 0 {
			continue
		}
		s.problem(newsletter.Alarm{
			Kind: newsletter.AlarmSourceFailing, Subject: fmt.Sprintf("source/%d", src.ID), Since: src.LastOKAt,
			What: fmt.Sprintf("the source %s fails, %d times in a row: %s", src.Name, src.Failures, src.LastError),
			Do:   fmt.Sprintf(`"broadsheet source fetch %d" tries it now`, src.ID),
		})
	}
}
