package store

import (
	"database/sql"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// signUpWork is a sign-up while it is recorded beside others. The same statements run for each,
// whether the address is known or not.
type signUpWork struct {
	newsletter.SignUpRequest
	delay    time.Duration // of its mail
	person   *signUpPerson
	signUpID int64
	active   []bool // by choice: the reader has the newsletter
	mailed   []bool // by choice: a mail confirms it, or will
	also     int64  // the sign-up whose mail waits for the cooldown to end; 0: none
	kind     newsletter.MailKind
	at       time.Time // of its mail
	send     bool
}

// signUpPerson is whom sign-ups of one address are for, as each finds them: what the earlier ones of
// the group did counts for the later ones.
type signUpPerson struct {
	first        *signUpWork
	subscriberID int64
	suppression  newsletter.Suppression
	active       map[int64]bool          // by newsletter
	covered      map[signUpPart]coverage // what a mail confirms, or will
	sent         []time.Time             // of the last mails, the newest first
	waiting      int64                   // the sign-up whose mail waits for the cooldown to end; 0: none
}

// signUpPart is what a sign-up asks for in one newsletter, and coverage how.
type signUpPart struct{ signUpID, newsletterID int64 }

type coverage struct {
	cadence  newsletter.Cadence
	slot     string
	sections newsletter.Mask
}

func coverageOf(c newsletter.SignUpChoice) coverage {
	return coverage{c.Cadence, slotColumn(c.Slot), c.Sections}
}

// signUpList records sign-ups in their order.
func (t *tx) signUpList(list []*signUpWork, now time.Time) error {
	var people []*signUpPerson
	by := map[string]*signUpPerson{}
	for _, w := range list {
		p := by[w.EmailKey]
		if p == nil {
			p = &signUpPerson{first: w, active: map[int64]bool{}, covered: map[signUpPart]coverage{}}
			by[w.EmailKey], people = p, append(people, p)
		}
		w.person = p
	}
	for _, find := range []func([]*signUpPerson, time.Time) error{
		t.signUpSuppressions, t.signUpSubscribers, t.signUpActive, t.signUpCovered, t.signUpMails,
	} {
		if err := find(people, now); err != nil {
			return err
		}
	}
	var last int64
	if err := t.row(`SELECT COALESCE(MAX(id), 0) FROM signups`).Scan(&last); err != nil {
		return err
	}
	for i, w := range list {
		w.signUpID = last + 1 + int64(i)
		w.decide(now)
	}
	for _, insert := range []func([]*signUpWork, time.Time) error{
		t.insertSignUps, t.insertChoices, t.insertPending, t.insertRequests, t.insertMails,
	} {
		if err := insert(list, now); err != nil {
			return err
		}
	}
	return nil
}

// decide finds which mail answers the sign-up, and notes that for those that come after it.
func (w *signUpWork) decide(now time.Time) {
	p := w.person
	answer := newsletter.Answer{
		Now: now, Delay: w.delay, Already: true, Covered: true, Suppressed: p.suppression.Reason, SuppressedAt: p.suppression.CreatedAt,
		Sent: p.sent[:min(len(p.sent), newsletter.MailsPerDay)],
	}
	w.active, w.mailed = make([]bool, len(w.Choices)), make([]bool, len(w.Choices))
	for i, c := range w.Choices {
		w.active[i] = p.active[c.NewsletterID]
		for part, has := range p.covered {
			w.mailed[i] = w.mailed[i] || part.newsletterID == c.NewsletterID && has == coverageOf(c)
		}
		answer.Already = answer.Already && w.active[i]
		answer.Covered = answer.Covered && (w.active[i] || w.mailed[i])
	}
	w.kind, w.at, w.send = answer.Mail()
	waits := len(p.sent) > 0 && p.sent[0].After(now)
	w.also = p.waiting
	for i, c := range w.Choices {
		w.mailed[i] = w.mailed[i] || w.send || waits
		if w.also != 0 && !w.active[i] {
			p.covered[signUpPart{w.also, c.NewsletterID}] = coverageOf(c)
		}
		if w.send && w.kind == newsletter.MailConfirm {
			p.covered[signUpPart{w.signUpID, c.NewsletterID}] = coverageOf(c)
		}
	}
	if !w.send {
		return
	}
	p.sent = append([]time.Time{w.at}, p.sent...)
	slices.SortStableFunc(p.sent, func(a, b time.Time) int { return b.Compare(a) })
	if w.kind == newsletter.MailConfirm && w.at.After(now) {
		p.waiting = w.signUpID
	}
}

// signUpSuppressions finds what each address falls under.
func (t *tx) signUpSuppressions(list []*signUpPerson, _ time.Time) error {
	by := map[string][]*signUpPerson{}
	var hashes [][]byte
	for _, p := range list {
		for _, h := range [][]byte{p.first.Suppression.Address, p.first.Suppression.Domain} {
			if by[string(h)] == nil {
				hashes = append(hashes, h)
			}
			by[string(h)] = append(by[string(h)], p)
		}
	}
	return inParts(hashes, func(part [][]byte) error {
		args, in := appendList(nil, part, func(h []byte) any { return h })
		rows, err := t.query(`SELECT `+suppressionColumns+` FROM suppressions WHERE hash IN `+in, args...)
		found, err := collect(rows, err, func(rows *sql.Rows) (newsletter.Suppression, error) { return scanSuppression(rows) })
		for _, s := range found {
			for _, p := range by[string(s.Hash)] {
				if s.Reason.Stronger(p.suppression.Reason) {
					p.suppression = s
				}
			}
		}
		return err
	})
}

// signUpSubscribers finds the number of each address, which is added if it is new. A form changes
// nothing about an address that is known: anybody can fill it in. What it says about the
// person is kept with the sign-up until its mail is answered.
func (t *tx) signUpSubscribers(list []*signUpPerson, now time.Time) error {
	var next int64
	if err := t.row(`SELECT ` + nextSubscriber).Scan(&next); err != nil {
		return err
	}
	by, rows := make(map[string]*signUpPerson, len(list)), make([][]any, 0, len(list))
	for i, p := range list {
		by[p.first.EmailKey] = p
		rows = append(rows, []any{next + int64(i), p.first.Email, p.first.EmailKey, millis(now), millis(now)})
	}
	_, err := queryRows(t, `INSERT INTO subscribers (id, email, email_key, created_at, updated_at) VALUES `, rows,
		` ON CONFLICT (email_key) DO UPDATE SET updated_at = excluded.updated_at RETURNING id, email_key`,
		func(rows *sql.Rows) (struct{}, error) {
			var id int64
			var key string
			err := rows.Scan(&id, &key)
			by[key].subscriberID = id
			return struct{}{}, err
		})
	return err
}

// eachFor calls scan with each row that the statement finds for the people, who stand at its end. A
// row begins with the subscriber.
func (t *tx) eachFor(list []*signUpPerson, statement, after string, args []any, scan func(of func(id int64) *signUpPerson, rows *sql.Rows) error) error {
	by := make(map[int64]*signUpPerson, len(list))
	for _, p := range list {
		by[p.subscriberID] = p
	}
	return inParts(list, func(part []*signUpPerson) error {
		all, in := appendList(slices.Clone(args), part, func(p *signUpPerson) any { return p.subscriberID })
		rows, err := t.query(statement+in+after, all...)
		_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
			return struct{}{}, scan(func(id int64) *signUpPerson { return by[id] }, rows)
		})
		return err
	})
}

