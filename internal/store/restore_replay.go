package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"broadsheet/internal/journal"
	"broadsheet/internal/newsletter"
)

// replayer brings a copy of a backup to what the journal says, on the safe side: who left has
// left, who must not be mailed is not, and what may have been sent is not sent again.
type replayer struct {
	*Store
	replay
	complete bool // the journal has all that happened since the backup
	now      time.Time
	replaces string // the database that the backup is put in place of
	result   Restored
}

// restoreActor is who did it, in the records.
const restoreActor = "restore"

// whyRestored is the reason of an edition of which a restored database does not know what
// became of its messages.
const whyRestored = "restored from a backup: what became of its messages since is not known"

func (r *replayer) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		r.openEditions, r.lostEditions, r.closedEditions, r.withdrawals, r.suppress, r.leave, r.erase, r.mails, r.revoke, r.floors,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// openEditions closes the editions that the backup has as open and of which messages may have
// gone out since: what waits is in doubt, so that it holds its articles and is not sent again
// unless staff say so. One that was not begun, or is paused and was not resumed, goes on.
func (r *replayer) openEditions(ctx context.Context) error {
	rows, err := r.read(ctx).query(`SELECT id, state, planned_at IS NOT NULL FROM editions
		WHERE state IN ('frozen', 'sending', 'paused') ORDER BY id`)
	type open struct {
		id      int64
		state   newsletter.EditionState
		planned bool
	}
	list, err := collect(rows, err, func(rows *sql.Rows) (o open, err error) {
		err = rows.Scan(&o.id, &o.state, &o.planned)
		return o, err
	})
	if err != nil {
		return err
	}
	for _, o := range list {
		lost := r.editions[o.id]
		sent := o.state == newsletter.EditionSending || !r.complete || lost != nil && lost.sending
		switch {
		case sent:
			err = r.doubtEdition(ctx, o.id, !o.planned)
		case lost != nil && lost.cancelled:
			err = r.MoveEdition(ctx, o.id, []newsletter.EditionState{o.state}, newsletter.EditionCancelled, "", restoreActor, r.now)
			r.result.Cancelled++
		default:
			r.result.GoOn++
		}
		if err != nil {
			return fmt.Errorf("edition %d: %w", o.id, err)
		}
	}
	return nil
}

// closedEditions finds those of the closed ones that were opened again after the backup.
func (r *replayer) closedEditions(ctx context.Context) error {
	for _, lost := range r.inOrder() {
		if !lost.sending || lost.frozen != nil {
			continue
		}
		e, err := r.Edition(ctx, lost.id)
		if newsletter.KindOf(err) == newsletter.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		if !e.State.Closed() || e.Reason == whyRestored {
			continue
		}
		pick := rowPick{editionID: e.ID, states: [2]newsletter.State{newsletter.Refused, newsletter.Expired}}
		err = r.each(ctx, pick, func(t *tx, first, last int64) error {
			_, err := t.exec(`UPDATE deliveries SET state = 1 WHERE edition_id = $1 AND subscriber_id BETWEEN $2 AND $3 AND state IN (4, 7)`,
				e.ID, first, last)
			return err
		})
		if err == nil {
			err = r.doubtEdition(ctx, e.ID, false)
		}
		if err != nil {
			return fmt.Errorf("edition %d: %w", e.ID, err)
		}
	}
	return nil
}

// doubtEdition closes an edition with everything that waits in doubt. Of one that was not
// planned to the end, everybody counts as having had its articles.
func (r *replayer) doubtEdition(ctx context.Context, id int64, everybody bool) error {
	doubted := 0
	for _, states := range [][2]newsletter.State{{newsletter.Waiting, newsletter.Deferred}, {newsletter.Sending, newsletter.Sending}} {
		err := r.each(ctx, rowPick{editionID: id, states: states}, func(t *tx, first, last int64) error {
			if _, err := t.exec(`UPDATE deliveries SET state = 2 WHERE edition_id = $1 AND subscriber_id BETWEEN $2 AND $3 AND state IN (1, 5)`,
				id, first, last); err != nil {
				return err
			}
			n, err := t.changed(`UPDATE deliveries SET state = 6, doubted_at = $1, updated_at = $1
				WHERE edition_id = $2 AND subscriber_id BETWEEN $3 AND $4 AND state = 2`, millis(r.now), id, first, last)
			doubted += n
			return err
		})
		if err != nil {
			return err
		}
	}
	r.result.InDoubt += doubted
	r.result.Closed++
	return r.write(ctx, func(t *tx) error {
		if everybody {
			rows, err := t.query(`SELECT a.url, a.source_id, a.guid FROM blocks b JOIN articles a ON a.id = b.article_id WHERE b.edition_id = $1`, id)
			articles, err := collect(rows, err, scanJournalArticle)
			if err != nil {
				return err
			}
			if err := t.markSent(articles); err != nil {
				return err
			}
			r.result.Articles += len(articles)
		}
		if _, err := t.exec(`UPDATE editions SET state = 'sent', reason = $1, on_doubt = 'hold', finished_at = $2,
				planned_at = COALESCE(planned_at, $2) WHERE id = $3`, whyRestored, millis(r.now), id); err != nil {
			return err
		}
		return t.dropTotals(id)
	})
}

