package desk_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"broadsheet/internal/delivery"
	"broadsheet/internal/newsletter"
)

func isUnfinished(err error) bool {
	_, unfinished := errors.AsType[*delivery.UnfinishedError](err)
	return unfinished
}

// join is somebody who signs up for some of the newsletters.
func (w *propertyWorld) join() {
	r := &propertyReader{email: fmt.Sprintf("r%d@example.org", len(w.model.readers)+1), subs: map[int64]*propertySub{}, got: map[int][]*propertyRow{}}
	add := newsletter.Addition{Email: r.email, EmailKey: r.email, Suppression: w.barred.Hashes(r.email), Origin: newsletter.Origin{Channel: "staff", Actor: "test", Note: "test"}}
	w.pass(time.Minute)
	for i, n := range w.model.letters {
		if i == len(w.model.readers)%len(w.model.letters) || w.chance(500) {
			c := w.choice(n)
			add.Choices = append(add.Choices, c)
			now := w.clock.Now()
			r.subs[n.ID] = &propertySub{state: newsletter.Active, rhythm: rhythmOf(c.Cadence, c.Slot), mask: c.Sections, joined: now, calm: now, left: map[int]string{}, calms: map[int]bool{}}
		}
	}
	var err error
	r.id, err = w.store.AddSubscriptions(w.t.Context(), add, w.clock.Now())
	w.must(err)
	w.model.readers = append(w.model.readers, r)
}

func (w *propertyWorld) choice(n *propertyLetter) newsletter.SignUpChoice {
	slot := n.Schedules[w.IntN(len(n.Schedules))]
	c := newsletter.SignUpChoice{NewsletterID: n.ID, Cadence: slot.Cadence, Slot: slot.Slot}
	if w.chance(500) {
		c.Sections = newsletter.Mask(w.IntN(8))
	}
	return c
}

// readersAct lets readers join, choose anew, pause, go on, leave and come back.
func (w *propertyWorld) readersAct() {
	if w.chance(30) && len(w.model.readers) < 12 {
		w.join()
	}
	for _, r := range w.model.readers {
		if w.chance(5) {
			r.suppressed = !r.suppressed
			for _, sub := range r.subs {
				sub.calm = w.clock.Now()
			}
			if r.suppressed {
				w.exec(`INSERT INTO suppressions (hash, reason, created_at) VALUES ($1, 'left', 0)`, w.barred.Hash(r.email))
			} else {
				w.exec(`DELETE FROM suppressions WHERE hash = $1`, w.barred.Hash(r.email))
			}
		}
		for _, id := range slices.Sorted(maps.Keys(r.subs)) { // a seed has to give the same world again
			sub := r.subs[id]
			if w.chance(25) || sub.state == newsletter.Left && w.chance(100) || sub.state == newsletter.PausedSub && w.chance(60) {
				w.pass(time.Minute)
				w.change(r, w.model.letters[id-1], sub)
			}
		}
	}
}

