package store

import (
	"database/sql"
	"slices"
	"time"

	"broadsheet/internal/newsletter"
)

// signUpWork is a sign-up while it is recorded, beside those of other addresses. The same statements
// run for each, whether the address is known or not.
type signUpWork struct {
	newsletter.SignUpRequest
	delay        time.Duration // of its mail
	subscriberID int64
	signUpID     int64
	answer       newsletter.Answer
	active       []bool // by choice: the reader has the newsletter
	covered      []bool // by choice: a mail has gone out, or will, that confirms just this
	waiting      int64  // the sign-up whose mail waits for the cooldown to end; 0: none
	kind         newsletter.MailKind
	at           time.Time // of its mail
	send         bool
}

// signUpRound records sign-ups of different addresses.
func (t *tx) signUpRound(list []*signUpWork, now time.Time) error {
	for _, do := range []func([]*signUpWork, time.Time) error{
		t.signUpSuppressions, t.signUpSubscribers, t.signUpActive, t.signUpCovered, t.signUpMails,
	} {
		if err := do(list, now); err != nil {
			return err
		}
	}
	for _, w := range list {
		w.answer.Already, w.answer.Covered = true, true
		for i := range w.Choices {
			w.answer.Already = w.answer.Already && w.active[i]
			w.answer.Covered = w.answer.Covered && (w.active[i] || w.covered[i])
		}
		w.kind, w.at, w.send = w.answer.Mail()
	}
	for _, do := range []func([]*signUpWork, time.Time) error{
		t.insertSignUps, t.insertChoices, t.insertPending, t.insertRequests, t.insertMails,
	} {
		if err := do(list, now); err != nil {
			return err
		}
	}
	return nil
}

// signUpSuppressions finds what each address falls under.
func (t *tx) signUpSuppressions(list []*signUpWork, now time.Time) error {
	by := map[string][]*signUpWork{}
	var hashes [][]byte
	for _, w := range list {
		w.answer = newsletter.Answer{Now: now, Delay: w.delay}
		for _, h := range [][]byte{w.Suppression.Address, w.Suppression.Domain} {
			if by[string(h)] == nil {
				hashes = append(hashes, h)
			}
			by[string(h)] = append(by[string(h)], w)
		}
	}
	return inParts(hashes, func(part [][]byte) error {
		args, in := appendList(nil, part, func(h []byte) any { return h })
		rows, err := t.query(`SELECT `+suppressionColumns+` FROM suppressions WHERE hash IN `+in, args...)
		found, err := collect(rows, err, func(rows *sql.Rows) (newsletter.Suppression, error) { return scanSuppression(rows) })
		for _, s := range found {
			for _, w := range by[string(s.Hash)] {
				if s.Reason.Stronger(w.answer.Suppressed) {
					w.answer.Suppressed, w.answer.SuppressedAt = s.Reason, s.CreatedAt
				}
			}
		}
		return err
	})
}

