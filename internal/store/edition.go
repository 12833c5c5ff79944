package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"broadsheet/internal/newsletter"
)

const editionColumns = `e.id, e.newsletter_id, n.slug, e.cadence, e.local_date, e.slot, e.for_slot, e.state, e.reason,
	e.due_at, e.as_of, e.hash, e.subject, e.articles, e.planned, e.on_doubt, e.created_at,
	e.planned_at, e.started_at, e.finished_at, e.expires_at, e.moves, e.pruned_at, e.warm_up, e.brake_refused, e.brake_complaints, e.send_at`

func scanEdition(row rowScanner) (newsletter.Edition, error) {
	var (
		e                           newsletter.Edition
		date, warmUp                string
		due, asOf, created, expires int64
		plannedAt, startedAt        sql.NullInt64
		finishedAt, prunedAt        sql.NullInt64
		refused, complaints, sendAt sql.NullInt64
	)
	err := row.Scan(&e.ID, &e.NewsletterID, &e.Newsletter, &e.Cadence, &date, &e.Slot, &e.ForSlot, &e.State, &e.Reason,
		&due, &asOf, &e.Hash, &e.Subject, &e.Articles, &e.Planned, &e.OnDoubt, &created,
		&plannedAt, &startedAt, &finishedAt, &expires, &e.Moves, &prunedAt, &warmUp, &refused, &complaints, &sendAt)
	if err != nil {
		return e, err
	}
	e.Brakes = newsletter.Brakes{Refused: fromMillionths(refused), Complaints: fromMillionths(complaints)}
	if e.WarmUp, err = newsletter.ParseWarmUp(warmUp); err != nil {
		return e, err
	}
	if e.Date, err = newsletter.ParseDate(date); err != nil {
		return e, err
	}
	e.DueAt, e.AsOf, e.CreatedAt, e.ExpiresAt = fromMillis(due), fromMillis(asOf), fromMillis(created), fromMillis(expires)
	if asOf == 0 { // it is a draft: nothing is fixed
		e.AsOf = time.Time{}
	}
	e.SendAt = fromNull(sendAt)
	e.PlannedAt, e.StartedAt, e.FinishedAt, e.PrunedAt = fromNull(plannedAt), fromNull(startedAt), fromNull(finishedAt), fromNull(prunedAt)
	return e, nil
}

// FreezeEdition records the edition with everything that goes into its bytes, and takes its
// slot: at most one edition has a slot, whoever asks how often. If the slot is taken, an
// edition made by staff becomes an extra one of the day; any other gets a Conflict error
// with the reason slot_taken.
func (s *Store) FreezeEdition(ctx context.Context, f newsletter.FrozenEdition, now time.Time) (newsletter.Edition, error) {
	var id int64
	err := s.write(ctx, func(t *tx) (err error) {
		id, err = t.freeze(f, now)
		return err
	})
	if err != nil {
		return newsletter.Edition{}, fmt.Errorf("freeze an edition of newsletter %d: %w", f.NewsletterID, err)
	}
	return s.Edition(ctx, id)
}

func (t *tx) freeze(f newsletter.FrozenEdition, now time.Time) (int64, error) {
	if err := t.refuseRestored(); err != nil {
		return 0, err
	}
	e := f.Edition
	slot, err := t.freeSlot(f)
	if err != nil {
		return 0, err
	}
	e.Slot, e.State = slot, newsletter.EditionFrozen
	id, err := t.recordFrozen(e, f, now)
	if err != nil {
		return 0, err
	}
	if _, err := t.exec(`INSERT INTO template_sets (hash, content) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING`,
		f.TemplateHash, string(f.Templates)); err != nil {
		return 0, err
	}
	if _, err := t.exec(`INSERT INTO edition_snapshots (edition_id, snapshot, templates_hash) VALUES ($1, $2, $3)`,
		id, string(f.Snapshot), f.TemplateHash); err != nil {
		return 0, err
	}
	for i, article := range f.Blocks {
		if _, err := t.exec(`INSERT INTO blocks (edition_id, position, kind, article_id) VALUES ($1, $2, 'article', $3)`,
			id, i+1, article); err != nil {
			return 0, err
		}
	}
	for _, v := range f.Verdicts {
		if _, err := t.exec(`INSERT INTO edition_articles (edition_id, article_id, verdict) VALUES ($1, $2, $3)`,
			id, v.ArticleID, string(v.Verdict)); err != nil {
			return 0, err
		}
	}
	if err := t.giveCanary(id, f.Canary); err != nil {
		return 0, err
	}
	for _, booking := range f.Sponsors { // of this newsletter: staff name blocks as they like
		if _, err := t.exec(`INSERT INTO sponsor_runs (booking_id, edition_id)
			SELECT id, $1 FROM sponsor_bookings WHERE id = $2 AND newsletter_id = $3`, id, booking, e.NewsletterID); err != nil {
			return 0, err
		}
	}
	for _, c := range f.Corrections {
		if _, err := t.exec(`INSERT INTO edition_corrections (edition_id, correction_id) VALUES ($1, $2)`, id, c); err != nil {
			return 0, err
		}
	}
	if err := t.noteFrozen(id, e, now); err != nil {
		return 0, err
	}
	if f.Forced != "" {
		if err := t.deskEvent(now, f.Actor, "gates forced", e.NewsletterID, id, f.Forced); err != nil {
			return 0, err
		}
	}
	return id, t.deskEvent(now, f.Actor, "edition frozen", e.NewsletterID, id, frozenDetail(e))
}