// signUpActive finds which newsletters the readers have.
func (t *tx) signUpActive(list []*signUpPerson, _ time.Time) error {
	return t.eachFor(list, `SELECT subscriber_id, newsletter_id FROM subscriptions
		WHERE state IN ('active', 'paused') AND subscriber_id IN `, ``, nil,
		func(of func(int64) *signUpPerson, rows *sql.Rows) error {
			var subscriberID, newsletterID int64
			err := rows.Scan(&subscriberID, &newsletterID)
			of(subscriberID).active[newsletterID] = true
			return err
		})
}

// signUpCovered finds what a mail has gone out for, or will, that confirms it. It goes by the mails,
// of which there are few for one address whatever happens; of sign-ups there can be any number.
func (t *tx) signUpCovered(list []*signUpPerson, now time.Time) error {
	return t.eachFor(list, `SELECT m.subscriber_id, c.signup_id, c.newsletter_id, c.cadence, c.slot, c.sections
		FROM mails m JOIN signups s ON s.id = m.signup_id JOIN signup_newsletters c ON c.signup_id = s.id
		WHERE m.created_at > $1 AND m.kind = 'confirm' AND m.state IN (1, 2, 3, 5, 6)
			AND s.confirmed_at IS NULL AND s.expires_at > $2 AND m.subscriber_id IN `, ``,
		[]any{millis(now.Add(-newsletter.SignUpValid)), millis(now)},
		func(of func(int64) *signUpPerson, rows *sql.Rows) error {
			var subscriberID int64
			var part signUpPart
			var c coverage
			err := rows.Scan(&subscriberID, &part.signUpID, &part.newsletterID, &c.cadence, &c.slot, &c.sections)
			of(subscriberID).covered[part] = c
			return err
		})
}

// signUpMails finds when the last transactional mails to each were sent, or will be, newest first.
// Those that were withheld do not count.
func (t *tx) signUpMails(list []*signUpPerson, now time.Time) error {
	return t.eachFor(list, `SELECT subscriber_id, COALESCE(signup_id, 0), kind, state, not_before FROM mails
		WHERE created_at > $1 AND state <> 8 AND subscriber_id IN `, ` ORDER BY subscriber_id, not_before DESC`,
		[]any{millis(now.Add(-newsletter.SuppressedCooldown - newsletter.MailCooldown))},
		func(of func(int64) *signUpPerson, rows *sql.Rows) error {
			var subscriberID, signUpID, at int64
			var kind newsletter.MailKind
			var state newsletter.State
			if err := rows.Scan(&subscriberID, &signUpID, &kind, &state, &at); err != nil {
				return err
			}
			p := of(subscriberID)
			if len(p.sent) < newsletter.MailsPerDay {
				p.sent = append(p.sent, fromMillis(at))
			}
			if kind == newsletter.MailConfirm && state == newsletter.Waiting && fromMillis(at).After(now) {
				p.waiting = signUpID
			}
			return nil
		})
}