// signUpSubscribers finds the number of each address, which is added if it is new. A form changes
// nothing about an address that is known: anybody can fill it in. What it says about the
// person is kept with the sign-up until its mail is answered.
func (t *tx) signUpSubscribers(list []*signUpWork, now time.Time) error {
	var next int64
	if err := t.row(`SELECT ` + nextSubscriber).Scan(&next); err != nil {
		return err
	}
	by, rows := make(map[string]*signUpWork, len(list)), make([][]any, 0, len(list))
	for i, w := range list {
		by[w.EmailKey] = w
		rows = append(rows, []any{next + int64(i), w.Email, w.EmailKey, millis(now), millis(now)})
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

// bySubscriber calls f with each row that the statement finds for the subscribers, who stand at its
// end. The row begins with the subscriber.
func (t *tx) bySubscriber(list []*signUpWork, statement, after string, args []any, scan func(w func(id int64) *signUpWork, rows *sql.Rows) error) error {
	by := make(map[int64]*signUpWork, len(list))
	for _, w := range list {
		by[w.subscriberID] = w
	}
	return inParts(list, func(part []*signUpWork) error {
		all, in := appendList(slices.Clone(args), part, func(w *signUpWork) any { return w.subscriberID })
		rows, err := t.query(statement+in+after, all...)
		_, err = collect(rows, err, func(rows *sql.Rows) (struct{}, error) {
			return struct{}{}, scan(func(id int64) *signUpWork { return by[id] }, rows)
		})
		return err
	})
}

// signUpActive finds which of the newsletters the readers have.
func (t *tx) signUpActive(list []*signUpWork, _ time.Time) error {
	for _, w := range list {
		w.active, w.covered = make([]bool, len(w.Choices)), make([]bool, len(w.Choices))
	}
	return t.bySubscriber(list, `SELECT subscriber_id, newsletter_id FROM subscriptions
		WHERE state IN ('active', 'paused') AND subscriber_id IN `, ``, nil,
		func(w func(int64) *signUpWork, rows *sql.Rows) error {
			var subscriberID, newsletterID int64
			if err := rows.Scan(&subscriberID, &newsletterID); err != nil {
				return err
			}
			for i, c := range w(subscriberID).Choices {
				if c.NewsletterID == newsletterID {
					w(subscriberID).active[i] = true
				}
			}
			return nil
		})
}

// signUpCovered finds for which choices a mail has gone out, or will, that confirms a sign-up for
// just this. It goes by the mails, of which there are few for one address whatever happens; of
// sign-ups there can be any number.
func (t *tx) signUpCovered(list []*signUpWork, now time.Time) error {
	return t.bySubscriber(list, `SELECT m.subscriber_id, c.newsletter_id, c.cadence, c.slot, c.sections
		FROM mails m JOIN signups s ON s.id = m.signup_id JOIN signup_newsletters c ON c.signup_id = s.id
		WHERE m.created_at > $1 AND m.kind = 'confirm' AND m.state IN (1, 2, 3, 5, 6)
			AND s.confirmed_at IS NULL AND s.expires_at > $2 AND m.subscriber_id IN `, ``,
		[]any{millis(now.Add(-newsletter.SignUpValid)), millis(now)},
		func(w func(int64) *signUpWork, rows *sql.Rows) error {
			var subscriberID int64
			var has newsletter.SignUpChoice
			if err := rows.Scan(&subscriberID, &has.NewsletterID, &has.Cadence, &has.Slot, &has.Sections); err != nil {
				return err
			}
			for i, c := range w(subscriberID).Choices {
				c.Slot = slotColumn(c.Slot)
				if c == has {
					w(subscriberID).covered[i] = true
				}
			}
			return nil
		})
}

// signUpMails finds when the last transactional mails to each were sent, or will be, newest first:
// as many as the limits look at. Those that were withheld do not count.
func (t *tx) signUpMails(list []*signUpWork, now time.Time) error {
	return t.bySubscriber(list, `SELECT subscriber_id, COALESCE(signup_id, 0), kind, state, not_before FROM mails
		WHERE created_at > $1 AND state <> 8 AND subscriber_id IN `, ` ORDER BY subscriber_id, not_before DESC`,
		[]any{millis(now.Add(-newsletter.SuppressedCooldown - newsletter.MailCooldown))},
		func(of func(int64) *signUpWork, rows *sql.Rows) error {
			var subscriberID, signUpID, at int64
			var kind newsletter.MailKind
			var state newsletter.State
			if err := rows.Scan(&subscriberID, &signUpID, &kind, &state, &at); err != nil {
				return err
			}
			w := of(subscriberID)
			if len(w.answer.Sent) < newsletter.MailsPerDay {
				w.answer.Sent = append(w.answer.Sent, fromMillis(at))
			}
			if kind == newsletter.MailConfirm && state == newsletter.Waiting && fromMillis(at).After(now) {
				w.waiting = signUpID
			}
			return nil
		})
}

// insertSignUps adds the rows that the confirmation tokens name. The token's time begins with
// its mail.
func (t *tx) insertSignUps(list []*signUpWork, now time.Time) error {
	var last int64
	if err := t.row(`SELECT COALESCE(MAX(id), 0) FROM signups`).Scan(&last); err != nil {
		return err
	}
	rows := make([][]any, 0, len(list))
	for i, w := range list {
		w.signUpID = last + 1 + int64(i)
		rows = append(rows, []any{
			w.signUpID, w.subscriberID, w.Nonce, w.Email, w.Name, w.TimeZone, w.Origin.Page, w.Origin.Placement,
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
			if w.waiting != 0 && !w.active[i] {
				also = append(also, []any{w.waiting, c.NewsletterID, string(c.Cadence), slotColumn(c.Slot), int64(c.Sections)})
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
		waits := len(w.answer.Sent) > 0 && w.answer.Sent[0].After(now)
		for i, c := range w.Choices {
			row := []any{c.NewsletterID, w.subscriberID, "pending", string(c.Cadence), slotColumn(c.Slot), int64(c.Sections), millis(now), millis(now)}
			if w.send || waits || w.covered[i] {
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
				w.subscriberID, c.NewsletterID, string(newsletter.EventRequested), millis(now), o.Channel, o.Page, o.Placement,
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
				next + int64(len(rows)), string(w.kind), w.subscriberID, w.signUpID, int(newsletter.Waiting), millis(w.at), millis(w.at),
				millis(w.at.Add(newsletter.MailLife)), millis(now), millis(now),
			})
		}
	}
	return t.insertRows(`INSERT INTO mails (id, kind, subscriber_id, signup_id, state, not_before, next_try, expires_at, created_at, updated_at) VALUES `, rows, ``)
}