func (t *tx) insertEdition(e newsletter.Edition, now time.Time) (int64, error) {
	return t.insert(`INSERT INTO editions (id, newsletter_id, cadence, local_date, slot, state, reason, due_at, as_of,
			hash, subject, articles, on_doubt, created_at, expires_at, warm_up, send_at, for_slot)
		VALUES (`+nextEdition+`, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) RETURNING id`,
		e.NewsletterID, string(e.Cadence), e.Date.String(), e.Slot, string(e.State), e.Reason, millis(e.DueAt), millis(e.AsOf),
		e.Hash, e.Subject, e.Articles, string(e.OnDoubt), millis(now), millis(e.ExpiresAt), e.WarmUp.String(), nullMillis(e.SendAt), e.Audience())
}

// freeSlot returns the name of the slot that the edition gets.
func (t *tx) freeSlot(f newsletter.FrozenEdition) (string, error) {
	key := newsletter.SlotKey{NewsletterID: f.NewsletterID, Cadence: f.Cadence, Date: f.Date, Slot: f.Slot}
	taken, err := slotTaken(t, key)
	if err == nil && taken && f.ID != 0 { // by this draft itself, perhaps
		var own int
		err = t.row(`SELECT COUNT(*) FROM editions WHERE id = $1 AND local_date = $2 AND slot = $3`, f.ID, f.Date.String(), f.Slot).Scan(&own)
		taken = own == 0
	}
	switch {
	case err != nil:
		return "", err
	case !taken && !f.Extra:
		return f.Slot, nil
	case !f.Manual:
		return "", slotIsTaken(key)
	}
	return t.extraSlot(f.Edition)
}

// extraSlot returns the name of one more edition of the day beside those that have its slots.
func (t *tx) extraSlot(e newsletter.Edition) (string, error) {
	var extras int
	err := t.row(`SELECT COUNT(*) FROM editions WHERE newsletter_id = $1 AND cadence = $2 AND local_date = $3 AND slot LIKE 'extra-%'`,
		e.NewsletterID, string(e.Cadence), e.Date.String()).Scan(&extras)
	return "extra-" + strconv.Itoa(extras+1), err
}