// insertSignUps adds the rows that the confirmation tokens name. The token's time begins with
// its mail.
func (t *tx) insertSignUps(list []*signUpWork, now time.Time) error {
	rows := make([][]any, 0, len(list))
	for _, w := range list {
		rows = append(rows, []any{
			w.signUpID, w.person.subscriberID, w.Nonce, w.Email, w.Name, w.TimeZone, w.Origin.Page, w.Origin.Placement,
			millis(now), millis(w.at.Add(newsletter.SignUpValid)),
		})
	}
	return t.insertRows(`INSERT INTO signups (id, subscriber_id, nonce, email, name, time_zone, page, placement, created_at, expires_at) VALUES `, rows, ``)
}

// insertChoices records what each sign-up asks for. It is put also into the sign-up whose mail waits
// for the cooldown to end, if there is one: only one mail can wait, so it has to be about the newest
// choices. Nobody has its token yet. What the reader has already stays out of it.
func (t *tx) insertChoices(list []*signUpWork, _ time.Time) error {
	var own, also [][]any
	for _, w := range list {
		for i, c := range w.Choices {
			own = append(own, []any{w.signUpID, c.NewsletterID, string(c.Cadence), slotColumn(c.Slot), int64(c.Sections)})
			if w.also != 0 && !w.active[i] {
				also = append(also, []any{w.also, c.NewsletterID, string(c.Cadence), slotColumn(c.Slot), int64(c.Sections)})
			}
		}
	}
	return t.insertRows(`INSERT INTO signup_newsletters (signup_id, newsletter_id, cadence, slot, sections) VALUES `, append(own, also...),
		` ON CONFLICT (signup_id, newsletter_id) DO UPDATE SET cadence = excluded.cadence, slot = excluded.slot, sections = excluded.sections`)
}

// insertPending makes the subscriptions. One that is pending takes the choice if a mail can confirm
// it, so that it shows what will be; others do not.
func (t *tx) insertPending(list []*signUpWork, now time.Time) error {
	var mailed, others [][]any
	for _, w := range list {
		for i, c := range w.Choices {
			row := []any{c.NewsletterID, w.person.subscriberID, "pending", string(c.Cadence), slotColumn(c.Slot), int64(c.Sections), millis(now), millis(now)}
			if w.mailed[i] {
				mailed = append(mailed, row)
			} else {
				others = append(others, row)
			}
		}
	}
	const into = `INSERT INTO subscriptions (newsletter_id, subscriber_id, state, cadence, slot, sections, created_at, updated_at) VALUES `
	err := t.insertRows(into, mailed, ` ON CONFLICT (newsletter_id, subscriber_id) DO UPDATE
		SET cadence = excluded.cadence, slot = excluded.slot, sections = excluded.sections, updated_at = excluded.updated_at
		WHERE subscriptions.state = 'pending'`)
	if err != nil {
		return err
	}
	return t.insertRows(into, others, ` ON CONFLICT (newsletter_id, subscriber_id) DO NOTHING`)
}

// insertRequests records in the history of each subscription that it was asked for: without words of
// consent, since what a publisher's own form or program shows, nobody knows here.
func (t *tx) insertRequests(list []*signUpWork, now time.Time) error {
	var rows [][]any
	for _, w := range list {
		o := w.Origin
		for _, c := range w.Choices {
			rows = append(rows, []any{
				w.person.subscriberID, c.NewsletterID, string(newsletter.EventRequested), millis(now), o.Channel, o.Page, o.Placement,
				o.IP, o.UserAgent, o.Actor, o.Note,
			})
		}
	}
	return t.insertRows(`INSERT INTO subscription_events (subscriber_id, newsletter_id, kind, at, channel, page, placement, ip, user_agent, actor, note) VALUES `, rows, ``)
}

// insertMails puts the mails into the outbox.
func (t *tx) insertMails(list []*signUpWork, now time.Time) error {
	var next int64
	if err := t.row(`SELECT ` + nextMail).Scan(&next); err != nil {
		return err
	}
	var rows [][]any
	for _, w := range list {
		if w.send {
			rows = append(rows, []any{
				next + int64(len(rows)), string(w.kind), w.person.subscriberID, w.signUpID, int(newsletter.Waiting), millis(w.at), millis(w.at),
				millis(w.at.Add(newsletter.MailLife)), millis(now), millis(now),
			})
		}
	}
	return t.insertRows(`INSERT INTO mails (id, kind, subscriber_id, signup_id, state, not_before, next_try, expires_at, created_at, updated_at) VALUES `, rows, ``)
}