func (w *propertyWorld) change(r *propertyReader, n *propertyLetter, sub *propertySub) {
	ctx, now := w.t.Context(), w.clock.Now()
	link := newsletter.Link{SubscriberID: r.id, NewsletterID: n.ID, EditionID: sub.link}
	origin := newsletter.Origin{Channel: "link"}
	const set = `UPDATE subscriptions SET state = $1, paused_until = $2, joined_at = $3, cadence = $4, slot = $5, sections = $6, left_at = $7 WHERE newsletter_id = $8 AND subscriber_id = $9`
	sub.calm = now
	switch what := w.IntN(10); {
	case sub.state == newsletter.Left && now.Sub(sub.leftAt) < newsletter.UndoTime && !r.suppressed && what < 5:
		w.must(w.store.UndoLeave(ctx, link, origin, now))
		if sub.state = newsletter.Active; sub.until.After(now) {
			sub.state = newsletter.PausedSub
		}
	case sub.state == newsletter.Left: // they sign up again, and confirm
		c := w.choice(n)
		sub.state, sub.until, sub.joined, sub.rhythm, sub.mask = newsletter.Active, time.Time{}, now, rhythmOf(c.Cadence, c.Slot), c.Sections
		sub.kept, sub.paused = time.Time{}, time.Time{}
		w.exec(`UPDATE subscriptions SET owed_since = NULL, paused_at = NULL WHERE newsletter_id = $1 AND subscriber_id = $2`, n.ID, r.id)
		w.exec(set, "active", nil, now.UnixMilli(), sub.rhythm.cadence, sub.rhythm.column(), int64(c.Sections), nil, n.ID, r.id)
	case what < 2:
		w.must(w.store.Leave(ctx, link, origin, now))
		sub.state, sub.leftAt = newsletter.Left, now
	case what < 5 && sub.state == newsletter.Active: // until a day, or until they say so
		if now.Sub(sub.until) >= 30*24*time.Hour {
			sub.paused = now
		}
		sub.state, sub.until = newsletter.PausedSub, time.Time{}
		if w.chance(800) {
			sub.until = now.Add(time.Duration(1+w.IntN(20*24)) * time.Hour)
		}
		_, err := w.store.PauseSubscriptions(ctx, r.id, n.ID, sub.until, "paused", origin, now)
		w.must(err)
	case sub.state == newsletter.PausedSub && what < 8:
		if sub.isPaused(now) {
			sub.state, sub.until = newsletter.Active, now
		}
		_, err := w.store.PauseSubscriptions(ctx, r.id, n.ID, now, "went on", origin, now)
		w.must(err)
	default:
		c := w.choice(n)
		w.must(w.store.ChangeSubscription(ctx, link, n.ID, origin, now, func(newsletter.Subscription) (newsletter.SignUpChoice, string, error) {
			return c, "changed", nil
		}))
		if chosen := rhythmOf(c.Cadence, c.Slot); chosen != sub.rhythm {
			w.model.keep(n, sub)
			sub.rhythm = chosen
		}
		sub.mask = c.Sections
	}
}

// staffAct lets staff hold, release and withdraw, pause, cancel, try again, settle and skip.
func (w *propertyWorld) staffAct() {
	ctx := w.t.Context()
	w.model.learn()
	if w.chance(150) && len(w.model.articles) > 0 {
		w.touchArticle(w.model.articles[max(0, len(w.model.articles)-1-w.IntN(40))])
	}
	n := w.model.letters[w.IntN(len(w.model.letters))]
	if w.chance(20) || n.paused && w.chance(200) {
		var err error
		if n.paused = !n.paused; n.paused {
			_, err = w.desk.PauseNewsletter(ctx, n.Slug)
		} else {
			_, err = w.desk.ResumeNewsletter(ctx, n.Slug)
		}
		w.must(err)
	}
	if w.chance(30) {
		n := w.model.letters[w.IntN(len(w.model.letters))]
		_, err := w.desk.SkipDate(ctx, n.Slug, newsletter.DateOf(w.clock.Now()).AddDays(w.IntN(3)), "")
		w.allow(err)
	}
	if len(w.model.order) == 0 || !w.chance(200) {
		return
	}
	e := w.model.order[max(0, len(w.model.order)-1-w.IntN(6))]
	switch w.IntN(6) {
	case 0:
		w.allow(w.desk.Pause(ctx, e.id, ""))
	case 1, 2:
		w.allow(w.desk.Resume(ctx, e.id))
	case 3:
		_, err := w.desk.Cancel(ctx, e.id, "")
		w.allow(err)
	case 4:
		recent := w.model.order[max(0, len(w.model.order)-8):]
		if i := slices.IndexFunc(recent, (*propertyEdition).refused); i >= 0 { // others have nothing to try
			e = recent[i]
		}
		_, err := w.desk.Retry(ctx, newsletter.RetryFilter{EditionID: e.id, State: newsletter.Refused})
		w.allow(err)
	case 5:
		for _, id := range slices.Sorted(maps.Keys(e.rows)) { // they know what became of it
			row := e.rows[id]
			if row.state == newsletter.InDoubt {
				as := newsletter.NotArrived
				if row.arrived > 0 {
					as = newsletter.Arrived
				}
				_, err := w.desk.Resolve(ctx, newsletter.ResolveFilter{EditionID: e.id, SubscriberID: row.reader.id}, as)
				w.allow(err)
			}
		}
	}
	w.model.learn()
}

// allow lets a refusal pass: not everything is possible at all times.
func (w *propertyWorld) allow(err error) {
	w.t.Helper()
	switch newsletter.KindOf(err) {
	case newsletter.Forbidden, newsletter.Conflict, newsletter.Invalid:
	default:
		w.must(err)
	}
}