// FreeSlot gives the slot of an edition back to the day's own news, by making it an extra one, if
// nobody at all gets anything of it.
func (s *Store) FreeSlot(ctx context.Context, e newsletter.Edition, actor string, now time.Time) error {
	err := s.write(ctx, func(t *tx) error {
		var given int
		err := t.row(`SELECT COUNT(*) FROM (SELECT 1 FROM deliveries WHERE edition_id = $1 AND variant_id IS NOT NULL LIMIT 1) some`, e.ID).Scan(&given)
		if err != nil || given > 0 {
			return err
		}
		name, err := t.extraSlot(e)
		if err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE editions SET slot = $1 WHERE id = $2`, name, e.ID); err != nil {
			return err
		}
		return t.deskEvent(now, actor, "slot given back", e.NewsletterID, e.ID, "nobody is owed anything of it any more; it is "+name+" now, and was "+e.Slot)
	})
	if err != nil {
		return fmt.Errorf("slot of edition %d: %w", e.ID, err)
	}
	return nil
}

func slotIsTaken(key newsletter.SlotKey) error {
	return &newsletter.Error{Kind: newsletter.Conflict, Reason: "slot_taken",
		Message: fmt.Sprintf("the %s slot of %s is taken already", newsletter.SlotName(key.Cadence, key.Slot), key.Date)}
}

func slotTaken(q querier, key newsletter.SlotKey) (bool, error) {
	var n int
	err := q.row(`SELECT COUNT(*) FROM editions WHERE newsletter_id = $1 AND cadence = $2 AND local_date = $3 AND slot = $4`,
		key.NewsletterID, string(key.Cadence), key.Date.String(), key.Slot).Scan(&n)
	return n > 0, err
}

// SlotTaken reports whether the slot has an edition, be it one that was skipped.
func (s *Store) SlotTaken(ctx context.Context, key newsletter.SlotKey) (bool, error) {
	return slotTaken(s.read(ctx), key)
}

// SkipSlot records that the slot passed without an edition. A slot that is taken stays as it
// is; skipped reports whether this call recorded it.
func (s *Store) SkipSlot(ctx context.Context, key newsletter.SlotKey, dueAt time.Time, reason, actor string, now time.Time) (skipped bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		taken, err := slotTaken(t, key)
		if err != nil || taken {
			return err
		}
		skipped = true
		e := newsletter.Edition{
			NewsletterID: key.NewsletterID, Cadence: key.Cadence, Date: key.Date, Slot: key.Slot,
			ForSlot: key.ForSlot(), State: newsletter.EditionSkipped, Reason: reason, DueAt: dueAt, AsOf: now,
			OnDoubt: newsletter.DoubtResend, ExpiresAt: dueAt.Add(key.Cadence.DeliveryTime()),
		}
		id, err := t.insertEdition(e, now)
		if err != nil {
			return err
		}
		t.noteSkipped(id, e, now)
		if reason == newsletter.SkippedHeld {
			held, err := heldSlot(t, key)
			if err != nil {
				return err
			}
			reason += ": " + held
		}
		return t.deskEvent(now, actor, "slot skipped", key.NewsletterID, id, reason)
	})
	return skipped, err
}

// Edition returns the edition of that id.
func (s *Store) Edition(ctx context.Context, id int64) (newsletter.Edition, error) {
	e, err := scanEdition(s.read(ctx).row(`SELECT `+editionColumns+`
		FROM editions e JOIN newsletters n ON n.id = e.newsletter_id WHERE e.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return e, noEdition(id)
	}
	return e, err
}

func noEdition(id int64) error {
	return newsletter.NotFoundf("there is no edition %d; \"broadsheet edition list\" shows those there are", id)
}

// Editions returns editions, the newest first.
func (s *Store) Editions(ctx context.Context, f newsletter.EditionFilter) ([]newsletter.Edition, error) {
	rows, err := s.read(ctx).query(`SELECT `+editionColumns+`
		FROM editions e JOIN newsletters n ON n.id = e.newsletter_id
		WHERE (CAST($1 AS INTEGER) = 0 OR e.newsletter_id = $1) AND (CAST($2 AS INTEGER) = 0 OR e.id < $2)
			AND (CAST($3 AS TEXT) = '' OR e.cadence = $3)
		ORDER BY e.id DESC LIMIT $4`, f.NewsletterID, f.Before, string(f.Cadence), f.Limit)
	return collect(rows, err, scanEditionRow)
}

// OpenEditions returns the editions that are still to be carried out, in order of their ids.
func (s *Store) OpenEditions(ctx context.Context) ([]newsletter.Edition, error) {
	rows, err := s.read(ctx).query(`SELECT ` + editionColumns + `
		FROM editions e JOIN newsletters n ON n.id = e.newsletter_id
		WHERE e.state IN ('frozen', 'sending') ORDER BY e.id`)
	return collect(rows, err, scanEditionRow)
}

// UnfinishedEditions returns the newsletter's editions that are not carried out yet, those
// that are paused included, the oldest first.
func (s *Store) UnfinishedEditions(ctx context.Context, newsletterID int64) ([]newsletter.Edition, error) {
	rows, err := s.read(ctx).query(`SELECT `+editionColumns+`
		FROM editions e JOIN newsletters n ON n.id = e.newsletter_id
		WHERE e.newsletter_id = $1 AND e.state IN ('frozen', 'sending', 'paused') ORDER BY e.id`, newsletterID)
	return collect(rows, err, scanEditionRow)
}

func scanEditionRow(rows *sql.Rows) (newsletter.Edition, error) { return scanEdition(rows) }

// EditionSnapshot returns what the edition was frozen from: the snapshot and the sources of
// its templates.
func (s *Store) EditionSnapshot(ctx context.Context, id int64) (snapshot, templates []byte, err error) {
	var snap, content string
	err = s.read(ctx).row(`SELECT s.snapshot, t.content FROM edition_snapshots s
		JOIN template_sets t ON t.hash = s.templates_hash WHERE s.edition_id = $1`, id).Scan(&snap, &content)
	if err != nil {
		return nil, nil, fmt.Errorf("snapshot of edition %d: %w", id, err)
	}
	return []byte(snap), []byte(content), nil
}

// EditionVerdicts returns why each article that was considered was taken or left, those
// taken first, in the order of the edition.
func (s *Store) EditionVerdicts(ctx context.Context, id int64) ([]newsletter.ArticleVerdict, error) {
	rows, err := s.read(ctx).query(`SELECT ea.article_id, ea.verdict FROM edition_articles ea
		LEFT JOIN blocks b ON b.edition_id = ea.edition_id AND b.article_id = ea.article_id
		WHERE ea.edition_id = $1 ORDER BY b.position IS NULL, b.position, ea.article_id DESC`, id)
	return collect(rows, err, func(rows *sql.Rows) (v newsletter.ArticleVerdict, err error) {
		err = rows.Scan(&v.ArticleID, &v.Verdict)
		return v, err
	})
}
