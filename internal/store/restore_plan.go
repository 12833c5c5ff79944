package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"broadsheet/internal/journal"
	"broadsheet/internal/newsletter"
)

// replay is what the journal says that happened after a backup was made: of each thing how it
// ended, so that nothing is done that was taken back.
type replay struct {
	subscriptions map[subscriptionKey]ending
	suppressions  map[string]mark // by the hash
	erased        map[int64]mark
	editions      map[int64]*lostEdition
	withdrawn     []journal.Article
	high          journal.High
	last          int64 // the last entry
	entries       int   // that were replayed
	missing       int64 // entries that are not there
	foreign       int   // entries of other databases
}

type subscriptionKey struct{ subscriber, newsletter int64 }

// ending is how a subscription ended up: left, or active once more.
type ending struct {
	left bool
	hash []byte
	at   time.Time
}

// mark is whether an address must not be mailed, or a person was erased.
type mark struct {
	set    bool
	hash   []byte
	domain string
	reason newsletter.SuppressionReason
	at     time.Time
}

// lostEdition is what happened to an edition after the backup.
type lostEdition struct {
	id        int64
	frozen    *journal.Entry // nil: the backup has it
	skipped   *journal.Entry // it is a slot without an edition
	articles  []journal.Article
	sending   bool
	cancelled bool
	at        time.Time // of the last entry about it
}

// readReplay reads what the journal has of the database after a position.
func readReplay(path string, skipBroken bool, database string, position int64) (*replay, journal.Summary, error) {
	r := &replay{
		subscriptions: map[subscriptionKey]ending{}, suppressions: map[string]mark{}, erased: map[int64]mark{},
		editions: map[int64]*lostEdition{}, last: position,
	}
	own := 0
	summary, err := journal.Read(path, skipBroken, func(e journal.Entry) error {
		if e.Seq > r.last {
			r.missing += e.Seq - r.last - 1
			r.last = e.Seq
		}
		if e.Database != database {
			r.foreign++
			return nil
		}
		own++
		if e.Seq <= position {
			return nil
		}
		r.entries++
		return r.take(e)
	})
	broken, isBroken := errors.AsType[*journal.BrokenError](err)
	switch {
	case errors.Is(err, journal.ErrNone):
		err = newsletter.NotFoundf("there is no journal %s; name the right one with --journal, or say --no-journal: then it is not known who left since the backup, and what was sent", path)
	case isBroken:
		err = newsletter.Conflictf("the journal %s is damaged: %v; --skip-broken goes on without it", path, broken)
	case err == nil && own == 0 && r.foreign > 0:
		err = newsletter.Conflictf("the journal %s is of another database than the backup; name the right one with --journal", path)
	case err == nil && summary.Last < position:
		err = newsletter.Conflictf("the journal %s ends with entry %d, before the backup was made (at entry %d); is it an old copy? Name the right one with --journal, or say --no-journal", path, summary.Last, position)
	}
	r.missing -= int64(min(int(r.missing), summary.BrokenLines())) // those are counted as damaged
	return r, summary, err
}

// take takes in an entry. They come in the order in which they were written.
func (r *replay) take(e journal.Entry) error {
	hash, err := hex.DecodeString(e.Address)
	if err != nil {
		return fmt.Errorf("entry %d: the address is not a hash", e.Seq)
	}
	switch e.Kind {
	case journal.Left, journal.Joined:
		r.subscriptions[subscriptionKey{e.Subscriber, e.Newsletter}] = ending{e.Kind == journal.Left, hash, e.At}
	case journal.Suppressed, journal.Lifted:
		r.suppressions[string(hash)] = mark{e.Kind == journal.Suppressed, hash, e.Domain, newsletter.SuppressionReason(e.Reason), e.At}
	case journal.Erased:
		r.erased[e.Subscriber] = mark{set: true, hash: hash, at: e.At}
	case journal.Withdrawn:
		r.withdrawn = append(r.withdrawn, e.Articles...)
	case journal.Frozen, journal.Articles, journal.Sending, journal.Cancelled, journal.Skipped:
		r.takeEdition(e)
	case journal.Unskipped:
		r.unskip(e)
	case journal.Restored:
	}
	if e.High != nil {
		r.high.Subscribers = max(r.high.Subscribers, e.High.Subscribers)
		r.high.Mails = max(r.high.Mails, e.High.Mails)
	}
	r.high.Subscribers = max(r.high.Subscribers, e.Subscriber)
	return nil
}

func (r *replay) takeEdition(e journal.Entry) {
	l := r.editions[e.Edition]
	if l == nil {
		l = &lostEdition{id: e.Edition}
		r.editions[e.Edition] = l
	}
	l.at = e.At
	switch e.Kind {
	case journal.Frozen: // of an id that was used before, nothing had come of the other one
		l.frozen, l.skipped, l.articles, l.sending, l.cancelled = &e, nil, nil, false, false
	case journal.Articles:
		l.articles = append(l.articles, e.Articles...)
	case journal.Sending:
		l.sending = true
	case journal.Cancelled:
		l.cancelled = true
	case journal.Skipped:
		l.skipped = &e
	default:
	}
}

// unskip forgets the slots that staff skipped on a date, and freed again.
func (r *replay) unskip(e journal.Entry) {
	for id, l := range r.editions {
		if s := l.skipped; s != nil && s.Newsletter == e.Newsletter && s.Slot.Date == e.Slot.Date && s.Reason == newsletter.SkippedByStaff {
			delete(r.editions, id)
		}
	}
}

// inOrder returns the editions in order of their ids.
func (r *replay) inOrder() []*lostEdition {
	list := make([]*lostEdition, 0, len(r.editions))
	for _, l := range r.editions {
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b *lostEdition) int { return int(a.id - b.id) })
	return list
}
