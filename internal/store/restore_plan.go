package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
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
	sent          []journal.Article // of editions whose numbers were given out once more
	high          journal.High
	revoked       []revoked
	last          int64           // the last entry
	entries       int             // that were replayed
	missing       int64           // entries that are not there
	void          int             // undos and lifts of which nobody knows that they were committed
	waiting       []journal.Entry // that the journal still has to take
	foreign       int             // entries of other databases
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

// revoked is an API token that opens nothing any more.
type revoked struct {
	id int64
	at time.Time
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

// replaying says what of a journal is replayed.
type replaying struct {
	path       string
	skipBroken bool
	database   string // its id
	position   int64  // of the backup
	old        oldDatabase
	kept       []journal.Entry // what the backup kept because the journal did not take it
}

// inJournal is what a first look at the journal finds out.
type inJournal struct {
	void [][2]int64      // from, to: entries of which nobody knows that they were committed
	kept map[string]bool // of the entries that were kept once, those that it has by now
}

// look reads the journal once before it is replayed.
func (p replaying) look() (in inJournal, err error) {
	in.kept = map[string]bool{}
	waiting := map[string]bool{}
	for _, e := range append(p.kept, p.old.kept...) {
		waiting[sameEntry(e)] = true
	}
	if p.path == "" {
		return in, nil
	}
	_, err = journal.Read(p.path, true, func(e journal.Entry) error {
		if e.Database != p.database {
			return nil
		}
		if e.Kind == journal.Void {
			in.void = append(in.void, [2]int64{e.Position, e.Seq})
		}
		if len(waiting) > 0 && waiting[sameEntry(e)] {
			in.kept[sameEntry(e)] = true
		}
		return nil
	})
	if p.old.same && p.old.unread == "" {
		in.void = append(in.void, [2]int64{p.old.position + 1, math.MaxInt64})
	}
	return in, err
}

// isVoid reports whether the entry takes something back, and nobody knows that it was committed.
func (in inJournal) isVoid(e journal.Entry) bool {
	return e.Kind.Releases() && slices.ContainsFunc(in.void, func(v [2]int64) bool { return v[0] <= e.Seq && e.Seq <= v[1] })
}

// lacks returns those of the kept entries that the journal does not have.
func (in inJournal) lacks(kept []journal.Entry) []journal.Entry {
	return slices.DeleteFunc(slices.Clone(kept), func(e journal.Entry) bool { return in.kept[sameEntry(e)] })
}

// readReplay reads what the journal, and the database that is replaced, have of what happened
// after the backup.
func readReplay(p replaying) (*replay, journal.Summary, error) {
	path, skipBroken, database, position := p.path, p.skipBroken, p.database, p.position
	r := &replay{
		subscriptions: map[subscriptionKey]ending{}, suppressions: map[string]mark{}, erased: map[int64]mark{},
		editions: map[int64]*lostEdition{}, last: position,
	}
	own := 0
	in, err := p.look()
	if err != nil && !errors.Is(err, journal.ErrNone) {
		return nil, journal.Summary{}, err
	}
	if path == "" { // there is none; the old database may know something all the same
		err := r.takeOld(p, in)
		return r, journal.Summary{}, err
	}
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
		if in.isVoid(e) {
			r.void++
			return nil
		}
		r.entries++
		return r.take(e)
	})
	if err == nil {
		err = r.takeOld(p, in)
	}
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

// takeOld takes in what the database that is replaced knows and the journal does not.
func (r *replay) takeOld(p replaying, in inJournal) error {
	if p.old.position > r.last {
		r.missing += p.old.position - r.last
		r.last = p.old.position
	}
	for _, e := range in.lacks(p.old.kept) {
		r.entries++
		if err := r.take(e); err != nil {
			return err
		}
	}
	r.waiting = in.lacks(p.kept)
	waits := make(map[string]bool, len(r.waiting))
	for _, e := range r.waiting {
		waits[sameEntry(e)] = true
	}
	for _, e := range in.lacks(p.old.kept) {
		if !waits[sameEntry(e)] {
			r.waiting = append(r.waiting, e)
		}
	}
	return nil
}

// take takes in an entry. They come in the order in which they were written, but for those that
// were kept for a while: one that takes something back counts only if it is not the older one.
func (r *replay) take(e journal.Entry) error {
	hash, err := hex.DecodeString(e.Address)
	if err != nil {
		return fmt.Errorf("entry %d: the address is not a hash", e.Seq)
	}
	switch e.Kind {
	case journal.Left, journal.Joined:
		if e.Kind == journal.Joined && e.At.Before(r.subscriptions[subscriptionKey{e.Subscriber, e.Newsletter}].at) {
			break
		}
		r.subscriptions[subscriptionKey{e.Subscriber, e.Newsletter}] = ending{e.Kind == journal.Left, hash, e.At}
	case journal.Suppressed, journal.Lifted:
		if e.Kind == journal.Lifted && e.At.Before(r.suppressions[string(hash)].at) {
			break
		}
		r.suppressions[string(hash)] = mark{e.Kind == journal.Suppressed, hash, e.Domain, newsletter.SuppressionReason(e.Reason), e.At}
	case journal.Erased:
		r.erased[e.Subscriber] = mark{set: true, hash: hash, at: e.At}
	case journal.Revoked:
		r.revoked = append(r.revoked, revoked{e.Token, e.At})
	case journal.Withdrawn:
		r.withdrawn = append(r.withdrawn, e.Articles...)
	case journal.Frozen, journal.Articles, journal.Sending, journal.Cancelled, journal.Skipped:
		r.takeEdition(e)
	case journal.Unskipped:
		r.unskip(e)
	case journal.Restored, journal.Void:
	}
	if e.High != nil {
		r.high.Subscribers = max(r.high.Subscribers, e.High.Subscribers)
		r.high.Mails = max(r.high.Mails, e.High.Mails)
		r.high.Editions = max(r.high.Editions, e.High.Editions)
		r.high.Newsletters = max(r.high.Newsletters, e.High.Newsletters)
	}
	r.high.Editions = max(r.high.Editions, e.Edition)
	r.high.Newsletters = max(r.high.Newsletters, e.Newsletter)
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
	case journal.Frozen:
		if l.sending { // its number was given out twice, after a restore without a journal
			r.sent = append(r.sent, l.articles...)
		}
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

// unskip forgets the slots that staff skipped on a date, and freed again: all, or the one named.
func (r *replay) unskip(e journal.Entry) {
	for id, l := range r.editions {
		s := l.skipped
		if s == nil || s.Newsletter != e.Newsletter || s.Slot.Date != e.Slot.Date || s.Reason != newsletter.SkippedByStaff {
			continue
		}
		if e.Slot.Name == "" || e.Slot.Name == s.Slot.Name && e.Slot.Cadence == s.Slot.Cadence {
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
