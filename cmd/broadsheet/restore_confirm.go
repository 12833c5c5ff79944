package main

import (
	"context"
	"fmt"
	"time"

	"broadsheet/internal/desk"
	"broadsheet/internal/newsletter"
)

// nextEdition is what a restored database would send next of one newsletter and cadence.
type nextEdition struct {
	Newsletter string     `json:"newsletter"`
	Cadence    string     `json:"cadence"`
	Slot       string     `json:"slot"`
	NextAt     *time.Time `json:"next_at"` // null: it is sent by hand
	Readers    int        `json:"readers"` // who would get it now
	Articles   int        `json:"articles"`
	Subject    string     `json:"subject"`
	Nothing    string     `json:"nothing"` // why nothing would be sent; empty: something would
}

// waitingEdition is an edition that goes on as soon as the restore is confirmed.
type waitingEdition struct {
	Edition    int64  `json:"edition"`
	Newsletter string `json:"newsletter"`
	State      string `json:"state"`
	Waiting    int    `json:"waiting"`
}

// confirmView is what would be sent after a restore.
type confirmView struct {
	RestoredFrom string           `json:"restored_from"`
	RestoredAt   *time.Time       `json:"restored_at"`
	Confirmed    bool             `json:"confirmed"`
	Next         []nextEdition    `json:"next"`
	Waiting      []waitingEdition `json:"waiting"`
	Mails        int              `json:"mails"`
}

// letGo shows what would be sent next, asks, and lets the restored database send.
func (r *restoring) letGo(ctx context.Context, s *services) error {
	state, err := s.store.JournalState(ctx)
	if err != nil {
		return err
	}
	if state.RestoredAt.IsZero() {
		return newsletter.Conflictf("the database was not restored, or that was confirmed already: there is nothing to confirm")
	}
	r.note("Asking the sources …")
	v := confirmView{RestoredFrom: state.RestoredFrom, RestoredAt: utc(state.RestoredAt)}
	if v.Next, err = nextEditions(ctx, s); err != nil {
		return err
	}
	if v.Waiting, err = waitingEditions(ctx, s); err != nil {
		return err
	}
	if v.Mails, _, err = s.store.MailQueue(ctx); err != nil {
		return err
	}
	if !r.json && !r.quiet {
		r.showNext(v, state)
	}
	ok, err := r.ask(ctx, r.yes, "Is that right? It is sent from now on.", "let the restored database send")
	if err != nil {
		return err
	}
	if ok {
		if err := s.store.ConfirmRestore(ctx, s.actor, r.now()); err != nil {
			return err
		}
	}
	v.Confirmed = ok
	switch {
	case r.json:
		return r.printJSON(v)
	case ok:
		r.say("Confirmed. What is due is sent from now on, by \"broadsheet serve\" or \"broadsheet send\".")
	default:
		r.say("Nothing is sent.")
	}
	return nil
}

// nextEditions builds what each newsletter would send now, and records nothing of it.
func nextEditions(ctx context.Context, s *services) ([]nextEdition, error) {
	newsletters, err := s.desk.Newsletters(ctx)
	if err != nil {
		return nil, err
	}
	views := []nextEdition{}
	for _, n := range newsletters {
		if n.Status == newsletter.Closed {
			continue
		}
		next, err := s.desk.NextSlots(ctx, n)
		if err != nil {
			return nil, err
		}
		for i, schedule := range n.Schedules {
			v := nextEdition{Newsletter: n.Slug, Cadence: string(schedule.Cadence), Slot: schedule.Slot, NextAt: utc(next[i].At)}
			draft, err := s.desk.Build(ctx, desk.BuildOptions{Newsletter: n.Slug, Cadence: schedule.Cadence, Slot: schedule.Slot})
			switch {
			case newsletter.KindOf(err) == newsletter.Forbidden:
				v.Nothing = fieldMessage(err)
			case err != nil && ctx.Err() != nil:
				return nil, err
			case err != nil: // what is wrong with one does not hide the others
				v.Nothing = "it cannot be built: " + err.Error()
			default:
				v.Readers, v.Articles, v.Subject = draft.Survey.Readers, draft.Edition.Articles, draft.Sample.Subject
			}
			views = append(views, v)
		}
	}
	return views, nil
}

func waitingEditions(ctx context.Context, s *services) ([]waitingEdition, error) {
	open, err := s.store.OpenEditions(ctx)
	if err != nil {
		return nil, err
	}
	views := []waitingEdition{}
	for _, e := range open {
		tally, err := s.store.Tally(ctx, e.ID)
		if err != nil {
			return nil, err
		}
		views = append(views, waitingEdition{e.ID, e.Newsletter, string(e.State), tally.WaitingCount()})
	}
	return views, nil
}

// showNext prints what would be sent.
func (r *restoring) showNext(v confirmView, state newsletter.JournalState) {
	r.say("The database was restored on %s from %s. If you confirm that:\n", local(state.RestoredAt), v.RestoredFrom)
	for _, e := range v.Waiting {
		r.say("edition %d of %s goes on at once, to %s", e.Edition, e.Newsletter, counted(e.Waiting, "reader", "readers"))
	}
	if v.Mails > 0 {
		r.say("%s sent at once", counted(v.Mails, "confirmation mail is", "confirmation mails are"))
	}
	var rows [][]string
	for _, n := range v.Next {
		due, what := "by hand", n.Nothing
		if n.NextAt != nil {
			due = local(*n.NextAt)
		}
		if what == "" {
			what = fmt.Sprintf("%s to %s: %s", counted(n.Articles, "article", "articles"), counted(n.Readers, "reader", "readers"), n.Subject)
		}
		rows = append(rows, []string{n.Newsletter, newsletter.SlotName(newsletter.Cadence(n.Cadence), n.Slot), due, what})
	}
	r.printTable([]string{"NEWSLETTER", "CADENCE", "NEXT", "AS IT WOULD BE NOW"}, rows)
	r.say("")
}