func (w *propertyWorld) touchArticle(a *propertyArticle) {
	if a.id <= 0 || a.withdrawn {
		return
	}
	ctx, now := w.t.Context(), w.clock.Now()
	var err error
	switch w.IntN(3) {
	case 0:
		if _, err = w.desk.HoldArticle(ctx, a.id); err == nil {
			a.held, a.byStaff, a.from = true, true, time.Time{}
		}
	case 1:
		if _, err = w.desk.ReleaseArticle(ctx, a.id); err == nil {
			if a.from = now; a.byStaff && a.published.After(now.Add(5*time.Minute)) {
				a.from = a.published
			}
			a.held, a.byStaff = false, false
		}
	case 2:
		a.withdrawn = true
		_, err = w.desk.Withdraw(ctx, a.id, 0)
	}
	if err == nil {
		a.disturbed = true
	}
	w.allow(err)
}

// finish holds the whole of it against the promise, for readers who changed nothing: an article
// reached them once, or a reason is on record.
func (m *propertyModel) finish() {
	w, now := m.w, m.w.clock.Now()
	for _, r := range m.readers {
		for id, sub := range r.subs {
			if sub.state != newsletter.Active || r.suppressed || m.letters[id-1].paused {
				continue
			}
			for _, a := range m.articles {
				if _, ours := m.letters[id-1].feeds[a.feed]; !ours || a.disturbed || a.held || a.from.IsZero() || a.id <= 0 || !a.from.After(sub.calm) ||
					now.Sub(a.from) < 12*24*time.Hour || sub.mask != 0 && sub.mask&a.sections == 0 {
					continue
				}
				if sub.rhythm.cadence == "immediate" && (!m.letters[id-1].atOnce(a) || m.missedSince(a.from, m.letters[id-1])) {
					continue // no edition is made for it, or that was missed, which is on record, and none came since
				}
				m.checkEnd(a, r, sub)
			}
		}
	}
	for _, e := range m.order {
		_, tally, err := w.desk.Edition(w.t.Context(), e.id)
		w.must(err) // it is one if the ledger does not balance
		if tally.Planned != len(e.rows) {
			w.wrong("edition %d has %d rows, %d were planned", e.id, tally.Planned, len(e.rows))
		}
	}
}

// missedSince reports whether an immediate edition of the newsletter is on record as missed after a
// time, and none was made since then that would have what is in it.
func (m *propertyModel) missedSince(from time.Time, n *propertyLetter) bool {
	if slices.ContainsFunc(m.order, func(e *propertyEdition) bool {
		return e.letter == n && e.rhythm.cadence == "immediate" && e.asOf.After(from)
	}) {
		return false
	}
	var missed int
	m.w.must(m.w.db.QueryRowContext(m.w.t.Context(), `SELECT COUNT(*) FROM editions
		WHERE newsletter_id = $1 AND cadence = 'immediate' AND state = 'skipped' AND reason IN ('missed', 'source_failed') AND as_of > $2`,
		n.ID, from.UnixMilli()).Scan(&missed))
	return missed > 0
}

func (m *propertyModel) checkEnd(a *propertyArticle, r *propertyReader, sub *propertySub) {
	reason := sub.left[a.number]
	for _, row := range r.got[a.number] {
		if row.arrived > 0 {
			return
		}
		reason = row.state.String() + " " + row.reason
	}
	if reason == "" {
		m.w.wrong("article %d, owed since %s, never came to %s, and nothing says why", a.number, a.from.Format(time.DateTime), r.email)
	}
}

// propertyRhythm is a cadence with one of its slots, or with all of them.
type propertyRhythm struct{ cadence, slot string }

func rhythmOf(c newsletter.Cadence, slot string) propertyRhythm {
	return propertyRhythm{string(c), slot}
}

func (r propertyRhythm) String() string { return r.cadence + " " + r.slot }

// column is the slot as subscriptions have it.
func (r propertyRhythm) column() string {
	if r.slot == "main" {
		return ""
	}
	return r.slot
}

// meets reports whether somebody can be a reader of both.
func (r propertyRhythm) meets(o propertyRhythm) bool {
	return r.cadence == o.cadence && (r.slot == o.slot || r.slot == "all" || o.slot == "all")
}
