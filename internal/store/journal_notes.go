package store

import (
	"database/sql"
	"encoding/hex"
	"slices"
	"time"

	"broadsheet/internal/journal"
	"broadsheet/internal/newsletter"
)

// noteSubscription leaves in the journal that a subscription ended, or is active again after
// it had ended.
func (t *tx) noteSubscription(kind journal.Kind, subscriberID, newsletterID int64, now time.Time) error {
	return t.noteReader(journal.Entry{Kind: kind, Subscriber: subscriberID, Newsletter: newsletterID}, now)
}

// noteSuppressed leaves in the journal that an address, or a whole domain, must not be mailed.
func (t *tx) noteSuppressed(s newsletter.Suppression, now time.Time) {
	t.note(journal.Entry{
		Kind: journal.Suppressed, Address: hex.EncodeToString(s.Hash), Domain: s.Domain, Reason: string(s.Reason),
	}, now)
}

// noteLifted leaves in the journal that it may be mailed again.
func (t *tx) noteLifted(hash []byte, now time.Time) {
	t.note(journal.Entry{Kind: journal.Lifted, Address: hex.EncodeToString(hash)}, now)
}

// noteErased leaves in the journal that a person's data were erased. It is called while the
// subscriber's row is there, and keeps the address as its keyed hash only.
func (t *tx) noteErased(subscriberID int64, now time.Time) error {
	return t.noteReader(journal.Entry{Kind: journal.Erased, Subscriber: subscriberID}, now)
}

// noteFrozen leaves in the journal which slot an edition took, with what, and which ids are
// given out. Without that it must not be frozen.
func (t *tx) noteFrozen(id int64, e newsletter.Edition, now time.Time) error {
	high := &journal.High{}
	if err := t.row(`SELECT (SELECT COALESCE(MAX(id), 0) FROM subscribers), (SELECT COALESCE(MAX(id), 0) FROM mails),
			(SELECT COALESCE(MAX(id), 0) FROM newsletters)`).Scan(&high.Subscribers, &high.Mails, &high.Newsletters); err != nil {
		return err
	}
	high.Editions = id
	t.noteNeeded(journal.Entry{Kind: journal.Frozen, Edition: id, Newsletter: e.NewsletterID, Slot: journalSlot(e), High: high}, now)
	rows, err := t.query(`SELECT a.url, a.source_id, a.guid FROM blocks b JOIN articles a ON a.id = b.article_id
		WHERE b.edition_id = $1 ORDER BY b.position`, id)
	articles, err := collect(rows, err, scanJournalArticle)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(articles, journal.ArticlesPerEntry) {
		t.noteNeeded(journal.Entry{Kind: journal.Articles, Edition: id, Articles: part}, now)
	}
	return nil
}

func scanJournalArticle(rows *sql.Rows) (a journal.Article, err error) {
	err = rows.Scan(&a.URL, &a.Source, &a.GUID)
	return a, err
}

func journalSlot(e newsletter.Edition) *journal.Slot {
	slot := &journal.Slot{
		Cadence: string(e.Cadence), Date: e.Date.String(), Name: e.Slot, DueAt: e.DueAt.UTC(), AsOf: e.AsOf.UTC(),
	}
	if e.Audience() != e.Slot {
		slot.For = e.Audience()
	}
	return slot
}

// noteSending leaves in the journal that messages of the edition may go out from now on.
// Without that none must.
func (t *tx) noteSending(id int64, now time.Time) {
	t.noteNeeded(journal.Entry{Kind: journal.Sending, Edition: id}, now)
}

// noteMoved leaves in the journal what an edition was moved to by staff or its sender.
func (t *tx) noteMoved(id int64, to newsletter.EditionState, now time.Time) {
	switch {
	case to.Open():
		t.noteSending(id, now)
	case to == newsletter.EditionCancelled:
		t.note(journal.Entry{Kind: journal.Cancelled, Edition: id}, now)
	}
}

// noteSkipped leaves in the journal that a slot has no edition.
func (t *tx) noteSkipped(id int64, e newsletter.Edition, now time.Time) {
	t.note(journal.Entry{Kind: journal.Skipped, Edition: id, Newsletter: e.NewsletterID, Slot: journalSlot(e), Reason: e.Reason}, now)
}

// noteUnskipped leaves in the journal that slots that staff skipped on a date are free again: all
// of them, unless the key names one.
func (t *tx) noteUnskipped(key newsletter.SlotKey, now time.Time) {
	slot := &journal.Slot{Date: key.Date.String(), Cadence: string(key.Cadence), Name: key.Slot}
	t.note(journal.Entry{Kind: journal.Unskipped, Newsletter: key.NewsletterID, Slot: slot}, now)
}

// noteWithdrawn leaves in the journal that an article was taken back.
func (t *tx) noteWithdrawn(a newsletter.Article, now time.Time) {
	t.note(journal.Entry{Kind: journal.Withdrawn, Articles: []journal.Article{{URL: a.URL, Source: a.SourceID, GUID: a.GUID}}}, now)
}

// noteRevoked leaves in the journal that an API token opens nothing any more.
func (t *tx) noteRevoked(token int64, now time.Time) {
	t.note(journal.Entry{Kind: journal.Revoked, Token: token}, now)
}

// sentBefore reports whether a new article went out already in an edition that the database
// knows from the journal only, or was taken back then.
func sentBefore(q querier, url string, sourceID int64, guid string) (bool, error) {
	var n int
	err := q.row(`SELECT EXISTS (SELECT 1 FROM sent_articles WHERE url = $1)
		OR EXISTS (SELECT 1 FROM sent_articles WHERE source_id = $2 AND guid = $3)`, url, sourceID, guid).Scan(&n)
	return n > 0, err
}