// lostEditions gives editions that the backup does not know their slots back. Of those that
// were begun, everybody counts as having had their articles: who got them is not known.
func (r *replayer) lostEditions(ctx context.Context) error {
	for _, l := range r.inOrder() {
		if l.frozen == nil && l.skipped == nil {
			continue
		}
		err := r.write(ctx, func(t *tx) error {
			if l.sending {
				r.result.Articles += len(l.articles)
				if err := t.markSent(l.articles); err != nil {
					return err
				}
			}
			return r.lostEdition(t, l)
		})
		if err != nil {
			return fmt.Errorf("edition %d: %w", l.id, err)
		}
	}
	return nil
}

// lostEdition records the slot of one edition. One that was frozen and never begun leaves its
// slot free: nothing of it was sent.
func (r *replayer) lostEdition(t *tx, l *lostEdition) error {
	state, entry, reason := newsletter.EditionSent, l.frozen, whyRestored
	switch {
	case l.skipped != nil:
		state, entry, reason = newsletter.EditionSkipped, l.skipped, l.skipped.Reason
	case l.sending:
	case l.cancelled:
		state, reason = newsletter.EditionCancelled, ""
	default:
		r.result.NotBegun++
		return nil
	}
	if err := t.dropDraft(l.id); err != nil {
		return err
	}
	var there int
	if err := t.row(`SELECT (SELECT COUNT(*) FROM editions WHERE id = $1) + (SELECT 1 - COUNT(*) FROM newsletters WHERE id = $2)`,
		l.id, entry.Newsletter).Scan(&there); err != nil || there > 0 {
		return err
	}
	slot := entry.Slot
	if slot == nil {
		return errors.New("the journal does not say which slot it had")
	}
	date, err := newsletter.ParseDate(slot.Date)
	if err != nil {
		return err
	}
	name, forSlot := slot.Name, slot.For
	if forSlot == "" {
		forSlot = slot.Name
	}
	key := newsletter.SlotKey{NewsletterID: entry.Newsletter, Cadence: newsletter.Cadence(slot.Cadence), Date: date, Slot: name}
	taken, err := slotTaken(t, key)
	if err != nil || taken && state == newsletter.EditionSkipped {
		return err
	}
	if taken {
		name = fmt.Sprintf("restored-%d", l.id)
	}
	if state == newsletter.EditionSkipped {
		r.result.Skipped++
	} else {
		r.result.Editions++
	}
	_, err = t.exec(`INSERT INTO editions (id, newsletter_id, cadence, local_date, slot, state, reason, due_at, as_of, articles,
			created_at, planned_at, started_at, finished_at, expires_at, for_slot)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $11, $12, $13, $14)`,
		l.id, entry.Newsletter, slot.Cadence, slot.Date, name, string(state), reason, millis(slot.DueAt), millis(slot.AsOf), len(l.articles),
		millis(entry.At), millis(l.at), millis(slot.DueAt.Add(key.Cadence.DeliveryTime())), forSlot)
	return err
}

// markSent makes the articles known and owed to nobody, those as well that will come in anew.
func (t *tx) markSent(articles []journal.Article) error {
	for _, a := range articles {
		if _, err := t.exec(`INSERT INTO sent_articles (url, source_id, guid) VALUES ($1, $2, $3) ON CONFLICT (url) DO NOTHING`,
			a.URL, a.Source, a.GUID); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE articles SET baseline = 1, owed_from = NULL, hold = ''
			WHERE url = $1 OR id IN (SELECT article_id FROM article_sources WHERE source_id = $2 AND guid = $3)`,
			a.URL, a.Source, a.GUID); err != nil {
			return err
		}
	}
	return nil
}

// withdrawals takes articles back that were withdrawn after the backup.
func (r *replayer) withdrawals(ctx context.Context) error {
	r.result.Withdrawn = len(r.withdrawn)
	if err := r.write(ctx, func(t *tx) error { return t.markSent(r.sent) }); err != nil {
		return fmt.Errorf("articles that were sent: %w", err)
	}
	r.result.Articles += len(r.sent)
	for part := range slices.Chunk(r.withdrawn, moveChunk) {
		err := r.write(ctx, func(t *tx) error {
			if err := t.markSent(part); err != nil {
				return err
			}
			for _, a := range part {
				if err := t.withdrawAgain(a.URL, r.now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("withdrawn articles: %w", err)
		}
	}
	return nil
}

// withdrawAgain takes the articles of an address back.
func (t *tx) withdrawAgain(url string, now time.Time) error {
	rows, err := t.query(`UPDATE articles SET withdrawn_at = $1 WHERE url = $2 AND withdrawn_at IS NULL RETURNING id`, millis(now), url)
	ids, err := collect(rows, err, scanID)
	for _, id := range ids {
		if err != nil {
			break
		}
		err = t.withdrawFrom(id, 0, restoreActor, now)
	}
	return err
}

// suppress brings the suppressions to what they were.
func (r *replayer) suppress(ctx context.Context) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(r.suppressions)), moveChunk) {
		err := r.write(ctx, func(t *tx) error {
			for _, hash := range part {
				m := r.suppressions[hash]
				if !m.set {
					r.result.Lifted++
					if err := t.liftSuppression(m.hash, newsletter.LiftByStaff, "from the journal", restoreActor, m.at); err != nil {
						return err
					}
					continue
				}
				r.result.Suppressed++
				_, err := t.enterSuppression(newsletter.Suppression{
					Hash: m.hash, Domain: m.domain, Reason: m.reason, Actor: restoreActor, CreatedAt: m.at,
				}, m.at)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("suppressions: %w", err)
		}
	}
	return nil
}

// leave ends the subscriptions that had ended. Somebody whom the backup does not know, and who
// left, is suppressed: no list that is imported again brings them back.
func (r *replayer) leave(ctx context.Context) error {
	keys := slices.SortedFunc(maps.Keys(r.subscriptions), func(a, b subscriptionKey) int {
		return int(a.subscriber-b.subscriber)*2 + int(max(-1, min(1, a.newsletter-b.newsletter)))
	})
	for part := range slices.Chunk(keys, moveChunk) {
		err := r.write(ctx, func(t *tx) error {
			for _, k := range part {
				if err := r.leaveOne(t, k, r.subscriptions[k]); err != nil {
					return fmt.Errorf("subscriber %d: %w", k.subscriber, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *replayer) leaveOne(t *tx, k subscriptionKey, e ending) error {
	known, err := sameReader(t, k.subscriber, e.hash)
	if err != nil {
		return err
	}
	u, ok, err := subscriptionTo(t, k.newsletter, k.subscriber)
	switch {
	case err != nil:
		return err
	case !e.left:
		if known && ok && u.State == newsletter.Left {
			r.result.CameBack++ // their consent is lost, so only they can come back
		}
		return nil
	case known && ok:
		if u.State != newsletter.Left {
			r.result.Left++
		}
		return t.end(u, newsletter.EventLeft, newsletter.Origin{Channel: restoreActor, Actor: restoreActor, Note: "from the journal"}, 0, e.at)
	}
	r.result.LeftUnknown++
	return t.suppress(e.hash, newsletter.SuppressedLeft, "left after the backup", restoreActor, e.at)
}

// sameReader reports whether the subscriber of that id is the person whose address has the hash.
func sameReader(q querier, id int64, hash []byte) (bool, error) {
	var key string
	err := q.row(`SELECT email_key FROM subscribers WHERE id = $1`, id).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	have, err := suppressionHash(q, key)
	return bytes.Equal(have, hash), err
}

// erase erases people who were erased after the backup and whom it still has.
func (r *replayer) erase(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(r.erased)) {
		m := r.erased[id]
		known, err := sameReader(r.read(ctx), id, m.hash)
		switch {
		case err != nil:
		case known:
			r.result.Erased++
			_, err = r.EraseSubscriber(ctx, id, restoreActor, m.at)
		default:
			err = r.write(ctx, func(t *tx) error { return t.suppress(m.hash, newsletter.SuppressedErased, "", restoreActor, m.at) })
		}
		if err != nil {
			return fmt.Errorf("erase subscriber %d: %w", id, err)
		}
	}
	return nil
}

// mails expires the transactional mails that wait in the backup: they may have been sent.
func (r *replayer) mails(ctx context.Context) error {
	return r.write(ctx, func(t *tx) (err error) {
		r.result.Mails, err = t.changed(`UPDATE mails SET state = 7, reply = $1, updated_at = $2 WHERE state IN (1, 2, 5)`,
			whyRestored, millis(r.now))
		return err
	})
}

// revoke ends the API tokens that were revoked after the backup.
func (r *replayer) revoke(ctx context.Context) error {
	return r.write(ctx, func(t *tx) error {
		for _, v := range r.revoked {
			n, err := t.changed(`UPDATE tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL`, millis(v.at), v.id)
			if err != nil {
				return fmt.Errorf("revoke token %d: %w", v.id, err)
			}
			r.result.Revoked += n
		}
		return nil
	})
}

// idGap is how far above the highest known ids a restored database goes on to number, for
// those that were given out after the last edition.
const idGap = 1_000_000

// fewGap is idGap for what there are few of and people name by its number.
const fewGap = 1000

// floors has new subscribers, mails, editions and newsletters numbered above all that were there: links and return
// paths name them, and those that are out there must not become somebody else's.
func (r *replayer) floors(ctx context.Context) error {
	return r.write(ctx, func(t *tx) error {
		for _, f := range []struct {
			table     string
			high, gap int64
		}{{"subscribers", r.high.Subscribers, idGap}, {"mails", r.high.Mails, idGap}, {"editions", r.high.Editions, fewGap}, {"newsletters", r.high.Newsletters, fewGap}} {
			if err := t.raiseFloor(f.table, f.high, f.gap); err != nil {
				return fmt.Errorf("numbers of %s: %w", f.table, err)
			}
		}
		return nil
	})
}
